package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Mesh;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * A node behind NAT, which forgets a flow after 30 seconds and lets nothing in that belongs to none, stays up for an hour, and comes back
 * when the monitor has rebooted half-way. Looks at Prometheus' own view of it every few seconds, and prints what it saw.
 *
 * <p>It takes an hour, so its name keeps it out of {@code mvn verify}. To run it:
 *
 * <pre>{@code mvn verify -Dtest=NoSuchTest -Dsurefire.failIfNoSpecifiedTests=false -Dit.test=NatTrial \
 *     -Dfailsafe.failIfNoSpecifiedTests=false}</pre>
 *
 * <p>With {@code -Dpromguard.nat.minutes=10} it takes ten minutes.
 */
class NatTrial {
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(5);
    private static final Duration WATCHED = Duration.ofMinutes(Long.getLong("promguard.nat.minutes", 60));

    /** By WireGuard's own timers; README.md of promguard-ssh says so. */
    private static final Duration COMES_BACK = Duration.ofMinutes(4);

    /** A translator of addresses and ports between the node and the rest of the world, there from boot on. */
    private static final String NAT = """
            cat >/etc/systemd/system/nat.service <<'UNIT'
            [Unit]
            Before=wg-quick@wg0.service
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/usr/sbin/iptables -w -t nat -A POSTROUTING -o eth0 -p udp --sport 51820 -j MASQUERADE --to-ports 40000-60000 --random
            ExecStart=/usr/sbin/iptables -w -t mangle -A PREROUTING -i eth0 -p udp --dport 51820 -m conntrack --ctstate NEW -j DROP
            [Install]
            WantedBy=multi-user.target
            UNIT
            systemctl enable nat.service 2>&1
            """;

    @Test
    void nodeBehindNat_forAnHourWithAReboot_staysUp() throws Exception {
        try (LocalCloud cloud = Clouds.start(exchange -> {})) {
            Mesh mesh = cloud.mesh()
                    .name("shop")
                    .monitor("tor1")
                    .node("db-1", host -> host.region("lon1").behindNat(true))
                    .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(5)))
                    .build();
            mesh.apply();
            LocalDroplet monitor = cloud.droplet("shop-monitor-1");
            LocalDroplet node = cloud.droplet("db-1");
            Clouds.run(node, NAT);
            node.reboot();
            forgetSoon(node);
            Clouds.await("up", COMES_BACK, () -> up(monitor));
            assertThat(Clouds.run(monitor, "wg show wg0 endpoints"))
                    .as("the translator's port")
                    .doesNotContain(":51820");

            watch(monitor, WATCHED.dividedBy(2));
            long rebooted = System.nanoTime();
            monitor.reboot();
            Clouds.await("up after a reboot of the monitor", COMES_BACK, () -> up(monitor));
            System.out.printf("the monitor has rebooted: up again after %d s%n", secondsSince(rebooted));
            watch(monitor, WATCHED.dividedBy(2));

            mesh.plan().requireEmpty();
            System.out.println(mesh.verify());
        }
    }

    /** The translator's memory is the shortest that is usual. A machine may not set this itself. */
    private static void forgetSoon(LocalDroplet node) throws Exception {
        Process set = new ProcessBuilder(
                        "ip",
                        "netns",
                        "exec",
                        node.namespace(),
                        "sysctl",
                        "-w",
                        "net.netfilter.nf_conntrack_udp_timeout=30",
                        "net.netfilter.nf_conntrack_udp_timeout_stream=30")
                .inheritIO()
                .start();
        assertThat(set.waitFor()).isZero();
    }

    /** Looks for so long; the node has to be up each time. */
    private void watch(LocalDroplet monitor, Duration time) {
        long begin = System.nanoTime();
        int looks = 0;
        int down = 0;
        while (System.nanoTime() - begin < time.toNanos()) {
            looks++;
            down += up(monitor) ? 0 : 1;
            LockSupport.parkNanos(BETWEEN_LOOKS.toNanos());
        }
        System.out.printf(
                "watched for %d min: %d looks, %d of them found the node down; packets: %s%n",
                time.toMinutes(), looks, down, Clouds.run(monitor, "wg show wg0 transfer | cut -f2-"));
        assertThat(down).as("looks that found the node down").isZero();
    }

    private static long secondsSince(long time) {
        return Duration.ofNanos(System.nanoTime() - time).toSeconds();
    }

    private static boolean up(LocalDroplet monitor) {
        if (!monitor.running()
                || monitor.exec("curl", "-fsS", "http://127.0.0.1:9090/-/ready").exitCode() != 0) {
            return false;
        }
        Map<String, String> targets = Clouds.targets(monitor);
        return targets.size() == 3 && targets.values().stream().allMatch("up"::equals);
    }
}
