/** Tests of what a user imports. */
@NullMarked
package dev.promguard.internal.observe;

import org.jspecify.annotations.NullMarked;
