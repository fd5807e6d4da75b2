package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What is done to one host is broken at every fifth of its calls, and with {@code -Plong} at each of them: the message says what was done to the host,
 * and what to do.
 */
class MeshHostVerbsTest {
    private static final int EVERY = Integer.getInteger("promguard.every", 5);
    private static final int MANY = 400;

    /** It says of each state that could not be shortened. */
    @RegisterExtension
    static final SilentLogger SILENT = new SilentLogger("dev.promguard.internal.run");

    private static MeshBuilder spec(Account account, Calls calls, String size) {
        return account.spec(calls)
                .nodes(0)
                .node("db-1", host -> host.region("lon1").size(size));
    }

    private static Account applied() {
        Account account = new Account();
        spec(account, new Calls(), "s-1vcpu-1gb").apply();
        return account;
    }

    /** What a verb throws that is broken at a call, if anything, and whether it made that call. */
    private record Broken(Optional<Throwable> thrown, boolean reached) {}

    private static Broken broken(Account account, Problem problem, int number, Consumer<Mesh> verb)
            throws InterruptedException {
        Calls calls = new Calls();
        calls.breakAt(number, problem);
        Mesh mesh = spec(account, calls, "s-2vcpu-4gb").parallelism(1).build();
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            try {
                verb.accept(mesh);
            } catch (PromGuardException e) {
                thrown.set(e);
            }
        });
        caller.start();
        while (caller.isAlive()) {
            if (calls.isBlocked()) {
                caller.interrupt();
            }
            caller.join(1);
        }
        return new Broken(Optional.ofNullable(thrown.get()), calls.made().size() >= number);
    }

    /** A verb on a mesh of its own, broken at a call, and the id that the host had before. */
    private record BrokenRun(
            Account account,
            String id,
            int number,
            @Nullable Throwable thrown) {}

    private static List<BrokenRun> runs(Problem problem, Consumer<Mesh> verb) throws InterruptedException {
        List<BrokenRun> runs = new ArrayList<>();
        int number = 1;
        for (boolean reached = true; reached; number += EVERY) {
            assertThat(number).isLessThan(MANY);
            Account account = applied();
            String id = account.state("shop", "db-1").providerId().orElseThrow();
            Broken broken = broken(account, problem, number, verb);
            reached = broken.reached();
            runs.add(new BrokenRun(account, id, number, broken.thrown().orElse(null)));
        }
        return runs;
    }

    @ParameterizedTest
    @EnumSource(names = {"FAILS", "LOSES_ANSWER", "BLOCKS"})
    void replace_brokenAtEachCall_saysThatTheHostIsDeletedAndThatApplyCreatesIt(Problem problem) throws Exception {
        int lost = 0;
        for (BrokenRun run : runs(problem, mesh -> mesh.replace("db-1"))) {
            Account account = run.account();
            String id = run.id();
            int number = run.number();
            Throwable thrown = run.thrown();
            boolean deleted = account.cloud.list("shop").stream()
                    .noneMatch(host -> host.id().equals(id));
            if (thrown != null && deleted) {
                lost++;
                assertThat(thrown)
                        .as("%s at call %d", problem, number)
                        .hasMessageContaining("db-1 (id " + id + ")")
                        .hasMessageContaining("apply")
                        .hasMessageNotContainingAny(
                                "Nothing is lost", "nothing was changed", "same call", "then call replace");
                assertThat(thrown.getMessage()).containsAnyOf("was deleted with its data", "is deleted", "It is gone");
            }
            if (thrown != null && !account.cloud.names().contains("db-1")) {
                assertThat(spec(account, new Calls(), "s-2vcpu-4gb").apply().ok())
                        .isTrue();
            }
        }
        assertThat(lost).isPositive();
    }

    @ParameterizedTest
    @EnumSource(names = {"FAILS", "LOSES_ANSWER", "BLOCKS"})
    void resize_brokenAtEachCall_saysWhichSizeTheHostHas(Problem problem) throws Exception {
        int resized = 0;
        for (BrokenRun run : runs(problem, mesh -> mesh.resize("db-1"))) {
            Account account = run.account();
            int number = run.number();
            Throwable thrown = run.thrown();
            boolean done = account.cloud.list("shop").stream()
                    .anyMatch(host -> host.size().equals("s-2vcpu-4gb"));
            if (thrown != null && done) {
                resized++;
                assertThat(thrown)
                        .as("%s at call %d", problem, number)
                        .hasMessageContaining("db-1")
                        .hasMessageContaining("s-2vcpu-4gb")
                        .hasMessageContaining("s-1vcpu-1gb");
            }
        }
        assertThat(resized).isPositive();
    }

    /** Calling the same verb again is right for each but replace, which would delete the host that it has just created. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            replace | mesh shop: replace db-1 did not finish | replace("db-1") would delete the new one | then call apply().
            resize  | mesh shop: resize db-1 did not finish  | db-1 has size s-2vcpu-4gb now            | then call resize("db-1") again.
            """)
    void verbOfOneHost_failsWhileItApplies_namesTheVerbThatContinues(
            String verb, String headline, String done, String next) {
        Account account = applied();
        String broken = verb.equals("replace") ? "shop-monitor-1" : "db-1";
        account.cloud.machine(broken).disableFirewall();
        account.cloud.machine(broken).failAt("ufw: deny what no rule admits, and enable");
        Mesh mesh = spec(account, new Calls(), "s-2vcpu-4gb").build();

        assertThatThrownBy(() -> {
                    if (verb.equals("replace")) {
                        mesh.replace("db-1");
                    } else {
                        mesh.resize("db-1");
                    }
                })
                .isInstanceOf(ApplyException.class)
                .hasMessageStartingWith(headline)
                .hasMessageContaining(done)
                .hasMessageEndingWith(next);
    }

    @Test
    void resize_interruptedInTheCloud_namesTheHostAndThatItMayBeOff() throws Exception {
        Account account = applied();
        Calls calls = new Calls();
        spec(account, calls, "s-2vcpu-4gb").build().resize("db-1");
        int number = calls.made().indexOf("CloudProvider.resize") + 1;

        Account other = applied();
        String id = other.state("shop", "db-1").providerId().orElseThrow();
        assertThat(broken(other, Problem.BLOCKS, number, mesh -> mesh.resize("db-1"))
                        .thrown()
                        .orElseThrow())
                .isInstanceOf(CancelledException.class)
                .hasMessageContaining("db-1 (id " + id + "): resize from s-1vcpu-1gb to s-2vcpu-4gb: interrupted")
                .hasMessageContaining("Whether it is off is not known.")
                .hasMessageContaining("powerOn(\"db-1\")");
    }
}
