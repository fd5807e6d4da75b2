package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ApplyException;
import dev.promguard.ApplyReport;
import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.HostException;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.MeshEvent;
import dev.promguard.MeshListener;
import dev.promguard.Plan;
import dev.promguard.examples.localcloud.Api;
import dev.promguard.examples.localcloud.ContractWatch;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.ssh.SshApplier;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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

/**
 * Somebody answers at a droplet's address in its place, at every moment at which the library connects to it; and a droplet is no longer
 * what it was: rebuilt from its image, as with DigitalOcean's own button, or its address given to somebody else.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ImpostorIT {
    private static final String NODE = "shop-node-1";
    private static final Duration TIMEOUT = Duration.ofMinutes(2);
    private static final String LOGINS = "journalctl -u ssh --no-pager | grep -c 'Accepted publickey' || :";

    @RegisterExtension
    static final ContractWatch CONTRACT = ContractWatch.ofAll();

    @TempDir
    static Path state;

    private LocalCloud cloud;

    @BeforeAll
    void start() {
        cloud = Clouds.start(CONTRACT);
    }

    @AfterAll
    void close() {
        if (cloud != null) {
            cloud.close();
        }
    }

    private MeshBuilder spec() {
        return Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(1, "lon1")
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(3)))
                .provider(cloud.provider())
                .state(state);
    }

    private LocalDroplet monitor() {
        return cloud.droplet("shop-monitor-1");
    }

    private LocalDroplet node() {
        return cloud.droplet(NODE);
    }

    private static String fingerprint(LocalDroplet host) {
        return Clouds.run(host, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
                .split(" ", -1)[1];
    }

    private static MeshListener at(String step, Runnable then) {
        return event -> {
            if (event.host().equals(Optional.of(NODE))
                    && event.step().equals(step)
                    && event.state() == MeshEvent.State.STARTED) {
                then.run();
            }
        };
    }

    /** Applies, and insists that the node is refused, with both fingerprints in the message, and that the monitor is done. */
    private HostOutcome assertRefused(Mesh mesh, String shown, String accepted, Status status) {
        ApplyException failure = catchThrowableOfType(ApplyException.class, mesh::apply);
        assertThat(failure).as("an apply in an impostor's presence").isNotNull();
        System.out.println(failure.getMessage());
        assertThat(failure).hasMessageContaining(shown).hasMessageContaining(accepted);
        List<HostOutcome> hosts = failure.report().hosts();
        assertThat(hosts.get(0).status().ok()).isTrue();
        assertThat(hosts.get(1).status()).isEqualTo(status);
        assertThat(hosts.get(1).failure())
                .isInstanceOfSatisfying(
                        HostException.class,
                        e -> assertThat(e.refusedHostKey().orElseThrow().text()).isEqualTo(shown));
        return hosts.get(1);
    }

    /** Rebuilds a droplet from its image, past PromGuard. */
    private void rebuild(LocalDroplet droplet) throws IOException, InterruptedException {
        Api api = new Api(cloud.endpoint(), cloud.token());
        String actions = "v2/droplets/" + droplet.id() + "/actions";
        long rebuild = api.post(actions, "{\"type\":\"rebuild\",\"image\":\"debian-12-x64\"}")
                .body()
                .at("/action/id")
                .asLong();
        Clouds.await(
                "the rebuild",
                TIMEOUT,
                () -> api.quietly(actions + "/" + rebuild)
                        .at("/action/status")
                        .asText()
                        .equals("completed"));
    }

    @Test
    @Order(1)
    void apply_impostorAtTheFirstConnection_isRefusedBeforeAByteOfSecret() {
        try (Impostor impostor = Impostor.withOwnKey(cloud)) {
            Mesh mesh = spec().listener(at("connect over SSH", () -> impostor.standInFor(node())))
                    .build();
            ApplyException failure = catchThrowableOfType(ApplyException.class, mesh::apply);
            System.out.println(failure.getMessage());
            Clouds.run(node(), "cloud-init status --wait >/dev/null");

            assertThat(failure)
                    .hasMessageContaining(impostor.fingerprint())
                    .hasMessageContaining(fingerprint(node()))
                    .hasMessageContaining("Nothing was sent to it");
            assertThat(failure.report().hosts())
                    .extracting(HostOutcome::status)
                    .containsExactly(Status.CHANGED, Status.FAILED);
            impostor.assertSawNothing();
        }
        assertThat(Clouds.run(node(), LOGINS)).isEqualTo("0");
        assertThat(Clouds.run(monitor(), "wg show wg0 peers"))
                .as("peers of the monitor")
                .isEmpty();
    }

    @Test
    @Order(2)
    void apply_impostorGone_finishes() {
        String bootstrapKey = fingerprint(node());

        assertThat(spec().apply().ok()).isTrue();

        assertThat(spec().build().verify().failures()).isEmpty();
        assertThat(fingerprint(node())).isNotEqualTo(bootstrapKey);
    }

    @Test
    @Order(3)
    void everyVerb_impostorInAKnownHostsPlace_isRefusedAndTheMeshIsUntouched() {
        Map<String, String> before = Clouds.startTimes(List.of(monitor(), node()));
        String logins = Clouds.run(node(), LOGINS);
        String shown;
        try (Impostor impostor = Impostor.withOwnKey(cloud)) {
            impostor.standInFor(node());
            shown = impostor.fingerprint();

            assertRefused(spec().build(), shown, fingerprint(node()), Status.FAILED);
            Plan plan = spec().build().plan();
            assertThat(plan.entries()).extracting(Plan.Entry::kind).containsExactly(Plan.Kind.KEEP, Plan.Kind.UNKNOWN);
            assertThat(plan.toString()).contains(shown, fingerprint(node()));
            impostor.standInFor(monitor());
            assertThatThrownBy(() -> spec().build().openPrometheus())
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining(shown)
                    .hasMessageContaining(fingerprint(monitor()));
            assertThat(spec().build().verify().ok()).isFalse();
            impostor.assertSawNothing();
        }
        assertThat(Clouds.startTimes(List.of(monitor(), node()))).isEqualTo(before);
        assertThat(Clouds.run(node(), LOGINS)).isEqualTo(logins);
        assertThat(spec().build().plan().isEmpty()).isTrue();
    }

    @Test
    @Order(4)
    void apply_impostorWithTheBootstrapKeyOnceTheOwnIsPinned_isRefused() {
        String stolen = Clouds.run(
                node(), "sed -n '/BEGIN OPENSSH/,/END OPENSSH/s/^ *//p' /var/lib/cloud/instance/user-data.txt");
        try (Impostor impostor = Impostor.withKey(cloud, stolen + "\n")) {
            impostor.standInFor(node());

            HostOutcome outcome =
                    assertRefused(spec().build(), impostor.fingerprint(), fingerprint(node()), Status.FAILED);

            assertThat(outcome.failure()).hasMessageContaining("the bootstrap host key that it was created with");
            impostor.assertSawNothing();
        }
    }

    @Test
    @Tag("long")
    @Order(5)
    void apply_impostorAtTheConfirmation_isRefusedAndTheHostRollsBack() {
        Clouds.run(node(), "ufw --force delete allow in on wg0 from 10.0.0.1 to 10.0.0.2 port 9100 proto tcp");
        try (Impostor impostor = Impostor.withOwnKey(cloud)) {
            Mesh mesh = spec().applier(SshApplier.builder()
                            .rollbackAfter(Duration.ofSeconds(15))
                            .build())
                    .listener(at("reconnect", () -> impostor.standInFor(node())))
                    .build();

            assertRefused(mesh, impostor.fingerprint(), fingerprint(node()), Status.UNKNOWN);

            impostor.assertSawNothing();
        }
        Clouds.await(
                "the rollback",
                TIMEOUT,
                () -> node().exec("test", "-e", "/var/lib/promguard/rolled-back")
                        .ok());
        assertThat(Clouds.run(node(), "ufw status")).contains("Status: active").doesNotContain("9100");
        ApplyReport report = spec().apply();
        assertThat(report.hosts().get(1).changes())
                .containsExactly(
                        "remove what an earlier run left: /var/lib/promguard/rolled-back",
                        "ufw: allow 9100/tcp on wg0 from 10.0.0.1");
        assertThat(spec().build().verify().failures()).isEmpty();
    }

    @Test
    @Order(6)
    void apply_bootstrapKeyWithoutARebuild_isRefusedBeforeALogin() {
        String key = "/etc/ssh/ssh_host_ed25519_key";
        Clouds.run(
                node(),
                "cp -p " + key + " /root/own && cp -p " + key + ".pub /root/own.pub"
                        + " && sed -n '/BEGIN OPENSSH/,/END OPENSSH/s/^ *//p' /var/lib/cloud/instance/user-data.txt > "
                        + key
                        + " && ssh-keygen -yf " + key + " > " + key + ".pub && systemctl restart ssh");
        String before = Clouds.run(node(), LOGINS);

        assertThatThrownBy(() -> spec().apply())
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining("the bootstrap host key that it was created with")
                .hasMessageContaining("has completed no rebuild of it");

        assertThat(Clouds.run(node(), LOGINS)).isEqualTo(before);
        Clouds.run(node(), "mv /root/own " + key + " && mv /root/own.pub " + key + ".pub && systemctl restart ssh");
        assertThat(spec().build().plan().isEmpty()).isTrue();
    }

    @Test
    @Tag("long")
    @Order(7)
    void apply_rebuiltNode_setsItUpAgainAndRestartsNothingElse() throws Exception {
        Mesh mesh = spec().build();
        Map<String, String> before = Clouds.startTimes(List.of(monitor()));
        String oldKey = Clouds.run(node(), "wg show wg0 public-key");
        ApplyReport report;
        try (Watcher watcher = new Watcher(cloud)) {
            rebuild(node());
            Plan plan = mesh.plan();
            System.out.println(plan);
            assertThat(plan.toString()).contains(NODE, "it was rebuilt");
            report = mesh.apply(plan);
            assertThat(watcher.closed()).isPositive();
            assertThat(watcher.opened()).isEmpty();
        }
        System.out.println("after a rebuild: " + report);

        assertThat(report.ok()).isTrue();
        assertThat(Clouds.run(node(), "wg show wg0 public-key")).isNotEqualTo(oldKey);
        assertThat(Clouds.run(monitor(), "wg show wg0 peers"))
                .as("the one peer of the monitor")
                .isEqualTo(Clouds.run(node(), "wg show wg0 public-key"));
        assertThat(Clouds.startTimes(List.of(monitor()))).isEqualTo(before);
        mesh.verify().orThrow();
        assertThat(mesh.plan().isEmpty()).isTrue();
    }

    @Test
    @Tag("long")
    @Order(8)
    void apply_addressOfALostHostGivenToAStranger_leavesTheStrangerAlone() {
        String address = node().publicAddress();
        CloudProvider account = cloud.provider();
        account.delete("shop", Set.of(Long.toString(node().id())), TIMEOUT);
        CloudHost stranger;
        try (SshKeyPair theirs = SshKeyPair.generate(new SecureRandom());
                Secret nothing = Secret.of("#cloud-config\n")) {
            AccessKey key = account.registerAccessKey("others", theirs.publicKey());
            stranger = account.create(new CreateOrder(
                            "others",
                            "a1",
                            "node",
                            List.of("stranger"),
                            "lon1",
                            "s-1vcpu-1gb",
                            "debian-12-x64",
                            key,
                            nothing))
                    .get(0);
            account.await("others", Set.of(stranger.id()), TIMEOUT);
        }
        assertThat(cloud.droplet("stranger").publicAddress()).isEqualTo(address);
        Clouds.run(cloud.droplet("stranger"), "cloud-init status --wait >/dev/null");

        ApplyReport report = spec().apply();

        assertThat(report.hosts().get(1).changes()).startsWith("create");
        assertThat(node().publicAddress()).isNotEqualTo(address);
        assertThat(Clouds.run(cloud.droplet("stranger"), "journalctl -u ssh --no-pager | grep -c Connection || :"))
                .as("connections to the stranger")
                .isEqualTo("0");
        assertThat(spec().build().verify().failures()).isEmpty();
    }
}
