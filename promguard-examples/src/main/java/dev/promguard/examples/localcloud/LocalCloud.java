package dev.promguard.examples.localcloud;

import dev.promguard.blueprint.Release;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.keys.Secret;
import dev.promguard.spi.CloudProvider;
import java.net.URI;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
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

    private static final SecureRandom RANDOM = new SecureRandom();

    private final Builder options;
    private final String token = newToken();
    private final String readOnlyToken = newToken();
    private final Map<String, BaseImage> images = new ConcurrentHashMap<>();
    private final AtomicInteger machineNumbers = new AtomicInteger();
    private final AtomicInteger outsiderNumbers = new AtomicInteger();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final ExecutorService workers = Executors.newFixedThreadPool(8, daemons("local-cloud-worker"));
    private final ExecutorService servers = Executors.newCachedThreadPool(daemons("local-cloud-http"));
    private final Network network;
    private final Account account;
    private final ApiServer api;
    private final Runs.@Nullable Run run;
    private final @Nullable ReleaseMirror mirror;
    private final @Nullable ReleaseMirror ipv6Mirror;
    private final @Nullable Thread hook;

    private LocalCloud(Builder options) {
        this.options = options;
        if (options.recordsOnly) {
            run = null;
            mirror = null;
            ipv6Mirror = null;
            hook = null;
            network = Network.ofRecords(options.subnet);
            account = account(options, network, workers, droplet -> null);
        } else {
            BaseImage image = ready();
            Network[] made = new Network[1];
            Runs.Run begun = Runs.begin(
                    Math.min(options.dropletLimit, Network.MOST_HOSTS), r -> made[0] = Network.make(r, options.subnet));
            run = begun;
            network = made[0];
            account = account(options, network, workers, this::machine);
            mirror = new ReleaseMirror(network.gateway(), image.releaseFolders(), servers);
            ipv6Mirror = Network.hasIpv6()
                    ? new ReleaseMirror('[' + network.ipv6Gateway() + ']', image.releaseFolders(), servers)
                    : null;
            hook = new Thread(
                    () -> {
                        options.progress.accept("stopped: removing machines, network and rules");
                        takeDown();
                    },
                    "local-cloud-shutdown");
            Runtime.getRuntime().addShutdownHook(hook);
        }
        ApiServer.Gate gate =
                new ApiServer.Gate(token, readOnlyToken, options.hourlyLimit, options.minuteLimit, options.observer);
        api = new ApiServer(account, options.catalog, run != null, gate, servers);
    }

    private static Account account(Builder options, Network network, ExecutorService workers, Account.Bodies bodies) {
        return new Account(
                network, bodies, options.faults, workers, options.dropletLimit, CatalogApi.regions(options.catalog));
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
        return api.endpoint();
    }

    /**
     * A token that may do everything.
     *
     * @return {@code dop_v1_} and 64 hexadecimal digits, new each time
     */
    public String token() {
        return token;
    }

    /**
     * A token that may only read: anything but GET is answered with 403.
     *
     * @return {@code dop_v1_} and 64 hexadecimal digits, new each time
     */
    public String readOnlyToken() {
        return readOnlyToken;
    }

    /**
     * Where droplets get releases from: a file name of {@link #releases()} appended to it resolves.
     *
     * @return a URI at the bridge's address that ends in a slash
     * @throws IllegalStateException if droplets are only records
     */
    public URI releaseMirror() {
        return real(mirror).uri();
    }

    /**
     * Where droplets without IPv4 get releases from, as from {@link #releaseMirror()}.
     *
     * @return a URI at the bridge's IPv6 address that ends in a slash; empty where this machine has no IPv6
     * @throws IllegalStateException if droplets are only records
     */
    public Optional<URI> ipv6ReleaseMirror() {
        real(mirror);
        return Optional.ofNullable(ipv6Mirror).map(ReleaseMirror::uri);
    }

    /**
     * What the mirror has: Prometheus, node_exporter and blackbox_exporter as Debian builds them, for this machine's processor.
     *
     * @return the releases
     * @throws IllegalStateException if droplets are only records
     */
    public List<LocalRelease> releases() {
        real(mirror);
        return image(options.suite).releases();
    }

    /**
     * The programs of {@link #releases()} once more under another version, {@code 2.42.0-next} say, for trying upgrades. Made when
     * first asked for, which takes some seconds; the mirror has them from then on.
     *
     * @return the releases, in the order of {@link #releases()}
     * @throws IllegalStateException if droplets are only records
     * @throws LocalCloudException if they cannot be made
     */
    public List<LocalRelease> nextReleases() {
        real(mirror);
        return image(options.suite).nextReleases();
    }

    /**
     * DigitalOcean's own provider, pointed at this cloud; its hosts get the releases of {@link #releases()}.
     *
     * @return a provider for {@link dev.promguard.MeshBuilder#provider}
     */
    public CloudProvider provider() {
        List<Release> served = run == null
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
     * The public network.
     *
     * @return an IPv4 /24 such as {@code 198.18.7.0/24}
     */
    public String subnet() {
        return network.subnet() + "0/24";
    }

    /**
     * The address of this machine on the public network.
     *
     * @return an IPv4 address
     */
    public String gateway() {
        return network.gateway();
    }

    /**
     * The name that everything of this run carries: its interfaces, namespaces, firewall rules and folder.
     *
     * @return the name; empty if droplets are only records
     */
    public String name() {
        return run == null ? "" : run.name();
    }

    /**
     * A folder that is removed with the cloud, also after a kill: a place for the state of meshes that live no longer than it.
     *
     * @return the folder, empty at first
     * @throws IllegalStateException if droplets are only records
     */
    public Path folder() {
        return real(run).folder();
    }

    /**
     * What can be made to go wrong.
     *
     * @return the switches
     */
    public Faults faults() {
        return options.faults;
    }

    /**
     * The calls that have reached the API, in order.
     *
     * @return a copy
     */
    public List<RecordedRequest> requests() {
        return api.requests();
    }

    /** Forgets the calls so far. */
    public void forgetRequests() {
        api.forgetRequests();
    }

    /**
     * The droplets that have a machine, by age.
     *
     * @return a copy
     */
    public List<LocalDroplet> droplets() {
        return account.droplets(d -> d.machine() != null).stream()
                .flatMap(d -> Optional.ofNullable(d.machine()).map(m -> new LocalDroplet(d, m, network)).stream())
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
        real(mirror);
        int host = account.takeHost();
        return new Outsider(network, "o" + outsiderNumbers.incrementAndGet(), host, () -> account.freeHost(host));
    }

    /** Takes everything away. Does nothing the second time. */
    @Override
    public void close() {
        Thread registered = hook;
        if (registered != null && !closed.get()) {
            try {
                Runtime.getRuntime().removeShutdownHook(registered);
            } catch (IllegalStateException e) {
                // The JVM is on its way down, and the hook does the rest.
                return;
            }
        }
        takeDown();
    }

    private void takeDown() {
        if (closed.getAndSet(true)) {
            return;
        }
        api.close();
        if (mirror != null) {
            mirror.close();
        }
        if (ipv6Mirror != null) {
            ipv6Mirror.close();
        }
        workers.shutdownNow();
        servers.shutdownNow();
        awaitWorkers();
        account.droplets(d -> true).parallelStream()
                .flatMap(d -> Optional.ofNullable(d.machine()).stream())
                .forEach(Machine::powerOff);
        if (run != null) {
            run.end();
        }
    }

    private void awaitWorkers() {
        try {
            if (!workers.awaitTermination(60, TimeUnit.SECONDS)) {
                throw new LocalCloudException("a machine neither booted nor stopped within a minute");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Machine machine(Droplet droplet) {
        Runs.Run mine = run;
        if (mine == null) {
            throw new IllegalStateException("droplets are only records");
        }
        String number = Integer.toString(machineNumbers.incrementAndGet());
        Droplet.Spec spec = droplet.spec();
        return new Machine(
                mine.name(),
                number,
                mine.machines().resolve(number),
                network,
                new Machine.Spec(
                        droplet.id(),
                        spec.name(),
                        droplet.host(),
                        layers(spec.image().suite()),
                        spec.publicKeys(),
                        spec.userData(),
                        true,
                        spec.has(Droplet.Option.IPV6)));
    }

    /** Makes ready what droplets are to start from, each suite beside the others. Returns the image that has the releases. */
    private BaseImage ready() {
        List<CompletableFuture<Void>> others = options.ready.stream()
                .filter(suite -> !suite.equals(options.suite))
                .map(suite -> CompletableFuture.runAsync(() -> layers(suite), workers))
                .toList();
        layers(options.suite);
        try {
            others.forEach(CompletableFuture::join);
        } catch (CompletionException e) {
            if (e.getCause() instanceof LocalCloudException cause) {
                throw cause;
            }
            throw e;
        }
        return image(options.suite);
    }

    /** What a droplet of a suite stands on; made if it is not there yet. */
    private List<Path> layers(String suite) {
        return image(suite).layers(options.installed);
    }

    private BaseImage image(String suite) {
        return images.computeIfAbsent(
                suite, s -> BaseImage.obtain(options.cache, s, s.equals(options.suite), options.progress));
    }

    private static <T> T real(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("droplets are only records in this local cloud");
        }
        return part;
    }

    private static String newToken() {
        byte[] bytes = new byte[32];
        RANDOM.nextBytes(bytes);
        return "dop_v1_" + HexFormat.of().formatHex(bytes);
    }

    private static ThreadFactory daemons(String name) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Options to start a local cloud with. Not thread-safe. */
    public static final class Builder {
        private Path cache = Path.of("/var/cache/promguard-local-cloud");
        private @Nullable String subnet;
        private String suite = "bookworm";
        private List<String> installed = List.of();
        private List<String> ready = List.of();
        private int dropletLimit = 25;
        private int hourlyLimit = 5000;
        private int minuteLimit = Integer.MAX_VALUE;
        private boolean recordsOnly;
        private Faults faults = new Faults();
        private Catalog catalog = Catalog.usual();
        private Consumer<String> progress = line -> {};
        private Consumer<Exchange> observer = exchange -> {};

        private Builder() {}

        /**
         * Sets where base images are kept; {@code /var/cache/promguard-local-cloud} if not set. About 600 MB each.
         *
         * @param folder a folder on a disk that can be the lower layer of an overlay
         * @return this
         */
        public Builder cache(Path folder) {
            cache = folder.toAbsolutePath();
            return this;
        }

        /**
         * Sets the public network; a free /24 of 198.18.0.0/15 if not set.
         *
         * @param cidr such as {@code 198.18.7.0/24}
         * @return this
         * @throws IllegalArgumentException if it is not an IPv4 /24
         */
        public Builder subnet(String cidr) {
            subnet = Network.parse(cidr);
            return this;
        }

        /**
         * Sets the Debian suite that the release tarballs come from and that is made ready at the start; {@code bookworm} if not set.
         * Droplets boot the suite of their own image.
         *
         * @param name {@code bookworm} or {@code trixie}
         * @return this
         * @throws IllegalArgumentException if it is another
         */
        public Builder suite(String name) {
            suite = known(name);
            return this;
        }

        /**
         * Sets the Debian suites that are made ready at the start beside the first one, all at once; none if not set. Others are made
         * ready when the first droplet of that suite is created.
         *
         * @param names {@code bookworm} or {@code trixie}
         * @return this
         * @throws IllegalArgumentException if one is another
         */
        public Builder ready(String... names) {
            ready = Stream.of(names).map(Builder::known).toList();
            return this;
        }

        private static String known(String suite) {
            if (!List.of("bookworm", "trixie").contains(suite)) {
                throw new IllegalArgumentException("suite is " + suite + ", but must be bookworm or trixie");
            }
            return suite;
        }

        /**
         * Sets the Debian packages that every droplet has from its first boot, as one that is made from a snapshot has; none if not
         * set. They are installed once, and kept beside the base image.
         *
         * @param packages names of packages
         * @return this
         * @throws IllegalArgumentException if one is no name of a package
         */
        public Builder installed(String... packages) {
            for (String name : packages) {
                if (!name.matches("[a-z0-9][a-z0-9+.-]+")) {
                    throw new IllegalArgumentException(
                            "package is " + name + ", but must be a name as Debian has them");
                }
            }
            installed = List.of(packages);
            return this;
        }

        /**
         * Sets how many droplets the account may have; 25 if not set. {@link #start()} fails where so many machines do not fit.
         *
         * @param limit 0 or more
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder dropletLimit(int limit) {
            if (limit < 0) {
                throw new IllegalArgumentException("droplet limit is " + limit + ", but must not be negative");
            }
            dropletLimit = limit;
            return this;
        }

        /**
         * Sets how many requests an hour are answered before 429; 5,000 if not set, as at DigitalOcean.
         *
         * @param limit 1 or more
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder hourlyLimit(int limit) {
            if (limit < 1) {
                throw new IllegalArgumentException("hourly limit is " + limit + ", but must be at least 1");
            }
            hourlyLimit = limit;
            return this;
        }

        /**
         * Sets how many requests a minute are answered before 429; no limit if not set, for the sake of quick tests. DigitalOcean
         * has 250.
         *
         * @param limit 1 or more
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder minuteLimit(int limit) {
            if (limit < 1) {
                throw new IllegalArgumentException("minute limit is " + limit + ", but must be at least 1");
            }
            minuteLimit = limit;
            return this;
        }

        /**
         * Makes droplets mere records, without machines: needs neither root nor Linux, and serves thousands.
         *
         * @return this
         */
        public Builder recordsOnly() {
            recordsOnly = true;
            return this;
        }

        /**
         * Replaces regions, sizes and images.
         *
         * @param json an object of {@code regions} and {@code sizes} as the API lists them, and {@code images}, each an object of
         *     {@code image} as the API lists it and {@code suite}, the Debian suite that boots for it or null
         * @return this
         * @throws IllegalArgumentException if it is not JSON
         */
        public Builder catalog(String json) {
            catalog = Catalog.of(json);
            return this;
        }

        /**
         * Sets who is told what takes long, one line at a time; nobody if not set.
         *
         * @param say the listener
         * @return this
         */
        public Builder progress(Consumer<String> say) {
            progress = say;
            return this;
        }

        /**
         * Sets who is told of each call and its answer, just before the answer is sent; nobody if not set.
         *
         * @param watch the observer; called by many threads, and quick
         * @return this
         */
        public Builder observer(Consumer<Exchange> watch) {
            observer = watch;
            return this;
        }

        /**
         * Starts it. The first time on a machine this builds the base image, which takes about a minute.
         *
         * @return the cloud, to be closed
         * @throws LocalCloudException if it cannot run here, and why
         */
        public LocalCloud start() {
            if (!recordsOnly) {
                Support support = support();
                if (!support.ok()) {
                    throw new LocalCloudException(support.toString());
                }
            }
            return new LocalCloud(copy());
        }

        private Builder copy() {
            Builder copy = new Builder();
            copy.cache = cache;
            copy.subnet = subnet;
            copy.suite = suite;
            copy.installed = installed;
            copy.ready = ready;
            copy.dropletLimit = dropletLimit;
            copy.hourlyLimit = hourlyLimit;
            copy.minuteLimit = minuteLimit;
            copy.recordsOnly = recordsOnly;
            copy.faults = new Faults();
            copy.catalog = catalog;
            copy.progress = progress;
            copy.observer = observer;
            return copy;
        }
    }
}
