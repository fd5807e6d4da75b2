package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.PrometheusChecks;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import dev.promguard.blueprint.ValueChecks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Describes a scrape job in addition to those of the mesh. Not thread-safe.
 *
 * <p>A method with a plain name sets: called again, it replaces what it set before (for a label: that one). A method that starts
 * with {@code add} adds. Each throws {@link NullPointerException} if an argument is null, and {@link InvalidSettingException} if a
 * value is malformed.
 */
public final class ScrapeJobBuilder {
    private final String name;
    private final String of;
    private final List<String> targets = new ArrayList<>();
    private @Nullable Duration interval;
    private String path = "/metrics";
    private String scheme = "http";
    private final Map<String, String> labels = new LinkedHashMap<>();

    ScrapeJobBuilder(String name) {
        this.name = name;
        of = "scrape " + Names.quote(name) + ": ";
    }

    /**
     * Sets the targets. The monitor connects to them as to any other host; PromGuard opens no port for them.
     *
     * @param hostsAndPorts at least one, such as {@code db.example:9187}, {@code 10.0.0.2:9187} or {@code [fd00::5]:9187}
     * @return this builder
     */
    public ScrapeJobBuilder targets(String... hostsAndPorts) {
        Objects.requireNonNull(hostsAndPorts, "hostsAndPorts");
        for (String target : hostsAndPorts) {
            check(target);
        }
        targets.clear();
        targets.addAll(List.of(hostsAndPorts));
        return this;
    }

    /**
     * Adds a target.
     *
     * @param hostAndPort such as {@code db.example:9187}
     * @return this builder
     * @see #targets
     */
    public ScrapeJobBuilder addTarget(String hostAndPort) {
        check(hostAndPort);
        targets.add(hostAndPort);
        return this;
    }

    private void check(String target) {
        Objects.requireNonNull(target, "hostAndPort");
        ValueChecks.require(PrometheusChecks.target(of + "target", target));
    }

    /**
     * Sets how often the targets are scraped. The default is the interval of all other targets.
     *
     * @param interval whole seconds, from one second to one hour
     * @return this builder
     */
    public ScrapeJobBuilder interval(Duration interval) {
        Objects.requireNonNull(interval, "interval");
        ValueChecks.require(PrometheusChecks.interval(of + "interval", interval));
        this.interval = interval;
        return this;
    }

    /**
     * Sets where the metrics are. {@code /metrics} by default.
     *
     * @param path a path that starts with a slash, without a query
     * @return this builder
     */
    public ScrapeJobBuilder path(String path) {
        Objects.requireNonNull(path, "path");
        ValueChecks.require(PrometheusChecks.path(of + "path", path));
        this.path = path;
        return this;
    }

    /**
     * Sets the protocol. {@code http} by default.
     *
     * @param scheme {@code http} or {@code https}; with the latter the targets' certificates are checked
     * @return this builder
     */
    public ScrapeJobBuilder scheme(String scheme) {
        Objects.requireNonNull(scheme, "scheme");
        ValueChecks.require(PrometheusChecks.scheme(of + "scheme", scheme));
        this.scheme = scheme;
        return this;
    }

    /**
     * Sets a label of every sample of the job.
     *
     * @param name letters, digits and underscores, not starting with a digit or two underscores
     * @param value 1 to 1024 printable characters
     * @return this builder
     */
    public ScrapeJobBuilder label(String name, String value) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(value, "value");
        ValueChecks.require(PrometheusChecks.label(of + "label", name, value));
        labels.put(name, value);
        return this;
    }

    ScrapeJob job() {
        return new ScrapeJob(name, targets, Optional.ofNullable(interval), path, scheme, labels);
    }
}
