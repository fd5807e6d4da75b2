/** Tests of the way to hosts over SSH. */
@NullMarked
package dev.promguard.ssh;

import org.jspecify.annotations.NullMarked;
