/** Text for people, made safe to print wherever it came from. */
@NullMarked
package dev.promguard.internal.text;

import org.jspecify.annotations.NullMarked;
