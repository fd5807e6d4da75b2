package dev.promguard.ssh.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.HostException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostCertificates;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.ssh.SshApplier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server in the place of a host: it sees that somebody connects and offers algorithms, and nothing more. */
@Timeout(60)
class ImpostorTest {
    private static final SshApplier APPLIER = new SshApplier();

    private static TestServer server() {
        return new TestServer((in, out, err) -> 0);
    }

    private static void assertSawNothing(TestServer impostor) {
        assertThat(impostor.connections.get()).as("connections").isPositive();
        assertThat(impostor.encrypted)
                .as("connections for which keys were taken into use")
                .hasValue(0);
        assertThat(impostor.logins).as("attempts to log in").isEmpty();
        assertThat(impostor.channels).as("channels").hasValue(0);
        assertThat(impostor.commands).as("commands").isEmpty();
    }

    @Test
    void open_keyOfItsOwn_isRefusedWithBothFingerprintsBeforeAnyKeyIsInUse() throws Exception {
        try (TestServer host = server().start();
                TestServer impostor = server().start()) {
            assertThatThrownBy(() ->
                            APPLIER.open(host.target(impostor.port(), host.fingerprint(), Duration.ofSeconds(30))))
                    .isInstanceOfSatisfying(HostException.class, e -> {
                        assertThat(e.refusedHostKey()).contains(impostor.fingerprint());
                        assertThat(e.retryable()).isFalse();
                    })
                    .hasMessageContaining(host.fingerprint().text())
                    .hasMessageContaining(impostor.fingerprint().text());
            assertSawNothing(impostor);
            assertThat(impostor.connections).as("a hard stop").hasValue(1);
        }
    }

    @Test
    void open_publicKeyOfTheHostWithoutThePrivateOne_isRefusedAtOnce() throws Exception {
        try (TestServer host = server().start();
                TestServer impostor = server().claimingToBe(host).start()) {
            assertThat(impostor.fingerprint()).isEqualTo(host.fingerprint());

            assertThatThrownBy(() ->
                            APPLIER.open(host.target(impostor.port(), host.fingerprint(), Duration.ofSeconds(30))))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.retryable()).isFalse())
                    .hasMessageContaining("did not prove that it has its private half [PG-4002]");
            assertSawNothing(impostor);
            assertThat(impostor.connections).as("a hard stop").hasValue(1);
        }
    }

    @Test
    void open_impostorThatTheUsersKnownHostsTrust_isRefusedAndTheFileIsLeftAlone(@TempDir Path home) throws Exception {
        Path file = Files.createDirectory(home.resolve(".ssh")).resolve("known_hosts");
        try (TestServer host = server().start();
                TestServer impostor = server().start()) {
            Files.writeString(file, impostor.knownHost());
            withHome(
                    home,
                    () -> assertThatThrownBy(() -> APPLIER.open(
                                    host.target(impostor.port(), host.fingerprint(), Duration.ofSeconds(30))))
                            .hasMessageContaining(impostor.fingerprint().text()));

            assertSawNothing(impostor);
            assertThat(file).hasContent(impostor.knownHost());
        }
    }

    @Test
    void open_hostThatNoKnownHostsFileNames_isNotWrittenDownThere(@TempDir Path home) throws Exception {
        try (TestServer host = server().start()) {
            withHome(home, () -> {
                for (Set<HostKeyFingerprint> accepted :
                        Set.of(Set.of(host.fingerprint()), Set.<HostKeyFingerprint>of())) {
                    try (HostSession session = APPLIER.open(HostTarget.of("node-1", "127.0.0.1")
                            .port(host.port())
                            .accepting(accepted)
                            .trustOnFirstUse(accepted.isEmpty())
                            .identity(Identity.ofKey(host.login.privateKey()))
                            .timeout(Duration.ofSeconds(10))
                            .build())) {
                        assertThat(session.hostKey()).isEqualTo(host.fingerprint());
                    }
                }
            });
            assertThat(home).isEmptyDirectory();
        }
    }

    private static void withHome(Path home, Runnable test) {
        String before = System.setProperty("user.home", home.toString());
        try {
            test.run();
        } finally {
            System.setProperty("user.home", String.valueOf(before));
        }
    }

    @Test
    void verify_anotherAcceptedKeyWithinAConnection_isRefused() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        PublicKey bootstrapKey = generator.generateKeyPair().getPublic();
        PublicKey own = generator.generateKeyPair().getPublic();
        PinnedKeys pinned = new PinnedKeys(
                Set.of(PinnedKeys.fingerprint(bootstrapKey), PinnedKeys.fingerprint(own)),
                HostCertificates.NONE,
                false);

        assertThat(pinned.verify("host", 22, own)).isTrue();
        assertThat(pinned.verify("host", 22, own)).isTrue();
        assertThat(pinned.verify("host", 22, bootstrapKey)).isFalse();
        assertThat(pinned.proven()).isEqualTo(PinnedKeys.fingerprint(own));
        assertThat(pinned.refused()).isEqualTo(PinnedKeys.fingerprint(bootstrapKey));
    }
}
