package dev.promguard.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.InvalidSettingException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MeshStateTest {
    private static final HostKeyFingerprint BOOTSTRAP_KEY = new HostKeyFingerprint("SHA256:" + "A".repeat(43));
    private static final HostKeyFingerprint OWN = new HostKeyFingerprint("SHA256:" + "B".repeat(43));
    private static final HostKeyFingerprint FRESH = new HostKeyFingerprint("SHA256:" + "C".repeat(43));
    private static final Instant NOW = Instant.parse("2031-05-06T07:08:09Z");
    private static final PublicKey KEY = new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=");

    @Test
    void hostState_fromCreationToItsOwnKey_acceptsWhatItMustAndNoMore() {
        HostState created = HostState.created("10.0.0.2", "7", BOOTSTRAP_KEY);
        assertThat(created.hostKeys()).containsExactly(BOOTSTRAP_KEY);
        assertThat(created.bootstrapKey()).contains(BOOTSTRAP_KEY);
        assertThat(created.publicKey()).isEmpty();

        HostState between = created.withPublicKey(KEY).accepting(OWN);
        assertThat(between.hostKeys()).containsExactlyInAnyOrder(BOOTSTRAP_KEY, OWN);
        assertThat(between.bootstrapKey()).contains(BOOTSTRAP_KEY);

        assertThat(between.pinnedUndated()).isFalse();
        assertThat(between.rebuilt(BOOTSTRAP_KEY)).isFalse();

        HostState pinned = between.pinned(OWN);
        assertThat(pinned)
                .isEqualTo(new HostState(
                        "10.0.0.2",
                        Optional.of("7"),
                        Optional.of(KEY),
                        Set.of(OWN),
                        Optional.of(BOOTSTRAP_KEY),
                        Optional.empty(),
                        Optional.empty()));
        assertThat(pinned.pinnedUndated()).isTrue();
        assertThat(pinned.pinnedAt(NOW).pinnedUndated()).isFalse();
        assertThat(pinned.pinnedAt(NOW).withPublicKey(KEY).pinnedAt()).contains(NOW);
        assertThat(pinned.pinnedAt(NOW).pinned(OWN).pinnedAt()).contains(NOW);
    }

    @Test
    void hostState_rebuilt_isToldByTheBootstrapKeyAloneAndItsNextPinHasNoTimeYet() {
        HostState pinned =
                HostState.created("10.0.0.2", "7", BOOTSTRAP_KEY).pinned(OWN).pinnedAt(NOW);
        assertThat(pinned.rebuilt(BOOTSTRAP_KEY)).isTrue();
        assertThat(pinned.rebuilt(OWN)).isFalse();
        assertThat(pinned.rebuilt(FRESH)).isFalse();

        HostState between = pinned.accepting(FRESH);
        assertThat(between.hostKeys())
                .as("the bootstrap key is never accepted again")
                .containsExactlyInAnyOrder(OWN, FRESH);
        assertThat(between.rebuilt(BOOTSTRAP_KEY)).isTrue();
        assertThat(between.pinnedAt()).contains(NOW);
        assertThat(between.pinned(FRESH).pinnedUndated()).isTrue();
        HostState notMade = new HostState(
                "10.0.0.2",
                Optional.of("7"),
                Optional.empty(),
                Set.of(OWN),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        assertThat(notMade.pinnedUndated()).isFalse();
        assertThat(notMade.rebuilt(BOOTSTRAP_KEY)).isFalse();
    }

    @Test
    void without_aHost_letsItsAddressRestUntilRested() {
        MeshState state = MeshState.empty("shop")
                .with("a", HostState.created("10.0.0.2", "7", BOOTSTRAP_KEY))
                .with("b", HostState.created("10.0.0.3", "8", BOOTSTRAP_KEY));

        MeshState without = state.without("a").without("nobody");

        assertThat(without.hosts()).containsOnlyKeys("b");
        assertThat(without.heldAddresses()).isEqualTo(Map.of("a", "10.0.0.2", "b", "10.0.0.3"));
        assertThat(without.rested().heldAddresses()).isEqualTo(Map.of("b", "10.0.0.3"));
        assertThat(state.hosts()).containsOnlyKeys("a", "b");
    }

    @Test
    void intents_comeAndGoOneByOne() {
        CreateIntent one = new CreateIntent("1", List.of("a"), BOOTSTRAP_KEY);
        CreateIntent two = new CreateIntent("2", List.of("b"), BOOTSTRAP_KEY);

        MeshState state = MeshState.empty("shop").intending(one).intending(two);

        assertThat(state.intents()).containsExactly(one, two);
        assertThat(state.settled(one).intents()).containsExactly(two);
        assertThat(state.settled(new CreateIntent("1", List.of("b"), BOOTSTRAP_KEY)))
                .as("one word may stand for several orders of one apply")
                .isEqualTo(state);
    }

    @Test
    void values_withoutWhatTheyNeed_areRefused() {
        try (Secret key = Secret.of("x")) {
            Identity identity = Identity.ofKey(key);
            assertThatThrownBy(() ->
                            HostTarget.of("a", "1.2.3.4").identity(identity).build())
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessage("a: no host key is known, so none can be accepted [PG-1007]");
            for (int port : new int[] {0, 65536, -1}) {
                assertThatThrownBy(() -> HostTarget.of("a", "1.2.3.4").port(port))
                        .isInstanceOf(InvalidSettingException.class);
            }
            for (Duration timeout : List.of(Duration.ZERO, Duration.ofSeconds(-1))) {
                assertThatThrownBy(() -> HostTarget.of("a", "1.2.3.4").timeout(timeout))
                        .isInstanceOf(InvalidSettingException.class);
            }
            AccessKey access = new AccessKey("1", "f", true);
            assertThatThrownBy(() -> new CreateOrder("m", "a", "node", List.of(), "r", "s", "i", access, key))
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessage("an order needs at least one name [PG-1007]");
            assertThat(new CreateOrder("m", "a", "node", List.of("n"), "r", "s", "i", access, key).toString())
                    .contains("Secret(***)");
        }
    }
}
