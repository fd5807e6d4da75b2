package dev.promguard.ssh.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.HostException;
import dev.promguard.spi.HostSession;
import dev.promguard.ssh.SshApplier;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.apache.sshd.common.kex.DHFactory;
import org.apache.sshd.common.kex.KexProposalOption;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.server.ServerBuilder;
import org.apache.sshd.server.SshServer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which algorithms are offered to a host's SSH server, and what becomes of one that knows only such as are not. */
@Timeout(60)
class AlgorithmsTest {
    private static final SshApplier APPLIER = new SshApplier();

    private static TestServer server() {
        return new TestServer((in, out, err) -> 0);
    }

    static void exchanges(SshServer server, String... names) {
        List<DHFactory> factories =
                Stream.of(names).map(BuiltinDHFactories::resolveFactory).toList();
        server.setKeyExchangeFactories(NamedFactory.setUpTransformedFactories(true, factories, ServerBuilder.DH2KEX));
    }

    /**
     * Keeps the server from closing a connection before the client has read what it offers: a close with unread input resets the
     * connection, and the client would rightly try again.
     */
    private record Disagreement(CountDownLatch refused) implements SessionListener {
        @Override
        public void sessionNegotiationEnd(
                Session session,
                Map<KexProposalOption, String> clientProposal,
                Map<KexProposalOption, String> serverProposal,
                Map<KexProposalOption, String> negotiatedOptions,
                @Nullable Throwable reason) {
            if (reason == null) {
                return;
            }
            try {
                assertThat(refused.await(20, TimeUnit.SECONDS))
                        .as("the client gives up first")
                        .isTrue();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Arguments outdated(String what, String offered, String setting, Consumer<SshServer> settings) {
        return Arguments.of(what, offered, setting, settings);
    }

    static Stream<Arguments> outdated() {
        return Stream.of(
                outdated(
                        "way to exchange keys",
                        "diffie-hellman-group1-sha1",
                        "KexAlgorithms +curve25519-sha256",
                        server -> exchanges(server, "diffie-hellman-group1-sha1")),
                outdated(
                        "way to exchange keys",
                        "diffie-hellman-group14-sha1",
                        "KexAlgorithms +curve25519-sha256",
                        server ->
                                exchanges(server, "diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1")),
                outdated(
                        "cipher",
                        "aes128-cbc, 3des-cbc",
                        "Ciphers chacha20-poly1305@openssh.com",
                        server -> server.setCipherFactoriesNames("aes128-cbc", "3des-cbc")),
                outdated(
                        "message authentication code",
                        "hmac-sha1, hmac-md5",
                        "MACs hmac-sha2-256-etm@openssh.com",
                        server -> server.setMacFactoriesNames("hmac-sha1", "hmac-md5")),
                outdated(
                        "kind of host key",
                        "ssh-rsa",
                        "HostKey /etc/ssh/ssh_host_ed25519_key",
                        server -> server.setSignatureFactoriesNames("ssh-rsa")));
    }

    private static KeyPair rsa() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        return generator.generateKeyPair();
    }

    @ParameterizedTest
    @MethodSource("outdated")
    void open_serverOffersOnlyOld_isRefusedAtOnceAndSaysHowToFix(
            String what, String offered, String setting, Consumer<SshServer> settings) throws Exception {
        CountDownLatch refused = new CountDownLatch(1);
        try (TestServer server = server()) {
            if (offered.equals("ssh-rsa")) {
                server.showing(rsa());
            }
            server.offering(settings)
                    .offering(one -> one.addSessionListener(new Disagreement(refused)))
                    .start();

            HostException failure = catchThrowableOfType(HostException.class, () -> APPLIER.open(server.target()));
            refused.countDown();

            assertThat(failure.step()).isEqualTo("agree on algorithms");
            assertThat(failure.retryable())
                    .as("to try again would change nothing")
                    .isFalse();
            assertThat(failure)
                    .hasMessageContaining("knows no " + what + " that is still safe: it offers ")
                    .hasMessageContaining(offered)
                    .hasMessageContaining(setting);
            assertThat(server.connections).as("one attempt").hasValue(1);
            assertThat(server.logins).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com"})
    void open_serverOffersOnlyPostQuantum_agrees(String exchange) throws Exception {
        try (TestServer server =
                server().offering(sshd -> exchanges(sshd, exchange)).start()) {
            // Often enough to meet secrets that begin with a bit that is set, and with one that is not.
            for (int i = 0; i < 12; i++) {
                try (HostSession session = APPLIER.open(server.target())) {
                    assertThat(session.hostKey()).isEqualTo(server.fingerprint());
                }
            }
        }
    }

    @Test
    void open_serverOffersOnlyAnotherPostQuantum_isNotCalledUnsafe() throws Exception {
        CountDownLatch refused = new CountDownLatch(1);
        try (TestServer server = server().offering(sshd -> exchanges(sshd, "mlkem1024nistp384-sha384"))
                .offering(one -> one.addSessionListener(new Disagreement(refused)))
                .start()) {
            HostException failure = catchThrowableOfType(HostException.class, () -> APPLIER.open(server.target()));
            refused.countDown();

            assertThat(failure)
                    .hasMessageContaining("PromGuard knows no way to exchange keys that the host's SSH server allows")
                    .hasMessageContaining("Set \"KexAlgorithms +curve25519-sha256\"");
        }
    }

    @Test
    void open_serverOffersAll_isOfferedNothingOldAndTakesTheBest() throws Exception {
        Map<KexProposalOption, String> offered = new ConcurrentHashMap<>();
        Map<KexProposalOption, String> agreed = new ConcurrentHashMap<>();
        SessionListener listener = new SessionListener() {
            @Override
            public void sessionNegotiationEnd(
                    Session session,
                    Map<KexProposalOption, String> clientProposal,
                    Map<KexProposalOption, String> serverProposal,
                    Map<KexProposalOption, String> negotiatedOptions,
                    @Nullable Throwable reason) {
                offered.putAll(clientProposal);
                agreed.putAll(negotiatedOptions);
            }
        };
        try (TestServer server = server().offering(one -> one.addSessionListener(listener))
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            assertThat(session.hostKey()).isEqualTo(server.fingerprint());
        }

        System.out.println("agreed on " + agreed);
        assertThat(words(offered, KexProposalOption.ALGORITHMS))
                .containsOnly(
                        "mlkem768x25519-sha256",
                        "sntrup761x25519-sha512",
                        "sntrup761x25519-sha512@openssh.com",
                        "curve25519-sha256",
                        "curve25519-sha256@libssh.org",
                        "ecdh-sha2-nistp256",
                        "ecdh-sha2-nistp384",
                        "ecdh-sha2-nistp521",
                        "ext-info-c");
        assertThat(words(offered, KexProposalOption.SERVERKEYS))
                .containsExactly(
                        "ssh-ed25519",
                        "ecdsa-sha2-nistp256",
                        "ecdsa-sha2-nistp384",
                        "ecdsa-sha2-nistp521",
                        "rsa-sha2-512",
                        "rsa-sha2-256");
        for (KexProposalOption cipher : List.of(KexProposalOption.C2SENC, KexProposalOption.S2CENC)) {
            assertThat(words(offered, cipher))
                    .containsExactly(
                            "chacha20-poly1305@openssh.com",
                            "aes256-gcm@openssh.com",
                            "aes128-gcm@openssh.com",
                            "aes256-ctr",
                            "aes192-ctr",
                            "aes128-ctr");
        }
        for (KexProposalOption mac : List.of(KexProposalOption.C2SMAC, KexProposalOption.S2CMAC)) {
            assertThat(words(offered, mac))
                    .containsExactly("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com");
        }
        for (KexProposalOption compression : List.of(KexProposalOption.C2SCOMP, KexProposalOption.S2CCOMP)) {
            assertThat(words(offered, compression)).containsExactly("none");
        }
        assertThat(agreed)
                .containsEntry(KexProposalOption.ALGORITHMS, "mlkem768x25519-sha256")
                .containsEntry(KexProposalOption.C2SENC, "chacha20-poly1305@openssh.com")
                .containsEntry(KexProposalOption.S2CENC, "chacha20-poly1305@openssh.com");
    }

    private static List<String> words(Map<KexProposalOption, String> proposal, KexProposalOption option) {
        return List.of(String.valueOf(proposal.get(option)).split(",", -1));
    }
}
