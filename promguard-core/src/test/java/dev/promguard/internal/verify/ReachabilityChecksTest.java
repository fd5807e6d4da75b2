package dev.promguard.internal.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.CheckKind;
import dev.promguard.Mesh;
import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.FactsByResource;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostFacts.FirewallFact;
import dev.promguard.host.HostFacts.SocketFact;
import dev.promguard.host.HostFacts.WireGuardFact;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import dev.promguard.spi.ProbeResult.Result;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which ports are probed: no packet is sent here. */
class ReachabilityChecksTest {
    private static final String PUBLIC = "198.51.100.7";
    private static final String IPV6 = "2001:db8:0:0:0:0:0:7";

    private final Blueprint blueprint =
            Mesh.builder().name("shop").monitor("tor1").nodes(1).build().blueprint();

    private static HostFacts facts(List<String> addresses, List<SocketFact> listening) {
        return facts(
                addresses,
                listening,
                Optional.of(new WireGuardFact(Optional.empty(), 51820, List.of("10.0.0.2/24"), true, List.of())));
    }

    private static HostFacts facts(
            List<String> addresses, List<SocketFact> listening, Optional<WireGuardFact> wireGuard) {
        return new HostFacts(
                "debian",
                "12",
                "x86_64",
                Map.of(),
                Set.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                wireGuard,
                FactsByResource.NONE,
                Optional.empty(),
                true,
                new FirewallFact(true, true, true, List.of(), List.of(), List.of()),
                Map.of(),
                addresses,
                Optional.empty(),
                Optional.empty(),
                listening,
                List.of(),
                false);
    }

    private ReachabilityChecks reachability(HostFacts node) {
        return new ReachabilityChecks(
                blueprint,
                Map.of("shop-monitor-1", "198.51.100.6", "shop-node-1", PUBLIC),
                Map.of("shop-node-1", node),
                Set.of());
    }

    private static List<Check> outside(ReachabilityChecks reachability, Function<Probe, Result> world) {
        Map<String, Map<Probe, ProbeResult>> answers = new HashMap<>();
        reachability.fromOutside().forEach((host, probes) -> {
            Map<Probe, ProbeResult> of = new LinkedHashMap<>();
            probes.forEach(probe -> of.put(probe, new ProbeResult(world.apply(probe))));
            answers.put(host, of);
        });
        return outside(reachability, answers, Map.of());
    }

    private static List<Check> outside(
            ReachabilityChecks reachability,
            Map<String, Map<Probe, ProbeResult>> answers,
            Map<String, Map<Probe, ProbeResult>> inside) {
        return reachability.outside(answers, inside).stream()
                .filter(check -> check.host().equals("shop-node-1"))
                .toList();
    }

    @Test
    void fromOutside_everyPublicAddress_isTriedIncludingIpv6() {
        ReachabilityChecks reachability = reachability(facts(
                List.of(
                        PUBLIC + "/24",
                        "2001:db8::7/64",
                        "10.10.0.5/16",
                        "100.64.0.5/10",
                        "fd00::5/64",
                        "fe80::1/64",
                        "127.0.0.2/8",
                        "224.0.0.1/4"),
                List.of()));

        assertThat(reachability.fromOutside().get("shop-node-1"))
                .containsExactly(
                        new Probe(PUBLIC, 9090),
                        new Probe(PUBLIC, 9100),
                        new Probe(IPV6, 9090),
                        new Probe(IPV6, 9100),
                        new Probe(IPV6, 22));
    }

    @Test
    void fromOutside_hostThatNamesAThousandAddressesAndPorts_isTriedAtFewOfThem() {
        HostFacts liar = facts(
                IntStream.range(0, 1000)
                        .mapToObj(i -> "198.51." + i / 250 + '.' + i % 250 + "/32")
                        .toList(),
                IntStream.range(1, 1000)
                        .mapToObj(port -> new SocketFact("tcp", "0.0.0.0", port))
                        .toList());

        assertThat(reachability(liar).fromOutside().get("shop-node-1")).hasSizeLessThan(8 * 19 + 1);
        assertThat(reachability(liar).from(blueprint.host("shop-monitor-1"))).hasSizeLessThan(8 * 19 + 2);
    }

