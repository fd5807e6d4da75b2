package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Release;
import dev.promguard.keys.PublicKey;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.Price;
import dev.promguard.spi.StateStore;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MeshTest {
    private final Account account = new Account();

    @Test
    void apply_firstTime_makesEveryHostAndReportsWhatWasDone() {
        ApplyReport report = account.spec().apply();

        assertThat(report.ok()).isTrue();
        assertThat(report.hosts())
                .extracting(HostOutcome::name)
                .containsExactly("shop-monitor-1", "shop-node-1", "shop-node-2");
        assertThat(report.hosts()).extracting(HostOutcome::address).containsExactly("10.0.0.1", "10.0.0.2", "10.0.0.3");
        assertThat(report.hosts()).allSatisfy(host -> assertThat(host.status()).isEqualTo(Status.CHANGED));
        assertThat(report.prometheusCommands())
                .containsExactly("ssh -L 9090:127.0.0.1:9090 root@"
                        + report.hosts().get(0).publicAddress().orElseThrow());
        assertThat(report.hosts().get(1).changes())
                .containsExactly(
                        "create",
                        "install ufw, wireguard-tools",
                        "create user node_exporter",
                        "install node_exporter 1.12.1",
                        "write /usr/local/lib/promguard/kill-switch.sh",
                        "write /etc/systemd/system/promguard-kill-switch.service",
                        "kill switch: let packets for 10.0.0.0/24 leave through wg0 alone",
                        "write /usr/local/lib/promguard/wireguard-metrics.sh",
                        "write /etc/systemd/system/promguard-wireguard-metrics.service",
                        "write /etc/systemd/system/promguard-wireguard-metrics.timer",
                        "write /etc/systemd/system/node_exporter.service",
                        "ufw: allow 22/tcp",
                        "ufw: allow 51820/udp",
                        "ufw: allow 9100/tcp on wg0 from 10.0.0.1",
                        "ufw: deny what no rule admits, and enable",
                        "write the WireGuard key",
                        "write the preshared key for shop-monitor-1",
                        "write /etc/wireguard/wg0.conf",
                        "wg0: bring up",
                        "start promguard-wireguard-metrics.timer",
                        "start node_exporter.service",
                        "replace the bootstrap SSH host key");
        assertThat(account.cloud.machines())
                .as("rollbacks that wait for a confirmation")
                .noneMatch(MemoryMachine::armed);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_secondTime_opensOneSessionAHostAndWritesNothing() {
        account.spec().apply();
        Calls calls = new Calls();

        ApplyReport report = account.spec(calls).apply();

        assertThat(report.changes()).isZero();
        assertThat(calls.made("HostApplier.open")).isEqualTo(3);
        assertThat(calls.made("HostSession.facts")).isEqualTo(3);
        assertThat(calls.made()).doesNotContain("HostSession.apply", "CloudProvider.create", "StateStore.save");
    }

    @Test
    void apply_hostsThatDifferOnlyInName_goInOneOrderOfAtMostTheBatchSize() {
        account.cloud.batchSize(3);

        account.spec().nodes(7, "lon1").apply();

        assertThat(account.cloud.orders())
                .extracting(order -> order.names().size())
                .containsExactlyInAnyOrder(1, 3, 3, 1);
        assertThat(account.cloud.orders())
                .extracting(CreateOrder::attempt)
                .as("one word for an apply, or the cloud fills with marks")
                .containsOnly(account.cloud.orders().get(0).attempt());
        assertThat(account.cloud.orders())
                .flatExtracting(CreateOrder::names)
                .doesNotHaveDuplicates()
                .hasSize(8);
        account.assertUpToDate(account.spec().nodes(7, "lon1").build());
    }

    @Test
    void apply_oneHostDown_finishesTheOthersAndTheNextApplyFinishesIt() {
        account.spec().apply();
        account.cloud.machine("shop-node-1").down(true);
        account.cloud.machine("shop-node-2").disableFirewall();

        ApplyException failure =
                catchThrowableOfType(ApplyException.class, () -> account.spec().apply());

        assertThat(failure).hasMessageContaining("shop-node-1").hasMessageContaining("2 of 3 hosts are done");
        assertThat(failure.getCause()).isInstanceOf(HostException.class);
        assertThat(failure.report().ok()).isFalse();
        assertThat(failure.report().hosts())
                .extracting(HostOutcome::status)
                .containsExactly(Status.UNCHANGED, Status.FAILED, Status.CHANGED);
        assertThat(failure.report().hosts().get(2).changes())
                .containsExactly("ufw: deny what no rule admits, and enable");
        account.cloud.machine("shop-node-1").down(false);
        assertThat(account.spec().apply().ok()).isTrue();
        account.assertUpToDate(account.spec().build());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "install ufw, wireguard-tools",
                "install node_exporter 1.12.1",
                "ufw: allow 22/tcp",
                "ufw: deny what no rule admits, and enable",
                "write the WireGuard key",
                "wg0: bring up",
                "start node_exporter.service",
                "replace the bootstrap SSH host key"
            })
    void apply_oneChangeFails_saysHostAndStepKeepsTheReportAndIsFinishedByTheNext(String change) {
        MeshListener breakNode = event -> {
            if (event.host().equals(Optional.of("shop-node-1")) && event.step().equals("wait until active")) {
                account.cloud.machine("shop-node-1").failAt(change);
            }
        };

        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> account.spec().listener(breakNode).apply());

        assertThat(failure).hasMessageContaining("step \"" + change + "\" failed");
        HostOutcome outcome = failure.report().hosts().get(1);
        assertThat(outcome.status()).isEqualTo(Status.FAILED);
        assertThat(outcome.failure()).isInstanceOf(HostException.class);
        assertThat(outcome.changes()).startsWith("create").doesNotContain(change);
        assertThat(failure.report().hosts().get(0).status()).isEqualTo(Status.CHANGED);

        MemoryMachine node = account.cloud.machine("shop-node-1");
        node.failAt(null);
        node.rollBack();
        assertThat(account.spec().apply().ok()).isTrue();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_rolledBackBeforeItWasConfirmed_failsThatHostAndTheNextApplyFinishes() {
        MeshListener late = event -> {
            if (event.step().equals("reconnect") && event.host().equals(Optional.of("shop-node-2"))) {
                account.cloud.machine("shop-node-2").rollBack();
            }
        };

        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> account.spec().listener(late).apply());

        assertThat(failure).hasMessageContaining("shop-node-2");
        assertThat(failure.report().hosts().get(2).status()).isEqualTo(Status.ROLLED_BACK);
        assertThat(account.spec().apply().ok()).isTrue();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_createRefused_namesEveryHostOfTheOrderAndStillFinishesTheRest() {
        account.spec().nodes(0).apply();
        account.cloud.machine("shop-monitor-1").disableFirewall();
        account.cloud.refuse(new ProviderException(
                ErrorCode.PROVIDER_REFUSED,
                "You would exceed your droplet limit",
                422,
                "unprocessable_entity",
                "req-1",
                false,
                null));

        ApplyException failure =
                catchThrowableOfType(ApplyException.class, () -> account.spec().apply());

        assertThat(failure)
                .hasMessageContaining("shop-node-1, shop-node-2: You would exceed")
                .hasMessageContaining("1 of 3 hosts are done");
        assertThat(failure.getCause()).isInstanceOf(ProviderException.class);
        assertThat(failure.report().hosts())
                .extracting(HostOutcome::status)
                .containsExactly(Status.CHANGED, Status.FAILED, Status.FAILED);
        assertThat(failure.report().hosts().get(1).changes()).isEmpty();
        account.cloud.refuse(null);
        assertThat(account.spec().apply().ok()).isTrue();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_lostAnswerThatEndsInARefusal_findsTheHostsThatWereMadeAllTheSame() {
        Calls calls = new Calls();
        account.cloud.loseAnswers(2);
        MeshBuilder spec = account.spec(calls).provider(RefusingAfterLoss.over(account.cloud));
        assertThatThrownBy(spec::apply).isInstanceOf(ApplyException.class).hasMessageContaining("429");
        assertThat(account.cloud.names()).hasSize(3);

        assertThat(account.spec().apply().ok()).isTrue();

        assertThat(account.cloud.orders()).hasSize(2);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_lostAnswersAndALateList_makesNoHostTwice() {
        account.cloud.loseAnswers(2);
        account.cloud.lag(3);
        assertThatThrownBy(() -> account.spec().apply()).isInstanceOf(ApplyException.class);
        assertThat(account.cloud.names()).hasSize(3);

        assertThat(account.spec().apply().ok()).isTrue();

        assertThat(account.cloud.orders()).hasSize(2);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_hostThatIsNeverActive_isNamedAndTheOthersAreFinished() {
        account.cloud.delay("shop-node-1");

        ApplyException failure =
                catchThrowableOfType(ApplyException.class, () -> account.spec().apply());

        assertThat(failure).hasMessageContaining("shop-node-1: step \"wait until active\" failed");
        assertThat(failure.report().hosts())
                .extracting(HostOutcome::status)
                .containsExactly(Status.CHANGED, Status.FAILED, Status.CHANGED);
        account.cloud.hurry();
        assertThat(account.spec().apply().ok()).isTrue();
        assertThat(account.cloud.orders()).hasSize(2);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_hostSwitchedOff_failsItAndLeavesTheOthersAsTheyAre() {
        account.spec().apply();
        account.cloud.switchOff("shop-node-1");

        ApplyException failure =
                catchThrowableOfType(ApplyException.class, () -> account.spec().apply());

        assertThat(failure.report().hosts())
                .extracting(HostOutcome::status)
                .containsExactly(Status.UNCHANGED, Status.FAILED, Status.UNCHANGED);
        assertThat(failure.report().hosts().get(1).publicAddress())
                .contains(account.cloud.machine("shop-node-1").address());
        account.spec().build().powerOn("shop-node-1");
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_impossibleRegion_makesNothing() {
        account.cloud.close("lon1");

        assertThatThrownBy(() -> account.spec().apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("\"lon1\" of shop-node-1")
                .hasMessageContaining("\"lon1\" of shop-node-2");
        assertThatThrownBy(() -> account.spec().plan()).isInstanceOf(InvalidMeshException.class);
        assertThat(account.cloud.names()).isEmpty();
        assertThat(account.store.load("shop")).isEmpty();
    }

    @Test
    void apply_hostVanished_isMadeAnewAtItsOldAddressAndTheOthersAreNotRestarted() {
        account.spec().apply();
        String before = account.cloud.machine("shop-node-2").since("node_exporter.service");
        account.cloud.vanish("shop-node-1");

        ApplyReport report = account.spec().apply();

        assertThat(report.hosts().get(1).changes()).startsWith("create");
        assertThat(report.hosts().get(2).status()).isEqualTo(Status.UNCHANGED);
        assertThat(account.address("shop-node-1")).isEqualTo("10.0.0.2");
        assertThat(account.cloud.machine("shop-node-2").since("node_exporter.service"))
                .isEqualTo(before);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_keyFileLost_givesThatHostANewKeyAndTellsItsPeers() {
        account.spec().apply();
        PublicKey before = account.cloud.machine("shop-node-1").publicKey().orElseThrow();
        account.cloud.machine("shop-node-1").loseKey();

        Plan plan = account.spec().plan();
        account.spec().build().apply(plan);

        assertThat(plan.entries().get(0).changes())
                .extracting(PlannedChange::text)
                .contains("/etc/wireguard/wg0.conf   + peer shop-node-1 (10.0.0.2/32), key known after apply,"
                        + " - peer shop-node-1 (10.0.0.2/32)");
        assertThat(plan.entries().get(2).kind()).isEqualTo(Plan.Kind.KEEP);
        assertThat(account.cloud.machine("shop-node-1").publicKey().orElseThrow())
                .isNotEqualTo(before);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_loginKeyLost_isRefusedAsPlanRefusesItAndMakesNoOther() {
        account.spec().apply();
        account.store.loseLoginKey("shop");

        assertThatThrownBy(() -> account.spec().plan()).isInstanceOf(StateException.class);
        assertThatThrownBy(() -> account.spec().apply())
                .isInstanceOf(StateException.class)
                .hasMessageContaining("Restore the folder from a backup");
        assertThat(account.store.loadLoginKey("shop")).isEqualTo(Optional.empty());
    }

    @Test
    void apply_anotherHostKey_failsThatHostBeforeAnythingIsSent() {
        account.spec().apply();
        MemoryMachine node = account.cloud.machine("shop-node-1");
        List<String> before = node.changes();
        String pinned = node.hostKey().text();
        node.impostor();
        node.disableFirewall();

        ApplyException failure =
                catchThrowableOfType(ApplyException.class, () -> account.spec().apply());

        assertThat(failure)
                .hasMessageContaining(pinned)
                .hasMessageContaining(node.hostKey().text());
        assertThat(node.changes()).isEqualTo(before);
    }

    @Test
    void apply_hostMadeByNobodyKnown_isRefusedBeforeAnythingChanges() {
        account.cloud.plant("shop", "shop-node-1", Optional.of("feedfacefeedface"));

        assertThatThrownBy(() -> account.spec().apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("shop-node-1 (id 1)")
                .hasMessageContaining("memory of shop");
        assertThat(account.cloud.names()).containsExactly("shop-node-1");
    }

    @Test
    void apply_unknownHostWithTheNameOfAKnownOne_isRefusedAndLeftAlone() {
        account.spec().apply();
        String id = account.state("shop", "shop-node-1").providerId().orElseThrow();
        account.cloud.plant("shop", "shop-node-1", Optional.empty());

        assertThatThrownBy(() -> account.spec().apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("shop-node-1 (id 4)");

        assertThat(account.cloud.names())
                .containsExactly("shop-monitor-1", "shop-node-1", "shop-node-1", "shop-node-2");
        assertThat(account.state("shop", "shop-node-1").providerId()).contains(id);
        account.spec().build().deleteUnmanaged("4");
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_removalFails_saysSoKeepsTheRestAndTheNextApplyFinishes() {
        account.spec().apply();
        Calls calls = new Calls();
        Mesh fewer = account.spec(calls)
                .nodes(1, "lon1")
                .allowRemoval()
                .parallelism(1)
                .build();
        int deletion = new Rehearsal(
                        this::twoNodes, spec -> spec.nodes(1, "lon1").allowRemoval())
                .position("CloudProvider.delete");
        calls.breakAt(deletion, Calls.Problem.FAILS);

        ApplyException failure = catchThrowableOfType(ApplyException.class, fewer::apply);

        assertThat(failure).hasMessageContaining("shop-node-2").hasMessageContaining("told to fail");
        assertThat(failure.report().removed()).isEmpty();
        assertThat(account.spec().nodes(1, "lon1").allowRemoval().apply().removed())
                .containsExactly("shop-node-2");
        account.assertUpToDate(account.spec().nodes(1, "lon1").allowRemoval().build());
    }

    private Account twoNodes() {
        Account other = new Account();
        other.spec().apply();
        return other;
    }

    @Test
    void apply_moreNodes_keepsEveryAddressAndKeyAndRestartsNothing() {
        account.spec().apply();
        MemoryMachine node = account.cloud.machine("shop-node-1");
        List<String> before = node.changes();
        PublicKey key = node.publicKey().orElseThrow();
        String started = account.cloud.machine("shop-monitor-1").since("prometheus.service");

        ApplyReport report = account.spec().nodes(4, "lon1").apply();

        assertThat(node.changes()).isEqualTo(before);
        assertThat(node.publicKey()).contains(key);
        assertThat(account.cloud.machine("shop-monitor-1").since("prometheus.service"))
                .isEqualTo(started);
        assertThat(report.hosts().get(0).changes())
                .containsExactly(
                        "write /etc/prometheus/targets/node.json",
                        "write the preshared keys for shop-node-3, shop-node-4",
                        "write /etc/wireguard/wg0.conf",
                        "wg0: set peers");
        account.assertUpToDate(account.spec().nodes(4, "lon1").build());
    }

    @Test
    void apply_nodesComeAndGo_keepTheirAddresses() {
        account.spec()
                .nodes(0)
                .allowRemoval()
                .node("a", host -> host.region("lon1"))
                .node("b", host -> host.region("lon1"))
                .node("c", host -> host.region("lon1"))
                .apply();

        account.spec()
                .nodes(0)
                .allowRemoval()
                .node("d", host -> host.region("lon1"))
                .node("c", host -> host.region("lon1"))
                .apply();

        assertThat(account.address("shop-monitor-1")).isEqualTo("10.0.0.1");
        assertThat(account.address("c")).isEqualTo("10.0.0.4");
        assertThat(account.address("d"))
                .as("a and b were peers until this apply")
                .isEqualTo("10.0.0.5");
        account.spec()
                .nodes(0)
                .allowRemoval()
                .node("e", host -> host.region("lon1"))
                .node("d", host -> host.region("lon1"))
                .node("c", host -> host.region("lon1"))
                .apply();
        assertThat(account.address("e")).as("nobody knows a any more").isEqualTo("10.0.0.2");
        assertThat(account.address("d")).isEqualTo("10.0.0.5");
    }

    @Test
    void apply_hostRemovedWhileAPeerIsDown_itsAddressRestsUntilThatPeerHasForgottenIt() {
        account.spec().apply();
        account.cloud.machine("shop-monitor-1").down(true);
        assertThatThrownBy(() -> account.spec().nodes(1, "lon1").allowRemoval().apply())
                .isInstanceOf(ApplyException.class);
        assertThat(account.cloud.names()).doesNotContain("shop-node-2");
        assertThatThrownBy(() -> account.spec()
                        .nodes(1, "lon1")
                        .allowRemoval()
                        .node("late", host -> host.region("lon1"))
                        .apply())
                .isInstanceOf(ApplyException.class);

        assertThat(account.address("late")).isEqualTo("10.0.0.4");
        account.cloud.machine("shop-monitor-1").down(false);
        account.spec()
                .nodes(1, "lon1")
                .allowRemoval()
                .node("late", host -> host.region("lon1"))
                .apply();
        assertThat(account.address("late")).isEqualTo("10.0.0.4");
        account.spec().allowRemoval().apply();
        assertThat(account.address("shop-node-2")).isEqualTo("10.0.0.3");
    }

    @Test
    void apply_networkWithoutAFreeAddress_isRefusedBeforeAnythingIsMade() {
        account.spec().network("10.0.0.0/29").nodes(5, "lon1").apply();

        assertThatThrownBy(() -> account.spec()
                        .network("10.0.0.0/29")
                        .nodes(0)
                        .node("other", host -> host.region("lon1"))
                        .apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("10.0.0.0/29 has no address left for other");
        assertThat(account.cloud.names()).hasSize(6);
    }

    @Test
    void apply_networkOfTheHostsOwn_failsTheHostBeforeAnythingIsChanged() {
        MeshListener clash = event -> {
            if (event.step().equals("wait until active") && event.host().equals(Optional.of("shop-node-1"))) {
                account.cloud.machine("shop-node-1").network("10.0.0.14/16");
            }
        };

        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> account.spec().listener(clash).apply());

        assertThat(failure).hasMessageContaining("10.0.0.0/24 overlaps the host's own 10.0.0.14/16");
        assertThat(account.cloud.machine("shop-node-1").changes()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"fedora-41", "debian-12-x64"})
    void apply_hostThatPromGuardCannotServe_isNotTouched(String image) {
        MeshListener other = event -> {
            if (event.step().equals("wait until active") && event.host().equals(Optional.of("shop-node-1"))) {
                account.cloud.machine("shop-node-1").machine(image.startsWith("debian") ? "riscv64" : "x86_64");
            }
        };

        ApplyException failure = catchThrowableOfType(
                ApplyException.class,
                () -> account.spec().image(image).listener(other).apply());

        assertThat(failure).hasMessageContaining("check the host").hasMessageContaining("Nothing was changed on it");
        assertThat(account.cloud.machine("shop-node-1").changes()).isEmpty();
    }

    @Test
    void apply_newIpv6Mesh_givesEveryHostAnIpv6Address() {
        account.spec().network("fd00:44::/64").apply();

        assertThat(account.address("shop-monitor-1")).isEqualTo("fd00:44::1");
        assertThat(account.cloud.machine("shop-node-1").rules()).contains("9100/tcp on wg0 from fd00:44::1");
        account.assertUpToDate(account.spec().network("fd00:44::/64").build());
    }

    @Test
    void apply_twoMeshesInOneAccount_doNotTouchEachOther() {
        account.spec().apply();
        account.spec().name("bank").nodes(1, "lon1").apply();
        List<String> before = account.cloud.machine("shop-node-1").changes();

        account.spec().name("bank").nodes(0).allowRemoval().apply();
        account.assertUpToDate(account.spec().build());
        DestroyReport destroyed = account.spec().name("bank").build().destroy();

        assertThat(destroyed.removed()).containsExactly("bank-monitor-1");
        account.assertIsGone("bank");
        assertThat(account.cloud.machine("shop-node-1").changes()).isEqualTo(before);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_whileAnotherProgramApplies_isRefusedAsRetryable() {
        try (StateStore.Lock lock = account.store.lock("shop")) {
            assertThat(lock).isNotNull();
            assertThatThrownBy(() -> account.spec().apply())
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.retryable()).isTrue());
            assertThatThrownBy(() -> account.spec().build().destroy()).isInstanceOf(StateException.class);
        }
        assertThat(account.cloud.names()).isEmpty();
    }

    @Test
    void apply_parallelismOfTwo_neverWorksOnMoreThanTwoHosts() {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CountDownLatch twoAtOnce = new CountDownLatch(2);
        HostApplier counting = target -> {
            HostSession session;
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            twoAtOnce.countDown();
            try {
                twoAtOnce.await();
                session = account.hosts.open(target);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } finally {
                now.decrementAndGet();
            }
            return session;
        };

        account.spec().nodes(6, "lon1").applier(counting).parallelism(2).apply();

        assertThat(most).hasValue(2);
    }

    @Test
    void apply_releasesOfTheCloud_takeThePlaceOfTheUsualOnesAlone() {
        String sum = "a".repeat(64);
        account.cloud.serve(new Release(
                "node_exporter", "1.5.0", URI.create("http://mirror.example/"), Map.of(Architecture.AMD64, sum)));
        account.cloud.serve(new Release(
                "prometheus", "2.42.0", URI.create("http://mirror.example/"), Map.of(Architecture.AMD64, sum)));
        Release chosen = Release.upstream("prometheus", "3.15.0", sum, sum);

        Plan plan =
                account.spec().prometheus(settings -> settings.release(chosen)).plan();

        assertThat(plan.blueprint().spec().nodeExporter().version()).isEqualTo("1.5.0");
        assertThat(plan.blueprint().spec().prometheus().release()).isEqualTo(chosen);
    }

    @Test
    void plan_nothingThere_saysWhatWouldBeMadeAndWhatItCostsAndChangesNothing() {
        Calls calls = new Calls();

        Plan plan = account.spec(calls).plan();

        assertThat(plan.isEmpty()).isFalse();
        assertThat(plan).hasToString("""
            mesh shop: 3 to create, 0 to change, 0 to remove · $18.00 a month ($0.027 an hour)

            + shop-monitor-1  tor1  s-1vcpu-1gb  10.0.0.1  known after apply
            + shop-node-1     lon1  s-1vcpu-1gb  10.0.0.2  known after apply
            + shop-node-2     lon1  s-1vcpu-1gb  10.0.0.3  known after apply\
            """);
        assertThat(calls.made())
                .containsOnly(
                        "StateStore.load",
                        "CloudProvider.list",
                        "CloudProvider.preflight",
                        "CloudProvider.planFirewall");
        assertThat(account.cloud.names()).isEmpty();
        assertThat(account.spec().plan()).as("planning twice").isEqualTo(plan);
    }

    @Test
    void plan_everyKindOfChange_isReadable() {
        account.spec().nodes(3, "lon1").parallelism(1).apply();
        account.cloud.machine("shop-node-1").disableFirewall();
        account.cloud.machine("shop-node-2").down(true);

        Plan plan = account.spec().node("new", host -> host.region("ams3")).plan();

        assertThat(plan.entries())
                .extracting(Plan.Entry::kind)
                .containsExactly(
                        Plan.Kind.CHANGE, Plan.Kind.CHANGE, Plan.Kind.UNKNOWN, Plan.Kind.CREATE, Plan.Kind.REMOVE);
        assertThat(plan.toString().lines().map(line -> line.replaceAll("127[.]77[.]0[.][0-9]", "127.77.0.x")))
                .containsExactly(
                        "mesh shop: 1 to create, 2 to change, 1 to remove, 1 not readable · $24.00 a month ($0.036 an"
                                + " hour)",
                        "",
                        "~ shop-monitor-1  tor1  s-1vcpu-1gb  10.0.0.1  127.77.0.x",
                        "    ~ /etc/prometheus/targets/node.json   + target new (10.0.0.5:9100), - target shop-node-3"
                                + " (10.0.0.4:9100)",
                        "    ~ write the preshared key for new, known after apply",
                        "    ~ /etc/wireguard/wg0.conf   + peer new (10.0.0.5/32), key known after apply,"
                                + " - peer shop-node-3 (10.0.0.4/32)",
                        "    ~ wg0: set peers",
                        "~ shop-node-1     lon1  s-1vcpu-1gb  10.0.0.2  127.77.0.x",
                        "    ! ufw: is off, or its loaded rules are not its own (drift)   → put back",
                        "? shop-node-2     lon1  s-1vcpu-1gb  10.0.0.3  127.77.0.x",
                        "    shop-node-2 (127.77.0.x): step \"connect\" failed: no answer in 20 s [PG-4001]",
                        "      See that it is up.",
                        "+ new             ams3  s-1vcpu-1gb  10.0.0.5  known after apply",
                        "- shop-node-3     lon1  s-1vcpu-1gb  10.0.0.4  127.77.0.x",
                        "    (deleted for good with its disk and all data on it)");
    }

    @Test
    void plan_moreOrFewerHosts_saysWhatTheyCostInAllAndMoreOrLess() {
        account.spec().nodes(3).apply();

        assertThat(account.spec().nodes(4).plan().toString())
                .startsWith("mesh shop: 1 to create, 1 to change, 0 to remove · $30.00 a month ($0.045 an hour), $6.00"
                        + " more\n");
        Plan fewer = account.spec().nodes(1).plan();
        assertThat(fewer.toString())
                .startsWith("mesh shop: 0 to create, 1 to change, 2 to remove · $12.00 a month ($0.018 an hour), $12.00"
                        + " less\n");
        assertThat(fewer.price(Plan.Kind.REMOVE))
                .hasValueSatisfying(price -> assertThat(price.monthly()).isEqualByComparingTo("12"));
        assertThat(fewer.price(Plan.Kind.KEEP))
                .hasValueSatisfying(price -> assertThat(price.monthly()).isEqualByComparingTo("6"));
        assertThat(fewer.price(Plan.Kind.CREATE)).hasValue(Price.ZERO);
    }

    @Test
    void plan_meshUpToDate_saysThatThereIsNothingToDo() {
        account.spec().apply();

        assertThat(account.spec().plan()).hasToString("mesh shop: nothing to do, 3 hosts are up to date");
    }

    @Test
    void applyPlan_worldAsPlanned_doesWhatThePlanSays() {
        Plan plan = account.spec().plan();

        ApplyReport report = account.spec().build().apply(plan);

        assertThat(report.ok()).isTrue();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void applyPlan_worldMoved_doesNothingAndShowsThePlanOfNow() {
        account.spec().apply();
        account.cloud.machine("shop-node-1").disableFirewall();
        Plan plan = account.spec().plan();
        account.cloud.machine("shop-node-2").disableFirewall();
        List<String> before = account.cloud.machine("shop-node-1").changes();

        PlanOutdatedException outdated = catchThrowableOfType(
                PlanOutdatedException.class, () -> account.spec().build().apply(plan));

        assertThat(account.cloud.machine("shop-node-1").changes()).isEqualTo(before);
        assertThat(outdated.current().entries())
                .extracting(Plan.Entry::kind)
                .containsExactly(Plan.Kind.KEEP, Plan.Kind.CHANGE, Plan.Kind.CHANGE);
        assertThat(account.spec().build().apply(outdated.current()).ok()).isTrue();
    }

    @Test
    void destroy_twice_removesEverythingOnceAndThenNothing() {
        account.spec().apply();
        assertThat(account.cloud.accessKeys()).isEqualTo(1);

        DestroyReport first = account.spec().build().destroy();
        DestroyReport second = account.spec().build().destroy();

        assertThat(first.removed()).containsExactly("shop-monitor-1", "shop-node-1", "shop-node-2");
        assertThat(second.removed()).isEmpty();
        assertThat(second).hasToString("mesh shop: there was nothing to remove");
        assertThat(account.cloud.accessKeys()).isZero();
        account.assertIsGone("shop");
    }

    @Test
    void destroy_hostsThatTheListStillHides_removesThemToo() {
        account.cloud.loseAnswers(2);
        account.cloud.lag(3);
        assertThatThrownBy(() -> account.spec().apply()).isInstanceOf(ApplyException.class);

        DestroyReport report = account.spec().build().destroy();

        assertThat(report.removed()).hasSize(3);
        account.assertIsGone("shop");
    }

    @Test
    void destroy_afterApplyAgain_makesAFreshMesh() {
        account.spec().apply();
        account.spec().build().destroy();

        account.spec().apply();

        account.assertUpToDate(account.spec().build());
    }

    @Test
    void blueprintAndPreview_asManyTimesAsOneLikes_needNoPort() {
        Mesh mesh = Mesh.builder().name("shop").monitor("tor1").nodes(2).build();

        Blueprint blueprint = mesh.blueprint();

        assertThat(mesh.blueprint()).isEqualTo(blueprint);
        assertThat(mesh).hasToString("Mesh[shop: 1 monitor, 2 nodes in 10.0.0.0/24]");
    }

    @Test
    void apply_noPortGivenOrOnTheClassPath_saysWhatToAddAndWhatToCall() {
        assertThatThrownBy(() -> Mesh.builder().monitor("tor1").apply())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("add promguard-do, or call .provider(…)");
        assertThatThrownBy(() ->
                        Mesh.builder().monitor("tor1").provider(account.cloud).apply())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("add promguard-ssh, or call .applier(…)");
    }
}
