/** Tests of what a user imports. */
@NullMarked
package dev.promguard;

import org.jspecify.annotations.NullMarked;
