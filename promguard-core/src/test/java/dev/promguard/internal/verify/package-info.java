@NullMarked
package dev.promguard.internal.verify;

import org.jspecify.annotations.NullMarked;
