package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Planner;
import dev.promguard.blueprint.Release;
import dev.promguard.blueprint.Role;
import dev.promguard.internal.run.PollIntervals;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.Secret;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.StateStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Says what a mesh is to be. Nulls are refused at once; everything else is checked by {@link #build()}, which names all faults
 * together. Not thread-safe; what it builds is.
 */
public final class MeshBuilder {
    private static final List<String> NODE_REGIONS = List.of("lon1", "sfo3", "sgp1");
    private static final int MOST_NODES = 65_536;
    private static final String EXISTING = "existing";

    private String name = "promguard";
    private String network = "10.0.0.0/24";
    private int wireGuardPort = 51820;
    private boolean presharedKeys = true;
    private boolean hostsFile;
    private int nodeExporterPort = 9100;
    private Release nodeExporter = Release.nodeExporter();
    private PrometheusBuilder prometheus = new PrometheusBuilder();
    private @Nullable String region;
    private @Nullable String size;
    private @Nullable String image;
    private final List<HostBuilder> monitors = new ArrayList<>();
    private final Map<String, HostBuilder> namedMonitors = new LinkedHashMap<>();
    private final Map<String, HostBuilder> namedNodes = new LinkedHashMap<>();
    private final List<Exporter> exporters = new ArrayList<>();
    private int nodes;
    private List<String> nodeRegions = NODE_REGIONS;
    private @Nullable CloudProvider provider;
    private @Nullable HostApplier applier;
    private final Services services;
    private StateStore state = FileStateStore.inHome();
    private MeshListener listener = MeshListener.none();
    private KeySource keySource = KeySource.random();
    private int parallelism = 32;
    private Duration sshPatience = Duration.ofMinutes(3);
    private PollIntervals waits = PollIntervals.ofDefaults();
    private final List<String> faults = new ArrayList<>();

    MeshBuilder() {
        services = new Services();
    }

    MeshBuilder(MeshBuilder other) {
        name = other.name;
        network = other.network;
        wireGuardPort = other.wireGuardPort;
        presharedKeys = other.presharedKeys;
        hostsFile = other.hostsFile;
        nodeExporterPort = other.nodeExporterPort;
        nodeExporter = other.nodeExporter;
        prometheus = new PrometheusBuilder(other.prometheus);
        region = other.region;
        size = other.size;
        image = other.image;
        monitors.addAll(other.monitors);
        namedMonitors.putAll(other.namedMonitors);
        namedNodes.putAll(other.namedNodes);
        exporters.addAll(other.exporters);
        nodes = other.nodes;
        nodeRegions = other.nodeRegions;
        provider = other.provider;
        applier = other.applier;
        services = other.services;
        state = other.state;
        listener = other.listener;
        keySource = other.keySource;
        parallelism = other.parallelism;
        sshPatience = other.sshPatience;
        waits = other.waits;
        faults.addAll(other.faults);
    }

    /**
     * The mesh's name. Hosts are named after it, and what is made in the cloud is marked with it. {@code promguard} unless said.
     *
     * @param value at most 32 lower-case letters, digits and dashes, starting with a letter
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder name(String value) {
        name = Objects.requireNonNull(value, "name");
        return this;
    }

    /**
     * Adds a monitor in a region.
     *
     * @param inRegion the provider's word for a region, such as {@code tor1}
     * @return this builder
     * @throws NullPointerException if {@code inRegion} is null
     */
    public MeshBuilder monitor(String inRegion) {
        Objects.requireNonNull(inRegion, "region");
        return monitor(host -> host.region(inRegion));
    }

    /**
     * Adds a monitor, named after the mesh.
     *
     * @param host says how it is to be
     * @return this builder
     * @throws NullPointerException if {@code host} is null
     */
    public MeshBuilder monitor(Consumer<HostBuilder> host) {
        HostBuilder builder = new HostBuilder();
        host.accept(builder);
        monitors.add(builder);
        return this;
    }

    /**
     * Adds a monitor with a name of its own.
     *
     * @param hostName at most 63 lower-case letters, digits and dashes
     * @param host says how it is to be
     * @return this builder
     * @throws NullPointerException if an argument is null
     */
    public MeshBuilder monitor(String hostName, Consumer<HostBuilder> host) {
        return named(namedMonitors, "monitor", hostName, host);
    }

    /**
     * Has as many nodes, named after the mesh and numbered from 1. Saying it again replaces the number. Regions are those said
     * before, or lon1, sfo3 and sgp1 in turn; hosts that are there already have the region of {@link #region(String)}.
     *
     * @param count how many, 0 or more
     * @return this builder
     */
    public MeshBuilder nodes(int count) {
        nodes = count;
        return this;
    }

    /**
     * Has as many nodes, named after the mesh and numbered from 1, in these regions in turn.
     *
     * @param count how many, 0 or more
     * @param inRegions the provider's words for regions, at least one
     * @return this builder
     * @throws NullPointerException if a region is null
     */
    public MeshBuilder nodes(int count, String... inRegions) {
        nodes = count;
        nodeRegions = List.of(inRegions);
        return this;
    }

    /**
     * Adds a node with a name of its own.
     *
     * @param hostName at most 63 lower-case letters, digits and dashes
     * @param host says how it is to be
     * @return this builder
     * @throws NullPointerException if an argument is null
     */
    public MeshBuilder node(String hostName, Consumer<HostBuilder> host) {
        return named(namedNodes, "node", hostName, host);
    }

    private MeshBuilder named(
            Map<String, HostBuilder> hosts, String role, String hostName, Consumer<HostBuilder> host) {
        HostBuilder builder = new HostBuilder();
        host.accept(builder);
        if (hosts.put(Objects.requireNonNull(hostName, "name"), builder) != null) {
            faults.add(role + " name " + Names.quote(hostName) + " stands twice: give each host a name of its own");
        }
        return this;
    }

    /**
     * The region of hosts that name none. {@code tor1} unless said; {@code existing} for hosts that are there already, where it
     * is but a label.
     *
     * @param value the provider's word for a region
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder region(String value) {
        region = Objects.requireNonNull(value, "region");
        return this;
    }

    /**
     * The size of hosts that name none. {@code s-1vcpu-1gb} unless said; for hosts that are there already it means nothing.
     *
     * @param value the provider's word for a size
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder size(String value) {
        size = Objects.requireNonNull(value, "size");
        return this;
    }

    /**
     * The image of hosts that name none. {@code debian-12-x64} unless said; for hosts that are there already it means nothing.
     *
     * @param value the provider's word for an image of Debian or Ubuntu
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder image(String value) {
        image = Objects.requireNonNull(value, "image");
        return this;
    }

    /**
     * The network inside the tunnels. {@code 10.0.0.0/24} unless said. Monitors get the first addresses.
     *
     * @param cidr a private IPv4 or IPv6 network, such as {@code 10.44.0.0/24} or {@code fd00:44::/64}
     * @return this builder
     * @throws NullPointerException if {@code cidr} is null
     */
    public MeshBuilder network(String cidr) {
        network = Objects.requireNonNull(cidr, "network");
        return this;
    }

    /**
     * The UDP port of WireGuard on every host. 51820 unless said.
     *
     * @param value 1 to 65535
     * @return this builder
     */
    public MeshBuilder wireGuardPort(int value) {
        wireGuardPort = value;
        return this;
    }

    /**
     * Whether each pair of peers also holds a preshared key, a symmetric one, which keeps what is recorded today closed to a
     * later quantum computer. On unless said. Made by an apply, held by the two hosts alone.
     *
     * @param value whether they do
     * @return this builder
     * @see Mesh#rotateKeys()
     */
    public MeshBuilder presharedKeys(boolean value) {
        presharedKeys = value;
        return this;
    }

    /**
     * Whether every host has the names of all hosts in its {@code /etc/hosts}, monitors included, as {@code HOST.MESH.mesh}: such as
     * {@code db-1.shop.mesh} for {@code db-1} of mesh {@code shop}, with the address inside the tunnels. Off unless said. They stand in a
     * block of their own at the beginning of the file; all else in it is left as it is, and switching this off, {@link Mesh#destroy()} and
     * leaving the mesh remove the block. Where cloud-init manages the file ({@code manage_etc_hosts: true}), a boot writes the file
     * anew without the block: this is drift, which the next apply puts right. To keep it, set {@code manage_etc_hosts: false} there.
     *
     * @param value whether they have
     * @return this builder
     */
    public MeshBuilder hostsFile(boolean value) {
        hostsFile = value;
        return this;
    }

    /**
     * The TCP port of node_exporter on every host's WireGuard address. 9100 unless said.
     *
     * @param value 1 to 65535
     * @return this builder
     */
    public MeshBuilder nodeExporterPort(int value) {
        nodeExporterPort = value;
        return this;
    }

    /**
     * Which node_exporter to run. {@link Release#nodeExporter()} unless said.
     *
     * @param value a release named {@code node_exporter}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder nodeExporter(Release value) {
        nodeExporter = Objects.requireNonNull(value, "release");
        return this;
    }

    /**
     * Runs one exporter more on every node, named or numbered, beside node_exporter. Monitors do not run it: say
     * {@link HostBuilder#exporter(Exporter)} for a monitor that is to. A node with one of the same name of its own runs that instead.
     *
     * @param value the exporter, such as {@link Exporters#blackbox()}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder exporter(Exporter value) {
        exporters.add(Objects.requireNonNull(value, "exporter"));
        return this;
    }

    /**
     * How Prometheus is to run.
     *
     * @param settings says how
     * @return this builder
     * @throws NullPointerException if {@code settings} is null
     */
    public MeshBuilder prometheus(Consumer<PrometheusBuilder> settings) {
        settings.accept(prometheus);
        return this;
    }

    /**
     * The cloud that hosts are made in. Unless said, the one on the class path, which is made once for a mesh and the meshes derived
     * from it.
     *
     * @param value the provider; may serve several meshes, and is not closed by PromGuard
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder provider(CloudProvider value) {
        provider = Objects.requireNonNull(value, "provider");
        return this;
    }

    /**
     * The way to the hosts. Unless said, the one on the class path.
     *
     * @param value the applier
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder applier(HostApplier value) {
        applier = Objects.requireNonNull(value, "applier");
        return this;
    }

    /**
     * Where the mesh's state and login key are kept. Unless said, under {@code ~/.promguard}.
     *
     * @param value the store
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder state(StateStore value) {
        state = Objects.requireNonNull(value, "state");
        return this;
    }

    /**
     * Keeps the mesh's state and login key in a folder named after the mesh under this one.
     *
     * @param root the folder; made when first needed
     * @return this builder
     * @throws NullPointerException if {@code root} is null
     */
    public MeshBuilder state(Path root) {
        return state(new FileStateStore(root));
    }

    /**
     * Who is told what happens. Nobody unless said.
     *
     * @param value the listener, such as {@link Progress#console()}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder listener(MeshListener value) {
        listener = Objects.requireNonNull(value, "listener");
        return this;
    }

    /**
     * Where WireGuard keys come from. The platform's strong random source unless said.
     *
     * @param value the key source
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder keySource(KeySource value) {
        keySource = Objects.requireNonNull(value, "keySource");
        return this;
    }

    /**
     * How many hosts are worked on at once. 32 unless said.
     *
     * @param hosts 1 to 256
     * @return this builder
     */
    public MeshBuilder parallelism(int hosts) {
        parallelism = hosts;
        return this;
    }

    /**
     * How long a host may take to answer over SSH before an apply gives it up. 3 minutes unless said: new hosts may still be
     * booting.
     *
     * @param value one second to one hour
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public MeshBuilder sshPatience(Duration value) {
        sshPatience = Objects.requireNonNull(value, "sshPatience");
        return this;
    }

    /**
     * Checks the whole and makes the mesh. Nothing is read, made or changed yet.
     *
     * @return the mesh
     * @throws InvalidMeshException if something cannot be; it names every fault
     */
    public Mesh build() {
        List<String> all = new ArrayList<>(faults);
        if (nodes < 0) {
            all.add("nodes " + nodes + " is less than none: use 0 or more");
        }
        if (nodes > MOST_NODES) {
            all.add("nodes " + nodes + " is more than one mesh can hold: use at most " + MOST_NODES);
        }
        if (nodeRegions.isEmpty()) {
            all.add("nodes: no region given: name at least one, or leave them out");
        }
        if (parallelism < 1 || parallelism > 256) {
            all.add("parallelism " + parallelism + " is out of range: use 1 to 256");
        }
        if (sshPatience.compareTo(Duration.ofSeconds(1)) < 0 || sshPatience.compareTo(Duration.ofHours(1)) > 0) {
            all.add("sshPatience " + sshPatience + " is out of range: use one second to one hour");
        }
        MeshSpec spec = new MeshSpec(
                name,
                network,
                wireGuardPort,
                presharedKeys,
                hostsFile,
                nodeExporterPort,
                prometheus.spec(),
                nodeExporter,
                hosts());
        all.addAll(Planner.faults(spec));
        if (!all.isEmpty()) {
            throw new InvalidMeshException(name, all);
        }
        return new Mesh(new MeshBuilder(this), spec);
    }

    private List<HostSpec> hosts() {
        List<HostSpec> hosts = new ArrayList<>();
        for (int i = 0; i < monitors.size(); i++) {
            hosts.add(host(name + "-monitor-" + (i + 1), Role.MONITOR, monitors.get(i)));
        }
        namedMonitors.forEach((hostName, builder) -> hosts.add(host(hostName, Role.MONITOR, builder)));
        for (int i = 0; i < nodes && nodes <= MOST_NODES && !nodeRegions.isEmpty(); i++) {
            HostBuilder builder = new HostBuilder();
            if (!isInventory() || nodeRegions != NODE_REGIONS) {
                builder.region(nodeRegions.get(i % nodeRegions.size()));
            }
            hosts.add(host(name + "-node-" + (i + 1), Role.NODE, builder));
        }
        namedNodes.forEach((hostName, builder) -> hosts.add(host(hostName, Role.NODE, builder)));
        return hosts;
    }

    private HostSpec host(String hostName, Role role, HostBuilder builder) {
        return new HostSpec(
                hostName,
                role,
                firstOf(builder.region(), region, "tor1"),
                firstOf(builder.size(), size, "s-1vcpu-1gb"),
                firstOf(builder.image(), image, "debian-12-x64"),
                builder.exporters(role == Role.NODE ? exporters : List.of()),
                builder.services(),
                builder.openPorts());
    }

    private String firstOf(@Nullable String said, @Nullable String usual, String unsaid) {
        return said != null ? said : usual != null ? usual : isInventory() ? EXISTING : unsaid;
    }

    private boolean isInventory() {
        return provider != null && provider.inventory().isPresent();
    }

    /**
     * Builds the mesh and makes every decision about it that can be made before anything exists.
     *
     * @return the blueprint
     * @throws InvalidMeshException if something cannot be
     * @see Mesh#blueprint()
     */
    public Blueprint blueprint() {
        return build().blueprint();
    }

    /**
     * Builds the mesh and looks what would be done.
     *
     * @return the plan
     * @throws PromGuardException see {@link Mesh#plan()}
     */
    public Plan plan() {
        return build().plan();
    }

    /**
     * Builds the mesh and brings it about.
     *
     * @return what was done
     * @throws PromGuardException see {@link Mesh#apply()}
     */
    public ApplyReport apply() {
        return build().apply();
    }

    @Nullable
    CloudProvider provider() {
        return provider;
    }

    @Nullable
    HostApplier applier() {
        return applier;
    }

    Services services() {
        return services;
    }

    StateStore state() {
        return state;
    }

    MeshListener listener() {
        return listener;
    }

    KeySource keySource() {
        return keySource;
    }

    /** The secrets of the remote writes, by their names. */
    Map<String, Secret> prometheusSecrets() {
        return prometheus.secrets();
    }

    Duration sshPatience() {
        return sshPatience;
    }

    int parallelism() {
        return parallelism;
    }

    PollIntervals waits() {
        return waits;
    }

    /** How long the verbs wait before they look again. */
    MeshBuilder waits(PollIntervals value) {
        waits = value;
        return this;
    }
}
