package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.promguard.examples.localcloud.Exchange;
import dev.promguard.examples.localcloud.ExecResult;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.Outsider;
import dev.promguard.examples.localcloud.Support;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Starts local clouds for tests, and looks at hosts with the hosts' own tools, past PromGuard. */
final class Clouds {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Clouds() {}

    /** Starts a cloud that tells an observer of every call, or skips the test and says why. */
    static LocalCloud start(Consumer<Exchange> observer) {
        Support support = LocalCloud.support();
        assumeTrue(support.okOnceInstalled(), () -> "the end-to-end tests are skipped: " + support);
        LocalCloud.installMissing(System.out::println);
        return LocalCloud.builder()
                .progress(System.out::println)
                .observer(observer)
                .start();
    }

    static String run(LocalDroplet host, String script) {
        ExecResult result = host.exec("sh", "-c", script);
        assertThat(result.exitCode())
                .as("%s: %s\n%s\n%s", host.name(), script, result.stdout(), result.stderr())
                .isZero();
        return result.stdout().strip();
    }

    /** What systemd says of when each unit's main process started, in microseconds since boot. */
    static Map<String, String> startTimes(List<LocalDroplet> hosts) {
        Map<String, String> times = new TreeMap<>();
        for (LocalDroplet host : hosts) {
            for (String unit : List.of("node_exporter", "prometheus", "wg-quick@wg0", "ssh")) {
                times.put(
                        host.name() + " " + unit,
                        run(host, "systemctl show -p ActiveEnterTimestampMonotonic --value " + unit));
            }
        }
        return times;
    }

    /** Prometheus' own view of its targets: scrape URL to health. */
    static Map<String, String> targets(LocalDroplet monitor) {
        String answer = run(monitor, "curl -fsS http://127.0.0.1:9090/api/v1/targets");
        Map<String, String> targets = new TreeMap<>();
        try {
            for (JsonNode target : JSON.readTree(answer).path("data").path("activeTargets")) {
                targets.put(
                        target.path("scrapeUrl").asText(), target.path("health").asText());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return targets;
    }

    /** Waits for a condition, looking every 200 ms. */
    static void await(String what, Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("%s within %s", what, limit).isLessThan(deadline);
            LockSupport.parkNanos(200_000_000);
        }
    }

    /** Which of these TCP ports answer, tried from a host on the public network that is in no mesh. */
    static List<String> open(Outsider outsider, List<LocalDroplet> hosts, int... ports) {
        List<String> open = new ArrayList<>();
        for (LocalDroplet host : hosts) {
            for (int port : ports) {
                String address = host.publicAddress();
                ExecResult knock =
                        outsider.exec("timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/" + address + "/" + port);
                if (knock.ok()) {
                    open.add(address + ":" + port);
                }
            }
        }
        return open;
    }
}
