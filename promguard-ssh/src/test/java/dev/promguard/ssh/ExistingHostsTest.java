package dev.promguard.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Identity;
import dev.promguard.spi.InventoryContract;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Login;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExistingHostsTest extends InventoryContract {
    private static final String KEY = "SHA256:" + "a".repeat(43);
    private final Secret identity = Secret.of("a private key");
    private final Map<String, String> names = new java.util.HashMap<>();

    @TempDir
    Path folder;

    @Override
    protected CloudProvider provider() {
        return ExistingHosts.builder()
                .identity(identity)
                .trustOnFirstUse()
                .host("mon", "root@203.0.113.10")
                .host("db-1", "admin@203.0.113.20:2222", KEY)
                .build();
    }

    private ExistingHostsBuilder builder() {
        return ExistingHosts.builder().keyFolder(folder).resolver(name -> Optional.ofNullable(names.get(name)));
    }

    private static Login login(ExistingHosts hosts, String name) {
        return Objects.requireNonNull(hosts.inventory().orElseThrow().logins().get(name), name);
    }

    @ParameterizedTest
    @CsvSource({
        "203.0.113.10, root, 203.0.113.10, 22",
        "root@203.0.113.10, root, 203.0.113.10, 22",
        "admin@203.0.113.20:2222, admin, 203.0.113.20, 2222",
        "root@2001:db8::7, root, 2001:db8::7, 22",
        "root@[2001:db8::7], root, 2001:db8::7, 22",
        "a.b-c@[2001:DB8::7]:2200, a.b-c, 2001:db8::7, 2200",
        "root@Mon.Example.com, root, mon.example.com, 22",
        "mon:22, root, mon, 22",
        "root@::1, root, ::1, 22"
    })
    void host_everyForm_isReadAsMeant(String text, String user, String address, int port) {
        String resolved = Names.isAddress(address) ? address : "203.0.113.99";
        names.put(address, resolved);

        ExistingHosts hosts = builder().identity(identity).host("a", text, KEY).build();

        assertThat(login(hosts, "a").user()).isEqualTo(user);
        assertThat(login(hosts, "a").port()).isEqualTo(port);
        assertThat(hosts.list("shop")).extracting(CloudHost::publicAddress).containsExactly(Optional.of(resolved));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "root@",
                "@203.0.113.1",
                "root@203.0.113.1:",
                "root@203.0.113.1:0",
                "root@203.0.113.1:65536",
                "root@203.0.113.256",
                "root@203.0.113",
                "root@1",
                "root@fe80::1%eth0",
                "root@[203.0.113.1]",
                "root@:::1",
                "root@[2001:db8::7",
                "ro ot@203.0.113.1",
                "-oProxyCommand=x@203.0.113.1",
                "root@-host",
                "root@a..b",
                "root@$(id)",
                "root@host\nname",
                "a@b@c",
                "ssh://root@203.0.113.1"
            })
    void host_malformedLogin_isRefusedAtOnceNamingTheHost(String login) {
        assertThatThrownBy(() -> builder().host("db-1", login, KEY))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("host db-1: ")
                .message()
                .doesNotContain("\n");
    }

    @ParameterizedTest
    @CsvSource({"mon, true", "rack-7, false"})
    void preflight_hostThatIsNotNamed_saysSoAndHowToNameAMonitor(String region, boolean hinted) {
        ExistingHosts hosts =
                builder().identity(identity).host("mon", "203.0.113.10", KEY).build();

        List<String> problems = hosts.preflight(
                        List.of(new HostOrder("shop-monitor-1", region, "existing", "existing")))
                .problems();

        assertThat(problems)
                .containsExactly(
                        "the mesh has shop-monitor-1, and ExistingHosts names mon: give each host of the mesh an address"
                                + " with host(…), by the same name"
                                + (hinted ? ". monitor(\"mon\") takes a region: write namedMonitor(\"mon\")" : ""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "SHA256:short", "MD5:3b:16:bf", "SHA256:aaaa aaaa"})
    void host_malformedFingerprint_isRefusedAtOnce(String key) {
        assertThatThrownBy(() -> builder().host("db-1", "203.0.113.1", key))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("host db-1: not a host key fingerprint: ")
                .hasMessageContaining(": use ");
    }

    @Test
    void host_nameTwiceOrImpossible_isRefusedAtOnce() {
        assertThatThrownBy(() -> builder().host("a", "203.0.113.1", KEY).host("a", "203.0.113.2", KEY))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("host a is named twice");
        assertThatThrownBy(() -> builder().host("A b", "203.0.113.1", KEY))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("\"A b\"");
    }

    @Test
    void build_severalProblems_namesAllOfThem() {
        assertThatThrownBy(() -> builder()
                        .host("a", "203.0.113.1")
                        .host("b", "203.0.113.2", KEY)
                        .forget("b")
                        .build())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("no host key fingerprint is given for a: ")
                .hasMessageContaining("b is both named and said to be gone");
        assertThatThrownBy(() -> builder().build())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("no host is named");
    }

    @Test
    void build_trustOnFirstUse_leavesGivenFingerprintsBinding() {
        ExistingHosts hosts = builder()
                .identity(identity)
                .trustOnFirstUse()
                .host("a", "203.0.113.1")
                .host("b", "203.0.113.2", KEY)
                .build();

        assertThat(login(hosts, "a").trustOnFirstUse()).isTrue();
        assertThat(login(hosts, "b").trustOnFirstUse()).isFalse();
        assertThat(login(hosts, "b").hostKeys()).isEqualTo(Set.of(new HostKeyFingerprint(KEY)));
    }

    @Test
    void build_noIdentityGiven_takesTheFirstUsualOneOrSaysWhatToGive() throws Exception {
        ExistingHostsBuilder builder = builder().host("a", "203.0.113.1", KEY);
        assertThatThrownBy(builder::build)
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("identity(…)");
        Files.writeString(folder.resolve("id_rsa"), "rsa");
        Files.writeString(folder.resolve("id_ed25519"), "ed25519");

        String key = builder.build()
                .inventory()
                .orElseThrow()
                .identity()
                .key()
                .orElseThrow()
                .useText(text -> text);

        assertThat(key).isEqualTo("ed25519");
    }

    private static Secret identity(ExistingHosts hosts) {
        return hosts.inventory().orElseThrow().identity().key().orElseThrow();
    }

    @Test
    void close_identityReadFromAFile_isClearedForThisProviderAlone() throws Exception {
        ExistingHostsBuilder builder = builder()
                .identity(Files.writeString(folder.resolve("key"), "a key in a file"))
                .host("mon", "203.0.113.10", KEY);
        ExistingHosts one = builder.build();
        try (ExistingHosts other = builder.build()) {
            one.close();
            one.close();

            assertThatThrownBy(() -> identity(one).use(bytes -> bytes.length))
                    .isInstanceOf(InvalidSettingException.class);
            String stillThere = identity(other).useText(text -> text);
            assertThat(stillThere).isEqualTo("a key in a file");
        }
    }

    @Test
    void close_identityThatWasGiven_staysItsOwners() {
        builder().identity(identity).host("mon", "203.0.113.10", KEY).build().close();

        String stillThere = identity.useText(text -> text);
        assertThat(stillThere).isEqualTo("a private key");
    }

    @Test
    void identity_fileThatCannotBeRead_isRefusedAtOnce() throws Exception {
        assertThatThrownBy(() -> builder().identity(folder.resolve("none")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("none");
        assertThatThrownBy(() -> builder().identity(Files.createFile(folder.resolve("empty"))))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("empty");
    }

    @Test
    void await_nameThatResolvesToNothing_saysSoAndIsReadyOnceItDoes() {
        ExistingHosts hosts =
                builder().identity(identity).host("a", "mon.example.com", KEY).build();
        assertThat(hosts.list("shop")).extracting(CloudHost::status).containsExactly(CloudHost.Status.OFF);
        assertThat(hosts.await("shop", Set.of("a"), Duration.ofSeconds(1))
                        .missing()
                        .get("a"))
                .contains("no address was found for mon.example.com");

        names.put("mon.example.com", "203.0.113.9");

        assertThat(hosts.await("shop", Set.of("a"), Duration.ofSeconds(1)).ready())
                .hasSize(1);
    }

    @Test
    void list_nameOfThisMachine_isResolvedByTheSystem() {
        ExistingHosts hosts = ExistingHosts.builder()
                .identity(identity)
                .host("a", "localhost", KEY)
                .build();

        assertThat(hosts.list("shop").get(0).publicAddress().orElseThrow()).isIn("127.0.0.1", "::1");
    }

    @Test
    void list_nameThatCannotExist_hasNoAddress() {
        ExistingHosts hosts = ExistingHosts.builder()
                .identity(identity)
                .host("a", "nowhere.invalid", KEY)
                .build();

        assertThat(hosts.list("shop").get(0).publicAddress()).isEmpty();
    }

    private static List<String> way(ExistingHosts hosts, String name) {
        return login(hosts, name).jumpHosts().stream().map(JumpHost::name).toList();
    }

    @Test
    void through_hostsAndJumpHosts_givesEachHostItsWayInOrder() {
        ExistingHosts hosts = builder()
                .identity(identity)
                .jumpHost("outer", "jump@gate.example.com:2222", KEY)
                .jumpHost("inner", "10.0.0.1", jump -> jump.hostKeys(KEY).through("outer"))
                .through("inner")
                .host("mon", "203.0.113.1", host -> host.hostKeys(KEY).through())
                .host("db-1", "10.0.0.2", KEY)
                .host("db-2", "10.0.0.3", host -> host.hostKeys(KEY).through("outer", "inner"))
                .host("db-3", "10.9.0.3", host -> host.hostKeys(KEY).through("mon"))
                .host("db-4", "10.9.0.4", host -> host.hostKeys(KEY).through("db-1"))
                .build();

        assertThat(way(hosts, "mon")).isEmpty();
        assertThat(way(hosts, "db-1")).containsExactly("outer", "inner");
        assertThat(way(hosts, "db-2")).containsExactly("outer", "inner");
        assertThat(way(hosts, "db-3")).containsExactly("mon");
        assertThat(way(hosts, "db-4")).containsExactly("outer", "inner", "db-1");
        JumpHost outer = login(hosts, "db-1").jumpHosts().get(0);
        assertThat(outer.title()).isEqualTo("jump host outer (gate.example.com:2222)");
        assertThat(outer.login().user()).isEqualTo("jump");
        assertThat(JumpHost.paths(login(hosts, "db-1").jumpHosts()))
                .containsExactly("gate.example.com:2222", "gate.example.com:2222/10.0.0.1:22");
    }

    @Test
    void build_wayThatDoesNotExist_namesEveryProblem() {
        assertThatThrownBy(() -> builder()
                        .identity(identity)
                        .jumpHost("bastion", "203.0.113.1")
                        .jumpHost("a", "10.0.0.1", jump -> jump.hostKeys(KEY).through("b"))
                        .jumpHost("b", "10.0.0.2", jump -> jump.hostKeys(KEY).through("a"))
                        .host("db-1", "10.0.0.3", host -> host.hostKeys(KEY).through("nowhere"))
                        .host("db-2", "10.0.0.4", host -> host.hostKeys(KEY).through("a"))
                        .host("db-3", "10.0.0.5", host -> host.hostKeys(KEY).through("db-3"))
                        .build())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("no host key fingerprint is given for jump host bastion: ")
                .hasMessageContaining("db-1 is reached through nowhere, which is not named")
                .hasMessageContaining("b is reached through a, which is on the way to itself")
                .hasMessageContaining("db-3 is reached through db-3, which is on the way to itself");
    }

    @Test
    void jumpHost_malformedOrNamedTwice_isRefusedAtOnce() {
        assertThatThrownBy(() -> builder().jumpHost("bastion", "ro ot@203.0.113.1", KEY))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("jump host bastion: ");
        assertThatThrownBy(() -> builder().host("a", "203.0.113.1", KEY).jumpHost("a", "203.0.113.2", KEY))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("jump host a is named twice");
        assertThatThrownBy(() -> builder().through("a", "a"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("comes twice");
    }

    @Test
    void access_identityOfItsOwn_isUsedForThatHostAloneAndClosedWithTheProvider() throws Exception {
        Path file = Files.writeString(folder.resolve("other"), "another key");
        ExistingHosts hosts = builder()
                .identity(identity)
                .jumpHost("bastion", "203.0.113.1", jump -> jump.hostKeys(KEY).identity(file))
                .host("a", "10.0.0.2", host -> host.hostKeys(KEY).through("bastion"))
                .build();

        assertThat(login(hosts, "a").identities()).isEmpty();
        Identity own = login(hosts, "a").jumpHosts().get(0).login().identities().get(0);
        String key = own.key().orElseThrow().useText(text -> text);
        assertThat(key).isEqualTo("another key");
        assertThat(own.source()).isEqualTo(file.toString());
        hosts.close();
        assertThatThrownBy(() -> own.key().orElseThrow().use(bytes -> bytes.length))
                .isInstanceOf(InvalidSettingException.class);
        String stillThere = identity.useText(text -> text);
        assertThat(stillThere).isEqualTo("a private key");
    }

    @ParameterizedTest
    @CsvSource({
        "id_ed25519.pub, ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me, it is a public key",
        "id-cert.pub, ssh-ed25519-cert-v01@openssh.com AAAAIHNz me, it is a certificate",
        "key.pub, ---- BEGIN SSH2 PUBLIC KEY ----, it is a public key",
        "known_hosts, db.example.com ssh-ed25519 AAAAC3Nz, it lists public keys"
    })
    void identity_fileThatIsNoPrivateKey_isRefusedAtOnceNamingTheFileAndTheWayOut(String name, String text, String what)
            throws Exception {
        Path file = Files.writeString(folder.resolve(name), text);
        for (Consumer<ExistingHostsBuilder> setter : List.<Consumer<ExistingHostsBuilder>>of(
                builder -> builder.identity(file),
                builder -> builder.host("a", "203.0.113.1", host -> host.identity(file)))) {
            assertThatThrownBy(() -> setter.accept(builder()))
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining(what)
                    .hasMessageContaining(". Give ")
                    .hasMessageEndingWith(". [PG-1005]");
        }
    }

    @Test
    void build_usualIdentityThatIsNoPrivateKey_isRefusedToo() throws Exception {
        Files.writeString(folder.resolve("id_ed25519"), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me");

        assertThatThrownBy(() -> builder().host("a", "203.0.113.1", KEY).build())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("it is a public key. Give the private key")
                .hasMessageEndingWith("[PG-1005]");
    }

    @Test
    void build_encryptedKeyWithoutPassphrase_isRefusedBeforeAnyHostIsContacted() throws Exception {
        Path file = Files.writeString(folder.resolve("locked"), "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA");
        ExistingHostsBuilder general = builder().identity(file).host("a", "203.0.113.1", KEY);
        ExistingHostsBuilder own = builder()
                .identity(identity)
                .host("a", "203.0.113.1", host -> host.hostKeys(KEY).identity(file));
        for (ExistingHostsBuilder builder : List.of(general, own)) {
            assertThatThrownBy(builder::build)
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageContaining(file + "\" is encrypted. Give its passphrase")
                    .hasMessageEndingWith("[PG-1005]");
        }
        general.passphrase(Secret.of("open sesame")).build().close();
    }

    @Test
    void agent_ofAllHostsOrOfOne_isUsedWithTheKeyThatIsNamed() throws Exception {
        Path one = Files.createFile(folder.resolve("one"));
        Path other = Files.createFile(folder.resolve("other"));
        SshPublicKey key = SshKeyPair.generate(new SecureRandom()).publicKey();
        ExistingHosts hosts = builder()
                .agent(one)
                .host("a", "203.0.113.1", KEY)
                .host(
                        "b",
                        "203.0.113.2",
                        host -> host.hostKeys(KEY)
                                .agentKey(key.line() + " me@here")
                                .agent(other))
                .build();

        Identity all = hosts.inventory().orElseThrow().identity();
        assertThat(all.agent()).contains(one);
        assertThat(all.agentKey()).isEmpty();
        assertThat(all.key()).isEmpty();
        Identity own = login(hosts, "b").identities().get(0);
        assertThat(own.agent()).contains(other);
        assertThat(own.agentKey()).contains(key);
        assertThat(all.copy().agent()).contains(one);
        hosts.close();
        assertThatThrownBy(() -> builder().agent(folder.resolve("none")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("none\". Start one, or give the socket")
                .hasMessageEndingWith("[PG-1006]");
    }

    @Test
    void toString_hostsAndTheirBuilder_nameTheHosts() {
        ExistingHostsBuilder builder =
                builder().host("mon", "root@203.0.113.10", KEY).host("db-1", "203.0.113.20", KEY);

        assertThat(builder).hasToString("ExistingHostsBuilder[db-1, mon]");
        assertThat(builder.identity(identity).build()).hasToString("ExistingHosts[db-1, mon]");
    }
}