    @Test
    void outside_ipv6PortOpen_failsAndNamesIt() {
        List<Check> checks = outside(
                reachability(facts(List.of("2001:db8::7/64"), List.of())),
                probe -> probe.port() == 22 || probe.equals(new Probe(IPV6, 9100)) ? Result.OPEN : Result.SILENT);

        assertThat(checks).extracting(Check::verdict).containsExactly(Verdict.PASSED, Verdict.FAILED);
        assertThat(checks.get(1).description()).isEqualTo("port 9100 is closed to the outside");
        assertThat(checks.get(1).observed()).isEqualTo(PUBLIC + ":9100 no answer, [" + IPV6 + "]:9100 open");
        assertThat(checks.get(1).remedy()).contains("ss -ltnp", "ufw status numbered");
    }

    @Test
    void outside_ipv6NotReachableFromHereNorFromAHost_isNotChecked() {
        List<Check> checks = outside(reachability(facts(List.of("2001:db8::7/64"), List.of())), probe -> Result.NO_WAY);

        assertThat(checks)
                .extracting(Check::verdict)
                .containsExactly(Verdict.PASSED, Verdict.PASSED, Verdict.UNCHECKED);
        assertThat(checks.get(0).observed()).doesNotContain(IPV6);
        assertThat(checks.get(2).observed()).startsWith(IPV6);
        assertThat(checks.get(2).remedy()).contains("Verify from a machine that reaches these");
    }

    @ParameterizedTest
    @EnumSource(Result.class)
    void outside_ipv6NotReachableFromHere_isNotedWhereAnotherHostHasAnAnswer(Result fromMonitor) {
        ReachabilityChecks reachability = reachability(facts(List.of("2001:db8::7/64"), List.of()));
        Map<Probe, ProbeResult> none = new LinkedHashMap<>();
        reachability
                .fromOutside()
                .getOrDefault("shop-node-1", List.of())
                .forEach(probe -> none.put(probe, new ProbeResult(Result.NO_WAY)));

        List<Check> checks = outside(
                reachability,
                Map.of("shop-node-1", none),
                Map.of("shop-monitor-1", Map.of(new Probe(IPV6, 9100), new ProbeResult(fromMonitor))));

        assertThat(checks.get(2).verdict())
                .isEqualTo(
                        Set.of(Result.NO_WAY, Result.NOT_TRIED).contains(fromMonitor)
                                ? Verdict.UNCHECKED
                                : Verdict.NOTE);
    }

