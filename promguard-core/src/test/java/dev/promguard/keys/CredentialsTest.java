package dev.promguard.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.InvalidSettingException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CredentialsTest {
    @Test
    void toString_any_hidesTheSecret() {
        assertThat(Credentials.basic("me", Secret.of("hunter2"))).hasToString("Credentials(me, ***)");
        assertThat(Credentials.bearer(Secret.of("hunter2"))).hasToString("Credentials(bearer ***)");
    }

    @Test
    void basic_good_holdsTheCallersOwnSecret() {
        Secret password = Secret.of("a b:c é");
        Credentials credentials = Credentials.basic("me", password);

        assertThat(credentials.userName()).contains("me");
        assertThat(credentials.secret()).isSameAs(password);
        assertThat(Credentials.bearer(password).userName()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a:b", "a\nb", "a\u202eb"})
    void basic_badUserName_isRefused(String name) {
        assertThatThrownBy(() -> Credentials.basic(name, Secret.of("p")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("user name");
    }

    @ParameterizedTest
    @ValueSource(strings = {" hunter2", "hunter2\n", "hunter\r\n2", "hunter\u00002", "hunter\ufffd2"})
    void secret_thatCannotBeSent_isRefusedAndNotRepeated(String value) {
        for (boolean basic : new boolean[] {true, false}) {
            assertThatThrownBy(() -> {
                        Secret secret = Secret.of(value);
                        Credentials made = basic ? Credentials.basic("me", secret) : Credentials.bearer(secret);
                        assertThat(made).isNull();
                    })
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageContaining(basic ? "password" : "token")
                    .hasMessageNotContaining("hunter");
        }
    }

    @Test
    void secret_closed_isRefused() {
        Secret secret = Secret.of("p");
        secret.close();

        assertThatThrownBy(() -> Credentials.bearer(secret)).isInstanceOf(InvalidSettingException.class);
    }
}
