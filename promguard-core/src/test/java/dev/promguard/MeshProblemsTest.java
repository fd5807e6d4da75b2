package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.keys.PublicKey;
import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Problem;
import dev.promguard.memory.MemoryMachine;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Failures that are not one host's: each is in the report, and a report with one is not ok. */
class MeshProblemsTest {
    /** Runs a verb in a world like the given one, and has the last call of one kind fail. */
    private static ApplyException failing(String call, Account account, Account like, Consumer<MeshBuilder> verb) {
        Calls rehearsal = new Calls();
        verb.accept(like.spec(rehearsal).parallelism(1));
        int number = rehearsal.made().lastIndexOf(call) + 1;
        assertThat(number).as("a call of %s", call).isPositive();
        Calls program = new Calls();
        program.breakAt(number, Problem.FAILS);
        ApplyException[] thrown = new ApplyException[1];
        assertThatThrownBy(() -> verb.accept(account.spec(program).parallelism(1)))
                .isInstanceOfSatisfying(ApplyException.class, e -> thrown[0] = e);
        assertThat(program.made().get(number - 1)).isEqualTo(call);
        return thrown[0];
    }

    private static Account applied() {
        Account account = new Account();
        account.spec().apply();
        return account;
    }

    @Test
    void apply_clockCannotBeAsked_isInTheReport() {
        Account account = new Account();

        ApplyException failure = failing(
                "CloudProvider.clock",
                account,
                new Account(),
                spec -> spec.build().apply());

        assertThat(failure.report().ok()).isFalse();
        assertThat(failure.report().toString())
                .startsWith("mesh shop: 1 step failed, ")
                .contains("FAILED ask Memory for the time: told to fail");
        assertThat(failure).hasMessageContaining("ask Memory for the time: told to fail");
        account.spec().apply();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void rotateKeys_clockCannotBeAsked_rotatesAllTheSame() {
        Account account = rebuilt();
        Optional<PublicKey> before = account.cloud.machine("shop-node-2").publicKey();

        ApplyException failure = failing(
                "CloudProvider.clock", account, rebuilt(), spec -> spec.build().rotateKeys());

        assertThat(failure.report().ok()).isFalse();
        assertThat(account.cloud.machine("shop-node-2").publicKey()).isPresent().isNotEqualTo(before);
    }

    /** A mesh of which one host is to be set up again, for which the cloud's clock is asked. */
    private static Account rebuilt() {
        Account account = applied();
        account.cloud.rebuild("shop-node-1");
        return account;
    }

    @Test
    void rotateKeys_hostOutOfReach_saysThatNothingWasRotated() {
        Account account = applied();
        List<MemoryMachine> machines = account.cloud.machines();
        machines.get(2).down(true);

        assertThatThrownBy(() -> account.spec().build().rotateKeys())
                .isInstanceOfSatisfying(
                        ApplyException.class,
                        e -> assertThat(e.report().toString())
                                .contains(
                                        "FAILED rotate the keys of every host: no key was changed, because a rotation"))
                .hasMessageContaining("rotate the keys of every host: no key was changed")
                .hasMessageContaining("then call rotateKeys() again, which applies first.");
    }

    @Test
    void apply_removalFails_isInTheReport() {
        Account account = applied();

        ApplyException failure = failing(
                "CloudProvider.delete",
                account,
                applied(),
                spec -> spec.nodes(1, "lon1").allowRemoval().apply());

        assertThat(failure.report().ok()).isFalse();
        assertThat(failure.report().toString()).contains("FAILED remove shop-node-2: told to fail");
    }

    @Test
    void rotateKeys_removalFails_rotatesAllTheSame() {
        Account account = applied();
        String before =
                account.cloud.machine("shop-node-1").publicKey().orElseThrow().base64();

        ApplyException failure = failing(
                "CloudProvider.delete",
                account,
                applied(),
                spec -> spec.nodes(1, "lon1").allowRemoval().build().rotateKeys());

        assertThat(failure)
                .hasMessageContaining("Every host has new keys. Fix what is named above, then call apply().")
                .hasMessageNotContaining("rotateKeys()");
        assertThat(account.cloud
                        .machine("shop-node-1")
                        .publicKey()
                        .orElseThrow()
                        .base64())
                .isNotEqualTo(before);
    }

    /** The apply that comes first has put a host right by then, which must not be lost with the failure. */
    @Test
    void rotateKeys_cloudFailsBetweenTheApplyAndTheKeys_saysWhatTheApplyDid() {
        Calls rehearsal = new Calls();
        withoutFirewall().spec(rehearsal).parallelism(1).build().rotateKeys();
        Account account = withoutFirewall();
        Calls calls = new Calls();
        calls.breakAt(rehearsal.made().lastIndexOf("CloudProvider.list") + 1, Problem.FAILS);

        assertThatThrownBy(() -> account.spec(calls).parallelism(1).build().rotateKeys())
                .isInstanceOfSatisfying(
                        ApplyException.class,
                        failure -> assertThat(failure.report().hosts().get(2).changes())
                                .containsExactly("ufw: deny what no rule admits, and enable"))
                .hasMessageContaining("rotate the keys of every host: told to fail")
                .hasMessageContaining("then call rotateKeys() again, which applies first.");
    }

    private static Account withoutFirewall() {
        Account account = applied();
        account.cloud.machine("shop-node-2").disableFirewall();
        return account;
    }

    @Test
    void apply_stateCannotBeKeptAtTheEnd_isInTheReportWithWhatWasDone() {
        Account account = applied();

        ApplyException failure = failing(
                "StateStore.save",
                account,
                applied(),
                spec -> spec.nodes(1, "lon1").allowRemoval().apply());

        assertThat(failure.report().ok()).isFalse();
        assertThat(failure.report().removed()).containsExactly("shop-node-2");
        assertThat(failure).hasCauseInstanceOf(StateException.class);
        account.spec().nodes(1, "lon1").allowRemoval().apply();
        account.assertUpToDate(account.spec().nodes(1, "lon1").allowRemoval().build());
    }
}
