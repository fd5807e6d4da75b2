package dev.promguard;

import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Says what a scrape job beside those of the mesh is to be. Nulls are refused at once, everything else is checked by
 * {@link MeshBuilder#build()}. Not thread-safe.
 */
public final class ScrapeJobBuilder {
    private final List<String> targets = new ArrayList<>();
    private @Nullable Duration interval;
    private String path = "/metrics";
    private String scheme = "http";
    private final Map<String, String> labels = new LinkedHashMap<>();

    ScrapeJobBuilder() {}

    /**
     * Adds targets. They are reached from the monitor as it reaches any other host: PromGuard opens no door for them.
     *
     * @param hostsAndPorts such as {@code db.example:9187}, {@code 10.0.0.2:9187} or {@code [fd00::5]:9187}
     * @return this builder
     * @throws NullPointerException if one is null
     */
    public ScrapeJobBuilder targets(String... hostsAndPorts) {
        targets.addAll(List.of(hostsAndPorts));
        return this;
    }

    /**
     * How often the targets are scraped. As often as all others unless said.
     *
     * @param value whole seconds, from one second to one hour
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public ScrapeJobBuilder interval(Duration value) {
        interval = Objects.requireNonNull(value, "interval");
        return this;
    }

    /**
     * Where the metrics are. {@code /metrics} unless said.
     *
     * @param value a path that starts with a slash, without a query
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public ScrapeJobBuilder path(String value) {
        path = Objects.requireNonNull(value, "path");
        return this;
    }

    /**
     * How the targets are spoken to. {@code http} unless said.
     *
     * @param value {@code http} or {@code https}; with the latter the targets' certificates are checked
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public ScrapeJobBuilder scheme(String value) {
        scheme = Objects.requireNonNull(value, "scheme");
        return this;
    }

    /**
     * Adds a label to every sample of the job. The same name again replaces the value.
     *
     * @param name letters, digits and underscores, not starting with a digit or two underscores
     * @param value printable characters, at least one
     * @return this builder
     * @throws NullPointerException if one is null
     */
    public ScrapeJobBuilder label(String name, String value) {
        labels.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
        return this;
    }

    ScrapeJob job(String name) {
        return new ScrapeJob(name, targets, Optional.ofNullable(interval), path, scheme, labels);
    }
}
