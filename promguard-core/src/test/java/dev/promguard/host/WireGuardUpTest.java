package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.Mesh;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.keys.PublicKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What {@code wg-quick up} does with the configuration. wg-quick is the real one; wg, ip and iptables are stand-ins that write down how
 * they are called.
 */
@Timeout(120)
class WireGuardUpTest {
    private static final Path WG_QUICK = Path.of("/usr/bin/wg-quick");
    private static final String MONITOR = "shop-monitor-1";
    private static final String UP_TO_THE_KEYS = "ip link set mtu 1420 up dev wg0";

    @TempDir
    Path folder;

    private record Ran(int exitCode, String output, List<String> calls) {
        List<String> callsOf(String start) {
            return calls.stream().filter(call -> call.startsWith(start)).toList();
        }
    }

    @BeforeEach
    void programs() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "wg-quick wants root");
        assumeTrue(Files.isExecutable(WG_QUICK), "needs wg-quick, of the package wireguard-tools");
        // wg-quick looks for programs beside itself first.
        Path bin = Files.createDirectory(folder.resolve("bin"));
        Files.copy(WG_QUICK, bin.resolve("wg-quick"));
        program(bin.resolve("wg"), "if [ \"$1\" = show ]; then cat FOLDER/\"$3\"; fi");
        program(bin.resolve("ip"), """
                case $* in
                    'link show dev wg0') exit 1 ;;
                    'route get '*) echo 'x via 192.0.2.1 dev eth0' ;;
                    'link show dev eth0') echo '2: eth0: mtu 1500' ;;
                    '-4 route show default') cat FOLDER/default ;;
                    '-6 route show default') exit 2 ;;
                esac""");
        program(bin.resolve("iptables"), "");
        Files.createDirectories(folder.resolve("net/eth0"));
        wayOut("default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.9", 1500);
    }

    private void program(Path file, String code) throws IOException {
        String log = "printf '%s %s\\n' \"${0##*/}\" \"$*\" >>FOLDER/calls\n";
        Files.writeString(file, ("#!/bin/sh\n" + log + code + "\n").replace("FOLDER", folder.toString()));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void wayOut(String route, int mtu) throws IOException {
        Files.writeString(folder.resolve("default"), route + "\n");
        Files.writeString(folder.resolve("net/eth0/mtu"), mtu + "\n");
    }

    private static WireGuardInterface monitorOf(int nodes, boolean presharedKeys) {
        Blueprint blueprint = Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(nodes)
                .presharedKeys(presharedKeys)
                .blueprint();
        Map<String, PublicKey> keys = new LinkedHashMap<>();
        Map<String, String> addresses = new LinkedHashMap<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            byte[] key = new byte[32];
            key[0] = (byte) keys.size();
            key[31] = 1;
            keys.put(host.name(), new PublicKey(Base64.getEncoder().encodeToString(key)));
            addresses.put(host.name(), "203.0.113." + keys.size());
        }
        return new Renderer().render(blueprint, MONITOR, addresses, keys).wireGuard();
    }

    /** Writes what lies on a host where the interface is to come up. */
    private void write(WireGuardInterface wireGuard) throws IOException {
        Path config = folder.resolve("wg0.conf");
        Files.deleteIfExists(config);
        Files.createFile(config, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(
                config,
                wireGuard
                        .config()
                        .content()
                        .replace("/etc/wireguard/", folder + "/")
                        .replace("/sys/class/net/", folder + "/net/"));
        Files.createDirectories(folder.resolve("wg0.psk"));
        StringBuilder endpoints = new StringBuilder();
        StringBuilder allowedIps = new StringBuilder();
        for (WireGuardInterface.Peer peer : wireGuard.peers()) {
            if (peer.presharedKeyPath().isPresent()) {
                Files.writeString(keyFile(peer), "a preshared key\n");
            }
            endpoints
                    .append(peer.publicKey())
                    .append('\t')
                    .append(peer.endpoint().orElseThrow())
                    .append('\n');
            allowedIps
                    .append(peer.publicKey())
                    .append('\t')
                    .append(String.join(" ", peer.allowedIps()))
                    .append('\n');
        }
        Files.writeString(folder.resolve("endpoints"), endpoints);
        Files.writeString(folder.resolve("allowed-ips"), allowedIps);
    }

    private Path keyFile(WireGuardInterface.Peer peer) {
        return folder.resolve("wg0.psk/" + peer.name());
    }

    private Ran up() throws Exception {
        Path calls = folder.resolve("calls");
        Files.deleteIfExists(calls);
        Process process = new ProcessBuilder(
                        folder.resolve("bin/wg-quick").toString(),
                        "up",
                        folder.resolve("wg0.conf").toString())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Ran(process.exitValue(), output, Files.readAllLines(calls));
    }

    @Test
    void up_meshOfAnySize_startsAsManyPrograms() throws Exception {
        List<Integer> counts = new ArrayList<>();
        for (int nodes : List.of(1, 9)) {
            write(monitorOf(nodes, true));
            Ran ran = up();
            assertThat(ran.exitCode()).as(ran.output()).isZero();
            assertThat(ran.callsOf("wg set ")).hasSize(1);
            counts.add(ran.calls().size());
        }

        assertThat(counts.get(1)).isEqualTo(counts.get(0));
    }

    @Test
    void config_meshOfAnySize_hasTheSameSectionForTheInterface() {
        List<String> sections = List.of(monitorOf(1, true), monitorOf(9, true), monitorOf(9, false)).stream()
                .map(wireGuard ->
                        wireGuard.config().content().split("\n\\[Peer]", 2)[0].strip())
                .toList();

        assertThat(sections).containsOnly(sections.get(0));
        assertThat(sections.get(0).lines().filter(line -> line.startsWith("PostUp") && line.contains("key")))
                .hasSize(1);
    }

    @Test
    void up_everyKeyThere_setsAllOfThemInOneCallAndNamesFilesOnly() throws Exception {
        WireGuardInterface wireGuard = monitorOf(3, true);
        write(wireGuard);

        Ran ran = up();

        assertThat(ran.callsOf("wg set "))
                .containsExactly("wg set wg0 private-key " + folder + "/wg0.key "
                        + wireGuard.peers().stream()
                                .map(peer -> "peer " + peer.publicKey() + " preshared-key " + keyFile(peer))
                                .collect(Collectors.joining(" ")));
        assertThat(String.join("\n", ran.calls()) + ran.output()).doesNotContain("a preshared key");
    }

    @Test
    void up_noPresharedKeys_setsThePrivateKey() throws Exception {
        write(monitorOf(3, false));

        Ran ran = up();

        assertThat(ran.exitCode()).as(ran.output()).isZero();
        assertThat(ran.callsOf("wg set ")).containsExactly("wg set wg0 private-key " + folder + "/wg0.key");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void up_presharedKeyOfOnePeerMissingOrEmpty_takesTheInterfaceAway(boolean missing) throws Exception {
        WireGuardInterface wireGuard = monitorOf(3, true);
        write(wireGuard);
        Path key = keyFile(wireGuard.peers().get(1));
        if (missing) {
            Files.delete(key);
        } else {
            Files.writeString(key, "");
        }

        Ran ran = up();

        assertThat(ran.exitCode()).isNotZero();
        assertThat(ran.output()).contains(key + " holds no preshared key");
        assertThat(ran.callsOf("wg set "))
                .as("no peer gets a key, so none is spoken to")
                .isEmpty();
        assertThat(ran.calls()).contains(UP_TO_THE_KEYS).endsWith("ip link delete dev wg0");
    }

    @ParameterizedTest
    @CsvSource({
        "default via 192.0.2.1 dev eth0, 1500, ''",
        "default via 192.0.2.1 dev eth0, 9000, ''",
        "default via 192.0.2.1 dev eth0, 1450, 1370",
        "default via 192.0.2.1 dev eth0 mtu 1400, 1500, 1320",
        "default via 192.0.2.1 dev eth0 mtu lock 1400, 1500, 1320",
        "default via 192.0.2.1 dev gone0, 1450, ''",
        "'', 1450, ''"
    })
    void up_wayOutOfSmallerPackets_lowersTheMtu(String route, int mtu, String lowered) throws Exception {
        write(monitorOf(1, true));
        wayOut(route, mtu);

        Ran ran = up();

        assertThat(ran.exitCode()).as(ran.output()).isZero();
        assertThat(ran.calls()).contains(UP_TO_THE_KEYS);
        assertThat(ran.callsOf("ip link set dev"))
                .isEqualTo(lowered.isEmpty() ? List.of() : List.of("ip link set dev wg0 mtu " + lowered));
    }
}
