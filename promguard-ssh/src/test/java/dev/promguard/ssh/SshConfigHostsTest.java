package dev.promguard.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.InvalidSettingException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.Identity;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Login;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Existing hosts that are named by aliases of an SSH client's configuration. */
class SshConfigHostsTest {
    private static final String KEY = "SHA256:" + "a".repeat(43);
    private static final String OTHER = "SHA256:" + "b".repeat(43);
    private final Secret identity = Secret.of("a private key");

    @TempDir
    Path home;

    private Path folder = Path.of("");

    @BeforeEach
    void createFolder() throws Exception {
        folder = Files.createDirectory(home.resolve(".ssh"));
    }

    private Path write(String name, String text) {
        try {
            Path file = Files.writeString(folder.resolve(name), text);
            return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ExistingHostsBuilder builder(String config) {
        write("config", config);
        return ExistingHosts.builder()
                .keyFolder(folder)
                .resolver(name -> Optional.of("203.0.113.99"))
                .sshConfig();
    }

    private static Login login(ExistingHosts hosts, String name) {
        return Objects.requireNonNull(hosts.inventory().orElseThrow().logins().get(name), name);
    }

    private static List<String> way(ExistingHosts hosts, String name) {
        return login(hosts, name).jumpHosts().stream()
                .map(hop -> hop.login().user() + '@' + hop.endpoint())
                .toList();
    }

    private static String key(Identity identity) {
        return identity.key().orElseThrow().useText(text -> text);
    }

    @Test
    void host_alias_isReachedAsTheFileSaysAndTheLoginWins() {
        try (ExistingHosts hosts = builder("Host db*\nHostName 203.0.113.5\nUser admin\nPort 2222\n")
                .identity(identity)
                .host("db-1", "db-alias", KEY)
                .host("db-2", "op@db-two:22", KEY)
                .host("web", "web.example.com", KEY)
                .build()) {
            assertThat(login(hosts, "db-1").user()).isEqualTo("admin");
            assertThat(login(hosts, "db-1").port()).isEqualTo(2222);
            assertThat(login(hosts, "db-1").hostKeys()).isEqualTo(Set.of(new HostKeyFingerprint(KEY)));
            assertThat(login(hosts, "db-2").user()).isEqualTo("op");
            assertThat(login(hosts, "db-2").port()).isEqualTo(22);
            assertThat(login(hosts, "web").user()).isEqualTo("root");
        }
    }

    @Test
    void host_withoutSshConfig_readsNoFile() {
        write("config", "Host a\nHostName 203.0.113.5\nUser admin\nPort 2222\nProxyJump x\nIdentityFile y\n");
        ExistingHosts hosts = ExistingHosts.builder()
                .keyFolder(folder)
                .identity(identity)
                .host("a", "a", KEY)
                .build();
        assertThat(login(hosts, "a").user()).isEqualTo("root");
        assertThat(way(hosts, "a")).isEmpty();
    }

    @Test
    void sshConfig_afterAHost_isRefused() {
        ExistingHostsBuilder builder = builder("").host("a", "203.0.113.1", KEY);
        assertThatThrownBy(builder::sshConfig)
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("call sshConfig(…) first");
    }

    @Test
    void proxyJump_chain_passesTheWayOfTheFirstAloneAsSshDoes() {
        String config = """
                Host a
                HostName 10.0.0.2
                ProxyJump mid,u@last:2200
                Host mid
                HostName 10.0.0.1
                User m
                ProxyJump outer
                Host outer
                HostName 203.0.113.1
                Host last
                HostName 10.0.0.3
                ProxyJump elsewhere
                """;
        ExistingHosts hosts = builder(config)
                .identity(identity)
                .trustOnFirstUse()
                .host("a", "a")
                .build();

        assertThat(way(hosts, "a")).containsExactly("root@203.0.113.1:22", "m@10.0.0.1:22", "u@10.0.0.3:2200");
        assertThat(login(hosts, "a").jumpHosts())
                .extracting(JumpHost::name)
                .containsExactly("outer", "mid", "u@last:2200");
        assertThat(login(hosts, "a").jumpHosts()).allMatch(hop -> hop.login().trustOnFirstUse());
    }

    @Test
    void proxyJump_toAHostThatIsDeclared_isThatOneWithItsFingerprints() {
        String config = """
                Host a b
                ProxyJump bast
                Host bast
                HostName 203.0.113.1
                User j
                Host c
                ProxyJump other,bast
                """;
        ExistingHosts hosts = builder(config)
                .identity(identity)
                .trustOnFirstUse()
                .jumpHost("bastion", "bast", OTHER)
                .host("a", "a", KEY)
                .host("c", "c", KEY)
                .build();

        for (String name : List.of("a", "c")) {
            List<JumpHost> chain = login(hosts, name).jumpHosts();
            JumpHost last = chain.get(chain.size() - 1);
            assertThat(last.name()).isEqualTo("bastion");
            assertThat(last.login().hostKeys()).isEqualTo(Set.of(new HostKeyFingerprint(OTHER)));
        }
        assertThat(way(hosts, "c")).containsExactly("root@other:22", "j@203.0.113.1:22");
        assertThatThrownBy(() ->
                        builder(config).identity(identity).host("a", "a", KEY).build())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("no host key fingerprint is given for jump host bast (name it with jumpHost(…)");
    }

    @Test
    void through_saidHere_winsOverProxyJumpAndProxyCommand() {
        String config = "Host a\nProxyCommand nc %h %p\nHost b\nProxyJump x\n";
        ExistingHosts hosts = builder(config)
                .identity(identity)
                .jumpHost("bastion", "203.0.113.1", KEY)
                .through("bastion")
                .host("a", "a", KEY)
                .host("b", "b", access -> access.hostKeys(KEY).through())
                .build();
        assertThat(way(hosts, "a")).containsExactly("root@203.0.113.1:22");
        assertThat(way(hosts, "b")).isEmpty();

        ExistingHostsBuilder refused = builder(config).identity(identity).host("a", "a", KEY);
        assertThatThrownBy(refused::build)
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("config\" line 2: ProxyCommand is not supported");
    }

    @Test
    void proxyJump_inACircleOrMalformed_isRefusedNamingTheLine() {
        for (String config : List.of(
                "Host *\nProxyJump bast\n",
                "Host a\nProxyJump b\nHost b\nProxyJump a\n",
                "\nProxyJump \"quoted\"\n",
                "\nProxyJump x,,y\n",
                "\nProxyJump -oProxyCommand=x\n",
                "Host a\nProxyJump b\nHost b\nBindAddress 10.0.0.1\n",
                "Host a\nProxyJump " + "h,".repeat(20) + "h\n")) {
            ExistingHostsBuilder builder =
                    builder(config).identity(identity).trustOnFirstUse().host("a", "a");
            assertThatThrownBy(builder::build)
                    .as(config)
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageContaining("config\" line ")
                    .hasMessageContaining("a: ");
        }
    }

    @Test
    void host_whatIsNotSupported_isRefusedAtOnceNamingTheHost() {
        assertThatThrownBy(() -> builder("Host db\nAddressFamily inet6\n").host("db-1", "db", KEY))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("host db-1: ")
                .hasMessageContaining("config\" line 2: AddressFamily is not supported");
    }

    @Test
    void identityFile_ofTheFile_isUsedForItsHostAlone() {
        write("one_web", "key one");
        write("two", "key two");
        ExistingHosts hosts = builder(
                        "Host a\nHostName web\nIdentityFile ~/.ssh/one_%h\nIdentityFile %d/.ssh/two\nIdentityFile missing\n")
                .trustOnFirstUse()
                .host("a", "a")
                .build();

        List<Identity> identities = login(hosts, "a").identities();
        assertThat(identities).extracting(SshConfigHostsTest::key).containsExactly("key one", "key two");
        hosts.close();
        assertThatThrownBy(() -> key(identities.get(1))).isInstanceOf(InvalidSettingException.class);
        assertThatThrownBy(() -> builder("Host a\nIdentityFile /nowhere/key\n")
                        .trustOnFirstUse()
                        .host("a", "a")
                        .build())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("line 2: no IdentityFile for a is there");
        ExistingHosts explicit = builder("IdentityFile /nowhere/key\nPKCS11Provider /lib/x.so\nCertificateFile x\n")
                .trustOnFirstUse()
                .identity(identity)
                .host("a", "a")
                .build();
        assertThat(login(explicit, "a").identities()).isEmpty();
    }

    @Test
    void build_withoutUsualIdentity_needsOneOnlyWhereAHostHasNone() {
        write("one", "key one");
        String config = "Host a\nIdentityFile ~/.ssh/one\n";
        ExistingHosts hosts = builder(config).trustOnFirstUse().host("a", "a").build();
        assertThat(key(hosts.inventory().orElseThrow().identity())).isEqualTo("key one");
        assertThatThrownBy(() -> builder(config)
                        .trustOnFirstUse()
                        .host("a", "a")
                        .host("b", "b")
                        .build())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("there is no private key in");
        write("id_rsa", "usual");
        assertThat(key(builder(config)
                        .forget("b")
                        .build()
                        .inventory()
                        .orElseThrow()
                        .identity()))
                .isEqualTo("usual");
    }

    @Test
    void identity_encryptedOrUnsuitable_isRefusedOrOpenedWithThePassphrase() {
        write("locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA");
        write("key.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me");
        String locked = "IdentityFile ~/.ssh/locked\n";
        assertThatThrownBy(
                        () -> builder(locked).trustOnFirstUse().host("a", "a").build())
                .hasMessageContaining("is encrypted. Give its passphrase")
                .hasMessageEndingWith("[PG-1005]");
        ExistingHosts hosts = builder(locked)
                .trustOnFirstUse()
                .passphrase(Secret.of("open"))
                .host("a", "a")
                .build();
        assertThat(login(hosts, "a").identities().get(0).passphrase()).isPresent();
        for (String config : List.of(
                "IdentityFile ~/.ssh/key.pub",
                "PKCS11Provider /lib/x.so",
                "CertificateFile ~/.ssh/key.pub",
                "IdentityAgent /nowhere/agent",
                "IdentityAgent $PROMGUARD_NOT_SET",
                "IdentityFile ~other/key",
                "IdentityFile %C",
                "IdentityFile ${HOME}/key")) {
            assertThatThrownBy(() -> builder(config + '\n')
                            .trustOnFirstUse()
                            .host("a", "a")
                            .build())
                    .as(config)
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageStartingWith("a: ")
                    .hasMessageContaining("config\" line 1: ");
        }
    }

    @Test
    void identityAgent_ofTheFile_isUsedWithTheKeysNamed() {
        Path socket = write("agent", "");
        SshPublicKey publicKey = SshKeyPair.generate(new SecureRandom()).publicKey();
        write("token.pub", publicKey.line() + " me@here");
        write("plain", "a key");
        String config = """
                Host a
                IdentityFile ~/.ssh/token.pub
                Host b
                IdentityFile ~/.ssh/token
                Host c
                IdentityFile ~/.ssh/plain
                IdentitiesOnly yes
                Host d
                IdentityFile ~/.ssh/plain
                Host f
                IdentityAgent none
                IdentityFile ~/.ssh/plain
                Host *
                IdentityAgent ~/.ssh/agent
                """;
        ExistingHostsBuilder builder = builder(config).trustOnFirstUse();
        List.of("a", "b", "c", "d", "e", "f").forEach(name -> builder.host(name, name));
        ExistingHosts hosts = builder.build();

        for (String name : List.of("a", "b")) {
            assertThat(login(hosts, name).identities()).hasSize(1);
            assertThat(login(hosts, name).identities().get(0).agentKey()).contains(publicKey);
            assertThat(login(hosts, name).identities().get(0).agent()).contains(socket);
        }
        assertThat(login(hosts, "c").identities()).extracting(Identity::agent).containsExactly(Optional.empty());
        assertThat(login(hosts, "d").identities())
                .extracting(Identity::agent)
                .containsExactly(Optional.empty(), Optional.of(socket));
        assertThat(login(hosts, "e").identities()).extracting(Identity::agent).containsExactly(Optional.of(socket));
        assertThat(login(hosts, "f").identities()).extracting(Identity::agent).containsExactly(Optional.empty());
    }

    @Test
    void certificateFile_ofTheFile_goesWithTheKeyThatItIsFor() throws Exception {
        for (String name : List.of("ca", "one", "two")) {
            run(
                    "ssh-keygen",
                    "-q",
                    "-t",
                    "ed25519",
                    "-N",
                    "",
                    "-f",
                    folder.resolve(name).toString());
        }
        run(
                "ssh-keygen",
                "-q",
                "-s",
                folder.resolve("ca").toString(),
                "-I",
                "me",
                folder.resolve("two.pub").toString());
        Files.move(folder.resolve("two-cert.pub"), folder.resolve("elsewhere"));
        String files = "IdentityFile ~/.ssh/one\nIdentityFile ~/.ssh/two\n";
        ExistingHosts hosts = builder(files + "CertificateFile ~/.ssh/elsewhere\n")
                .trustOnFirstUse()
                .host("a", "a")
                .build();

        assertThat(login(hosts, "a").identities())
                .extracting(identity -> identity.certificate().isPresent())
                .containsExactly(false, true);
        Files.delete(folder.resolve("two.pub"));
        assertThatThrownBy(() -> builder(files + "CertificateFile ~/.ssh/elsewhere\n")
                        .trustOnFirstUse()
                        .host("a", "a")
                        .build())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("line 3: no IdentityFile for a is known to be that of CertificateFile");
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor()).isZero();
    }
}
