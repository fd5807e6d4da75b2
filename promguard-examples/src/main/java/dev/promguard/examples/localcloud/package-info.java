/**
 * A local stand-in for DigitalOcean: an HTTP server that speaks its API v2, and whose droplets are real Debian machines on this one.
 */
@NullMarked
package dev.promguard.examples.localcloud;

import org.jspecify.annotations.NullMarked;
