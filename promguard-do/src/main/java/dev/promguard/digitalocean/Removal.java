package dev.promguard.digitalocean;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers.Droplet;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Deletes droplets, and waits until they are gone. Thread-safe. */
final class Removal {
    private static final int CONFLICT = 409;
    private static final int UNPROCESSABLE = 422;
    private static final int LOOKS_UNTIL_ASKED_AGAIN = 5;

    private final Api api;
    private final Duration pollInterval;
    private final Duration lastLook;

    Removal(Api api, Duration pollInterval, Duration lastLook) {
        this.api = api;
        this.pollInterval = pollInterval;
        this.lastLook = lastLook;
    }

    void delete(String mesh, Collection<String> ids, Duration timeout) {
        if (ids.isEmpty()) {
            return;
        }
        Deadline deadline = Deadline.after(timeout);
        Deadline calls = deadline.plus(lastLook);
        Set<String> unseen = new TreeSet<>(ids);
        Set<String> accepted = new HashSet<>();
        Map<String, Droplet> left = Map.of();
        ProviderException refusal = null;
        while (true) {
            try {
                left = left(mesh, ids, unseen, calls);
                if (left.isEmpty()) {
                    return;
                }
                refusal = null;
                for (String id : left.keySet()) {
                    if (!accepted.contains(id)) {
                        Optional<ProviderException> refused = deleteOne(id, calls);
                        if (refused.isEmpty()) {
                            accepted.add(id);
                        } else {
                            refusal = refused.get();
                        }
                    }
                }
            } catch (ProviderException e) {
                if (!e.retryable()) {
                    throw e;
                }
                refusal = e;
            }
            if (deadline.isOver()) {
                throw notGone(left, ids, timeout, refusal);
            }
            Http.pause(deadline.atMost(pollInterval));
        }
    }

    /** Deletes whatever one of these attempts made. A droplet that is still being created may refuse; the request is then repeated. */
    void deleteAttempts(String mesh, Collection<String> attempts, Duration timeout) {
        if (attempts.isEmpty()) {
            return;
        }
        List<String> tags = attempts.stream()
                .map(attempt -> Marks.attempt(mesh, attempt))
                .sorted()
                .toList();
        Deadline deadline = Deadline.after(timeout);
        Deadline calls = deadline.plus(lastLook);
        Map<String, Droplet> left = Map.of();
        ProviderException refusal = null;
        for (int look = 0; ; look++) {
            try {
                if (look > 0) {
                    left = Api.byId(api.tagged(Marks.mesh(mesh), calls).stream()
                            .filter(droplet -> tags.stream().anyMatch(tag -> Api.carries(droplet, tag)))
                            .toList());
                    if (left.isEmpty() && refusal == null) {
                        return;
                    }
                }
                if (refusal != null || look % LOOKS_UNTIL_ASKED_AGAIN == 0) {
                    refusal = deleteTagged(tags, left.keySet(), calls).orElse(null);
                }
            } catch (ProviderException e) {
                if (!e.retryable()) {
                    throw e;
                }
                refusal = e;
            }
            // A deletion that took all the time is looked at once all the same.
            if (look > 0 && deadline.isOver()) {
                throw left.isEmpty() ? unknown(mesh, timeout, refusal) : notGone(left, List.of(), timeout, refusal);
            }
            Http.pause(deadline.atMost(pollInterval));
        }
    }

    private static ProviderException unknown(String mesh, Duration timeout, @Nullable ProviderException refusal) {
        return new ProviderException(
                ErrorCode.DELETE_UNFINISHED,
                "it is not known whether the droplets of mesh " + mesh + " are gone after " + timeout.toSeconds()
                        + " s. Run again in a minute." + lastAnswer(refusal),
                null,
                null,
                refusal == null ? null : refusal.requestId().orElse(null),
                true,
                refusal);
    }

    /** Deletes by each tag, and where that is refused as a whole, one by one what is known to be there. */
    private Optional<ProviderException> deleteTagged(List<String> tags, Set<String> known, Deadline deadline) {
        Optional<ProviderException> refused = Optional.empty();
        for (String tag : tags) {
            Optional<ProviderException> one = delete("/v2/droplets?tag_name=" + Api.encode(tag), deadline);
            refused = one.isPresent() ? one : refused;
        }
        if (refused.isPresent() && !refused.get().retryable()) {
            known.forEach(id -> deleteOne(id, deadline));
        }
        return refused;
    }

    /** Which of the droplets are still there. One that no list has shown yet is requested by its id, because lists lag. */
    private Map<String, Droplet> left(String mesh, Collection<String> ids, Set<String> unseen, Deadline deadline) {
        Map<String, Droplet> listed = Api.byId(api.tagged(Marks.mesh(mesh), deadline));
        Map<String, Droplet> left = new TreeMap<>();
        for (String id : ids) {
            Droplet droplet = listed.get(id);
            if (droplet != null) {
                unseen.remove(id);
                left.put(id, droplet);
            } else if (unseen.contains(id)) {
                Optional<Droplet> found = api.find(id, deadline).filter(one -> Api.carries(one, Marks.mesh(mesh)));
                found.ifPresentOrElse(one -> left.put(id, one), () -> unseen.remove(id));
            }
        }
        return left;
    }

    /** A droplet that is still being made refuses to be deleted for a while: that is returned, and not thrown. */
    private Optional<ProviderException> deleteOne(String id, Deadline deadline) {
        return delete("/v2/droplets/" + Api.encode(id), deadline);
    }

    private Optional<ProviderException> delete(String path, Deadline deadline) {
        try {
            api.http().delete(path, deadline);
            return Optional.empty();
        } catch (ProviderException e) {
            int status = e.status().orElse(0);
            if (!e.retryable() && status != CONFLICT && status != UNPROCESSABLE) {
                throw e;
            }
            return Optional.of(e);
        }
    }

    private static String lastAnswer(@Nullable ProviderException refusal) {
        return refusal == null ? "" : " The last answer: " + refusal.reason();
    }

    private static ProviderException notGone(
            Map<String, Droplet> left, Collection<String> ids, Duration timeout, @Nullable ProviderException refusal) {
        List<String> names = new ArrayList<>();
        left.forEach(
                (id, droplet) -> names.add(Names.quote(Objects.toString(droplet.name(), "?")) + " (id " + id + ")"));
        if (names.isEmpty()) {
            ids.forEach(id -> names.add("droplet " + id));
        }
        return new ProviderException(
                ErrorCode.DELETE_UNFINISHED,
                String.join(", ", names) + " not gone after " + timeout.toSeconds() + " s. Run again in a minute."
                        + lastAnswer(refusal),
                null,
                null,
                refusal == null ? null : refusal.requestId().orElse(null),
                true,
                refusal);
    }
}
