/** Tests of the differ. */
@NullMarked
package dev.promguard.change;

import org.jspecify.annotations.NullMarked;
