package dev.promguard.memory;

import dev.promguard.ApplyReport;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.host.AuthorizedKeys;
import dev.promguard.host.Change;
import dev.promguard.host.FactsByResource;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.Firewall;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostFacts.AcceptFact;
import dev.promguard.host.HostFacts.FileFact;
import dev.promguard.host.HostFacts.FirewallFact;
import dev.promguard.host.HostFacts.ManifestFact;
import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.host.HostFacts.PresharedKeyFact;
import dev.promguard.host.HostFacts.ReleaseFact;
import dev.promguard.host.HostFacts.SocketFact;
import dev.promguard.host.HostFacts.UnitFact;
import dev.promguard.host.HostFacts.WireGuardFact;
import dev.promguard.host.HostKey;
import dev.promguard.host.HostsFile;
import dev.promguard.host.KillSwitch;
import dev.promguard.host.KillSwitches;
import dev.promguard.host.KillSwitches.KillSwitchAction;
import dev.promguard.host.Leftovers;
import dev.promguard.host.LoadedRule;
import dev.promguard.host.MalformedFactsException;
import dev.promguard.host.ManagedFile;
import dev.promguard.host.ManagedFiles;
import dev.promguard.host.Manifest;
import dev.promguard.host.Membership;
import dev.promguard.host.NetworkManagers;
import dev.promguard.host.NewKeys;
import dev.promguard.host.Packages;
import dev.promguard.host.Releases;
import dev.promguard.host.ResourceFacts;
import dev.promguard.host.Ruleset;
import dev.promguard.host.SecretFile;
import dev.promguard.host.SecretFiles;
import dev.promguard.host.ServedPorts;
import dev.promguard.host.ShellCall;
import dev.promguard.host.StrayKeys;
import dev.promguard.host.Units;
import dev.promguard.host.Units.UnitAction;
import dev.promguard.host.Users;
import dev.promguard.host.WireGuard;
import dev.promguard.host.WireGuard.InterfaceAction;
import dev.promguard.host.WireGuardInterface;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A machine as far as PromGuard can tell: it holds what changes bring and says so in facts, rolls back what nobody confirms,
 * and takes note of every moment at which it stood open or locked its owner out. Thread-safe.
 */
public final class MemoryMachine {
    private static final Guarded UNTOUCHED = new Guarded(
            List.of(),
            false,
            false,
            false,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Map.of());
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Pattern PUBLIC_LINE = Pattern.compile("(?m)^  ed25519_public: (ssh-ed25519 \\S+) bootstrap$");

    private static final Pattern TARGET = Pattern.compile("\"([0-9]+\\.[0-9]+\\.[0-9]+)\\.[0-9]+:");

    private static final Pattern LISTEN = Pattern.compile("--web\\.listen-address=(\\S+)");

    private final String address;
    private final @Nullable SshPublicKey login;
    private final HostKeyFingerprint firstHostKey;
    private HostKeyFingerprint hostKey;
    private Optional<HostKeyFingerprint> certificate = Optional.empty();
    private final Set<HostKeyFingerprint> everHostKeys = new HashSet<>();

    private String system = "debian";
    private String machine = "x86_64";
    private final Map<String, String> packages =
            new TreeMap<>(Map.of("ca-certificates", "1", "curl", "1", "dbus", "1"));
    private final Set<String> users = new TreeSet<>();
    private final Map<String, ManagedFile> files = new TreeMap<>();
    private final Set<String> written = new HashSet<>();
    private final Map<String, FileFact> secretFiles = new TreeMap<>();
    private final Map<String, UnitFact> units = new TreeMap<>();
    private final Map<String, String> listening = new TreeMap<>();
    private final Map<String, ReleaseFact> releases = new TreeMap<>();
    private final List<String> networks = new ArrayList<>(List.of("192.168.77.9/24"));
    private Guarded guarded = UNTOUCHED;
    private Optional<Duration> handshakeAge = Optional.of(Duration.ofSeconds(40));
    private int packetsForHandshake = Integer.MAX_VALUE;
    private int presharedKeyMode = 0600;
    private int sequence;

    private final Set<String> started = new TreeSet<>();
    private final List<SocketFact> sockets = new ArrayList<>();
    private final List<String> received = new ArrayList<>();
    private final List<String> tuples = new ArrayList<>();
    private final List<AcceptFact> accepted = new ArrayList<>();
    private final Map<PublicKey, List<String>> strangers = new TreeMap<>(Comparator.comparing(PublicKey::toString));
    private boolean keyFileSafe = true;
    /** Whether its manifest names the key file, which somebody may have taken away. */
    private boolean keyNoted;

    private boolean withoutTools;
    private ProbeResult page = new ProbeResult(ProbeResult.Result.OPEN, 60_000, true);
    private @Nullable String mesh;
    private @Nullable String takenOff;
    private @Nullable Guarded before;

    private final List<String> ruleset = new ArrayList<>();
    private final Set<String> unreachable = new TreeSet<>();
    private final Set<String> dropped = new TreeSet<>();
    private final Set<String> guardedAddresses = new TreeSet<>();
    /** What its routing rules say of ports, by address. */
    private final Map<String, List<String>> closedPorts = new TreeMap<>();

    private final MemoryHostsFile hostsFile = new MemoryHostsFile();

    /** What the shell functions for facts print, for resources that define their own. */
    private final Map<ResourceFacts<?>, Function<List<String>, List<String>>> shellFacts = Map.of(
            KillSwitches.FACTS,
            arguments -> killSwitchFacts(),
            HostsFile.FACTS,
            hostsFile::facts,
            Ruleset.FACTS,
            arguments -> List.copyOf(ruleset),
            ServedPorts.FACTS,
            arguments -> servedPorts(),
            Packages.REMOVALS,
            arguments -> List.of(),
            AuthorizedKeys.FACTS,
            arguments -> authorizedKeys(),
            Membership.FACTS,
            arguments -> membership(),
            StrayKeys.FACTS,
            arguments -> unnamedKeys());

    private final Set<SshPublicKey> admitted = new HashSet<>();
    private Set<SshPublicKey> loginKeys = Set.of();
    private Optional<SshPublicKey> meshKey = Optional.empty();

    /** What the host says besides, about resources that a machine knows nothing else of. */
    private final Map<ResourceFacts<?>, List<String>> saidFacts = new HashMap<>();

    /** What the shell functions do that changes call, for changes that a machine knows nothing else of. */
    private final Map<String, Consumer<ShellCall>> shellFunctions = Map.of(
            "apply_hosts_file", call -> hostsFile.apply(((ShellCall.Input.Text) call.input()).text()),
            "undo_hosts_file", call -> hostsFile.undo(),
            "apply_network_manager", this::leaveAlone,
            "apply_leftovers", call -> says(Leftovers.FACTS),
            "apply_login_keys", call -> loginKeys = keys(call),
            "apply_mesh_key", call -> meshKey = keys(call).stream().findFirst());

    private @Nullable Guarded saved;
    private Set<String> savedNetworks = Set.of();
    private Set<String> savedAddresses = Set.of();
    private Map<String, List<String>> savedPorts = Map.of();
    private @Nullable HostKeyFingerprint savedHostKey;
    private Set<String> savedRunning = Set.of();
    private @Nullable HostSession armedBy;
    private boolean rolledBack;

