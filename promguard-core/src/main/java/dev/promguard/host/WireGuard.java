package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Names;
import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.host.HostFacts.PresharedKeyFact;
import dev.promguard.host.HostFacts.UnitFact;
import dev.promguard.host.HostFacts.WireGuardFact;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The WireGuard interface with its configuration, its private key and its preshared keys. */
public final class WireGuard implements Resource {
    static final WireGuard RESOURCE = new WireGuard();
    private static final Pattern INTERFACE = Pattern.compile("[A-Za-z0-9_=+.-]{1,15}");
    private static final int MOST_NAMED = 3;
    /** The form of a host's name, which its preshared key's file has too. */
    static final Pattern HOST = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

    private WireGuard() {}

    /** Ways to bring a WireGuard interface to its configuration, the gentlest first. */
    public enum InterfaceAction {
        /** Have it come up at boot; it runs as it should. */
        ENABLE,
        /** Set peers, key, port and anti-spoofing rule on the running interface; sessions of unchanged peers go on. */
        SYNC,
        /** Bring it up; it is down. */
        START,
        /** Take it down and bring it up; only its address asks for that. */
        RESTART
    }

    /**
     * Writes the WireGuard private key, which is sent beside the changes: see {@link NewKeys}.
     *
     * @param path where the key goes, mode 0600
     * @param publicKey the public key that belongs to it
     */
    public record WriteKey(String path, PublicKey publicKey) implements Change {
        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.UPDATE;
        }

        @Override
        public String subject() {
            return path;
        }

        @Override
        public String describe() {
            return "write the WireGuard key";
        }

