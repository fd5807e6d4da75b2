package dev.promguard.digitalocean;

import dev.promguard.ProviderException;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.digitalocean.internal.LostAnswerException;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The SSH keys that PromGuard registers in the account. Thread-safe. */
final class AccessKeys {
    private static final int UNPROCESSABLE = 422;
    private static final int LEAST_LOOKS = 3;

    private final Api api;
    private final Duration pollInterval;

    AccessKeys(Api api, Duration pollInterval) {
        this.api = api;
        this.pollInterval = pollInterval;
    }

    AccessKey register(String mesh, SshPublicKey key) {
        String fingerprint = key.md5Fingerprint();
        Map<String, String> body = new LinkedHashMap<>();
        body.put("name", Marks.name(mesh));
        body.put("public_key", key.line());
        ProviderException failure = null;
        for (int look = 0; look < LEAST_LOOKS; look++) {
            if (look > 0) {
                Http.pause(pollInterval);
            }
            Answers.KeyAnswer found =
                    api.http().find("/v2/account/keys/" + fingerprint, Answers.KeyAnswer.class, Deadline.never());
            try {
                if (found == null || found.key() == null) {
                    found = api.http().post("/v2/account/keys", body, Answers.KeyAnswer.class);
                }
            } catch (LostAnswerException e) {
                failure = e.failure();
            } catch (ProviderException e) {
                // A key that is there already is refused with 422, as is one that is no good: the next look tells.
                if (e.status().orElse(0) != UNPROCESSABLE) {
                    throw e;
                }
                failure = e;
            }
            Answers.Key registered = found == null ? null : found.key();
            if (registered != null && registered.id() != 0) {
                return new AccessKey(
                        Long.toString(registered.id()),
                        fingerprint,
                        Marks.name(mesh).equals(registered.name()));
            }
        }
        throw failure == null ? Api.incomplete("/v2/account/keys") : failure;
    }

    /**
     * Removes every key that PromGuard registered for a mesh, also those of state folders that are lost: it gives them all one name,
     * which nobody else has a use for.
     *
     * @param known the key that the state knows, which may have been given another name since
     */
    void remove(String mesh, Optional<AccessKey> known) {
        Set<String> ids = new TreeSet<>();
        known.filter(AccessKey::registered).ifPresent(key -> ids.add(key.id()));
        api
                .paged("/v2/account/keys", Answers.KeysAnswer.class, a -> a.keys(), a -> a.links(), Deadline.never())
                .stream()
                .filter(key -> Marks.name(mesh).equals(key.name()) && key.id() != 0)
                .forEach(key -> ids.add(Long.toString(key.id())));
        ids.forEach(id -> api.http().delete("/v2/account/keys/" + Api.encode(id), Deadline.never()));
    }
}
