package dev.promguard.internal.decide;

import dev.promguard.host.Change;
import dev.promguard.host.ExplainedChange;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.internal.observe.Roster;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Login;
import java.util.ArrayList;
import java.util.List;

/** The host keys that were shown for the first time, and that apply pins because the user trusts them. */
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
     * @return a change for each jump host on the way and for the host itself, as far as nothing is known of it
     */
    static List<ExplainedChange> of(Roster roster, String name, Seen seen) {
        List<ExplainedChange> trusted = new ArrayList<>();
        Login login = roster.inventory()
                .map(inventory -> inventory.logins().get(name))
                .orElse(null);
        if (login == null) {
            return trusted;
        }
        roster.unpinnedJumpHosts(name, seen).forEach((hop, shown) -> trusted.add(trust(hop.title(), shown)));
        if (roster.remembered(name).hostKeys().isEmpty() && login.hostKeys().isEmpty()) {
            trusted.add(trust("", seen.hostKey()));
        }
        return trusted;
    }

    private static ExplainedChange trust(String jumpHost, HostKeyFingerprint shown) {
        String whose = jumpHost.isEmpty() ? "" : " of " + jumpHost;
        return ExplainedChange.of(
                        HOST_KEY,
                        Change.Action.CREATE,
                        "SSH host key" + whose,
                        false,
                        "trust the host key " + shown + whose + ", shown at this first contact")
                .between("unknown", shown.text());
    }
}
