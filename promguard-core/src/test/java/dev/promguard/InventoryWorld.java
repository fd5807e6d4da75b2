package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** A mesh on machines that were there before. */
final class InventoryWorld implements World {
    static final String MONITOR = "mon";

    final MemoryInventory inventory = new MemoryInventory();
    final MemoryHosts hosts;
    final MemoryStateStore store = new MemoryStateStore();
    private final Map<String, MemoryMachine> machines = new TreeMap<>();
    private final Set<String> nodes = new TreeSet<>();
    private final Map<String, Viewer> viewers = new TreeMap<>();
    private int port = 51_820;
    private boolean gone;

    /** A mesh of some machines, of which nothing is there yet; other nodes are machines that are no hosts of it. */
    InventoryWorld(List<String> others, String... nodes) {
        List.of(MONITOR).forEach(this::add);
        List.of(nodes).forEach(this::add);
        others.forEach(this::add);
        hosts = new MemoryHosts(inventory);
        this.nodes.addAll(List.of(nodes));
    }

    private void add(String name) {
        machines.put(name, inventory.host(name, "root", 22));
    }

    /** A mesh that is applied. */
    static InventoryWorld applied(List<String> others, String... nodes) {
        InventoryWorld world = new InventoryWorld(others, nodes);
        world.spec(new Calls()).apply();
        return world;
    }

    @Override
    public InventoryWorld port(int to) {
        port = to;
        return this;
    }

    @Override
    public InventoryWorld gone(boolean is) {
        gone = is;
        return this;
    }

    boolean isGone() {
        return gone;
    }

    @Override
    public MeshBuilder spec(Calls calls) {
        MeshBuilder spec = Mesh.builder()
                .name("shop")
                .namedMonitor(MONITOR)
                .provider(calls.watch(inventory))
                .applier(calls.watch(hosts))
                .state(calls.watch(store))
                .waits(Account.NO_WAITS)
                .wireGuardPort(port)
                .parallelism(1);
        nodes.forEach(name -> spec.node(name, host -> {}));
        return World.withViewers(spec, viewers);
    }

    @Override
    public Set<String> nodes() {
        return nodes;
    }

    @Override
    public Map<String, Viewer> viewers() {
        return viewers;
    }

    @Override
    public List<MemoryMachine> machines() {
        return List.copyOf(machines.values());
    }

    @Override
    public void lag(int lists) {
        // An inventory does not lag.
    }

    @Override
    public Map<String, MemoryMachine> hosts() {
        Map<String, MemoryMachine> found = new TreeMap<>(machines);
        found.keySet().removeIf(name -> gone || (!nodes.contains(name) && !name.equals(MONITOR)));
        return found;
    }

    @Override
    public void check() {
        assertThat(hosts.open()).as("open sessions").isZero();
        WorldChecks.assertUnlocked(store);
        Map<String, MemoryMachine> left = hosts();
        machines.forEach((name, machine) -> {
            if (!left.containsKey(name)) {
                assertThat(machine.parts()).as("what is left on %s", name).isEmpty();
                assertThat(machine.mesh()).isEmpty();
                assertThat(machine.rules()).isEmpty();
                assertThat(machine.firewallOn()).isFalse();
                assertThat(machine.armed()).isFalse();
            }
        });
        if (gone) {
            assertThat(store.names("shop")).as("documents in the store").isEmpty();
            return;
        }
        WorldChecks.checkTunnels(MONITOR, left, viewers.values());
        assertThat(store.load("shop").orElseThrow().hosts()).containsOnlyKeys(left.keySet());
        left.forEach((name, machine) -> assertThat(machine.config()).contains("ListenPort = " + port));
    }
}
