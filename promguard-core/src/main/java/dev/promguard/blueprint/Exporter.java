package dev.promguard.blueprint;

import dev.promguard.InvalidSettingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * An exporter in addition to node_exporter: the source of its program, and how it runs. On its host it has a system user and a
 * hardened systemd unit of its own, both named after it, and listens on the WireGuard address only. Only the monitors may reach
 * it; they scrape it.
 *
 * <p>Arguments may contain these placeholders for values that are known only when a host is rendered: <code>{listen}</code> for
 * the WireGuard address and the port with a colon between (an IPv6 address in brackets), <code>{address}</code> and
 * <code>{port}</code> for each of the two,
 * <code>{folder}</code> for the folder of the configuration files. Everything else is passed on to the program as it is: no shell, no
 * variables, no specifiers of systemd.
 *
 * <p>Immutable. A method that starts with {@code with} returns a copy in which one thing is replaced, a method that starts with
 * {@code add} a copy that has one more. Both throw {@link NullPointerException} if an argument is null.
 *
 * @param name the name of its unit, user and folder: lower-case letters, digits and underscores, at most 31, ending in
 *     {@code _exporter}, so that it is never that of another service or user
 * @param source where the program comes from
 * @param port the TCP port on the WireGuard address, 1 to 65535
 * @param job the name of the scrape job
 * @param metricsPath the path of its own metrics
 * @param listen the arguments that make it listen on the WireGuard address
 * @param arguments its other arguments
 * @param configFiles its configuration files
 * @param capabilities what it may beyond what any user may
 * @param reloads whether it reads its configuration anew on SIGHUP, so that a change of it needs no restart
 * @param probes what it is to probe from its host
 */
