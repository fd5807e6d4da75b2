package dev.promguard.blueprint;

import java.util.Objects;

/**
 * A port on a host's WireGuard address that the monitors are admitted to and scrape: an exporter's, or that of a service which
 * runs there already. Whether it makes sense in a mesh is {@link Planner#problems(MeshSpec)}'s to say.
 *
 * @param job the name of the scrape job, such as {@code postgres}
 * @param port the TCP port, 1 to 65535
 * @param metricsPath the path of the metrics, such as {@code /metrics}
 */
public record Exposure(String job, int port, String metricsPath) {
    /** The path that Prometheus asks for where nothing else is said. */
    public static final String METRICS = "/metrics";

    /**
     * Checks that both texts are there.
     *
     * @throws NullPointerException if one is null
     */
    public Exposure {
        Objects.requireNonNull(job, "job");
        Objects.requireNonNull(metricsPath, "metricsPath");
    }
}
