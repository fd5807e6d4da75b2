/** Pure: a spec and an observation become a decision. Holds every refusal, and no effect. */
@NullMarked
package dev.promguard.internal.decide;

import org.jspecify.annotations.NullMarked;
