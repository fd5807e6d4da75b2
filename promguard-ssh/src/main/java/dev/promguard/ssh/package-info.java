/** The way to hosts over SSH: opens pinned sessions that read facts, make changes and forward ports. */
@NullMarked
package dev.promguard.ssh;

import org.jspecify.annotations.NullMarked;
