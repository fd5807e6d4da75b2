/** The ports: what PromGuard asks of a cloud, of the way to a host, and of a place to keep state. */
@NullMarked
package dev.promguard.spi;

import org.jspecify.annotations.NullMarked;
