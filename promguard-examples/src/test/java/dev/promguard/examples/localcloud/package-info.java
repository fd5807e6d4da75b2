/** Tests of the local cloud: its API over HTTP, and its machines where they can run. */
@NullMarked
package dev.promguard.examples.localcloud;

import org.jspecify.annotations.NullMarked;
