/** Key material: WireGuard and SSH key pairs, host key fingerprints, and the type that holds a secret. */
@NullMarked
package dev.promguard.keys;

import org.jspecify.annotations.NullMarked;
