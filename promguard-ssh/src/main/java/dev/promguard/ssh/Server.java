package dev.promguard.ssh;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.ssh.internal.Endpoint;
import dev.promguard.ssh.internal.SshHost;
import java.util.Optional;

/**
 * A host or a jump host.
 *
 * @param title what messages call a jump host
 * @param endpoint where it is
 * @param access how to get in
 * @param configured what an SSH client's configuration says of it; empty if none is used
 */
record Server(String title, Endpoint endpoint, HostAccess access, Optional<SshHost> configured) {
    /**
     * Checks what a host or a jump host is called.
     *
     * @throws InvalidSettingException if it cannot be called that
     */
    static void requireName(String name) {
        if (!Names.isHost(name)) {
            throw new InvalidSettingException("name " + Names.quote(name)
                    + " cannot be a host's name: use at most 63 lower-case letters, digits and dashes");
        }
    }
}
