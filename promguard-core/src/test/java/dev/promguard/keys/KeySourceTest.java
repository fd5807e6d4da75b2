package dev.promguard.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.InvalidSettingException;
import dev.promguard.Tool;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeySourceTest {
    private static String text(Secret secret) {
        return secret.useText(text -> text);
    }

    /** The vectors of RFC 7748: section 6.1, both ends, and section 5.2, the first iteration. */
    @ParameterizedTest
    @CsvSource({
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a,"
                + " 8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb,"
                + " de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        "0900000000000000000000000000000000000000000000000000000000000000,"
                + " 422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
    })
    void generate_vectorsOfTheStandard_agrees(String privateKey, String publicKey) {
        KeySource source = KeySource.of(new FixedRandom(1, HexFormat.of().parseHex(privateKey)));

        try (WireGuardKeyPair pair = source.generate()) {
            assertThat(pair.publicKey().base64())
                    .isEqualTo(Base64.getEncoder().encodeToString(HexFormat.of().parseHex(publicKey)));
        }
    }

    @Test
    void generate_fiftyKeys_agreesWithWg() throws Exception {
        Tool wg = Tool.orSkip("wg", "wireguard-tools");
        KeySource source = KeySource.of(new FixedRandom(20_261_123));
        Set<PublicKey> keys = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            try (WireGuardKeyPair pair = source.generate()) {
                Tool.Answer answer = wg.run(text(pair.privateKey()) + "\n", "pubkey");
                assertThat(answer).isEqualTo(new Tool.Answer(0, pair.publicKey() + "\n"));
                keys.add(pair.publicKey());
            }
        }
        assertThat(keys).hasSize(50);
    }

    @Test
    void generate_anyKey_isClampedAsWgGenkeyClampsIt() {
        KeySource source = KeySource.of(new FixedRandom(7));
        for (int i = 0; i < 50; i++) {
            try (WireGuardKeyPair pair = source.generate()) {
                byte[] key = Base64.getDecoder().decode(text(pair.privateKey()));
                assertThat(key).hasSize(32);
                assertThat(key[0] & 7).isZero();
                assertThat(key[31] & 0xc0).isEqualTo(0x40);
            }
        }
    }

    /** Keeps the arrays that it fills, not copies of them. */
    private static final class KeptRandom extends SecureRandom {
        private static final long serialVersionUID = 1L;

        private final transient List<byte[]> filled = new ArrayList<>();

        @Override
        public void nextBytes(byte[] bytes) {
            super.nextBytes(bytes);
            filled.add(bytes);
        }
    }

    @Test
    void generate_afterwards_theRawKeyIsZero() {
        KeptRandom random = new KeptRandom();
        KeySource source = KeySource.of(random);

        try (WireGuardKeyPair pair = source.generate();
                Secret presharedKey = source.presharedKey()) {
            assertThat(random.filled).hasSize(2).allSatisfy(raw -> {
                assertThat(raw).hasSize(32);
                assertThat(raw).containsOnly(0);
            });
            assertThat(Base64.getDecoder().decode(text(pair.privateKey()))).isNotEqualTo(new byte[32]);
            assertThat(Base64.getDecoder().decode(text(presharedKey))).isNotEqualTo(new byte[32]);
        }
    }

    @Test
    void random_twice_isNeverTheSame() {
        try (WireGuardKeyPair one = KeySource.random().generate();
                WireGuardKeyPair two = KeySource.random().generate()) {
            assertThat(one.publicKey()).isNotEqualTo(two.publicKey());
        }
    }

    @Test
    void pair_printed_showsThePublicHalfAlone() {
        WireGuardKeyPair pair = KeySource.of(new FixedRandom(1)).generate();
        String privateKey = text(pair.privateKey());

        assertThat(pair.toString())
                .contains(pair.publicKey().base64(), "Secret(***)")
                .doesNotContain(privateKey);
        pair.close();
        assertThatThrownBy(() -> text(pair.privateKey())).isInstanceOf(InvalidSettingException.class);
    }

    @Test
    void publicKey_thirtyTwoBytesInBase64_isTakenAndPrintedAsItIs() {
        String text = "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=";

        assertThat(new PublicKey(text)).hasToString(text).isEqualTo(new PublicKey(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k",
                "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1l=",
                "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1==",
                "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1kA",
                "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK_Vw1k=",
                "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k\n",
                "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k= ",
                "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=\n",
                "\u001b[2Jpv\u0000C0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=",
                "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k="
            })
    void publicKey_anythingElse_isRefusedInPrintableWords(String text) {
        assertThatThrownBy(() -> new PublicKey(text))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("not a WireGuard public key")
                .message()
                .doesNotContainPattern("\\p{Cntrl}");
    }
}
