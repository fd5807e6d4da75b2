package dev.promguard.keys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.InvalidSettingException;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SecretTest {
    private static String text(Secret secret) {
        return secret.useText(text -> text);
    }

    private static byte[] held(Secret secret) throws ReflectiveOperationException {
        Field field = Secret.class.getDeclaredField("bytes");
        field.setAccessible(true);
        return (byte[]) field.get(secret);
    }

    @Test
    void use_open_showsTheValue() {
        try (Secret bytes = Secret.of("pässword".getBytes(UTF_8));
                Secret text = Secret.of("pässword")) {
            assertThat(text(bytes)).isEqualTo("pässword");
            String shown = text.use(value -> new String(value, UTF_8));
            assertThat(shown).isEqualTo("pässword");
        }
    }

    @Test
    void toString_anySecret_showsNothing() {
        try (Secret secret = Secret.of("hunter2")) {
            assertThat(secret).hasToString("Secret(***)");
            assertThat(String.valueOf(List.of(secret)) + Map.of("a", secret) + String.format("%s", secret))
                    .doesNotContain("hunter2");
        }
    }

    @Test
    void of_callersArray_isCopied() {
        byte[] mine = "hunter2".getBytes(UTF_8);
        try (Secret secret = Secret.of(mine)) {
            mine[0] = 'x';
            assertThat(text(secret)).isEqualTo("hunter2");
            int length = secret.use(shown -> {
                shown[0] = 'x';
                return shown.length;
            });
            assertThat(length).isEqualTo(7);
            assertThat(text(secret)).isEqualTo("hunter2");
        }
    }

    @Test
    void use_afterwards_theShownCopyIsZeroAlsoAfterAFailure() {
        List<byte[]> kept = new ArrayList<>();
        try (Secret secret = Secret.of("hunter2")) {
            boolean added = secret.use(kept::add);
            assertThat(added).isTrue();
            assertThatThrownBy(() -> secret.use(shown -> {
                        kept.add(shown);
                        throw new IllegalStateException("failed");
                    }))
                    .hasMessage("failed");
        }
        assertThat(kept).hasSize(2).allSatisfy(shown -> assertThat(shown).containsOnly(0));
    }

    @Test
    void close_once_zeroesTheBytesAndLaterUsesThrow() throws Exception {
        Secret secret = Secret.of("hunter2");
        byte[] held = held(secret);
        assertThat(held).isEqualTo("hunter2".getBytes(UTF_8));

        secret.close();
        secret.close();

        assertThat(held).containsOnly(0);
        assertThatThrownBy(() -> secret.use(shown -> 1))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessage("this secret was closed and cleared: use it before close() [PG-9002]");
        assertThatThrownBy(() -> secret.useText(shown -> 1)).isInstanceOf(InvalidSettingException.class);
        assertThat(secret).hasToString("Secret(***)");
    }

    @Test
    void close_insideUse_leavesTheShownCopyWhole() {
        Secret secret = Secret.of("hunter2");
        String seen = secret.useText(text -> {
            secret.close();
            return text;
        });
        assertThat(seen).isEqualTo("hunter2");
    }

    @Test
    void of_halfOfASurrogatePair_isRefusedWithoutSayingIt() {
        assertThatThrownBy(() -> Secret.of("hunter2\ud83d"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("half of a surrogate pair")
                .hasMessageNotContaining("hunter2");
    }

    @Test
    void env_blankName_isRefusedAsSuch() {
        for (String name : List.of("", " ")) {
            assertThatThrownBy(() -> Secret.env(name))
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessage(
                            "the name of an environment variable is blank: name one that holds the secret [PG-1007]");
        }
    }

    @Test
    void equals_sameValue_isIdentityAlone() {
        try (Secret one = Secret.of("hunter2");
                Secret two = Secret.of("hunter2")) {
            assertThat(one).isNotEqualTo(two);
            assertThat(one.hashCode()).isEqualTo(System.identityHashCode(one));
        }
    }

    @Test
    void of_empty_isRefused() {
        assertThatThrownBy(() -> Secret.of(new byte[0])).isInstanceOf(InvalidSettingException.class);
        assertThatThrownBy(() -> Secret.of("")).isInstanceOf(InvalidSettingException.class);
    }

    @Test
    void env_unsetVariable_isNamedAndASetOneIsRead() {
        assertThatThrownBy(() -> Secret.env("PROMGUARD_NO_SUCH_VARIABLE"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessage(
                        "environment variable PROMGUARD_NO_SUCH_VARIABLE is not set: export it and run again [PG-1008]");
        try (Secret path = Secret.env("PATH")) {
            assertThat(text(path)).isEqualTo(System.getenv("PATH"));
        }
    }
}
