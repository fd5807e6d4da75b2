package dev.promguard.digitalocean.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.InvalidSettingException;
import dev.promguard.keys.Secret;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class TokenTest {
    private static void callInVain(Token token) throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Http http = new Http(
                    URI.create("http://127.0.0.1:" + silent.getLocalPort()),
                    token,
                    Duration.ofSeconds(60),
                    Duration.ofMillis(1));
            assertThatThrownBy(() -> http.get("/v2/account", Object.class, Deadline.after(Duration.ofMillis(50))))
                    .hasMessageContaining("no whole answer within");
        }
    }

    @Test
    void call_tokenThatIsReadWhenNeeded_leavesNoneOpen() throws IOException {
        List<Secret> made = new CopyOnWriteArrayList<>();

        callInVain(Token.readFrom(() -> {
            Secret secret = Secret.of("dop_v1_x");
            made.add(secret);
            return secret;
        }));

        assertThat(made)
                .isNotEmpty()
                .allSatisfy(secret -> assertThatThrownBy(() -> secret.use(bytes -> bytes.length))
                        .isInstanceOf(InvalidSettingException.class));
    }

    @Test
    void call_tokenThatWasGiven_staysOpen() throws IOException {
        try (Secret given = Secret.of("dop_v1_x")) {
            callInVain(Token.given(given));

            String stillThere = given.useText(text -> text);
            assertThat(stillThere).isEqualTo("dop_v1_x");
        }
    }
}
