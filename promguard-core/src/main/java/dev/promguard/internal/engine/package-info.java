/** The verbs, each a sentence of observe, decide and act, and what all of them need. */
@NullMarked
package dev.promguard.internal.engine;

import org.jspecify.annotations.NullMarked;
