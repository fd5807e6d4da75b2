/** Hosts on DigitalOcean. */
@NullMarked
package dev.promguard.digitalocean;

import org.jspecify.annotations.NullMarked;
