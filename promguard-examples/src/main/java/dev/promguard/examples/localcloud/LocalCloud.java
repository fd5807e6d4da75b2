package dev.promguard.examples.localcloud;

import dev.promguard.InvalidSettingException;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Release;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.keys.Secret;
import dev.promguard.spi.CloudProvider;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A stand-in for DigitalOcean on one Linux machine: an HTTP server on loopback that speaks its API v2, and whose droplets are real
 * Debian machines with systemd, sshd, cloud-init and a public address on a bridge. Needs root; {@link #support()} says what else.
 *
 * <p>Several can run at once, in one JVM or in many. {@link #close()} takes everything away; what a killed JVM left behind goes when
 * the next one starts, or by {@link #cleanUp()}. Only what carries the name of a run is ever touched. While one runs, IPv4 forwarding
 * is on, and the kernel's limits of inotify are high enough for its droplets; the last to close puts back what they were.
 *
 * <p>Thread-safe.
 */
public final class LocalCloud implements AutoCloseable {
    static {
        // Without it every answer waits 40 ms for an acknowledgement; must be set before the JDK's server is first
        // used.
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    private final LocalCloudParts parts;

    private LocalCloud(LocalCloudOptions options) {
        parts = new LocalCloudParts(options);
    }

    /**
     * Says whether a local cloud can run here and, if not, why.
     *
     * @return the answer; looking changes nothing
     */
    public static Support support() {
        return Support.probe();
    }

    /**
     * Installs the Debian packages that are missing, and says so first. Does nothing if none is.
     *
     * @param say told what is about to happen
     * @throws LocalCloudException if something is missing that no package fixes, or apt-get fails
     */
    public static void installMissing(Consumer<String> say) {
        Support.install(say);
    }

    /**
     * Starts one with the usual options.
     *
     * @return the cloud, to be closed
     * @throws LocalCloudException if it cannot run here, and why
     */
    public static LocalCloud start() {
        return builder().start();
    }

    /**
     * Options to start one with.
     *
     * @return the usual options
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Removes what killed JVMs left behind: machines, mounts, namespaces, bridges, firewall rules, folders. Those of living JVMs stay.
     *
     * @return the names of the runs removed; empty if there was nothing
     * @throws LocalCloudException if something resists
     */
    public static List<String> cleanUp() {
        return Runs.cleanUp();
    }

    /**
     * Which local clouds run on this machine, of this process and of others.
     *
     * @return their names, in order; each interface, namespace, machine and firewall rule of a local cloud carries its name; empty if
     *     none runs
     */
    public static List<String> running() {
        return Runs.living();
    }

    /**
     * Where the API is.
     *
     * @return {@code http://127.0.0.1:PORT/}, below which {@code v2/...} follows
     */
    public URI endpoint() {
        return parts.api.endpoint();
    }

    /**
     * A token that may do everything.
     *
     * @return {@code dop_v1_} and 64 hexadecimal digits, new each time
     */
    public String token() {
        return parts.token;
    }

    /**
     * A token that may only read: anything but GET is answered with 403.
     *
     * @return {@code dop_v1_} and 64 hexadecimal digits, new each time
     */
    public String readOnlyToken() {
        return parts.readOnlyToken;
    }

    /**
     * Where droplets get releases from: a file name of {@link #releases()} appended to it resolves.
     *
     * @return a URI at the bridge's address that ends in a slash
     * @throws IllegalStateException if droplets are only records
     */
    public URI releaseMirror() {
        return real(parts.mirror).uri();
    }

    /**
     * Where droplets without IPv4 get releases from, as from {@link #releaseMirror()}.
     *
     * @return a URI at the bridge's IPv6 address that ends in a slash; empty where this machine has no IPv6
     * @throws IllegalStateException if droplets are only records
     */
    public Optional<URI> ipv6ReleaseMirror() {
        real(parts.mirror);
        return Optional.ofNullable(parts.ipv6Mirror).map(ReleaseMirror::uri);
    }

    /**
     * What droplets get unless told otherwise, as Debian builds them, for this machine's processor: Prometheus 3, Alertmanager, node_exporter
     * and blackbox_exporter of Debian's next suite; or {@link #suiteReleases()}, with {@link Builder#ownReleases()} or where the
     * others cannot be downloaded.
     *
     * @return the releases
     * @throws IllegalStateException if droplets are only records
     */
    public List<LocalRelease> releases() {
        real(parts.mirror);
        return parts.images.releases().list();
    }

    /**
     * Prometheus 2, node_exporter and blackbox_exporter of the suite itself, which the mirror has too.
     *
     * @return the releases
     * @throws IllegalStateException if droplets are only records
     */
    public List<LocalRelease> suiteReleases() {
        real(parts.mirror);
        return parts.images.suiteReleases().list();
    }

    /**
     * The releases of Debian's next suite, which the mirror has too, also with {@link Builder#ownReleases()}.
     *
     * @return the releases; those of the suite itself if they cannot be downloaded
     * @throws IllegalStateException if droplets are only records
     */
    public List<LocalRelease> currentReleases() {
        real(parts.mirror);
        return parts.images.currentReleases().list();
    }

    /**
     * The programs of {@link #releases()} once more under another version, {@code 3.5.3-next} say, for trying upgrades. Made when
     * first asked for, which takes some seconds; the mirror has them from then on.
     *
     * @return the releases, in the order of {@link #releases()}
     * @throws IllegalStateException if droplets are only records
     * @throws LocalCloudException if they cannot be made
     */
    public List<LocalRelease> nextReleases() {
        real(parts.mirror);
        return parts.images.releases().next();
    }

    /**
     * DigitalOcean's own provider, pointed at this cloud; its hosts get the releases of {@link #releases()}.
     *
     * @return a provider for {@link dev.promguard.MeshBuilder#provider}
     */
    public CloudProvider provider() {
        List<Release> served = parts.run == null
                ? List.of()
                : releases().stream()
                        .map(release -> release.from(releaseMirror()))
                        .toList();
        return new LocalProvider(
                DigitalOcean.builder()
                        .endpoint(endpoint())
                        .token(Secret.of(token()))
                        .pollInterval(Duration.ofMillis(200))
                        .build(),
                served);
    }

    /**
     * Describes a mesh on this cloud: {@link dev.promguard.Mesh#builder()} with {@link #provider()}, {@link #folder()} for its state, and
     * {@link #releases()}, which also existing hosts get that the mesh is applied to.
     *
     * @return a builder without hosts
     */
    public MeshBuilder mesh() {
        MeshBuilder builder = Mesh.builder().provider(provider());
        if (parts.run != null) {
            builder.state(folder());
            for (Release release : provider().releases()) {
                switch (release.name()) {
                    case "node_exporter" -> builder.nodeExporter(release);
                    case "prometheus" -> builder.prometheus(prometheus -> prometheus.release(release));
                    default -> {}
                }
            }
        }
        return builder;
    }

    /**
     * The public network.
     *
     * @return an IPv4 /24 such as {@code 198.18.7.0/24}
     */
    public String subnet() {
        return parts.network.subnet() + "0/24";
    }

    /**
     * The address of this machine on the public network.
     *
     * @return an IPv4 address
     */
    public String gateway() {
        return parts.network.gateway();
    }

    /**
     * The name that everything of this run carries: its interfaces, namespaces, firewall rules and folder.
     *
     * @return the name; empty if droplets are only records
     */
    public String name() {
        return parts.run == null ? "" : parts.run.name();
    }

    /**
     * A folder that is removed with the cloud, also after a kill: a place for the state of meshes that live no longer than it.
     *
     * @return the folder, empty at first
     * @throws IllegalStateException if droplets are only records
     */
    public Path folder() {
        return real(parts.run).folder();
    }

    /**
     * What can be made to go wrong.
     *
     * @return the switches
     */
    public Faults faults() {
        return parts.options.faults;
    }

    /**
     * The calls that have reached the API, in order.
     *
     * @return a copy
     */
    public List<RecordedRequest> requests() {
        return parts.api.requests();
    }

    /** Forgets the calls so far. */
    public void forgetRequests() {
        parts.api.forgetRequests();
    }

    /**
     * Where the API is and what there is, in a line.
     *
     * @return such as {@code LocalCloud[http://127.0.0.1:43211/, 4 droplets]}
     */
    @Override
    public String toString() {
        int count = droplets().size();
        return "LocalCloud[" + endpoint() + ", " + Names.counted(count, "droplet") + ']';
    }

    /**
     * The droplets that have a machine, by age.
     *
     * @return a copy
     */
    public List<LocalDroplet> droplets() {
        return parts.account.droplets(d -> d.machine() != null).stream()
                .flatMap(d -> Optional.ofNullable(d.machine()).map(m -> new LocalDroplet(d, m, parts.network)).stream())
                .toList();
    }

    /**
     * A droplet by its name; the oldest of several.
     *
     * @param name the name in the API
     * @return the droplet
     * @throws java.util.NoSuchElementException if there is none that has a machine
     */
    public LocalDroplet droplet(String name) {
        return droplets().stream()
                .filter(d -> d.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /**
     * Puts a host on the public network that belongs to no mesh.
     *
     * @return the host; closed with this cloud at the latest
     * @throws IllegalStateException if droplets are only records
     */
    public Outsider outsider() {
        real(parts.mirror);
        int host = parts.account.takeHost();
        return new Outsider(
                parts.network, "o" + parts.outsiderNumbers.incrementAndGet(), host, () -> parts.account.freeHost(host));
    }

    /** Takes everything away. Does nothing the second time. */
    @Override
    public void close() {
        parts.close();
    }

    private static <T> T real(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("droplets are only records in this local cloud");
        }
        return part;
    }

    /** Options to start a local cloud with. Not thread-safe. */
    public static final class Builder {
        private final LocalCloudOptions options = new LocalCloudOptions();

        private Builder() {}

        /**
         * Sets where base images are kept; {@code /var/cache/promguard-local-cloud} if not set. About 600 MB each.
         *
         * @param folder a folder on a disk that can be the lower layer of an overlay
         * @return this
         */
        public Builder cache(Path folder) {
            options.cache = folder.toAbsolutePath();
            return this;
        }

        /**
         * Sets the public network; a free /24 of 198.18.0.0/15 if not set.
         *
         * @param cidr such as {@code 198.18.7.0/24}
         * @return this
         * @throws InvalidSettingException if it is not an IPv4 /24
         */
        public Builder subnet(String cidr) {
            options.subnet = Network.parse(cidr);
            return this;
        }

        /**
         * Sets the Debian suite that {@link LocalCloud#suiteReleases()} come from and that is made ready at the start; {@code bookworm} if not set.
         * Droplets boot the suite of their own image.
         *
         * @param name {@code bookworm} or {@code trixie}
         * @return this
         * @throws InvalidSettingException if it is another
         */
        public Builder suite(String name) {
            options.suite = LocalCloudOptions.knownSuite(name);
            return this;
        }

        /**
         * Serves the releases of the suite itself, whose Prometheus is 2.x and has web pages, instead of those of Debian's next suite.
         *
         * @return this
         */
        public Builder ownReleases() {
            options.ownReleases = true;
            return this;
        }

        /**
         * Sets the Debian suites that are made ready at the start beside the first one, all at once; none if not set. Others are made
         * ready when the first droplet of that suite is created.
         *
         * @param names {@code bookworm} or {@code trixie}
         * @return this
         * @throws InvalidSettingException if one is another
         */
        public Builder ready(String... names) {
            options.ready = Stream.of(names).map(LocalCloudOptions::knownSuite).toList();
            return this;
        }

        /**
         * Sets the Debian packages that every droplet has from its first boot, as one that is made from a snapshot has; none if not
         * set. They are installed once, and kept beside the base image.
         *
         * @param packages names of packages
         * @return this
         * @throws InvalidSettingException if one is no name of a package
         */
        public Builder installed(String... packages) {
            options.installed = LocalCloudOptions.knownPackages(packages);
            return this;
        }

        /**
         * Sets how many droplets the account may have; 25 if not set. {@link #start()} fails where so many machines do not fit.
         *
         * @param limit 0 or more
         * @return this
         * @throws InvalidSettingException if it is negative
         */
        public Builder dropletLimit(int limit) {
            options.dropletLimit = LocalCloudOptions.atLeast(0, "droplet limit", limit);
            return this;
        }

        /**
         * Sets how many requests an hour are answered before 429; 5,000 if not set, as at DigitalOcean.
         *
         * @param limit 1 or more
         * @return this
         * @throws InvalidSettingException if it is less than 1
         */
        public Builder hourlyLimit(int limit) {
            options.hourlyLimit = LocalCloudOptions.atLeast(1, "hourly limit", limit);
            return this;
        }

        /**
         * Sets how many requests a minute are answered before 429; no limit if not set, for the sake of quick tests. DigitalOcean
         * has 250.
         *
         * @param limit 1 or more
         * @return this
         * @throws InvalidSettingException if it is less than 1
         */
        public Builder minuteLimit(int limit) {
            options.minuteLimit = LocalCloudOptions.atLeast(1, "minute limit", limit);
            return this;
        }

        /**
         * Makes droplets mere records, without machines: needs neither root nor Linux, and serves thousands.
         *
         * @return this
         */
        public Builder recordsOnly() {
            options.recordsOnly = true;
            return this;
        }

        /**
         * Replaces regions, sizes and images.
         *
         * @param json an object of {@code regions} and {@code sizes} as the API lists them, and {@code images}, each an object of
         *     {@code image} as the API lists it and {@code suite}, the Debian suite that boots for it or null
         * @return this
         * @throws InvalidSettingException if it is not a JSON object
         */
        public Builder catalog(String json) {
            options.catalog = Catalog.of(json);
            return this;
        }

        /**
         * Sets who is told what takes long, one line at a time; nobody if not set.
         *
         * @param say the listener
         * @return this
         */
        public Builder progress(Consumer<String> say) {
            options.progress = Objects.requireNonNull(say, "say");
            return this;
        }

        /**
         * Sets who is told of each call and its answer, just before the answer is sent; nobody if not set.
         *
         * @param watch the observer; called by many threads, and quick
         * @return this
         */
        public Builder observer(Consumer<Exchange> watch) {
            options.observer = Objects.requireNonNull(watch, "watch");
            return this;
        }

        /**
         * What it would start.
         *
         * @return such as {@code LocalCloud.Builder[bookworm, at most 25 droplets]}
         */
        @Override
        public String toString() {
            return "LocalCloud.Builder[" + options.suite + ", at most " + Names.counted(options.dropletLimit, "droplet")
                    + ']';
        }

        /**
         * Starts it. The first time on a machine this builds the base image, which takes about a minute.
         *
         * @return the cloud, to be closed
         * @throws LocalCloudException if it cannot run here, and why
         */
        public LocalCloud start() {
            if (!options.recordsOnly) {
                Support support = support();
                if (!support.ok()) {
                    throw new LocalCloudException(support.toString());
                }
            }
            return new LocalCloud(options.copy());
        }
    }
}
