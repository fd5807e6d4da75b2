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
import dev.promguard.MeshEvent;
import dev.promguard.MeshListener;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Release;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.ContractWatch;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.LocalRelease;
import dev.promguard.examples.localcloud.Outsider;
import dev.promguard.keys.Secret;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong, does so in words, costs nothing that was done, and is made good by the next apply. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Order(5)
class FaultsIT {
    /** The build tries the fifth of the moments, and with {@code -Plong} each. */
    private static final int EVERY = Integer.getInteger("promguard.every", 5);

    private static final List<String> MOMENTS = List.of(
            "order it from",
            "wait until active",
            "install ufw",
            "ufw: deny what no rule admits",
            "start node_exporter",
            "replace the bootstrap");

    @RegisterExtension
    static final ContractWatch CONTRACT = ContractWatch.ofAll();

    @TempDir
    static Path state;

    private LocalCloud cloud;
    private Outsider outsider;

    @BeforeAll
    void start() {
        cloud = Clouds.startBare(CONTRACT);
        outsider = cloud.outsider();
    }

    @AfterAll
    void close() {
        if (cloud != null) {
            cloud.close();
        }
    }

    private MeshBuilder spec() {
        return Mesh.builder()
                .name("faulty")
                .monitor("tor1")
                .nodes(1)
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(3)))
                .provider(cloud.provider())
                .state(state)
                .sshTimeout(Duration.ofSeconds(25));
    }

    private LocalDroplet node(int number) {
        return cloud.droplet("faulty-node-" + number);
    }

    /** Does something to a node's machine once its first boot is over, before anybody has connected to it. */
    private MeshListener onceBooted(String name, String mischief) {
        return onceAt(name, "connect over SSH", () -> {
            Clouds.await(
                    "the first boot",
                    Duration.ofMinutes(3),
                    () -> cloud.droplet(name)
                            .exec("cloud-init", "status", "--wait")
                            .ok());
            Clouds.run(cloud.droplet(name), mischief);
        });
    }

    private static MeshListener onceAt(String name, String step, Runnable mischief) {
        return event -> {
            if (event.host().equals(Optional.of(name))
                    && event.step().equals(step)
                    && event.state() == MeshEvent.State.STARTED) {
                mischief.run();
            }
        };
    }

    /** What went wrong on a host, as the report has it. */
    private static HostException failure(ApplyException failure, String host) {
        return (HostException) failure.report().hosts().stream()
                .filter(outcome -> outcome.name().equals(host))
                .flatMap(outcome -> Optional.ofNullable(outcome.failure()).stream())
                .findFirst()
                .orElseThrow();
    }

    private void assertNextApplyFinishes(Mesh mesh) {
        ApplyReport report = mesh.apply();
        assertThat(report.ok()).isTrue();
        assertThat(cloud.droplets())
                .extracting(LocalDroplet::name)
                .containsExactlyInAnyOrderElementsOf(mesh.blueprint().hosts().stream()
                        .map(host -> host.name())
                        .toList());
        assertThat(mesh.verify().failures()).isEmpty();
        assertThat(Clouds.open(outsider, cloud.droplets(), 9100, 9090)).isEmpty();
    }

    @Test
    @Order(0)
    void apply_unknownRegionSizeAndImage_namesAllOfThemAndMakesNothing() {
        Mesh mesh = spec().addMonitor("tor9")
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
    @Order(0)
    void apply_wrongToken_saysSoAndMakesNothing() {
        Secret wrong = Secret.of("dop_v1_wrong");
        Mesh mesh = spec().provider(DigitalOcean.builder()
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
    @Order(0)
    void apply_apiDown_saysWhereAndWhatToDo() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        Mesh mesh = spec().provider(DigitalOcean.builder()
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
    @Tag("long")
    @Order(1)
    void apply_aptFailsAndSshRefused_namesEachAndTheNextApplyFinishes() {
        MeshListener breakApt = onceAt(
                "faulty-node-1",
                "change the host",
                () -> Clouds.run(
                        node(1),
                        "mv /usr/bin/apt-get /usr/bin/apt-get.real;"
                                + " printf '#!/bin/sh\\necho E: Unable to fetch some archives >&2; exit 100\\n' >/usr/bin/apt-get;"
                                + " chmod 755 /usr/bin/apt-get"));
        MeshListener refuse = onceBooted("faulty-node-2", "systemctl mask --now ssh.service ssh.socket");
        MeshBuilder spec = spec().nodes(2);

        ApplyException failure = catchThrowableOfType(
                ApplyException.class,
                () -> spec.listener(event -> {
                            breakApt.on(event);
                            refuse.on(event);
                        })
                        .build()
                        .apply());

        System.out.println(failure.getMessage());
        assertThat(failure.report().hosts())
                .extracting(ApplyReport.HostOutcome::status)
                .containsExactly(ApplyReport.Status.CHANGED, ApplyReport.Status.FAILED, ApplyReport.Status.FAILED);
        assertThat(failure)
                .hasMessageContaining("faulty-node-1 (" + node(1).publicAddress() + ")")
                .hasMessageContaining("faulty-node-2 (" + node(2).publicAddress() + ")")
                .hasMessageContaining("1 of 3 hosts are done");

        assertThat(failure(failure, "faulty-node-1").step()).isEqualTo("install ufw, wireguard-tools");
        assertThat(failure(failure, "faulty-node-1")).hasMessageContaining("Unable to fetch some archives");
        assertThat(failure(failure, "faulty-node-2").step()).isEqualTo("connect");

        Clouds.run(node(1), "mv /usr/bin/apt-get.real /usr/bin/apt-get");
        Clouds.run(node(2), "systemctl unmask ssh.service ssh.socket; systemctl start ssh");
        assertNextApplyFinishes(spec.listener(event -> {}).build());
        spec().build().destroy();
        assertThat(cloud.droplets()).isEmpty();
    }

    @Test
    @Order(2)
    void apply_killedAtOneStepAfterAnother_isFinishedByTheNextWithoutDoubles() throws Exception {
        try (Watcher watcher = new Watcher(cloud).knowing(spec().build().blueprint())) {
            // MeshMomentsTest tries every moment without machines.
            for (int number = EVERY; number <= MOMENTS.size(); number += EVERY) {
                String moment = MOMENTS.get(number - 1);
                ApplyAndDie.at(moment, cloud, state, Duration.ofMinutes(2));
                assertThat(Clouds.open(outsider, cloud.droplets(), 9100, 9090))
                        .as(moment)
                        .isEmpty();
                assertThat(watcher.opened()).as(moment).isEmpty();
            }

            assertNextApplyFinishes(spec().build());
            assertThat(watcher.opened()).isEmpty();
            assertThat(watcher.probes()).hasSize(2 * 4 * 2).allMatch(probe -> probe.closed() > 100);
        }
    }

    @Test
    @Order(3)
    void apply_upgradeWithAWrongChecksum_failsBeforeUnpackingAndTheOldOneRunsOn() {
        LocalRelease newer = Clouds.release(cloud.nextReleases(), "node_exporter");
        Release lying = new Release(
                newer.name(),
                newer.version(),
                cloud.releaseMirror(),
                Map.of(Architecture.AMD64, "0".repeat(64), Architecture.ARM64, "0".repeat(64)));
        Map<String, String> times = Clouds.startTimes(cloud.droplets());

        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> spec().nodeExporter(lying).build().apply());

        assertThat(failure(failure, "faulty-node-1").step()).isEqualTo("install node_exporter " + newer.version());
        assertThat(failure)
                .hasMessageContaining("sha256 is " + newer.sha256() + ", wanted " + "0".repeat(64))
                .hasMessageContaining("faulty-node-1 (" + node(1).publicAddress() + ")");
        assertThat(failure.report().hosts()).hasSize(2);
        for (LocalDroplet host : cloud.droplets()) {
            assertThat(Clouds.run(host, "ls -A /opt/promguard"))
                    .contains("node_exporter-")
                    .doesNotContain(newer.version(), ".new.");
        }
        assertThat(Clouds.startTimes(cloud.droplets())).isEqualTo(times);
        assertThat(spec().build().plan().isEmpty())
                .as("nothing is owed, for nothing was changed")
                .isTrue();
        assertNextApplyFinishes(spec().build());
    }
}
