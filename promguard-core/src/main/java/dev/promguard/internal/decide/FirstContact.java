package dev.promguard.internal.decide;

import dev.promguard.host.Change;
import dev.promguard.host.ExplainedChange;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.internal.observe.Roster;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Login;
import dev.promguard.spi.MeshState.HostState;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The host keys that were shown for the first time, and that apply pins because the user trusts them or those who vouch for them. */
public final class FirstContact {
    /** The stable name of the kind of resource that the trusted keys are. */
    public static final String HOST_KEY = "host-key";

    private FirstContact() {}

    /**
     * What becomes trusted with a host.
     *
     * @param roster the hosts
     * @param name the host's name
     * @param seen what was observed
     * @return a change for each jump host on the way and for the host itself, as far as nothing is known of it, and for a host that proved
     *     another key than the one that is pinned by a certificate
     */
    static List<ExplainedChange> of(Roster roster, String name, Seen seen) {
        List<ExplainedChange> trusted = new ArrayList<>();
        roster.unpinnedJumpHosts(name, seen)
                .forEach((hop, shown) -> trusted.add(trust(" of " + hop.title(), Set.of(), shown, hop.login())));
        Login login = roster.inventory()
                .map(inventory -> inventory.logins().get(name))
                .orElse(null);
        if (login == null) {
            HostState known = roster.remembered(name);
            if (roster.identities().adopted().containsKey(name)
                    && !known.hostKeys().contains(seen.hostKey())) {
                trusted.add(ExplainedChange.of(
                                HOST_KEY,
                                Change.Action.CREATE,
                                "SSH host key",
                                false,
                                "adopt it (id " + known.providerId().orElse("unknown") + "), with the host key "
                                        + seen.hostKey())
                        .between("unknown", seen.hostKey().text()));
            }
            return trusted;
        }
        Set<HostKeyFingerprint> known = roster.remembered(name).hostKeys();
        if (login.hostKeys().isEmpty() && !known.contains(seen.hostKey())) {
            trusted.add(trust("", known, seen.hostKey(), login));
        }
        return trusted;
    }

    private static ExplainedChange trust(
            String whose, Set<HostKeyFingerprint> known, HostKeyFingerprint shown, Login login) {
        return ExplainedChange.of(
                        HOST_KEY,
                        known.isEmpty() ? Change.Action.CREATE : Change.Action.UPDATE,
                        "SSH host key" + whose,
                        false,
                        "trust the host key " + shown + whose + ", "
                                + (login.certificates().areAccepted()
                                        ? "which its certificate vouches for"
                                        : "shown at this first contact"))
                .between(
                        known.isEmpty()
                                ? "unknown"
                                : known.stream()
                                        .map(HostKeyFingerprint::text)
                                        .sorted()
                                        .collect(Collectors.joining(" or ")),
                        shown.text());
    }
}
