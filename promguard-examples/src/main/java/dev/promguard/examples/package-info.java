/** Runnable examples: the quickstart, and the README's examples as compiled code. */
@NullMarked
package dev.promguard.examples;

import org.jspecify.annotations.NullMarked;
