package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.HostException;
import dev.promguard.host.FactsQuery;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.ssh.SshApplier;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Logging in to hosts that were there before: with the user's own key, as another user than root, and for the first time. */
@Timeout(60)
class LoginTest {
    private static final FactsQuery QUERY = new FactsQuery(
            List.of(), List.of(), List.of(), List.of(), List.of(), "wg0", "/etc/wireguard/wg0.key", Map.of());
    private static final HostKeyFingerprint OTHER = new HostKeyFingerprint("SHA256:" + "x".repeat(43));
    private static final SshApplier APPLIER = new SshApplier();

    private static HostTarget target(
            TestServer server, Set<HostKeyFingerprint> keys, Secret login, Optional<Secret> passphrase) {
        Identity identity = Identity.ofKey(login);
        return HostTarget.of("node-1", "127.0.0.1")
                .port(server.port())
                .user("admin")
                .accepting(keys)
                .trustOnFirstUse(true)
                .identity(passphrase.map(identity::withPassphrase).orElse(identity))
                .timeout(Duration.ofSeconds(5))
                .build();
    }

    private static TestServer.Handler dying(String words) {
        return (in, out, err) -> {
            err.write((words + '\n').getBytes(UTF_8));
            return 1;
        };
    }

    @Test
    void open_trustOnFirstUse_takesTheKeyShownAndTellsIt() throws Exception {
        try (TestServer server = new TestServer(dying("")).start();
                HostSession session =
                        APPLIER.open(target(server, Set.of(), server.login.privateKey(), Optional.empty()))) {
            assertThat(session.hostKey()).isEqualTo(server.fingerprint());
            assertThat(server.commands).as("nothing is sent by opening alone").isEmpty();
        }
    }

    @Test
    void open_trustOnFirstUseAndAnotherKeyKnown_isRefusedBeforeTheLogin() throws Exception {
        try (TestServer server = new TestServer(dying("")).start()) {
            assertThatThrownBy(() ->
                            APPLIER.open(target(server, Set.of(OTHER), server.login.privateKey(), Optional.empty())))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining(server.fingerprint().text())
                    .hasMessageContaining(OTHER.text());
            assertThat(server.logins).isEmpty();
        }
    }

    /** How a session ends, or why there is none. */
    private enum Ending {
        REFUSED_LOGIN,
        STALLED_LOGIN,
        NONSENSE,
        INTERRUPT,
        CLOSE
    }

    @ParameterizedTest
    @EnumSource
    void open_howeverItEnds_leavesNoThreadBehind(Ending ending) throws Exception {
        CountDownLatch stalled = new CountDownLatch(1);
        TestServer.Handler nonsense = (in, out, err) -> {
            new BufferedReader(new InputStreamReader(in, UTF_8))
                    .lines()
                    .filter(line -> line.startsWith("N='"))
                    .findFirst()
                    .ifPresent(line -> say(out, line.substring(3, line.length() - 1) + "\tnonsense\n"));
            stalled.await();
            return 0;
        };
        try (TestServer server = new TestServer(nonsense)) {
            if (ending == Ending.REFUSED_LOGIN) {
                server.refusing();
            } else if (ending == Ending.STALLED_LOGIN) {
                server.offering(settings -> settings.setPublickeyAuthenticator((user, key, session) -> {
                    await(stalled);
                    return true;
                }));
            }
            server.start();
            SshApplier applier = SshApplier.builder()
                    .connectTimeout(ending == Ending.STALLED_LOGIN ? Duration.ofSeconds(1) : Duration.ofSeconds(10))
                    .build();
            HostTarget target = server.target(server.port(), server.fingerprint(), Duration.ofSeconds(1));
            switch (ending) {
                case REFUSED_LOGIN, STALLED_LOGIN ->
                    assertThatThrownBy(() -> applier.open(target)).isInstanceOf(HostException.class);
                case NONSENSE -> {
                    // Not closed: a session that was cut has nothing left to end.
                    HostSession session = applier.open(target);
                    assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                            .isInstanceOf(HostException.class)
                            .hasMessageContaining("makes no sense");
                }
                case INTERRUPT -> {
                    HostSession session = applier.open(target);
                    Thread.currentThread().interrupt();
                    session.close();
                    assertThat(Thread.interrupted()).isTrue();
                }
                case CLOSE -> applier.open(target).close();
            }

            for (Thread thread : Thread.getAllStackTraces().keySet()) {
                if (thread.getName().startsWith("sshj-") && thread.getName().contains(":" + server.port())) {
                    thread.join(10_000);
                    assertThat(thread.isAlive()).as(thread.getName()).isFalse();
                }
            }
        } finally {
            stalled.countDown();
        }
    }

