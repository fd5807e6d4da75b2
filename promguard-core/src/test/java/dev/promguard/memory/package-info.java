/** The ports in memory: a cloud, its machines, and a place for state, for trying the verbs without any of the real ones. */
@NullMarked
package dev.promguard.memory;

import org.jspecify.annotations.NullMarked;
