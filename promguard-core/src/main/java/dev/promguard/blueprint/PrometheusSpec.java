package dev.promguard.blueprint;

import java.net.URI;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How Prometheus is to run on the monitors, as data. Holds no secret: of credentials it knows only that there are some.
 *
 * @param port the TCP port on the monitors' loopback, 1 to 65535
 * @param scrapeInterval how often Prometheus scrapes each target, and evaluates rules
 * @param release the release of Prometheus
 * @param retention how long samples are kept; empty for Prometheus' own 15 days
 * @param retentionSize how much room they may take, such as {@code 10GB}; empty for no bound
 * @param externalLabels labels of all samples and alerts that Prometheus sends, in addition to those that PromGuard sets; sorted
 *     by name
 * @param shards whether several monitors share the targets between them instead of each scraping all
 * @param defaultRules whether PromGuard's own alerting rules are evaluated
 * @param ruleFiles the user's own rule files
 * @param alertmanagers where alerts are sent
 * @param scrapeJobs scrape jobs in addition to those of the mesh
 * @param remoteWrites where samples are sent
 */
public record PrometheusSpec(
        int port,
        Duration scrapeInterval,
        Release release,
        Optional<Duration> retention,
        Optional<String> retentionSize,
        Map<String, String> externalLabels,
        boolean shards,
        boolean defaultRules,
        List<RuleFile> ruleFiles,
        List<URI> alertmanagers,
        List<ScrapeJob> scrapeJobs,
        List<RemoteWrite> remoteWrites) {
    /**
     * Copies the collections. Whether it makes sense is {@link Planner#problems(MeshSpec)}'s to say.
     *
     * @throws NullPointerException if something is null
     */
    public PrometheusSpec {
        Objects.requireNonNull(scrapeInterval, "scrapeInterval");
        Objects.requireNonNull(release, "release");
        Objects.requireNonNull(retention, "retention");
        Objects.requireNonNull(retentionSize, "retentionSize");
        externalLabels = Collections.unmodifiableMap(new TreeMap<>(externalLabels));
        ruleFiles = List.copyOf(ruleFiles);
        alertmanagers = List.copyOf(alertmanagers);
        scrapeJobs = List.copyOf(scrapeJobs);
        remoteWrites = List.copyOf(remoteWrites);
    }

    /**
     * A file of recording or alerting rules.
     *
     * @param name its name without an ending: at most 63 lower-case letters, digits, dashes and underscores
     * @param text its content, the YAML that Prometheus reads
     */
    public record RuleFile(String name, String text) {
        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public RuleFile {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(text, "text");
        }
    }

    /**
     * A scrape job with targets that do not change.
     *
     * @param name the value of the label {@code job}
     * @param targets hosts or addresses with a port, such as {@code db.example:9187} or {@code [fd00::5]:9187}
     * @param interval how often they are scraped; empty for the interval of all others
     * @param path the path of the metrics, such as {@code /metrics}
     * @param scheme {@code http} or {@code https}
     * @param labels labels for every sample of the job, sorted by name
     */
    public record ScrapeJob(
            String name,
            List<String> targets,
            Optional<Duration> interval,
            String path,
            String scheme,
            Map<String, String> labels) {
        /**
         * Copies the collections.
         *
         * @throws NullPointerException if something is null
         */
        public ScrapeJob {
            Objects.requireNonNull(name, "name");
            targets = List.copyOf(targets);
            Objects.requireNonNull(interval, "interval");
            Objects.requireNonNull(path, "path");
            Objects.requireNonNull(scheme, "scheme");
            labels = Collections.unmodifiableMap(new TreeMap<>(labels));
        }
    }

    /** How Prometheus proves to another server who it is. */
    public enum Authentication {
        /** Not at all. */
        NONE,
        /** By a user name and a password, RFC 7617. */
        BASIC,
        /** By a bearer token, RFC 6750. */
        BEARER
    }

    /**
     * A server that takes samples by Prometheus' remote write protocol.
     *
     * @param name the name in Prometheus' own metrics, and of the file on the monitors that holds the secret
     * @param uri where samples are sent
     * @param authentication how Prometheus says who it is
     * @param userName the user name; empty unless the authentication is {@link Authentication#BASIC}
     */
    public record RemoteWrite(String name, URI uri, Authentication authentication, Optional<String> userName) {
        /**
         * Checks that everything is there.
         *
         * @throws NullPointerException if something is null
         */
        public RemoteWrite {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(uri, "uri");
            Objects.requireNonNull(authentication, "authentication");
            Objects.requireNonNull(userName, "userName");
        }
    }

    /**
     * Prometheus with its default settings: port 9090, a scrape every 15 seconds, {@link Release#prometheus()}, PromGuard's own
     * rules, and nothing sent anywhere.
     *
     * @return the spec
     */
    public static PrometheusSpec usual() {
        return new PrometheusSpec(
                9090,
                Duration.ofSeconds(15),
                Release.prometheus(),
                Optional.empty(),
                Optional.empty(),
                Map.of(),
                false,
                true,
                List.of(),
                List.of(),
                List.of(),
                List.of());
    }

    /**
     * The same with another port.
     *
     * @param value the TCP port
     * @return a copy
     */
    public PrometheusSpec withPort(int value) {
        return with(value, scrapeInterval, release);
    }

    /**
     * The same with another interval.
     *
     * @param value how often each target is scraped
     * @return a copy
     */
    public PrometheusSpec withScrapeInterval(Duration value) {
        return with(port, value, release);
    }

    /**
     * The same with another release.
     *
     * @param value the release
     * @return a copy
     */
    public PrometheusSpec withRelease(Release value) {
        return with(port, scrapeInterval, value);
    }

    private PrometheusSpec with(int newPort, Duration newInterval, Release newRelease) {
        return new PrometheusSpec(
                newPort,
                newInterval,
                newRelease,
                retention,
                retentionSize,
                externalLabels,
                shards,
                defaultRules,
                ruleFiles,
                alertmanagers,
                scrapeJobs,
                remoteWrites);
    }
}
