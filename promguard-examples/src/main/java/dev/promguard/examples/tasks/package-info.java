/** The tasks of the README, each a short program on the local cloud. */
@NullMarked
package dev.promguard.examples.tasks;

import org.jspecify.annotations.NullMarked;
