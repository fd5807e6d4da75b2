package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.internal.run.PollIntervals;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hosts are configured as soon as they are ready: a late one, or one that never comes, keeps no other waiting. */
@Timeout(60)
class MeshReadinessTest {
    private static final PollIntervals SHORT_GRACE = new PollIntervals(
            Duration.ofMillis(50), Duration.ofMillis(1), Duration.ofMillis(-900), Duration.ofMillis(1), Duration.ZERO);
    private static final List<String> LATE = List.of("shop-node-3", "shop-node-8", "shop-node-14", "shop-node-20");
    private static final String CONFIGURED = "change the host";

    private final Account account = new Account();
    private final Set<String> configured = ConcurrentHashMap.newKeySet();
    private final BlockingQueue<String> news = new LinkedBlockingQueue<>();

    private MeshBuilder spec(int nodes) {
        return account.spec().nodes(nodes, "lon1").waits(SHORT_GRACE).listener(this::note);
    }

    private void note(MeshEvent event) {
        if (event.state() == MeshEvent.State.DONE && event.step().equals(CONFIGURED)) {
            configured.add(event.host().orElseThrow());
            news.add(event.host().orElseThrow());
        }
    }

    private void awaitConfigured(int hosts) throws InterruptedException {
        while (configured.size() < hosts) {
            assertThat(news.poll(20, TimeUnit.SECONDS))
                    .as("a further host beside %s of %d", configured, hosts)
                    .isNotNull();
        }
    }

    @Test
    void apply_fourOf21NeverBoot_theOthersAreConfiguredWhileTheyAreAwaited() throws Exception {
        LATE.forEach(account.cloud::keepBooting);
        CompletableFuture<ApplyReport> apply = CompletableFuture.supplyAsync(() -> spec(20).apply());

        awaitConfigured(17);

        assertThat(apply).isNotDone();
        assertThat(configured).hasSize(17).doesNotContainAnyElementsOf(LATE);
        LATE.forEach(account.cloud::delay);
        ApplyException failure = failure(apply);
        for (HostOutcome host : failure.report().hosts()) {
            assertThat(host.status())
                    .as(host.name())
                    .isEqualTo(LATE.contains(host.name()) ? Status.FAILED : Status.CHANGED);
        }
        assertThat(account.cloud.machine("shop-monitor-1").peers()).hasSize(16);
        assertThat(account.hosts.open()).isZero();

        account.cloud.hurry();
        spec(20).apply();
        account.assertUpToDate(spec(20).build());
    }

    @ParameterizedTest
    @ValueSource(strings = {"shop-node-1", "shop-monitor-1"})
    void apply_hostThatBootsLate_joinsTheOthersInTheSameApply(String late) throws Exception {
        account.cloud.keepBooting(late);
        CompletableFuture<ApplyReport> apply = CompletableFuture.supplyAsync(() -> spec(2).apply());
        awaitConfigured(2);

        account.cloud.hurry();

        assertThat(apply.get().hosts()).extracting(HostOutcome::status).containsOnly(Status.CHANGED);
        account.assertUpToDate(spec(2).build());
    }

    @Test
    void apply_hostThatIsActiveButAnswersLate_joinsTheOthersInTheSameApply() throws Exception {
        account.hosts.mute("shop-node-2");
        CompletableFuture<ApplyReport> apply = CompletableFuture.supplyAsync(() -> spec(2).apply());
        awaitConfigured(2);

        account.hosts.answer();

        assertThat(apply.get().ok()).isTrue();
        account.assertUpToDate(spec(2).build());
    }

    @Test
    void apply_everyHostReadyWithinTheGracePeriod_configuresAllTogether() {
        account.spec().nodes(6, "lon1").apply();

        // To observe and change it, and to confirm the changes.
        assertThat(account.hosts.opened()).isEqualTo(7 * 2);
    }

    @Test
    void apply_interruptedWhileAHostBoots_endsSoonAndGoesOnLater() throws Exception {
        account.cloud.keepBooting("shop-node-1");
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        Thread caller = new Thread(() -> {
            try {
                spec(2).apply();
                thrown.complete(new AssertionError("it was not interrupted"));
            } catch (Throwable e) {
                thrown.complete(e);
            }
        });
        caller.start();
        awaitConfigured(2);

        caller.interrupt();

        assertThat(thrown.get(10, TimeUnit.SECONDS)).isInstanceOf(CancelledException.class);
        assertThat(account.hosts.open()).isZero();
        account.cloud.hurry();
        spec(2).apply();
        account.assertUpToDate(spec(2).build());
    }

    @Test
    void apply_cloudThatFailsWhileHostsAreAwaited_failsThoseThatWereNotReadyAlone() throws Exception {
        account.cloud.keepBooting("shop-node-1");
        CompletableFuture<ApplyReport> apply = CompletableFuture.supplyAsync(() -> spec(2).apply());
        awaitConfigured(2);

        account.cloud.breakAwait(new ProviderException(ErrorCode.PROVIDER_REFUSED, "the cloud is down"));

        ApplyException failure = failure(apply);
        assertThat(failure).hasMessageContaining("shop-node-1: the cloud is down");
        assertThat(failure.report().hosts())
                .extracting(HostOutcome::status)
                .containsExactly(Status.CHANGED, Status.FAILED, Status.CHANGED);
    }

    @Test
    void apply_existingHostThatAnswersLateAndIsOccupied_isLeftAloneAndFailsAlone() throws Exception {
        MemoryInventory inventory = new MemoryInventory();
        MemoryHosts hosts = new MemoryHosts(inventory);
        inventory.host("mon", "root", 22);
        MemoryMachine database = inventory.host("db-1", "admin", 22);
        database.foreignUnit("node_exporter.service");
        hosts.mute("db-1");
        Mesh mesh = Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .node("db-1", host -> {})
                .provider(inventory)
                .applier(hosts)
                .state(new MemoryStateStore())
                .waits(SHORT_GRACE)
                .listener(this::note)
                .build();
        CompletableFuture<ApplyReport> apply = CompletableFuture.supplyAsync(mesh::apply);
        awaitConfigured(1);

        hosts.answer();

        assertThat(failure(apply))
                .hasMessageContaining("db-1 (203.0.113.11): step \"check the host\" failed")
                .hasMessageContaining("it has a node_exporter.service that PromGuard did not put there");
        assertThat(database.changes()).isEmpty();
        assertThat(hosts.open()).isZero();
    }

    private static ApplyException failure(CompletableFuture<ApplyReport> apply) {
        ExecutionException ended = catchThrowableOfType(ExecutionException.class, apply::get);
        assertThat(ended).hasCauseInstanceOf(ApplyException.class);
        return (ApplyException) Objects.requireNonNull(ended.getCause());
    }
}
