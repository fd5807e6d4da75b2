package dev.promguard.ssh.internal;

import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.schmizz.sshj.DefaultConfig;

/** What to log in with on the way to a host and there, read once: the secrets may be closed when another connection is made. */
final class Logins {
    private final List<List<LoginKey>> jumpHosts;
    private final List<LoginKey> host;

    private Logins(List<List<LoginKey>> jumpHosts, List<LoginKey> host) {
        this.jumpHosts = jumpHosts;
        this.host = host;
    }

    /**
     * Reads the identities of a target and its jump hosts.
     *
     * @param target the target
     * @param config what reads keys
     * @return the logins
     * @throws dev.promguard.HostException if one is no private key that can be read, or no agent that can be asked
     */
    static Logins of(HostTarget target, DefaultConfig config) {
        Map<Map.Entry<Identity, String>, List<LoginKey>> read = new HashMap<>();
        List<List<LoginKey>> jumpHosts = new ArrayList<>();
        target.jumpHosts().forEach(hop -> jumpHosts.add(keys(hop, target, read, config)));
        return new Logins(jumpHosts, keys(target, target, read, config));
    }

    private static List<LoginKey> keys(
            HostTarget server,
            HostTarget target,
            Map<Map.Entry<Identity, String>, List<LoginKey>> read,
            DefaultConfig config) {
        List<LoginKey> keys = new ArrayList<>();
        for (Identity identity : server.identities()) {
            Map.Entry<Identity, String> login = Map.entry(identity, server.user());
            List<LoginKey> own = read.get(login);
            if (own == null) {
                own = identity.key().isPresent()
                        ? PrivateKey.all(identity, server, target, config)
                        : AgentKey.of(identity, target);
                read.put(login, own);
            }
            keys.addAll(own);
        }
        return keys;
    }

    /** For the jump host at a place on the way, or for the host after the last one. */
    List<LoginKey> at(int place) {
        return place < jumpHosts.size() ? jumpHosts.get(place) : host;
    }
}
