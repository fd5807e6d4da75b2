package dev.promguard.ssh.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.HostCertificates;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.ssh.SshApplier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.sshd.common.config.keys.loader.openssh.OpenSSHKeyPairResourceParser;
import org.apache.sshd.common.keyprovider.FileHostKeyCertificateProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hosts that prove themselves with certificates that ssh-keygen makes. */
@Timeout(60)
class HostCertificateTest {
    private static final SshApplier APPLIER = new SshApplier();
    private static final String HOST = "db-1.example.com";

    @TempDir
    Path folder;

    @BeforeEach
    void makeAuthority() throws Exception {
        SshKeygen.orSkip();
        SshKeygen.run("-t", "ed25519", "-N", "", "-f", path("ca"));
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    private SshPublicKey publicKey(String name) throws Exception {
        return SshPublicKey.parse(Files.readString(folder.resolve(name + ".pub")));
    }

    /** A server with a host key of a type, and a certificate for it that is made with these options. */
    private TestServer server(String type, String... options) throws Exception {
        SshKeygen.run("-t", type, "-N", "", "-f", path("host"));
        List<String> sign = new ArrayList<>(List.of("-s", path("ca"), "-I", "db", "-h"));
        sign.addAll(List.of(options));
        sign.add(path("host.pub"));
        SshKeygen.run(sign.toArray(new String[0]));
        return showing("host")
                .offering(sshd -> sshd.setHostKeyCertificateProvider(
                        new FileHostKeyCertificateProvider(folder.resolve("host-cert.pub"))));
    }

    private TestServer showing(String key) throws Exception {
        return new TestServer((in, out, err) -> 0)
                .showing(OpenSSHKeyPairResourceParser.INSTANCE
                        .loadKeyPairs(null, folder.resolve(key), null)
                        .iterator()
                        .next());
    }

    private HostTarget target(TestServer server, Set<HostKeyFingerprint> accepted) throws Exception {
        return server.target().toBuilder()
                .accepting(accepted)
                .certificates(new HostCertificates(Set.of(publicKey("ca").fingerprint()), HOST))
                .timeout(Duration.ofSeconds(10))
                .build();
    }

    private static HostException failure(HostTarget target) {
        AtomicReference<HostException> failure = new AtomicReference<>();
        assertThatThrownBy(() -> APPLIER.open(target)).isInstanceOfSatisfying(HostException.class, failure::set);
        return Objects.requireNonNull(failure.get());
    }

    @ParameterizedTest
    @ValueSource(strings = {"ed25519", "rsa", "ecdsa"})
    void open_certificateOfTheAuthority_provesTheHostAndTellsItsKey(String type) throws Exception {
        try (TestServer server = server(type, "-n", "other,DB-1.example.com").start();
                HostSession session = APPLIER.open(target(server, Set.of()))) {
            assertThat(session.hostKey()).isEqualTo(publicKey("host").fingerprint());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"*.example.com", "db-?.example.com", "*"})
    void open_certificateWithAPattern_provesTheHost(String principal) throws Exception {
        try (TestServer server = server("ed25519", "-n", principal).start()) {
            APPLIER.open(target(server, Set.of())).close();
        }
    }

    @Test
    void open_certificateForAnybody_provesTheHost() throws Exception {
        try (TestServer server = server("ed25519").start()) {
            APPLIER.open(target(server, Set.of())).close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mlkem768x25519-sha256", "sntrup761x25519-sha512", "curve25519-sha256"})
    void open_everyKindOfKeyExchange_takesCertificates(String exchange) throws Exception {
        try (TestServer server = server("ed25519", "-n", HOST)
                .offering(sshd -> AlgorithmsTest.exchanges(sshd, exchange))
                .start()) {
            APPLIER.open(target(server, Set.of())).close();
        }
    }

    @Test
    void open_anotherKeyIsRemembered_theCertificateCounts() throws Exception {
        try (TestServer server = server("ed25519", "-n", HOST).start();
                HostSession session =
                        APPLIER.open(target(server, Set.of(TestServer.fingerprint(TestServer.keyPair()))))) {
            assertThat(session.hostKey()).isEqualTo(publicKey("host").fingerprint());
        }
    }

    @Test
    void open_keyIsRememberedAndItsCertificateHasExpired_letsItIn() throws Exception {
        try (TestServer server =
                server("ed25519", "-n", HOST, "-V", "20200101:20210101").start()) {
            APPLIER.open(target(server, Set.of(publicKey("host").fingerprint())))
                    .close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "-V 20200101:20210101, it expired at 20",
        "-V 20900101:20910101, it is not valid before 20",
        "-n db-2.example.com, it is not for db-1.example.com",
        "-n *.example.org, it is not for db-1.example.com",
        "-n db-1, it is not for db-1.example.com",
        "-O critical:only@example.com=here, 'it has critical options, and none is known for hosts'",
    })
    void open_certificateThatDoesNotCount_isRefusedAndTheReasonIsNamed(String option, String reason) throws Exception {
        try (TestServer server = server("ed25519", option.split(" ", 2)).start()) {
            HostException failure = failure(target(server, Set.of()));

            assertThat(failure.code()).isEqualTo(ErrorCode.HOST_KEY_REFUSED);
            assertThat(failure)
                    .hasMessageContaining(publicKey("host").fingerprint().text())
                    .hasMessageContaining("the certificate \"db\"")
                    .hasMessageContaining(" does not count: " + reason)
                    .hasMessageContaining("Nothing was sent to it.");
            assertThat(server.logins).isEmpty();
        }
    }

    @Test
    void open_certificateOfAnotherAuthority_isRefused() throws Exception {
        try (TestServer server = server("ed25519", "-n", HOST).start()) {
            HostTarget target = target(server, Set.of()).toBuilder()
                    .certificates(new HostCertificates(Set.of(TestServer.fingerprint(TestServer.keyPair())), HOST))
                    .build();

            assertThat(failure(target)).hasMessageContaining(" does not count: accepted are those of SHA256:");
        }
    }

    @Test
    void open_hostWithoutACertificate_isRefused() throws Exception {
        SshKeygen.run("-t", "ed25519", "-N", "", "-f", path("host"));
        try (TestServer server = showing("host").start()) {
            assertThat(failure(target(server, Set.of())))
                    .hasMessageContaining("and it showed no certificate for it")
                    .hasMessageContaining("HostCertificate in its /etc/ssh/sshd_config");
            assertThat(server.logins).isEmpty();
        }
    }

    /** The authority itself is a key too, and an authority's signature may be one that nobody should trust any more. */
    @Test
    void refusal_signatureWithSha1_doesNotCount() throws Exception {
        SshKeygen.run("-t", "rsa", "-N", "", "-f", path("old"));
        SshKeygen.run("-t", "ed25519", "-N", "", "-f", path("host"));
        SshKeygen.run("-s", path("old"), "-t", "ssh-rsa", "-I", "db", "-h", "-n", HOST, path("host.pub"));

        assertThat(HostCertificate.refusal(
                        blob(), new HostCertificates(Set.of(publicKey("old").fingerprint()), HOST), Instant.now()))
                .hasValueSatisfying(words -> assertThat(words).contains("with an algorithm that is still safe"));
    }

    @Test
    void refusal_certificateOfAUser_doesNotCount() throws Exception {
        SshKeygen.run("-t", "ed25519", "-N", "", "-f", path("host"));
        SshKeygen.run("-s", path("ca"), "-I", "me", "-n", HOST, path("host.pub"));

        assertThat(HostCertificate.refusal(
                        blob(), new HostCertificates(Set.of(publicKey("ca").fingerprint()), HOST), Instant.now()))
                .hasValueSatisfying(words -> assertThat(words).contains("it is for users and not for hosts"));
    }

    private byte[] blob() throws Exception {
        return Base64.getDecoder()
                .decode(SshPublicKey.parse(Files.readString(folder.resolve("host-cert.pub")))
                        .base64());
    }

    static IntStream seeds() {
        return IntStream.range(0, 5);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void refusal_oneBitChangedOrTheEndCutOrLonger_doesNotCount(int seed) throws Exception {
        String type = List.of("ed25519", "rsa", "ecdsa").get(seed % 3);
        try (TestServer unused = server(type, "-n", HOST)) {
            assertThat(unused.connections).hasValue(0);
        }
        byte[] good = blob();
        HostCertificates accepted = new HostCertificates(Set.of(publicKey("ca").fingerprint()), HOST);
        assertThat(HostCertificate.refusal(good, accepted, Instant.now())).isEmpty();
        Random random = new Random(seed);

        for (int i = 0; i < 300; i++) {
            byte[] bad = good.clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            assertThat(HostCertificate.refusal(bad, accepted, Instant.now())).isPresent();
        }
        for (int i = 0; i < 30; i++) {
            byte[] cut = Arrays.copyOf(good, random.nextInt(good.length));
            assertThat(HostCertificate.refusal(cut, accepted, Instant.now())).isPresent();
        }
        assertThat(HostCertificate.refusal(Arrays.copyOf(good, good.length + 4), accepted, Instant.now()))
                .isPresent();
    }
}
