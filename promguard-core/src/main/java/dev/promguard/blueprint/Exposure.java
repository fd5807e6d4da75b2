package dev.promguard.blueprint;

import java.util.Objects;

/**
 * A port on a host's WireGuard address that the monitors are admitted to and scrape: the port of an exporter or of a service that
 * already runs there. Whether it makes sense in a mesh is {@link Planner#problems(MeshSpec)}'s to say.
 *
 * @param job the name of the scrape job, such as {@code postgres}
 * @param port the TCP port, 1 to 65535
 * @param metricsPath the path of the metrics, such as {@code /metrics}
 */
public record Exposure(String job, int port, String metricsPath) {
    /** The path that Prometheus scrapes by default. */
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