    @Test
    void outside_hostThatWasNotObserved_isClosedToNobodysKnowledge() {
        ReachabilityChecks reachability =
                new ReachabilityChecks(blueprint, Map.of("shop-node-1", PUBLIC), Map.of(), Set.of());

        assertThat(outside(reachability, probe -> Result.SILENT))
                .extracting(Check::verdict)
                .containsOnly(Verdict.UNCHECKED);
        assertThat(outside(reachability, probe -> probe.port() == 9100 ? Result.OPEN : Result.SILENT))
                .extracting(Check::verdict)
                .containsExactly(Verdict.UNCHECKED, Verdict.FAILED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.20.0.7", "192.168.7.7", "fd12::7"})
    void outside_privateAddressBehindAJumpHost_isNotProbedFromHereWhereItIsAnotherMachines(String address) {
        ReachabilityChecks reachability = new ReachabilityChecks(
                blueprint,
                Map.of("shop-monitor-1", "198.51.100.6", "shop-node-1", address),
                Map.of("shop-node-1", facts(List.of(), List.of())),
                Set.of("shop-node-1"));

        assertThat(reachability.fromOutside().get("shop-node-1")).isEmpty();
        assertThat(outside(reachability, probe -> Result.OPEN))
                .filteredOn(check -> check.host().equals("shop-node-1"))
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.verdict()).isEqualTo(Verdict.NOTE);
                    assertThat(check.observed()).contains("through a jump host alone: " + address);
                });
        assertThat(reachability.needsProof(blueprint.host("shop-monitor-1"), blueprint.host("shop-node-1"), address))
                .as("to the other hosts it may be another machine's too")
                .isTrue();
    }

    @Test
    void outside_publicAddressBehindAJumpHost_isJudgedWhereSshAnswersThere() {
        ReachabilityChecks reachability = new ReachabilityChecks(
                blueprint,
                Map.of("shop-node-1", PUBLIC),
                Map.of("shop-node-1", facts(List.of(), List.of())),
                Set.of("shop-node-1"));
        assertThat(outside(reachability, probe -> probe.port() == 22 ? Result.OPEN : Result.SILENT))
                .extracting(Check::verdict)
                .containsOnly(Verdict.PASSED);
        assertThat(outside(reachability, probe -> probe.port() == 51820 ? Result.SILENT : Result.OPEN))
                .extracting(Check::verdict)
                .contains(Verdict.FAILED);
        assertThat(outside(reachability, probe -> Result.SILENT))
                .extracting(Check::verdict)
                .containsExactly(Verdict.NOTE);
    }

    @Test
    void outside_probeThatCouldNotBeMade_isNotChecked() {
        assertThat(outside(reachability(facts(List.of(), List.of())), probe -> Result.NOT_TRIED))
                .extracting(Check::verdict)
                .containsOnly(Verdict.UNCHECKED);
    }

    @Test
    void from_node_triesTheMonitorInsideTheTunnelAndOutsideIt() {
        assertThat(reachability(facts(List.of(), List.of())).from(blueprint.host("shop-node-1")))
                .containsExactlyInAnyOrder(
                        new Probe("10.0.0.1", 9090),
                        new Probe("10.0.0.1", 9100),
                        new Probe("198.51.100.6", 9090),
                        new Probe("198.51.100.6", 9100));
    }

    /** A default route leads there, and somebody answers who is no host of the mesh. */
    @ParameterizedTest
    @CsvSource({"own, FAILED", "other, PASSED", "none, PASSED"})
    void inside_tunnelAddressFromAHostWithoutTheInterface_isJudgedWhereTheHostProvesItselfThere(
            String shown, Verdict verdict) {
        HostKeyFingerprint own = new HostKeyFingerprint("SHA256:" + "A".repeat(43));
        HostKeyFingerprint other = new HostKeyFingerprint("SHA256:" + "B".repeat(43));
        ReachabilityChecks reachability = new ReachabilityChecks(
                blueprint,
                Map.of("shop-monitor-1", "198.51.100.6", "shop-node-1", PUBLIC),
                Map.of(
                        "shop-monitor-1",
                        facts(List.of(), List.of()),
                        "shop-node-1",
                        facts(List.of(), List.of(), Optional.empty())),
                Set.of());
        AddressProofs proofs = new AddressProofs(reachability, Map.of("shop-monitor-1", own));
        Blueprint.Host node = blueprint.host("shop-node-1");
        Map<Probe, ProbeResult> answers = new LinkedHashMap<>();
        reachability
                .from(node)
                .forEach(probe -> answers.put(
                        probe, new ProbeResult(probe.address().equals("10.0.0.1") ? Result.OPEN : Result.REFUSED)));
        Probe server = new Probe("10.0.0.1", 22);
        Set<HostKeyFingerprint> keys =
                shown.equals("own") ? Set.of(own) : shown.equals("other") ? Set.of(other) : Set.of();

        assertThat(proofs.toProve(node, answers)).containsExactly(server);
        Map<String, Map<Probe, ProbeResult>> all = Map.of("shop-node-1", answers);
        Map<String, Map<Probe, ProbeResult>> proven = proofs.proven(all, Map.of("shop-node-1", Map.of(server, keys)));
        Check check = reachability.inside(proven, proofs.notJudged(all, proven)).stream()
                .filter(each -> each.host().equals("shop-monitor-1")
                        && each.id().equals(CheckKind.PORTS_CLOSED_TO_OTHER_HOSTS.id()))
                .findFirst()
                .orElseThrow();

        assertThat(check.verdict()).isEqualTo(verdict);
        assertThat(check.observed())
                .contains(
                        verdict == Verdict.FAILED
                                ? "10.0.0.1:9100 from shop-node-1: open"
                                : "not judged, for the host is not known to be reached there: 10.0.0.1 from shop-node-1");
    }

    /** From the monitor, 172.17.0.1 may be its own bridge, 10.10.0.5 a machine of its own network. */
    @ParameterizedTest
    @CsvSource({
        "OPEN, OPEN, own, FAILED",
        "OPEN, OPEN, other, PASSED",
        "OPEN, OPEN, none, PASSED",
        "OPEN, SILENT, none, PASSED",
        "REFUSED, SILENT, none, PASSED",
        "SILENT, OPEN, none, PASSED"
    })
    void inside_privateAddress_isJudgedWhereTheHostProvesItselfThere(
            Result port, Result ssh, String shown, Verdict verdict) {
        HostKeyFingerprint own = new HostKeyFingerprint("SHA256:" + "A".repeat(43));
        HostKeyFingerprint other = new HostKeyFingerprint("SHA256:" + "B".repeat(43));
        ReachabilityChecks reachability = reachability(facts(List.of("10.10.0.5/16"), List.of()));
        AddressProofs proofs = new AddressProofs(reachability, Map.of("shop-node-1", own));
        Blueprint.Host monitor = blueprint.host("shop-monitor-1");
        Map<Probe, ProbeResult> answers = new LinkedHashMap<>();
        reachability
                .from(monitor)
                .forEach(probe -> answers.put(
                        probe,
                        new ProbeResult(
                                !probe.address().equals("10.10.0.5")
                                        ? Result.SILENT
                                        : probe.port() == 22 ? ssh : probe.port() == 9100 ? port : Result.REFUSED)));
        Probe server = new Probe("10.10.0.5", 22);
        Set<HostKeyFingerprint> keys =
                shown.equals("own") ? Set.of(own) : shown.equals("other") ? Set.of(other) : Set.of();

        assertThat(answers).containsKey(server);
        assertThat(proofs.toProve(monitor, answers))
                .isEqualTo(port == Result.OPEN && ssh == Result.OPEN ? Set.of(server) : Set.of());
        Map<String, Map<Probe, ProbeResult>> all = Map.of("shop-monitor-1", answers);
        Map<String, Map<Probe, ProbeResult>> proven =
                proofs.proven(all, Map.of("shop-monitor-1", Map.of(server, keys)));
        Check check = reachability.inside(proven, proofs.notJudged(all, proven)).stream()
                .filter(each -> each.host().equals("shop-node-1")
                        && each.id().equals(CheckKind.PORTS_CLOSED_TO_OTHER_HOSTS.id()))
                .findFirst()
                .orElseThrow();

        assertThat(check.verdict()).isEqualTo(verdict);
        boolean judged = ssh == Result.OPEN && (port != Result.OPEN || shown.equals("own"));
        if (judged) {
            assertThat(check.observed()).doesNotContain("not judged");
        } else {
            assertThat(check.observed())
                    .endsWith(
                            "; not judged, for the host is not known to be reached there: 10.10.0.5 from shop-monitor-1")
                    .doesNotContain("10.10.0.5:9100");
        }
    }

    @Test
    void from_monitor_fetchesThePageAndTriesAllThatIsNotAdmitted() {
        assertThat(reachability(facts(List.of(), List.of())).from(blueprint.host("shop-monitor-1")))
                .containsExactlyInAnyOrder(
                        new Probe("10.0.0.2", 9090),
                        new Probe(PUBLIC, 9090),
                        new Probe(PUBLIC, 9100),
                        new Probe("10.0.0.2", 9100, Optional.of("/metrics")));
    }

    @Test
    void from_hundredNodes_eachHostIsTriedByAFewAndNoHostTriesAll() {
        Blueprint many =
                Mesh.builder().name("shop").monitor("tor1").nodes(100).build().blueprint();
        Map<String, String> addresses = new HashMap<>();
        for (int i = 0; i < many.hosts().size(); i++) {
            addresses.put(many.hosts().get(i).name(), "198.51.100." + (i + 1));
        }
        ReachabilityChecks reachability = new ReachabilityChecks(many, addresses, Map.of(), Set.of());
        Map<String, Integer> triedBy = new HashMap<>();
        for (Blueprint.Host host : many.hosts()) {
            List<Probe> probes = reachability.from(host);
            Set<String> at = probes.stream()
                    .filter(probe -> probe.page().isEmpty())
                    .map(Probe::address)
                    .filter(addresses::containsValue)
                    .collect(Collectors.toCollection(TreeSet::new));
            assertThat(at).hasSizeBetween(4, 5).doesNotContain(addresses.get(host.name()));
            at.forEach(address -> triedBy.merge(address, 1, Integer::sum));
        }
        assertThat(triedBy)
                .hasSize(101)
                .allSatisfy((address, times) -> assertThat(times).isGreaterThanOrEqualTo(4));
        assertThat(reachability.from(many.hosts().get(0)).stream()
                        .filter(probe -> probe.page().isPresent()))
                .hasSize(100);
    }
}
