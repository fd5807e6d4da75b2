package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.ApplyReport;
import dev.promguard.Mesh;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.LocalRelease;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How fast an apply is, held against the floor: the same job by a shell script written by hand for it, sent to every host at once
 * over one {@code ssh} each, on the same machine in the same run. Prints a table and writes it to {@code target/speed.md}; asserts
 * nothing about time.
 *
 * <p>It takes some minutes and wants the machine for itself, so its name keeps it out of {@code mvn verify}. To run it:
 *
 * <pre>{@code mvn verify -Dtest=NoSuchTest -Dsurefire.failIfNoSpecifiedTests=false -Dit.test=SpeedTrial \
 *     -Dfailsafe.failIfNoSpecifiedTests=false}</pre>
 *
 * <p>With {@code -Dpromguard.rounds=5} it goes around five times instead of three.
 */
class SpeedTrial {
    private static final int ROUNDS = Integer.getInteger("promguard.rounds", 3);
    private static final int EMPTY_RUNS = 7;
    private static final int NO_CONNECTION = 255;
    private static final List<String> HOSTS = List.of("monitor", "node-1", "node-2", "node-3");
    private static final List<String> REGIONS = List.of("tor1", "lon1", "sfo3", "sgp1");

    private final Map<String, List<Double>> seconds = new TreeMap<>();
    private final Map<String, WireGuardKeyPair> keys = new TreeMap<>();

    @TempDir
    Path folder;

    @Test
    void apply_fourHosts_isHeldAgainstAScriptWrittenByHand() throws Exception {
        try (LocalCloud cloud = Clouds.startBare(exchange -> {})) {
            run(List.of(
                    "ssh-keygen",
                    "-q",
                    "-t",
                    "ed25519",
                    "-N",
                    "",
                    "-f",
                    folder.resolve("key").toString()));
            HOSTS.forEach(name -> keys.put(name, KeySource.random().generate()));
            for (int round = 0; round < ROUNDS; round++) {
                script(cloud);
                promGuard(cloud);
            }
        }
        StringBuilder table = new StringBuilder("""
            | four hosts, seconds | runs | least | median | most |
            |---|---|---|---|---|
            """);
        seconds.forEach((what, all) -> {
            List<Double> sorted = all.stream().sorted().toList();
            table.append(String.format(
                    Locale.ROOT,
                    "| %s | %d | %.2f | %.2f | %.2f |%n",
                    what.substring(what.indexOf(' ') + 1),
                    sorted.size(),
                    sorted.get(0),
                    sorted.get(sorted.size() / 2),
                    sorted.get(sorted.size() - 1)));
        });
        System.out.print(table);
        Files.writeString(Path.of("target", "speed.md"), table);
    }

    private void note(String what, long begin) {
        seconds.computeIfAbsent(what, none -> new ArrayList<>()).add((System.nanoTime() - begin) / 1e9);
    }

    private void promGuard(LocalCloud cloud) {
        Mesh mesh = Mesh.builder()
                .name("swift")
                .monitor("tor1")
                .nodes(3, "lon1", "sfo3", "sgp1")
                .provider(cloud.provider())
                .state(folder.resolve("state"))
                .build();
        boolean warm = seconds.containsKey("4 PromGuard: first apply, JVM cold");
        long begin = System.nanoTime();
        ApplyReport first = mesh.apply();
        note(warm ? "5 PromGuard: first apply, JVM warm" : "4 PromGuard: first apply, JVM cold", begin);
        assertThat(first.ok()).isTrue();
        assertAllUp(cloud.droplet("swift-monitor-1"));
        for (int i = 0; i < EMPTY_RUNS; i++) {
            begin = System.nanoTime();
            ApplyReport again = mesh.apply();
            if (i > 0 || warm) {
                note("6 PromGuard: apply with nothing to do, JVM warm", begin);
            }
            assertThat(again.changes()).isZero();
        }
        mesh.destroy();
    }

    private void script(LocalCloud cloud) throws Exception {
        CloudProvider provider = cloud.provider();
        long begin = System.nanoTime();
        AccessKey accessKey =
                provider.registerAccessKey("floor", SshPublicKey.parse(Files.readString(folder.resolve("key.pub"))));
        Map<String, String> addresses = create(provider, accessKey);
        Map<String, Path> scripts = scripts(cloud, addresses);
        note("1 script: hosts made", begin);
        long made = System.nanoTime();
        everywhere(addresses, scripts);
        note("2 script: first run, hosts made included", begin);
        note("2b script: first run alone", made);
        assertAllUp(cloud.droplet("monitor"));
        for (int i = 0; i < EMPTY_RUNS; i++) {
            long again = System.nanoTime();
            everywhere(addresses, scripts);
            note("3 script: run with nothing to do", again);
        }
        provider.deleteAttempts("floor", List.of("0123456789abcdef"), Duration.ofMinutes(2));
    }

