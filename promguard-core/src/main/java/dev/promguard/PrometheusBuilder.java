package dev.promguard;

import dev.promguard.blueprint.Release;
import java.time.Duration;
import java.util.Objects;

/** Says how Prometheus is to run on the monitors. Not thread-safe. */
public final class PrometheusBuilder {
    private Duration scrapeInterval = Duration.ofSeconds(15);
    private int port = 9090;
    private Release release = Release.prometheus();

    PrometheusBuilder() {}

    PrometheusBuilder(PrometheusBuilder other) {
        scrapeInterval = other.scrapeInterval;
        port = other.port;
        release = other.release;
    }

    /**
     * How often each target is scraped. 15 seconds unless said.
     *
     * @param value whole seconds, from one second to one hour
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public PrometheusBuilder scrapeInterval(Duration value) {
        scrapeInterval = Objects.requireNonNull(value, "scrapeInterval");
        return this;
    }

    /**
     * The TCP port on the monitors' loopback interface. 9090 unless said.
     *
     * @param value 1 to 65535
     * @return this builder
     */
    public PrometheusBuilder port(int value) {
        port = value;
        return this;
    }

    /**
     * Which release to run. {@link Release#prometheus()} unless said.
     *
     * @param value a release named {@code prometheus}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public PrometheusBuilder release(Release value) {
        release = Objects.requireNonNull(value, "release");
        return this;
    }

    Duration scrapeInterval() {
        return scrapeInterval;
    }

    int port() {
        return port;
    }

    Release release() {
        return release;
    }
}
