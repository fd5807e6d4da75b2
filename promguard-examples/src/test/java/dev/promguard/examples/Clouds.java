package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.promguard.examples.localcloud.Exchange;
import dev.promguard.examples.localcloud.ExecResult;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.LocalRelease;
import dev.promguard.examples.localcloud.Outsider;
import dev.promguard.examples.localcloud.Support;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Starts local clouds for tests, and looks at hosts with the hosts' own tools, past PromGuard. */
final class Clouds {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Clouds() {}

    /**
     * Starts a cloud of stock Debian machines, where apply has to install what it needs, that tells an observer of every call; or
     * skips the test and says why.
     */
    static LocalCloud startBare(Consumer<Exchange> observer) {
        return start(observer, LocalCloud.builder());
    }

    /** The same, where droplets will be of Debian 13 too. */
    static LocalCloud startBareOfBothSystems(Consumer<Exchange> observer) {
        return start(observer, LocalCloud.builder().ready("trixie"));
    }

    /** The same, of machines that have the packages already, for the trials that are about something else. */
    static LocalCloud start(Consumer<Exchange> observer) {
        return start(observer, LocalCloud.builder().installed("ufw", "wireguard-tools"));
    }

    /** The same, whose droplets get Prometheus 2. */
    static LocalCloud startOnPrometheus2(Consumer<Exchange> observer) {
        return start(
                observer,
                LocalCloud.builder().installed("ufw", "wireguard-tools").ownReleases());
    }

    private static LocalCloud start(Consumer<Exchange> observer, LocalCloud.Builder options) {
        Support support = LocalCloud.support();
        assumeTrue(support.okOnceInstalled(), () -> "the end-to-end tests are skipped: " + support);
        LocalCloud.installMissing(System.out::println);
        return options.progress(System.out::println).observer(observer).start();
    }

    /** The release of a program, such as {@code node_exporter}, of those that a cloud serves. */
    static LocalRelease release(List<LocalRelease> served, String name) {
        return served.stream()
                .filter(release -> release.name().equals(name))
                .findFirst()
                .orElseThrow();
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
        List<String> units = List.of("node_exporter", "prometheus", "wg-quick@wg0", "ssh");
        for (LocalDroplet host : hosts) {
            String[] lines = run(
                            host, "systemctl show -p ActiveEnterTimestampMonotonic --value " + String.join(" ", units))
                    .split("\n+", -1);
            assertThat(lines).hasSameSizeAs(units);
            for (int i = 0; i < lines.length; i++) {
                times.put(host.name() + " " + units.get(i), lines[i]);
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

    /** PollIntervals for a condition, looking every 300 ms: a look costs the machine what a host would need. */
    static void await(String what, Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("%s within %s", what, limit).isLessThan(deadline);
            LockSupport.parkNanos(300_000_000);
        }
    }

    /** Which of these TCP ports answer, tried from a host on the public network that is in no mesh, each as address:port. */
    static List<String> open(Outsider outsider, List<LocalDroplet> hosts, Integer... ports) {
        return open(
                from(outsider), hosts.stream().map(LocalDroplet::publicAddress).toList(), List.of(ports));
    }

    /** Runs scripts on a host on the public network, for their output. */
    static Function<String, String> from(Outsider outsider) {
        return script -> outsider.exec("sh", "-c", script).stdout();
    }

    /** Runs scripts on a host of the mesh, for their output. */
    static Function<String, String> from(LocalDroplet host) {
        return script -> run(host, script);
    }

    /**
     * Which of these ports answer, all tried at once, each as address:port.
     *
     * @param from runs a shell script where the probing is to be done, and returns its output
     */
    static List<String> open(Function<String, String> from, List<String> addresses, Collection<Integer> ports) {
        String tries = addresses.stream()
                .flatMap(address -> ports.stream()
                        .map(port -> "(timeout 2 bash -c 'exec 3<>/dev/tcp/" + address + "/" + port
                                + "' 2>/dev/null && echo " + address + ":" + port + ") &"))
                .collect(Collectors.joining("\n"));
        return from.apply(tries + "\nwait").lines().sorted().toList();
    }
}
