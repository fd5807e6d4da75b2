package dev.promguard.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.InvalidSettingException;
import dev.promguard.Tool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SshKeyPairTest {
    private static final String LINE =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPLl4Q8hqkFGz1bGQk9z1m0aL1Xz5xqgkG7wWc0m0Zl";

    private static Path file(Path folder, SshKeyPair pair) throws IOException {
        Path file = folder.resolve("key");
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        byte[] bytes = pair.privateKey().use(shown -> shown.clone());
        Files.write(file, bytes);
        return file;
    }

    @Test
    void generate_anyKey_isReadByOpenSshAndHasTheSamePublicHalf(@TempDir Path folder) throws Exception {
        Tool keygen = Tool.orSkip("ssh-keygen", "openssh-client");
        FixedRandom random = new FixedRandom(20_261_123);
        for (int i = 0; i < 8; i++) {
            try (SshKeyPair pair = SshKeyPair.generate(random)) {
                String file = file(folder, pair).toString();

                assertThat(keygen.run("", "-y", "-f", file).output().strip())
                        .isEqualTo(pair.publicKey().line());
                assertThat(keygen.run("", "-lf", file).output())
                        .startsWith("256 " + pair.publicKey().fingerprint() + " ")
                        .endsWith("(ED25519)\n");
                assertThat(keygen.run("", "-E", "md5", "-lf", file).output())
                        .startsWith("256 MD5:" + pair.publicKey().md5Fingerprint() + " ");
            }
        }
    }

    @Test
    void generate_anyKey_isAnUnencryptedOpenSshFileOfShortLines() {
        try (SshKeyPair pair = SshKeyPair.generate(new FixedRandom(1))) {
            String text = pair.privateKey().useText(file -> file);
            assertThat(text)
                    .startsWith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
                    .endsWith("\n-----END OPENSSH PRIVATE KEY-----\n")
                    .doesNotContain("\r");
            assertThat(text.lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(70));
            assertThat(pair.toString())
                    .contains("Secret(***)", pair.publicKey().base64())
                    .doesNotContain(text.lines().toList().get(1));
        }
    }

    @Test
    void close_pair_clearsThePrivateHalf() {
        SshKeyPair pair = SshKeyPair.generate(new FixedRandom(1));
        pair.close();

        assertThatThrownBy(() -> pair.privateKey().useText(text -> text)).isInstanceOf(InvalidSettingException.class);
        assertThat(pair.publicKey().line()).startsWith("ssh-ed25519 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {LINE, LINE + " me@home", "  " + LINE + "  a comment of words \n", LINE + "\tx"})
    void parse_line_readsTypeAndBlob(String line) {
        assertThat(SshPublicKey.parse(line).line()).isEqualTo(LINE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "ssh-ed25519",
                "ssh-ed25519 ",
                "AAAAC3NzaC1lZDI1NTE5AAAAIGPLl4Q8hqkFGz1bGQk9z1m0aL1Xz5xqgkG7wWc0m0Zl",
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI",
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPLl4Q8hqkFGz1bGQk9z1m0aL1Xz5xqgkG7wWc0m0Z=",
                "ssh-ed25519 !!!!C3NzaC1lZDI1NTE5AAAAIGPLl4Q8hqkFGz1bGQk9z1m0aL1Xz5xqgkG7wWc0m0Zl",
                "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIGPLl4Q8hqkFGz1bGQk9z1m0aL1Xz5xqgkG7wWc0m0Zl",
                "ssh-ed25519\u0000 AAAAC3NzaC1lZDI1NTE5AAAAIGPLl4Q8hqkFGz1bGQk9z1m0aL1Xz5xqgkG7wWc0m0Zl",
                "no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPLl4Q8hqkFGz1bGQk9z1m0aL1Xz5xqgkG7wWc0m0Zl"
            })
    void parse_anythingElse_isRefused(String line) {
        assertThatThrownBy(() -> SshPublicKey.parse(line))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("not an SSH public key");
    }

    @Test
    void line_anyKey_carriesItsTypeInTheBlobToo() {
        try (SshKeyPair pair = SshKeyPair.generate(new FixedRandom(2))) {
            byte[] blob = Base64.getDecoder().decode(pair.publicKey().base64());
            assertThat(new String(blob, 4, 11, StandardCharsets.US_ASCII)).isEqualTo("ssh-ed25519");
            assertThat(blob).hasSize(4 + 11 + 4 + 32);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "SHA256:",
                "SHA256:AAAA",
                "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
                "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
                " SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            })
    void fingerprint_anotherForm_isRefused(String text) {
        assertThatThrownBy(() -> new HostKeyFingerprint(text))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("SHA256:");
    }
}