    private boolean down;
    private @Nullable String failingChange;
    private int forwardPort;
    private final Set<String> asked = new TreeSet<>();
    private final List<String> changes = new ArrayList<>();
    private final List<String> violations = new ArrayList<>();

    /** What a rollback puts back. */
    private record Guarded(
            List<FirewallRule> rules,
            boolean active,
            boolean deny,
            boolean atBoot,
            Optional<PublicKey> keyFile,
            Optional<ManagedFile> config,
            Optional<WireGuardFact> running,
            Optional<UnitFact> unit,
            Map<String, String> preshared) {
        Guarded withRules(List<FirewallRule> now) {
            return new Guarded(now, active, deny, atBoot, keyFile, config, running, unit, preshared);
        }

        Guarded withActive(boolean now) {
            return new Guarded(rules, now, deny, atBoot, keyFile, config, running, unit, preshared);
        }

        Guarded withDeny(boolean now) {
            return new Guarded(rules, active, now, atBoot, keyFile, config, running, unit, preshared);
        }

        Guarded withAtBoot(boolean now) {
            return new Guarded(rules, active, deny, now, keyFile, config, running, unit, preshared);
        }

        Guarded withKeyFile(Optional<PublicKey> now) {
            return new Guarded(rules, active, deny, atBoot, now, config, running, unit, preshared);
        }

        Guarded withConfig(Optional<ManagedFile> now) {
            return new Guarded(rules, active, deny, atBoot, keyFile, now, running, unit, preshared);
        }

        Guarded withRunning(Optional<WireGuardFact> now) {
            return new Guarded(rules, active, deny, atBoot, keyFile, config, now, unit, preshared);
        }

        Guarded withUnit(Optional<UnitFact> now) {
            return new Guarded(rules, active, deny, atBoot, keyFile, config, running, now, preshared);
        }

        Guarded withPreshared(Map<String, String> now) {
            return new Guarded(rules, active, deny, atBoot, keyFile, config, running, unit, now);
        }
    }

    private MemoryMachine(String address, HostKeyFingerprint hostKey, @Nullable SshPublicKey login) {
        this.address = address;
        this.firstHostKey = hostKey;
        this.hostKey = hostKey;
        this.login = login;
        everHostKeys.add(hostKey);
    }

    static MemoryMachine ordered(String address, String image, SshPublicKey login, String userData) {
        Matcher matcher = PUBLIC_LINE.matcher(userData);
        if (!userData.startsWith("#cloud-config\n") || !matcher.find()) {
            throw new IllegalArgumentException("user data without a host key");
        }
        MemoryMachine made =
                new MemoryMachine(address, SshPublicKey.parse(matcher.group(1)).fingerprint(), login);
        made.system = image.startsWith("ubuntu") ? "ubuntu" : image.startsWith("debian") ? "debian" : image;
        return made;
    }

    static MemoryMachine existing(String address, SshPublicKey login) {
        return new MemoryMachine(address, newKey(), login);
    }

    static MemoryMachine unordered(String address) {
        return new MemoryMachine(address, newKey(), null);
    }

    private static HostKeyFingerprint newKey() {
        try (SshKeyPair pair = SshKeyPair.generate(RANDOM)) {
            return pair.publicKey().fingerprint();
        }
    }

    /** Its public address. */
    public String address() {
        return address;
    }

    /** The host key that it shows. */
    public synchronized HostKeyFingerprint hostKey() {
        return hostKey;
    }

    /** Has a certificate for whatever host key it has, signed by an authority. */
    public synchronized void certifiedBy(HostKeyFingerprint authority) {
        certificate = Optional.of(authority);
    }

    /** Who vouches for its host key. */
    public synchronized Optional<HostKeyFingerprint> certificate() {
        return certificate;
    }

    /** The host key that it was made with. */
    public HostKeyFingerprint firstHostKey() {
        return firstHostKey;
    }

    /** Every change that was made on it, in order, in words. */
    public synchronized List<String> changes() {
        return List.copyOf(changes);
    }

    /** Every moment at which it broke a promise. */
    public synchronized List<String> violations() {
        return List.copyOf(violations);
    }

    /** Whether a rollback waits for its confirmation. */
    public synchronized boolean armed() {
        return saved != null;
    }

    /** The public keys of the running interface's peers with their allowed addresses. */
    public synchronized Map<PublicKey, List<String>> peers() {
        Map<PublicKey, List<String>> peers = new java.util.HashMap<>();
        guarded.running()
                .ifPresent(running -> running.peers().forEach(peer -> peers.put(peer.publicKey(), peer.allowedIps())));
        return peers;
    }

    /** The running interface's own key. */
    public synchronized Optional<PublicKey> publicKey() {
        return guarded.running().flatMap(WireGuardFact::publicKey);
    }

    /** The firewall rules in ufw's words. */
    public synchronized List<String> rules() {
        return guarded.rules().stream().map(FirewallRule::describe).toList();
    }

    /** The content of a file. */
    public synchronized String file(String path) {
        return Objects.requireNonNull(files.get(path), path).content();
    }

    /** The configuration of the WireGuard interface. */
    public synchronized String config() {
        return guarded.config().orElseThrow().content();
    }

    /** When a unit was started, as a number that grows with every start. */
    public synchronized String since(String unit) {
        return Objects.requireNonNull(units.get(unit), unit).since();
    }

    /** Does not answer on SSH any more, or does again. */
    public synchronized void down(boolean is) {
        down = is;
    }

    /** Fails at the change that describes itself so, until told otherwise by null. */
    public synchronized void failAt(@Nullable String change) {
        failingChange = change;
    }

    /** Runs another system. */
    public synchronized void system(String is) {
        system = is;
    }

    /** Is of another architecture. */
    public synchronized void machine(String is) {
        machine = is;
    }

    /** Has an interface of its own in this network. */
    public synchronized void network(String cidr) {
        networks.add(cidr);
    }

    /** Shows another host key, as an impostor would. */
    public synchronized void impostor() {
        hostKey = newKey();
    }

    /** Shows the host key that it was made with, as somebody would who found it in the user data. */
    public synchronized void impostorWithBootstrapKey() {
        hostKey = firstHostKey;
    }

    /** Loses its disk and boots from its image again, with the same user data. */
    synchronized void rebuild() {
        packages.keySet().retainAll(Set.of("ca-certificates", "curl"));
        users.clear();
        files.clear();
        written.clear();
        units.clear();
        releases.clear();
        releaseAll();
        hostsFile.text(MemoryHostsFile.AT_FIRST);
        guarded = UNTOUCHED;
        keyNoted = false;
        forget();
        rolledBack = false;
        hostKey = firstHostKey;
        loginKeys = Set.of();
        meshKey = Optional.empty();
    }

