package dev.promguard.digitalocean;

import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Answers.Droplet;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.ProvisioningResult;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Waits for droplets, all of them with one list, and tells why one does not come. Thread-safe. */
final class Awaiting {
    private static final Logger LOG = LoggerFactory.getLogger(Awaiting.class);
    private static final int LOOKS_UNTIL_LATE = 6;
    /** Looks become rarer: a droplet takes half a minute, and a hundred of them are to take few calls. */
    private static final int RAREST = 5;

    private static final Duration IPV4_GRACE = Duration.ofMinutes(2);

    private final Api api;
    private final Duration pollInterval;
    private final Duration listLag;
    private final Duration lastLook;

    Awaiting(Api api, Duration pollInterval, Duration listLag, Duration lastLook) {
        this.api = api;
        this.pollInterval = pollInterval;
        this.listLag = listLag;
        this.lastLook = lastLook;
    }

    ProvisioningResult await(String mesh, Set<String> ids, Duration timeout, Consumer<CloudHost> report) {
        Deadline deadline = Deadline.after(timeout);
        Deadline calls = deadline.plus(lastLook);
        Set<String> open = new TreeSet<>(ids);
        Map<String, CloudHost> ready = new TreeMap<>();
        Map<String, String> missing = new TreeMap<>();
        Map<String, Deadline> absent = new HashMap<>();
        Map<String, Deadline> withoutIpv4 = new HashMap<>();
        Map<String, Droplet> listed = Map.of();
        ProviderException failure = null;
        for (int look = 1; !open.isEmpty(); look++) {
            try {
                listed = Api.byId(api.tagged(Marks.mesh(mesh), calls));
                failure = null;
                for (String id : open) {
                    Droplet droplet = listed.get(id);
                    if (droplet == null) {
                        Deadline grace = absent.computeIfAbsent(id, key -> Deadline.after(listLag));
                        if (grace.isOver() && isGone(id, calls)) {
                            missing.put(id, vanished(id));
                        }
                    } else {
                        absent.remove(id);
                        if (mayBeReady(id, droplet, withoutIpv4)) {
                            take(id, droplet, ready, missing);
                        }
                        if (!ready.containsKey(id)
                                && !missing.containsKey(id)
                                && look % LOOKS_UNTIL_LATE == 0
                                && seemsErrored(id, calls)) {
                            missing.put(id, errored(id));
                        }
                    }
                }
            } catch (ProviderException e) {
                if (!e.retryable()) {
                    throw e;
                }
                failure = e;
            }
            open.removeAll(missing.keySet());
            for (CloudHost host : ready.values()) {
                if (open.remove(host.id())) {
                    report.accept(host);
                }
            }
            if (deadline.isOver()) {
                break;
            }
            if (!open.isEmpty()) {
                Http.pause(deadline.atMost(
                        pollInterval.multipliedBy(Math.min(RAREST, 1L << Math.min(look - 1, RAREST)))));
            }
        }
        for (String id : open) {
            missing.put(id, whyMissing(id, listed.get(id), timeout, failure, calls));
        }
        return new ProvisioningResult(List.copyOf(ready.values()), missing);
    }

    /** A droplet gets its addresses one by one: its IPv6 address alone is taken only when no IPv4 address has followed for a while. */
    private static boolean mayBeReady(String id, Droplet droplet, Map<String, Deadline> withoutIpv4) {
        return !"active".equals(droplet.status())
                || hasIpv4(droplet)
                || withoutIpv4
                        .computeIfAbsent(id, key -> Deadline.after(IPV4_GRACE))
                        .isOver();
    }

    private static boolean hasIpv4(Droplet droplet) {
        try {
            return Api.hasIpv4(droplet);
        } catch (ProviderException e) {
            // An address that makes no sense is told when the droplet is taken.
            return true;
        }
    }

    /** Takes a droplet that is ready; where what the API says of it makes no sense, the others are not to suffer from that. */
    private static void take(String id, Droplet droplet, Map<String, CloudHost> ready, Map<String, String> missing) {
        try {
            CloudHost host = Api.host(droplet);
            if (host.status() == CloudHost.Status.ACTIVE && host.publicAddress().isPresent()) {
                ready.put(id, host);
            }
        } catch (ProviderException e) {
            missing.put(id, e.reason());
        }
    }

    private boolean isGone(String id, Deadline deadline) {
        try {
            return api.find(id, deadline).isEmpty();
        } catch (ProviderException e) {
            LOG.debug("droplet {} cannot be looked at", id, e);
            return false;
        }
    }

    private boolean seemsErrored(String id, Deadline deadline) {
        try {
            return isErrored(id, deadline);
        } catch (ProviderException e) {
            LOG.debug("the actions of droplet {} cannot be looked at", id, e);
            return false;
        }
    }

    private boolean isErrored(String id, Deadline deadline) {
        Answers.ActionsAnswer answer =
                api.http().find("/v2/droplets/" + Api.encode(id) + "/actions", Answers.ActionsAnswer.class, deadline);
        return answer != null
                && answer.actions() != null
                && answer.actions().stream()
                        .anyMatch(action -> "create".equals(action.type()) && "errored".equals(action.status()));
    }

    private static String vanished(String id) {
        return "droplet " + id
                + " has vanished, because DigitalOcean could not place it. Run apply again, or choose another region.";
    }

    private static String errored(String id) {
        return "droplet " + id
                + " could not be created, as its create action says. Delete it in the control panel or with"
                + " destroy, then run apply again.";
    }

    /** Never throws: what cannot be asked about one droplet must not hide the others. */
    private String whyMissing(
            String id,
            @Nullable Droplet droplet,
            Duration timeout,
            @Nullable ProviderException failure,
            Deadline calls) {
        String after = " after " + timeout.toSeconds() + " s. Run apply again.";
        if (failure != null) {
            return "the status of droplet " + id + " is not known" + after + " The last answer: " + failure.reason();
        }
        if (droplet == null) {
            return "droplet " + id + " is in no list" + after;
        }
        try {
            if (isErrored(id, calls)) {
                return errored(id);
            }
        } catch (ProviderException e) {
            return "droplet " + id + " is not ready" + after + " Its actions cannot be read: " + e.reason();
        }
        if ("active".equals(droplet.status())) {
            return "droplet " + id + " is active but has no public address" + after;
        }
        return "droplet " + id + " is still " + Names.quote(Objects.toString(droplet.status(), "?")) + after;
    }
}
