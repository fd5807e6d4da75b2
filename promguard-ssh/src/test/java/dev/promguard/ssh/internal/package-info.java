/** Tests of the connection, the scripts and the reading of their output, against an SSH server in the same process. */
@NullMarked
package dev.promguard.ssh.internal;

import org.jspecify.annotations.NullMarked;