    /**
     * Boots anew: what was set by hand and not written down is gone, what is enabled comes up as it is configured, and changes that nobody
     * confirmed are rolled back.
     */
    public synchronized void reboot() {
        strangers.clear();
        ruleset.clear();
        accepted.clear();
        units.replaceAll((name, fact) -> new UnitFact(
                fact.enabled().equals("enabled") ? "active" : "inactive",
                fact.enabled(),
                false,
                String.valueOf(++sequence)));
        Optional<UnitFact> unit = guarded.unit();
        Optional<WireGuardFact> running = unit.filter(fact -> fact.enabled().equals("enabled"))
                .flatMap(fact -> guarded.config())
                .flatMap(config -> guarded.keyFile()
                        .flatMap(key -> BootedInterface.of(
                                config.content(), key, guarded.preshared().keySet())));
        guarded = guarded.withActive(guarded.active() && guarded.atBoot())
                .withRunning(running)
                .withUnit(unit.map(fact -> new UnitFact(
                        running.isPresent() ? "active" : "inactive",
                        fact.enabled(),
                        false,
                        String.valueOf(++sequence))));
        rollBack();
    }

    /** Says that the last handshake of every peer was so long ago, whatever it sends to them. */
    public synchronized void handshake(Optional<Duration> ago) {
        handshakeAge = ago;
        packetsForHandshake = Integer.MAX_VALUE;
    }

    /** The same, until it has sent so many packets through a tunnel: then there is a handshake. */
    public synchronized void handshake(Optional<Duration> ago, int packets) {
        handshakeAge = ago;
        packetsForHandshake = packets;
    }

    /** Answers forwards with this port of this machine. */
    public synchronized void forwardTo(int port) {
        forwardPort = port;
    }

    /** Somebody switches the firewall off. */
    public synchronized void disableFirewall() {
        guarded = guarded.withActive(false);
    }

    /** Somebody edits a file. */
    public synchronized void edit(String path, UnaryOperator<String> by) {
        ManagedFile file = guarded.config()
                .filter(config -> config.path().equals(path))
                .orElseGet(() -> Objects.requireNonNull(files.get(path), path));
        ManagedFile edited = new ManagedFile(path, by.apply(file.content()), file.mode(), file.owner(), file.check());
        if (files.replace(path, edited) == null) {
            guarded = guarded.withConfig(Optional.of(edited));
        }
    }

    /** Somebody copies a file to another place. */
    public synchronized void copy(String path, String to) {
        ManagedFile file = Objects.requireNonNull(files.get(path), path);
        files.put(to, new ManagedFile(to, file.content(), file.mode(), file.owner(), file.check()));
    }

    /** Whether there is a file. */
    public synchronized boolean has(String path) {
        return files.containsKey(path);
    }

    /** Somebody removes a file. */
    public synchronized void remove(String path) {
        Objects.requireNonNull(files.remove(path), path);
    }

    /** Somebody takes every firewall rule of a port away. */
    public synchronized void removeRules(int port) {
        guarded = guarded.withRules(
                guarded.rules().stream().filter(rule -> rule.port() != port).toList());
    }

    /** Somebody takes every peer from the running interface. */
    public synchronized void dropPeers() {
        guarded = guarded.withRunning(guarded.running()
                .map(running -> new WireGuardFact(
                        running.publicKey(),
                        running.listenPort(),
                        running.addresses(),
                        running.antiSpoofing(),
                        List.of())));
    }

    /** Somebody starts a unit. */
    public synchronized void start(String unit) {
        units.put(unit, new UnitFact("active", "enabled", false, String.valueOf(++sequence)));
    }

    /** Somebody stops a unit. */
    public synchronized void stop(String unit) {
        UnitFact fact = Objects.requireNonNull(units.get(unit), unit);
        units.put(unit, new UnitFact("inactive", fact.enabled(), false, fact.since()));
    }

    /** The sums of the preshared keys that it holds, by the files' paths. */
    public synchronized Map<String, String> presharedKeys() {
        return Map.copyOf(guarded.preshared());
    }

    /** Somebody lets everybody read the preshared keys. */
    public synchronized void loosenPresharedKeys() {
        presharedKeyMode = 0644;
    }

    /** Somebody takes a file with a secret away. */
    public synchronized void loseSecret(String path) {
        secretFiles.remove(path);
    }

    /** Somebody takes the interface away. */
    public synchronized void deleteInterface() {
        guarded = guarded.withRunning(Optional.empty());
    }

    /** Somebody takes the key file away. */
    public synchronized void loseKey() {
        guarded = guarded.withKeyFile(Optional.empty());
    }

    /** Somebody lets it show another public key, in its file and on its interface. */
    public synchronized void showKey(PublicKey key) {
        guarded = guarded.withKeyFile(Optional.of(key))
                .withRunning(guarded.running()
                        .map(running -> new WireGuardFact(
                                Optional.of(key),
                                running.listenPort(),
                                running.addresses(),
                                running.antiSpoofing(),
                                running.peers())));
    }

    /** Somebody else's program listens. */
    public synchronized void listen(String protocol, String on, int port) {
        sockets.add(new SocketFact(protocol, on, port));
    }

    /** Somebody loads a rule past ufw. */
    public synchronized void accept(int family, String chain, String rule) {
        accepted.add(new AcceptFact(family, chain, rule));
    }

    /** Somebody takes such rules away again. */
    public synchronized void acceptNothingMore() {
        accepted.clear();
    }

    /** Somebody adds a peer to the running interface. */
    public synchronized void befriend(PublicKey stranger, String... allowedIps) {
        strangers.put(stranger, List.of(allowedIps));
    }

    /** Somebody lets others read the key file. */
    public synchronized void loosenKey() {
        keyFileSafe = false;
    }

    /** Has none of the tools that ports are tried with. */
    public synchronized void loseTools() {
        withoutTools = true;
    }

    /** Gives pages like this to whoever may have them. */
    public synchronized void page(long bytes, boolean whole) {
        page = new ProbeResult(ProbeResult.Result.OPEN, bytes, whole);
    }

    /** What comes of trying ports of the machines of one network from this one. */
    List<ProbeResult> probe(List<Probe> probes, Collection<MemoryMachine> network) {
        synchronized (this) {
            if (withoutTools) {
                return probes.stream()
                        .map(probe -> new ProbeResult(ProbeResult.Result.NOT_TRIED))
                        .toList();
            }
        }
        Optional<PublicKey> key = publicKey();
        Optional<String> own = tunnelAddress();
        return probes.stream()
                .map(probe -> network.stream()
                        .filter(machine -> machine != this && machine.isAt(probe.address()))
                        .findFirst()
                        .map(machine -> {
                            send(machine, probe.address());
                            return machine.answer(probe, key, own);
                        })
                        .orElse(new ProbeResult(ProbeResult.Result.SILENT)))
                .toList();
    }

    /** The host keys that an SSH server of one network shows to this machine. */
    Set<HostKeyFingerprint> hostKeys(Probe server, Collection<MemoryMachine> network) {
        return network.stream()
                .filter(machine -> machine != this && machine.isAt(server.address()))
                .findFirst()
                .map(machine -> Set.of(machine.hostKey()))
                .orElse(Set.of());
    }

    private void send(MemoryMachine peer, String where) {
        if (peer.tunnelAddress().equals(Optional.of(where))) {
            synchronized (this) {
                if (packetsForHandshake < Integer.MAX_VALUE && --packetsForHandshake <= 0) {
                    handshakeAge = Optional.of(Duration.ZERO);
                }
            }
        }
    }

    private synchronized Optional<String> tunnelAddress() {
        return guarded.running().map(running -> running.addresses().get(0).replaceAll("/.*", ""));
    }

