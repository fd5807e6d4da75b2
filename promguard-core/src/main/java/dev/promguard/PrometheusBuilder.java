package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.PrometheusChecks;
import dev.promguard.blueprint.PrometheusSpec;
import dev.promguard.blueprint.PrometheusSpec.Authentication;
import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.blueprint.PrometheusSpec.RuleFile;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import dev.promguard.blueprint.Release;
import dev.promguard.blueprint.ValueChecks;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.Secret;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Describes how Prometheus runs on the monitors. Not thread-safe.
 *
 * <p>A method with a plain name sets: called again, it replaces what it set before (for a job or label: that one). A method that
 * starts with {@code add} adds. A method that starts with {@code without} removes. Each throws {@link NullPointerException} if an
 * argument is null, and {@link InvalidSettingException} if a value is malformed or what is to be removed is not there.
 *
 * <p>Most changes need no restart: promtool checks the new configuration and rules on the monitor, then they are installed and
 * reloaded. If the check fails, Prometheus continues with its old configuration, and the apply fails with promtool's message.
 * Only the port, the release and the retention are flags, whose change restarts Prometheus.
 *
 * <p>Whatever leaves Prometheus, to an Alertmanager or by remote write, carries the label {@code cluster} with the mesh's name
 * (unless {@link #externalLabel} gives another value) and {@code replica} with the monitor's name. If there are several monitors,
 * each scrapes everything, so that monitoring survives the loss of one; receivers that can merge such replicas use these two
 * labels. Alerts are sent without {@code replica}, so that an Alertmanager merges those of several monitors. See {@link #shards}
 * for the alternative.
 */
public final class PrometheusBuilder {
    private Duration scrapeInterval;
    private int port;
    private Release release;
    private @Nullable Duration retention;
    private @Nullable String retentionSize;
    private final Map<String, String> externalLabels;
    private boolean shards;
    private boolean defaultRules;
    private final List<RuleFile> ruleFiles;
    private final List<URI> alertmanagers;
    private final Map<String, ScrapeJob> scrapeJobs = new LinkedHashMap<>();
    private final List<RemoteWrite> remoteWrites;
    private final Map<String, Secret> secrets;

    PrometheusBuilder() {
        this(PrometheusSpec.usual(), Map.of());
    }

    PrometheusBuilder(PrometheusSpec spec, Map<String, Secret> secrets) {
        scrapeInterval = spec.scrapeInterval();
        port = spec.port();
        release = spec.release();
        retention = spec.retention().orElse(null);
        retentionSize = spec.retentionSize().orElse(null);
        externalLabels = new LinkedHashMap<>(spec.externalLabels());
        shards = spec.shards();
        defaultRules = spec.defaultRules();
        ruleFiles = new ArrayList<>(spec.ruleFiles());
        alertmanagers = new ArrayList<>(spec.alertmanagers());
        spec.scrapeJobs().forEach(job -> scrapeJobs.put(job.name(), job));
        remoteWrites = new ArrayList<>(spec.remoteWrites());
        this.secrets = new HashMap<>(secrets);
    }

    /**
     * Sets how often each target is scraped, and rules are evaluated. 15 seconds by default. Prometheus ignores samples that are
     * older than five minutes: with intervals above two minutes, queries and alerts see gaps.
     *
     * @param interval whole seconds, from one second to one hour
     * @return this builder
     */
    public PrometheusBuilder scrapeInterval(Duration interval) {
        Objects.requireNonNull(interval, "interval");
        ValueChecks.require(PrometheusChecks.interval("scrapeInterval", interval));
        scrapeInterval = interval;
        return this;
    }

    /**
     * Sets the TCP port on the monitors' loopback interface. 9090 by default.
     *
     * @param port 1 to 65535, not 22
     * @return this builder
     */
    public PrometheusBuilder port(int port) {
        ValueChecks.require(ValueChecks.port("prometheus port", port, ""));
        this.port = port;
        return this;
    }

    /**
     * Sets which release to run. {@link Release#prometheus()} by default.
     *
     * @param release a release named {@code prometheus}
     * @return this builder
     */
    public PrometheusBuilder release(Release release) {
        Objects.requireNonNull(release, "release");
        ValueChecks.require(ValueChecks.release("prometheus release", release, "prometheus"));
        this.release = release;
        return this;
    }

    /**
     * Sets how long samples are kept. 15 days, Prometheus' own value, by default. Changing it restarts Prometheus.
     *
     * @param retention whole seconds, from two hours to 36500 days
     * @return this builder
     */
    public PrometheusBuilder retention(Duration retention) {
        Objects.requireNonNull(retention, "retention");
        ValueChecks.require(PrometheusChecks.retention(retention));
        this.retention = retention;
        return this;
    }

    /**
     * Sets how much disk space samples may use on a monitor; the oldest are deleted first. There is no limit by default. Changing
     * it restarts Prometheus.
     *
     * @param size a whole number and one of B, KB, MB, GB, TB, PB and EB, each 1024 of the one before, such as {@code 10GB};
     *     at least 256MB
     * @return this builder
     */
    public PrometheusBuilder retentionSize(String size) {
        Objects.requireNonNull(size, "size");
        ValueChecks.require(PrometheusChecks.retentionSize(size));
        retentionSize = size;
        return this;
    }

    /**
     * Removes the bound on the room that samples may take.
     *
     * @return this builder
     */
    public PrometheusBuilder withoutRetentionSize() {
        retentionSize = null;
        return this;
    }

    /**
     * Sets a label of all samples and alerts that Prometheus sends.
     *
     * @param name letters, digits and underscores, not starting with a digit or two underscores; {@code cluster} replaces the
     *     mesh's name, {@code replica} and {@code shard} are PromGuard's own, and the labels of targets cannot be used
     * @param value 1 to 1024 printable characters without a dollar sign
     * @return this builder
     */
    public PrometheusBuilder externalLabel(String name, String value) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(value, "value");
        ValueChecks.require(PrometheusChecks.externalLabel(name, value));
        externalLabels.put(name, value);
        return this;
    }

    /**
     * Removes a label of all samples and alerts that Prometheus sends.
     *
     * @param name the label's name
     * @return this builder
     */
    public PrometheusBuilder withoutExternalLabel(String name) {
        Objects.requireNonNull(name, "name");
        ValueChecks.require(ErrorCode.UNKNOWN_NAME, ValueChecks.known("externalLabel", name, externalLabels.keySet()));
        externalLabels.remove(name);
        return this;
    }

    /**
     * Sets whether several monitors share the targets between them, instead of each scraping all of them; false by default. A
     * target belongs to the monitor whose number is the hash of the target's address modulo the number of monitors. This is for
     * meshes that are too large for one Prometheus. Samples and alerts from a monitor then carry the label {@code shard} with its
     * name in the place of {@code replica}. Adding a monitor moves targets between the others. With one monitor this changes
     * nothing but that label.
     *
     * @param sharing whether the monitors share the targets
     * @return this builder
     */
    public PrometheusBuilder shards(boolean sharing) {
        shards = sharing;
        return this;
    }

    /**
     * Sets whether PromGuard's own alerting rules are evaluated: a target down, a stale WireGuard handshake, a disk filling up, a
     * wrong clock, a failed unit, a viewer whose access ends, and Prometheus' own troubles. True by default. Without them no alert
     * announces the end of a viewer's access; the metric {@code promguard_viewer_expires_timestamp_seconds} is there in any case, for an alert
     * of your own such as {@code promguard_viewer_expires_timestamp_seconds - time() < 259200}.
     *
     * @param defaultRules false to do without them
     * @return this builder
     */
    public PrometheusBuilder defaultRules(boolean defaultRules) {
        this.defaultRules = defaultRules;
        return this;
    }

    /**
     * Adds a file of rules of your own. {@link MeshBuilder#build()} refuses two of the same name.
     *
     * @param name the file's name without its extension: 1 to 63 lower-case letters, digits, dashes and underscores
     * @param text recording and alerting rules, in the YAML that Prometheus reads
     * @return this builder
     */
    public PrometheusBuilder addRules(String name, String text) {
        RuleFile file = new RuleFile(name, text);
        ValueChecks.require(PrometheusChecks.rules(file));
        ruleFiles.add(file);
        return this;
    }

    /**
     * Adds a file of rules of your own, which is read at once.
     *
     * @param file a file in UTF-8, whose name without {@code .yml} or {@code .yaml} is allowed by {@link #addRules(String, String)}
     * @return this builder
     * @throws InvalidSettingException if it cannot be read
     */
    public PrometheusBuilder addRules(Path file) {
        Objects.requireNonNull(file, "file");
        String name = String.valueOf(file.getFileName()).replaceFirst("[.]ya?ml$", "");
        String text;
        try {
            text = Files.readString(file);
        } catch (IOException e) {
            throw new InvalidSettingException(
                    ErrorCode.FILE_INACCESSIBLE,
                    "rules " + Names.quote(file.toString()) + " cannot be read: give a file in UTF-8",
                    e);
        }
        return addRules(name, text);
    }

    /**
     * Removes a file of rules of your own.
     *
     * @param name the file's name without its extension
     * @return this builder
     */
    public PrometheusBuilder withoutRules(String name) {
        Objects.requireNonNull(name, "name");
        ValueChecks.require(
                ErrorCode.UNKNOWN_NAME,
                ValueChecks.known(
                        "rules", name, ruleFiles.stream().map(RuleFile::name).toList()));
        ruleFiles.removeIf(file -> file.name().equals(name));
        return this;
    }

    /**
     * Adds an Alertmanager to send alerts to. Every monitor sends to each of them. {@link MeshBuilder#build()} refuses one that is
     * added twice.
     *
     * @param uri {@code http} or {@code https}, with a port unless it is the scheme's own, and a path if the Alertmanager has one
     * @return this builder
     */
    public PrometheusBuilder addAlertmanager(URI uri) {
        Objects.requireNonNull(uri, "uri");
        ValueChecks.require(PrometheusChecks.alertmanager(uri));
        alertmanagers.add(uri);
        return this;
    }

    /**
     * Removes an Alertmanager.
     *
     * @param uri the URI that was given for it
     * @return this builder
     */
    public PrometheusBuilder withoutAlertmanager(URI uri) {
        Objects.requireNonNull(uri, "uri");
        requireKnown("alertmanager", uri, alertmanagers);
        alertmanagers.removeIf(uri::equals);
        return this;
    }

    /**
     * Sets a scrape job in addition to those of the mesh. With {@link #shards} its targets are shared like all others.
     *
     * @param name the job's name, which its samples carry as the label {@code job}: 1 to 63 letters, digits, dots, dashes and
     *     underscores; {@code prometheus} and {@code node} are taken
     * @param job sets what it is to be, with at least one target
     * @return this builder
     */
    public PrometheusBuilder scrape(String name, Consumer<ScrapeJobBuilder> job) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(job, "job");
        ValueChecks.require(PrometheusChecks.jobName(name));
        ScrapeJobBuilder builder = new ScrapeJobBuilder(name);
        job.accept(builder);
        ScrapeJob built = builder.job();
        ValueChecks.require(PrometheusChecks.targets(built));
        scrapeJobs.put(name, built);
        return this;
    }

    /**
     * Removes a scrape job beside those of the mesh.
     *
     * @param name the job's name
     * @return this builder
     */
    public PrometheusBuilder withoutScrape(String name) {
        Objects.requireNonNull(name, "name");
        ValueChecks.require(ErrorCode.UNKNOWN_NAME, ValueChecks.known("scrape", name, scrapeJobs.keySet()));
        scrapeJobs.remove(name);
        return this;
    }

    /**
     * Adds a server that all samples are sent to, such as Mimir, Thanos or VictoriaMetrics. {@link MeshBuilder#build()} refuses one
     * that is added twice.
     *
     * @param uri where it takes Prometheus' remote write protocol, {@code http} or {@code https}
     * @return this builder
     */
    public PrometheusBuilder addRemoteWrite(URI uri) {
        add(uri, Authentication.NONE, Optional.empty());
        return this;
    }

    /**
     * Adds a server that all samples are sent to, and that requires credentials. The secret goes to the monitors over the pinned SSH
     * connection, into a file that root and Prometheus alone can read, and nowhere else. A changed secret is written by the next
     * apply, and used from then on without a reload.
     *
     * @param uri where it takes Prometheus' remote write protocol, {@code http} or {@code https}, without a user name in it
     * @param credentials the credentials; their secret must stay open while the mesh is used
     * @return this builder
     */
    public PrometheusBuilder addRemoteWrite(URI uri, Credentials credentials) {
        Objects.requireNonNull(uri, "uri");
        Objects.requireNonNull(credentials, "credentials");
        Authentication kind = credentials.userName().isPresent() ? Authentication.BASIC : Authentication.BEARER;
        String name = add(uri, kind, credentials.userName());
        secrets.put(name, credentials.secret());
        return this;
    }

    private String add(URI uri, Authentication authentication, Optional<String> userName) {
        Objects.requireNonNull(uri, "uri");
        ValueChecks.require(PrometheusChecks.remoteWrite(uri));
        List<String> names = remoteWrites.stream().map(RemoteWrite::name).toList();
        int number = 1;
        while (names.contains("remote-write-" + number)) {
            number++;
        }
        String name = "remote-write-" + number;
        remoteWrites.add(new RemoteWrite(name, uri, authentication, userName));
        return name;
    }

    /**
     * Removes a server that samples are sent to.
     *
     * @param uri the URI that was given for it
     * @return this builder
     */
    public PrometheusBuilder withoutRemoteWrite(URI uri) {
        Objects.requireNonNull(uri, "uri");
        requireKnown(
                "remoteWrite", uri, remoteWrites.stream().map(RemoteWrite::uri).toList());
        for (RemoteWrite write : List.copyOf(remoteWrites)) {
            if (write.uri().equals(uri)) {
                remoteWrites.remove(write);
                secrets.remove(write.name());
            }
        }
        return this;
    }

    private static void requireKnown(String field, URI uri, List<URI> uris) {
        if (!uris.contains(uri)) {
            ValueChecks.require(
                    ErrorCode.UNKNOWN_NAME,
                    ValueChecks.known(
                            field,
                            PrometheusChecks.redacted(uri),
                            uris.stream().map(URI::toString).toList()));
        }
    }

    PrometheusSpec spec() {
        return new PrometheusSpec(
                port,
                scrapeInterval,
                release,
                Optional.ofNullable(retention),
                Optional.ofNullable(retentionSize),
                externalLabels,
                shards,
                defaultRules,
                ruleFiles,
                alertmanagers,
                List.copyOf(scrapeJobs.values()),
                remoteWrites);
    }

    /** The secrets of the remote writes, by their names. */
    Map<String, Secret> secrets() {
        return Map.copyOf(secrets);
    }
}
