/** What a host is and what it should be, by resource: desired state, facts, changes, drift and explanation. Pure. */
@NullMarked
package dev.promguard.host;

import org.jspecify.annotations.NullMarked;
