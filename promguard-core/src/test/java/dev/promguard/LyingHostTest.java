package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.keys.PublicKey;
import dev.promguard.memory.MemoryMachine;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A host that does not tell the truth about its key gets no other host's place. */
class LyingHostTest {
    private static final String MONITOR = "shop-monitor-1";
    private static final String LIAR = "shop-node-1";
    private static final String HONEST = "shop-node-2";

    private final Account account = new Account();

    private MemoryMachine machine(String host) {
        return account.cloud.machine(host);
    }

    private PublicKey key(String host) {
        return machine(host).publicKey().orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {HONEST, MONITOR})
    void apply_keyOfAnotherHost_isRefusedAndNamesBoth(String robbed) {
        account.spec().apply();
        PublicKey own = key(LIAR);
        String before = machine(MONITOR).config();
        machine(LIAR).showKey(key(robbed));
        List<String> changes = machine(LIAR).changes();

        ApplyException failure =
                catchThrowableOfType(ApplyException.class, () -> account.spec().apply());

        assertThat(failure)
                .hasMessageContaining(LIAR + " (" + machine(LIAR).address() + ')')
                .hasMessageContaining(
                        "it shows the WireGuard public key " + key(robbed) + ", which is that of " + robbed)
                .hasMessageContaining("Nothing was changed on it.")
                .hasMessageContaining("remove /etc/wireguard/wg0.key on it and run apply again");
        assertThat(failure.report().hosts())
                .filteredOn(host -> host.status() == ApplyReport.Status.FAILED)
                .extracting(ApplyReport.HostOutcome::name)
                .containsExactly(LIAR);
        assertThat(machine(MONITOR).config()).isEqualTo(before).contains(own.base64());
        assertThat(machine(MONITOR).peers()).containsEntry(own, List.of("10.0.0.2/32"));
        assertThat(machine(MONITOR).peers().values()).doesNotHaveDuplicates().hasSize(2);
        assertThat(machine(LIAR).changes()).isEqualTo(changes);
        assertThat(account.state("shop", LIAR).publicKey()).contains(own);
        assertThat(account.hosts.open()).isZero();
    }

    @Test
    void apply_keyRemovedAfterwards_givesTheHostOneOfItsOwn() {
        account.spec().apply();
        machine(LIAR).showKey(key(HONEST));
        assertThatThrownBy(() -> account.spec().apply()).isInstanceOf(ApplyException.class);

        machine(LIAR).loseKey();
        account.spec().apply();

        account.assertUpToDate(account.spec().build());
        assertThat(key(LIAR)).isNotEqualTo(key(HONEST));
    }

    @Test
    void apply_keyOfAHostThatIsDown_isRefusedToo() {
        account.spec().apply();
        machine(LIAR).showKey(key(HONEST));
        machine(HONEST).down(true);

        assertThat(catchThrowableOfType(
                        ApplyException.class, () -> account.spec().apply()))
                .hasMessageContaining("which is that of " + HONEST);
        assertThat(machine(MONITOR).peers()).hasSize(2).containsEntry(key(HONEST), List.of("10.0.0.3/32"));
    }

    @Test
    void plan_keyOfAnotherHost_isNamedAndPlannedForNobody() {
        account.spec().apply();
        machine(LIAR).showKey(key(HONEST));

        Plan plan = account.spec().plan();

        assertThat(plan.toString()).contains("which is that of " + HONEST);
        assertThat(plan.entries())
                .filteredOn(entry -> entry.kind() != Plan.Kind.KEEP)
                .extracting(Plan.Entry::name)
                .containsExactly(LIAR);
    }

    @Test
    void verify_keyOfAnotherHost_isAFailureOfThatHost() {
        account.spec().apply();
        machine(LIAR).showKey(key(HONEST));

        assertThat(account.spec().build().verify().failures())
                .filteredOn(check -> check.description().equals("has a WireGuard key of its own"))
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.host()).isEqualTo(LIAR);
                    assertThat(check.observed()).contains(HONEST);
                    assertThat(check.remedy()).contains("wg0.key");
                });
    }

    @Test
    void rotateKeys_keyOfAnotherHost_changesNone() {
        account.spec().apply();
        PublicKey honest = key(HONEST);
        machine(LIAR).showKey(honest);

        assertThat(catchThrowableOfType(
                        ApplyException.class, () -> account.spec().build().rotateKeys()))
                .hasMessageContaining("which is that of " + HONEST);
        assertThat(key(HONEST)).isEqualTo(honest);
    }
}
