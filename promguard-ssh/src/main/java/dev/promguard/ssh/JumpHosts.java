package dev.promguard.ssh;

import dev.promguard.InvalidSettingException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostCertificates;
import dev.promguard.spi.Identity;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Login;
import dev.promguard.ssh.internal.Endpoint;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** The jump hosts on the way to all hosts, as an {@link SshApplier} has them. Not thread-safe. */
final class JumpHosts {
    private final Map<String, Server> servers = new LinkedHashMap<>();

    /**
     * Adds one behind those before.
     *
     * @throws InvalidSettingException as {@link SshApplier.Builder#jumpHost(String, String, Consumer)}
     */
    void add(String name, String login, Consumer<HostAccess> access) {
        Server.requireName(name);
        String what = "jump host " + name;
        Endpoint endpoint;
        try {
            endpoint = Endpoint.parse(login);
        } catch (InvalidSettingException e) {
            throw e.in(what + ": ");
        }
        HostAccess settings = new HostAccess(what);
        access.accept(settings);
        if (settings.keys().isEmpty() && settings.authorities().orElse(Set.of()).isEmpty()) {
            throw new InvalidSettingException(what
                    + ": no host key fingerprint is given: give what ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub prints there, or"
                    + " name who signs its certificate with hostCertificateAuthority(…)");
        }
        if (settings.jumpHosts().isPresent()) {
            throw new InvalidSettingException(what
                    + ": through(…) has no place here: the jump hosts are passed in the order in which they are named");
        }
        if (servers.putIfAbsent(name, new Server(name, endpoint, settings, Optional.empty())) != null) {
            throw new InvalidSettingException(what + " is named twice: give each jump host a name of its own");
        }
    }

    /**
     * Makes the chain.
     *
     * @param own where the identities go that were read for it, which are the caller's to close
     * @throws InvalidSettingException if a private key cannot be read any more, or is encrypted; then none is left open
     */
    List<JumpHost> build(List<Identity> own) {
        List<JumpHost> chain = new ArrayList<>();
        boolean built = false;
        try {
            servers.forEach((name, server) ->
                    chain.add(new JumpHost(name, server.endpoint().host(), login(server, own))));
            built = true;
            return List.copyOf(chain);
        } finally {
            if (!built) {
                own.forEach(Identity::close);
            }
        }
    }

    private static Login login(Server server, List<Identity> own) {
        Set<HostKeyFingerprint> authorities = server.access().authorities().orElse(Set.of());
        return Login.of(server.endpoint().user())
                .port(server.endpoint().port())
                .hostKeys(server.access().keys())
                .certificates(
                        new HostCertificates(authorities, server.endpoint().host()))
                .identities(identities(server, own))
                .build();
    }

    private static List<Identity> identities(Server server, List<Identity> own) {
        try {
            return server.access()
                    .read()
                    .map(read -> ExistingHostsBuilder.unlocked(ExistingHostsBuilder.keep(read, own))
                            .identity())
                    .map(List::of)
                    .orElse(List.of());
        } catch (InvalidSettingException e) {
            throw e.in("jump host " + server.title() + ": ");
        }
    }
}
