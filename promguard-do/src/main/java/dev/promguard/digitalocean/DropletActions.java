package dev.promguard.digitalocean;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Answers.Droplet;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.digitalocean.internal.LostAnswerException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has DigitalOcean do something to a droplet, and waits until it is done. Thread-safe. */
final class DropletActions {
    private static final Logger LOG = LoggerFactory.getLogger(DropletActions.class);
    private static final int UNPROCESSABLE = 422;
    private static final Duration SHUTDOWN = Duration.ofMinutes(1);

    private final Api api;
    private final Duration pollInterval;
    private final Duration lastLook;

    DropletActions(Api api, Duration pollInterval, Duration lastLook) {
        this.api = api;
        this.pollInterval = pollInterval;
        this.lastLook = lastLook;
    }

    void powerOn(String mesh, String id, Duration timeout) {
        act(mesh, id, Map.of("type", "power_on"), droplet -> "active".equals(droplet.status()), timeout);
    }

    /** Shuts a droplet down, gives it another size, whose disk it does not take, and powers it on again, also after a failure. */
    void resize(String mesh, String id, String size, Duration timeout) {
        Droplet droplet = find(mesh, id, Deadline.never());
        if (!size.equals(droplet.sizeSlug())) {
            requireFit(droplet, size);
            powerOff(mesh, id, timeout);
            try {
                act(
                        mesh,
                        id,
                        Map.of("type", "resize", "size", size, "disk", false),
                        changed -> size.equals(changed.sizeSlug()) && !changed.locked(),
                        timeout);
            } catch (ProviderException e) {
                try {
                    powerOn(mesh, id, timeout);
                } catch (ProviderException stillOff) {
                    e.addSuppressed(stillOff);
                }
                throw e;
            }
        }
        powerOn(mesh, id, timeout);
    }

    /** Asks the system to shut down, as it should be, and cuts the power if it does not. */
    private void powerOff(String mesh, String id, Duration timeout) {
        Duration graceful = timeout.compareTo(SHUTDOWN) < 0 ? timeout : SHUTDOWN;
        try {
            act(mesh, id, Map.of("type", "shutdown"), droplet -> "off".equals(droplet.status()), graceful);
        } catch (ProviderException e) {
            LOG.debug("droplet {} does not shut down", id, e);
            act(mesh, id, Map.of("type", "power_off"), droplet -> "off".equals(droplet.status()), timeout);
        }
    }

    /** Refuses what cannot be done before the droplet is powered off for it. */
    private void requireFit(Droplet droplet, String wanted) {
        List<Answers.Size> sizes =
                api.paged("/v2/sizes", Answers.SizesAnswer.class, a -> a.sizes(), a -> a.links(), Deadline.never());
        Answers.Size size = sizes.stream()
                .filter(one -> wanted.equals(one.slug()))
                .findFirst()
                .orElse(null);
        String region = droplet.region() == null ? null : droplet.region().slug();
        String why = null;
        if (size == null || !size.available()) {
            why = "which DigitalOcean does not offer";
        } else if (size.regions() != null && region != null && !size.regions().contains(region)) {
            why = "which is not offered in " + Names.printable(region);
        } else if (size.disk() < droplet.disk()) {
            why = "whose disk has " + size.disk() + " GB, and a disk of " + droplet.disk() + " GB cannot shrink";
        }
        if (why != null) {
            throw new ProviderException(
                    ErrorCode.CANNOT_RESIZE,
                    "droplet " + droplet.id() + " cannot get size " + Names.quote(wanted) + ", " + why
                            + ". Choose another size, or replace the host; nothing was done.");
        }
    }

    /**
     * Sends an action until the droplet is as it should be. The state of the droplet counts and not the answer: so a lost answer, or an
     * action that somebody else has begun, does no harm.
     */
    private void act(String mesh, String id, Map<String, Object> action, Predicate<Droplet> done, Duration timeout) {
        Deadline deadline = Deadline.after(timeout);
        Deadline calls = deadline.plus(lastLook);
        String type = String.valueOf(action.get("type"));
        long running = 0;
        ProviderException trouble = null;
        while (true) {
            Droplet droplet = null;
            try {
                droplet = find(mesh, id, calls);
                if (done.test(droplet)) {
                    return;
                }
                if (running == 0) {
                    running = send(id, action);
                } else {
                    requireNotFailed(running, type, id, calls);
                }
                trouble = null;
            } catch (ProviderException e) {
                if (!e.retryable() && !isPending(e)) {
                    throw e;
                }
                trouble = e;
            }
            if (deadline.isOver()) {
                throw late(id, type, droplet, timeout, trouble);
            }
            Http.pause(deadline.atMost(pollInterval));
        }
    }

    private Droplet find(String mesh, String id, Deadline deadline) {
        return api.find(id, deadline)
                .filter(droplet -> Api.carries(droplet, Marks.mesh(mesh)))
                .orElseThrow(() -> new ProviderException(
                        ErrorCode.PROVIDER_REFUSED,
                        "there is no droplet " + id + " with the tag of mesh " + mesh + ". Run plan, which says why."));
    }

    /** Sends an action, and returns its id; zero if that is not known. */
    private long send(String id, Map<String, Object> action) {
        try {
            Answers.ActionAnswer answer =
                    api.http().post("/v2/droplets/" + Api.encode(id) + "/actions", action, Answers.ActionAnswer.class);
            return answer.action() == null ? 0 : answer.action().id();
        } catch (LostAnswerException e) {
            throw e.failure();
        }
    }

    private void requireNotFailed(long action, String type, String id, Deadline deadline) {
        Answers.ActionAnswer answer = api.http()
                .find("/v2/droplets/" + Api.encode(id) + "/actions/" + action, Answers.ActionAnswer.class, deadline);
        String status = answer == null || answer.action() == null
                ? ""
                : Objects.toString(answer.action().status(), "");
        if (status.equals("errored")) {
            throw new ProviderException(
                    ErrorCode.PROVIDER_REFUSED,
                    "DigitalOcean could not do " + type + " to droplet " + id
                            + ": the action has failed there. Look at the droplet's history in the control panel, then run again.");
        }
    }

    /** Whether a call was refused only because something else is done to the droplet now. */
    private static boolean isPending(ProviderException failure) {
        return failure.status().orElse(0) == UNPROCESSABLE && failure.reason().contains("pending event");
    }

    private static ProviderException late(
            String id, String type, @Nullable Droplet droplet, Duration timeout, @Nullable ProviderException trouble) {
        String status = droplet == null ? "" : " It is " + Names.quote(Objects.toString(droplet.status(), "?")) + ".";
        return new ProviderException(
                ErrorCode.HOST_NOT_READY,
                "droplet " + id + " has not followed " + type + " after " + timeout.toSeconds()
                        + " s. Run again in a minute." + status
                        + (trouble == null ? "" : " The last answer: " + trouble.reason()),
                null,
                null,
                trouble == null ? null : trouble.requestId().orElse(null),
                true,
                trouble);
    }
}
