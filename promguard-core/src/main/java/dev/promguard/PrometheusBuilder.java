package dev.promguard;

import dev.promguard.blueprint.PrometheusSpec;
import dev.promguard.blueprint.PrometheusSpec.Authentication;
import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.blueprint.PrometheusSpec.RuleFile;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import dev.promguard.blueprint.Release;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.Secret;
import java.io.IOException;
import java.io.UncheckedIOException;
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
 * Says how Prometheus is to run on the monitors. Nulls are refused at once, everything else is checked by
 * {@link MeshBuilder#build()}. Not thread-safe.
 *
 * <p>What can be changed while Prometheus runs is changed without a restart: the new configuration and rules are checked on the
 * monitor with promtool, put in place, and reloaded. If the check fails, the running Prometheus goes on as it was, and the
 * apply ends with promtool's words. Only the port, the release and the retention are flags, whose change restarts Prometheus.
 *
 * <p>Whatever leaves Prometheus, to an Alertmanager or by remote write, carries the label {@code cluster} with the mesh's name
 * (unless {@link #externalLabel} gives another value) and {@code replica} with the monitor's name. Several monitors each scrape
 * everything, a pair that survives the loss of one; receivers that can fold such pairs into one do it by these two labels.
 * Alerts are sent without {@code replica}, so that an Alertmanager takes those of a pair for one. See {@link #shards()} for
 * the other way.
 */
public final class PrometheusBuilder {
    private Duration scrapeInterval = PrometheusSpec.usual().scrapeInterval();
    private int port = PrometheusSpec.usual().port();
    private Release release = Release.prometheus();
    private @Nullable Duration retention;
    private @Nullable String retentionSize;
    private final Map<String, String> externalLabels = new LinkedHashMap<>();
    private boolean shards;
    private boolean defaultRules = true;
    private final List<RuleFile> ruleFiles = new ArrayList<>();
    private final List<URI> alertmanagers = new ArrayList<>();
    private final List<ScrapeJob> scrapeJobs = new ArrayList<>();
    private final List<RemoteWrite> remoteWrites = new ArrayList<>();
    private final Map<String, Secret> secrets = new HashMap<>();

    PrometheusBuilder() {}

    PrometheusBuilder(PrometheusBuilder other) {
        scrapeInterval = other.scrapeInterval;
        port = other.port;
        release = other.release;
        retention = other.retention;
        retentionSize = other.retentionSize;
        externalLabels.putAll(other.externalLabels);
        shards = other.shards;
        defaultRules = other.defaultRules;
        ruleFiles.addAll(other.ruleFiles);
        alertmanagers.addAll(other.alertmanagers);
        scrapeJobs.addAll(other.scrapeJobs);
        remoteWrites.addAll(other.remoteWrites);
        secrets.putAll(other.secrets);
    }

    /**
     * How often each target is scraped, and rules are evaluated. 15 seconds unless said.
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

    /**
     * How long samples are kept. Prometheus' own 15 days unless said. A flag: changing it restarts Prometheus.
     *
     * @param value whole seconds, from two hours to 36500 days
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public PrometheusBuilder retention(Duration value) {
        retention = Objects.requireNonNull(value, "retention");
        return this;
    }

    /**
     * How much room samples may take on a monitor's disk; the oldest go first. No bound unless said. A flag: changing it
     * restarts Prometheus.
     *
     * @param value a whole number and one of B, KB, MB, GB, TB, PB and EB, each 1024 of the one before, such as {@code 10GB};
     *     at least 256MB
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public PrometheusBuilder retentionSize(String value) {
        retentionSize = Objects.requireNonNull(value, "retentionSize");
        return this;
    }

    /**
     * Adds a label to all that leaves Prometheus. The same name again replaces the value.
     *
     * @param name letters, digits and underscores, not starting with a digit or two underscores; {@code cluster} replaces the
     *     mesh's name, {@code replica} and {@code shard} are PromGuard's own, and the labels of targets cannot be used
     * @param value printable characters without a dollar sign, at least one
     * @return this builder
     * @throws NullPointerException if one is null
     */
    public PrometheusBuilder externalLabel(String name, String value) {
        externalLabels.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
        return this;
    }

    /**
     * Has several monitors share the targets between them, instead of each scraping all of them: a target belongs to the
     * monitor whose number is the hash of the target's address modulo the number of monitors. For meshes that are too large for one
     * Prometheus. What leaves a monitor then carries the label {@code shard} with its name in the place of
     * {@code replica}. Adding a monitor moves targets between the others. With one monitor this changes nothing but that label.
     *
     * @return this builder
     */
    public PrometheusBuilder shards() {
        shards = true;
        return this;
    }

    /**
     * Whether PromGuard's own alerting rules are evaluated: a target down, a stale WireGuard handshake, a disk filling up, a wrong clock,
     * a failed unit, and Prometheus' own troubles. They are unless said.
     *
     * @param value false to do without them
     * @return this builder
     */
    public PrometheusBuilder defaultRules(boolean value) {
        defaultRules = value;
        return this;
    }

    /**
     * Adds a file of rules of your own.
     *
     * @param name the file's name without an ending: at most 63 lower-case letters, digits, dashes and underscores
     * @param text recording and alerting rules, in the YAML that Prometheus reads
     * @return this builder
     * @throws NullPointerException if one is null
     */
    public PrometheusBuilder rules(String name, String text) {
        ruleFiles.add(new RuleFile(name, text));
        return this;
    }

    /**
     * Adds a file of rules of your own, which is read at once.
     *
     * @param file a file in UTF-8, whose name without {@code .yml} or {@code .yaml} follows the rule of {@link #rules(String, String)}
     * @return this builder
     * @throws NullPointerException if {@code file} is null
     * @throws UncheckedIOException if it cannot be read
     */
    public PrometheusBuilder rules(Path file) {
        String name = String.valueOf(file.getFileName()).replaceFirst("[.]ya?ml$", "");
        try {
            return rules(name, Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException("rules " + file + " cannot be read: give a file in UTF-8", e);
        }
    }

    /**
     * Adds Alertmanagers to send alerts to. Every monitor sends to each of them.
     *
     * @param uris each {@code http} or {@code https}, with a port unless it is the scheme's own, and a path if the
     *     Alertmanager has one
     * @return this builder
     * @throws NullPointerException if one is null
     */
    public PrometheusBuilder alertmanager(URI... uris) {
        alertmanagers.addAll(List.of(uris));
        return this;
    }

    /**
     * Adds a scrape job beside those of the mesh. With {@link #shards()} its targets are shared like all others.
     *
     * @param name the job's name, which its samples carry as the label {@code job}: at most 63 letters, digits, dots, dashes
     *     and underscores; {@code prometheus} and {@code node} are taken
     * @param job says what it is to be
     * @return this builder
     * @throws NullPointerException if one is null
     */
    public PrometheusBuilder scrape(String name, Consumer<ScrapeJobBuilder> job) {
        ScrapeJobBuilder builder = new ScrapeJobBuilder();
        job.accept(builder);
        scrapeJobs.add(builder.job(Objects.requireNonNull(name, "name")));
        return this;
    }

    /**
     * Adds a server that all samples are sent to, such as Mimir, Thanos or VictoriaMetrics.
     *
     * @param uri where it takes Prometheus' remote write protocol, {@code http} or {@code https}
     * @return this builder
     * @throws NullPointerException if {@code uri} is null
     */
    public PrometheusBuilder remoteWrite(URI uri) {
        remoteWrites.add(new RemoteWrite(
                nextRemoteWrite(), Objects.requireNonNull(uri, "uri"), Authentication.NONE, Optional.empty()));
        return this;
    }

    /**
     * Adds a server that all samples are sent to, and that wants to know who sends them. The secret goes to the monitors over
     * the pinned SSH connection, into a file that root and Prometheus alone can read, and nowhere else. A changed secret is written
     * by the next apply, and used from then on without a reload.
     *
     * @param uri where it takes Prometheus' remote write protocol, {@code http} or {@code https}, without a user name in it
     * @param credentials who sends; their secret must stay open while the mesh is used
     * @return this builder
     * @throws NullPointerException if one is null
     */
    public PrometheusBuilder remoteWrite(URI uri, Credentials credentials) {
        RemoteWrite write = new RemoteWrite(
                nextRemoteWrite(),
                Objects.requireNonNull(uri, "uri"),
                credentials.userName().isPresent() ? Authentication.BASIC : Authentication.BEARER,
                credentials.userName());
        remoteWrites.add(write);
        secrets.put(write.name(), credentials.secret());
        return this;
    }

    private String nextRemoteWrite() {
        return "remote-write-" + (remoteWrites.size() + 1);
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
                scrapeJobs,
                remoteWrites);
    }

    /** The secrets of the remote writes, by their names. */
    Map<String, Secret> secrets() {
        return Map.copyOf(secrets);
    }
}
