package dev.promguard.host;

import dev.promguard.keys.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a host itself says of the mesh that it is in: by the WireGuard configuration that PromGuard wrote there, and the manifest where there
 * is one. The state of a mesh is rebuilt from it. Nothing of it is ever changed by itself.
 */
public final class Membership implements Resource {
    static final Membership RESOURCE = new Membership();
    /** What is asked of a host about it. */
    public static final ResourceFacts<MembershipFact> FACTS =
            ResourceFacts.of("membership", MembershipFact.class, MembershipFact.NONE, Reader::new);

    private static final Pattern MESH = Pattern.compile("[a-z][a-z0-9-]{0,31}");
    private static final Pattern INTERFACE = Pattern.compile("[A-Za-z][A-Za-z0-9_-]{0,14}");
    private static final Pattern ADDRESS = Pattern.compile("[0-9a-fA-F.:]{2,45}");
    private static final Pattern NAME = Pattern.compile("[a-z0-9.-]{1,253}");
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=");
    private static final int MOST_PEERS = 20_000;

    private Membership() {}

    /**
     * What a host says.
     *
     * @param meshes the meshes that its configurations and its manifest name: one, unless somebody has copied files
     * @param interfaceName the WireGuard interface that PromGuard has there; empty if there is none
     * @param address its own address inside the tunnels, without a prefix length; empty if there is none
     * @param peers the peers that it was given
     */
    public record MembershipFact(
            Set<String> meshes, Optional<String> interfaceName, Optional<String> address, List<Peer> peers) {
        /** It is in no mesh. */
        public static final MembershipFact NONE =
                new MembershipFact(Set.of(), Optional.empty(), Optional.empty(), List.of());

        /**
         * Copies the collections.
         *
         * @throws NullPointerException if something is null
         */
        public MembershipFact {
            meshes = Set.copyOf(meshes);
            Objects.requireNonNull(interfaceName, "interfaceName");
            Objects.requireNonNull(address, "address");
            peers = List.copyOf(peers);
        }
    }

    /**
     * A peer in a host's configuration.
     *
     * @param name what the mesh calls it
     * @param publicKey its public key
     * @param address its address inside the tunnels, without a prefix length
     */
    public record Peer(String name, PublicKey publicKey, String address) {
        /**
         * Checks that all are there.
         *
         * @throws NullPointerException if one is null
         */
        public Peer {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(publicKey, "publicKey");
            Objects.requireNonNull(address, "address");
        }
    }

    private static final class Reader implements ResourceFacts.Reader<MembershipFact> {
        private final Set<String> meshes = new TreeSet<>();
        private Optional<String> interfaceName = Optional.empty();
        private Optional<String> address = Optional.empty();
        private final List<Peer> peers = new ArrayList<>();

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            switch (line.kind()) {
                case "mesh" -> meshes.add(line.fields(1).field(1, MESH));
                case "interface" -> interfaceName = Optional.of(line.fields(1).field(1, INTERFACE));
                case "address" -> address = Optional.of(line.fields(1).field(1, ADDRESS));
                case "peer" -> {
                    peers.add(new Peer(
                            line.fields(3).field(1, NAME), new PublicKey(line.field(2, KEY)), line.field(3, ADDRESS)));
                    if (peers.size() > MOST_PEERS) {
                        throw new MalformedFactsException("peers of a host", "more than there can be");
                    }
                }
                default -> throw line.unknown();
            }
        }

        @Override
        public MembershipFact facts() {
            return new MembershipFact(meshes, interfaceName, address, peers);
        }
    }

    /**
     * What to ask a host for from which the state of its mesh is to be rebuilt.
     *
     * @param interfaceName the name that the spec has for the mesh's interface
     * @return the query
     */
    public static FactsQuery query(String interfaceName) {
        return new FactsQuery.Builder()
                .wireGuard(interfaceName, WireGuardInterface.keyPath(interfaceName))
                .resource(FACTS)
                .resource(AuthorizedKeys.FACTS)
                .build();
    }

    /**
     * The same query, which also asks for what the host says of its mesh.
     *
     * @param query a query that does not ask for that
     * @return a copy
     */
    public static FactsQuery alsoOf(FactsQuery query) {
        List<FactsQuery.ResourceCall> resources = new ArrayList<>(query.resources());
        resources.add(new FactsQuery.ResourceCall(FACTS, List.of()));
        return new FactsQuery(
                query.packages(),
                query.users(),
                query.files(),
                query.units(),
                query.releases(),
                query.wireGuardInterface(),
                query.keyPath(),
                query.expected(),
                resources);
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "membership.sh";
    }

    /**
     * The names of some meshes, for messages.
     *
     * @param meshes the names
     * @return the names in order, with commas between them
     */
    public static String inWords(Set<String> meshes) {
        return meshes.stream().sorted().collect(Collectors.joining(", "));
    }
}
