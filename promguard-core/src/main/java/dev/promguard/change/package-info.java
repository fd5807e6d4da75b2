/** What a host is, how that differs from what it should be, and the changes that bring it there. */
@NullMarked
package dev.promguard.change;

import org.jspecify.annotations.NullMarked;
