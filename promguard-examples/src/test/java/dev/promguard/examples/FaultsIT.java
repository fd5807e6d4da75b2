package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ApplyException;
import dev.promguard.ApplyReport;
import dev.promguard.HostException;
import dev.promguard.InvalidMeshException;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.MeshListener;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Release;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.LocalRelease;
import dev.promguard.examples.localcloud.Outsider;
import dev.promguard.keys.Secret;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong, does so in words, costs nothing that was done, and is made good by the next apply. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FaultsIT {
    @TempDir
    static Path state;

    private LocalCloud cloud;
    private Outsider outsider;

    @BeforeAll
    void start() {
        cloud = Clouds.start();
        outsider = cloud.outsider();
    }

    @AfterAll
    void close() {
        if (cloud != null) {
            cloud.close();
        }
    }

    @AfterEach
    void destroy() {
        wish().build().destroy();
        assertThat(cloud.droplets()).isEmpty();
    }

    private MeshBuilder wish() {
        return Mesh.builder()
                .name("faulty")
                .monitor("tor1")
                .nodes(1)
                .provider(cloud.provider())
                .state(state)
                .sshPatience(Duration.ofSeconds(25));
    }

    private LocalDroplet node() {
        return cloud.droplet("faulty-node-1");
    }

    /** Does something to the node's machine as soon as it is active, before anybody has connected to it. */
    private MeshListener onceActive(Runnable mischief) {
        return event -> {
            if (event.host().equals(Optional.of("faulty-node-1"))
                    && event.step().startsWith("active")) {
                mischief.run();
            }
        };
    }

    private MeshListener onceLookedAt(Runnable mischief) {
        return event -> {
            if (event.host().equals(Optional.of("faulty-node-1"))
                    && event.step().equals("looked at")) {
                mischief.run();
            }
        };
    }

    private static HostException hostFailure(ApplyException failure) {
        assertThat(failure.getCause()).isInstanceOf(HostException.class);
        return (HostException) failure.getCause();
    }

    private void assertNextApplyFinishes() {
        ApplyReport report = wish().build().apply();
        assertThat(report.ok()).isTrue();
        assertThat(cloud.droplets())
                .extracting(LocalDroplet::name)
                .containsExactlyInAnyOrder("faulty-monitor-1", "faulty-node-1");
        assertThat(wish().build().verify().failures()).isEmpty();
        assertThat(Clouds.open(outsider, cloud.droplets(), 9100, 9090)).isEmpty();
    }

    @Test
    void apply_unknownRegionSizeAndImage_namesAllOfThemAndMakesNothing() {
        Mesh mesh = wish().monitor("tor9")
                .size("s-1vcpu-1gbx")
                .image("debian-12-x65")
                .build();

        assertThatThrownBy(mesh::apply)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("\"tor9\" of faulty-monitor-2")
                .hasMessageContaining("tor1")
                .hasMessageContaining("s-1vcpu-1gb")
                .hasMessageContaining("debian-12-x64");
        assertThat(cloud.droplets()).isEmpty();
    }

    @Test
    void apply_wrongToken_saysSoAndMakesNothing() {
        Secret wrong = Secret.of("dop_v1_wrong");
        Mesh mesh = wish().provider(DigitalOcean.builder()
                        .endpoint(cloud.endpoint())
                        .token(wrong)
                        .build())
                .build();

        assertThatThrownBy(mesh::apply)
                .isInstanceOf(ProviderException.class)
                .hasMessageContaining("token")
                .hasMessageContaining("401")
                .hasMessageNotContaining("dop_v1_wrong");
    }

    @Test
    void apply_apiDown_saysWhereAndWhatToDo() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        Mesh mesh = wish().provider(DigitalOcean.builder()
                        .endpoint(URI.create("http://127.0.0.1:" + port + "/"))
                        .token(Secret.of("dop_v1_any"))
                        .build())
                .build();

        assertThatThrownBy(mesh::apply)
                .isInstanceOf(ProviderException.class)
                .hasMessageContaining("127.0.0.1")
                .hasMessageContaining("run again");
    }

    @Test
    void apply_wrongChecksum_failsBeforeUnpackingAndTheOtherHostIsKept() {
        LocalRelease served = served("node_exporter");
        Release lying = new Release(
                served.name(),
                served.version(),
                cloud.releaseMirror(),
                Map.of(Architecture.AMD64, "0".repeat(64), Architecture.ARM64, "0".repeat(64)));

        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> wish().nodeExporter(lying).build().apply());

        assertThat(hostFailure(failure).step()).isEqualTo("install node_exporter " + served.version());
        assertThat(failure)
                .hasMessageContaining("sha256 is " + served.sha256() + ", wanted " + "0".repeat(64))
                .hasMessageContaining("faulty-node-1 (" + node().publicAddress() + ")");
        assertThat(node().exec("sh", "-c", "ls /opt/promguard/*/node_exporter").ok())
                .isFalse();
        assertThat(failure.report().hosts()).hasSize(2);
        assertNextApplyFinishes();
    }

    @Test
    void apply_aptFails_namesHostAndStepAndTheNextApplyFinishes() {
        MeshListener breakApt = onceLookedAt(() -> Clouds.run(
                node(),
                "mv /usr/bin/apt-get /usr/bin/apt-get.real;"
                        + " printf '#!/bin/sh\\necho E: Unable to fetch some archives >&2; exit 100\\n' >/usr/bin/apt-get;"
                        + " chmod 755 /usr/bin/apt-get"));

        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> wish().listener(breakApt).build().apply());

        HostException cause = hostFailure(failure);
        assertThat(cause.host()).isEqualTo("faulty-node-1");
        assertThat(cause.step()).isEqualTo("install ufw, wireguard-tools");
        assertThat(cause).hasMessageContaining("Unable to fetch some archives");
        assertThat(failure.report().hosts())
                .extracting(ApplyReport.HostOutcome::status)
                .containsExactly(ApplyReport.Status.CHANGED, ApplyReport.Status.FAILED);
        Clouds.run(node(), "mv /usr/bin/apt-get.real /usr/bin/apt-get");
        assertNextApplyFinishes();
    }

    @Test
    void apply_sshRefused_givesUpInTimeAndTheNextApplyFinishes() {
        MeshListener refuse = onceActive(
                () -> Clouds.run(node(), "systemctl mask --now ssh.service ssh.socket; pkill -x sshd; true"));

        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> wish().listener(refuse).build().apply());

        HostException cause = hostFailure(failure);
        assertThat(cause.host()).isEqualTo("faulty-node-1");
        assertThat(cause.step()).isEqualTo("connect");
        assertThat(failure.report().hosts())
                .extracting(ApplyReport.HostOutcome::status)
                .containsExactly(ApplyReport.Status.CHANGED, ApplyReport.Status.FAILED);
        Clouds.run(node(), "systemctl unmask ssh.service ssh.socket; systemctl start ssh");
        assertNextApplyFinishes();
    }

    @Test
    void apply_anotherHostKey_isAHardStopWithBothFingerprints() {
        MeshListener impostor = onceActive(() -> {
            Clouds.await(
                    "the first boot",
                    Duration.ofSeconds(60),
                    () -> node().exec("cloud-init", "status", "--wait").ok());
            Clouds.run(
                    node(),
                    "mkdir -p /root/real && mv /etc/ssh/ssh_host_* /root/real/"
                            + " && ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key && systemctl restart ssh");
        });

        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> wish().listener(impostor).build().apply());

        String shown = Clouds.run(node(), "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
                .split(" ", -1)[1];
        String expected = Clouds.run(node(), "ssh-keygen -lf /root/real/ssh_host_ed25519_key.pub")
                .split(" ", -1)[1];
        assertThat(hostFailure(failure)).hasMessageContaining(shown).hasMessageContaining(expected);
        assertThat(node().exec("test", "-e", "/etc/wireguard").ok())
                .as("no secret was sent")
                .isFalse();
        Clouds.run(node(), "mv -f /root/real/* /etc/ssh/ && systemctl restart ssh");
        assertNextApplyFinishes();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "create 2 hosts",
                "created in",
                "looked at",
                "install ufw",
                "enable",
                "bring up",
                "replace the throwaway"
            })
    void apply_killedHalfWay_isFinishedByTheNextWithoutDoubles(String moment) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        ApplyAndDie.class.getName(),
                        cloud.endpoint().toString(),
                        cloud.token(),
                        state.toString(),
                        moment,
                        cloud.releaseMirror().toString(),
                        release("node_exporter"),
                        release("prometheus"))
                .redirectErrorStream(true)
                .start();
        StringBuilder output = new StringBuilder();
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                output.append(line).append('\n');
            }
        }
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output.toString()).isEqualTo(ApplyAndDie.DIED);
        List<LocalDroplet> left = cloud.droplets();
        assertThat(Clouds.open(outsider, left, 9100, 9090)).isEmpty();

        assertNextApplyFinishes();
    }

    private String release(String name) {
        LocalRelease release = served(name);
        return String.join(" ", release.name(), release.version(), release.arch(), release.sha256());
    }

    private LocalRelease served(String name) {
        return cloud.releases().stream()
                .filter(release -> release.name().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
