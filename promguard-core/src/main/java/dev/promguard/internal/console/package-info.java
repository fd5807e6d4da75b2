/** Shows the events of runs to a person: live on a terminal, and else line by line. */
@NullMarked
package dev.promguard.internal.console;

import org.jspecify.annotations.NullMarked;
