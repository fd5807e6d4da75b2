package dev.promguard.blueprint;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * How Prometheus is to run on the monitors, as data.
 *
 * @param port the TCP port on the monitors' loopback, 1 to 65535
 * @param scrapeInterval how often Prometheus scrapes each target
 * @param release the release of Prometheus
 */
public record PrometheusSpec(int port, Duration scrapeInterval, Release release) {
    /**
     * Checks that everything is there. Whether it makes sense is {@link Planner#faults(MeshSpec)}'s to say.
     *
     * @throws NullPointerException if something is null
     */
    public PrometheusSpec {
        Objects.requireNonNull(scrapeInterval, "scrapeInterval");
        Objects.requireNonNull(release, "release");
    }

    /**
     * Prometheus as it runs where nothing else is said: port 9090, a scrape every 15 seconds, {@link Release#prometheus()}.
     *
     * @return the spec
     */
    public static PrometheusSpec usual() {
        return new PrometheusSpec(9090, Duration.ofSeconds(15), Release.prometheus());
    }

    /**
     * The same with another port.
     *
     * @param value the TCP port
     * @return a copy
     */
    public PrometheusSpec withPort(int value) {
        return new PrometheusSpec(value, scrapeInterval, release);
    }

    /**
     * The same with another interval.
     *
     * @param value how often each target is scraped
     * @return a copy
     */
    public PrometheusSpec withScrapeInterval(Duration value) {
        return new PrometheusSpec(port, value, release);
    }

    /**
     * The same with another release.
     *
     * @param value the release
     * @return a copy
     */
    public PrometheusSpec withRelease(Release value) {
        return new PrometheusSpec(port, scrapeInterval, value);
    }

    /** Everything in it that cannot be. */
    List<String> faults() {
        List<String> faults = new ArrayList<>();
        if (scrapeInterval.compareTo(Duration.ofSeconds(1)) < 0
                || scrapeInterval.compareTo(Duration.ofHours(1)) > 0
                || scrapeInterval.toNanosPart() != 0) {
            faults.add("scrapeInterval " + scrapeInterval + " is out of range: use whole seconds from 1 s to 1 h");
        }
        if (!release.name().equals("prometheus")) {
            faults.add("prometheus release " + Names.quote(release.name())
                    + " is another program: give a release named prometheus");
        }
        return faults;
    }
}
