/** Text that people read: safe to print, whoever had a say in it. */
@NullMarked
package dev.promguard.internal.text;

import org.jspecify.annotations.NullMarked;
