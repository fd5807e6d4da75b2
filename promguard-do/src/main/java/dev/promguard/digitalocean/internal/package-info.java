/** The HTTP exchanges with the DigitalOcean API, and its answers as data. */
@NullMarked
package dev.promguard.digitalocean.internal;

import org.jspecify.annotations.NullMarked;
