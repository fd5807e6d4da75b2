/** Tests of the planning. */
@NullMarked
package dev.promguard.blueprint;

import org.jspecify.annotations.NullMarked;
