/** Tests of what a user imports. */
@NullMarked
package dev.promguard.internal.console;

import org.jspecify.annotations.NullMarked;
