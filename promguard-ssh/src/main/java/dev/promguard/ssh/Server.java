package dev.promguard.ssh;

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
record Server(String title, Endpoint endpoint, HostAccess access, Optional<SshHost> configured) {}
