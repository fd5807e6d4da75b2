package dev.promguard.examples.localcloud;

import static dev.promguard.examples.localcloud.KernelCloud.OWN_KERNEL;
import static dev.promguard.examples.localcloud.KernelCloud.SHARED_KERNEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.ApplyReport;
import dev.promguard.Mesh;
import dev.promguard.Progress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A mesh on machines whose kernel has WireGuard itself. The local cloud's machines share this machine's kernel, which may have none,
 * and wireguard-go stands in then: here nothing can.
 *
 * <p>It is not part of an ordinary run. On amd64, as root:
 *
 * <pre>{@code
 * apt-get install qemu-system-x86 e2fsprogs openssh-client
 * mvn verify -Pkernel-wireguard
 * }</pre>
 *
 * <p>The monitor and a node run under QEMU with Debian's own cloud kernel, without KVM if there is none; then it takes some minutes. A
 * second node, which comes and goes, is a machine as the local cloud has them.
 */
@Tag("kernel-wireguard")
class KernelWireGuardIT {
    private static final String KINDS = "ip -details -oneline link show wg0";

    private Path state = Path.of("");

    /** Runs a command on a host, past PromGuard. */
    private String run(String address, String script) {
        return Command.of(
                        "ssh",
                        "-i",
                        state.resolve("kernel/id_ed25519").toString(),
                        "-o",
                        "BatchMode=yes",
                        "-o",
                        "StrictHostKeyChecking=no",
                        "-o",
                        "UserKnownHostsFile=/dev/null",
                        "-o",
                        "LogLevel=ERROR",
                        "root@" + address,
                        script)
                .timeout(Duration.ofMinutes(1))
                .check()
                .stdout()
                .strip();
    }

    /** What changes when a host's interface or units are started anew. */
    private String lives(String address) {
        return run(
                address,
                "cat /sys/class/net/wg0/ifindex; systemctl show -p ActiveEnterTimestampMonotonic wg-quick@wg0 node_exporter");
    }

    /** The bytes that a host got from a peer, from zero again when the peer was taken off in between. */
    private long received(String address, String peer) {
        return Long.parseLong(run(address, "wg show wg0 transfer | grep -F '" + peer + "' | cut -f2"));
    }

    /** Takes everything away that PromGuard keeps in the kernel's tables. */
    private static final String FLUSH = """
            for tables in iptables ip6tables; do $tables -P INPUT ACCEPT; $tables -F; $tables -t raw -F; done
            ip rule show | sed -n '/from all lookup local/!s/^0:[[:space:]]*//p' | while read -r rule; do
                eval "ip rule delete priority 0 $rule"
            done
            """;

    /**
     * Where no packet filter and no routing rule is left, systemd still drops what does not come from the mesh: a host here has control
     * groups of the second version, as droplets have, and a kernel that lets systemd do that.
     */
    private void assertExportersAnswerTheMeshAlone(KernelCloud cloud, String node, String tunnelAddress) {
        run(node, FLUSH);
        try (Outsider outsider = cloud.outsider()) {
            List<String> fetch = List.of(
                    "sh",
                    "-c",
                    "ip route replace " + tunnelAddress + " via " + node
                            + " && curl -s -m 5 -o /dev/null -w '%{http_code}' http://" + tunnelAddress
                            + ":9100/metrics");
            String[] command = fetch.toArray(String[]::new);

            assertThat(outsider.exec(command).stdout()).as("from outside").isEqualTo("000");

            run(
                    node,
                    "mkdir -p /run/systemd/system/node_exporter.service.d && printf '[Service]\\nIPAddressDeny=\\n'"
                            + " >/run/systemd/system/node_exporter.service.d/open.conf && systemctl daemon-reload"
                            + " && systemctl restart node_exporter");
            Await.until(
                    Duration.ofMinutes(1),
                    "the exporter to answer",
                    () -> outsider.exec(command).stdout().equals("200"));
            run(
                    node,
                    "rm -r /run/systemd/system/node_exporter.service.d && systemctl daemon-reload"
                            + " && systemctl restart node_exporter");
        }
    }

    @Test
    void mesh_onKernelsWithWireGuard_livesFromTheFirstApplyToTheDestroy() {
        Support support = LocalCloud.support();
        assumeTrue(support.okOnceInstalled(), () -> "no local cloud can run here: " + support);
        assumeTrue(
                System.getProperty("os.arch").equals("amd64") && Files.exists(Path.of("/usr/bin/qemu-system-x86_64")),
                "this needs an amd64 machine with Debian's qemu-system-x86");
        LocalCloud.installMissing(System.out::println);
        try (KernelCloud cloud = new KernelCloud()) {
            state = cloud.folder();
            Mesh mesh = Mesh.builder()
                    .name("kernel")
                    .monitor(host -> host.region("here").image(OWN_KERNEL))
                    .node("one", host -> host.region("here").image(OWN_KERNEL))
                    .provider(cloud)
                    .state(state)
                    .sshTimeout(Duration.ofMinutes(10))
                    .listener(Progress.console())
                    .build();

            ApplyReport first = mesh.apply();

            System.out.println("first apply: " + first);
            assertThat(first.ok()).isTrue();
            String monitor = first.hosts().get(0).publicAddress().orElseThrow();
            String one = first.hosts().get(1).publicAddress().orElseThrow();
            for (String address : new String[] {monitor, one}) {
                assertThat(run(address, KINDS))
                        .containsPattern("\\bwireguard\\b")
                        .doesNotContain("tun type");
                assertThat(run(address, "pgrep -l wireguard-go || command -v wireguard-go || echo none"))
                        .isEqualTo("none");
            }
            mesh.verify().orThrow();
            assertThat(mesh.apply().changes()).as("of a second apply").isZero();

            assertExportersAnswerTheMeshAlone(cloud, one, "10.0.0.2");
            mesh.apply();
            mesh.verify().orThrow();

            String lives = lives(monitor) + lives(one);
            String peer = run(one, "wg show wg0 public-key");
            long before = received(monitor, peer);
            assertThat(before).isPositive();
            ApplyReport grown = mesh.toBuilder()
                    .node("two", host -> host.region("here").image(SHARED_KERNEL))
                    .build()
                    .apply();
            assertThat(grown.ok()).isTrue();
            assertThat(run(monitor, "wg show wg0 peers").lines()).hasSize(2);
            assertThat(lives(monitor) + lives(one)).isEqualTo(lives);
            long between = received(monitor, peer);
            assertThat(between).isGreaterThan(before);

            ApplyReport shrunk = mesh.toBuilder().allowRemoval().apply();

            assertThat(shrunk.removed()).containsExactly("two");
            assertThat(run(monitor, "wg show wg0 peers")).isEqualTo(peer);
            assertThat(lives(monitor) + lives(one)).isEqualTo(lives);
            assertThat(received(monitor, peer)).isGreaterThan(between);
            mesh.verify().orThrow();

            assertThat(mesh.destroy().removed()).hasSize(2);
        }
    }
}
