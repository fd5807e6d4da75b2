package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.memory.Calls;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What each verb costs on a monitor and two nodes: sessions, executions on hosts, calls of the cloud and of the state. A host is observed
 * once and over one session; one more is opened where only a new one proves that the host can still be reached.
 */
class MeshCallsTest {
    private final Account account = new Account();

    private static Arguments row(String verb, Consumer<MeshBuilder> call, int sessions, String calls) {
        return Arguments.of(verb, call, sessions, calls);
    }

    private static Stream<Arguments> verbs() {
        return Stream.of(
                row(
                        "plan",
                        mesh -> mesh.plan(),
                        3,
                        "CloudProvider.list 1, CloudProvider.planFirewall 1, HostApplier.open 3, HostSession.facts 3, StateStore.load 1, StateStore.loadLoginKey 2"),
                row(
                        "apply",
                        mesh -> mesh.apply(),
                        3,
                        "CloudProvider.ensureFirewall 1, CloudProvider.list 1, CloudProvider.planFirewall 1, HostApplier.open 3, HostSession.facts 3, StateStore.load 1, StateStore.loadLoginKey 2, StateStore.lock 1"),
                row(
                        "apply with a new exporter on the nodes",
                        mesh -> mesh.addExporter(Exporters.blackbox()).apply(),
                        5,
                        "CloudProvider.ensureFirewall 1, CloudProvider.list 1, CloudProvider.planFirewall 1, HostApplier.open 5, HostSession.apply 3, HostSession.confirm 2, HostSession.facts 3, StateStore.load 1, StateStore.loadLoginKey 2, StateStore.lock 1, StateStore.merge 1, StateStore.save 6"),
                row(
                        "rotateKeys",
                        mesh -> mesh.build().rotateKeys(),
                        6,
                        "CloudProvider.ensureFirewall 1, CloudProvider.list 1, CloudProvider.planFirewall 1, HostApplier.open 6, HostApplier.rollbackAfter 1, HostSession.apply 3, HostSession.confirm 3, HostSession.facts 3, StateStore.load 1, StateStore.loadLoginKey 2, StateStore.lock 1, StateStore.merge 1, StateStore.save 9"),
                row(
                        "planRotateKeys",
                        mesh -> mesh.build().planRotateKeys(),
                        3,
                        "CloudProvider.list 1, CloudProvider.planFirewall 1, HostApplier.open 3, HostSession.facts 3, StateStore.load 1, StateStore.loadLoginKey 2"),
                row("planDestroy", mesh -> mesh.build().planDestroy(), 0, "CloudProvider.list 1, StateStore.load 1"),
                row(
                        "verify",
                        mesh -> mesh.build().verify(),
                        3,
                        "CloudProvider.list 1, CloudProvider.planFirewall 1, HostApplier.open 3, HostSession.facts 3, HostSession.forward 1, HostSession.probe 3, StateStore.load 1, StateStore.loadLoginKey 2"),
                row(
                        "destroy",
                        mesh -> mesh.build().destroy(),
                        0,
                        "CloudProvider.cleanUp 1, CloudProvider.deleteAttempts 1, CloudProvider.list 1, StateStore.delete 1, StateStore.load 1, StateStore.lock 1"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("verbs")
    void verb_ofAMeshThatIsUpToDate_costsWhatItMust(
            String verb, Consumer<MeshBuilder> call, int sessions, String expected) {
        account.spec().apply();
        int before = account.hosts.opened();
        Calls calls = new Calls();

        // One host after the other, since changes of several at once would be written together.
        call.accept(account.spec(calls).parallelism(1));

        Map<String, Long> made =
                calls.made().stream().collect(Collectors.groupingBy(name -> name, TreeMap::new, Collectors.counting()));
        assertThat(made.entrySet().stream()
                        .map(one -> one.getKey() + " " + one.getValue())
                        .collect(Collectors.joining(", ")))
                .as(verb)
                .isEqualTo(expected);
        assertThat(account.hosts.opened() - before).as("sessions").isEqualTo(sessions);
    }

    /** On a host that has never run apt, that takes seconds of its only processor, and there is nobody to read it before apply is there. */
    @Test
    void apply_hostThatItCreates_isNotAskedWhatAptWouldRemove() {
        account.spec().apply();

        assertThat(account.cloud.machine("shop-node-1").asked())
                .contains("dpkg")
                .doesNotContain("package-removals");
        account.spec().plan();
        assertThat(account.cloud.machine("shop-node-1").asked()).contains("package-removals");
    }
}