    private synchronized boolean isAt(String where) {
        return !down
                && (where.equals(address)
                        || tunnelAddress().equals(Optional.of(where))
                        || networks.stream().anyMatch(network -> network.startsWith(where + '/')));
    }

    private synchronized ProbeResult answer(Probe probe, Optional<PublicKey> from, Optional<String> source) {
        boolean tunnel = tunnelAddress().equals(Optional.of(probe.address()));
        if (tunnel && from.filter(peers()::containsKey).isEmpty()) {
            return new ProbeResult(ProbeResult.Result.SILENT);
        }
        boolean admitted = !guarded.active()
                || guarded.rules().stream()
                        .anyMatch(rule -> rule.port() == probe.port()
                                && rule.protocol() == FirewallRule.Protocol.TCP
                                && (rule.networkInterface().isEmpty() || tunnel)
                                && (rule.from().isEmpty()
                                        || (tunnel && rule.from().equals(source))))
                || accepted.stream()
                        .map(LoadedRule::new)
                        .anyMatch(rule -> !rule.isUfwsOwn() && rule.mayAdmit(FirewallRule.Protocol.TCP, probe.port()));
        boolean listens = probe.port() == 22
                || listening().stream()
                        .anyMatch(socket -> socket.protocol().equals("tcp")
                                && socket.port() == probe.port()
                                && (socket.address().equals("0.0.0.0")
                                        || socket.address().equals(probe.address())));
        if (!admitted) {
            return new ProbeResult(ProbeResult.Result.SILENT);
        } else if (!listens) {
            return new ProbeResult(ProbeResult.Result.REFUSED);
        }
        return probe.page().isPresent() ? page : new ProbeResult(ProbeResult.Result.OPEN);
    }

    private List<SocketFact> listening() {
        List<SocketFact> all = new ArrayList<>(sockets);
        guarded.running().ifPresent(running -> all.add(new SocketFact("udp", "0.0.0.0", running.listenPort())));
        listening.forEach((unit, on) -> {
            UnitFact fact = units.get(unit);
            if (fact != null && fact.active().equals("active")) {
                int colon = on.lastIndexOf(':');
                all.add(new SocketFact("tcp", on.substring(0, colon), Integer.parseInt(on.substring(colon + 1))));
            }
        });
        return all;
    }

    private List<AcceptFact> accepting() {
        List<AcceptFact> all = new ArrayList<>(accepted);
        if (guarded.active()) {
            all.add(new AcceptFact(4, "ufw-before-input", "-i lo -j ACCEPT"));
            guarded.rules()
                    .forEach(rule -> all.add(new AcceptFact(
                            4,
                            "ufw-user-input",
                            rule.from().map(from -> "-s " + from + "/32 ").orElse("")
                                    + rule.to().map(to -> "-d " + to + "/32 ").orElse("")
                                    + rule.networkInterface()
                                            .map(on -> "-i " + on + ' ')
                                            .orElse("")
                                    + "-p " + rule.protocol().id() + " -m "
                                    + rule.protocol().id() + " --dport " + rule.port() + " -j ACCEPT")));
        }
        return all;
    }

    /** Somebody else's unit is there. */
    public synchronized void foreignUnit(String unit) {
        units.put(unit, new UnitFact("active", "enabled", false, "0"));
    }

    /** Somebody else gives ufw a rule that PromGuard cannot express, as ufw writes it. */
    public synchronized void tuple(String tuple) {
        tuples.add(tuple);
    }

    /** Somebody else's firewall is on, with this rule. */
    public synchronized void firewall(FirewallRule rule) {
        guarded =
                guarded.withRules(List.of(rule)).withActive(true).withDeny(true).withAtBoot(true);
    }

    /** Whether the firewall is on. */
    public synchronized boolean firewallOn() {
        return guarded.active();
    }

    /** Which mesh it says it is in. */
    public synchronized Optional<String> mesh() {
        return Optional.ofNullable(mesh);
    }

    /** What is left of PromGuard's: files, users, releases, units and the interface; packages stay. */
    public synchronized List<String> parts() {
        List<String> parts = new ArrayList<>();
        parts.addAll(files.keySet());
        parts.addAll(users);
        parts.addAll(releases.keySet());
        parts.addAll(units.keySet());
        guarded.config().ifPresent(file -> parts.add(file.path()));
        guarded.keyFile().ifPresent(key -> parts.add("key"));
        guarded.running().ifPresent(running -> parts.add("wg0"));
        if (hostsFile.hasBlock()) {
            parts.add("names in /etc/hosts");
        }
        return parts;
    }

    /** All that a mesh may have put there, in lines, apart from when units were started. */
    public synchronized List<String> snapshot() {
        List<String> lines = new ArrayList<>();
        packages.keySet().forEach(name -> lines.add("package " + name));
        users.forEach(name -> lines.add("user " + name));
        files.values().forEach(file -> lines.addAll(lines(file)));
        secretFiles.forEach((path, fact) -> lines.add("secret " + path + ' ' + fact.mode() + ' ' + fact.owner()));
        units.forEach((name, fact) -> lines.add("unit " + name + ' ' + fact.active() + ' ' + fact.enabled()));
        releases.keySet().forEach(name -> lines.add("release " + name));
        unreachable.forEach(network -> lines.add("unreachable " + network));
        dropped.forEach(network -> lines.add("dropped " + network));
        guardedAddresses.forEach(guardedAddress -> lines.add("guarded " + guardedAddress));
        closedPorts.forEach((on, ports) -> ports.forEach(port -> lines.add("port of " + on + ' ' + port)));
        rules().forEach(rule -> lines.add("rule " + rule));
        lines.add("firewall " + guarded.active() + ' ' + guarded.deny() + ' ' + guarded.atBoot());
        guarded.config().ifPresent(config -> lines.addAll(lines(config)));
        guarded.keyFile().ifPresent(key -> lines.add("key " + key + ' ' + keyFileSafe));
        guarded.preshared().keySet().forEach(path -> lines.add("preshared " + path + ' ' + presharedKeyMode));
        guarded.running()
                .ifPresent(running -> lines.add("interface " + running.publicKey() + ' ' + running.listenPort() + ' '
                        + running.addresses() + ' ' + running.antiSpoofing()));
        peers().forEach((key, allowed) -> lines.add("peer " + key + ' ' + allowed));
        strangers.forEach((key, allowed) -> lines.add("peer " + key + ' ' + allowed));
        guarded.unit().ifPresent(fact -> lines.add("unit of the interface " + fact.active() + ' ' + fact.enabled()));
        saidFacts.forEach((facts, said) -> said.forEach(line -> lines.add("said " + line)));
        hostsFile.text().lines().forEach(line -> lines.add("/etc/hosts " + line));
        lines.add("mesh " + mesh + ", armed " + armed());
        return lines;
    }

    private static List<String> lines(ManagedFile file) {
        return Stream.concat(Stream.of(""), file.content().lines())
                .map(line -> file.path() + ' ' + file.mode() + ' ' + file.owner() + ' ' + line)
                .toList();
    }

    /** Somebody loads rules of a packet filter, each line with its kind before it, as the facts about it have. */
    public synchronized void ruleset(String... lines) {
        ruleset.clear();
        ruleset.addAll(List.of(lines));
    }

