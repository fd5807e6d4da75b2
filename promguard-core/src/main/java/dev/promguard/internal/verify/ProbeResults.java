package dev.promguard.internal.verify;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** What a {@link Prober} found. Immutable. */
public final class ProbeResults {
    private final Map<String, Map<Probe, ProbeResult>> outside;
    private final Map<String, Map<Probe, ProbeResult>> inside;
    private final Map<String, Map<Probe, Set<HostKeyFingerprint>>> hostKeys;
    private final Map<String, String> failures;
    private final Map<String, PrometheusAnswer> prometheus;

    ProbeResults(
            Map<String, Map<Probe, ProbeResult>> outside,
            Map<String, Map<Probe, ProbeResult>> inside,
            Map<String, Map<Probe, Set<HostKeyFingerprint>>> hostKeys,
            Map<String, String> failures,
            Map<String, PrometheusAnswer> prometheus) {
        this.outside = copy(outside);
        this.inside = copy(inside);
        this.hostKeys = copy(hostKeys);
        this.failures = copy(failures);
        this.prometheus = copy(prometheus);
    }

    private static <V> Map<String, V> copy(Map<String, V> map) {
        return Collections.unmodifiableMap(new LinkedHashMap<>(map));
    }

    /** The answers to probes from here, by the host that was probed. */
    Map<String, Map<Probe, ProbeResult>> outside() {
        return outside;
    }

    /** The answers to probes from the hosts, by the host that probed. */
    Map<String, Map<Probe, ProbeResult>> inside() {
        return inside;
    }

    /** The host keys that SSH servers showed to the hosts, by the host that asked. */
    Map<String, Map<Probe, Set<HostKeyFingerprint>>> hostKeys() {
        return hostKeys;
    }

    /** Why hosts could not probe, by host. */
    Map<String, String> failures() {
        return failures;
    }

    /** What each monitor's Prometheus said, by monitor. */
    Map<String, PrometheusAnswer> prometheus() {
        return prometheus;
    }
}