public record Exporter(
        String name,
        Source source,
        int port,
        String job,
        String metricsPath,
        List<String> listen,
        List<String> arguments,
        List<ConfigFile> configFiles,
        Set<Capability> capabilities,
        boolean reloads,
        List<Probe> probes) {
    private static final String ENDING = "_exporter";

    /**
     * Checks and copies.
     *
     * @throws NullPointerException if something is null
     * @throws InvalidSettingException if a part is malformed; the message names it, its value and what is allowed
     */
    public Exporter {
        ExporterChecks.name(name);
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(job, "job");
        Objects.requireNonNull(metricsPath, "metricsPath");
        ValueChecks.require(ValueChecks.port("exporter port", port, ""));
        ValueChecks.require(ValueChecks.job("exporter job", job, ""));
        ValueChecks.require(ValueChecks.metricsPath("exporter metricsPath", metricsPath, ""));
        listen = ExporterChecks.arguments("listen", listen);
        arguments = ExporterChecks.arguments("arguments", arguments);
        ExporterChecks.listening(listen, arguments);
        Objects.requireNonNull(configFiles, "configFiles");
        Objects.requireNonNull(capabilities, "capabilities");
        Objects.requireNonNull(probes, "probes");
        configFiles = List.copyOf(configFiles);
        Set<String> files = new HashSet<>();
        for (ConfigFile file : configFiles) {
            if (!files.add(file.name())) {
                throw new InvalidSettingException("exporter configuration file " + Names.quote(file.name())
                        + " is given twice: give each file a name of its own");
            }
        }
        capabilities =
                capabilities.isEmpty() ? Set.of() : java.util.Collections.unmodifiableSet(EnumSet.copyOf(capabilities));
        probes = List.copyOf(probes);
        if (new HashSet<>(probes).size() != probes.size()) {
            throw new InvalidSettingException(
                    "exporter probes " + Names.quote(probes.toString()) + " are not valid: give each probe once");
        }
    }

    /** Where an exporter's program comes from. */
    public sealed interface Source {
        /**
         * The source in a few words.
         *
         * @return such as {@code blackbox_exporter 0.28.0} or {@code Debian's prometheus-blackbox-exporter}
         */
        String describe();
    }

    /**
     * A release: a tarball known by its SHA-256.
     *
     * @param release the release
     * @param program the program's file name in the tarball's top folder
     */
    public record FromRelease(Release release, String program) implements Source {
        /**
         * Checks both.
         *
         * @throws NullPointerException if one is null
         * @throws InvalidSettingException if the program is not a plain file name
         */
        public FromRelease {
            Objects.requireNonNull(release, "release");
            ExporterChecks.require(
                    ExporterChecks.PROGRAM,
                    program,
                    "exporter program",
                    "a plain file name of lower-case letters, digits, - and _");
        }

        @Override
        public String describe() {
            return release.name() + ' ' + release.version();
        }
    }

    /**
     * A package of the host's own Debian or Ubuntu. The package's own units are masked before it is installed and stay masked,
     * because they would listen on every address. A package stays installed, masked, when its exporter is no longer in the spec.
     *
     * @param debianPackage the package's name
     * @param path the program's absolute path, such as {@code /usr/bin/prometheus-blackbox-exporter}
     * @param units the units that the package contains
     */
    public record FromPackage(String debianPackage, String path, List<String> units) implements Source {
        /**
         * Checks and copies.
         *
         * @throws NullPointerException if something is null
         * @throws InvalidSettingException if a part is malformed
         */
        public FromPackage {
            ExporterChecks.require(
                    ExporterChecks.PACKAGE, debianPackage, "exporter package", "a Debian package's name");
            ExporterChecks.require(ExporterChecks.PATH, path, "exporter path", "a plain absolute path");
            Objects.requireNonNull(units, "units");
            units = List.copyOf(units);
            units.forEach(unit ->
                    ExporterChecks.require(ExporterChecks.UNIT, unit, "exporter unit", "a systemd unit's name"));
        }

        @Override
        public String describe() {
            return "Debian's " + debianPackage;
        }
    }

    /**
     * A configuration file, in a folder that PromGuard makes for the exporter alone. Root's to change, the exporter's user's to read.
     *
     * @param name the file's name
     * @param content its text, shown in previews and plans: never a secret; where the program needs one, put a file with it
     *     on the host and name that file here
     * @param check arguments with which the program checks the file, whose path is appended: such as {@code --config.check
     *     --config.file}; a file that fails is not put in place. Empty for no check
     */
    public record ConfigFile(String name, String content, List<String> check) {
        /**
         * Checks and copies. A line end is appended where the text has none.
         *
         * @throws NullPointerException if something is null
         * @throws InvalidSettingException if the name is not a plain file name, or the text has control characters or more
         *     than 256 KiB
         */
        public ConfigFile {
            ExporterChecks.configFile(name, content);
            content = content.endsWith("\n") ? content : content + '\n';
            check = ExporterChecks.arguments("check", check);
        }
    }

    /**
     * Something that is probed from the exporter's host. It is up if the exporter answers; what the probe found is in
     * {@code probe_success} and its kin.
     *
     * @param target an http or https URI, or a host or address with or without a port
     * @param module the module of the exporter's configuration to probe it with
     */
    public record Probe(String target, String module) {
        /**
         * Checks both.
         *
         * @throws NullPointerException if one is null
         * @throws InvalidSettingException if the target has another form, contains a user name or password, or the module is
         *     malformed
         */
        public Probe {
            Objects.requireNonNull(target, "target");
            if (!ExporterChecks.isProbeTarget(target)) {
                throw new InvalidSettingException("probe target " + Names.quote(target)
                        + " is not valid: use an http or https URI without user and password, or a host or address with or"
                        + " without a port");
            }
            ExporterChecks.require(
                    ExporterChecks.MODULE, module, "probe module", "letters, digits, dots, dashes and underscores");
        }
    }

    /**
     * An exporter from a release whose program has the release's name, such as {@code redis_exporter}; it is its own name too, and
     * the job is what stands before {@code _exporter}.
     *
     * @param release the release
     * @param port the TCP port
     * @return the exporter
     * @throws InvalidSettingException if the release's name does not end in {@code _exporter}, or the port is none
     */
    public static Exporter fromRelease(Release release, int port) {
        Objects.requireNonNull(release, "release");
        return usual(release.name(), new FromRelease(release, release.name()), port);
    }

    /**
     * An exporter from a release whose program has another name.
     *
     * @param name the exporter's name, ending in {@code _exporter}
     * @param release the release
     * @param program the program's file name in the tarball's top folder
     * @param port the TCP port
     * @return the exporter
     * @throws InvalidSettingException if a part is malformed
     */
    public static Exporter fromRelease(String name, Release release, String program, int port) {
        return usual(name, new FromRelease(release, program), port);
    }

    /**
     * An exporter from a package of the host's own Debian or Ubuntu, which contains a service with the package's name.
     *
     * @param name the exporter's name, ending in {@code _exporter}
     * @param debianPackage the package's name, such as {@code prometheus-blackbox-exporter}
     * @param path the program's absolute path, such as {@code /usr/bin/prometheus-blackbox-exporter}
     * @param port the TCP port
     * @return the exporter
     * @throws InvalidSettingException if a part is malformed
     */
    public static Exporter fromPackage(String name, String debianPackage, String path, int port) {
        return usual(name, new FromPackage(debianPackage, path, List.of(debianPackage + ".service")), port);
    }

    private static Exporter usual(String name, Source source, int port) {
        Objects.requireNonNull(name, "name");
        String job = name.endsWith(ENDING) ? name.substring(0, name.length() - ENDING.length()) : name;
        return new Exporter(
                name,
                source,
                port,
                job,
                Exposure.METRICS,
                List.of("--web.listen-address={listen}"),
                List.of(),
                List.of(),
                Set.of(),
                false,
                List.of());
    }

    /**
     * The same exporter under another name, so that one host can run two.
     *
     * @param value the name, ending in {@code _exporter}
     * @return a copy
     * @throws InvalidSettingException if it is malformed
     */
    public Exporter withName(String value) {
        return new Exporter(
                value, source, port, job, metricsPath, listen, arguments, configFiles, capabilities, reloads, probes);
    }

    /**
     * The same exporter from another source.
     *
     * @param value where the program comes from
     * @return a copy
     */
    public Exporter withSource(Source value) {
        return new Exporter(
                name, value, port, job, metricsPath, listen, arguments, configFiles, capabilities, reloads, probes);
    }

    /**
     * The same exporter on another port.
     *
     * @param value 1 to 65535, not 22
     * @return a copy
     * @throws InvalidSettingException if it is none
     */
    public Exporter withPort(int value) {
        return new Exporter(
                name, source, value, job, metricsPath, listen, arguments, configFiles, capabilities, reloads, probes);
    }

    /**
     * The same exporter scraped by another job.
     *
     * @param value the job's name
     * @return a copy
     * @throws InvalidSettingException if it is malformed
     */
    public Exporter withJob(String value) {
        return new Exporter(
                name, source, port, value, metricsPath, listen, arguments, configFiles, capabilities, reloads, probes);
    }

    /**
     * The same exporter with its own metrics at another path.
     *
     * @param value the path; {@code /metrics} by default
     * @return a copy
     * @throws InvalidSettingException if it is malformed
     */
    public Exporter withMetricsPath(String value) {
        return new Exporter(
                name, source, port, job, value, listen, arguments, configFiles, capabilities, reloads, probes);
    }

    /**
     * The same exporter with other arguments for its address. {@code --web.listen-address={listen}} by default.
     *
     * @param value the arguments; <code>{listen}</code> or <code>{address}</code> must stand in one
     * @return a copy
     * @throws InvalidSettingException if neither does, or an argument has control characters
     */
    public Exporter withListen(String... value) {
        return new Exporter(
                name,
                source,
                port,
                job,
                metricsPath,
                Arrays.asList(Objects.requireNonNull(value, "listen")),
                arguments,
                configFiles,
                capabilities,
                reloads,
                probes);
    }

    /**
     * The same exporter with more arguments.
     *
     * @param more each is passed to the program as one argument, whatever it contains
     * @return a copy
     * @throws InvalidSettingException if one has control characters or more than 2000 characters
     */
    public Exporter addArguments(String... more) {
        Objects.requireNonNull(more, "arguments");
        return new Exporter(
                name,
                source,
                port,
                job,
                metricsPath,
                listen,
                Stream.concat(arguments.stream(), Stream.of(more)).toList(),
                configFiles,
                capabilities,
                reloads,
                probes);
    }

    /**
     * The same exporter with one more configuration file. A file of the same name is replaced. Name the file in an argument such
     * as {@code --config.file={folder}/blackbox.yml}.
     *
     * @param file the file
     * @return a copy
     */
    public Exporter addConfigFile(ConfigFile file) {
        Objects.requireNonNull(file, "file");
        List<ConfigFile> files = new ArrayList<>(configFiles);
        files.removeIf(other -> other.name().equals(file.name()));
        files.add(file);
        return new Exporter(
                name, source, port, job, metricsPath, listen, arguments, files, capabilities, reloads, probes);
    }

    /**
     * The same exporter with one more capability.
     *
     * @param more the capability
     * @return a copy
     */
    public Exporter addCapability(Capability more) {
        Objects.requireNonNull(more, "capability");
        EnumSet<Capability> all = EnumSet.of(more);
        all.addAll(capabilities);
        return new Exporter(name, source, port, job, metricsPath, listen, arguments, configFiles, all, reloads, probes);
    }

    /**
     * The same exporter, reading its configuration anew on SIGHUP.
     *
     * @return a copy
     */
    public Exporter withReload() {
        return new Exporter(
                name, source, port, job, metricsPath, listen, arguments, configFiles, capabilities, true, probes);
    }

    /**
     * The same exporter with one more probe, for exporters that answer {@code /probe?target=…&module=…}. All probes of a host are
     * in a scrape job of their own, {@link #probeJob()}, with the target as {@code instance}, the module as {@code module} and
     * the host that probes as {@code node}.
     *
     * @param target an http or https URI, or a host or address with or without a port
     * @param module the module of the exporter's configuration to probe it with, such as {@code http_2xx}
     * @return a copy
     * @throws InvalidSettingException if one is malformed
     */
    public Exporter addProbe(String target, String module) {
        return new Exporter(
                name,
                source,
                port,
                job,
                metricsPath,
                listen,
                arguments,
                configFiles,
                capabilities,
                reloads,
                Stream.concat(probes.stream(), Stream.of(new Probe(target, module)))
                        .toList());
    }

    /** The same exporter with another release in the place of PromGuard's own choice of the same name. */
    Exporter withReleases(List<Release> releases) {
        if (source instanceof FromRelease from && from.release().equals(Release.blackboxExporter())) {
            Optional<Release> other = releases.stream()
                    .filter(release -> release.name().equals(from.release().name()))
                    .findFirst();
            return other.map(release -> withSource(new FromRelease(release, from.program())))
                    .orElse(this);
        }
        return this;
    }

    /**
     * The exporter in a few words, for blueprints.
     *
     * @return such as {@code blackbox_exporter 0.28.0}, or {@code ping_exporter (Debian's prometheus-ping-exporter)}
     */
    public String describe() {
        String from = source.describe();
        return from.startsWith(name + ' ') ? from : name + " (" + from + ')';
    }

    /**
     * Its systemd unit.
     *
     * @return such as {@code blackbox_exporter.service}
     */
    public String unit() {
        return name + ".service";
    }

    /**
     * The folder of its configuration files on the host.
     *
     * @return such as {@code /etc/promguard/blackbox_exporter}
     */
    public String folder() {
        return "/etc/promguard/" + name;
    }

    /**
     * The scrape job of its probes.
     *
     * @return such as {@code blackbox-probe}
     */
    public String probeJob() {
        return job + "-probe";
    }

    /**
     * The port that the monitors scrape.
     *
     * @return job, port and path
     */
    public Exposure exposure() {
        return new Exposure(job, port, metricsPath);
    }
}
