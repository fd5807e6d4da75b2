package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.host.AuthorizedKeys;
import dev.promguard.host.AuthorizedKeys.KeysFact;
import dev.promguard.host.Change;
import dev.promguard.host.FactsByResource;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.FactsQuery.ResourceCall;
import dev.promguard.host.Membership;
import dev.promguard.host.Membership.MembershipFact;
import dev.promguard.host.NewKeys;
import dev.promguard.host.ResourceFacts;
import dev.promguard.host.ShellCall;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a host says from which a state is rebuilt, and the login keys that it admits, as a shell reads and writes them. */
class RecoveryFactsTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final String KEY = "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=";
    private static final SshPublicKey FIRST = key();
    private static final SshPublicKey SECOND = key();
    private static final String CONFIG =
            "# Kept by PromGuard for mesh shop: what is changed here by hand is put back by the next apply.\n"
                    + "[Interface]\nAddress = 10.0.0.1/24\nListenPort = 51820\n# Table\nTable = off\n"
                    + "\n[Peer]\n# shop-node-1\nPublicKey = " + KEY + "\n"
                    + "# PresharedKeyFile = /etc/wireguard/wg0.psk/shop-node-1\nEndpoint = 203.0.113.9:51820\nAllowedIPs = 10.0.0.2/32\n"
                    + "\n[Peer]\n# anna\nPublicKey = " + KEY + "\nAllowedIPs = 10.0.0.250/32\n";

    @TempDir
    Path folder;

    private Path wireGuard;
    private Path keys;

    private static SshPublicKey key() {
        try (SshKeyPair pair = SshKeyPair.generate(new SecureRandom())) {
            return pair.publicKey();
        }
    }

    @BeforeEach
    void name() throws IOException {
        wireGuard = Files.createDirectories(folder.resolve("wireguard"));
        keys = folder.resolve("root/.ssh/authorized_keys");
        Files.createDirectories(folder.resolve("root"));
    }

    /** What the pieces of shell say, without the nonce and the end, where the host's folders are this test's. */
    private String run(String... pieces) throws Exception {
        try (Script script = Script.begin(NONCE)) {
            script.shell(
                    "STATE=" + Script.quote(folder + "/state") + " MANIFEST=" + Script.quote(folder + "/state/before"));
            for (String piece : pieces) {
                script.shell(piece);
            }
            script.end();
            Path text = folder.resolve("script");
            Files.writeString(
                    text,
                    script.text()
                            .replace("/etc/wireguard", wireGuard.toString())
                            .replace("/root/.ssh", folder + "/root/.ssh"));
            Path out = folder.resolve("out");
            Process shell = new ProcessBuilder("sh", "-s")
                    .redirectInput(text.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            assertThat(shell.waitFor(60, TimeUnit.SECONDS)).isTrue();
            String said = Files.readString(out, UTF_8);
            assertThat(said).endsWith(NONCE + "\tend\n");
            return said.replace(NONCE + "\tend\n", "").replace(NONCE + "\t", "");
        }
    }

    private <T> T facts(ResourceFacts<T> resource) throws Exception {
        FactsQuery query = new FactsQuery(
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                "wg0",
                "/k",
                Map.of(),
                List.of(new ResourceCall(resource, List.of())));
        FactsByResource.Collector collector = new FactsByResource.Collector(query);
        for (String line : run(resource.function()).lines().toList()) {
            assertThat(line).startsWith("fact\t");
            collector.line(line.substring("fact\t".length()));
        }
        return collector.facts().of(resource);
    }

    private MembershipFact membership() throws Exception {
        return facts(Membership.FACTS);
    }

    private KeysFact admitted() throws Exception {
        return facts(AuthorizedKeys.FACTS);
    }

    private String apply(Change change) throws Exception {
        ShellCall call = change.call(NewKeys.NONE);
        String text = ((ShellCall.Input.Text) call.input()).text();
        return run("printf '%s' " + Script.quote(text) + " | base64 | { " + call.function()
                + " || say failed \"$WHY\"; }");
    }

    private void authorized(String text) throws IOException {
        Files.createDirectories(keys.getParent());
        Files.writeString(keys, text);
    }

    @Test
    void membership_hostWithoutAnything_saysNothing() throws Exception {
        assertThat(membership()).isEqualTo(MembershipFact.NONE);
        Files.writeString(wireGuard.resolve("wg0.conf"), "[Interface]\nAddress = 10.9.0.1/24\n");
        assertThat(membership()).isEqualTo(MembershipFact.NONE);
    }

    @Test
    void membership_configurationOfPromGuards_tellsMeshAddressAndPeers() throws Exception {
        Files.writeString(wireGuard.resolve("wg0.conf"), CONFIG);

        assertThat(membership())
                .isEqualTo(new MembershipFact(
                        Set.of("shop"),
                        Optional.of("wg0"),
                        Optional.of("10.0.0.1"),
                        List.of(
                                new Membership.Peer("shop-node-1", new PublicKey(KEY), "10.0.0.2"),
                                new Membership.Peer("anna", new PublicKey(KEY), "10.0.0.250"))));
    }

    @Test
    void membership_ipv6AndAnotherInterface_areRead() throws Exception {
        Files.writeString(
                wireGuard.resolve("mesh1.conf"),
                CONFIG.replace("10.0.0.1/24", "fd00:44::1/64").replace("10.0.0.2/32", "fd00:44::2/128"));

        assertThat(membership().interfaceName()).contains("mesh1");
        assertThat(membership().address()).contains("fd00:44::1");
        assertThat(membership().peers().get(0).address()).isEqualTo("fd00:44::2");
    }

    @Test
    void membership_manifestAndConfigurationOfTwoMeshes_namesBoth() throws Exception {
        Files.writeString(wireGuard.resolve("wg0.conf"), CONFIG);
        Files.createDirectories(folder.resolve("state/before"));
        Files.writeString(folder.resolve("state/before/mesh"), "bakery\n");
        Files.writeString(folder.resolve("state/before/things"), "unit wg-quick@wg0.service\n");

        assertThat(membership().meshes()).containsExactlyInAnyOrder("shop", "bakery");
        assertThat(membership().address()).contains("10.0.0.1");
    }

    @Test
    void authorizedKeys_noFile_admitsNobodyAndIsCreatedForOne() throws Exception {
        assertThat(admitted()).isEqualTo(KeysFact.NONE);

        assertThat(apply(new AuthorizedKeys.Write(List.of(FIRST), 1, 0))).isEmpty();

        assertThat(admitted()).isEqualTo(new KeysFact(Set.of(FIRST), Set.of(FIRST)));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(keys)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(keys.getParent())))
                .isEqualTo("rwx------");
    }

    @Test
    void authorizedKeys_linesOfOthers_stayAsTheyAre() throws Exception {
        String others = "# a note\n\nssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ== anna@build  7\n" + "from=\"10.0.0.0/8\" "
                + SECOND.line() + "\n" + SECOND.line() + " promguard-login-key of mine\n";
        authorized(others + FIRST.line() + " promguard-login-key\n");
        Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-r-----"));

        assertThat(admitted().login()).containsExactly(FIRST);
        assertThat(apply(new AuthorizedKeys.Write(List.of(), 0, 1))).isEmpty();

        assertThat(Files.readString(keys)).isEqualTo(others);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(keys)))
                .isEqualTo("rw-r-----");
        assertThat(admitted().login()).isEmpty();
        assertThat(admitted().all()).contains(SECOND);
    }

    /** Somebody converted the file: its lines are the same ones, and new ones end as they do. */
    @Test
    void authorizedKeys_fileInCrlf_knowsItsLinesAndKeepsTheirEnds() throws Exception {
        String others = "# a note\r\n" + SECOND.line() + "\r\n";
        authorized(others + FIRST.line() + " promguard-login-key\r\n");

        assertThat(admitted()).isEqualTo(new KeysFact(Set.of(FIRST), Set.of(FIRST, SECOND)));
        SshPublicKey third = key();
        assertThat(apply(new AuthorizedKeys.Write(List.of(third), 1, 1))).isEmpty();
        assertThat(Files.readString(keys)).isEqualTo(others + third.line() + " promguard-login-key\r\n");
        assertThat(apply(new AuthorizedKeys.Write(List.of(), 0, 1))).isEmpty();
        assertThat(Files.readString(keys)).isEqualTo(others);
    }

    @Test
    void authorizedKeys_lastLineWithoutItsEnd_isNotJoined() throws Exception {
        authorized(SECOND.line() + " anna");

        apply(new AuthorizedKeys.Write(List.of(FIRST), 1, 0));

        assertThat(Files.readString(keys))
                .isEqualTo(SECOND.line() + " anna\n" + FIRST.line() + " promguard-login-key\n");
    }

    @Test
    void authorizedKeys_meshKeyThatIsReplaced_leavesTheAdditionalOnes() throws Exception {
        authorized("");
        apply(new AuthorizedKeys.Write(List.of(FIRST), 1, 0));
        apply(new AuthorizedKeys.AdmitMesh(SECOND));
        SshPublicKey third = key();

        apply(new AuthorizedKeys.AdmitMesh(third));

        assertThat(admitted()).isEqualTo(new KeysFact(Set.of(FIRST), Set.of(FIRST, third)));
    }

    @Test
    void authorizedKeys_link_keepsItsPlace() throws Exception {
        Path real = folder.resolve("keys");
        Files.writeString(real, "");
        Files.createDirectories(keys.getParent());
        Files.createSymbolicLink(keys, real);

        apply(new AuthorizedKeys.Write(List.of(FIRST), 1, 0));

        assertThat(Files.isSymbolicLink(keys)).isTrue();
        assertThat(Files.readString(real)).isEqualTo(FIRST.line() + " promguard-login-key\n");
    }
}