    /** Its /etc/hosts. */
    public synchronized String hostsFile() {
        return hostsFile.text();
    }

    /** Somebody edits its /etc/hosts. */
    public synchronized void editHostsFile(UnaryOperator<String> by) {
        hostsFile.text(by.apply(hostsFile.text()));
    }

    private List<String> killSwitchFacts() {
        return Stream.of(
                        unreachable.stream().map("unreachable\t"::concat),
                        dropped.stream().map("dropped\t"::concat),
                        closedPorts.values().stream().flatMap(List::stream),
                        guardedAddresses.stream().map("guarded\t"::concat))
                .flatMap(lines -> lines)
                .toList();
    }

    private static Set<SshPublicKey> keys(ShellCall call) {
        return ((ShellCall.Input.Text) call.input())
                .text()
                .lines()
                .map(SshPublicKey::parse)
                .collect(Collectors.toSet());
    }

    /** Every key that its root admits. */
    public synchronized Set<SshPublicKey> authorized() {
        Set<SshPublicKey> all = new HashSet<>(admitted);
        Stream.concat(Stream.ofNullable(login), meshKey.stream()).forEach(all::add);
        all.addAll(loginKeys);
        return all;
    }

    /** Is made from a snapshot of another machine. */
    public synchronized void copyOf(MemoryMachine other) {
        guarded = other.guarded;
        hostKey = other.hostKey;
        admitted.addAll(other.authorized());
    }

    /** A run was cut off before it confirmed its changes. */
    public synchronized void arm() {
        saved = guarded;
        armedBy = null;
    }

    /** Its owner admits a key. */
    public synchronized void admit(SshPublicKey key) {
        admitted.add(key);
    }

    /** Somebody removes the additional login keys. */
    public synchronized void loseLoginKeys() {
        loginKeys = Set.of();
    }

    private List<String> authorizedKeys() {
        return authorized().stream()
                .map(key ->
                        String.join("\t", "key", loginKeys.contains(key) ? "login" : "other", key.type(), key.base64()))
                .toList();
    }

    private List<String> unnamedKeys() {
        String config = guarded.config().map(ManagedFile::content).orElse("");
        return guarded.preshared().keySet().stream()
                .filter(path -> !config.contains("# PresharedKeyFile = " + path + '\n'))
                .map(path -> "unnamed\t" + path.replaceAll(".*/", ""))
                .toList();
    }

    /** Somebody, or a run that was cut off, leaves a preshared key that is shared with no peer. */
    public synchronized void leavePresharedKey(String peer) {
        Map<String, String> preshared = new TreeMap<>(guarded.preshared());
        preshared.put("/etc/wireguard/wg0.psk/" + peer, "0".repeat(64));
        guarded = guarded.withPreshared(preshared);
    }

    /** What the shell function says, by the same configuration. */
    private List<String> membership() {
        List<String> lines = new ArrayList<>();
        if (mesh != null) {
            lines.add("mesh\t" + mesh);
        }
        guarded.config().ifPresent(config -> {
            String text = config.content();
            String begin = "# Kept by PromGuard for mesh ";
            if (text.startsWith(begin)) {
                lines.add("mesh\t" + text.substring(begin.length(), text.indexOf(':')));
            }
            lines.add("interface\t" + config.path().replaceAll(".*/|[.]conf$", ""));
            Matcher own = Pattern.compile("(?m)^Address = ([^/]+)/").matcher(text);
            if (own.find()) {
                lines.add("address\t" + own.group(1));
            }
            Matcher peer = Pattern.compile("(?s)\\[Peer]\n# (\\S+)\nPublicKey = (\\S+)\n.*?AllowedIPs = ([^/]+)/")
                    .matcher(text);
            while (peer.find()) {
                lines.add(String.join("\t", "peer", peer.group(1), peer.group(2), peer.group(3)));
            }
        });
        return lines;
    }

    private List<String> servedPorts() {
        return guarded.active() && guarded.deny()
                ? List.of()
                : Stream.concat(
                                sockets.stream()
                                        .map(socket -> String.join(
                                                "\t",
                                                "socket",
                                                socket.protocol(),
                                                socket.address(),
                                                String.valueOf(socket.port()),
                                                "theirs")),
                                received.stream())
                        .toList();
    }

    /** A program, or a tunnel, of it takes packets of a protocol without ports. */
    public synchronized void receive(int number, String protocol, int family, String program) {
        received.add(String.join("\t", "protocol", String.valueOf(number), protocol, String.valueOf(family), program));
    }

    /** Rules may send packets from outside to its loopback interface. */
    public synchronized void routeLoopback() {
        received.add("reaches-loopback");
    }

