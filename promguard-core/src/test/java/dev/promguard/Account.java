package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.internal.run.PollIntervals;
import dev.promguard.keys.PublicKey;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** A user's account in a cloud in memory, with their state beside it: what outlives the program that uses it. */
final class Account {
    /** A verify gives a target a tenth of a second where the scrape interval is a second. */
    static final PollIntervals NO_WAITS = new PollIntervals(
            Duration.ofSeconds(15), Duration.ofMillis(1), Duration.ofMillis(-900), Duration.ofMillis(1), Duration.ZERO);

    final MemoryCloud cloud = new MemoryCloud();
    final MemoryHosts hosts = new MemoryHosts(cloud);
    final MemoryStateStore store = new MemoryStateStore();

    /** The spec for a monitor and two nodes, as a new program states it. */
    MeshBuilder spec() {
        return spec(new Calls());
    }

    /** The same spec in a program whose calls are counted. */
    MeshBuilder spec(Calls calls) {
        return Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(2, "lon1")
                .provider(calls.watch(cloud))
                .applier(calls.watch(hosts))
                .state(calls.watch(store))
                .waits(NO_WAITS);
    }

    /** A call refuses with all these words, before anything is done in the cloud or on a host, and leaves no session open. */
    void assertRefused(String id, ThrowingCallable call, String... words) {
        List<String> names = List.copyOf(cloud.names());
        List<List<String>> changes =
                cloud.machines().stream().map(MemoryMachine::changes).toList();
        assertThatThrownBy(call)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContainingAll(words)
                .hasMessageContaining("[" + id + "]");
        assertThat(cloud.names()).isEqualTo(names);
        assertThat(cloud.machines().stream().map(MemoryMachine::changes)).containsExactlyElementsOf(changes);
        assertThat(hosts.open()).isZero();
    }

    MeshState state(String mesh) {
        return store.load(mesh).orElseThrow();
    }

    HostState state(String mesh, String host) {
        return Objects.requireNonNull(state(mesh).hosts().get(host), host);
    }

    HostState host(MeshState state, String host) {
        return Objects.requireNonNull(state.hosts().get(host), host);
    }

    String address(String host) {
        return state("shop", host).address();
    }

    /** Insists that the mesh is there exactly up to date, that nothing is left over, and that a further apply finds nothing to do. */
    void assertUpToDate(Mesh mesh) {
        Map<MemoryMachine, List<String>> before = new HashMap<>();
        cloud.machines().forEach(machine -> before.put(machine, machine.changes()));

        ApplyReport again = mesh.apply();

        assertThat(again.changes()).as("changes of a second apply: %s", again).isZero();
        assertThat(again.hosts())
                .extracting(ApplyReport.HostOutcome::status)
                .containsOnly(ApplyReport.Status.UNCHANGED);
        before.forEach((machine, changes) -> assertThat(machine.changes()).isEqualTo(changes));
        Plan plan = mesh.plan();
        assertThat(plan.isEmpty()).as("%s", plan).isTrue();
        assertThat(hosts.open()).as("sessions left open").isZero();

        Blueprint blueprint = plan.blueprint();
        assertThat(cloud.list(mesh.name()))
                .extracting(host -> host.name())
                .as("hosts in the cloud")
                .containsExactlyElementsOf(blueprint.hosts().stream()
                        .map(Blueprint.Host::name)
                        .sorted()
                        .toList());
        MeshState state = state(mesh.name());
        assertThat(state.intents()).isEmpty();
        assertThat(state.resting()).isEmpty();
        assertThat(state.hosts().keySet()).hasSize(blueprint.hosts().size());
        for (Blueprint.Host host : blueprint.hosts()) {
            MemoryMachine machine = cloud.machine(host.name());
            assertThat(machine.violations()).as(host.name()).isEmpty();
            assertThat(machine.armed())
                    .as("a rollback waits on %s", host.name())
                    .isFalse();
            HostState known = state(mesh.name(), host.name());
            assertThat(known.address()).isEqualTo(host.address());
            assertThat(known.hostKeys()).isEqualTo(Set.of(machine.hostKey()));
            assertThat(known.bootstrapKey())
                    .isPresent()
                    .isNotEqualTo(Optional.of(machine.hostKey()))
                    .isEqualTo(Optional.of(machine.firstHostKey()));
            assertThat(known.pinnedUndated()).isFalse();
            assertThat(known.publicKey()).isPresent().isEqualTo(machine.publicKey());
            Map<PublicKey, List<String>> peers = new HashMap<>();
            for (String peer : host.peers()) {
                peers.put(
                        cloud.machine(peer).publicKey().orElseThrow(),
                        List.of(blueprint.host(peer).allowedIp()));
            }
            blueprint
                    .viewersOf(host)
                    .forEach(
                            viewer -> peers.put(new PublicKey(viewer.spec().publicKey()), List.of(viewer.allowedIp())));
            assertThat(machine.peers()).as("peers of %s", host.name()).isEqualTo(peers);
        }
    }

    /** Insists that nothing at all is left of a mesh. */
    void assertIsGone(String mesh) {
        assertThat(cloud.list(mesh)).isEmpty();
        assertThat(store.load(mesh)).isEmpty();
        assertThat(store.loadLoginKey(mesh)).isEqualTo(Optional.empty());
        assertThat(hosts.open()).isZero();
    }
}
