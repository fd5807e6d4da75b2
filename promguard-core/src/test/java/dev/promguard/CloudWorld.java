package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.keys.SshKeyPair;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.spi.MeshState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** A mesh in a cloud. */
final class CloudWorld implements World {
    static final String MONITOR = "shop-monitor-1";

    final Account account = new Account();
    private final Set<String> nodes = new TreeSet<>();
    private final Map<String, Viewer> viewers = new TreeMap<>();
    private int port = 51_820;
    private boolean gone;

    /** A mesh of so many nodes, of which nothing is there yet. */
    CloudWorld(int nodes) {
        resize(nodes);
    }

    /** A mesh that is applied. */
    static CloudWorld applied(int nodes) {
        CloudWorld world = new CloudWorld(nodes);
        world.spec(new Calls()).apply();
        return world;
    }

    /** Is to have so many nodes from now on. */
    CloudWorld resize(int to) {
        nodes.clear();
        for (int node = 1; node <= to; node++) {
            nodes.add("shop-node-" + node);
        }
        return this;
    }

    @Override
    public CloudWorld port(int to) {
        port = to;
        return this;
    }

    @Override
    public CloudWorld gone(boolean is) {
        gone = is;
        return this;
    }

    /** Somebody deletes the state, and the login key with it. Hosts admit another. */
    CloudWorld lose(SshKeyPair admitted) {
        account.store.delete("shop");
        account.cloud.machines().forEach(machine -> machine.admit(admitted.publicKey()));
        return this;
    }

    boolean isGone() {
        return gone;
    }

    @Override
    public MeshBuilder spec(Calls calls) {
        MeshBuilder spec = account.spec(calls).nodes(0).parallelism(1).wireGuardPort(port);
        nodes.forEach(name -> spec.node(name, host -> host.region("lon1")));
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
        return account.cloud.machines();
    }

    @Override
    public void lag(int lists) {
        account.cloud.lag(lists);
    }

    @Override
    public Map<String, MemoryMachine> hosts() {
        Map<String, MemoryMachine> machines = new TreeMap<>();
        account.cloud.names().forEach(name -> machines.put(name, account.cloud.machine(name)));
        return machines;
    }

    @Override
    public void check() {
        assertThat(account.hosts.open()).as("open sessions").isZero();
        WorldChecks.assertUnlocked(account.store);
        if (gone) {
            assertThat(account.cloud.names()).as("hosts in the account").isEmpty();
            assertThat(account.cloud.accessKeys()).as("keys in the account").isZero();
            assertThat(account.store.names("shop")).as("documents in the store").isEmpty();
            return;
        }
        Set<String> expected = new TreeSet<>(nodes);
        expected.add(MONITOR);
        assertThat(account.cloud.names()).as("hosts in the account").containsExactlyElementsOf(expected);
        assertThat(account.cloud.accessKeys()).as("keys in the account").isEqualTo(1);
        Map<String, MemoryMachine> machines = hosts();
        WorldChecks.checkTunnels(MONITOR, machines, viewers.values());
        Map<String, String> ids = new HashMap<>();
        for (int list = 0; list <= MemoryCloud.LONGEST_LAG && ids.size() < machines.size(); list++) {
            account.cloud.list("shop").forEach(host -> ids.put(host.name(), host.id()));
        }
        MeshState state = account.state("shop");
        assertThat(state.intents()).isEmpty();
        assertThat(state.resting()).isEmpty();
        assertThat(state.hosts()).containsOnlyKeys(machines.keySet());
        machines.forEach((name, machine) -> {
            assertThat(account.cloud.isTagged(name)).isTrue();
            MeshState.HostState known = account.state("shop", name);
            assertThat(known.providerId()).isEqualTo(Optional.ofNullable(ids.get(name)));
            assertThat(known.hostKeys()).isEqualTo(Set.of(machine.hostKey()));
            assertThat(known.publicKey()).isEqualTo(machine.publicKey());
            assertThat(machine.config()).contains("Address = " + known.address() + '/');
            assertThat(machine.config()).contains("ListenPort = " + port);
        });
        assertThat(account.store.names("shop"))
                .as("documents in the store, but for states that recoveries have replaced and keep")
                .filteredOn(name -> !name.startsWith("replaced-"))
                .containsExactly("id_ed25519", "id_ed25519.pub", "state.json");
    }
}
