/** Judges an observation: host checks, reachability probes, Prometheus checks. */
@NullMarked
package dev.promguard.internal.verify;

import org.jspecify.annotations.NullMarked;
