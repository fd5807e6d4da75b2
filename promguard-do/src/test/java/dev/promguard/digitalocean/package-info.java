/** Tests of the DigitalOcean provider against an HTTP server that answers as the API does, and as it should not. */
@NullMarked
package dev.promguard.digitalocean;

import org.jspecify.annotations.NullMarked;
