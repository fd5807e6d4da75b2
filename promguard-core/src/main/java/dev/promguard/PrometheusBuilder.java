package dev.promguard;

import dev.promguard.blueprint.PrometheusSpec;
import dev.promguard.blueprint.Release;
import java.time.Duration;

/** Says how Prometheus is to run on the monitors. Not thread-safe. */
public final class PrometheusBuilder {
    private PrometheusSpec spec = PrometheusSpec.usual();

    PrometheusBuilder() {}

    PrometheusBuilder(PrometheusBuilder other) {
        spec = other.spec;
    }

    /**
     * How often each target is scraped. 15 seconds unless said.
     *
     * @param value whole seconds, from one second to one hour
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public PrometheusBuilder scrapeInterval(Duration value) {
        spec = spec.withScrapeInterval(value);
        return this;
    }

    /**
     * The TCP port on the monitors' loopback interface. 9090 unless said.
     *
     * @param value 1 to 65535
     * @return this builder
     */
    public PrometheusBuilder port(int value) {
        spec = spec.withPort(value);
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
        spec = spec.withRelease(value);
        return this;
    }

    PrometheusSpec spec() {
        return spec;
    }
}
