/** Tests of what a user imports. */
@NullMarked
package dev.promguard.internal.run;

import org.jspecify.annotations.NullMarked;
