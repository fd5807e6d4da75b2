package dev.promguard.host;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Programs that configure a host's network interfaces. Where one is in use, a file of its configuration tells it to leave the WireGuard
 * interface alone, so that a rule of the owner's for every interface takes nothing from the tunnels. Nothing else of it is changed.
 */
public final class NetworkManagers implements Resource {
    static final NetworkManagers RESOURCE = new NetworkManagers();
    /** What is asked of a host about them. */
    public static final ResourceFacts<NetworkManagersFact> FACTS =
            ResourceFacts.of("network-managers", NetworkManagersFact.class, NetworkManagersFact.NONE, Reader::new);

    private static final Pattern STATE = Pattern.compile("manages|leaves");
    private static final String HEAD =
            "# Kept by PromGuard for mesh %s: what is changed here by hand is put back by the next apply.%n";

    private NetworkManagers() {}

    /** A program that configures network interfaces. */
    public enum Manager {
        /** systemd-networkd. Of all files that match an interface it takes the first by name: a plus sign comes before digits and letters. */
        NETWORKD("networkd", "systemd-networkd", "/etc/systemd/network/+00-promguard-%s.network", """
                [Match]
                Name=%s

                [Link]
                Unmanaged=yes
                """),
        /** NetworkManager. */
        NETWORK_MANAGER("networkmanager", "NetworkManager", "/etc/NetworkManager/conf.d/promguard-%s.conf", """
                [keyfile]
                unmanaged-devices+=interface-name:%s
                """);

        private final String id;
        private final String label;
        private final String path;
        private final String text;

        Manager(String id, String label, String path, String text) {
            this.id = id;
            this.label = label;
            this.path = path;
            this.text = text;
        }

        private ManagedFile file(DesiredHost desired) {
            String name = desired.wireGuard().name();
            return ManagedFile.readable(
                    path.formatted(name),
                    HEAD.formatted(desired.blueprint().mesh()).replace("\r\n", "\n") + text.formatted(name));
        }
    }

    /**
     * Which of them a host uses.
     *
     * @param used those that run or come up at boot, and whether each manages the WireGuard interface
     */
    public record NetworkManagersFact(Map<Manager, Boolean> used) {
        /** None. */
        public static final NetworkManagersFact NONE = new NetworkManagersFact(Map.of());

        /**
         * Copies the map.
         *
         * @throws NullPointerException if something is null
         */
        public NetworkManagersFact {
            used = Map.copyOf(used);
        }
    }

    /** Reads a line for each of them that is in use. */
    private static final class Reader implements ResourceFacts.Reader<NetworkManagersFact> {
        private final Map<Manager, Boolean> used = new EnumMap<>(Manager.class);

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            for (Manager manager : Manager.values()) {
                if (line.kind().equals(manager.id)) {
                    used.put(manager, line.fields(1).field(1, STATE).equals("manages"));
                    return;
                }
            }
            throw line.unknown();
        }

        @Override
        public NetworkManagersFact facts() {
            return new NetworkManagersFact(used);
        }
    }

    /**
     * Tells one of them to leave the WireGuard interface alone.
     *
     * @param manager which
     * @param interfaceName the interface
     * @param file the file that says so
     */
    public record KeepOut(Manager manager, String interfaceName, ManagedFile file) implements Change {
        /**
         * Checks that nothing is null.
         *
         * @throws NullPointerException if something is
         */
        public KeepOut {
            Objects.requireNonNull(manager, "manager");
            Objects.requireNonNull(interfaceName, "interfaceName");
            Objects.requireNonNull(file, "file");
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
            return manager.label;
        }

        @Override
        public String describe() {
            return manager.label + ": leave " + interfaceName + " alone, by " + file.path();
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("apply_network_manager", manager.id, interfaceName, file.path())
                    .reading(new ShellCall.Input.Text(file.content()));
        }
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "networkmanagers.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.resource(FACTS, desired.wireGuard().name());
        for (Manager manager : Manager.values()) {
            ManagedFile file = manager.file(desired);
            query.file(file.path(), Hashes.of(file.content()));
        }
    }

    /** Comes before the interface does. */
    static void keepOut(Comparison comparison) {
        Map<Manager, Boolean> used = comparison.facts().of(FACTS).used();
        for (Manager manager : Manager.values()) {
            ManagedFile file = manager.file(comparison.desired());
            if (used.containsKey(manager)
                    && (ManagedFiles.differs(file, comparison.facts()) || used.getOrDefault(manager, false))) {
                comparison.add(
                        new KeepOut(manager, comparison.desired().wireGuard().name(), file));
            }
        }
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        return drift.left().wireGuard().isPresent();
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        KeepOut keepOut = (KeepOut) change;
        HostFacts facts = explanation.facts();
        List<String> found = new ArrayList<>();
        if (facts.of(FACTS).used().getOrDefault(keepOut.manager(), false)) {
            found.add("manages " + keepOut.interfaceName());
        }
        if (ManagedFiles.differs(keepOut.file(), facts)) {
            found.add(keepOut.file().path()
                    + (facts.files().containsKey(keepOut.file().path()) ? " was changed" : " is not there"));
        }
        String what = String.join(", ", found);
        return List.of((explanation.isDrift(change)
                        ? explanation.explained(
                                change, keepOut.manager().label + ": " + what, "leave the interface alone")
                        : explanation.planned(change))
                .between(what, "leaves " + keepOut.interfaceName() + " alone"));
    }
}
