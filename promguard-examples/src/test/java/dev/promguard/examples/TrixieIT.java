package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.ApplyReport;
import dev.promguard.Mesh;
import dev.promguard.Progress;
import dev.promguard.examples.localcloud.ContractWatch;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A mesh of a Debian 12 monitor and a Debian 13 node. The second base image is built for it on the first run. */
class TrixieIT {
    private static final Duration COMES_BACK = Duration.ofSeconds(60);

    @RegisterExtension
    static final ContractWatch CONTRACT = ContractWatch.ofAll();

    @TempDir
    static Path state;

    @Test
    void mesh_ofBothDebians_livesFromTheFirstApplyToTheDestroy() {
        try (LocalCloud cloud = Clouds.start(CONTRACT)) {
            Mesh mesh = Mesh.builder()
                    .name("mixed")
                    .monitor("tor1")
                    .node("new", host -> host.region("lon1").image("debian-13-x64"))
                    .provider(cloud.provider())
                    .state(state)
                    .listener(Progress.console())
                    .build();

            ApplyReport first = mesh.apply();

            System.out.println("first apply: " + first);
            assertThat(first.ok()).isTrue();
            LocalDroplet node = cloud.droplet("new");
            assertThat(Clouds.run(node, "cat /etc/debian_version")).startsWith("13.");
            mesh.verify().orThrow();
            assertThat(mesh.apply().changes()).as("of a second apply").isZero();
            assertThat(Clouds.run(node, "systemd-analyze verify node_exporter.service 2>&1"))
                    .isEmpty();
            assertThat(Clouds.run(node, "wg-quick strip wg0")).contains("ListenPort = 51820");

            int boots = node.boots();
            node.reboot();
            Clouds.await("a boot", COMES_BACK, () -> node.boots() > boots);
            // The monitor goes on with the old session until no answer has come for 15 seconds (WireGuard's KEEPALIVE +
            // REKEY_TIMEOUT).
            Clouds.await("a new handshake", COMES_BACK, () -> {
                String handshakes = node.exec("wg", "show", "wg0", "latest-handshakes")
                        .stdout()
                        .strip();
                return !handshakes.isEmpty() && !handshakes.endsWith("\t0");
            });
            Clouds.await("targets up", COMES_BACK, () -> {
                Map<String, String> targets = Clouds.targets(cloud.droplet("mixed-monitor-1"));
                return targets.values().stream().allMatch("up"::equals);
            });
            assertThat(mesh.plan().isEmpty())
                    .as("nothing has to be put right after a reboot")
                    .isTrue();
            mesh.verify().orThrow();

            mesh.destroy();

            assertThat(cloud.droplets()).isEmpty();
        }
    }
}