        @Override
        public boolean risky() {
            return true;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            WireGuardKeyPair pair = keys.own()
                    .filter(own -> own.publicKey().equals(publicKey))
                    .orElseThrow(() -> new IllegalArgumentException("the private key of " + publicKey + " is missing"));
            return ShellCall.of("apply_key", Forms.requirePath(path), publicKey.base64())
                    .reading(new ShellCall.Input.SecretLine(pair.privateKey()));
        }
    }

    /**
     * Writes the preshared keys that the host shares with some of its peers, each mode 0600. The keys are sent beside the changes:
     * see {@link NewKeys}. The running interface takes them with the next {@link InterfaceAction#SYNC}; sessions go on, since a
     * preshared key counts at the next handshake only.
     *
     * @param folder the folder of the files, which are named after the peers; others in it stay
     * @param peers the peers' host names
     */
    public record WritePresharedKeys(String folder, Set<String> peers) implements Change {
        private static final int MOST_NAMES = 5;

        /** Copies the set, sorted by name. */
        public WritePresharedKeys {
            Objects.requireNonNull(folder, "folder");
            peers = Collections.unmodifiableSet(new TreeSet<>(peers));
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.UPDATE;
        }

        @Override
        public String subject() {
            return folder;
        }

        @Override
        public String describe() {
            return describe(peers);
        }

        private static String describe(Collection<String> peers) {
            return "write " + named(peers);
        }

        private static String named(Collection<String> peers) {
            List<String> names = peers.stream().sorted().toList();
            return (names.size() == 1 ? "the preshared key for " : "the preshared keys for ")
                    + (names.size() <= MOST_NAMES
                            ? String.join(", ", names)
                            : String.join(", ", names.subList(0, MOST_NAMES - 1)) + " and "
                                    + (names.size() - MOST_NAMES + 1) + " more");
        }

        @Override
        public boolean risky() {
            return true;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            List<String> arguments = new ArrayList<>(List.of(Forms.requirePath(folder)));
            Map<String, Secret> secrets = new TreeMap<>();
            for (String peer : peers) {
                arguments.add(Forms.require(HOST, peer, "peer", "a host's name"));
                Secret key = keys.preshared().get(peer);
                if (key == null) {
                    throw new IllegalArgumentException("the preshared key for " + peer + " is missing");
                }
                secrets.put(peer, key);
            }
            return ShellCall.of("apply_preshared_keys", arguments).reading(new ShellCall.Input.SecretLines(secrets));
        }
    }

    /**
     * Brings the running WireGuard interface to what its configuration file says.
     *
     * @param wireGuard the interface
     * @param does by how much
     */
    public record Configure(WireGuardInterface wireGuard, InterfaceAction does) implements Change {
        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public Configure {
            Objects.requireNonNull(wireGuard, "wireGuard");
            Objects.requireNonNull(does, "does");
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return does == InterfaceAction.SYNC ? Action.UPDATE : Action.valueOf(does.name());
        }

        @Override
        public String subject() {
            return wireGuard.name();
        }

        @Override
        public String describe() {
            return switch (does) {
                case ENABLE -> wireGuard.name() + ": come up at boot";
                case SYNC -> wireGuard.name() + ": set peers";
                case START -> wireGuard.name() + ": bring up";
                case RESTART -> wireGuard.name() + ": take down and bring up";
            };
        }

        @Override
        public boolean risky() {
            return does != InterfaceAction.ENABLE;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of(
                    "apply_wireguard",
                    does.name(),
                    Forms.require(INTERFACE, wireGuard.name(), "interface", "an interface's name"),
                    wireGuard.keyPath(),
                    wireGuard.publicKey().base64(),
                    wireGuard.address());
        }
    }

    @Override
    public String id() {
        return "wireguard";
    }

    @Override
    public String shellFile() {
        return "wireguard.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        WireGuardInterface wireGuard = desired.wireGuard();
        query.resource(StrayKeys.FACTS, wireGuard.name());
        query.wireGuard(wireGuard.name(), wireGuard.keyPath())
                .units(List.of(wireGuard.unit()))
                .file(wireGuard.config().path(), Hashes.of(wireGuard.config().content()));
        wireGuard.peers().forEach(peer -> peer.presharedKeyPath().ifPresent(path -> query.files(List.of(path))));
    }

    /**
     * Whether a host lacks a WireGuard key that can be kept: it has none, or others could have read it.
     *
     * @param facts what the host is
     * @return true if it needs a new key
     */
    public static boolean needsKey(HostFacts facts) {
        return facts.keyFilePublicKey().isEmpty() || !facts.keyFileSafe();
    }

    static void configure(Comparison comparison) {
        WireGuardInterface desired = comparison.desired().wireGuard();
        HostFacts facts = comparison.facts();
        KeyChanges newKeys = comparison.newKeys();
        newKeys.own().ifPresent(publicKey -> comparison.add(new WriteKey(desired.keyPath(), publicKey)));
        if (!newKeys.preshared().isEmpty()) {
            comparison.add(
                    new WritePresharedKeys(WireGuardInterface.presharedKeyFolder(desired.name()), newKeys.preshared()));
        }
        boolean rewritten = ManagedFiles.differs(desired.config(), facts);
        if (rewritten) {
            comparison.add(new ManagedFiles.Write(desired.config()));
        }
        UnitFact unit = facts.units().get(desired.unit());
        Optional<WireGuardFact> running = facts.wireGuard();
        if (!Units.isActive(unit) || running.isEmpty()) {
            boolean halfUp = running.isPresent() || Units.isActive(unit);
            comparison.add(new Configure(desired, halfUp ? InterfaceAction.RESTART : InterfaceAction.START));
            if (halfUp) {
                comparison.restartInterface();
            }
            return;
        }
        if (!running.get().addresses().equals(List.of(desired.address()))) {
            comparison.add(new Configure(desired, InterfaceAction.RESTART));
            comparison.restartInterface();
            return;
        }
        if (rewritten
                || !newKeys.isEmpty()
                || !runsAs(desired, running.get())
                || !StrayKeys.of(desired, facts).isEmpty()
                || !Interfaces.differences(desired, facts).isEmpty()) {
            comparison.add(new Configure(desired, InterfaceAction.SYNC));
        }
        if (!Objects.requireNonNull(unit).enabled().equals("enabled")) {
            comparison.add(new Configure(desired, InterfaceAction.ENABLE));
        }
    }

    /** Which endpoint a peer has does not count: WireGuard itself moves it to where the peer was last heard from. */
    private static boolean runsAs(WireGuardInterface desired, WireGuardFact running) {
        if (!running.publicKey().equals(Optional.of(desired.publicKey()))
                || running.listenPort() != desired.listenPort()
                || !running.antiSpoofing()
                || running.peers().size() != desired.peers().size()) {
            return false;
        }
        Map<PublicKey, PeerFact> peers = new HashMap<>();
        running.peers().forEach(peer -> peers.put(peer.publicKey(), peer));
        return desired.peers().stream().allMatch(peer -> {
            PeerFact fact = peers.get(peer.publicKey());
            return fact != null
                    && new TreeSet<>(fact.allowedIps()).equals(new TreeSet<>(peer.allowedIps()))
                    && (fact.endpoint().isPresent() || peer.endpoint().isEmpty())
                    && fact.presharedKey() == desiredPresharedKey(peer);
        });
    }

    private static PresharedKeyFact desiredPresharedKey(WireGuardInterface.Peer peer) {
        return peer.presharedKeyPath().isPresent() ? PresharedKeyFact.AS_FILED : PresharedKeyFact.NONE;
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        if (change instanceof WriteKey) {
            return lostKey(drift.facts(), drift.left());
        } else if (change instanceof WritePresharedKeys write) {
            return write.peers().stream()
                    .anyMatch(peer -> lostPresharedKey(drift.desired(), drift.facts(), drift.left(), peer));
        }
        Configure configure = (Configure) change;
        Optional<LastApplied.Tunnels> left = drift.left().wireGuard();
        if (left.isEmpty()) {
            return false;
        }
        Optional<WireGuardFact> running = drift.facts().wireGuard();
        if (configure.does() == InterfaceAction.ENABLE
                || configure.does() == InterfaceAction.START
                || running.isEmpty()) {
            return true;
        }
        UnitFact unit = drift.facts().units().get(drift.desired().wireGuard().unit());
        if (!Units.isActive(unit) || !runs(left.get(), running.get())) {
            return true;
        }
        List<Change> causes = drift.changes().stream()
                .filter(cause -> cause instanceof WriteKey
                        || cause instanceof WritePresharedKeys
                        || (cause instanceof ManagedFiles.Write write
                                && write.file()
                                        .equals(drift.desired().wireGuard().config())))
                .toList();
        boolean rewritten = causes.stream().anyMatch(ManagedFiles.Write.class::isInstance);
        boolean differs = !Interfaces.differences(drift.desired().wireGuard(), drift.facts())
                .isEmpty();
        boolean stray =
                !StrayKeys.of(drift.desired().wireGuard(), drift.facts()).isEmpty();
        if ((!running.get().antiSpoofing() || differs || stray) && !rewritten) {
            return true;
        }
        return drift.followsFrom(causes)
                && left.get().equals(LastApplied.Tunnels.of(drift.desired().wireGuard()));
    }

    /** Whether a host lost its WireGuard key, or had it laid open, since the last apply gave it one. */
    private static boolean lostKey(HostFacts facts, LastApplied left) {
        return needsKey(facts) && left.wireGuard().isPresent();
    }

    /** Whether a host lost the preshared key that it shares with a peer, or had it laid open, since the last apply. */
    private static boolean lostPresharedKey(DesiredHost desired, HostFacts facts, LastApplied left, String peer) {
        Map<String, String> peers =
                left.wireGuard().map(LastApplied.Tunnels::peers).orElse(Map.of());
        return !PresharedKeys.holds(desired.wireGuard().name(), facts, peer)
                && desired.wireGuard().peers().stream()
                        .filter(known -> known.name().equals(peer))
                        .anyMatch(known -> LastApplied.words(known.allowedIps(), true)
                                .equals(peers.get(known.publicKey().base64())));
    }

    /** Whether an interface still runs as it was left. */
    private static boolean runs(LastApplied.Tunnels left, WireGuardFact running) {
        Map<String, String> peers = new TreeMap<>();
        for (PeerFact peer : running.peers()) {
            String preshared = peer.presharedKey() == PresharedKeyFact.OTHER ? " with another preshared key" : "";
            peers.put(
                    peer.publicKey().base64(),
                    LastApplied.words(peer.allowedIps(), peer.presharedKey() == PresharedKeyFact.AS_FILED) + preshared);
        }
        Optional<PublicKey> key = running.publicKey();
        return key.equals(Optional.of(left.publicKey()))
                && running.listenPort() == left.listenPort()
                && running.addresses().equals(List.of(left.address()))
                && peers.equals(left.peers());
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        if (change instanceof WriteKey) {
            return List.of(newKey(change, explanation));
        } else if (change instanceof WritePresharedKeys write) {
            return newPresharedKeys(write, explanation);
        }
        Configure configure = (Configure) change;
        WireGuardInterface wireGuard = configure.wireGuard();
        String after =
                wireGuard.address() + ", " + Names.counted(wireGuard.peers().size(), "peer");
        if (configure.does() == InterfaceAction.SYNC) {
            List<String> differences = differences(wireGuard, explanation.facts()).stream()
                    .map(difference -> SymbolicKeys.shown(difference, explanation.newKeys()))
                    .toList();
            String what = String.join(", ", differences);
            ExplainedChange explained = differences.isEmpty() || !explanation.isDrift(change)
                    ? explanation.planned(change)
                    : explanation.explained(change, wireGuard.name() + ": " + what, Explanation.PUT_BACK);
            return List.of(explained.between(differences.isEmpty() ? "up" : what, after));
        }
        Optional<WireGuardFact> running = explanation.facts().wireGuard();
        String state = switch (configure.does()) {
            case ENABLE -> " does not come up at boot";
            case START -> " is down";
            case RESTART ->
                running.isPresent() && !running.get().addresses().equals(List.of(wireGuard.address()))
                        ? " has " + addresses(running.get()) + " instead of " + wireGuard.address()
                        : " is half up";
            case SYNC -> throw new IllegalStateException("explained above");
        };
        if (Units.isMaskedByOthers(explanation.facts().units().get(wireGuard.unit()))) {
            ExplainedChange explained = explanation.isDrift(change)
                    ? explanation.explained(
                            change,
                            wireGuard.name() + state + ", and " + wireGuard.unit() + " is masked",
                            "unmask and put back")
                    : ExplainedChange.of(
                            change, false, change.describe() + ", and unmask " + wireGuard.unit() + " for it");
            return List.of(explained.between(state.strip() + ", masked", after));
        }
        return List.of(explanation
                .explained(change, wireGuard.name() + state, Explanation.PUT_BACK)
                .between(state.strip(), after));
    }

    private static ExplainedChange newKey(Change change, Explanation explanation) {
        HostFacts facts = explanation.facts();
        boolean absent = facts.keyFilePublicKey().isEmpty();
        String what = absent ? "the WireGuard key is gone" : "the WireGuard key could be read by others";
        ExplainedChange explained = lostKey(facts, explanation.left())
                ? ExplainedChange.of(change, true, what + " (drift)   → a new one, known after apply")
                : ExplainedChange.of(change, false, "make the WireGuard key, known after apply");
        return explained
                .withAction(absent ? Change.Action.CREATE : Change.Action.UPDATE)
                .between(
                        facts.keyFilePublicKey().map(PublicKey::base64).orElse(ExplainedChange.ABSENT),
                        ExplainedChange.KNOWN_AFTER_APPLY);
    }

    private static List<ExplainedChange> newPresharedKeys(WritePresharedKeys change, Explanation explanation) {
        List<String> gone = change.peers().stream()
                .filter(peer -> lostPresharedKey(explanation.desired(), explanation.facts(), explanation.left(), peer))
                .toList();
        List<String> fresh =
                change.peers().stream().filter(peer -> !gone.contains(peer)).toList();
        List<ExplainedChange> explained = new ArrayList<>();
        if (!gone.isEmpty()) {
            explained.add(ExplainedChange.of(
                    change,
                    true,
                    (gone.size() == 1 ? "the preshared key for " : "the preshared keys for ")
                            + String.join(", ", gone) + (gone.size() == 1 ? " is" : " are")
                            + " gone or could be read by others (drift)   → new, known after apply"));
        }
        if (!fresh.isEmpty()) {
            explained.add(
                    ExplainedChange.of(change, false, WritePresharedKeys.describe(fresh) + ", known after apply"));
        }
        return explained;
    }

    /** How the running interface differs from what its file should say. */
    private static List<String> differences(WireGuardInterface wireGuard, HostFacts facts) {
        List<String> differences = new ArrayList<>();
        facts.wireGuard().ifPresent(running -> {
            Map<PublicKey, PeerFact> left = new HashMap<>();
            running.peers().forEach(peer -> left.put(peer.publicKey(), peer));
            for (WireGuardInterface.Peer peer : wireGuard.peers()) {
                PeerFact fact = left.remove(peer.publicKey());
                if (fact == null) {
                    differences.add("peer " + peer.name() + " is gone");
                } else if (!LastApplied.words(fact.allowedIps()).equals(LastApplied.words(peer.allowedIps()))) {
                    differences.add("peer " + peer.name() + " has " + addresses(fact) + " instead of "
                            + LastApplied.words(peer.allowedIps()));
                } else if (fact.presharedKey() != desiredPresharedKey(peer)) {
                    differences.add("peer " + peer.name() + presharedKey(fact));
                }
            }
            if (!left.isEmpty()) {
                differences.add(added(left.values()));
            }
            if (!running.publicKey().equals(Optional.of(wireGuard.publicKey()))) {
                differences.add("it runs with "
                        + running.publicKey()
                                .map(key -> "public key " + key.base64())
                                .orElse("no key") + " instead of "
                        + wireGuard.publicKey().base64());
            }
            if (running.listenPort() != wireGuard.listenPort()) {
                differences.add("it listens on port " + running.listenPort() + " instead of " + wireGuard.listenPort());
            }
            if (!running.antiSpoofing()) {
                differences.add("its address can be reached by other interfaces");
            }
            differences.addAll(Interfaces.differences(wireGuard, facts));
            Set<String> stray = StrayKeys.of(wireGuard, facts);
            if (!stray.isEmpty()) {
                differences.add("it still holds " + WritePresharedKeys.named(stray) + ", of which it is no peer");
            }
        });
        return differences;
    }

    private static String addresses(WireGuardFact running) {
        return running.addresses().isEmpty() ? "no address" : String.join(", ", running.addresses());
    }

    private static String addresses(PeerFact peer) {
        return peer.allowedIps().isEmpty() ? "no address" : LastApplied.words(peer.allowedIps());
    }

    /** How the preshared key of a running peer differs; which key it is, nobody is told. */
    private static String presharedKey(PeerFact running) {
        return switch (running.presharedKey()) {
            case NONE -> " has no preshared key";
            case AS_FILED -> " has a preshared key, and should have none";
            case OTHER -> " has another preshared key than its file";
        };
    }

    /** The peers that the spec does not have, by their public keys and addresses. */
    private static String added(Collection<PeerFact> peers) {
        String named = peers.stream()
                .map(peer -> peer.publicKey().base64() + " with " + addresses(peer))
                .sorted()
                .limit(MOST_NAMED)
                .collect(Collectors.joining(", "));
        String more = peers.size() > MOST_NAMED ? " and " + (peers.size() - MOST_NAMED) + " more" : "";
        return peers.size() + (peers.size() == 1 ? " peer was added: " : " peers were added: ") + named + more;
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        LastApplied.Builder left = known.toBuilder().withoutWireGuard();
        return (change instanceof Configure configure
                        ? left.withoutUnit(configure.wireGuard().unit())
                        : left)
                .build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        left.wireGuard(desired.wireGuard())
                .file(desired.wireGuard().config())
                .unit(desired.wireGuard().unit());
    }
}
