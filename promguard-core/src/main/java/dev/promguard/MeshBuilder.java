package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Planner;
import dev.promguard.blueprint.PrometheusSpec;
import dev.promguard.blueprint.Release;
import dev.promguard.blueprint.Role;
import dev.promguard.blueprint.ValueChecks;
import dev.promguard.blueprint.ViewerSpec;
import dev.promguard.blueprint.WireGuardSpec;
import dev.promguard.internal.run.Adoption;
import dev.promguard.internal.run.PollIntervals;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.StateStore;
import dev.promguard.state.FileStateStore;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Describes a mesh. Not thread-safe, but the {@link Mesh} that it builds is.
 *
 * <pre>{@code
 * Mesh mesh = Mesh.builder()
 *         .name("shop")
 *         .network("10.44.0.0/24")
 *         .monitor(host -> host.region("fra1").size("s-2vcpu-4gb"))
 *         .node("db-1", host -> host.region("ams3").expose("postgres", 9187))
 *         .nodes(2, "lon1", "sgp1")
 *         .listener(Progress.console())
 *         .build();
 * }</pre>
 *
 * <p>A method with a plain name sets: called again, it replaces what it set before (for a named host: that one). A method that starts
 * with {@code add} adds. A method that starts with {@code edit} changes one host and keeps the rest of its settings. A method that
 * starts with {@code without} removes. Each throws {@link NullPointerException} if an argument is null, and
 * {@link InvalidSettingException} if a value is malformed or what is to be edited or removed is not there. {@link #build()}
 * checks everything that concerns several settings.
 *
 * <p>Hosts without a name of their own are numbered: {@code NAME-monitor-1}, {@code NAME-node-1} and so on, where NAME is the
 * mesh's name. If one is removed, the others keep their numbers.
 */
public final class MeshBuilder extends MeshHostsBuilder {
    private String name = "promguard";
    private String network = "10.0.0.0/24";
    private String interfaceName = WireGuardSpec.DEFAULT.interfaceName();
    private OptionalInt mtu = OptionalInt.empty();
    private int wireGuardPort = 51820;
    private boolean presharedKeys = true;
    private boolean hostsFile;
    private int nodeExporterPort = 9100;
    private Release nodeExporter = Release.nodeExporter();
    private PrometheusSpec prometheus = PrometheusSpec.usual();
    private Map<String, Secret> remoteWriteSecrets;
    private @Nullable CloudProvider provider;
    private @Nullable HostApplier applier;
    private final Services services;
    private StateStore state;
    private MeshListener listener;
    private KeySource keySource;
    private int parallelism;
    private Duration sshTimeout;
    private PollIntervals waits;
    private boolean removalAllowed;
    private final Map<String, ViewerSpec> viewers = new LinkedHashMap<>();
    private List<String> loginKeys = List.of();
    private final Map<String, Adoption> adoptions = new LinkedHashMap<>();
    private Clock clock;

    MeshBuilder() {
        this(DeclaredHosts.NONE, MeshSettings.ofDefaults());
    }

    MeshBuilder(MeshSpec spec, DeclaredHosts declared, MeshSettings settings) {
        this(declared, settings);
        name = spec.name();
        network = spec.network();
        interfaceName = spec.wireGuard().interfaceName();
        mtu = spec.wireGuard().mtu();
        wireGuardPort = spec.wireGuardPort();
        presharedKeys = spec.presharedKeys();
        hostsFile = spec.hostsFile();
        nodeExporterPort = spec.nodeExporterPort();
        nodeExporter = spec.nodeExporter();
        prometheus = spec.prometheus();
        spec.viewers().forEach(viewer -> viewers.put(viewer.name(), viewer));
        loginKeys = spec.loginKeys();
    }

    private MeshBuilder(DeclaredHosts declared, MeshSettings settings) {
        super(declared);
        provider = settings.provider().orElse(null);
        applier = settings.applier().orElse(null);
        services = settings.services();
        state = settings.state();
        listener = settings.listener();
        keySource = settings.keySource();
        remoteWriteSecrets = settings.remoteWriteSecrets();
        parallelism = settings.parallelism();
        sshTimeout = settings.sshTimeout();
        waits = settings.pollIntervals();
        removalAllowed = settings.removalAllowed();
        adoptions.putAll(settings.adoptions());
        clock = settings.clock();
    }

    @Override
    MeshBuilder self() {
        return this;
    }

    @Override
    String meshName() {
        return name;
    }

    /**
     * Sets the mesh's name. Numbered hosts are named after it, and what is created in the cloud is tagged with it. {@code promguard}
     * by default.
     *
     * @param name 1 to 32 lower-case letters, digits and dashes, starting with a letter and not ending with a dash
     * @return this builder
     */
    public MeshBuilder name(String name) {
        Objects.requireNonNull(name, "name");
        ValueChecks.require(ValueChecks.meshName(name));
        this.name = name;
        return this;
    }

    /**
     * Sets the network inside the tunnels. {@code 10.0.0.0/24} by default. Monitors get the first addresses.
     *
     * @param cidr a private IPv4 or IPv6 network, such as {@code 10.44.0.0/24} or {@code fd00:44::/64}
     * @return this builder
     */
    public MeshBuilder network(String cidr) {
        Objects.requireNonNull(cidr, "cidr");
        ValueChecks.require(ValueChecks.network(cidr));
        network = cidr;
        return this;
    }

    /**
     * Sets the name of the WireGuard interface on every host. {@code wg0} by default. Choose another where a host has a {@code wg0} of
     * its own, which then stays as it is. A mesh that runs keeps its name: {@link Mesh#plan()} and {@link Mesh#apply()} refuse another
     * until it was destroyed.
     *
     * @param name 1 to 15 letters, digits, dashes and underscores, starting with a letter; not {@code lo}, {@code all}, {@code default}
     *     or {@code interfaces}
     * @return this builder
     */
    public MeshBuilder interfaceName(String name) {
        Objects.requireNonNull(name, "name");
        ValueChecks.require(ValueChecks.interfaceName(name));
        interfaceName = name;
        return this;
    }

    /**
     * Sets the MTU of the WireGuard interface on every host. By default it is 80 bytes less than what the host's default route takes, and at
     * most 1420. Set a lower one where the way between two hosts takes less than that and drops the rest silently: connections are made
     * then, and large answers never arrive. A packet in the tunnel is up to 80 bytes larger outside (IPv6, UDP and WireGuard's own
     * headers).
     *
     * @param bytes 576, which every IPv4 host takes (RFC 791), to 65455, the largest packet less these headers; at least 1280 where the
     *     mesh's network is IPv6 (RFC 8200)
     * @return this builder
     * @see HostBuilder#mtu
     */
    public MeshBuilder mtu(int bytes) {
        ValueChecks.require(ValueChecks.mtu(bytes, ""));
        mtu = OptionalInt.of(bytes);
        return this;
    }

    /**
     * Sets the UDP port of WireGuard on every host. 51820 by default.
     *
     * @param port 1 to 65535, not 22
     * @return this builder
     */
    public MeshBuilder wireGuardPort(int port) {
        ValueChecks.require(ValueChecks.port("wireGuardPort", port, ""));
        wireGuardPort = port;
        return this;
    }

    /**
     * Sets whether each pair of peers also has a preshared key. This symmetric key protects traffic that is recorded today from
     * future quantum computers. True by default. An apply generates the key, and only the two hosts keep it.
     *
     * @param presharedKeys whether they do
     * @return this builder
     * @see Mesh#rotateKeys()
     */
    public MeshBuilder presharedKeys(boolean presharedKeys) {
        this.presharedKeys = presharedKeys;
        return this;
    }

    /**
     * Sets whether every host has the names of all hosts in its {@code /etc/hosts}, monitors included, as {@code HOST.MESH.mesh}: such as
     * {@code db-1.shop.mesh} for {@code db-1} of mesh {@code shop}, with the address inside the tunnels. Off by default.
     * PromGuard manages them in a block at the beginning of the file and leaves the rest unchanged. Switching this off, {@link
     * Mesh#destroy()} and removing the host from the mesh delete the block. Where cloud-init manages the file ({@code
     * manage_etc_hosts: true}), each boot rewrites the file without the block: this is drift, which the next apply undoes. To
     * keep the block, set {@code manage_etc_hosts: false} there.
     *
     * @param value whether they have
     * @return this builder
     */
    public MeshBuilder hostsFile(boolean value) {
        hostsFile = value;
        return this;
    }

    /**
     * Sets the TCP port of node_exporter on every host's WireGuard address. 9100 by default.
     *
     * @param port 1 to 65535, not 22
     * @return this builder
     */
    public MeshBuilder nodeExporterPort(int port) {
        ValueChecks.require(ValueChecks.port("nodeExporterPort", port, ""));
        nodeExporterPort = port;
        return this;
    }

    /**
     * Sets which node_exporter to run. {@link Release#nodeExporter()} by default.
     *
     * @param release a release named {@code node_exporter}
     * @return this builder
     */
    public MeshBuilder nodeExporter(Release release) {
        Objects.requireNonNull(release, "release");
        ValueChecks.require(ValueChecks.release("nodeExporter release", release, "node_exporter"));
        nodeExporter = release;
        return this;
    }

    /**
     * Changes how Prometheus runs. Earlier settings stay unless they are set again.
     *
     * @param settings changes the settings
     * @return this builder
     */
    public MeshBuilder prometheus(Consumer<PrometheusBuilder> settings) {
        PrometheusBuilder builder = new PrometheusBuilder(prometheus, remoteWriteSecrets);
        Objects.requireNonNull(settings, "settings").accept(builder);
        prometheus = builder.spec();
        remoteWriteSecrets = builder.secrets();
        return this;
    }

    /**
     * Sets a viewer: a person's machine, such as a laptop, that is a WireGuard peer of the monitors and reaches Prometheus' page on their
     * WireGuard addresses, and nothing else, neither a node nor an exporter. Others stay. Adding and removing one changes the monitors alone.
     *
     * @param name 1 to 63 lower-case letters, digits and dashes; not a host's name
     * @param publicKey the machine's WireGuard public key; each viewer has its own
     * @return this builder
     * @see Mesh#viewerConfig(String)
     */
    public MeshBuilder viewer(String name, PublicKey publicKey) {
        return viewer(name, publicKey, viewer -> {});
    }

    /**
     * Sets a viewer, as {@link #viewer(String, PublicKey)} does, with settings of its own.
     *
     * @param name 1 to 63 lower-case letters, digits and dashes; not a host's name
     * @param publicKey the machine's WireGuard public key; each viewer has its own
     * @param viewer sets how it is to be, such as until when
     * @return this builder
     */
    public MeshBuilder viewer(String name, PublicKey publicKey, Consumer<ViewerBuilder> viewer) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(publicKey, "publicKey");
        Objects.requireNonNull(viewer, "viewer");
        ValueChecks.require(ValueChecks.viewerName(name));
        if (publicKey.isSmallOrder()) {
            throw new InvalidSettingException(
                    "public key " + Names.quote(publicKey.base64()) + " of viewer " + Names.quote(name)
                            + " belongs to no private key, so that no tunnel comes up: use what wg pubkey says on the viewer's machine");
        }
        ViewerBuilder builder = new ViewerBuilder();
        viewer.accept(builder);
        viewers.put(name, builder.spec(name, publicKey));
        return this;
    }

    /**
     * Removes a viewer. Its access ends with the next apply.
     *
     * @param name its name
     * @return this builder
     */
    public MeshBuilder withoutViewer(String name) {
        Objects.requireNonNull(name, "name");
        ValueChecks.require(ErrorCode.UNKNOWN_NAME, ValueChecks.known("viewer", name, List.copyOf(viewers.keySet())));
        viewers.remove(name);
        return this;
    }

    /**
     * Sets SSH login keys that every host of the mesh admits as root beside the mesh's own, for example one that is kept offline. With one of
     * them {@link Mesh#recover(Consumer)} gets in where the state is lost, and with it the mesh's own key. Every apply compares them; a key
     * that is left out here is no longer admitted. None by default. Only for hosts that PromGuard creates.
     *
     * @param keys public keys; none to remove all
     * @return this builder
     * @see SshPublicKey#parse
     */
    public MeshBuilder loginKeys(SshPublicKey... keys) {
        Objects.requireNonNull(keys, "keys");
        loginKeys = Arrays.stream(keys)
                .map(key -> Objects.requireNonNull(key, "key").line())
                .distinct()
                .toList();
        return this;
    }

    /**
     * Sets the cloud that hosts are created in. By default the one on the class path, which is made once for a mesh and the meshes
     * derived from it.
     *
     * @param provider the provider; may serve several meshes, and is not closed by PromGuard
     * @return this builder
     */
    public MeshBuilder provider(CloudProvider provider) {
        this.provider = Objects.requireNonNull(provider, "provider");
        return this;
    }

    /**
     * Sets the way to the hosts. By default the one on the class path.
     *
     * @param applier the applier
     * @return this builder
     */
    public MeshBuilder applier(HostApplier applier) {
        this.applier = Objects.requireNonNull(applier, "applier");
        return this;
    }

    /**
     * Sets where the mesh's state and login key are kept. By default under {@code ~/.promguard}. For a team and CI runners, a database that
     * they share, encrypted: {@code new JdbcStateStore(dataSource).encryptedWith(Secret.env("PROMGUARD_STATE_KEY"))}.
     *
     * @param state the store: a {@link dev.promguard.state.FileStateStore}, a {@link dev.promguard.state.JdbcStateStore}, one of them
     *     {@linkplain StateStore#encryptedWith encrypted}, or one of your own. All runs of a mesh need the same
     * @return this builder
     */
    public MeshBuilder state(StateStore state) {
        this.state = Objects.requireNonNull(state, "state");
        return this;
    }

    /**
     * Sets a folder in which the mesh's state and login key are kept, in a folder named after the mesh.
     *
     * @param root the folder; created when first needed
     * @return this builder
     */
    public MeshBuilder state(Path root) {
        return state(new FileStateStore(Objects.requireNonNull(root, "root")));
    }

    /**
     * Sets the listener for events. There is none by default.
     *
     * @param listener the listener, such as {@link Progress#console()}
     * @return this builder
     */
    public MeshBuilder listener(MeshListener listener) {
        this.listener = Objects.requireNonNull(listener, "listener");
        return this;
    }

    /**
     * Sets where WireGuard keys come from. The platform's strong random source by default.
     *
     * @param keySource the key source
     * @return this builder
     */
    public MeshBuilder keySource(KeySource keySource) {
        this.keySource = Objects.requireNonNull(keySource, "keySource");
        return this;
    }

    /**
     * Sets how many hosts are worked on at once. 32 by default.
     *
     * @param hosts 1 to 256
     * @return this builder
     */
    public MeshBuilder parallelism(int hosts) {
        ValueChecks.require(ValueChecks.range("parallelism", hosts, 1, 256));
        parallelism = hosts;
        return this;
    }

    /**
     * Sets how long a host may take to answer over SSH before an apply gives up on it. 3 minutes by default: new hosts may still
     * be booting.
     *
     * @param timeout one second to one hour
     * @return this builder
     */
    public MeshBuilder sshTimeout(Duration timeout) {
        Objects.requireNonNull(timeout, "timeout");
        if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(Duration.ofHours(1)) > 0) {
            throw new InvalidSettingException("sshTimeout " + timeout + " is out of range: use one second to one hour");
        }
        sshTimeout = timeout;
        return this;
    }

    /**
     * Lets {@link Mesh#apply()} remove hosts that the mesh has and the spec does not name any more: hosts that PromGuard created are
     * deleted with all their data, and the mesh is uninstalled from existing hosts. Without this, apply refuses, does nothing and says
     * what would be lost; {@link Mesh#apply(Plan)} needs it not, since the plan shows what it removes.
     *
     * @return this builder
     */
    public MeshBuilder allowRemoval() {
        return allowRemoval(true);
    }

    /**
     * Sets whether {@link Mesh#apply()} may remove hosts, as {@link #allowRemoval()} does. False by default.
     *
     * @param allow true if it may
     * @return this builder
     */
    public MeshBuilder allowRemoval(boolean allow) {
        removalAllowed = allow;
        return this;
    }

    /**
     * Has the next apply adopt a host that somebody else created: one of the cloud that carries the mesh's tag and a name of the spec, and that
     * the state does not know. It becomes a host of the mesh like any other. It has to admit the mesh's own login key, and a certificate or a
     * copied state does not tell its SSH host key, so give that with {@link #adopt(String, Consumer)}. A host that is the mesh's already
     * stays as it is.
     *
     * @param host its name in the cloud and in the spec
     * @return this builder
     */
    public MeshBuilder adopt(String host) {
        return adopt(host, access -> {});
    }

    /**
     * Has the next apply adopt a host, as {@link #adopt(String)} does, and says how to get in and what to trust:
     *
     * <pre>{@code
     * mesh.toBuilder().adopt("db-9", host -> host.hostKey("SHA256:…")).apply();
     * }</pre>
     *
     * @param host its name in the cloud and in the spec
     * @param access sets how to get in
     * @return this builder
     */
    public MeshBuilder adopt(String host, Consumer<AdoptBuilder> access) {
        Objects.requireNonNull(host, "host");
        ValueChecks.require(ValueChecks.hostName(Role.NODE, host));
        AdoptBuilder builder = new AdoptBuilder(host);
        Objects.requireNonNull(access, "access").accept(builder);
        adoptions.put(host, builder.adoption());
        return this;
    }

    /** How long the verbs wait before they look again. */
    MeshBuilder waits(PollIntervals value) {
        waits = value;
        return this;
    }

    /** What tells the verbs the time. */
    MeshBuilder clock(Clock value) {
        clock = value;
        return this;
    }

    /**
     * Checks all settings together and builds the mesh. This reads, creates and changes nothing.
     *
     * @return the mesh
     * @throws InvalidMeshException if there is a problem; it names all of them
     */
    public Mesh build() {
        boolean existing = provider != null && provider.inventory().isPresent();
        DeclaredHosts declared = hosts.declared();
        MeshSpec spec = new MeshSpec(
                name,
                network,
                new WireGuardSpec(interfaceName, mtu),
                wireGuardPort,
                presharedKeys,
                hostsFile,
                nodeExporterPort,
                prometheus,
                nodeExporter,
                declared.specs(name, existing),
                List.copyOf(viewers.values()),
                loginKeys);
        List<String> problems = new ArrayList<>(Planner.problems(spec));
        if (existing && !loginKeys.isEmpty()) {
            problems.add(
                    "loginKeys: existing hosts admit the keys that their owner put there, and PromGuard adds none. Leave it out.");
        }
        List<String> hostNames = spec.hosts().stream().map(HostSpec::name).toList();
        for (String adopted : adoptions.keySet()) {
            if (existing) {
                problems.add(
                        "adopt: existing hosts join the mesh when the inventory and the spec name them. Leave it out.");
            } else if (!hostNames.contains(adopted)) {
                problems.add("adopt: " + Names.quote(adopted)
                        + " is none of the spec's hosts. Name it with node(…) or namedMonitor(…), or leave it out.");
            }
        }
        if (!problems.isEmpty()) {
            throw new InvalidMeshException(name, problems);
        }
        MeshSettings settings = new MeshSettings(
                Optional.ofNullable(provider),
                Optional.ofNullable(applier),
                services,
                state,
                listener,
                keySource,
                remoteWriteSecrets,
                parallelism,
                sshTimeout,
                waits,
                removalAllowed,
                adoptions,
                clock);
        return new Mesh(spec, declared, settings);
    }

    /**
     * Builds the mesh and makes every decision about it that can be made before anything exists.
     *
     * @return the blueprint
     * @throws InvalidMeshException see {@link #build()}
     * @see Mesh#blueprint()
     */
    public Blueprint blueprint() {
        return build().blueprint();
    }

    /**
     * Builds the mesh and plans what would be done.
     *
     * @return the plan
     * @throws PromGuardException see {@link Mesh#plan()}
     */
    public Plan plan() {
        return build().plan();
    }

    /**
     * Builds the mesh and applies it.
     *
     * @return what was done
     * @throws PromGuardException see {@link Mesh#apply()}
     */
    public ApplyReport apply() {
        return build().apply();
    }

    /**
     * What is described so far, in a line. Nothing is checked for it.
     *
     * @return such as {@code MeshBuilder[shop: 1 monitor, 3 nodes in 10.0.0.0/24]}
     */
    @Override
    public String toString() {
        DeclaredHosts declared = hosts.declared();
        return "MeshBuilder["
                + Mesh.summary(
                        name,
                        declared.monitors().size() + declared.namedMonitors().size(),
                        declared.nodes().size() + declared.namedNodes().size(),
                        network)
                + "]";
    }
}
