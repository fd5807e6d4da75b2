/** What every step of a run works with: the ports, events, timeouts, the state journal and parallel execution. */
@NullMarked
package dev.promguard.internal.run;

import org.jspecify.annotations.NullMarked;
