package dev.promguard.host;

import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Planner;
import dev.promguard.host.HostFacts.ManifestFact;
import dev.promguard.keys.PublicKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The network interfaces that a host has beside the mesh's, as far as these could meet: others of PromGuard's, WireGuard interfaces of
 * the owner's, and any interface of the same name. Nothing of them is changed.
 */
public final class Interfaces implements Resource {
    static final Interfaces RESOURCE = new Interfaces();
    /** What is asked of a host about them. */
    public static final ResourceFacts<InterfacesFact> FACTS =
            ResourceFacts.of("interfaces", InterfacesFact.class, InterfacesFact.NONE, Reader::new);

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_=+.-]{1,15}");
    private static final Pattern MESH = Pattern.compile("[a-z0-9-]{1,32}");
    private static final Pattern NETWORK = Pattern.compile("[0-9a-fA-F.:]{2,45}/[0-9]{1,3}");
    private static final Pattern UNIT = Pattern.compile("unit wg-quick@([A-Za-z0-9_=+.-]{1,15})\\.service");
    private static final Pattern KIND = Pattern.compile("wireguard|tun|other");
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=");
    private static final Pattern KEEPALIVE =
            Pattern.compile("(?m)^PublicKey = (.{44})$|^PersistentKeepalive = ([0-9]+)$");
    private static final String KIND_OTHER = "other";

    /** What leads everywhere overlaps every network and takes nothing from it: a more specific route wins. */
    private static final int SHORTEST_PREFIX = 4;

    private static final int MOST_NETWORKS = 1_000;
    private static final int MOST_NAMED = 5;

    private Interfaces() {}

    /**
     * A WireGuard interface that is not the mesh's.
     *
     * @param port the UDP port that it listens on; 0 if it has none
     * @param networks the networks that its peers have
     */
    public record Tunnel(int port, Set<String> networks) {
        /**
         * Copies the set.
         *
         * @throws NullPointerException if it is null
         */
        public Tunnel {
            networks = Set.copyOf(networks);
        }
    }

    /**
     * What a host has.
     *
     * @param configured the interfaces with a configuration of PromGuard's that have another name than the mesh's, and the mesh of each
     * @param link the kind of the interface that has the name of the mesh's, such as {@code wireguard}; empty if there is none
     * @param mtu the MTU of that interface in bytes; empty if it is not known
     * @param keepalives how often the running interface sends to peers that say nothing, in seconds, by public key; 0 for never
     * @param tunnels the running WireGuard interfaces of other names
     */
    public record InterfacesFact(
            Map<String, String> configured,
            Optional<String> link,
            OptionalInt mtu,
            Map<PublicKey, Integer> keepalives,
            Map<String, Tunnel> tunnels) {
        /** There is none. */
        public static final InterfacesFact NONE =
                new InterfacesFact(Map.of(), Optional.empty(), OptionalInt.empty(), Map.of(), Map.of());

        /**
         * Copies the maps.
         *
         * @throws NullPointerException if something is null
         */
        public InterfacesFact {
            configured = Map.copyOf(configured);
            Objects.requireNonNull(link, "link");
            Objects.requireNonNull(mtu, "mtu");
            keepalives = Map.copyOf(keepalives);
            tunnels = Map.copyOf(tunnels);
        }
    }

    private static final class Reader implements ResourceFacts.Reader<InterfacesFact> {
        private final Map<String, String> configured = new TreeMap<>();
        private Optional<String> link = Optional.empty();
        private OptionalInt mtu = OptionalInt.empty();
        private final Map<PublicKey, Integer> keepalives = new HashMap<>();
        private final Map<String, Integer> ports = new TreeMap<>();
        private final Map<String, Set<String>> networks = new TreeMap<>();
        private int count;

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            if (++count > MOST_NETWORKS) {
                return;
            }
            switch (line.kind()) {
                case "configured" -> configured.put(line.fields(2).field(1, NAME), line.field(2, MESH));
                case "link" -> {
                    link = Optional.of(line.fields(2).field(1, KIND));
                    mtu = OptionalInt.of(line.number(2));
                }
                case "keepalive" -> keepalives.put(new PublicKey(line.fields(2).field(1, KEY)), line.number(2));
                case "tunnel" -> ports.put(line.fields(2).field(1, NAME), line.number(2));
                case "leads" ->
                    networks.computeIfAbsent(line.fields(2).field(1, NAME), name -> new TreeSet<>())
                            .add(line.field(2, NETWORK));
                default -> throw line.unknown();
            }
        }

        @Override
        public InterfacesFact facts() {
            Map<String, Tunnel> tunnels = new TreeMap<>();
            ports.forEach((name, port) -> tunnels.put(name, new Tunnel(port, networks.getOrDefault(name, Set.of()))));
            return new InterfacesFact(configured, link, mtu, keepalives, tunnels);
        }
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "interfaces.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.resource(FACTS, desired.wireGuard().name());
    }

    /**
     * That the mesh has an interface of another name on a host. What else is found there is then PromGuard's own, and no problem of others.
     *
     * @param mesh the mesh's name
     * @param desired what the host should be
     * @param facts what the host is
     * @return the problem with its remedy, or empty if there is none
     */
    public static Optional<HostProblem> renamed(String mesh, DesiredHost desired, HostFacts facts) {
        String name = desired.wireGuard().name();
        InterfacesFact interfaces = facts.of(FACTS);
        Set<String> former = new TreeSet<>();
        interfaces.configured().forEach((other, of) -> {
            if (of.equals(mesh)) {
                former.add(other);
            }
        });
        if (Manifest.isOf(mesh, facts)) {
            facts.manifest().map(ManifestFact::things).orElse(Set.of()).stream()
                    .map(UNIT::matcher)
                    .filter(unit -> unit.matches() && !unit.group(1).equals(name))
                    .forEach(unit -> former.add(unit.group(1)));
        }
        if (former.isEmpty()) {
            return Optional.empty();
        }
        String known = String.join(", ", former);
        return Optional.of(new HostProblem(
                "the mesh's interface on it is " + known + ", and the spec says " + name,
                "Keep interfaceName(\"" + former.iterator().next()
                        + "\"). For the other name run destroy(), then apply again."));
    }

    /**
     * Why the mesh's interface cannot have its name on a host, whoever made the host: it is that of another kind of interface.
     *
     * @param desired what the host should be
     * @param facts what the host is
     * @return the problems, each with its remedy; empty if there is none
     */
    public static List<HostProblem> problems(DesiredHost desired, HostFacts facts) {
        String name = desired.wireGuard().name();
        List<HostProblem> problems = new ArrayList<>();
        if (facts.of(FACTS).link().equals(Optional.of(KIND_OTHER))) {
            problems.add(new HostProblem(
                    "it has a network interface " + name + " that is not WireGuard's",
                    "Choose another name for the mesh's with interfaceName(…)."));
        }
        return List.copyOf(problems);
    }

    /**
     * The networks of other WireGuard interfaces that the mesh's network overlaps, so that one of the two would be cut off.
     *
     * @param spec the spec
     * @param facts what the host is
     * @return each with the interface that leads there; empty if there is none
     */
    public static List<String> overlaps(MeshSpec spec, HostFacts facts) {
        List<String> overlaps = new ArrayList<>();
        new TreeMap<>(facts.of(FACTS).tunnels()).forEach((name, tunnel) -> {
            List<String> narrow = tunnel.networks().stream()
                    .filter(network -> Integer.parseInt(network.substring(network.indexOf('/') + 1)) >= SHORTEST_PREFIX)
                    .sorted()
                    .toList();
            Planner.overlaps(spec, narrow).stream()
                    .limit(MOST_NAMED)
                    .forEach(network -> overlaps.add(network + " (behind its WireGuard interface " + name + ")"));
        });
        return List.copyOf(overlaps);
    }

    /** How the running interface differs from the spec in its MTU and in what keeps the way back open; what is not known does not count. */
    static List<String> differences(WireGuardInterface desired, HostFacts facts) {
        InterfacesFact running = facts.of(FACTS);
        List<String> differences = new ArrayList<>();
        if (desired.mtu().isPresent() && !running.mtu().equals(desired.mtu())) {
            running.mtu()
                    .ifPresent(mtu -> differences.add(
                            "its MTU is " + mtu + " instead of " + desired.mtu().getAsInt()));
        }
        Map<String, Integer> keepalives = keepalives(desired.config().content());
        for (WireGuardInterface.Peer peer : desired.peers()) {
            int seconds = keepalives.getOrDefault(peer.publicKey().base64(), 0);
            int there = running.keepalives().getOrDefault(peer.publicKey(), seconds);
            if (there != seconds) {
                differences.add(
                        "peer " + peer.name() + " has " + keepalive(there) + " instead of " + keepalive(seconds));
            }
        }
        return List.copyOf(differences);
    }

    private static String keepalive(int seconds) {
        return seconds == 0 ? "no keepalive" : "a keepalive of " + seconds + " s";
    }

    /** What a configuration says of its peers, by public key. */
    private static Map<String, Integer> keepalives(String config) {
        Map<String, Integer> keepalives = new HashMap<>();
        Matcher lines = KEEPALIVE.matcher(config);
        String key = "";
        while (lines.find()) {
            if (lines.group(1) != null) {
                key = lines.group(1);
            } else {
                keepalives.put(key, Integer.valueOf(lines.group(2)));
            }
        }
        return keepalives;
    }

    /** The WireGuard interface of somebody else's that listens on a UDP port. */
    static Optional<String> listeningOn(int port, HostFacts facts) {
        return new TreeMap<>(facts.of(FACTS).tunnels())
                .entrySet().stream()
                        .filter(tunnel -> tunnel.getValue().port() == port)
                        .map(Map.Entry::getKey)
                        .findFirst();
    }
}
