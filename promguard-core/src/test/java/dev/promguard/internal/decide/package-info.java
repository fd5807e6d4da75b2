/** Tests of what a run decides to do. */
@NullMarked
package dev.promguard.internal.decide;

import org.jspecify.annotations.NullMarked;
