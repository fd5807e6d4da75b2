package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.keys.PublicKey;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DuplicateKeysTest {
    private static final PublicKey A = key(1);
    private static final PublicKey B = key(2);
    private static final PublicKey C = key(3);

    private static PublicKey key(int number) {
        byte[] bytes = new byte[32];
        bytes[0] = (byte) number;
        return new PublicKey(Base64.getEncoder().encodeToString(bytes));
    }

    @Test
    void refused_keysOfTheirOwn_areBelieved() {
        assertThat(DuplicateKeys.refused(Map.of("a", A, "b", B), Map.of())).isEmpty();
        assertThat(DuplicateKeys.refused(Map.of("a", A, "b", B), Map.of("a", A, "b", B)))
                .isEmpty();
        assertThat(DuplicateKeys.refused(Map.of("a", C), Map.of("a", A, "b", B)))
                .isEmpty();
    }

    @Test
    void refused_keyRememberedOfAnother_isOnlyThatHosts() {
        assertThat(DuplicateKeys.refused(Map.of("a", B, "b", B), Map.of("a", A, "b", B)))
                .containsOnlyKeys("a")
                .containsEntry("a", "it shows the WireGuard public key " + B + ", which is that of b");
    }

    @Test
    void refused_keyOfAHostThatWasNotLookedAt_isNotBelieved() {
        assertThat(DuplicateKeys.refused(Map.of("a", B), Map.of("b", B))).containsOnlyKeys("a");
    }

    @Test
    void refused_keyThatNoneIsRememberedWith_isBelievedOfNone() {
        assertThat(DuplicateKeys.refused(Map.of("a", C, "b", C, "c", A), Map.of()))
                .containsOnlyKeys("a", "b")
                .containsEntry("b", "it shows the WireGuard public key " + C + ", which is that of a");
    }

    @Test
    void refused_exchangedKeys_areBothNotBelieved() {
        assertThat(DuplicateKeys.refused(Map.of("a", B, "b", A), Map.of("a", A, "b", B)))
                .containsOnlyKeys("a", "b");
    }

    @Test
    void refused_stateThatRemembersOneKeyOfTwo_recoversWhenOneGetsANewOne() {
        Map<String, PublicKey> altered = Map.of("a", A, "b", A);

        assertThat(DuplicateKeys.refused(Map.of("a", A, "b", A), altered)).containsOnlyKeys("a", "b");
        assertThat(DuplicateKeys.refused(Map.of("b", A), altered)).isEmpty();
    }

    @Test
    void refused_zeroKey_isNoKey() {
        assertThat(DuplicateKeys.refused(Map.of("a", key(0)), Map.of()).get("a"))
                .contains("which is not a valid key");
    }
}