    private static Map<String, String> create(CloudProvider provider, AccessKey accessKey) {
        Map<String, String> ids = new TreeMap<>();
        try (Secret userData = Secret.of("#cloud-config\n")) {
            for (int i = 0; i < HOSTS.size(); i++) {
                CreateOrder order = new CreateOrder(
                        "floor",
                        "0123456789abcdef",
                        i == 0 ? "monitor" : "node",
                        List.of(HOSTS.get(i)),
                        REGIONS.get(i),
                        "s-1vcpu-1gb",
                        "debian-12-x64",
                        accessKey,
                        userData);
                provider.create(order).forEach(host -> ids.put(host.id(), host.name()));
            }
        }
        return provider.await("floor", Set.copyOf(ids.keySet()), Duration.ofMinutes(2)).ready().stream()
                .collect(Collectors.toMap(
                        CloudHost::name, host -> host.publicAddress().orElseThrow()));
    }

    private Map<String, Path> scripts(LocalCloud cloud, Map<String, String> addresses) throws IOException {
        String body;
        try (InputStream in = Objects.requireNonNull(SpeedTrial.class.getResourceAsStream("floor.sh"))) {
            body = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        String targets = IntStream.rangeClosed(1, HOSTS.size())
                .mapToObj(i -> "\"10.0.0." + i + ":9100\"")
                .collect(Collectors.joining(", "));
        Map<String, Path> scripts = new TreeMap<>();
        for (String name : HOSTS) {
            List<String> peers = name.equals("monitor") ? HOSTS.subList(1, HOSTS.size()) : List.of("monitor");
            StringBuilder text = new StringBuilder();
            variable(text, "monitor", name.equals("monitor") ? "yes" : "no");
            variable(text, "address", inside(name));
            variable(text, "key", key(name).privateKey().useText(key -> key));
            variable(
                    text,
                    "peers",
                    peers.stream()
                            .map(peer -> "[Peer]\nPublicKey = "
                                    + key(peer).publicKey().base64() + "\nEndpoint = " + addresses.get(peer)
                                    + ":51820\nAllowedIPs = " + inside(peer) + "/32")
                            .collect(Collectors.joining("\n")));
            variable(text, "targets", targets);
            variable(text, "mirror", cloud.releaseMirror().toString());
            for (LocalRelease release : cloud.releases()) {
                String program = release.name().equals("prometheus") ? "prometheus" : "exporter";
                variable(text, program, release.fileName().replace(".tar.gz", ""));
                variable(text, program + "_sum", release.sha256());
            }
            scripts.put(name, Files.writeString(folder.resolve(name + ".sh"), text + body));
        }
        return scripts;
    }

    private static void variable(StringBuilder text, String name, String value) {
        text.append(name).append("='").append(value).append("'\n");
    }

    private static String inside(String name) {
        return "10.0.0." + (HOSTS.indexOf(name) + 1);
    }

    private WireGuardKeyPair key(String name) {
        return of(keys, name);
    }

    private void everywhere(Map<String, String> addresses, Map<String, Path> scripts) {
        ExecutorService hands = Executors.newFixedThreadPool(HOSTS.size());
        try {
            HOSTS.stream()
                    .map(name -> CompletableFuture.runAsync(() -> ssh(of(addresses, name), of(scripts, name)), hands))
                    .toList()
                    .forEach(CompletableFuture::join);
        } finally {
            hands.shutdown();
        }
    }

    private static <V> V of(Map<String, V> map, String name) {
        return Objects.requireNonNull(map.get(name), name);
    }

    /** Sends a script, again as long as the host is not up yet, or does not know the key yet. */
    private void ssh(String address, Path script) {
        List<String> command = List.of(
                "ssh",
                "-i",
                folder.resolve("key").toString(),
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "LogLevel=ERROR",
                "-o",
                "BatchMode=yes",
                "root@" + address,
                "sh -s");
        Clouds.await("ssh to " + address, Duration.ofMinutes(1), () -> {
            try {
                Path output = Files.createTempFile(folder, "ssh", ".log");
                int exit = new ProcessBuilder(command)
                        .redirectInput(script.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start()
                        .waitFor();
                assertThat(exit).as("%s: %s", address, Files.readString(output)).isIn(0, NO_CONNECTION);
                return exit == 0;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        });
    }

    private static void run(List<String> command) throws Exception {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor())
                .as("%s", command)
                .isZero();
    }

    /** Both have to have done the job. */
    private static void assertAllUp(LocalDroplet monitor) {
        Clouds.await(
                "Prometheus ready",
                Duration.ofMinutes(1),
                () -> monitor.exec("curl", "-fsS", "http://127.0.0.1:9090/-/ready")
                        .ok());
        Clouds.await("every target up", Duration.ofMinutes(1), () -> {
            Map<String, String> targets = Clouds.targets(monitor);
            return targets.size() == HOSTS.size() + 1
                    && targets.values().stream().allMatch("up"::equals);
        });
    }
}
