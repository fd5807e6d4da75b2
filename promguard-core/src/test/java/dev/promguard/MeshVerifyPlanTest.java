package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.VerifyReport.Check;
import dev.promguard.memory.MemoryMachine;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A verification and a plan judge the same facts: one fails where the other is not empty, and says the same about it. */
class MeshVerifyPlanTest {
    private static final String MONITOR = "shop-monitor-1";
    private static final String NODE = "shop-node-1";

    /** The checks of whether an apply has something to do. */
    private static final Set<CheckKind> OF_THE_PLAN =
            Set.of(CheckKind.HOST_EXISTS, CheckKind.HOST_OBSERVABLE, CheckKind.HOST_UP_TO_DATE, CheckKind.HOST_IN_SPEC);

    private final Account account = new Account();
    private final FakePrometheus prometheus = new FakePrometheus();

    private MeshBuilder spec() {
        return account.spec().prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(1)));
    }

    @BeforeEach
    void apply() {
        spec().apply();
        account.cloud.machine(MONITOR).forwardTo(prometheus.port());
        prometheus.scrapes(spec().build().blueprint());
    }

    @AfterEach
    void close() {
        prometheus.close();
    }

    private static Arguments row(String name, Consumer<Account> deed) {
        return Arguments.of(name, deed);
    }

    private static Arguments machine(String name, Consumer<MemoryMachine> deed) {
        return row(name, account -> deed.accept(account.cloud.machine(NODE)));
    }

    private static Stream<Arguments> differences() {
        return Stream.of(
                row("nothing", account -> {}),
                row("host vanished", account -> account.cloud.vanish(NODE)),
                row("host without its tag", account -> account.cloud.untag(NODE)),
                row("host renamed", account -> account.cloud.rename(NODE, "web")),
                row("host rebuilt", account -> account.cloud.rebuild(NODE)),
                row("host without an address", account -> account.cloud.hideAddress(NODE)),
                row("host of nobody", account -> account.cloud.plant("shop", "odd", Optional.empty())),
                row("firewall of the cloud", account -> account.cloud.unprotect("put firewall promguard-shop right")),
                row(
                        "key of another host",
                        account -> account.cloud
                                .machine(NODE)
                                .showKey(account.cloud
                                        .machine(MONITOR)
                                        .publicKey()
                                        .orElseThrow())),
                machine("down", machine -> machine.down(true)),
                machine("impostor", MemoryMachine::impostor),
                machine("another architecture", machine -> machine.machine("riscv64")),
                machine("another system", machine -> machine.system("fedora")),
                machine("overlapping network", machine -> machine.network("10.0.0.128/25")),
                machine("firewall off", MemoryMachine::disableFirewall),
                machine("rules removed", machine -> machine.removeRules(9100)),
                machine("peers dropped", MemoryMachine::dropPeers),
                machine("unit stopped", machine -> machine.stop("node_exporter.service")),
                machine("timer stopped", machine -> machine.stop("promguard-wireguard-metrics.timer")),
                machine("kill switch stopped", machine -> machine.stop("promguard-kill-switch.service")),
                machine("routing rules deleted", MemoryMachine::deleteRoutingRules),
                machine("key lost", MemoryMachine::loseKey),
                machine("key readable by others", MemoryMachine::loosenKey),
                machine("preshared keys readable by others", MemoryMachine::loosenPresharedKeys),
                machine("routes flushed", MemoryMachine::flushUnreachableRoutes),
                machine("dropping rules flushed", MemoryMachine::flushDroppingRules),
                machine("file edited", machine -> machine.edit("/etc/wireguard/wg0.conf", text -> text + "# x\n")),
                machine("file removed", machine -> machine.remove("/etc/systemd/system/node_exporter.service")),
                machine("foreign rule", machine -> machine.accept(4, "INPUT", "-p tcp -m tcp --dport 8080 -j ACCEPT")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("differences")
    void verify_whateverDiffers_failsExactlyWhereThePlanIsNotEmpty(String name, Consumer<Account> deed) {
        deed.accept(account);

        assertAgree(spec().build());
    }

    @Test
    void verify_hostNoLongerInTheSpec_failsAsThePlanRemovesIt() {
        Mesh fewer = spec().nodes(1, "lon1").build();

        assertAgree(fewer);

        assertThat(fewer.verify().failures())
                .filteredOn(check -> check.kind() == CheckKind.HOST_IN_SPEC)
                .extracting(Check::host)
                .containsExactly("shop-node-2");
    }

    @Test
    void verify_settingChanged_failsInTheWordsOfThePlan() {
        Mesh changed = spec().addExporter(Exporters.blackbox()).build();

        assertAgree(changed);
    }

    /** What PromGuard leaves alone and a verification fails, a plan without changes names. */
    @Test
    void plan_rulesOfOthersThatVerifyFails_areNamedAsNotChanged() {
        MemoryMachine node = account.cloud.machine(NODE);
        node.listen("tcp", "0.0.0.0", 8080);
        node.listen("udp", "127.0.0.1", 8090);
        node.accept(4, "INPUT", "-p tcp -m tcp --dport 8080 -j ACCEPT");
        node.accept(4, "INPUT", "-p udp -m udp --dport 8090 -j ACCEPT");
        node.accept(4, "INPUT", "-p tcp -m tcp --dport 9000:9200 -j ACCEPT");

        assertThat(spec().build().verify().failures())
                .extracting(Check::kind)
                .contains(CheckKind.GUARDED_PORTS_ON_WIREGUARD_ONLY, CheckKind.NO_OTHER_LISTENER_REACHABLE);
        assertThat(spec().plan().toString())
                .contains("nothing to do, 3 hosts are up to date, but for what PromGuard does not change")
                .contains(
                        "(not changed: rules of others accept port 9090 or 9100, which only monitors may reach, and verify fails"
                                + " until they are taken away or narrowed: INPUT -p tcp -m tcp --dport 9000:9200 -j ACCEPT)")
                .contains(
                        "(not changed: rules of others open 8080/tcp (INPUT -p tcp -m tcp --dport 8080 -j ACCEPT), and verify"
                                + " fails until the host declares them with openPorts(…), or the rules are taken away)");

        node.acceptNothingMore();
        node.accept(4, "INPUT", "-p tcp -m tcp --dport 8080 -j ACCEPT");
        Mesh declared = spec().editHost(NODE, host -> host.openPorts(8080)).build();
        assertThat(declared.plan().entries())
                .allSatisfy(entry -> assertThat(entry.notes()).isEmpty());
        assertThat(declared.verify().failures())
                .noneMatch(check -> check.kind() == CheckKind.NO_OTHER_LISTENER_REACHABLE);
    }

    private void assertAgree(Mesh mesh) {
        Plan plan = mesh.plan();
        VerifyReport report = mesh.verify();

        Set<String> planned = plan.entries().stream()
                .filter(entry -> entry.kind() != Plan.Kind.KEEP)
                .map(Plan.Entry::name)
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(hosts(report, check -> OF_THE_PLAN.contains(check.kind())))
                .as("%s%n%s", plan, report)
                .isEqualTo(planned);
        assertThat(planned)
                .as("%s%n%s", plan, report)
                .containsAll(hosts(report, MeshVerifyPlanTest::saysThatApplyHelps));
        assertThat(observed(report, CheckKind.CLOUD_FIREWALL_UP_TO_DATE))
                .isEqualTo(plan.cloud().stream()
                        .map(line -> "to do: " + line.text())
                        .toList());
        assertThat(hosts(report, check -> check.kind() == CheckKind.HOST_IN_STATE))
                .hasSameSizeAs(plan.problems().stream()
                        .filter(problem -> problem.host().isEmpty())
                        .toList());
        plan.entries().stream()
                .filter(entry -> entry.kind() == Plan.Kind.CHANGE)
                .forEach(entry -> entry.changes()
                        .forEach(change -> assertThat(observed(report, CheckKind.HOST_UP_TO_DATE))
                                .anyMatch(text -> text.contains(change.text()))));
    }

    private static boolean saysThatApplyHelps(Check check) {
        return !check.host().isEmpty()
                && check.remedy().startsWith("Run apply")
                && !check.remedy().startsWith("Run apply; if");
    }

    private static Set<String> hosts(VerifyReport report, Predicate<Check> which) {
        return report.failures().stream().filter(which).map(Check::host).collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<String> observed(VerifyReport report, CheckKind kind) {
        return report.failures().stream()
                .filter(check -> check.kind() == kind)
                .map(Check::observed)
                .toList();
    }

    @Test
    void verify_hostThatTheCloudWouldRefuse_failsWhereThePlanThrows() {
        account.cloud.vanish(NODE);
        account.cloud.close("lon1");
        InvalidMeshException refused = catchThrowableOfType(
                InvalidMeshException.class, () -> spec().build().plan());

        VerifyReport report = spec().build().verify();

        assertThat(report.failures())
                .filteredOn(check -> check.kind() == CheckKind.MESH_CAN_BE_APPLIED)
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.host()).isEmpty();
                    assertThat(refused).hasMessageContaining(check.observed());
                });
    }
}
