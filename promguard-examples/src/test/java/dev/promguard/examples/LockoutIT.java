package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ApplyException;
import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.MeshEvent;
import dev.promguard.MeshListener;
import dev.promguard.Plan;
import dev.promguard.Progress;
import dev.promguard.examples.localcloud.ContractWatch;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.Outsider;
import dev.promguard.ssh.SshApplier;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
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

/** Changes after which nobody would get in any more: the host takes them back by itself, and the report says that it did. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Order(6)
class LockoutIT {
    private static final Duration TIMEOUT = Duration.ofMinutes(2);
    private static final String SCRAPE = "allow in on wg0 from 10.0.0.1 to 10.0.0.2 port 9100 proto tcp";
    private static final String ROLLED_BACK = "/var/lib/promguard/rolled-back";

    @RegisterExtension
    static final ContractWatch CONTRACT = ContractWatch.ofAll();

    @TempDir
    static Path state;

    private LocalCloud cloud;
    private Outsider outsider;
    private Watcher watcher;

    @BeforeAll
    void start() {
        cloud = Clouds.start(CONTRACT);
        outsider = cloud.outsider();
        watcher = new Watcher(cloud);
    }

    @AfterAll
    void close() {
        if (watcher != null) {
            watcher.close();
        }
        if (cloud != null) {
            cloud.close();
        }
    }

    private MeshBuilder spec(Duration rollbackAfter) {
        return Mesh.builder()
                .name("faulty")
                .monitor("tor1")
                .nodes(1)
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(3)))
                .provider(cloud.provider())
                .applier(SshApplier.builder().rollbackAfter(rollbackAfter).build())
                .listener(Progress.console())
                .state(state);
    }

    private MeshBuilder spec() {
        return spec(TIMEOUT);
    }

    private LocalDroplet monitor() {
        return cloud.droplet("faulty-monitor-1");
    }

    private LocalDroplet node() {
        return cloud.droplet("faulty-node-1");
    }

    private static void awaitRollback(LocalDroplet host) {
        Clouds.await(
                "the rollback of " + host.name(),
                TIMEOUT,
                () -> host.exec("test", "-e", ROLLED_BACK).ok());
        Clouds.await(
                "its end",
                TIMEOUT,
                () -> host.exec("test", "!", "-e", "/var/lib/promguard/rolling-back")
                        .ok());
    }

    /** Insists that a host can be reached by SSH, and that nothing else of it can: neither at its public nor at its mesh address. */
    private void assertOnlySshIsOpen(LocalDroplet host, String meshAddress) {
        assertThat(Clouds.open(outsider, List.of(host), 22, 9100, 9090)).containsExactly(host.publicAddress() + ":22");
        outsider.exec("ip", "route", "replace", meshAddress, "via", host.publicAddress());
        assertThat(Clouds.open(Clouds.from(outsider), List.of(meshAddress), List.of(9100, 9090)))
                .as("by way of the public address of %s", host.name())
                .isEmpty();
        outsider.exec("ip", "route", "delete", meshAddress);
    }

    private static String states(LocalDroplet host, String... units) {
        return Clouds.run(host, "systemctl is-active " + String.join(" ", units) + " | sort -u | tr '\\n' ' '");
    }

    private void assertAppliesAndHolds() {
        assertThat(spec().apply().ok()).isTrue();
        assertThat(spec().build().verify().failures()).isEmpty();
    }

    /**
     * The next apply connects while the rollback is under way, and so is shown the host key that the host gives up just then. Facts are
     * read when the rollback is over: that is the moment at which the host is looked at from outside too.
     */
    @Test
    @Order(1)
    void firstApply_controllerDiesAfterArming_hostsTakeEverythingBackAndTheNextApplyFinishes() throws Exception {
        ApplyAndDie.at("reconnect", cloud, state, Duration.ofSeconds(45));
        LocalDroplet armed = List.of(monitor(), node()).stream()
                .filter(host ->
                        host.exec("test", "-d", "/var/lib/promguard/rollback").ok())
                .findFirst()
                .orElseThrow();
        holdRollbackAtItsBegin(armed);
        String given = Clouds.run(armed, "cat /etc/ssh/ssh_host_ed25519_key.pub");
        CompletableFuture<Void> lookedAt = new CompletableFuture<>();
        MeshListener look = event -> {
            if (event.host().equals(Optional.of(armed.name()))
                    && event.step().equals("read the host")
                    && event.state() == MeshEvent.State.DONE) {
                lookedAt.completeAsync(
                        () -> {
                            assertTookEverythingBack(armed);
                            return null;
                        },
                        Runnable::run);
            }
        };

        CompletableFuture<Boolean> next = CompletableFuture.supplyAsync(
                () -> spec().listener(look).apply().ok());
        Clouds.await("a connection that waits for the rollback", TIMEOUT, () -> {
            assertThat(next).isNotDone();
            return armed.exec("sh", "-c", "[ $(pgrep -cx flock) -ge 3 ]").ok();
        });
        assertThat(Clouds.run(armed, "cat /etc/ssh/ssh_host_ed25519_key.pub"))
                .as("the key that this connection was shown")
                .isEqualTo(given);
        letGo(armed);

        assertThat(next.get(5, TimeUnit.MINUTES)).isTrue();
        lookedAt.get(0, TimeUnit.SECONDS);
        assertAppliesAndHolds();
    }

    /** Holds the lock that a run holds while it is at work, and waits until the rollback has begun and waits for it. */
    private static void holdRollbackAtItsBegin(LocalDroplet host) {
        Clouds.run(host, "systemd-run --quiet --unit=at-work flock /run/promguard.lock sleep 300");
        Clouds.await(
                "the rollback of " + host.name() + " to begin",
                TIMEOUT,
                () -> host.exec("test", "-d", "/var/lib/promguard/rolling-back").ok());
    }

    private static void letGo(LocalDroplet host) {
        Clouds.run(host, "systemctl stop at-work");
    }

    private void assertTookEverythingBack(LocalDroplet armed) {
        assertThat(armed.exec("test", "-e", ROLLED_BACK).ok()).isTrue();
        assertThat(Clouds.run(armed, "ufw status")).isEqualTo("Status: inactive");
        assertThat(states(armed, "node_exporter", "wg-quick@wg0"))
                .doesNotContain("active ")
                .contains("inactive");
        assertThat(armed.exec("test", "-e", "/etc/wireguard/wg0.key").ok()).isFalse();
        assertThat(armed.exec("ip", "link", "show", "wg0").ok()).isFalse();
        assertThat(Clouds.run(
                        armed, "systemctl list-unit-files --no-legend 'promguard-rollback*'; ls /etc/ssh/ssh_host_*"))
                .as("a timer left at boot, and the host keys of before")
                .doesNotContain("promguard-rollback")
                .contains("ssh_host_ed25519_key");
        assertThat(Clouds.run(armed, "cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub"))
                .isEqualTo(
                        Clouds.run(
                                armed,
                                "sed -n 's/.*ed25519_public: ssh-ed25519 \\([^ ]*\\).*/\\1/p' /var/lib/cloud/instance/user-data.txt"));
        assertOnlySshIsOpen(armed, armed.name().contains("monitor") ? "10.0.0.1" : "10.0.0.2");
    }

    /**
     * On the node a rule of somebody's is before PromGuard's; the SSH server of the monitor is behind a redirection, and its port is
     * closed only where the spec agrees.
     */
    @Test
    @Order(2)
    void apply_firewallWouldDropSsh_bothHostsTakeItBackAndSaySo() {
        Clouds.run(
                node(), "ufw --force disable && ufw insert 1 deny in on eth0 to any port 22 proto tcp comment theirs");
        Clouds.run(
                monitor(),
                "ufw --force disable && iptables -t nat -A PREROUTING -i eth0 -p tcp --dport 22 -j REDIRECT --to-ports 2222"
                        + " && printf 'Port 2222\\n' >/etc/ssh/sshd_config.d/port.conf && systemctl restart ssh");

        assertThat(spec().build().plan().problems())
                .singleElement()
                .satisfies(problem -> assertThat(problem.message())
                        .contains("ports 2222/tcp (sshd), 22/tcp (sent to port 2222) answer now"));
        ApplyException failure = catchThrowableOfType(
                ApplyException.class,
                () -> spec(Duration.ofSeconds(12))
                        .editHost("faulty-monitor-1", host -> host.closeOtherPorts(true))
                        .apply());

        System.out.println(failure.getMessage());
        System.out.println(failure.report());
        assertThat(failure.report().hosts())
                .extracting(HostOutcome::status)
                .containsOnly(Status.ROLLED_BACK)
                .hasSize(2);
        assertThat(failure).hasMessageContaining("the host has rolled back");
        for (LocalDroplet host : List.of(monitor(), node())) {
            assertThat(Clouds.run(host, "ufw status")).isEqualTo("Status: inactive");
            assertThat(states(host, "node_exporter"))
                    .as("it ran before, behind the kill switch, and does again")
                    .isEqualTo("active");
        }
        assertOnlySshIsOpen(node(), "10.0.0.2");
        assertOnlySshIsOpen(monitor(), "10.0.0.1");

        Clouds.run(node(), "ufw delete deny in on eth0 to any port 22 proto tcp");
        Clouds.run(
                monitor(),
                "rm /etc/ssh/sshd_config.d/port.conf && systemctl restart ssh && iptables -t nat -F PREROUTING");
        assertAppliesAndHolds();
    }

    @Test
    @Tag("long")
    @Order(3)
    void apply_confirmationComesLate_isRolledBackAndTheNextApplyFinishes() {
        Clouds.run(node(), "ufw --force delete " + SCRAPE);
        MeshListener late = event -> {
            if (event.host().equals(Optional.of("faulty-node-1"))
                    && event.step().equals("reconnect")) {
                awaitRollback(node());
            }
        };

        ApplyException failure = catchThrowableOfType(
                ApplyException.class,
                () -> spec(Duration.ofSeconds(8)).listener(late).apply());

        assertThat(failure.report().hosts())
                .extracting(HostOutcome::status)
                .containsExactly(Status.UNCHANGED, Status.ROLLED_BACK);
        assertThat(Clouds.run(node(), "ufw status")).contains("Status: active").doesNotContain("9100");
        assertThat(states(node(), "node_exporter")).as("it ran before").isEqualTo("active");
        assertOnlySshIsOpen(node(), "10.0.0.2");
        assertAppliesAndHolds();
    }

    /** The rollback ends as it does where a host goes down in it, and nothing on the host begins it again before the next boot. */
    @Test
    @Tag("long")
    @Order(4)
    void apply_hostWentDownInItsRollback_bringsItToItsEndFirst() throws Exception {
        Clouds.run(node(), "ufw --force delete " + SCRAPE);
        ApplyAndDie.at("reconnect", cloud, state, Duration.ofSeconds(12));
        assertThat(Clouds.run(node(), "ufw status")).contains("9100");
        holdRollbackAtItsBegin(node());
        Clouds.run(node(), "systemctl kill --signal=KILL promguard-rollback.service");
        letGo(node());
        assertThat(Clouds.run(node(), "ufw status")).contains("9100");

        Plan plan = spec().build().plan();

        assertThat(node().exec("test", "-e", ROLLED_BACK).ok()).isTrue();
        assertThat(Clouds.run(node(), "ufw status")).contains("Status: active").doesNotContain("9100");
        assertThat(plan.toString()).contains("ufw: allow 9100/tcp on wg0 from 10.0.0.1");
        assertAppliesAndHolds();
    }

    @Test
    @Order(5)
    void watcher_throughAllOfThis_foundNoPortOpen() {
        assertThat(watcher.closed()).isPositive();
        assertThat(watcher.opened()).isEmpty();
    }
}
