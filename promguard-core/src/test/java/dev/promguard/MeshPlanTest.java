package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a plan tells of hosts that exist, and plans and applies for some hosts alone. */
class MeshPlanTest {
    private static final String CONFIG = "/etc/prometheus/prometheus.yml";
    private static final String WG = "/etc/wireguard/wg0.conf";
    private static final String EXPORTER_UNIT = "/etc/systemd/system/node_exporter.service";

    private final Account account = new Account();

    @BeforeEach
    void start() {
        account.spec().apply();
    }

    private MemoryMachine machine(String host) {
        return account.cloud.machine(host);
    }

    private MeshBuilder slower() {
        return account.spec().prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(30)));
    }

    private static List<PlannedChange> changes(Plan plan, String host) {
        return plan.entries().stream()
                .filter(entry -> entry.name().equals(host))
                .findFirst()
                .orElseThrow()
                .changes();
    }

    private static List<String> shown(Plan plan, String host) {
        return changes(plan, host).stream().map(PlannedChange::toString).toList();
    }

    @Test
    void plan_fileEditedByHand_isDriftAndShowsBothHalves() {
        machine("shop-monitor-1").edit(CONFIG, text -> text + "# mine\n");

        Plan plan = account.spec().plan();

        assertThat(shown(plan, "shop-monitor-1"))
                .containsExactly("! " + CONFIG + "   +0 -1 lines (drift)   → put back", "! reload prometheus.service");
        assertThat(plan.drift()).hasSize(2);
        assertThat(changes(plan, "shop-monitor-1").get(0).diff().orElseThrow())
                .startsWith("--- " + CONFIG + " (on the host)\n+++ " + CONFIG + " (desired)\n@@ ")
                .endsWith("\n-# mine\n");
        assertThat(plan.details())
                .startsWith(plan + "\n\nshop-monitor-1:\n--- " + CONFIG)
                .endsWith("-# mine");
        assertThat(plan.toString()).doesNotContain("# mine");
        assertThat(account.spec().plan()).as("planning twice").isEqualTo(plan);
    }

    @Test
    void plan_cloudsDefencesChanged_isNotEmptyAndShowsThem() {
        account.cloud.unprotect("put firewall promguard-shop right: in -\"22/tcp 0.0.0.0/0\"");

        Plan plan = account.spec().plan();

        assertThat(plan.isEmpty()).isFalse();
        assertThat(plan.toString())
                .startsWith("mesh shop: 0 to create, 0 to change, 0 to remove, 1 change in the cloud")
                .endsWith("\n\n~ put firewall promguard-shop right: in -\"22/tcp 0.0.0.0/0\"");
        assertThatThrownBy(plan::requireEmpty).isInstanceOf(PlanNotEmptyException.class);
        ApplyReport report = account.spec().build().apply(plan);
        assertThat(report.changes()).isOne();
        assertThat(report.toString())
                .startsWith("mesh shop: up to date, 1 change on ")
                .contains("\n  put firewall promguard-shop right: in ");
        assertThat(account.spec().apply().changes()).isZero();
        assertThat(account.spec().plan().isEmpty()).isTrue();
    }

    @Test
    void plan_specChanged_isNoDriftAndShowsBothHalves() {
        Plan plan = slower().plan();

        assertThat(shown(plan, "shop-monitor-1"))
                .containsExactly("~ " + CONFIG + "   +2 -2 lines", "~ reload prometheus.service");
        assertThat(plan.drift()).isEmpty();
        assertThat(plan.details()).contains("\n-  scrape_interval: 15s\n+  scrape_interval: 30s\n");
    }

    @Test
    void plan_specChangedAndFileEdited_isDriftThatIsNotPutBack() {
        machine("shop-monitor-1").edit(CONFIG, text -> text + "# mine\n");

        assertThat(shown(slower().plan(), "shop-monitor-1"))
                .containsExactly(
                        "! " + CONFIG + "   +2 -3 lines (drift)   → as the spec says now",
                        "! reload prometheus.service");
    }

    @Test
    void plan_oneFileEditedAndTheSpecOfAnotherChanged_tellsThemApart() {
        machine("shop-monitor-1").edit(EXPORTER_UNIT, text -> text + "# mine\n");

        Plan plan = slower().plan();

        assertThat(shown(plan, "shop-monitor-1"))
                .containsExactlyInAnyOrder(
                        "! " + EXPORTER_UNIT + "   +0 -1 lines (drift)   → put back",
                        "! restart node_exporter.service",
                        "~ " + CONFIG + "   +2 -2 lines",
                        "~ reload prometheus.service");
    }

    @Test
    void plan_newNode_namesThePeerAndTheTarget() {
        account.spec().nodes(3, "lon1").apply();
        assertThat(account.spec().nodes(2, "lon1").plan().toString())
                .contains(
                        "~ /etc/prometheus/targets/node.json   - target shop-node-3 (10.0.0.4:9100)",
                        "~ " + WG + "   - peer shop-node-3 (10.0.0.4/32)");

        machine("shop-monitor-1").edit(WG, text -> text.substring(0, text.lastIndexOf("\n[Peer]")));
        assertThat(shown(account.spec().nodes(3, "lon1").plan(), "shop-monitor-1"))
                .containsExactly(
                        "! " + WG + "   + peer shop-node-3 (10.0.0.4/32) (drift)   → put back", "! wg0: set peers");
    }

    @Test
    void plan_everyThingSomebodyDid_isToldAsDrift() {
        machine("shop-monitor-1").dropPeers();
        machine("shop-node-1").removeRules(9100);
        machine("shop-node-1").stop("node_exporter.service");
        machine("shop-node-2").remove(EXPORTER_UNIT);

        Plan plan = account.spec().plan();

        assertThat(shown(plan, "shop-monitor-1"))
                .containsExactly("! wg0: peer shop-node-1 is gone, peer shop-node-2 is gone (drift)   → put back");
        assertThat(shown(plan, "shop-node-1"))
                .containsExactly(
                        "! ufw: rule 9100/tcp on wg0 from 10.0.0.1 is gone (drift)   → put back",
                        "! node_exporter.service is inactive (drift)   → start");
        assertThat(shown(plan, "shop-node-2"))
                .containsExactly(
                        "! " + EXPORTER_UNIT + "   is gone (drift)   → put back", "! restart node_exporter.service");
    }

    @Test
    void plan_stateWithoutLastApplied_callsNothingDrift() {
        forgetLastApplied();
        machine("shop-node-1").disableFirewall();

        Plan plan = account.spec().plan();

        assertThat(plan.isEmpty()).isFalse();
        assertThat(plan.drift()).isEmpty();
        account.spec().apply();
        machine("shop-node-1").disableFirewall();
        assertThat(account.spec().plan().drift()).hasSize(1);
    }

    private void forgetLastApplied() {
        MeshState state = account.state("shop");
        Map<String, HostState> hosts = new TreeMap<>();
        state.hosts()
                .forEach((name, host) -> hosts.put(
                        name,
                        new HostState(
                                host.address(),
                                host.providerId(),
                                host.publicKey(),
                                host.hostKeys(),
                                host.bootstrapKey(),
                                Optional.empty(),
                                host.pinnedAt())));
        account.store.save(new MeshState(
                state.mesh(),
                hosts,
                state.resting(),
                state.intents(),
                state.accessKey(),
                state.jumpHosts(),
                state.protectedHosts()));
    }

    @Test
    void plan_afterAnApplyThatWasCutOff_doesNotCallItsHalfDrift() {
        machine("shop-monitor-1").failAt("reload prometheus.service");
        assertThatThrownBy(() -> slower().apply()).isInstanceOf(ApplyException.class);
        machine("shop-monitor-1").failAt(null);

        Plan plan = account.spec().plan();

        assertThat(shown(plan, "shop-monitor-1"))
                .containsExactly("~ " + CONFIG + "   +2 -2 lines", "~ reload prometheus.service");
    }

    @Test
    void plan_contentMadeByAHostileHost_canDoNothingToATerminal() {
        machine("shop-node-1")
                .edit(
                        WG,
                        text ->
                                "[Peer]\n# \u001b[2J\u202eevil token=hunter3\nPublicKey = x\u0007\nPrivateKey = hunter2\n");

        Plan plan = account.spec().plan();

        assertThat(plan.details()).contains("\\x1b[2J\\u{202e}evil").doesNotContain("hunter2", "hunter3");
        assertThat((plan + plan.details()).chars()).allMatch(c -> (c >= ' ' && c != '\u202e') || c == '\n');
    }

    @Test
    void apply_driftAndSpec_reportsWhichWasDrift() {
        machine("shop-monitor-1").edit(EXPORTER_UNIT, text -> text + "# mine\n");

        ApplyReport report = slower().apply();

        HostOutcome monitor = report.hosts().get(0);
        assertThat(monitor.changes()).hasSize(4);
        assertThat(monitor.drift()).containsExactly("write " + EXPORTER_UNIT, "restart node_exporter.service");
        assertThat(report.drift()).isEqualTo(2);
        assertThat(report.toString())
                .contains("4 changes (2 of drift) on 3 hosts")
                .contains("4 changes, 2 of them drift");
        assertThat(slower().plan().isEmpty()).isTrue();
    }

    @Test
    void applyPlan_ofDrift_isDone() {
        machine("shop-monitor-1").edit(CONFIG, text -> text + "# mine\n");

        ApplyReport report = account.spec().build().apply(account.spec().plan());

        assertThat(report.drift()).isEqualTo(2);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void applyPlan_fileEditedAgainSince_isOutdated() {
        machine("shop-monitor-1").edit(CONFIG, text -> text + "# mine\n");
        Plan plan = account.spec().plan();
        machine("shop-monitor-1").edit(CONFIG, text -> text.replace("# mine", "# ours"));

        assertThatThrownBy(() -> account.spec().build().apply(plan)).isInstanceOf(PlanOutdatedException.class);
    }

    @Test
    void requireEmpty_meshUpToDate_returns() {
        account.spec().plan().requireEmpty();
    }

    @Test
    void requireEmpty_drift_throwsThePlan() {
        machine("shop-node-1").disableFirewall();
        Plan plan = account.spec().plan();

        PlanNotEmptyException thrown = catchThrowableOfType(PlanNotEmptyException.class, plan::requireEmpty);

        assertThat(thrown)
                .hasMessage(ErrorCode.PLAN_NOT_EMPTY.appendedTo(plan.toString()))
                .hasMessageMatching("(?s)[^\\n]+ \\[PG-6002]\\n.+")
                .isInstanceOf(PromGuardException.class);
        assertThat(thrown.plan()).isSameAs(plan);
    }

    @Test
    void requireEmpty_hostThatDoesNotAnswer_throws() {
        machine("shop-node-1").down(true);

        assertThatThrownBy(() -> account.spec().plan().requireEmpty())
                .isInstanceOf(PlanNotEmptyException.class)
                .hasMessageContaining("1 not readable");
    }

    /** Takes note of the hosts that sessions are opened with. */
    private MeshBuilder watched(MeshBuilder spec, List<String> opened) {
        HostApplier watching = target -> {
            opened.add(target.name());
            return account.hosts.open(target);
        };
        return spec.applier(watching);
    }

    @Test
    void only_oneHost_looksAtAndChangesThatAlone() {
        account.cloud.machines().forEach(MemoryMachine::disableFirewall);
        List<String> opened = new CopyOnWriteArrayList<>();
        Selection selection = watched(account.spec(), opened).build().only("shop-node-2");

        Plan plan = selection.plan();
        ApplyReport report = selection.apply();

        assertThat(plan.toString()).startsWith("mesh shop, only shop-node-2: 0 to create, 1 to change, 0 to remove\n");
        assertThat(plan.entries()).extracting(Plan.Entry::name).containsExactly("shop-node-2");
        assertThat(opened).containsOnly("shop-node-2");
        assertThat(report.hosts()).extracting(HostOutcome::name).containsExactly("shop-node-2");
        assertThat(selection.plan()).hasToString("mesh shop, only shop-node-2: nothing to do, 1 host is up to date");
        assertThat(account.spec().plan().entries())
                .extracting(Plan.Entry::kind)
                .containsExactly(Plan.Kind.CHANGE, Plan.Kind.CHANGE, Plan.Kind.KEEP);
        assertThat(selection.hosts()).containsExactly("shop-node-2");
        assertThat(selection).hasToString("Selection[shop: shop-node-2]");
    }

    @Test
    void only_theMonitor_keepsEveryPeerOfTheWholeSpec() {
        Map<?, ?> peers = machine("shop-monitor-1").peers();
        assertThat(peers).hasSize(2);
        machine("shop-monitor-1").dropPeers();
        machine("shop-node-1").down(true);

        account.spec().build().only("shop-monitor-1").apply();

        assertThat(machine("shop-monitor-1").peers()).isEqualTo(peers);
        assertThat(account.spec().build().only("shop-monitor-1").plan().isEmpty())
                .isTrue();
    }

    @Test
    void only_missingHostNamed_isMadeAndTheOthersAreLeftAsTheyAre() {
        List<String> opened = new CopyOnWriteArrayList<>();
        Mesh four = watched(account.spec().nodes(4, "lon1"), opened).build();

        Plan plan = four.only("shop-node-3").plan();
        assertThat(plan.toString())
                .startsWith(
                        "mesh shop, only shop-node-3: 1 to create, 0 to change, 0 to remove · $6.00 more a month\n");
        four.apply(plan);

        assertThat(account.cloud.names())
                .containsExactly("shop-monitor-1", "shop-node-1", "shop-node-2", "shop-node-3");
        assertThat(opened).containsOnly("shop-node-3");
        assertThat(machine("shop-node-3").peers()).hasSize(1);
        assertThat(machine("shop-monitor-1").peers()).hasSize(2);
        assertThat(four.apply().ok()).isTrue();
        account.assertUpToDate(account.spec().nodes(4, "lon1").build());
    }

    @Test
    void only_hostsThatAreTooMany_areNeitherPlannedForNorRemovedNorForgotten() {
        Mesh fewer = account.spec().nodes(1, "lon1").allowRemoval().build();

        Plan plan = fewer.only("shop-node-1").plan();
        ApplyReport report = fewer.only("shop-node-1").apply();

        assertThat(plan.isEmpty()).isTrue();
        assertThat(report.removed()).isEmpty();
        assertThat(account.cloud.names()).contains("shop-node-2");
        assertThat(account.state("shop").hosts()).containsKey("shop-node-2");
        assertThat(fewer.apply().removed()).containsExactly("shop-node-2");
    }

    @Test
    void only_addressOfAHostThatIsGone_restsUntilAllOthersForgotIt() {
        machine("shop-monitor-1").down(true);
        assertThatThrownBy(() -> account.spec().nodes(1, "lon1").allowRemoval().apply())
                .isInstanceOf(ApplyException.class);
        machine("shop-monitor-1").down(false);

        account.spec()
                .nodes(1, "lon1")
                .allowRemoval()
                .build()
                .only("shop-node-1")
                .apply();

        assertThat(account.state("shop").resting()).containsKey("shop-node-2");
    }

    @Test
    void only_ordersWhoseOutcomeIsUnknown_areKeptForTheApplyOfTheirHosts() {
        account.cloud.loseAnswers(1);
        account.cloud.lag(100);
        Mesh three = account.spec().nodes(3, "lon1").build();
        assertThatThrownBy(three::apply).isInstanceOf(ApplyException.class);

        three.only("shop-node-1").apply();

        assertThat(account.state("shop").intents()).hasSize(1);
    }

    @Test
    void only_unknownNames_areRefusedAtOnceWithTheNearOnes() {
        Calls calls = new Calls();
        Mesh mesh = account.spec(calls).build();

        assertThatThrownBy(() -> mesh.only("shop-nod-2", "shop-node-1", "x\u001b"))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining(
                        "only: \"shop-nod-2\" is not one of its hosts. The nearest names are shop-node-2, shop-node-1")
                .hasMessageContaining("only: \"x?\"");
        assertThatThrownBy(mesh::only)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("Name at least one");
        assertThat(calls.made()).isEmpty();
    }

    @Test
    void apply_nothingHarmlessOrRiskyToDo_takesOneTwoOrThreeExchangesAHost() {
        assertThat(exchanges()).containsExactly("HostApplier.open", "HostSession.facts");

        machine("shop-node-1").stop("node_exporter.service");
        assertThat(exchanges()).containsExactly("HostApplier.open", "HostSession.facts", "HostSession.apply");

        machine("shop-node-1").disableFirewall();
        assertThat(exchanges())
                .containsExactly(
                        "HostApplier.open",
                        "HostSession.facts",
                        "HostSession.apply",
                        "HostApplier.open",
                        "HostSession.confirm");
    }

    private List<String> exchanges() {
        Calls calls = new Calls();
        account.spec(calls).build().only("shop-node-1").apply();
        return calls.made().stream().filter(call -> call.startsWith("Host")).toList();
    }
}
