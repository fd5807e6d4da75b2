package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.SpecFile;
import dev.promguard.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script that writes WireGuard's metrics, run by a real shell with a wg that notes what it is asked. */
class WireGuardMetricsTest {
    private static final String STRANGER = "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=";

    @TempDir
    private Path folder;

    private Path metrics;
    private Path script;
    private DesiredHost host;

    @BeforeEach
    void write() throws IOException {
        SpecFile spec = SpecFile.parse("monitor mon tor1\nnode db lon1\nnode web lon1\npublic db 203.0.113.7");
        host = new Renderer().render(spec.blueprint(), "mon", spec.publicAddresses(), spec.publicKeys());
        metrics = folder.resolve("wireguard.prom");
        Path config = Files.writeString(
                folder.resolve("wg0.conf"), host.wireGuard().config().content());
        script = Files.writeString(
                folder.resolve("metrics.sh"),
                content()
                        .replace("/usr/local/sbin:", folder + ":/usr/local/sbin:")
                        .replace("/etc/wireguard/wg0.conf", config.toString())
                        .replace("/run/promguard-wireguard-metrics/wireguard.prom", metrics.toString()));
        wg("wg1 wg0", "", "");
    }

    private String content() {
        return host.files().stream()
                .filter(file -> file.path().endsWith("/wireguard-metrics.sh"))
                .findFirst()
                .orElseThrow()
                .content();
    }

    /** Has wg answer these, and refuse what is about keys. */
    private void wg(String interfaces, String handshakes, String transfer) throws IOException {
        Files.writeString(folder.resolve("interfaces"), interfaces + "\n");
        Files.writeString(folder.resolve("latest-handshakes"), handshakes);
        Files.writeString(folder.resolve("transfer"), transfer);
        Path wg = folder.resolve("wg");
        Files.deleteIfExists(wg);
        Files.createFile(wg, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Files.writeString(wg, """
                #!/bin/sh
                echo "$*" >>FOLDER/asked
                case "$*" in
                    'show interfaces') cat FOLDER/interfaces ;;
                    'show wg0 latest-handshakes') cat FOLDER/latest-handshakes ;;
                    'show wg0 transfer') cat FOLDER/transfer ;;
                    *) exit 1 ;;
                esac
                """.replace("FOLDER", folder.toString()));
    }

    private Tool.Answer run() throws IOException, InterruptedException {
        return Tool.orSkip("sh", "dash").run("", script.toString());
    }

    private static String key(String name) {
        return SpecFile.publicKey(name).base64();
    }

    @Test
    void run_peers_writesWhatWgSaysUnderTheNamesOfTheConfiguration() throws Exception {
        wg(
                "wg0",
                key("db") + "\t1700000000\n" + key("web") + "\t0\n" + STRANGER + "\t1700000123\n",
                key("db") + "\t123456789012345678\t42\n" + key("web") + "\t0\t148\n" + STRANGER + "\t7\t8\n");

        assertThat(run()).isEqualTo(new Tool.Answer(0, ""));

        assertThat(metrics).content().isEqualTo("""
                # HELP promguard_wireguard_latest_handshake_seconds When the last handshake with the peer was, in seconds since 1970; 0 if never.
                # TYPE promguard_wireguard_latest_handshake_seconds gauge
                promguard_wireguard_latest_handshake_seconds{interface="wg0",peer="db"} 1700000000
                promguard_wireguard_latest_handshake_seconds{interface="wg0",peer="web"} 0
                promguard_wireguard_latest_handshake_seconds{interface="wg0",peer="STRANGER"} 1700000123
                # HELP promguard_wireguard_received_bytes_total Bytes received from the peer.
                # TYPE promguard_wireguard_received_bytes_total counter
                promguard_wireguard_received_bytes_total{interface="wg0",peer="db"} 123456789012345678
                promguard_wireguard_received_bytes_total{interface="wg0",peer="web"} 0
                promguard_wireguard_received_bytes_total{interface="wg0",peer="STRANGER"} 7
                # HELP promguard_wireguard_sent_bytes_total Bytes sent to the peer.
                # TYPE promguard_wireguard_sent_bytes_total counter
                promguard_wireguard_sent_bytes_total{interface="wg0",peer="db"} 42
                promguard_wireguard_sent_bytes_total{interface="wg0",peer="web"} 148
                promguard_wireguard_sent_bytes_total{interface="wg0",peer="STRANGER"} 8
                """.replace("STRANGER", STRANGER));
        assertThat(Files.getPosixFilePermissions(metrics)).isEqualTo(PosixFilePermissions.fromString("rw-r--r--"));
        Tool.Answer lint = Tool.orSkip("promtool", "prometheus").run(Files.readString(metrics), "check", "metrics");
        assertThat(lint).isEqualTo(new Tool.Answer(0, ""));
    }

    @Test
    void run_anyTime_asksWgForNoKeyOfItsOwnAndNoPresharedOne() throws Exception {
        run();

        assertThat(folder.resolve("asked"))
                .hasContent("show interfaces\nshow wg0 latest-handshakes\nshow wg0 transfer\n");
    }

    @Test
    void run_noPeer_writesNoSample() throws Exception {
        assertThat(run()).isEqualTo(new Tool.Answer(0, ""));

        assertThat(Files.readAllLines(metrics)).hasSize(6).allMatch(line -> line.startsWith("# "));
    }

    @Test
    void run_interfaceDown_endsWellAndLeavesTheOldMetrics() throws Exception {
        Files.writeString(metrics, "old\n");
        wg("wg1 wg00", "", "");

        assertThat(run()).isEqualTo(new Tool.Answer(0, ""));

        assertThat(metrics).hasContent("old\n");
    }

    @Test
    void run_wgFails_failsAndLeavesTheOldMetrics() throws Exception {
        Files.writeString(metrics, "old\n");
        Files.delete(folder.resolve("transfer"));

        assertThat(run().exitCode()).isPositive();

        assertThat(metrics).hasContent("old\n");
    }

    @Test
    void run_configurationGone_failsAndLeavesTheOldMetrics() throws Exception {
        Files.writeString(metrics, "old\n");
        Files.delete(folder.resolve("wg0.conf"));

        assertThat(run().exitCode()).isPositive();

        assertThat(metrics).hasContent("old\n");
    }

    @Test
    void script_any_isCleanForShellcheck() throws Exception {
        Tool shellcheck = Tool.orSkip("shellcheck", "shellcheck");

        assertThat(shellcheck.run("", "-s", "sh", script.toString())).isEqualTo(new Tool.Answer(0, ""));
    }

    @Test
    void service_any_canReadNoKeyFile() {
        String service = host.files().stream()
                .filter(file -> file.path().endsWith("-metrics.service"))
                .findFirst()
                .orElseThrow()
                .content();

        assertThat(service)
                .contains("TemporaryFileSystem=/etc/wireguard:ro\nBindReadOnlyPaths=/etc/wireguard/wg0.conf\n");
    }
}
