/** Tests of what a user imports. */
@NullMarked
package dev.promguard.internal.text;

import org.jspecify.annotations.NullMarked;
