@NullMarked
package dev.promguard.examples.tasks;

import org.jspecify.annotations.NullMarked;
