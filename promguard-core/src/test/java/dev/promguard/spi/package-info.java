/** What every implementation of a port has to pass. */
@NullMarked
package dev.promguard.spi;

import org.jspecify.annotations.NullMarked;
