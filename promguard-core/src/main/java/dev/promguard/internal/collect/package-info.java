/** Collections that copies share. */
@NullMarked
package dev.promguard.internal.collect;

import org.jspecify.annotations.NullMarked;
