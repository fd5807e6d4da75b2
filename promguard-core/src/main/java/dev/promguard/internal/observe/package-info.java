/** The cloud and the hosts as they are. Owns the sessions and the host-key policy; changes nothing and decides nothing. */
@NullMarked
package dev.promguard.internal.observe;

import org.jspecify.annotations.NullMarked;
