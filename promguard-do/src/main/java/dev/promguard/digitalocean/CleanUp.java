package dev.promguard.digitalocean;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Answers.Droplet;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.spi.AccessKey;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/** Removes what a mesh left in the account beside droplets: firewall, SSH keys, tags. Thread-safe. */
final class CleanUp {
    private final Api api;
    private final CloudFirewall firewall;
    private final AccessKeys accessKeys;
    private final Duration pollInterval;
    private final Duration listLag;

    CleanUp(Api api, CloudFirewall firewall, AccessKeys accessKeys, Duration pollInterval, Duration listLag) {
        this.api = api;
        this.firewall = firewall;
        this.accessKeys = accessKeys;
        this.pollInterval = pollInterval;
        this.listLag = listLag;
    }

    void cleanUp(String mesh, Optional<AccessKey> key) {
        List<Answers.Tag> known =
                api.paged("/v2/tags", Answers.TagsAnswer.class, a -> a.tags(), a -> a.links(), Deadline.never());
        if (known.stream().anyMatch(tag -> Marks.mesh(mesh).equalsIgnoreCase(tag.name()) && !isUnused(tag))) {
            insistThatNoneIsLeft(mesh);
        }
        firewall.remove(mesh);
        accessKeys.remove(mesh, key);
        for (Answers.Tag tag : known) {
            String name = Objects.toString(tag.name(), "");
            String lower = name.toLowerCase(Locale.ROOT);
            if (lower.equals(Marks.mesh(mesh)) || lower.startsWith(Marks.attempt(mesh, ""))) {
                api.http().delete("/v2/tags/" + Api.encode(name), Deadline.never());
            }
        }
    }

    private static boolean isUnused(Answers.Tag tag) {
        return tag.resources() != null && tag.resources().count() == 0;
    }

    /** A droplet that still carries the tag would lose it, and could not be found again. */
    private void insistThatNoneIsLeft(String mesh) {
        Deadline lag = Deadline.after(listLag);
        List<Droplet> left = api.tagged(Marks.mesh(mesh), Deadline.never());
        while (!left.isEmpty() && !lag.isOver()) {
            Http.pause(pollInterval);
            left = api.tagged(Marks.mesh(mesh), Deadline.never());
        }
        if (!left.isEmpty()) {
            throw new ProviderException(
                    ErrorCode.DELETE_UNFINISHED,
                    String.join(
                                    ", ",
                                    left.stream()
                                            .map(one -> Names.quote(Objects.toString(one.name(), "?")))
                                            .toList())
                            + " still carry the tag of mesh " + mesh + ", so the tag was kept. Run destroy again.");
        }
    }
}
