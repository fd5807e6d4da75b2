package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Death;
import dev.promguard.memory.Calls.Problem;
import dev.promguard.memory.MemoryCloud;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A run is killed while it orders hosts, and the cloud's list lacks them for a while: a millisecond stands for a second, and a list
 * is requested each millisecond. No host is created twice, and none is left.
 */
class MeshLateHostsTest {
    private static final int[] LAGS = {0, 1, 3, 8, 20, 60, MemoryCloud.LONGEST_LAG};

    private final Account account = new Account();
    private final Calls next = new Calls();

    /** Kills an apply at its first create call. */
    private void killAtCreate(Problem how) {
        killAtCreate(how, 1);
    }

    private void killAtCreate(Problem how, int order) {
        Account rehearsed = new Account();
        Calls rehearsal = new Calls();
        spec(rehearsed, rehearsal).apply();
        int[] creates = IntStream.range(0, rehearsal.made().size())
                .filter(call -> rehearsal.made().get(call).equals("CloudProvider.create"))
                .toArray();
        Calls killed = new Calls();
        killed.breakAt(creates[order - 1] + 1, how);
        assertThatThrownBy(() -> spec(account, killed).apply()).isNotNull();
        assertThatThrownBy(() -> killed.watch(account.store).read("shop", "state"))
                .isInstanceOf(Death.class);
        assertThat(account.state("shop").intents()).hasSize(1);
    }

    private static MeshBuilder spec(Account account, Calls calls) {
        return account.spec(calls).parallelism(1);
    }

    private Mesh mesh() {
        return spec(account, next).build();
    }

    static Stream<Arguments> lagsAndOrders() {
        return IntStream.of(LAGS).boxed().flatMap(lag -> Stream.of(Arguments.of(lag, 1), Arguments.of(lag, 2)));
    }

    @ParameterizedTest(name = "lag {0}, order {1}")
    @MethodSource("lagsAndOrders")
    void apply_afterAKillInCreate_createsNoHostTwice(int lag, int order) {
        account.cloud.lag(lag);
        killAtCreate(Problem.DIES_AFTER, order);
        account.cloud.lag(0);

        assertThat(mesh().apply().ok()).isTrue();

        assertThat(account.cloud.orders()).hasSize(2);
        assertThat(account.cloud.names()).containsExactly("shop-monitor-1", "shop-node-1", "shop-node-2");
        account.assertUpToDate(mesh());
    }

    @ParameterizedTest
    @MethodSource("lagsAndOrders")
    void plan_afterAKillInCreate_saysWhatApplyDoes(int lag, int order) {
        account.cloud.lag(lag);
        killAtCreate(Problem.DIES_AFTER, order);
        account.cloud.lag(0);

        Plan plan = mesh().plan();

        assertThat(plan.entries())
                .filteredOn(entry -> entry.kind() == Plan.Kind.CREATE)
                .hasSize(3 - account.cloud.names().size());
        assertThat(account.state("shop").intents()).as("a plan settles nothing").hasSize(1);
        assertThat(plan.entries()).noneMatch(entry -> entry.kind() == Plan.Kind.REMOVE);
    }

    @ParameterizedTest(name = "lag {0}, order {1}")
    @MethodSource("lagsAndOrders")
    void destroy_afterAKillInCreate_leavesNothingAndSaysHowLongItChecked(int lag, int order) {
        account.cloud.lag(lag);
        killAtCreate(Problem.DIES_AFTER, order);
        List<String> names = account.cloud.names();
        account.cloud.lagDeletions();

        DestroyReport report = mesh().destroy();

        assertThat(account.cloud.names()).isEmpty();
        assertThat(account.cloud.accessKeys()).isZero();
        assertThat(report.removed()).containsExactlyElementsOf(names);
        assertThat(report.checkedFor()).isGreaterThanOrEqualTo(account.cloud.listLag());
        assertThat(report.toString())
                .startsWith("mesh shop: removed " + String.join(", ", names))
                .containsPattern("checked for [0-9]+ s that no order of an earlier run leaves a host");
        account.assertIsGone("shop");
    }

    /** A cloud may have carried out a request twice, and shows one of the hosts early and the other one late. */
    @ParameterizedTest
    @ValueSource(ints = {0, 8, 60})
    void destroy_secondHostOfTheSameOrderThatAppearsLater_deletesItToo(int lag) {
        killAtCreate(Problem.DIES_AFTER);
        String attempt = account.state("shop").intents().get(0).attempt();
        account.cloud.lag(lag);
        account.cloud.lagDeletions();
        account.cloud.plant("shop", account.cloud.names().get(0), Optional.of(attempt));

        mesh().destroy();

        assertThat(account.cloud.names()).isEmpty();
        account.assertIsGone("shop");
    }

