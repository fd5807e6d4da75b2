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
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Has DigitalOcean do something to a droplet, and waits until it is done. Thread-safe. */
final class DropletActions {
    private static final int UNPROCESSABLE = 422;

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
                        + " s. Run the same call again." + status
                        + (trouble == null ? "" : " The last answer: " + trouble.reason()),
                null,
                null,
                trouble == null ? null : trouble.requestId().orElse(null),
                true,
                trouble);
    }
}
