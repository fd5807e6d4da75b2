package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.change.FactsByResource;
import dev.promguard.change.HostFacts;
import dev.promguard.change.HostFacts.FirewallFact;
import dev.promguard.change.HostFacts.SocketFact;
import dev.promguard.spi.Door;
import dev.promguard.spi.DoorAnswer;
import dev.promguard.spi.DoorAnswer.Result;
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
import org.junit.jupiter.params.provider.EnumSource;

/** Which doors are tried: no packet is sent here. */
class KnockClaimsTest {
    private static final String PUBLIC = "198.51.100.7";
    private static final String IPV6 = "2001:db8:0:0:0:0:0:7";

    private final Blueprint blueprint =
            Mesh.builder().name("shop").monitor("tor1").nodes(1).build().blueprint();

    private static HostFacts facts(List<String> addresses, List<SocketFact> listening) {
        return new HostFacts(
                "debian",
                "12",
                "x86_64",
                Map.of(),
                Set.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Optional.empty(),
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

    private KnockClaims claims(HostFacts node) {
        return new KnockClaims(
                blueprint,
                Map.of("shop-monitor-1", "198.51.100.6", "shop-node-1", PUBLIC),
                Map.of("shop-node-1", node));
    }

    private static List<Check> outside(KnockClaims claims, Function<Door, Result> world) {
        Map<String, Map<Door, DoorAnswer>> answers = new HashMap<>();
        claims.fromOutside().forEach((host, doors) -> {
            Map<Door, DoorAnswer> of = new LinkedHashMap<>();
            doors.forEach(door -> of.put(door, new DoorAnswer(world.apply(door))));
            answers.put(host, of);
        });
        return outside(claims, answers, Map.of());
    }

    private static List<Check> outside(
            KnockClaims claims, Map<String, Map<Door, DoorAnswer>> answers, Map<String, Map<Door, DoorAnswer>> inside) {
        return claims.outside(answers, inside).stream()
                .filter(check -> check.host().equals("shop-node-1"))
                .toList();
    }

    @Test
    void fromOutside_everyPublicAddress_isTriedIncludingIpv6() {
        KnockClaims claims = claims(facts(
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

        assertThat(claims.fromOutside().get("shop-node-1"))
                .containsExactly(
                        new Door(PUBLIC, 9090),
                        new Door(PUBLIC, 9100),
                        new Door(IPV6, 9090),
                        new Door(IPV6, 9100),
                        new Door(IPV6, 22));
    }

    @Test
    void fromOutside_hostThatClaimsAThousandAddressesAndPorts_isTriedAtFewOfThem() {
        HostFacts liar = facts(
                IntStream.range(0, 1000)
                        .mapToObj(i -> "198.51." + i / 250 + '.' + i % 250 + "/32")
                        .toList(),
                IntStream.range(1, 1000)
                        .mapToObj(port -> new SocketFact("tcp", "0.0.0.0", port))
                        .toList());

        assertThat(claims(liar).fromOutside().get("shop-node-1")).hasSizeLessThan(8 * 19 + 1);
        assertThat(claims(liar).from(blueprint.host("shop-monitor-1"))).hasSizeLessThan(8 * 18 + 2);
    }

    @Test
    void outside_ipv6DoorOpen_failsAndNamesIt() {
        List<Check> checks = outside(
                claims(facts(List.of("2001:db8::7/64"), List.of())),
                door -> door.port() == 22 || door.equals(new Door(IPV6, 9100)) ? Result.OPEN : Result.SILENT);

        assertThat(checks).extracting(Check::verdict).containsExactly(Verdict.HOLDS, Verdict.FAILS);
        assertThat(checks.get(1).claim()).isEqualTo("port 9100 is closed to the outside");
        assertThat(checks.get(1).seen()).isEqualTo(PUBLIC + ":9100 no answer, [" + IPV6 + "]:9100 open");
        assertThat(checks.get(1).mend()).contains("ss -ltnp", "ufw status numbered");
    }

    @Test
    void outside_ipv6NotReachableFromHereNorFromAHost_isNotChecked() {
        List<Check> checks = outside(claims(facts(List.of("2001:db8::7/64"), List.of())), door -> Result.NO_WAY);

        assertThat(checks).extracting(Check::verdict).containsExactly(Verdict.HOLDS, Verdict.HOLDS, Verdict.UNCHECKED);
        assertThat(checks.get(0).seen()).doesNotContain(IPV6);
        assertThat(checks.get(2).seen()).startsWith(IPV6);
        assertThat(checks.get(2).mend()).contains("Verify from a machine that reaches these");
    }

    @ParameterizedTest
    @EnumSource(Result.class)
    void outside_ipv6NotReachableFromHere_isNotedWhereAnotherHostHasAnAnswer(Result fromMonitor) {
        KnockClaims claims = claims(facts(List.of("2001:db8::7/64"), List.of()));
        Map<Door, DoorAnswer> none = new LinkedHashMap<>();
        claims.fromOutside()
                .getOrDefault("shop-node-1", List.of())
                .forEach(door -> none.put(door, new DoorAnswer(Result.NO_WAY)));

        List<Check> checks = outside(
                claims,
                Map.of("shop-node-1", none),
                Map.of("shop-monitor-1", Map.of(new Door(IPV6, 9100), new DoorAnswer(fromMonitor))));

        assertThat(checks.get(2).verdict())
                .isEqualTo(
                        Set.of(Result.NO_WAY, Result.NOT_TRIED).contains(fromMonitor)
                                ? Verdict.UNCHECKED
                                : Verdict.NOTED);
    }

    @Test
    void outside_hostThatWasNotObserved_isClosedToNobodysKnowledge() {
        KnockClaims claims = new KnockClaims(blueprint, Map.of("shop-node-1", PUBLIC), Map.of());

        assertThat(outside(claims, door -> Result.SILENT))
                .extracting(Check::verdict)
                .containsOnly(Verdict.UNCHECKED);
        assertThat(outside(claims, door -> door.port() == 9100 ? Result.OPEN : Result.SILENT))
                .extracting(Check::verdict)
                .containsExactly(Verdict.UNCHECKED, Verdict.FAILS);
    }

    @Test
    void outside_probeThatCouldNotBeMade_isNotChecked() {
        assertThat(outside(claims(facts(List.of(), List.of())), door -> Result.NOT_TRIED))
                .extracting(Check::verdict)
                .containsOnly(Verdict.UNCHECKED);
    }

    @Test
    void from_node_triesTheMonitorInsideTheTunnelAndOutsideIt() {
        assertThat(claims(facts(List.of(), List.of())).from(blueprint.host("shop-node-1")))
                .containsExactlyInAnyOrder(
                        new Door("10.0.0.1", 9090),
                        new Door("10.0.0.1", 9100),
                        new Door("198.51.100.6", 9090),
                        new Door("198.51.100.6", 9100));
    }

    @Test
    void from_monitor_fetchesThePageAndTriesAllThatIsNotAdmitted() {
        assertThat(claims(facts(List.of(), List.of())).from(blueprint.host("shop-monitor-1")))
                .containsExactlyInAnyOrder(
                        new Door("10.0.0.2", 9090),
                        new Door(PUBLIC, 9090),
                        new Door(PUBLIC, 9100),
                        new Door("10.0.0.2", 9100, Optional.of("/metrics")));
    }

    @Test
    void from_hundredNodes_eachHostIsTriedByAFewAndNoHostTriesAll() {
        Blueprint many =
                Mesh.builder().name("shop").monitor("tor1").nodes(100).build().blueprint();
        Map<String, String> addresses = new HashMap<>();
        for (int i = 0; i < many.hosts().size(); i++) {
            addresses.put(many.hosts().get(i).name(), "198.51.100." + (i + 1));
        }
        KnockClaims claims = new KnockClaims(many, addresses, Map.of());
        Map<String, Integer> triedBy = new HashMap<>();
        for (Blueprint.Host host : many.hosts()) {
            List<Door> doors = claims.from(host);
            Set<String> at = doors.stream()
                    .filter(door -> door.page().isEmpty())
                    .map(Door::address)
                    .filter(addresses::containsValue)
                    .collect(Collectors.toCollection(TreeSet::new));
            assertThat(at).hasSizeBetween(4, 5).doesNotContain(addresses.get(host.name()));
            at.forEach(address -> triedBy.merge(address, 1, Integer::sum));
        }
        assertThat(triedBy)
                .hasSize(101)
                .allSatisfy((address, times) -> assertThat(times).isGreaterThanOrEqualTo(4));
        assertThat(claims.from(many.hosts().get(0)).stream()
                        .filter(door -> door.page().isPresent()))
                .hasSize(100);
    }
}