    @Test
    void apply_orderThatNeverReachedTheCloud_waitsOnceAndThenCreates() {
        killAtCreate(Problem.DIES_BEFORE);

        assertThat(mesh().apply().ok()).isTrue();

        assertThat(next.made("CloudProvider.list")).isGreaterThan(MemoryCloud.LONGEST_LAG);
        assertThat(account.cloud.orders()).hasSize(2);
        account.assertUpToDate(mesh());
        Calls later = new Calls();
        spec(account, later).apply();
        assertThat(later.made("CloudProvider.list")).isEqualTo(1);
    }

    @Test
    void destroy_orderThatNeverReachedTheCloud_endsAndKeepsNothing() {
        killAtCreate(Problem.DIES_BEFORE);

        DestroyReport report = mesh().destroy();

        assertThat(report.removed()).isEmpty();
        assertThat(report.toString()).contains("nothing to remove", "checked for ");
        account.assertIsGone("shop");
        assertThat(mesh().destroy().checkedFor()).isEqualTo(Duration.ZERO);
    }

    /** Somebody deleted one of the hosts before the next run: the others are kept, and it alone is created again. */
    @Test
    void apply_partOfAnOrderExists_createsTheRestAlone() {
        killAtCreate(Problem.DIES_AFTER, 2);
        account.cloud.vanish("shop-node-1");

        assertThat(mesh().apply().ok()).isTrue();

        assertThat(account.cloud.orders()).hasSize(3);
        assertThat(account.cloud.orders().get(2).names()).containsExactly("shop-node-1");
        account.assertUpToDate(mesh());
    }

    @Test
    void apply_killedAgainWhileItWaits_keepsTheIntent() {
        account.cloud.lag(60);
        killAtCreate(Problem.DIES_AFTER);
        account.cloud.lag(0);
        for (int call = 3; call <= 8; call++) {
            Calls killed = new Calls();
            killed.breakAt(call, Problem.DIES_BEFORE);
            assertThatThrownBy(() -> spec(account, killed).apply()).isInstanceOf(Death.class);
            assertThat(account.state("shop").intents()).hasSize(1);
        }

        assertThat(mesh().apply().ok()).isTrue();

        assertThat(account.cloud.orders()).hasSize(2);
        account.assertUpToDate(mesh());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void verb_cloudFailsWhileItWaits_keepsTheStateForTheNextRun(boolean destroy) {
        account.cloud.lag(20);
        killAtCreate(Problem.DIES_AFTER);
        next.breakAt(15, Problem.FAILS);

        assertThatThrownBy(() -> {
                    if (destroy) {
                        mesh().destroy();
                    } else {
                        mesh().apply();
                    }
                })
                .isInstanceOf(ProviderException.class);

        assertThat(account.state("shop").intents()).hasSize(1);
        mesh().destroy();
        assertThat(account.cloud.names()).isEmpty();
        account.assertIsGone("shop");
    }

    @Test
    void destroy_interruptedWhileItWaits_keepsTheState() {
        killAtCreate(Problem.DIES_BEFORE);
        List<String> steps = new ArrayList<>();
        Mesh mesh = account.spec()
                .listener(event -> {
                    steps.add(event.step());
                    if (event.step().startsWith("check whether an earlier run's order created shop-monitor-1")) {
                        Thread.currentThread().interrupt();
                    }
                })
                .build();

        assertThatThrownBy(mesh::destroy).isInstanceOf(CancelledException.class);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(steps).anyMatch(step -> step.startsWith("check whether"));
        assertThat(account.state("shop").intents()).hasSize(1);
    }

    @Test
    void readers_openIntent_doNotWait() {
        killAtCreate(Problem.DIES_BEFORE);

        mesh().verify();
        assertThatThrownBy(() -> mesh().openPrometheus()).isInstanceOf(HostException.class);

        assertThat(next.made("CloudProvider.list")).isLessThanOrEqualTo(8);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 404, 422})
    void apply_orderThatIsRefused_leavesNoIntent(int status) {
        account.cloud.refuse(new ProviderException(ErrorCode.PROVIDER_REFUSED, "no", status, "no", null, false, null));
        assertThatThrownBy(() -> mesh().apply()).isInstanceOf(ApplyException.class);

        assertThat(account.state("shop").intents()).isEmpty();
        account.cloud.refuse(null);
        Calls later = new Calls();
        spec(account, later).apply();
        assertThat(later.made("CloudProvider.list")).isLessThan(10);
        account.assertUpToDate(mesh());
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 502, 503, 504})
    void apply_orderWithAnUncertainAnswer_leavesTheIntent(int status) {
        account.cloud.refuse(new ProviderException(ErrorCode.CREATE_UNCERTAIN, "no", status, null, null, true, null));
        assertThatThrownBy(() -> mesh().apply()).isInstanceOf(ApplyException.class);

        assertThat(account.state("shop").intents()).hasSize(2);
    }
}
