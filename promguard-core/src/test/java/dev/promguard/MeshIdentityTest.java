package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ApplyReport.Status;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.CloudProvider;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A host is known by its id: names and tags change by other hands, and what the state does not know is left alone. */
class MeshIdentityTest {
    private final Account account = new Account();
    private final MemoryStateStore otherStore = new MemoryStateStore();

    /** The same mesh in the same account, with a state of its own. */
    private MeshBuilder other() {
        return account.spec().nodes(1, "ams3").state(otherStore);
    }

    private CloudProvider whenCalled(String call, Runnable once) {
        AtomicBoolean done = new AtomicBoolean();
        return (CloudProvider) Proxy.newProxyInstance(
                CloudProvider.class.getClassLoader(),
                new Class<?>[] {CloudProvider.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals(call) && done.compareAndSet(false, true)) {
                        once.run();
                    }
                    try {
                        return method.invoke(account.cloud, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Test
    void plan_anotherProgramsMeshOfTheSameName_namesItsHostsAndTheWaysOut() {
        account.spec().apply();

        Plan plan = other().nodes(0).node("x", host -> host.region("ams3")).plan();

        assertThat(plan.entries()).extracting(Plan.Entry::kind).containsExactly(Plan.Kind.CREATE, Plan.Kind.CREATE);
        assertThat(plan.isEmpty()).isFalse();
        assertThat(plan.problems())
                .singleElement()
                .asString()
                .contains("shop-monitor-1 (id ", "shop-node-1 (id ", "shop-node-2 (id ", "memory of shop")
                .contains("use the state folder", "name(…)", "deleteUnmanaged(\"1\", \"2\", \"3\")");
        assertThat(plan.toString()).contains("\napply refuses: shop-");
        assertThat(plan)
                .isEqualTo(
                        other().nodes(0).node("x", host -> host.region("ams3")).plan());
    }

    @Test
    void apply_anotherProgramsMeshOfTheSameName_isRefusedAndChangesNothing() {
        account.spec().apply();
        List<String> before = account.cloud.machine("shop-node-1").changes();
        Mesh mesh = other().nodes(0).node("x", host -> host.region("ams3")).build();
        Plan plan = mesh.plan();

        assertThatThrownBy(mesh::apply)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("shop-monitor-1 (id ")
                .hasMessageContaining("deleteUnmanaged(");
        assertThatThrownBy(() -> mesh.apply(plan)).isInstanceOf(InvalidMeshException.class);
        assertThatThrownBy(() -> mesh.only("x").apply()).isInstanceOf(InvalidMeshException.class);
        assertThatThrownBy(mesh::rotateKeys).isInstanceOf(InvalidMeshException.class);

        assertThat(account.cloud.names()).containsExactly("shop-monitor-1", "shop-node-1", "shop-node-2");
        assertThat(account.cloud.machine("shop-node-1").changes()).isEqualTo(before);
        assertThat(otherStore.load("shop")).isEmpty();
        assertThat(account.cloud.accessKeys()).isEqualTo(1);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_anotherProgramCreatesItsHostsFirst_createsNone() {
        CloudProvider raced =
                whenCalled("registerAccessKey", () -> account.spec().apply());

        assertThatThrownBy(() -> other().provider(raced).apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("shop-monitor-1 (id ");

        assertThat(account.cloud.names()).containsExactly("shop-monitor-1", "shop-node-1", "shop-node-2");
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_anotherProgramCreatesItsHostsAtTheSameTime_stopsWithItsOwnInTheState() {
        CloudProvider raced = whenCalled("create", () -> account.spec().apply());

        ApplyException stopped = catchThrowableOfType(
                ApplyException.class,
                () -> other().provider(raced).parallelism(1).apply());

        assertThat(stopped).hasMessageContaining("deleteUnmanaged(");
        assertThat(stopped.report().hosts())
                .extracting(ApplyReport.HostOutcome::status)
                .containsOnly(Status.FAILED);
        assertThat(account.cloud.names()).hasSize(5);
        List<String> own = otherStore.load("shop").orElseThrow().hosts().values().stream()
                .flatMap(host -> host.providerId().stream())
                .sorted()
                .toList();
        assertThat(own).containsExactly("4", "5");
        assertThat(account.spec().plan().problems()).singleElement().asString().contains("(id 4)", "(id 5)");

        DestroyException left = catchThrowableOfType(
                DestroyException.class, () -> other().build().destroy());

        assertThat(left).hasMessageContaining("(id 1)").hasMessageContaining("deleteUnmanaged(");
        assertThat(left.report().removed()).containsExactly("shop-monitor-1", "shop-node-1");
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void destroy_stateLost_deletesNothingAndSaysHowThenAllIsGoneByIds() {
        account.spec().apply();
        Mesh mesh = other().build();

        DestroyException refusal = catchThrowableOfType(DestroyException.class, mesh::destroy);

        assertThat(refusal).hasMessageContaining("deleteUnmanaged(\"1\", \"2\", \"3\")");
        assertThat(refusal.report().removed()).isEmpty();
        assertThat(account.cloud.names()).hasSize(3);

        assertThat(mesh.deleteUnmanaged("1", "3").removed()).hasSize(2);
        assertThat(mesh.deleteUnmanaged("2").removed()).hasSize(1);
        mesh.destroy();

        assertThat(account.cloud.names()).isEmpty();
        assertThat(otherStore.load("shop")).isEmpty();
    }

    @Test
    void deleteUnmanaged_hostsThatAreNotUnmanaged_isRefusedAndDeletesNothing() {
        account.spec().apply();
        account.cloud.plant("shop", "odd", Optional.empty());
        account.spec().name("bank").apply();
        Mesh mesh = account.spec().build();

        assertThatThrownBy(() -> mesh.deleteUnmanaged("4", "1", "5", "4711"))
                .isInstanceOfSatisfying(
                        InvalidMeshException.class,
                        e -> assertThat(e.problems())
                                .hasSize(3)
                                .anyMatch(problem ->
                                        problem.contains("\"1\"") && problem.contains("which the state knows"))
                                .anyMatch(problem -> problem.contains("\"5\""))
                                .anyMatch(problem -> problem.contains("\"4711\"")));
        assertThatThrownBy(mesh::deleteUnmanaged).isInstanceOf(InvalidMeshException.class);
        assertThat(account.cloud.names()).hasSize(7);

        assertThat(mesh.deleteUnmanaged("4").removed()).containsExactly("odd");
        account.assertUpToDate(mesh);
    }

    @Test
    void plan_hostRenamedInTheCloud_isOneEntryThatSaysSoAndNothingToDo() {
        account.spec().apply();
        account.cloud.rename("shop-monitor-1", "web");

        Plan plan = account.spec().plan();

        assertThat(plan.entries()).hasSize(3);
        assertThat(plan.entries().get(0).name()).isEqualTo("shop-monitor-1");
        assertThat(plan.entries().get(0).kind()).isEqualTo(Plan.Kind.KEEP);
        assertThat(plan.entries().get(0).notes())
                .singleElement()
                .asString()
                .startsWith("renamed to \"web\" in the cloud");
        assertThat(plan.isEmpty()).isTrue();
        assertThat(plan.toString())
                .startsWith("mesh shop: nothing to do, 3 hosts are up to date\n\n= shop-monitor-1")
                .contains("\n    (renamed to \"web\" in the cloud");
    }

    @Test
    void apply_hostRenamedInTheCloud_goesOnWithItById() {
        account.spec().apply();
        account.cloud.rename("shop-monitor-1", "web");
        MemoryMachine monitor = account.cloud.machine("web");
        monitor.disableFirewall();

        ApplyReport report = account.spec().apply();

        assertThat(report.hosts().get(0).name()).isEqualTo("shop-monitor-1");
        assertThat(report.hosts().get(0).changes()).containsExactly("ufw: deny what no rule admits, and enable");
        assertThat(account.cloud.names()).containsExactly("shop-node-1", "shop-node-2", "web");
        account.cloud.rename("web", "shop-monitor-1");
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_renamedHostThatIsSwitchedOff_isNamedAsOffUnderItsOwnName() {
        account.spec().apply();
        account.cloud.rename("shop-node-1", "web");
        account.cloud.switchOff("web");

        ApplyException failure =
                catchThrowableOfType(ApplyException.class, () -> account.spec().apply());

        assertThat(failure).hasMessageContaining("shop-node-1").hasMessageContaining("powerOn(\"shop-node-1\")");
        account.spec().build().powerOn("shop-node-1");
        assertThat(account.spec().apply().ok()).isTrue();
        assertThat(account.cloud.names()).hasSize(3);
    }

    @Test
    void apply_namesSwappedInTheCloud_changesNothing() {
        account.spec().apply();
        account.cloud.rename("shop-node-1", "between");
        account.cloud.rename("shop-node-2", "shop-node-1");
        account.cloud.rename("between", "shop-node-2");

        Plan plan = account.spec().plan();
        ApplyReport report = account.spec().apply();

        assertThat(plan.entries()).extracting(Plan.Entry::kind).containsOnly(Plan.Kind.KEEP);
        assertThat(plan.entries().get(1).notes()).singleElement().asString().contains("\"shop-node-2\"");
        assertThat(plan.entries().get(2).notes()).singleElement().asString().contains("\"shop-node-1\"");
        assertThat(report.changes()).isZero();
        assertThat(account.cloud.orders()).hasSize(2);
    }

    @Test
    void apply_hostLostItsTag_putsItBackAndCreatesNone() {
        account.spec().apply();
        account.cloud.untag("shop-node-1");

        Plan plan = account.spec().plan();
        ApplyReport report = account.spec().build().apply(plan);

        assertThat(plan.entries()).hasSize(3);
        assertThat(plan.entries().get(1).changes())
                .extracting(PlannedChange::toString)
                .singleElement()
                .asString()
                .startsWith("! has lost its tag in the cloud");
        assertThat(report.hosts().get(1).changes()).singleElement().asString().contains("lost its tag");
        assertThat(report.hosts().get(1).drift()).hasSize(1);
        assertThat(account.cloud.isTagged("shop-node-1")).isTrue();
        assertThat(account.cloud.orders()).hasSize(2);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void plan_hostLostItsTag_asksForItByIdAndDoesNotWaitForLists() {
        account.spec().apply();
        account.cloud.untag("shop-node-1");
        Calls calls = new Calls();

        account.spec(calls).plan();

        assertThat(calls.made("CloudProvider.list")).isEqualTo(1);
        assertThat(calls.made("CloudProvider.find")).isEqualTo(1);
        assertThat(account.cloud.isTagged("shop-node-1")).as("plan reads only").isFalse();
    }

    @Test
    void apply_tagCannotBePutBack_failsThatHostAloneAndCreatesNone() {
        account.spec().apply();
        account.cloud.untag("shop-node-1");
        account.cloud.untag("shop-node-2");
        account.cloud.refuseTags(new ProviderException(
                ErrorCode.PROVIDER_REFUSED, "this token may not tag", 403, "forbidden", null, false, null));

        ApplyException failure = catchThrowableOfType(
                ApplyException.class,
                () -> account.spec().nodes(1, "lon1").allowRemoval().apply());

        assertThat(failure).hasMessageContaining("shop-node-1, shop-node-2: this token may not tag");
        assertThat(failure.report().hosts())
                .extracting(ApplyReport.HostOutcome::status)
                .containsExactly(Status.CHANGED, Status.FAILED);
        assertThat(failure.report().removed()).isEmpty();
        assertThat(account.cloud.names()).hasSize(3);
        assertThat(account.state("shop").hosts()).containsKey("shop-node-2");
        account.cloud.refuseTags(null);
        assertThat(account.spec().nodes(1, "lon1").allowRemoval().apply().removed())
                .containsExactly("shop-node-2");
        account.assertUpToDate(account.spec().nodes(1, "lon1").allowRemoval().build());
    }

    @Test
    void destroy_renamedAndUntaggedHosts_deletesThemById() {
        account.spec().apply();
        account.cloud.rename("shop-node-1", "web");
        account.cloud.untag("shop-node-2");
        account.cloud.plant("bank", "theirs", Optional.empty());

        DestroyReport report = account.spec().build().destroy();

        assertThat(report.removed()).containsExactly("shop-monitor-1", "shop-node-1", "shop-node-2");
        assertThat(account.cloud.names()).containsExactly("theirs");
        account.assertIsGone("shop");
    }

    @Test
    void verify_hostsThatAreNotAsTheStateSays_fail() {
        account.spec().apply();
        account.cloud.untag("shop-node-1");
        account.cloud.plant("shop", "odd", Optional.empty());

        VerifyReport report = account.spec().build().verify();

        assertThat(report.failures())
                .anyMatch(check ->
                        check.host().equals("shop-node-1") && check.observed().contains("lost the mesh's tag"))
                .anyMatch(check ->
                        check.host().equals("odd") && check.description().equals("is known to the state"));
    }
}
