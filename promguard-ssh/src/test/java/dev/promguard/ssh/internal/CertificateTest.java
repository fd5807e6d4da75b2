package dev.promguard.ssh.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.InvalidSettingException;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.ssh.SshApplier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Logging in with certificates that ssh-keygen makes. */
@Timeout(60)
class CertificateTest {
    private static final SshApplier APPLIER = new SshApplier();

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

    /** Makes a key and a certificate for it. */
    private Identity certified(String type, String... options) throws Exception {
        SshKeygen.run("-t", type, "-N", "", "-f", path("key"));
        List<String> sign = new ArrayList<>(List.of("-s", path("ca"), "-I", "me"));
        sign.addAll(List.of(options));
        sign.add(path("key.pub"));
        SshKeygen.run(sign.toArray(new String[0]));
        return Identity.ofKey(Secret.of(Files.readAllBytes(folder.resolve("key"))))
                .withCertificate(SshPublicKey.parse(Files.readString(folder.resolve("key-cert.pub"))));
    }

    private static HostTarget target(TestServer server, Identity identity) {
        return server.target(server.port(), server.fingerprint(), Duration.ofSeconds(10)).toBuilder()
                .identity(identity)
                .build();
    }

    private static HostException failure(HostTarget target) {
        AtomicReference<HostException> failure = new AtomicReference<>();
        assertThatThrownBy(() -> APPLIER.open(target)).isInstanceOfSatisfying(HostException.class, failure::set);
        return Objects.requireNonNull(failure.get());
    }

    @ParameterizedTest
    @CsvSource({"ed25519", "rsa", "ecdsa"})
    void open_hostThatTakesCertificatesAlone_letsItIn(String type) throws Exception {
        Identity identity = certified(type, "-n", "root");
        try (TestServer server = new TestServer((in, out, err) -> 0)
                .offering(sshd -> sshd.setPublickeyAuthenticator(
                        (user, key, session) -> PublicKeyEntry.toString(key).contains("-cert-v01@openssh.com")))
                .start()) {
            APPLIER.open(target(server, identity)).close();
        }
    }

    @Test
    void open_hostThatKnowsTheKeyAndNoCertificates_letsItInWithTheKey() throws Exception {
        Identity identity = certified("ed25519", "-n", "root");
        try (TestServer server = new TestServer((in, out, err) -> 0)
                .offering(sshd -> sshd.setPublickeyAuthenticator(
                        (user, key, session) -> !PublicKeyEntry.toString(key).contains("-cert-v01@openssh.com")))
                .start()) {
            APPLIER.open(target(server, identity)).close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "-V, 20200101:20210101, and it expired at 20",
        "-V, 20900101:20910101, and it is not valid before 20",
        "-n, 'admin,me', and it is not for root",
        "-n, root, signed by SHA256:"
    })
    void open_hostThatRefusesTheCertificate_saysWhatSpeaksAgainstIt(String option, String value, String reason)
            throws Exception {
        Identity identity = certified("ed25519", option, value);
        try (TestServer server = new TestServer((in, out, err) -> 0).refusing().start()) {
            assertThat(failure(target(server, identity)))
                    .hasMessageContaining("refused the login of root with the certificate \"me\" (for ")
                    .hasMessageContaining(reason)
                    .hasMessageContaining(", the key SHA256:")
                    .hasMessageContaining("[PG-4004]");
        }
    }

    @ParameterizedTest
    @CsvSource({"other, is for another key", "host, is a host's", "plain, it is no OpenSSH certificate", "cut, it is"})
    void open_certificateThatIsNotForTheKey_isRefusedBeforeAnyHostIsContacted(String which, String reason)
            throws Exception {
        Identity identity = which.equals("host") ? certified("ed25519", "-h", "-n", "db") : certified("ed25519");
        if (which.equals("other")) {
            SshKeygen.run("-t", "ed25519", "-N", "", "-f", path("other"));
            identity = Identity.ofKey(Secret.of(Files.readAllBytes(folder.resolve("other"))))
                    .withCertificate(identity.certificate().orElseThrow());
        } else if (which.equals("plain")) {
            identity = identity.withCertificate(SshPublicKey.parse(Files.readString(folder.resolve("key.pub"))));
        } else if (which.equals("cut")) {
            SshPublicKey whole = identity.certificate().orElseThrow();
            byte[] blob = Base64.getDecoder().decode(whole.base64());
            identity = identity.withCertificate(
                    new SshPublicKey(whole.type(), Base64.getEncoder().encodeToString(Arrays.copyOf(blob, 120))));
        }
        try (TestServer server = new TestServer((in, out, err) -> 0).start()) {
            HostException failure = failure(target(server, identity.from("/home/me/key")));

            assertThat(failure).hasMessageContaining("\"/home/me/key\": ").hasMessageContaining(reason);
            assertThat(failure.code()).isEqualTo(ErrorCode.INVALID_LOGIN_KEY);
            assertThat(server.connections).hasValue(0);
        }
    }

    @Test
    void read_certificateBesideTheKey_comesWithIt() throws Exception {
        Identity made = certified("ed25519");
        IdentityFile.Read read = IdentityFile.read(folder.resolve("key"));
        assertThat(read.identity().certificate()).isEqualTo(made.certificate());
        read.identity().close();

        Files.writeString(folder.resolve("key-cert.pub"), "ssh-ed25519-cert-v01@openssh.com AAAA");
        assertThatThrownBy(() -> IdentityFile.read(folder.resolve("key")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("key-cert.pub\" cannot be used: it is no OpenSSH certificate. Give")
                .hasMessageEndingWith("[PG-1005]");
    }
}
