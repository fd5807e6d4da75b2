/** The SSH connection, the scripts that run on a host, and the reading of what they print. */
@NullMarked
package dev.promguard.ssh.internal;

import org.jspecify.annotations.NullMarked;