    private static void say(OutputStream out, String text) {
        try {
            out.write(text.getBytes(UTF_8));
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sudo: a password is required",
                "sudo: a terminal is required to read the password",
                "bash: line 1: sudo: command not found",
                "sh: 1: sudo: not found"
            })
    void facts_userWithoutSudo_saysWhatToDoOnTheHost(String words) throws Exception {
        try (TestServer server = new TestServer(dying(words)).start();
                HostSession session =
                        APPLIER.open(target(server, Set.of(), server.login.privateKey(), Optional.empty()))) {
            assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("admin may not run commands as root [PG-4006]")
                    .hasMessageContaining(words)
                    .hasMessageContaining("echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin");
            assertThat(server.commands).containsExactly("sudo -n sh -s");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "ed25519, '', ''",
        "ed25519, '', open sesame",
        "ecdsa, '', open sesame",
        "rsa, '', open sesame",
        "rsa, PEM, ''",
        "rsa, PEM, open sesame",
        "ecdsa, PEM, ''"
    })
    void open_keyOfSshKeygen_logsInWithItsPassphrase(
            String type, String format, String passphrase, @TempDir Path folder) throws Exception {
        SshKeygen.orSkip();
        Path file = folder.resolve("key");
        List<String> options = new java.util.ArrayList<>(List.of("-t", type, "-N", passphrase, "-f", file.toString()));
        if (!format.isEmpty()) {
            options.addAll(List.of("-m", format));
        }
        SshKeygen.run(options.toArray(new String[0]));
        try (TestServer server = new TestServer(dying("")).start();
                Secret key = Secret.of(Files.readAllBytes(file))) {
            Optional<Secret> secret = passphrase.isEmpty() ? Optional.empty() : Optional.of(Secret.of(passphrase));
            APPLIER.open(target(server, Set.of(server.fingerprint()), key, secret))
                    .close();
            assertThat(server.logins).contains("admin");
            if (!passphrase.isEmpty()) {
                assertThatThrownBy(() -> APPLIER.open(target(
                                server, Set.of(server.fingerprint()), key, Optional.of(Secret.of("something else")))))
                        .isInstanceOf(HostException.class)
                        .hasMessageContaining("Check the passphrase")
                        .message()
                        .doesNotContain("something else");
                assertThatThrownBy(
                                () -> APPLIER.open(target(server, Set.of(server.fingerprint()), key, Optional.empty())))
                        .isInstanceOf(HostException.class)
                        .hasMessageContaining("it is encrypted, and no passphrase is given [PG-1005]");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "-----BEGIN ENCRYPTED PRIVATE KEY-----|AAAA, true",
        "-----BEGIN RSA PRIVATE KEY-----|Proc-Type: 4;ENCRYPTED|AAAA, true",
        "-----BEGIN RSA PRIVATE KEY-----|AAAA, false",
        "PuTTY-User-Key-File-3: ssh-ed25519|Encryption: aes256-cbc|Comment: x, true",
        "PuTTY-User-Key-File-2: ssh-rsa|Encryption: aes256-cbc|Comment: x, true",
        "PuTTY-User-Key-File-3: ssh-ed25519|Encryption: none|Comment: x, false",
        "-----BEGIN OPENSSH PRIVATE KEY-----|!|-----END OPENSSH PRIVATE KEY-----, false"
    })
    void isEncrypted_eachForm_isToldByWhatIsNotEncrypted(String text, boolean encrypted) {
        assertThat(WrongKey.isEncrypted(text.replace('|', '\n').replace(';', ',')))
                .isEqualTo(encrypted);
    }

    @Test
    void open_identityOfAFile_namesTheFileInWhatIsWrongWithIt() throws Exception {
        try (TestServer server = new TestServer(dying("")).start();
                Secret key = Secret.of("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@here")) {
            HostTarget target = target(server, Set.of(server.fingerprint()), key, Optional.empty()).toBuilder()
                    .identity(Identity.ofKey(key).from("/home/me/.ssh/id_ed25519.pub"))
                    .build();
            assertThatThrownBy(() -> APPLIER.open(target))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("failed: \"/home/me/.ssh/id_ed25519.pub\": it is a public key [PG-1005]");
        }
    }

    /** A key file of a hardware token, which holds no secret: the public key, and a handle. */
    private static String onToken() {
        java.nio.ByteBuffer key = java.nio.ByteBuffer.allocate(256);
        key.put("openssh-key-v1\0".getBytes(UTF_8));
        for (String word : List.of("none", "none", "")) {
            key.putInt(word.length()).put(word.getBytes(UTF_8));
        }
        String type = "sk-ssh-ed25519@openssh.com";
        key.putInt(1).putInt(90).putInt(type.length()).put(type.getBytes(UTF_8));
        return "-----BEGIN OPENSSH PRIVATE KEY-----\n"
                + java.util.Base64.getMimeEncoder(70, new byte[] {'\n'}).encodeToString(key.array())
                + "\n-----END OPENSSH PRIVATE KEY-----\n";
    }

    @ParameterizedTest
    @CsvSource({
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@here, it is a public key, without .pub",
        "' \tecdsa-sha2-nistp256 AAAAE2VjZHNh', it is a public key, without .pub",
        "sk-ssh-ed25519@openssh.com AAAAGnNr token, it is a public key, without .pub",
        "-----BEGIN PUBLIC KEY-----, it is a public key, without .pub",
        "---- BEGIN SSH2 PUBLIC KEY ----, it is a public key, without .pub",
        "ssh-ed25519-cert-v01@openssh.com AAAAIHNz me, it is a certificate, without -cert.pub",
        "-----BEGIN CERTIFICATE-----, it is an X.509 certificate, OpenSSH or PEM private key",
        "SSH PRIVATE KEY FILE FORMAT 1.1, it is a key for version 1, ssh-keygen -t ed25519",
        "db.example.com ssh-ed25519 AAAAC3Nz, it lists public keys, OpenSSH or PEM private key",
        "token, its private half is on a hardware token, say agent()"
    })
    void open_fileThatLiesBesidePrivateKeys_isNamed(String text, String what, String remedy) throws Exception {
        try (TestServer server = new TestServer(dying("")).start();
                Secret key = Secret.of(text.equals("token") ? onToken() : text)) {
            assertThatThrownBy(() -> APPLIER.open(target(server, Set.of(server.fingerprint()), key, Optional.empty())))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("step \"read the login key\" failed: " + what)
                    .hasMessageContaining("[PG-1005]")
                    .hasMessageContaining(remedy);
            assertThat(server.connections).hasValue(0);
        }
    }
}
