package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a host says of interfaces beside the mesh's, and which one a run takes for PromGuard's, in a network namespace of its own. */
@Timeout(120)
class InterfacesTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final String HEAD =
            "# Kept by PromGuard for mesh shop: what is changed here by hand is put back by the next apply.\n[Interface]\n";

    @TempDir
    Path folder;

    @BeforeEach
    void needsNamespaces() throws Exception {
        assumeTrue(
                new ProcessBuilder("unshare", "-n", "ip", "link").start().waitFor() == 0,
                "needs root, for a network namespace, and ip");
        Files.createDirectories(folder.resolve("wireguard"));
        Files.createDirectories(folder.resolve("state"));
    }

    private void config(String name, String text) throws Exception {
        Files.writeString(folder.resolve("wireguard/" + name + ".conf"), text);
    }

    private void record(String... things) throws Exception {
        Files.createDirectories(folder.resolve("state/before"));
        Files.writeString(folder.resolve("state/before/things"), String.join("\n", things) + "\n");
    }

    private String run(String... lines) throws Exception {
        String text;
        try (Script script = Script.begin(NONCE)) {
            script.shell("STATE=" + folder + "/state MANIFEST=" + folder + "/state/before");
            for (String line : lines) {
                script.shell(line);
            }
            text = script.end().text().replace("/etc/wireguard", folder + "/wireguard");
        }
        Process process = new ProcessBuilder("unshare", "-n", "sh", "-s")
                .redirectErrorStream(true)
                .start();
        try (var in = process.getOutputStream()) {
            in.write(text.getBytes(UTF_8));
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return out.replace(NONCE + "\t", "").replace('\t', ' ').strip().replaceFirst("\n?end$", "");
    }

    @Test
    void facts_nothingBesideTheMeshs_saysNothing() throws Exception {
        config("promguard0", HEAD);

        assertThat(run("wg() { :; }", "facts_interfaces promguard0")).isEmpty();
    }

    @Test
    void facts_configurationsOfOtherNames_sayWhichArePromGuards() throws Exception {
        config("promguard0", HEAD);
        config("wg0", HEAD);
        config("wg1", "[Interface]\n# Kept by PromGuard for mesh shop: no\n");
        config("wg2", "");
        config("wg3", HEAD.replace("shop", "bank").stripTrailing());

        assertThat(run("wg() { :; }", "facts_interfaces promguard0"))
                .isEqualTo("fact interfaces configured wg0 shop\nfact interfaces configured wg3 bank");
    }

    @Test
    void facts_interfaceOfTheName_sayItsKind() throws Exception {
        assertThat(run("ip link add promguard0 type veth", "facts_interfaces promguard0"))
                .isEqualTo("fact interfaces link other 1500");
        assertThat(run("ip tuntap add dev promguard0 mode tun", "facts_interfaces promguard0"))
                .isEqualTo("fact interfaces link tun 1500");
        assertThat(run("ip link add promguard01 type veth", "facts_interfaces promguard0"))
                .isEmpty();
    }

    @Test
    void facts_tunnelsOfOthers_sayPortAndNetworks() throws Exception {
        String wg =
                "wg() { case \"$*\" in 'show interfaces') echo 'wg0 promguard0 wg9' ;; 'show wg0 listen-port') echo 51820 ;;"
                        + " 'show wg0 allowed-ips') printf 'k1\\t10.9.0.2/32 fd00::/64\\nk2\\t(none)\\n' ;; *) return 1 ;; esac; }";

        assertThat(run(wg, "facts_interfaces promguard0"))
                .isEqualTo("fact interfaces tunnel wg0 51820\nfact interfaces leads wg0 10.9.0.2/32\n"
                        + "fact interfaces leads wg0 fd00::/64");
    }

    @Test
    void ownInterface_recordOrConfiguration_isNeverTheOwners() throws Exception {
        config("wg0", "[Interface]\n");
        assertThat(run("own_interface >&3")).isEmpty();

        config("promguard0", HEAD);
        assertThat(run("own_interface >&3")).isEqualTo("promguard0");

        record("unit wg-quick@pg7.service", "unit node_exporter.service");
        assertThat(run("own_interface >&3")).isEqualTo("pg7");
    }

    @Test
    void rollback_noInterface_leavesTheOwnersAlone() throws Exception {
        config("wg0", "[Interface]\n");
        Files.writeString(Files.createDirectories(folder.resolve("saved")).resolve("interface"), "\n");

        assertThat(run("saved=" + folder + "/saved", "systemctl() { echo \"systemctl $*\" >&3; }", "restore_wireguard"))
                .isEmpty();
        assertThat(folder.resolve("wireguard/wg0.conf")).exists();
    }

    @Test
    void undo_interfaceThatIsNotPromGuardsAnyMore_staysWithItsFiles() throws Exception {
        config("wg0", "[Interface]\n# mine\n");
        record(
                "unit wg-quick@wg0.service",
                "file " + folder + "/wireguard/wg0.conf",
                "file " + folder + "/wireguard/wg0.key",
                "file /etc/promguard/x");

        String said = run(
                "ip link add wg0 type veth",
                "systemctl() { echo \"systemctl $*\" >&3; }",
                "undo_wireguard",
                "ip -o link show dev wg0 >/dev/null && echo there >&3",
                "cat $MANIFEST/things >&3");

        assertThat(said)
                .isEqualTo(
                        "leftover wg0 with its files, for " + folder + "/wireguard/wg0.conf is not PromGuard's\nthere\n"
                                + "unit wg-quick@wg0.service\nfile /etc/promguard/x");
    }

    @Test
    void undo_recordedInterface_goesAndOthersStay() throws Exception {
        config("promguard0", HEAD);
        record("unit wg-quick@promguard0.service");

        String said = run(
                "ip link add wg0 type veth peer name a; ip link add promguard0 type veth peer name b",
                "systemctl() { case $* in *ActiveState*) echo inactive ;; *LoadState*) echo loaded ;; esac; }",
                "undo_wireguard",
                "ip -o link show type veth | sed 's/^[0-9]*: \\([a-z0-9]*\\)@.*/\\1/' | sort | xargs >&3");

        assertThat(said).isEqualTo("a wg0");
    }

    @Test
    void syncMtu_runningInterface_takesWhatTheConfigurationSays() throws Exception {
        String up = "ip link add wg0 mtu 1420 type veth";
        config("wg0", HEAD + "MTU = 1300\n");
        assertThat(run(up, "sync_mtu wg0", "ip -o link show dev wg0 | sed 's/.* mtu \\([0-9]*\\) .*/\\1/' >&3"))
                .isEqualTo("1300");

        config(
                "wg0",
                HEAD
                        + "MTU = 1420\nPostUp = for family in -4 -6; do echo 1380; done | sort -u | xargs -r ip link set dev %i mtu\n");
        assertThat(run(up, "sync_mtu wg0", "ip -o link show dev wg0 | sed 's/.* mtu \\([0-9]*\\) .*/\\1/' >&3"))
                .isEqualTo("1380");
    }

    @Test
    void facts_peers_sayTheirKeepalives() throws Exception {
        String wg =
                "wg() { case \"$*\" in 'show wg0 persistent-keepalive') printf 'k1=\\t25\\nk2=\\toff\\n' ;; *) return 1 ;; esac; }";

        assertThat(run(wg, "facts_interfaces wg0"))
                .isEqualTo("fact interfaces keepalive k1= 25\nfact interfaces keepalive k2= 0");
    }

    /** wg leaves alone what a configuration says nothing of. */
    @Test
    void synced_peerWithoutAKeepalive_saysSo() throws Exception {
        Files.writeString(folder.resolve("key"), "K\n");
        Path strip = Files.writeString(
                Files.createDirectories(folder.resolve("bin")).resolve("wg-quick"),
                "#!/bin/sh\nprintf '[Interface]\\nListenPort = 1\\n\\n[Peer]\\nPublicKey = a\\n\\n[Peer]\\nPublicKey = b\\n"
                        + "PersistentKeepalive = 25\\n'\n");
        assertThat(strip.toFile().setExecutable(true)).isTrue();

        assertThat(run("PATH=" + folder + "/bin:$PATH", "synced wg0 " + folder + "/key >&3"))
                .isEqualTo(
                        "[Interface]\nPrivateKey = K\nListenPort = 1\n\n[Peer]\nPersistentKeepalive = off\nPublicKey = a\n\n"
                                + "[Peer]\nPersistentKeepalive = off\nPublicKey = b\nPersistentKeepalive = 25");
    }
}
