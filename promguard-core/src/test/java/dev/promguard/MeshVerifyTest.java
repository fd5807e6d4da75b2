package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.Kernel;
import dev.promguard.internal.run.PollIntervals;
import dev.promguard.internal.verify.CheckItem;
import dev.promguard.internal.verify.DueChecks;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryMachine;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MeshVerifyTest {
    private static final String UP_TO_DATE = "is up to date: packages, files, rules, peers, units";
    private static final String SPOOF =
            "admits its guarded ports on wg0 and from the monitors alone, so that a forged source"
                    + " address opens nothing";
    private static final String REACHABLE = "lets nothing be reached that listens but what the spec allows";
    private static final String PEERS = "is closed to the other hosts, but for what the monitors scrape";
    private static final String PAGE = "gives shop-monitor-1 a page larger than any packet, whole, over wg0";
    private static final String NO_OTHER_PEER = "has tunnels with shop-monitor-1 and nobody else, one address each";
    private static final String FOREIGN = "admits what PromGuard did not ask for";

    private final Account account = new Account();
    private final FakePrometheus prometheus = new FakePrometheus();
    private Mesh mesh = spec().build();

    private MeshBuilder spec() {
        return account.spec().parallelism(1).prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(1)));
    }

    @BeforeEach
    void apply() {
        mesh.apply();
        account.cloud.machine("shop-monitor-1").forwardTo(prometheus.port());
        prometheus.scrapes(mesh.blueprint());
    }

    @AfterEach
    void close() {
        prometheus.close();
        assertThat(account.hosts.open()).isZero();
    }

    private Check failure() {
        VerifyReport report = mesh.verify();
        assertThat(report.failures()).as("%s", report).hasSize(1);
        assertThat(report.failures().get(0).remedy()).isNotEmpty();
        return report.failures().get(0);
    }

    @Test
    void verify_healthyMesh_everyCheckPasses() {
        VerifyReport report = mesh.verify();

        assertThat(report.failures()).isEmpty();
        assertThat(report.orThrow()).isSameAs(report);
        assertThat(report.notes()).isEmpty();
        assertThat(report.checks()).hasSizeGreaterThan(50);
        assertThat(report)
                .hasToString(report.table() + "\n\nmesh shop: "
                        + report.checks().size() + " of " + report.checks().size() + " checks passed");
        assertThat(report.table()
                        .lines()
                        .map(line -> line.stripTrailing().replaceAll("127[.]77[.]0[.][234]", "127.77.0.x")))
                .containsExactly(
                        "host            region  public address  WireGuard  handshake  target",
                        "shop-monitor-1  tor1    127.77.0.x      10.0.0.1   40 s ago   up",
                        "shop-node-1     lon1    127.77.0.x      10.0.0.2   40 s ago   up",
                        "shop-node-2     lon1    127.77.0.x      10.0.0.3   40 s ago   up");
    }

    @Test
    void verify_healthyMesh_makesEveryCheckThatIsDueAndNoOther() {
        assertThat(mesh.verify().checks())
                .extracting(check -> new CheckItem(check.host(), check.kind(), check.description()))
                .doesNotHaveDuplicates()
                .containsExactlyInAnyOrderElementsOf(DueChecks.of(mesh.blueprint()).stream()
                        .map(DueChecks.Due::item)
                        .toList());
    }

    @Test
    void verify_healthyMesh_saysWhoCheckedWhichSpecAndWhatRunsWhere() {
        account.cloud.machine("shop-node-1").says(Kernel.FACTS, "release\t6.1.0-18-amd64");

        VerifyReport report = mesh.verify();

        assertThat(report.origin().orElseThrow()).contains(System.getProperty("user.name") + "@");
        assertThat(report.blueprint()).contains(mesh.blueprint());
        HostHealth monitor = report.hosts().get(0);
        HostHealth node = report.hosts().get(1);
        assertThat(monitor.system()).contains("debian 12");
        assertThat(monitor.software()).containsOnlyKeys("node_exporter", "prometheus");
        assertThat(monitor.kernel()).isEmpty();
        assertThat(node.kernel()).contains("6.1.0-18-amd64");
        assertThat(report.toMarkdown())
                .contains(mesh.blueprint().spec().hash(), "6.1.0-18-amd64", "prometheus 3.", report.version());
    }

    /** Scripts and tickets hold these ids: one that changes here breaks them. */
    @Test
    void reference_checksOfAHealthyMesh_areTheOnesWrittenDown() {
        List<String> references =
                mesh.verify().checks().stream().map(Check::reference).toList();

        assertThat(references)
                .doesNotHaveDuplicates()
                .isEqualTo(mesh.verify().checks().stream().map(Check::reference).toList());
        new Golden("/dev/promguard/ids")
                .check("checks.expected", references.stream().sorted().collect(Collectors.joining("\n", "", "\n")));
    }

    private List<String> due(String host) {
        return DueChecks.of(mesh.blueprint()).stream()
                .map(DueChecks.Due::item)
                .filter(item -> item.host().equals(host))
                .map(CheckItem::description)
                .filter(description -> !description.equals("exists"))
                .toList();
    }

    private static List<String> descriptions(List<Check> checks, String host) {
        return checks.stream()
                .filter(check -> check.host().equals(host))
                .map(Check::description)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"shop-monitor-1", "shop-node-2"})
    void verify_hostWithoutAnAddress_isNotOkAndNothingOfItPasses(String host) {
        account.cloud.hideAddress(host);

        VerifyReport report = mesh.verify();

        assertThat(report.ok()).isFalse();
        assertThat(report.failures())
                .filteredOn(check -> check.host().equals(host))
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.description()).isEqualTo("can be observed");
                    assertThat(check.observed()).contains("does not resolve");
                    assertThat(check.remedy()).contains("verify again");
                });
        assertThat(report.checks())
                .filteredOn(check -> check.host().equals(host) && check.passed())
                .extracting(Check::description)
                .allSatisfy(text -> assertThat(text).matches("exists|shop-monitor-1 scrapes port .*"));
        assertThat(descriptions(report.unchecked(), host)).contains(UP_TO_DATE, REACHABLE, PEERS, SPOOF);
    }

    @Test
    void verify_onlyMonitorUnreachable_saysOfEveryTargetThatItCouldNotBeChecked() {
        account.cloud.machine("shop-monitor-1").down(true);

        VerifyReport report = mesh.verify();

        assertThat(report.failures()).extracting(Check::description).containsExactly("can be observed");
        assertThat(descriptions(report.unchecked(), "shop-monitor-1"))
                .containsExactlyInAnyOrderElementsOf(due("shop-monitor-1"));
        for (String node : List.of("shop-node-1", "shop-node-2")) {
            assertThat(descriptions(report.unchecked(), node))
                    .containsExactlyInAnyOrder("shop-monitor-1 scrapes port 9100, job node", PAGE);
        }
        assertThat(report.unchecked())
                .filteredOn(check -> check.method().equals("not checked"))
                .allSatisfy(check -> assertThat(check.observed()).contains("no answer"));
    }

    @Test
    void verify_hostNotInTheProvidersList_isNotCheckedInEveryRespect() {
        account.cloud.vanish("shop-node-2");

        VerifyReport report = mesh.verify();

        List<String> due = new ArrayList<>(due("shop-node-2"));
        due.remove("shop-monitor-1 scrapes port 9100, job node");
        assertThat(descriptions(report.unchecked(), "shop-node-2")).containsExactlyInAnyOrderElementsOf(due);
        assertThat(report.unchecked())
                .allSatisfy(check -> assertThat(check.observed()).isEqualTo("the host does not exist"));
        assertThat(report.toString())
                .contains(
                        due.size() + " could not be checked",
                        "NOT CHECKED  shop-node-2: " + due.size() + " checks could not be made",
                        "why: the host does not exist");
    }

    @Test
    void verify_nobodyLeftToTryAHost_saysSo() {
        account.cloud.machine("shop-node-1").down(true);
        account.cloud.machine("shop-node-2").down(true);

        assertThat(mesh.verify().unchecked())
                .filteredOn(check -> check.host().equals("shop-monitor-1"))
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.description()).isEqualTo(PEERS);
                    assertThat(check.observed()).isEqualTo("no other host could probe it");
                });
    }

    @Test
    void verify_meshOfOneHost_asksForNoOthersToTryIt() {
        mesh = spec().nodes(0).allowRemoval().build();
        mesh.apply();
        prometheus.scrapes(mesh.blueprint());

        assertThat(mesh.verify().orThrow().checks())
                .extracting(Check::description)
                .contains(REACHABLE)
                .doesNotContain(PEERS);
    }

    @Test
    void verify_prometheusDoesNotAnswer_saysOfEveryTargetThatItCouldNotBeChecked() {
        prometheus.answers(503, "");

        assertThat(mesh.verify().unchecked())
                .extracting(Check::host, Check::description)
                .containsExactlyInAnyOrder(
                        tuple("shop-monitor-1", "shop-monitor-1 scrapes port 9090, job prometheus"),
                        tuple("shop-monitor-1", "shop-monitor-1 scrapes port 9100, job node"),
                        tuple("shop-node-1", "shop-monitor-1 scrapes port 9100, job node"),
                        tuple("shop-node-2", "shop-monitor-1 scrapes port 9100, job node"),
                        tuple("shop-monitor-1", "has its alerting and recording rules loaded"));
    }

    @Test
    void verify_keyLost_saysThatItCannotBeComparedWithTheOthers() {
        account.cloud.machine("shop-node-1").loseKey();

        assertThat(mesh.verify().unchecked()).singleElement().satisfies(check -> {
            assertThat(check.description()).isEqualTo("has a WireGuard key of its own");
            assertThat(check.observed()).isEqualTo("it shows no WireGuard key");
        });
    }

    @Test
    void verify_listenerThatARuleOfOthersAdmits_failsUnlessTheSpecDeclaresIt() {
        account.cloud.machine("shop-monitor-1").listen("tcp", "0.0.0.0", 8080);
        account.cloud.machine("shop-monitor-1").accept(4, "INPUT", "-p tcp -m tcp --dport 8080 -j ACCEPT");

        Check check = failure();

        assertThat(check.host()).isEqualTo("shop-monitor-1");
        assertThat(check.description()).isEqualTo(REACHABLE);
        assertThat(check.observed()).startsWith("reachable by rules of others: 8080/tcp; ");
        assertThat(check.remedy()).contains("openPorts(…)");

        Mesh declared = Mesh.builder()
                .name("shop")
                .monitor(host -> host.region("tor1").openPorts(8080))
                .nodes(2, "lon1")
                .provider(account.cloud)
                .applier(account.hosts)
                .state(account.store)
                .waits(Account.NO_WAITS)
                .prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(1)))
                .build();
        assertThat(seen(declared.verify().orThrow(), "shop-monitor-1", REACHABLE))
                .contains("declared with openPorts(…): 8080/tcp");
    }

    @Test
    void verify_listenerThatAnswersAlthoughNoRuleAdmitsIt_fails() throws IOException {
        InetAddress node =
                InetAddress.getByName(account.cloud.machine("shop-node-1").address());
        try (ServerSocket open = new ServerSocket()) {
            try {
                open.bind(new InetSocketAddress(node, 0));
            } catch (IOException e) {
                assumeTrue(false, "this system has no address but 127.0.0.1 on its loopback interface: " + e);
            }
            int port = open.getLocalPort();
            account.cloud.machine("shop-node-1").listen("tcp", "0.0.0.0", port);

            VerifyReport report = mesh.verify();

            assertThat(report.failures())
                    .extracting(Check::description)
                    .containsExactly("port " + port + " is closed to the outside", REACHABLE);
            assertThat(report.failures().get(1).observed())
                    .startsWith("answering a probe although no rule admits it: " + port + "/tcp ("
                            + node.getHostAddress() + ":" + port + " from here); ");
        }
    }

    @Test
    void verify_moreListenersThanAreProbed_isNotOk() {
        for (int port = 7001; port <= 7020; port++) {
            account.cloud.machine("shop-node-1").listen("tcp", "0.0.0.0", port);
        }

        VerifyReport report = mesh.verify();

        assertThat(report.ok()).isFalse();
        assertThat(report.unchecked()).singleElement().satisfies(check -> {
            assertThat(check.description()).isEqualTo(REACHABLE);
            assertThat(check.observed())
                    .startsWith("closed by the firewall, and not probed: 7017/tcp, 7018/tcp, 7019/tcp, 7020/tcp; ");
        });
    }

    @ParameterizedTest
    @CsvSource({
        "9100, 'is used by node_exporter, which only monitors may reach'",
        "9090, 'is used by Prometheus, which only monitors may reach'"
    })
    void build_openPortOfTheMesh_isRefused(int port, String why) {
        MeshBuilder spec = spec().node("web-1", host -> host.openPorts(port));

        assertThatThrownBy(spec::build)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("openPort " + port)
                .hasMessageContaining(why);
    }

    @Test
    void verify_healthyMesh_changesNothing() {
        mesh.verify();

        account.assertUpToDate(mesh);
    }

    @Test
    void verify_killSwitchWithoutItsRule_failsAndNamesIt() {
        account.cloud.machine("shop-node-1").flushDroppingRules();

        VerifyReport report = mesh.verify();

        assertThat(report.failures())
                .extracting(Check::host, Check::description, Check::observed)
                .containsExactlyInAnyOrder(
                        tuple(
                                "shop-node-1",
                                "lets packets for 10.0.0.0/24 leave through wg0 alone, also while that is down, and takes those"
                                        + " for its address from there alone",
                                "unreachable route there, dropping rule missing, routing rules there, at boot true"),
                        tuple(
                                "shop-node-1",
                                UP_TO_DATE,
                                "kill switch of 10.0.0.0/24: its rule is gone (drift)   → put back"));
    }

    @Test
    void verify_shards_asksEachMonitorForItsOwnTargets() {
        Mesh shards = spec().addMonitor("fra1")
                .nodes(4, "lon1")
                .prometheus(prometheus -> prometheus.shards(true))
                .build();
        shards.apply();
        Blueprint blueprint = shards.plan().blueprint();
        Blueprint.Host first = blueprint.monitors().get(0);
        Blueprint.Host second = blueprint.monitors().get(1);
        try (FakePrometheus other = new FakePrometheus()) {
            account.cloud.machine("shop-monitor-2").forwardTo(other.port());
            prometheus.scrapesFor(blueprint, first);
            other.scrapesFor(blueprint, second);

            VerifyReport report = shards.verify();

            assertThat(report.failures()).isEmpty();
            assertThat(report.hosts())
                    .allSatisfy(host -> assertThat(host.target()).isEqualTo("up"));
            assertThat(report.checks())
                    .filteredOn(check -> check.description().endsWith("job node"))
                    .hasSize(6);

            other.scrapesFor(blueprint, first);
            assertThat(shards.verify().failures())
                    .filteredOn(check -> check.description().endsWith("job node"))
                    .extracting(Check::host)
                    .containsExactlyElementsOf(blueprint.hosts().stream()
                            .filter(host -> blueprint.scrapes(second, host, 9100))
                            .map(Blueprint.Host::name)
                            .toList())
                    .isNotEmpty();
        }
    }

    @Test
    void verify_hostVanished_namesIt() {
        account.cloud.vanish("shop-node-2");

        VerifyReport report = mesh.verify();

        assertThat(report.failures())
                .extracting(Check::host, Check::description)
                .containsExactly(tuple("shop-node-2", "exists"), tuple("shop-monitor-1", UP_TO_DATE));
        assertThat(report.hosts().get(2))
                .extracting(
                        HostHealth::name,
                        HostHealth::region,
                        HostHealth::publicAddress,
                        HostHealth::address,
                        HostHealth::handshakeAge,
                        HostHealth::target)
                .containsExactly("shop-node-2", "lon1", Optional.empty(), "10.0.0.3", Optional.empty(), "up");
    }

    @Test
    void verify_hostUnreachable_saysThatItCannotBeObserved() {
        account.cloud.machine("shop-node-2").down(true);

        List<Check> failures = mesh.verify().failures();

        assertThat(failures).extracting(Check::description).containsExactly("can be observed", PAGE);
        assertThat(failures.get(0).observed()).contains("no answer");
    }

    @Test
    void verify_anotherHostKey_doesNotObserveTheHost() {
        account.cloud.machine("shop-node-2").impostor();

        assertThat(failure().observed()).contains("showed host key SHA256:");
    }

    @Test
    void verify_healthyMesh_takesOneSessionAHostAndTwoExchangesInIt() {
        Calls calls = new Calls();
        account.spec(calls)
                .prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(1)))
                .build()
                .verify();

        assertThat(calls.made("HostApplier.open")).isEqualTo(3);
        assertThat(calls.made("HostSession.facts")).isEqualTo(3);
        assertThat(calls.made("HostSession.probe")).isEqualTo(3);
        assertThat(calls.made("HostSession.forward")).isEqualTo(1);
        assertThat(calls.made().stream().filter(call -> call.startsWith("HostSession.")))
                .hasSize(7);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-p tcp -m tcp --dport 9100 -j ACCEPT",
                "-s 10.0.0.1/32 -d 10.0.0.2/32 -p tcp -m tcp --dport 9100 -j ACCEPT",
                "-s 10.0.0.9/32 -d 10.0.0.2/32 -i wg0 -p tcp -m tcp --dport 9100 -j ACCEPT",
                "-s 10.0.0.1/32 -d 10.0.0.2/32 -i wg0 -p tcp -m tcp --dport 9090:9100 -j ACCEPT",
                "-i eth0 -j ACCEPT",
                "-p tcp -m multiport --dports 80,9000:9200 -j ACCEPT",
                "-p tcp -m tcp ! --dport 22 -j ACCEPT",
                "-p tcp -m tcp --dport 9090 -m comment --comment \"-i wg0\" -j ACCEPT"
            })
    void verify_ruleThatAdmitsAGuardedPort_isNamed(String rule) {
        account.cloud.machine("shop-node-1").accept(4, "ufw-user-input", rule);

        Check check = mesh.verify().failures().get(0);

        assertThat(check.host()).isEqualTo("shop-node-1");
        assertThat(check.description()).isEqualTo(SPOOF);
        assertThat(check.observed()).isEqualTo("accepted by ufw-user-input " + rule);
        assertThat(check.remedy()).contains("ufw status numbered", "ufw delete");
        assertThat(check.method()).contains("no forged packet was sent");

        account.cloud.machine("shop-node-1").acceptNothingMore();
        assertThat(mesh.verify().failures()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-p tcp -m tcp --dport 8080 -j ACCEPT",
                "-p udp -m udp --dport 9100 -j ACCEPT",
                "-p tcp -m multiport --dports 80,443 -j ACCEPT"
            })
    void verify_ruleThatAdmitsAPortOfOthers_isNotedAndNotFailed(String rule) {
        account.cloud.machine("shop-node-1").accept(6, "INPUT", rule);

        VerifyReport report = mesh.verify();

        assertThat(report.orThrow().notes()).singleElement().satisfies(note -> {
            assertThat(note.host()).isEqualTo("shop-node-1");
            assertThat(note.description()).isEqualTo(FOREIGN);
            assertThat(note.observed()).isEqualTo("IPv6 INPUT " + rule);
            assertThat(note.remedy()).contains("ufw delete");
            assertThat(note.passed()).isFalse();
        });
        assertThat(report.toString()).contains("checks passed, 1 note", "note    shop-node-1: " + FOREIGN);
    }

    @ParameterizedTest
    @CsvSource({
        "4, ufw-before-input, -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "4, ufw-before-input, -p icmp -m icmp --icmp-type 8 -j ACCEPT",
        "4, ufw-before-input, -p udp -m udp --sport 67 --dport 68 -j ACCEPT",
        "6, ufw6-before-input, -d ff02::fb/128 -p udp -m udp --dport 5353 -j ACCEPT",
        "6, ufw6-user-limit-accept, -j ACCEPT"
    })
    void verify_ruleThatUfwBrings_isNotNoted(int family, String chain, String rule) {
        account.cloud.machine("shop-node-1").accept(family, chain, rule);

        assertThat(mesh.verify().orThrow().notes()).isEmpty();
    }

    @Test
    void verify_ruleOfUfwsKindInAChainOfOthers_isNoted() {
        account.cloud.machine("shop-node-1").accept(4, "INPUT", "-p udp -m udp --sport 67 --dport 68 -j ACCEPT");

        assertThat(mesh.verify().notes()).extracting(Check::description).containsExactly(FOREIGN);
    }

    @Test
    void verify_exporterOnEveryAddress_saysWhere() {
        account.cloud.machine("shop-node-1").listen("tcp", "0.0.0.0", 9100);

        Check check = failure();

        assertThat(check.description()).isEqualTo("has its exporters listen on 10.0.0.2 alone");
        assertThat(check.observed()).isEqualTo("also on 0.0.0.0:9100/tcp");
    }

    @Test
    void verify_prometheusBeyondLoopback_saysWhere() {
        account.cloud.machine("shop-monitor-1").listen("tcp", "*", 9090);

        Check check = failure();

        assertThat(check.description()).isEqualTo("has Prometheus listen on loopback alone");
        assertThat(check.observed()).isEqualTo("also on *:9090/tcp");
    }

    /** Every ufw loads this rule, which is for whatever jumps to its chain. */
    @Test
    void verify_listenerBesideARuleOfUfwsOwn_isTriedToo() {
        account.cloud.machine("shop-node-1").accept(4, "ufw-user-limit-accept", "-j ACCEPT");
        account.cloud.machine("shop-node-1").listen("tcp", "0.0.0.0", 8080);

        assertThat(seen(mesh.verify().orThrow(), "shop-node-1", REACHABLE))
                .contains("found closed by a probe: 8080/tcp");
    }

    @Test
    void verify_listenerThatNoRuleAdmits_isListedAndTriedFromEverywhere() {
        account.cloud.machine("shop-node-1").listen("tcp", "0.0.0.0", 8080);
        account.cloud.machine("shop-node-1").listen("tcp", "127.0.0.1", 8081);

        VerifyReport report = mesh.verify().orThrow();

        assertThat(seen(report, "shop-node-1", REACHABLE))
                .isEqualTo(
                        "reachable by the spec: 51820/udp, 9100/tcp; closed by the firewall, and found closed by a probe:"
                                + " 8080/tcp");
        assertThat(report.checks())
                .filteredOn(check -> check.host().equals("shop-node-1"))
                .extracting(Check::description)
                .contains("port 8080 is closed to the outside")
                .doesNotContain("port 8081 is closed to the outside");
        assertThat(report.checks())
                .filteredOn(check ->
                        check.description().equals(PEERS) && check.host().equals("shop-node-1"))
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.method())
                            .contains("shop-monitor-1, shop-node-2", "10.0.0.2", "at port 9090, 9100, 8080");
                    assertThat(check.observed()).isEqualTo("11 × no answer");
                });
    }

    private static String seen(VerifyReport report, String host, String description) {
        return report.checks().stream()
                .filter(check ->
                        check.host().equals(host) && check.description().equals(description))
                .map(Check::observed)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void verify_portOpenToAPeer_namesBoth() {
        account.cloud.machine("shop-monitor-1").listen("tcp", "10.0.0.1", 9091);
        account.cloud.machine("shop-monitor-1").disableFirewall();

        List<Check> failures = mesh.verify().failures();

        assertThat(failures)
                .filteredOn(check -> check.description().equals(PEERS))
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.host()).isEqualTo("shop-monitor-1");
                    assertThat(check.observed())
                            .contains("10.0.0.1:9091 from shop-node-1: open", "10.0.0.1:9091 from shop-node-2: open")
                            .contains("10.0.0.1:9100 from shop-node-1: open");
                    assertThat(check.remedy()).contains("ss -ltnp");
                });
    }

    @Test
    void verify_privateAddressOfOneHost_isTriedByTheOthersAndOneOfAllIsNot() {
        account.cloud.machines().forEach(machine -> machine.network("172.17.0.1/16"));
        account.cloud.machine("shop-node-1").network("10.10.0.5/16");
        account.cloud.machine("shop-node-1").listen("tcp", "10.10.0.5", 9100);
        account.cloud.machine("shop-node-1").accept(4, "INPUT", "-d 10.10.0.5/32 -j ACCEPT");

        assertThat(mesh.verify().failures())
                .filteredOn(check -> check.description().equals(PEERS))
                .singleElement()
                .satisfies(check -> assertThat(check.observed())
                        .contains("10.10.0.5:9100 from shop-monitor-1: open")
                        .doesNotContain("172.17"));
    }

    @Test
    void verify_hostWithoutTheTools_saysThatNothingIsKnown() {
        account.cloud.machine("shop-node-2").loseTools();

        VerifyReport report = mesh.verify();

        assertThat(report.ok()).isFalse();
        assertThat(report.failures()).isEmpty();
        List<Check> unchecked = report.unchecked();
        assertThat(unchecked).extracting(Check::description).containsOnly(PEERS);
        assertThat(unchecked).extracting(Check::host).containsExactlyInAnyOrder("shop-monitor-1", "shop-node-1");
        assertThat(unchecked.get(0).observed()).contains("from shop-node-2: could not be tried");
        assertThat(unchecked.get(0).remedy()).contains("perl and curl");
        assertThatThrownBy(report::orThrow)
                .isInstanceOf(VerifyException.class)
                .hasMessageContaining("2 could not be checked")
                .hasMessageContaining("NOT CHECKED  shop-node-1: 1 check could not be made");
    }

    @ParameterizedTest
    @CsvSource({
        "0, false, '0 bytes, and then no more'",
        "40000, false, '40000 bytes, and then no more'",
        "900, true, '900 bytes, whole'"
    })
    void verify_pageCutOffOrSmall_saysThatLargePacketsMayNotPass(long bytes, boolean whole, String seen) {
        account.cloud.machine("shop-node-1").page(bytes, whole);

        Check check = failure();

        assertThat(check.host()).isEqualTo("shop-node-1");
        assertThat(check.description()).isEqualTo(PAGE);
        assertThat(check.observed()).isEqualTo(seen);
        assertThat(check.remedy()).contains("ping -M do -s 1392 10.0.0.2", "MTU");
    }

    /** What is said is about the interface, not the MTU or a UDP port, whoever answers at the address instead. */
    @ParameterizedTest
    @ValueSource(strings = {"shop-monitor-1", "shop-node-1"})
    void verify_interfaceIsDown_isWhatIsSaid(String host) {
        account.cloud.machine(host).deleteInterface();

        List<Check> ofTunnels = mesh.verify().failures().stream()
                .filter(check -> check.kind() == CheckKind.LARGE_PAGE_PASSES
                        || ((check.kind() == CheckKind.HANDSHAKE_FRESH
                                        || check.kind() == CheckKind.WIREGUARD_PEERS
                                        || check.kind() == CheckKind.PRESHARED_KEYS)
                                && check.host().equals(host)))
                .toList();

        assertThat(ofTunnels).extracting(Check::kind).contains(CheckKind.LARGE_PAGE_PASSES);
        assertThat(ofTunnels).hasSizeGreaterThan(3).allSatisfy(check -> {
            assertThat(check.observed()).containsAnyOf("wg0 is not up on this host", host + " has no wg0");
            assertThat(check.remedy())
                    .contains("Run apply, which brings wg0 up")
                    .doesNotContainIgnoringCase("mtu")
                    .doesNotContain("UDP");
        });
    }

    /** A container engine's chains, of which only what the host passes on gets to some, and only one port to another. */
    @Test
    void verify_ruleInAChainThatNoSuchPacketGetsTo_isNoBreach() {
        MemoryMachine machine = account.cloud.machine("shop-node-1");
        machine.accept(4, "DOCKER-USER", "-s 10.1.0.0/16 -j ACCEPT");
        machine.accept(4, "KUBE-FORWARD", "-m mark --mark 0x4000/0x4000 -j ACCEPT");
        machine.accept(4, "web", "-s 192.0.2.0/24 -j ACCEPT");
        machine.ruleset(
                "nft-ip4\t*filter",
                "nft-ip4\t:INPUT DROP",
                "nft-ip4\t-A INPUT -j ufw-before-input",
                "nft-ip4\t-A ufw-before-input -j ufw-user-input",
                "nft-ip4\t-A INPUT -p tcp -m tcp --dport 80 -g web",
                "nft-ip4\t-A INPUT -j KUBE-FIREWALL",
                "nft-ip4\t-A KUBE-SERVICES -j KUBE-FORWARD",
                "nft-ip4\t-A DOCKER-USER -s 10.1.0.0/16 -j ACCEPT",
                "nft-ip4\t-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT",
                "nft-ip4\t-A web -s 192.0.2.0/24 -j ACCEPT");

        VerifyReport report = mesh.verify();

        assertThat(report.failures()).isEmpty();
        assertThat(report.notes())
                .filteredOn(check -> check.kind() == CheckKind.FOREIGN_FIREWALL_RULES)
                .extracting(Check::observed)
                .containsExactly("web -s 192.0.2.0/24 -j ACCEPT");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-A INPUT -p tcp -m tcp --dport 9000:9200 -j own", "-A INPUT -j own"})
    void verify_ruleInAChainThatAGuardedPortGetsTo_fails(String jump) {
        MemoryMachine machine = account.cloud.machine("shop-node-1");
        machine.accept(4, "own", "-s 192.0.2.0/24 -j ACCEPT");
        machine.ruleset("nft-ip4\t*filter", "nft-ip4\t" + jump, "nft-ip4\t-A own -s 192.0.2.0/24 -j ACCEPT");

        assertThat(mesh.verify().failures())
                .filteredOn(check -> check.kind() == CheckKind.GUARDED_PORTS_ON_WIREGUARD_ONLY)
                .extracting(Check::observed)
                .containsExactly("accepted by own -s 192.0.2.0/24 -j ACCEPT");
    }

    /** Without the interface a scrape fails whatever passes between the hosts. */
    @ParameterizedTest
    @ValueSource(strings = {"shop-monitor-1", "shop-node-1"})
    void verify_scrapeFailsForTheInterfaceIsDown_namesTheInterface(String host) {
        account.cloud.machine(host).deleteInterface();
        prometheus.scrapes(mesh.blueprint(), "shop-node-1");

        List<Check> scrapes = scrapesThatFailed();

        assertThat(scrapes).singleElement().satisfies(check -> {
            assertThat(check.host()).isEqualTo("shop-node-1");
            assertThat(check.observed())
                    .contains("context deadline exceeded")
                    .contains(
                            host + " has no wg0 with the address " + (host.contains("node") ? "10.0.0.2" : "10.0.0.1"));
            assertThat(check.remedy())
                    .contains("Run apply, which brings wg0 up", "wg-quick@wg0.service on " + host)
                    .doesNotContain("udp");
        });
    }

    /** The other end has no handshake either, and the network between them is not to blame. */
    @Test
    void verify_handshakeWithAHostWhoseInterfaceIsDown_namesThatHost() {
        account.cloud.machine("shop-node-1").deleteInterface();
        account.cloud.machine("shop-monitor-1").handshake(Optional.empty());

        assertThat(mesh.verify().failures())
                .filteredOn(check -> check.kind() == CheckKind.HANDSHAKE_FRESH
                        && check.host().equals("shop-monitor-1")
                        && check.description().contains("shop-node-1"))
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.observed()).contains("shop-node-1 has no wg0 with the address 10.0.0.2");
                    assertThat(check.remedy())
                            .contains("wg-quick@wg0.service on shop-node-1")
                            .doesNotContain("UDP");
                });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void verify_noKey_isNotSaidToHaveBeenRead(boolean lost) {
        if (lost) {
            account.cloud.machine("shop-node-1").loseKey();
        } else {
            account.cloud.machine("shop-node-1").loosenKey();
        }

        assertThat(mesh.verify().failures())
                .filteredOn(check -> check.kind() == CheckKind.WIREGUARD_KEY_PROTECTED)
                .singleElement()
                .satisfies(check -> assertThat(check.remedy().startsWith("Others may have read it"))
                        .isEqualTo(!lost));
    }

    @Test
    void verify_interfaceOfARefusedHostIsDown_sendsNobodyToApplyForItsScrape() {
        account.cloud.machine("shop-node-1").deleteInterface();
        account.cloud.machine("shop-node-1").network("10.0.0.9/24");
        prometheus.scrapes(mesh.blueprint(), "shop-node-1");

        assertThat(scrapesThatFailed())
                .singleElement()
                .satisfies(check -> assertThat(check.remedy()).startsWith("Apply refuses the host"));
    }

    /** A monitor scrapes itself without a tunnel. */
    @ParameterizedTest
    @ValueSource(strings = {"shop-monitor-1", "prometheus"})
    void verify_monitorsOwnTargetIsDown_blamesNoUdpPort(String target) {
        prometheus.scrapes(mesh.blueprint(), target);

        assertThat(scrapesThatFailed())
                .singleElement()
                .satisfies(check -> assertThat(check.remedy())
                        .contains("see on the host what listens at port "
                                + (target.equals("prometheus") ? "9090" : "9100"))
                        .doesNotContain("udp"));
    }

    private List<Check> scrapesThatFailed() {
        return mesh.verify().failures().stream()
                .filter(check -> check.kind() == CheckKind.TARGET_UP)
                .toList();
    }

    @Test
    void verify_peerOfNobody_isNamed() {
        PublicKey unknown = new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=");
        account.cloud.machine("shop-node-1").befriend(unknown, "10.0.0.77/32");

        List<Check> failures = mesh.verify().failures();

        assertThat(failures).extracting(Check::description).containsExactly(UP_TO_DATE, NO_OTHER_PEER);
        assertThat(failures.get(1).observed()).isEqualTo("an unknown peer " + unknown + " with 10.0.0.77/32");
        mesh.apply();
        assertThat(mesh.verify().failures()).isEmpty();
    }

    @Test
    void verify_peerGone_isNamed() {
        account.cloud.machine("shop-node-1").dropPeers();

        assertThat(mesh.verify().failures())
                .filteredOn(check -> check.description().equals(NO_OTHER_PEER))
                .singleElement()
                .satisfies(check -> assertThat(check.observed()).isEqualTo("without shop-monitor-1"));
    }

    @Test
    void verify_keyThatOthersMayRead_saysSo() {
        account.cloud.machine("shop-node-1").loosenKey();

        assertThat(mesh.verify().failures())
                .extracting(Check::description)
                .contains("keeps its WireGuard private key where root alone reads it");
    }

    @Test
    void verify_alertRulesNotLoadedOrInError_areNamed() {
        prometheus.rules(mesh.blueprint(), List.of("TargetDown"), "DiskFilling");

        Check check = failure();

        assertThat(check.host()).isEqualTo("shop-monitor-1");
        assertThat(check.description()).isEqualTo("has its alerting and recording rules loaded");
        assertThat(check.observed()).isEqualTo("without TargetDown; in error: DiskFilling (no such metric)");
    }

    @Test
    void verify_noRulesInTheSpec_checksNone() {
        Mesh plain = spec().prometheus(settings ->
                        settings.scrapeInterval(Duration.ofSeconds(1)).defaultRules(false))
                .build();
        plain.apply();

        assertThat(plain.verify().checks())
                .noneMatch(check -> check.description().contains("rules loaded"));
    }

    @ParameterizedTest
    @CsvSource({
        "http://store.example:8428/api/v1/write, true",
        "http://192.168.7.2:8428/api/v1/write, true",
        "http://127.example/write, true",
        "https://store.example/api/v1/write, false",
        "http://localhost:8428/api/v1/write, false",
        "http://127.0.0.1:8428/api/v1/write, false",
        "http://[::1]:8428/api/v1/write, false",
        "http://10.0.0.3:8428/api/v1/write, false",
    })
    void verify_credentialsForAServer_areNotedWhereTheyLeaveUnencrypted(URI uri, boolean noted) {
        try (Secret password = Secret.of("correct-horse-battery-staple")) {
            mesh = spec().prometheus(settings -> settings.addRemoteWrite(uri, Credentials.basic("me", password))
                            .addRemoteWrite(URI.create("http://nobody.example/write")))
                    .build();
            mesh.apply();

            VerifyReport report = mesh.verify().orThrow();

            if (noted) {
                assertThat(report.notes()).singleElement().satisfies(note -> {
                    assertThat(note.host()).isEqualTo("shop-monitor-1");
                    assertThat(note.description()).isEqualTo("sends the credentials of remote-write-1 unencrypted");
                    assertThat(note.observed()).isEqualTo(uri.toString());
                });
            } else {
                assertThat(report.notes()).isEmpty();
            }
        }
    }

    @Test
    void verify_hostKey_isShownWithItsFingerprint() {
        assertThat(seen(mesh.verify(), "shop-node-1", "proves the SSH host key that it is known by"))
                .isEqualTo(account.cloud.machine("shop-node-1").hostKey().text());
    }

    @ParameterizedTest
    @CsvSource({"shop-node-1, shop-node-1, job node", "prometheus, shop-monitor-1, job prometheus"})
    void verify_targetDown_saysWhatPrometheusSays(String down, String host, String job) {
        prometheus.scrapes(mesh.blueprint(), down);

        Check check = failure();

        assertThat(check.host()).isEqualTo(host);
        assertThat(check.description()).endsWith(job);
        assertThat(check.observed()).endsWith("is down (context deadline exceeded)");
    }

    @Test
    void verify_targetsNotScrapedYet_waitsForTheFirstScrape() {
        prometheus.notBefore(4);

        VerifyReport report = spec().waits(new PollIntervals(
                        Duration.ofSeconds(15),
                        Duration.ofMillis(1),
                        Duration.ofSeconds(20),
                        Duration.ofMillis(1),
                        Duration.ZERO))
                .build()
                .verify();

        assertThat(report.failures()).isEmpty();
        assertThat(prometheus.asked()).isEqualTo(4);
    }

    private MeshBuilder patient(Duration scrapeInterval) {
        return spec().prometheus(settings -> settings.scrapeInterval(scrapeInterval))
                .waits(new PollIntervals(
                        Duration.ZERO,
                        Duration.ofMillis(1),
                        Duration.ofSeconds(3),
                        Duration.ofMillis(1),
                        Duration.ZERO));
    }

    @ParameterizedTest
    @CsvSource({"down, no route to host", "unknown, ''"})
    void verify_targetOfAnotherJobIsDownOrNew_isNotWaitedFor(String health, String lastError) {
        prometheus.alsoScrapes("theirs", health, lastError);

        VerifyReport report = patient(Duration.ofSeconds(1)).build().verify();

        assertThat(report.failures()).as("%s", report).isEmpty();
        assertThat(prometheus.asked()).isEqualTo(1);
    }

    @Test
    void verify_ownTargetDownAndNotAnswering_isNotWaitedFor() {
        account.cloud.machine("shop-node-1").stop("node_exporter.service");
        prometheus.scrapes(mesh.blueprint(), "shop-node-1");

        VerifyReport report = patient(Duration.ofSeconds(1)).build().verify();

        assertThat(report.failures())
                .extracting(Check::description)
                .contains("shop-monitor-1 scrapes port 9100, job node");
        assertThat(prometheus.asked()).isEqualTo(1);
    }

    @Test
    void verify_ownTargetDownThatAnswersByNow_waitsForItsNextScrape() {
        prometheus.scrapes(mesh.blueprint(), "shop-node-1").staysSoUntil(4);
        prometheus.scrapes(mesh.blueprint());

        VerifyReport report = patient(Duration.ofSeconds(1)).build().verify();

        assertThat(report.failures()).as("%s", report).isEmpty();
        assertThat(prometheus.asked()).isEqualTo(4);
    }

    @Test
    void verify_targetsNotScrapedYetAtALongInterval_waitsForTheFirstScrape() {
        prometheus.hasScrapedNothingYet().staysSoUntil(50);
        prometheus.scrapes(mesh.blueprint());

        Mesh slow = spec().prometheus(settings -> settings.scrapeInterval(Duration.ofMinutes(5)))
                .waits(new PollIntervals(
                        Duration.ZERO, Duration.ofMillis(1), Duration.ofMillis(1), Duration.ofMillis(1), Duration.ZERO))
                .build();
        slow.apply();

        assertThat(slow.verify().failures()).isEmpty();
        assertThat(prometheus.asked()).isEqualTo(50);
    }

    @Test
    @Timeout(60)
    void verify_prometheusDoesNotAnswerAtALongInterval_doesNotWaitForAScrape() {
        Mesh slow = patient(Duration.ofHours(1)).build();
        slow.apply();
        prometheus.answers(503, "");

        assertThat(slow.verify().failures()).extracting(Check::description).containsExactly("Prometheus answers");
    }

    @Test
    @Timeout(60)
    void verify_targetMissingAtALongInterval_doesNotWaitForAScrape() {
        Mesh slow = patient(Duration.ofHours(1)).build();
        slow.apply();
        prometheus.scrapes(spec().nodes(1, "lon1").build().blueprint());

        assertThat(slow.verify().failures()).extracting(Check::observed).containsExactly("no such target");
    }

    @Test
    void verify_rulesInAnyYaml_areComparedByTheirNames() {
        String rules = """
                x-common: &common {labels: {severity: page}, record: 'not this'}
                groups:
                  - {name: flow, rules: [{"alert": "In flow: style", expr: up == 0}]}
                  - name: block
                    rules:
                      - expr: up
                        record: >-
                          job:up:folded
                      - <<: *common
                        alert: Merged
                        expr: up
                        annotations:
                          description: |
                            A line of text that looks like a rule:
                            - alert: NotARule
                """;
        mesh = spec().prometheus(settings ->
                        settings.scrapeInterval(Duration.ofSeconds(1)).addRules("mine", rules))
                .build();
        mesh.apply();

        assertThat(failure().observed()).isEqualTo("without In flow: style, Merged, job:up:folded, none in error");

        prometheus.alsoLoads("In flow: style", "Merged", "job:up:folded");
        assertThat(mesh.verify().failures()).isEmpty();
    }

    @Test
    void verify_rulesThatAreNoYaml_failsAndSaysWhere() {
        mesh = spec().prometheus(settings ->
                        settings.scrapeInterval(Duration.ofSeconds(1)).addRules("mine", "groups: [\n"))
                .build();
        mesh.apply();

        assertThat(failure().observed())
                .startsWith("could not be checked: /etc/prometheus/rules/mine.yml is not the YAML that is read here");
    }

    @Test
    void verify_targetUnknownToPrometheus_saysSo() {
        prometheus.scrapes(spec().nodes(1, "lon1").build().blueprint());

        Check check = failure();

        assertThat(check.host()).isEqualTo("shop-node-2");
        assertThat(check.observed()).isEqualTo("no such target");
    }

    @ParameterizedTest
    @CsvSource({"500, oops", "200, '{\"status\":\"error\"}'", "200, ''", "200, <html>"})
    void verify_prometheusAnswersNonsense_saysThatItDoesNotAnswer(int status, String body) {
        prometheus.answers(status, body);

        assertThat(failure().description()).isEqualTo("Prometheus answers");
    }

    @Test
    void verify_firewallOff_saysSoAndThatItIsDrift() {
        account.cloud.machine("shop-node-1").disableFirewall();

        VerifyReport report = mesh.verify();

        assertThat(report.failures())
                .extracting(Check::description)
                .containsExactly("denies what no rule admits, now and at boot", SPOOF, UP_TO_DATE, REACHABLE);
        assertThat(report.failures().get(2).observed())
                .isEqualTo("ufw: is off, or its loaded rules are not its own (drift)   → put back");
    }

    @Test
    void planAndVerify_nftablesTookTheRulesAway_nameItAsTheCause() {
        String cause =
                "nftables.service is active and comes up at boot, and flushes every rule where /etc/nftables.conf says \"flush"
                        + " ruleset\": take that line out, or systemctl disable nftables.service (stopping it flushes too)";
        account.cloud.machine("shop-node-1").start("nftables.service");

        assertThat(mesh.plan().isEmpty()).isTrue();
        VerifyReport noted = mesh.verify();
        assertThat(noted.failures()).isEmpty();
        assertThat(noted.checks()).anyMatch(check -> check.observed().equals(cause));

        account.cloud.machine("shop-node-1").disableFirewall();
        VerifyReport failed = mesh.verify();

        assertThat(mesh.plan().drift())
                .extracting(PlannedChange::text)
                .containsExactly(
                        "ufw: is off, or its loaded rules are not its own; " + cause + " (drift)   → put back");
        assertThat(failed.failures().get(0).remedy()).contains(cause + ". Then run apply.");
    }

    @Test
    void verify_unitStopped_namesTheUnit() {
        account.cloud.machine("shop-node-1").stop("node_exporter.service");

        VerifyReport report = mesh.verify();

        assertThat(report.failures())
                .extracting(Check::description)
                .containsExactly(UP_TO_DATE, "node_exporter.service runs, and will after a reboot", PAGE);
    }

    @Test
    void verify_hostOfAnotherKindThanBefore_saysSoInTheReport() {
        account.cloud.machine("shop-node-1").machine("riscv64");

        assertThat(failure().observed()).contains("riscv64");
    }

    @Test
    void verify_handshakeTooOldOrNone_namesBothEnds() {
        account.cloud.machine("shop-node-1").handshake(Optional.of(Duration.ofMinutes(4)));
        assertThat(failure().description())
                .isEqualTo("has a tunnel with shop-monitor-1, its handshake younger than 3 minutes");

        account.cloud.machine("shop-node-1").handshake(Optional.empty());
        assertThat(failure().observed()).isEqualTo("no handshake yet");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT4M", "PT20M"})
    void verify_handshakeDue_causesOneBeforeItJudges(Duration age) {
        Optional<Duration> last = Optional.of(age).filter(value -> !value.isZero());
        account.cloud.machine("shop-node-1").handshake(last, 1);
        account.cloud.machine("shop-monitor-1").handshake(last, 1);
        Calls calls = new Calls();

        VerifyReport report = account.spec(calls)
                .prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(1)))
                .build()
                .verify();

        assertThat(report.failures()).isEmpty();
        assertThat(report.hosts())
                .filteredOn(host -> host.name().equals("shop-node-1"))
                .extracting(HostHealth::handshakeAge)
                .containsExactly(Optional.of(Duration.ZERO));
        assertThat(calls.made("HostSession.facts"))
                .as("the third host is asked once")
                .isEqualTo(5);
    }

    @Test
    void verify_handshakeThatTakesSeveralPackets_isWaitedForWithinBounds() {
        account.cloud.machine("shop-node-1").handshake(Optional.empty(), 4);
        MeshBuilder patient = spec().waits(new PollIntervals(
                Duration.ofSeconds(15),
                Duration.ofMillis(1),
                Duration.ofMillis(-900),
                Duration.ofMillis(1),
                Duration.ofSeconds(20)));

        assertThat(patient.build().verify().failures()).isEmpty();

        account.cloud.machine("shop-node-1").handshake(Optional.empty(), 4);
        assertThat(failure().observed()).isEqualTo("no handshake yet");
    }

    @Test
    void verify_interruptedWhileItWaitsForAHandshake_ends() throws Exception {
        account.cloud.machine("shop-node-1").handshake(Optional.empty());
        Calls calls = new Calls();
        Mesh patient = account.spec(calls)
                .prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(1)))
                .waits(new PollIntervals(
                        Duration.ofSeconds(15),
                        Duration.ofMillis(1),
                        Duration.ofMillis(-900),
                        Duration.ofMillis(1),
                        Duration.ofDays(1)))
                .build();
        CompletableFuture<Throwable> outcome = new CompletableFuture<>();
        Thread caller = new Thread(() -> outcome.complete(catchThrowable(patient::verify)));
        caller.start();
        while (calls.made("HostSession.probe") == 0) {
            Thread.onSpinWait();
        }

        caller.interrupt();

        assertThat(outcome.get(30, TimeUnit.SECONDS)).isInstanceOf(CancelledException.class);
    }

    @Test
    void verify_portOpenToTheOutside_saysWhich() throws IOException {
        InetAddress node =
                InetAddress.getByName(account.cloud.machine("shop-node-1").address());
        int port;
        try (ServerSocket open = new ServerSocket()) {
            try {
                open.bind(new InetSocketAddress(node, 0));
            } catch (IOException e) {
                assumeTrue(false, "this system has no address but 127.0.0.1 on its loopback interface: " + e);
            }
            port = open.getLocalPort();
            mesh = spec().nodeExporterPort(port).build();
            mesh.apply();
            prometheus.scrapes(mesh.blueprint());

            Check check = failure();

            assertThat(check.host()).isEqualTo("shop-node-1");
            assertThat(check.description()).isEqualTo("port " + port + " is closed to the outside");
            assertThat(check.observed()).isEqualTo(node.getHostAddress() + ":" + port + " open");
        }
        assertThat(mesh.verify().failures()).isEmpty();
    }

    @Test
    void orThrow_failures_listsEachWithWhatToDo() {
        account.cloud.machine("shop-node-1").disableFirewall();
        VerifyReport report = mesh.verify();

        VerifyException thrown = catchThrowableOfType(VerifyException.class, report::orThrow);

        assertThat(thrown.report()).isSameAs(report);
        assertThat(thrown)
                .hasMessageContaining("checks passed")
                .hasMessageContaining("FAILED  shop-node-1: denies what no rule admits")
                .hasMessageContaining("Run apply.");
    }

    @Test
    void verify_nothingApplied_saysToApplyFirst() {
        assertThatThrownBy(() -> new Account().spec().build().verify())
                .isInstanceOf(StateException.class)
                .hasMessageContaining("nothing is known of mesh shop")
                .hasMessageContaining("Run apply first");
    }

    @Test
    void openPrometheus_healthyMesh_reachesItUntilClosed() throws Exception {
        Tunnel tunnel = mesh.openPrometheus();
        assertThat(tunnel.uri()).isEqualTo(URI.create("http://127.0.0.1:" + prometheus.port() + "/"));
        assertThat(tunnel).hasToString(tunnel.uri().toString());
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(tunnel.uri().resolve("api/v1/targets"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(account.hosts.open()).isEqualTo(1);
        tunnel.close();
        tunnel.close();
        assertThat(account.hosts.open()).isZero();
    }

    @Test
    void openPrometheus_monitorNamed_reachesThatOne() {
        Account pair = new Account();
        MeshBuilder two = pair.spec().namedMonitor("b", host -> host.region("lon1"));
        two.apply();
        pair.cloud.machine("b").forwardTo(9090);
        pair.cloud.machine("shop-monitor-1").down(true);

        try (Tunnel tunnel = two.build().openPrometheus("b")) {
            assertThat(tunnel.uri()).hasPort(9090);
        }
        assertThatThrownBy(() -> two.build().openPrometheus()).isInstanceOf(HostException.class);
    }

    @Test
    void openPrometheus_nameOfNoMonitor_namesTheMonitors() {
        Mesh pair = new Account()
                .spec()
                .namedMonitor("b", host -> host.region("lon1"))
                .build();

        assertThatThrownBy(() -> pair.openPrometheus("c"))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("\"c\" is none of its hosts: its monitors are shop-monitor-1, b");
        assertThatThrownBy(() -> pair.openPrometheus("shop-node-1"))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("\"shop-node-1\" is a node")
                .hasMessageContaining("its monitors are shop-monitor-1, b");
    }

    @Test
    void openPrometheus_forwardRefused_closesTheSession() {
        account.cloud.machine("shop-monitor-1").forwardTo(0);

        assertThatThrownBy(mesh::openPrometheus)
                .isInstanceOf(HostException.class)
                .hasMessageContaining("forward a port");
    }

    @Test
    void openPrometheus_monitorVanished_saysToApply() {
        account.cloud.vanish("shop-monitor-1");

        assertThatThrownBy(mesh::openPrometheus)
                .isInstanceOf(HostException.class)
                .hasMessageContaining("shop-monitor-1")
                .hasMessageContaining("Run apply first.");
    }

    @Test
    void openPrometheus_nothingApplied_saysToApplyFirst() {
        assertThatThrownBy(() -> new Account().spec().build().openPrometheus())
                .isInstanceOf(StateException.class)
                .hasMessageContaining("Run apply first");
    }
}