    private FactsByResource byResource(FactsQuery query) {
        FactsByResource.Collector collector = new FactsByResource.Collector(query);
        try {
            for (FactsQuery.ResourceCall call : query.resources()) {
                asked.add(call.facts().id());
                collector.lines(
                        call.facts(),
                        shellFacts
                                .getOrDefault(
                                        call.facts(), arguments -> saidFacts.getOrDefault(call.facts(), List.of()))
                                .apply(call.arguments()));
            }
            return collector.facts();
        } catch (MalformedFactsException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The time for a confirmation is over. */
    public synchronized void rollBack() {
        Guarded earlier = saved;
        HostKeyFingerprint key = savedHostKey;
        if (earlier != null && key != null) {
            guarded = earlier;
            rollBackKillSwitch();
            mesh = takenOff == null ? mesh : takenOff;
            hostKey = key;
            // Units run again as they did, but none without a firewall.
            units.replaceAll((name, fact) -> new UnitFact(
                    earlier.active() && savedRunning.contains(name) ? "active" : "inactive",
                    fact.enabled(),
                    false,
                    fact.since()));
            forget();
            rolledBack = true;
        }
    }

    /** Where one was there, what is covered now stays covered too. */
    private void rollBackKillSwitch() {
        if (savedNetworks.isEmpty()) {
            releaseAll();
        }
        cover(savedNetworks, savedAddresses);
        closedPorts.putAll(savedPorts);
    }

    private void releaseAll() {
        unreachable.clear();
        dropped.clear();
        guardedAddresses.clear();
        closedPorts.clear();
    }

    private void cover(Set<String> networks, Set<String> addresses) {
        unreachable.addAll(networks);
        dropped.addAll(networks);
        guardedAddresses.addAll(addresses);
    }

    private void leaveAlone(ShellCall call) {
        String path = call.arguments().get(2);
        files.put(path, ManagedFile.readable(path, ((ShellCall.Input.Text) call.input()).text()));
        says(NetworkManagers.FACTS, call.arguments().get(0) + "\tleaves");
    }

    /** The ids of the resources whose facts it was ever asked for. */
    public synchronized Set<String> asked() {
        return Set.copyOf(asked);
    }

    /** What the host says from now on when it is asked for the facts of a resource: lines of a kind and fields. */
    public synchronized void says(ResourceFacts<?> facts, String... lines) {
        saidFacts.put(facts, List.of(lines));
    }

    /** Somebody flushes the routes of the kill switch. */
    public synchronized void flushUnreachableRoutes() {
        unreachable.clear();
    }

    /** Somebody flushes the rules of the kill switch. */
    public synchronized void flushDroppingRules() {
        dropped.clear();
    }

    /** Somebody deletes the routing rules of the kill switch. */
    public synchronized void deleteRoutingRules() {
        guardedAddresses.clear();
        closedPorts.clear();
    }

    /** Somebody deletes those of its routing rules that name ports. */
    public synchronized void deletePortRules() {
        closedPorts.clear();
    }

    /** What the routing rules for an address say of ports. */
    public synchronized List<String> closedPorts(String address) {
        return closedPorts.getOrDefault(address, List.of()).stream()
                .map(line -> line.replace("\t" + address, "").replace('\t', ' '))
                .toList();
    }

    /** The networks that the kill switch covers. */
    public synchronized Set<String> covered() {
        Set<String> covered = new TreeSet<>(unreachable);
        covered.retainAll(dropped);
        return covered;
    }

    private void forget() {
        saved = null;
        savedHostKey = null;
        armedBy = null;
        takenOff = null;
    }

    synchronized boolean isDown() {
        return down;
    }

    synchronized boolean admits(Secret loginKey) {
        Set<SshPublicKey> wanted = authorized();
        return loginKey.useText(text -> {
            byte[] file = Base64.getMimeDecoder().decode(text.replaceAll("-----[A-Z ]+-----", ""));
            for (SshPublicKey key : wanted) {
                byte[] blob = Base64.getDecoder().decode(key.base64());
                for (int at = 0; at + blob.length <= file.length; at++) {
                    if (Arrays.equals(file, at, at + blob.length, blob, 0, blob.length)) {
                        return true;
                    }
                }
            }
            return false;
        });
    }

    synchronized HostFacts facts(FactsQuery query, HostSession session) {
        boolean pending = saved != null && armedBy != session;
        Map<String, String> installed = new TreeMap<>(packages);
        installed.keySet().retainAll(query.packages());
        Set<String> present = new TreeSet<>(users);
        present.retainAll(query.users());
        Map<String, FileFact> read = new TreeMap<>();
        Stream.concat(files.values().stream(), guarded.config().stream())
                .filter(file -> query.files().contains(file.path()))
                .forEach(file -> read.put(
                        file.path(),
                        new FileFact(
                                sha256(file.content()),
                                file.mode(),
                                file.owner() + ':' + file.owner(),
                                Optional.ofNullable(query.expected().get(file.path()))
                                        .filter(sum -> !sum.equals(sha256(file.content())))
                                        .map(sum -> file.content()))));
        guarded.preshared().forEach((path, sum) -> read.put(path, new FileFact(sum, presharedKeyMode, "root:root")));
        read.putAll(secretFiles);
        read.keySet().retainAll(query.files());
        Map<String, UnitFact> known = new TreeMap<>(units);
        guarded.unit().ifPresent(fact -> known.put("wg-quick@" + query.wireGuardInterface() + ".service", fact));
        known.keySet().retainAll(query.units());
        Map<String, ReleaseFact> unpacked = new TreeMap<>(releases);
        return new HostFacts(
                system,
                "12",
                machine,
                installed,
                present,
                read,
                known,
                unpacked,
                guarded.running().map(this::aged),
                byResource(query),
                guarded.keyFile(),
                keyFileSafe,
                new FirewallFact(
                        guarded.active(), guarded.deny(), guarded.atBoot(), guarded.rules(), tuples, accepting()),
                Map.of(),
                networks,
                Optional.of(true),
                Optional.ofNullable(mesh)
                        .map(name -> new ManifestFact(
                                name,
                                Stream.of(
                                                Stream.of("package ufw", "package wireguard-tools"),
                                                started.stream().map("unit "::concat),
                                                files.keySet().stream().map("file "::concat),
                                                Stream.of("file " + query.keyPath())
                                                        .filter(key -> keyNoted))
                                        .flatMap(things -> things)
                                        .collect(Collectors.toSet()))),
                listening(),
                kept(),
                pending);
    }

    private List<String> kept() {
        return Stream.concat(
                        files.keySet().stream()
                                .filter(written::contains)
                                .filter(path -> path.startsWith("/etc/promguard/")
                                        || (path.startsWith("/etc/prometheus/") && path.endsWith(".yml"))
                                        || path.endsWith(".service")
                                        || path.endsWith(".socket")),
                        releases.keySet().stream().map(release -> "/opt/promguard/" + release))
                .toList();
    }

    private WireGuardFact aged(WireGuardFact running) {
        List<PeerFact> peers = running.peers().stream()
                .map(peer -> new PeerFact(
                        peer.publicKey(),
                        peer.endpoint(),
                        peer.allowedIps(),
                        handshakeAge.map(age -> Instant.EPOCH),
                        handshakeAge,
                        1,
                        1,
                        peer.presharedKey()))
                .collect(Collectors.toCollection(ArrayList::new));
        strangers.forEach((key, allowed) -> peers.add(new PeerFact(
                key, Optional.empty(), allowed, Optional.empty(), Optional.empty(), 0, 0, PresharedKeyFact.NONE)));
        return new WireGuardFact(
                running.publicKey(), running.listenPort(), running.addresses(), running.antiSpoofing(), peers);
    }

    /** Makes a change. Progress is told without the lock: whoever is told may look at another machine, which tells somebody itself. */
    void begin(Change change, NewKeys keys, HostSession session, HostSession.Progress progress) {
        arm(change, session);
        progress.started(change);
        HostKeyFingerprint fresh = change instanceof HostKey.Replace ? newKey() : hostKey();
        if (change instanceof HostKey.Replace && !change.describe().equals(failing())) {
            // Whoever is told may ask this machine something else, over another session.
            progress.newHostKey(fresh);
        }
        make(change, keys, fresh, progress);
        progress.done(change);
    }

    private synchronized void arm(Change change, HostSession session) {
        if (change.risky()) {
            if (saved == null) {
                saved = guarded;
                savedNetworks = Set.copyOf(unreachable);
                savedAddresses = Set.copyOf(guardedAddresses);
                savedPorts = Map.copyOf(closedPorts);
                savedHostKey = hostKey;
                savedRunning = units.entrySet().stream()
                        .filter(unit -> unit.getValue().active().equals("active"))
                        .map(Map.Entry::getKey)
                        .collect(Collectors.toSet());
                rolledBack = false;
            }
            armedBy = session;
        }
    }

    private synchronized @Nullable String failing() {
        return failingChange;
    }

    private synchronized void make(
            Change change, NewKeys keys, HostKeyFingerprint fresh, HostSession.Progress progress) {
        if (change.describe().equals(failingChange)) {
            throw HostException.of(ErrorCode.STEP_FAILED, address, address, change.describe())
                    .exitCode(1)
                    .because("it was told to fail", "Tell it otherwise.");
        }
        new Doer(keys, fresh, progress).make(change);
        changes.add(change.describe());
        look();
    }

    /** Notes where a promise is broken. */
    private void look() {
        if (guarded.active() && guarded.rules().stream().noneMatch(MemoryMachine::admitsSsh)) {
            violations.add("the firewall is on and SSH is not admitted");
        }
        targets()
                .filter(network -> isActive("prometheus.service") && !covered().contains(network))
                .ifPresent(network ->
                        violations.add("Prometheus scrapes " + network + ", which the kill switch does not cover"));
    }

    private boolean isActive(String unit) {
        UnitFact fact = units.get(unit);
        return fact != null && fact.active().equals("active");
    }

    /** The network of Prometheus' first target. */
    private Optional<String> targets() {
        Matcher target = TARGET.matcher(Optional.ofNullable(files.get("/etc/prometheus/targets/node.json"))
                .map(ManagedFile::content)
                .orElse(""));
        return target.find() ? Optional.of(target.group(1) + ".0/24") : Optional.empty();
    }

    private static boolean admitsSsh(FirewallRule rule) {
        return rule.port() == 22
                && rule.from().isEmpty()
                && rule.networkInterface().isEmpty();
    }

    synchronized boolean armedBy(HostSession session) {
        return armedBy == session;
    }

    synchronized void confirm(HostSession session) {
        if (rolledBack) {
            throw HostException.of(ErrorCode.ROLLED_BACK, address, address, "confirm the changes")
                    .status(ApplyReport.Status.ROLLED_BACK)
                    .because("the host has rolled back", "Run apply again.");
        }
        if (armedBy == session) {
            throw HostException.of(ErrorCode.MISUSE, address, address, "confirm the changes")
                    .because("this is the session that made the changes", "Open a new one.");
        }
        forget();
    }

    synchronized int forward(int port) {
        if (forwardPort == 0) {
            throw HostException.of(ErrorCode.FORWARD_FAILED, address, address, "forward a port")
                    .because("nothing listens on " + port, "");
        }
        return forwardPort;
    }

    private static String sha256(String content) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private final class Doer {
        private final NewKeys keys;
        private final HostKeyFingerprint fresh;
        private final HostSession.Progress progress;

        Doer(NewKeys keys, HostKeyFingerprint fresh, HostSession.Progress progress) {
            this.fresh = fresh;
            this.keys = keys;
            this.progress = progress;
        }

        void make(Change change) {
            if (change instanceof Packages.Install of) {
                installPackages(of);
            } else if (change instanceof Users.Create of) {
                createUser(of);
            } else if (change instanceof Releases.Install of) {
                installRelease(of);
            } else if (change instanceof ManagedFiles.Write of) {
                writeFile(of);
            } else if (change instanceof Units.RemoveDropIns of) {
                removeDropIns(of);
            } else if (change instanceof SecretFiles.Write of) {
                writeSecret(of);
            } else if (change instanceof WireGuard.WriteKey of) {
                writeKey(of);
            } else if (change instanceof WireGuard.WritePresharedKeys of) {
                writePresharedKeys(of);
            } else if (change instanceof Firewall.Allow of) {
                allow(of);
            } else if (change instanceof Firewall.Disallow of) {
                disallow(of);
            } else if (change instanceof KillSwitches.Configure of) {
                killSwitch(of);
            } else if (change instanceof Firewall.Enable) {
                enableFirewall();
            } else if (change instanceof WireGuard.Configure of) {
                wireGuard(of);
            } else if (change instanceof Units.Apply of) {
                unit(of);
            } else if (change instanceof Units.Mask of) {
                maskUnit(of);
            } else if (change instanceof Units.Remove of) {
                removeUnit(of);
            } else if (change instanceof ManagedFiles.Remove of) {
                removeFile(of);
            } else if (change instanceof HostKey.Replace) {
                replaceHostKey();
            } else if (change instanceof Manifest.Begin of) {
                remember(of);
            } else if (change instanceof Manifest.Uninstall of) {
                takeOff(of);
            } else {
                ShellCall call = change.call(keys);
                Consumer<ShellCall> function = shellFunctions.get(call.function());
                if (function == null) {
                    throw new IllegalStateException("a machine does not know how to make " + change);
                }
                function.accept(call);
            }
        }

        private Boolean installPackages(Packages.Install change) {
            for (String name : change.packages()) {
                packages.put(name, "1");
                UnitFact own = units.get(name + ".service");
                if (name.startsWith("prometheus-")
                        && (own == null || !own.enabled().equals("masked"))) {
                    violations.add(name + " runs a service of its own on every address");
                }
            }
            return true;
        }

        private Boolean createUser(Users.Create change) {
            return users.add(change.user().name());
        }

        private Boolean installRelease(Releases.Install change) {
            releases.put(
                    change.install().release().name()
                            + '-'
                            + change.install().release().version(),
                    new ReleaseFact(change.sha256(), true));
            return true;
        }

        private Boolean writeFile(ManagedFiles.Write change) {
            if (change.file().path().startsWith("/etc/wireguard/")) {
                guarded = guarded.withConfig(Optional.of(change.file()));
            } else {
                files.put(change.file().path(), change.file());
                written.add(change.file().path());
            }
            return true;
        }

        private Boolean removeDropIns(Units.RemoveDropIns change) {
            units.computeIfPresent(
                    change.unit(),
                    (unit, fact) -> new UnitFact(fact.active(), fact.enabled(), fact.needsReload(), fact.since()));
            return true;
        }

        private Boolean writeSecret(SecretFiles.Write change) {
            SecretFile file = change.file();
            String sum = file.content().useText(text -> sha256(text + '\n'));
            secretFiles.put(file.path(), new FileFact(sum, SecretFile.MODE, "root:" + file.group()));
            return true;
        }

        private Boolean writeKey(WireGuard.WriteKey change) {
            if (!keys.own().orElseThrow().publicKey().equals(change.publicKey())) {
                throw new IllegalStateException("another key arrived than the one that was planned");
            }
            keyFileSafe = true;
            keyNoted = true;
            guarded = guarded.withKeyFile(Optional.of(change.publicKey()));
            return true;
        }

        private Boolean writePresharedKeys(WireGuard.WritePresharedKeys change) {
            Map<String, String> preshared = new TreeMap<>(guarded.preshared());
            presharedKeyMode = 0600;
            change.peers()
                    .forEach(peer -> preshared.put(
                            change.folder() + '/' + peer,
                            Objects.requireNonNull(keys.preshared().get(peer), peer)
                                    .useText(text -> sha256(text + "\n"))));
            guarded = guarded.withPreshared(preshared);
            return true;
        }

        private PresharedKeyFact presharedKeyOf(WireGuardInterface.Peer peer) {
            if (peer.presharedKeyPath().isEmpty()) {
                return PresharedKeyFact.NONE;
            }
            if (!guarded.preshared().containsKey(peer.presharedKeyPath().get())) {
                throw HostException.of(ErrorCode.STEP_FAILED, address, address, "set peers")
                        .because("the preshared key for " + peer.name() + " cannot be read", "");
            }
            return PresharedKeyFact.AS_FILED;
        }

        private Boolean allow(Firewall.Allow change) {
            List<FirewallRule> rules = new ArrayList<>(guarded.rules());
            rules.removeIf(rule -> rule.admitsSameAs(change.rule()));
            rules.add(change.rule());
            return rules(rules, guarded.active());
        }

        private Boolean disallow(Firewall.Disallow change) {
            List<FirewallRule> rules = new ArrayList<>(guarded.rules());
            rules.remove(change.rule());
            return rules(rules, guarded.active());
        }

        private Boolean enableFirewall() {
            return rules(guarded.rules(), true);
        }

        private Boolean rules(List<FirewallRule> rules, boolean active) {
            guarded = guarded.withRules(List.copyOf(rules))
                    .withActive(active)
                    .withDeny(active)
                    .withAtBoot(active);
            return true;
        }

        private Boolean wireGuard(WireGuard.Configure change) {
            WireGuardInterface wanted = change.wireGuard();
            if (!guarded.keyFile().equals(Optional.of(wanted.publicKey()))) {
                throw HostException.of(ErrorCode.STEP_FAILED, address, address, change.describe())
                        .because(wanted.name() + " runs with another key", "");
            }
            strangers.clear();
            boolean bounce = change.does() == InterfaceAction.START || change.does() == InterfaceAction.RESTART;
            Optional<WireGuardFact> running = guarded.running();
            if (change.does() != InterfaceAction.ENABLE) {
                running = Optional.of(new WireGuardFact(
                        Optional.of(wanted.publicKey()),
                        wanted.listenPort(),
                        bounce
                                ? List.of(wanted.address())
                                : running.orElseThrow().addresses(),
                        true,
                        wanted.peers().stream()
                                .map(peer -> new PeerFact(
                                        peer.publicKey(),
                                        peer.endpoint(),
                                        peer.allowedIps(),
                                        Optional.empty(),
                                        Optional.empty(),
                                        0,
                                        0,
                                        presharedKeyOf(peer)))
                                .toList()));
            }
            Map<String, String> preshared = new TreeMap<>(guarded.preshared());
            if (change.does() != InterfaceAction.ENABLE) {
                preshared
                        .keySet()
                        .retainAll(wanted.peers().stream()
                                .flatMap(peer -> peer.presharedKeyPath().stream())
                                .toList());
            }
            String since = bounce
                    ? String.valueOf(++sequence)
                    : guarded.unit().map(UnitFact::since).orElse("");
            guarded = guarded.withRunning(running)
                    .withUnit(Optional.of(new UnitFact("active", "enabled", false, since)))
                    .withPreshared(preshared);
            return true;
        }

        private Boolean killSwitch(KillSwitches.Configure change) {
            String network = change.killSwitch().network();
            if (change.does() == KillSwitchAction.RELEASE_OTHERS) {
                releaseAll();
            }
            String address = change.killSwitch().address();
            cover(Set.of(network), Set.of(address));
            List<String> lines = new ArrayList<>();
            change.killSwitch().closedPorts().forEach((port, peers) -> {
                peers.forEach(peer -> lines.add(String.join("\t", "admitted", address, Integer.toString(port), peer)));
                lines.add("closed\t" + address + '\t' + port);
            });
            // As the script does: who was shut out stays so until the others are released.
            change.killSwitch().viewers().forEach(peer -> lines.add("shut\t" + peer));
            if (change.does() == KillSwitchAction.COVER) {
                closedPorts.values().stream()
                        .flatMap(List::stream)
                        .filter(line -> line.startsWith("shut\t") && !lines.contains(line))
                        .forEach(lines::add);
            }
            closedPorts.put(address, lines);
            started.add(KillSwitch.UNIT);
            units.put(KillSwitch.UNIT, new UnitFact("active", "enabled", false, String.valueOf(++sequence)));
            return true;
        }

        private Boolean unit(Units.Apply change) {
            UnitFact fact = units.getOrDefault(change.unit(), new UnitFact("inactive", "disabled", false, ""));
            boolean starts = change.does() == UnitAction.START || change.does() == UnitAction.RESTART;
            boolean enabled = change.does() == UnitAction.START || change.does() == UnitAction.ENABLE;
            started.add(change.unit());
            if (starts && !(guarded.active() && guarded.deny())) {
                violations.add(change.describe() + " while the firewall is off");
            }
            boolean stopped = change.does() == UnitAction.STOP;
            if (starts || stopped) {
                listening.remove(change.unit());
            }
            if (starts) {
                listen(change);
            }
            units.put(
                    change.unit(),
                    new UnitFact(
                            starts ? "active" : stopped ? "inactive" : fact.active(),
                            enabled ? "enabled" : fact.enabled(),
                            false,
                            starts ? String.valueOf(++sequence) : fact.since()));
            return true;
        }

        /** Takes the address that the unit's file names, which no other may hold. */
        private void listen(Units.Apply change) {
            ManagedFile file = files.get("/etc/systemd/system/" + change.unit());
            Matcher named = LISTEN.matcher(file == null ? "" : file.content());
            if (named.find()) {
                if (listening.containsValue(named.group(1))) {
                    throw HostException.of(ErrorCode.STEP_FAILED, address, address, change.describe())
                            .exitCode(1)
                            .because(change.unit() + " does not stay up: " + named.group(1) + " is in use", "");
                }
                listening.put(change.unit(), named.group(1));
            }
        }

        private Boolean maskUnit(Units.Mask change) {
            String since = Optional.ofNullable(units.get(change.unit()))
                    .map(UnitFact::since)
                    .orElse("");
            units.put(change.unit(), new UnitFact("inactive", "masked", false, since));
            return true;
        }

        private Boolean removeUnit(Units.Remove change) {
            units.remove(change.unit());
            listening.remove(change.unit());
            written.remove("/etc/systemd/system/" + change.unit());
            return files.remove("/etc/systemd/system/" + change.unit()) != null;
        }

        private Boolean removeFile(ManagedFiles.Remove change) {
            releases.keySet().removeIf(release -> change.path().equals("/opt/promguard/" + release));
            written.remove(change.path());
            return files.remove(change.path()) != null;
        }

        private Boolean replaceHostKey() {
            hostKey = fresh;
            return everHostKeys.add(fresh);
        }

        private Boolean remember(Manifest.Begin change) {
            mesh = change.mesh();
            before = guarded;
            return true;
        }

        private Boolean takeOff(Manifest.Uninstall change) {
            Guarded then = Objects.requireNonNull(before, "nothing was remembered");
            switch (change.part()) {
                case SERVICES -> {
                    units.keySet().removeAll(started);
                    releaseAll();
                    started.clear();
                }
                case WIREGUARD -> guarded = guarded(guarded, guarded.keyFile(), guarded.config(), Optional.empty());
                case FIREWALL -> {
                    if (!started.isEmpty()) {
                        violations.add("the firewall opens while units run");
                    }
                    guarded = guarded(then, guarded.keyFile(), guarded.config(), guarded.running());
                }
                case FILES -> {
                    guarded = guarded(guarded, Optional.empty(), Optional.empty(), guarded.running());
                    files.clear();
                    users.clear();
                    releases.clear();
                    takenOff = mesh;
                    mesh = null;
                    keyNoted = false;
                    progress.left("packages that PromGuard installed: ufw wireguard-tools");
                }
            }
            return true;
        }

        private static Guarded guarded(
                Guarded firewall,
                Optional<PublicKey> key,
                Optional<ManagedFile> config,
                Optional<WireGuardFact> running) {
            return new Guarded(
                    firewall.rules(),
                    firewall.active(),
                    firewall.deny(),
                    firewall.atBoot(),
                    key,
                    config,
                    running,
                    running.isPresent() ? firewall.unit() : Optional.empty(),
                    config.isPresent() ? firewall.preshared() : Map.of());
        }
    }
}
