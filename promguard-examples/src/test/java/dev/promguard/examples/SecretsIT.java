package dev.promguard.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.RecordedRequest;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Where the secrets of a mesh are after its life, and where not: everything that its life left is searched for every key,
 * token and password. That the search sees what is there is shown by a canary that lies in each kind of place.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SecretsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final SecureRandom RANDOM = new SecureRandom();
    /** Made anew for each run: every process of this machine is watched, and another trial may look for its own password. */
    private static final String PASSWORD = "battery-staple-" + HexFormat.of().formatHex(bytes(12));

    private static final String LOGBACK = """
            <configuration>
              <appender name="FILE" class="ch.qos.logback.core.FileAppender">
                <file>%s</file>
                <encoder><pattern>%%d %%-5level %%logger - %%msg%%n%%ex{full}</pattern></encoder>
              </appender>
              <root level="TRACE"><appender-ref ref="FILE"/></root>
            </configuration>
            """;
    private static final String JUL = """
            handlers=java.util.logging.FileHandler
            .level=FINEST
            java.util.logging.FileHandler.level=FINEST
            java.util.logging.FileHandler.pattern=%s
            java.util.logging.FileHandler.formatter=java.util.logging.SimpleFormatter
            """;

    @TempDir
    static Path folder;

    private final String canary = key();
    private final Queue<String> authorizations = new ConcurrentLinkedQueue<>();
    private final List<String> said = new ArrayList<>();
    private final Set<String> stateLooks = ConcurrentHashMap.newKeySet();
    private final SecretSearch search = new SecretSearch();
    private LocalCloud cloud;
    private HttpServer store;
    private ProcessWatch processes;

    private final Set<String> hosts = new TreeSet<>();
    private int keysMade;

    private static byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        RANDOM.nextBytes(bytes);
        return bytes;
    }

    private static String key() {
        return Base64.getEncoder().encodeToString(bytes(32));
    }

    /** Reads, 20 times a second, the command line and the environment of every process here and in the machines. */
    private static final class ProcessWatch implements AutoCloseable {
        private final Set<String> commandLines = ConcurrentHashMap.newKeySet();
        private final Set<String> environments = ConcurrentHashMap.newKeySet();
        private final Thread thread = new Thread(this::watch, "process-watch");
        private volatile boolean ended;
        private final AtomicInteger rounds = new AtomicInteger();
        private final AtomicInteger gone = new AtomicInteger();

        ProcessWatch() {
            thread.setDaemon(true);
            thread.start();
        }

        private void watch() {
            while (!ended) {
                try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
                    processes
                            .filter(process -> process.toString().matches("/proc/[0-9]+"))
                            .forEach(process -> {
                                see(process.resolve("cmdline"), commandLines);
                                see(process.resolve("environ"), environments);
                            });
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
                rounds.incrementAndGet();
                LockSupport.parkNanos(50_000_000);
            }
        }

        private void see(Path file, Set<String> seen) {
            try {
                seen.add(new String(Files.readAllBytes(file), ISO_8859_1));
            } catch (IOException e) {
                // The process ended while it was looked at, or is the kernel's own.
                gone.incrementAndGet();
            }
        }

        @Override
        public void close() {
            ended = true;
        }
    }

    @BeforeAll
    void live() throws Exception {
        cloud = Clouds.startBare(exchange -> {});
        store = HttpServer.create(new InetSocketAddress(cloud.gateway(), 0), 0);
        store.createContext("/write", exchange -> {
            exchange.getRequestBody().readAllBytes();
            authorizations.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        store.start();
        for (String each : List.of("collected", "tmp")) {
            Files.createDirectory(folder.resolve(each));
        }
        Files.writeString(folder.resolve("logback.xml"), LOGBACK.formatted(folder.resolve("collected/log")));
        Files.writeString(folder.resolve("logging.properties"), JUL.formatted(folder.resolve("collected/jul")));
        processes = new ProcessWatch();
        Process story = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Djava.io.tmpdir=" + folder.resolve("tmp"),
                        "-Dlogback.configurationFile=" + folder.resolve("logback.xml"),
                        "-Djava.util.logging.config.file=" + folder.resolve("logging.properties"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        SecretStory.class.getName(),
                        folder.resolve("collected").toString(),
                        cloud.endpoint().toString(),
                        cloud.releaseMirror().toString(),
                        folder.resolve("state").toString(),
                        ApplyAndDie.release(cloud, "node_exporter"),
                        ApplyAndDie.release(cloud, "prometheus"),
                        "http://" + cloud.gateway() + ":" + store.getAddress().getPort() + "/write")
                .redirectError(folder.resolve("collected/stderr").toFile())
                .start();
        try (PrintWriter tell = new PrintWriter(story.getOutputStream(), true, UTF_8);
                BufferedReader hear = new BufferedReader(new InputStreamReader(story.getInputStream(), UTF_8))) {
            tell.println(canary);
            tell.println(cloud.token());
            tell.println(PASSWORD);
            for (String line = hear.readLine(); line != null; line = hear.readLine()) {
                lookAtState();
                said.add(line);
                if (line.startsWith("key ")) {
                    search.key("WireGuard key " + ++keysMade, line.substring(4));
                } else if (line.equals("look")) {
                    lookAtHosts();
                    tell.println("go on");
                } else {
                    System.out.println("secrets: " + line);
                }
            }
            assertThat(story.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            story.destroyForcibly();
            processes.close();
        }
        assertThat(said.get(said.size() - 1))
                .as(Files.readString(folder.resolve("collected/stderr")))
                .isEqualTo("done");
        lookAtTheController();
        System.out.printf(
                "searched %d MB for %d secrets; %d rounds over all processes, %d command lines, %d environments%n",
                search.searched() >> 20,
                search.secrets().size(),
                processes.rounds.get(),
                processes.commandLines.size(),
                processes.environments.size());
    }

    @AfterAll
    void takeDown() {
        if (processes != null) {
            processes.close();
        }
        if (store != null) {
            store.stop(0);
        }
        if (cloud != null) {
            cloud.close();
        }
    }

    /** How the state folder's files and folders look, at whatever moment this is. */
    private void lookAtState() throws IOException {
        if (!Files.exists(folder.resolve("state"))) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder.resolve("state"))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                stateLooks.add((Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS) ? "folder " : "file ")
                        + PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(file, LinkOption.NOFOLLOW_LINKS)));
            }
        } catch (NoSuchFileException | java.io.UncheckedIOException e) {
            // A file was replaced while the folder was listed; the next look sees its successor.
            assertThat(e).hasRootCauseInstanceOf(NoSuchFileException.class);
        }
    }

    private void lookAtHosts() throws Exception {
        search.key("canary", canary)
                .text("API token", cloud.token())
                .text("remote write password", PASSWORD)
                .sshKey("login key", Files.readString(folder.resolve("state/secret/id_ed25519")));
        for (RecordedRequest request : cloud.requests()) {
            if (request.method().equals("POST") && request.path().equals("/v2/droplets")) {
                String userData =
                        JSON.readTree(request.body()).path("user_data").asText();
                search.sshKey(
                        "bootstrap host key", userData.replaceAll("(?s).*(-----BEGIN.*-----END [^-]+-----).*", "$1"));
            }
        }
        for (LocalDroplet host : cloud.droplets()) {
            plantCanaries(host);
        }
        for (LocalDroplet host : cloud.droplets()) {
            hosts.add(host.name());
            search.sshKey("host key of " + host.name(), Clouds.run(host, "cat /etc/ssh/ssh_host_ed25519_key"))
                    .key("private key of " + host.name(), Clouds.run(host, "cat /etc/wireguard/wg0.key"))
                    .key("preshared key", Clouds.run(host, "cat /etc/wireguard/wg0.psk/*"));
        }
        for (LocalDroplet host : cloud.droplets()) {
            String place = host.name() + ":";
            assertThat(search.inFiles(place, upper(host)))
                    .as("files that the host has of its own")
                    .isGreaterThan(200);
            inMemoryFiles(host);
            search.in(place + "console", host.console());
        }
        search.inFiles("state:", folder.resolve("state"));
        for (LocalDroplet host : cloud.droplets()) {
            assertThat(Clouds.run(
                            host,
                            "find / -xdev -name '.promguard.*';"
                                    + " find /var/lib/promguard -mindepth 1 ! -name written ! -name rolled-back"
                                    + " ! -name rollback.sh 2>/dev/null; :"))
                    .as("temporary files and saved copies of %s", host.name())
                    .isEmpty();
            assertThat(Clouds.run(
                            host,
                            "stat -c '%a %U:%G' /etc/wireguard /etc/wireguard/wg0.psk /etc/wireguard/wg0.key"
                                    + " /etc/wireguard/wg0.conf /etc/wireguard/wg0.psk/*"))
                    .isEqualTo("700 root:root\n700 root:root\n600 root:root\n600 root:root\n600 root:root");
        }
        assertThat(Clouds.run(
                        cloud.droplet("secret-monitor-1"),
                        "stat -c '%a %U:%G' /etc/prometheus/secrets /etc/prometheus/secrets/*"))
                .isEqualTo("750 root:prometheus\n440 root:prometheus");
        units();
    }

    private static Path upper(LocalDroplet host) {
        return host.root().resolveSibling("upper");
    }

    private void plantCanaries(LocalDroplet host) throws IOException {
        byte[] raw = Base64.getDecoder().decode(canary);
        Files.write(upper(host).resolve("var/log/canary-raw"), raw);
        String hex = HexFormat.of().formatHex(raw);
        Clouds.run(
                host,
                "umask 077; printf %s " + hex + " >/tmp/canary-hex; printf %s " + canary + " | base64 >/run/canary");
        Clouds.run(host, "printf '%s\\n' 'a canary " + canary + "' | systemd-cat -t canary; journalctl --sync");
        Clouds.run(host, "sh -c 'sleep 1; :' canary " + canary);
        Clouds.run(host, "env CANARY=" + hex + " sleep 1");
    }

    /** What lies in file systems that live in the machine's memory: /run with the journal, /tmp, /dev/shm. */
    private void inMemoryFiles(LocalDroplet host) throws IOException {
        for (String place : List.of("run", "run/log", "tmp", "dev/shm")) {
            String packed = Clouds.run(
                    host,
                    "tar -C / --ignore-failed-read --exclude=run/cloud-init "
                            + (place.equals("run") ? "--exclude=run/log " : "") + "-cf - " + place
                            + " 2>/dev/null | gzip -1 | base64 -w 0");
            try (InputStream all = new GZIPInputStream(
                    new ByteArrayInputStream(Base64.getDecoder().decode(packed)))) {
                search.in(host.name() + ":" + place, all);
            }
        }
        search.in(host.name() + ":run/cloud-init", Clouds.run(host, "cat /run/cloud-init/* 2>/dev/null; :"));
    }

    private void lookAtTheController() throws IOException {
        assertThat(search.inFiles("collected:", folder.resolve("collected"))).isGreaterThanOrEqualTo(5);
        Files.writeString(folder.resolve("tmp/canary"), canary);
        search.inFiles("tmp:", folder.resolve("tmp"));
        for (String seen : processes.commandLines) {
            search.in("a command line", seen);
        }
        for (String seen : processes.environments) {
            search.in("an environment", seen);
        }
        for (RecordedRequest request : cloud.requests()) {
            search.in("a call of the API", request.path() + "?" + request.query() + " " + request.body());
        }
        search.in(
                "console",
                String.join(
                        "\n",
                        said.stream().filter(line -> !line.startsWith("key ")).toList()));
    }

    private void units() {
        for (LocalDroplet host : cloud.droplets()) {
            List<String> services = new ArrayList<>(List.of("node_exporter", "promguard-wireguard-metrics"));
            if (host.name().contains("monitor")) {
                services.add("prometheus");
            }
            for (String service : services) {
                String line = Clouds.run(
                        host,
                        "systemd-analyze security --no-pager --offline=true --threshold=29 /etc/systemd/system/"
                                + service + ".service | grep 'Overall exposure'");
                System.out.println("secrets: " + host.name() + " "
                        + line.replaceAll("[^ -~]", "").strip());
                assertThat(Double.parseDouble(line.replaceAll(".*: ([0-9.]+) .*", "$1")))
                        .isLessThan(3.0);
                String user = Clouds.run(host, "systemctl show -p User --value " + service);
                if (service.equals("promguard-wireguard-metrics")) {
                    assertThat(Clouds.run(host, "systemctl show -p CapabilityBoundingSet --value " + service))
                            .as("root, for wireguard-go admits nobody else, but with nothing of root's")
                            .isEqualTo("cap_net_admin");
                } else {
                    assertThat(user).isEqualTo(service);
                }
            }
            // The last reading may be of before the handshake: the timer makes another.
            Clouds.await(
                    "a handshake in the metrics of WireGuard",
                    Duration.ofMinutes(3),
                    () -> host.exec(
                                    "grep",
                                    "-qE",
                                    "^promguard_wireguard_latest_handshake_seconds\\{interface=\"wg0\",peer=\"secret-[a-z0-9-]+\"\\} [1-9]",
                                    "/run/promguard-wireguard-metrics/wireguard.prom")
                            .ok());
            assertThat(Clouds.run(host, "ss -Hltn 'sport = :9090'").lines())
                    .allSatisfy(line -> assertThat(line).contains("127.0.0.1:9090"))
                    .hasSize(host.name().contains("monitor") ? 1 : 0);
        }
    }

    private static String negotiated(String line) {
        return line.substring(line.indexOf("Negotiated"));
    }

    @Test
    @Order(1)
    void canary_inEveryKindOfPlace_isFound() {
        List<String> places = new ArrayList<>(List.of(
                "collected:events",
                "collected:exceptions",
                "collected:jul",
                "collected:log",
                "collected:objects",
                "tmp:canary",
                "a command line",
                "an environment"));
        for (String host : hosts) {
            places.addAll(List.of(host + ":var/log/canary-raw", host + ":tmp", host + ":run"));
        }
        assertThat(search.places("canary")).containsAll(places);
        for (String host : hosts) {
            assertThat(search.places("canary"))
                    .as("the journal of %s", host)
                    .anyMatch(place -> place.matches(host + ":(run/log|var/log/journal/.*)"));
        }
        assertThat(hosts).hasSize(2);
        assertThat(authorizations).as("the password is in use").contains("Basic " + basic());
    }

    private static String basic() {
        return Base64.getEncoder().encodeToString(("me:" + PASSWORD).getBytes(UTF_8));
    }

    @Test
    @Order(2)
    void log_ofEverything_isThereAndNamesTheAlgorithms() throws IOException {
        String log = Files.readString(folder.resolve("collected/log"));
        assertThat(log).contains("DEBUG net.schmizz.sshj", "DEBUG dev.promguard");
        List<String> agreed = log.lines()
                .filter(line -> line.contains("Negotiated algorithms"))
                .map(SecretsIT::negotiated)
                .distinct()
                .toList();
        System.out.println("secrets: " + agreed);
        assertThat(agreed)
                .hasSize(1)
                .first()
                .asString()
                .contains("kex=curve25519-sha256", "sig=ssh-ed25519", "c2sCipher=chacha20-poly1305@openssh.com");
    }

    @Test
    @Order(3)
    void wireGuardKeys_inUse_areInTheirFilesAlone() {
        assertThat(keysMade)
                .as("keys of the first apply, of the rotation, and of the one that failed")
                .isEqualTo(9);
        hosts.forEach(host ->
                assertThat(search.places("private key of " + host)).containsExactly(host + ":etc/wireguard/wg0.key"));
        assertThat(search.places("preshared key"))
                .containsExactlyInAnyOrder(
                        "secret-monitor-1:etc/wireguard/wg0.psk/secret-node-1",
                        "secret-node-1:etc/wireguard/wg0.psk/secret-monitor-1");
    }

    @Test
    @Order(4)
    void wireGuardKeys_everMade_areNowhereElse() {
        Set<String> allowed = new TreeSet<>(search.places("preshared key"));
        hosts.forEach(host -> allowed.addAll(search.places("private key of " + host)));
        int inUse = 0;
        for (int number = 1; number <= keysMade; number++) {
            Set<String> places = search.places("WireGuard key " + number);
            assertThat(allowed).as("key %d", number).containsAll(places);
            inUse += places.isEmpty() ? 0 : 1;
        }
        assertThat(inUse).as("those that were replaced or never taken are gone").isEqualTo(3);
        assertThat(said).as("closed and cleared by the end of each verb").noneMatch(line -> line.startsWith("open "));
    }

    @Test
    @Order(5)
    void token_isNowhere() {
        assertThat(search.places("API token")).isEmpty();
    }

    @Test
    @Order(6)
    void password_isInTheFileThatPrometheusReadsAlone() {
        assertThat(search.places("remote write password"))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("secret-monitor-1:etc/prometheus/secrets/");
    }

    @Test
    @Order(7)
    void sshKeys_areInTheirFilesAlone() {
        assertThat(search.places("login key")).containsExactly("state:secret/id_ed25519");
        hosts.forEach(host -> assertThat(search.places("host key of " + host))
                .containsExactly(host + ":etc/ssh/ssh_host_ed25519_key"));
        System.out.println("secrets: bootstrap host keys are in " + search.places("bootstrap host key"));
        assertThat(search.places("bootstrap host key"))
                .as("of no use to anybody any more: in the user data, and where cloud-init keeps it")
                .isNotEmpty()
                .allSatisfy(place -> assertThat(place)
                        .matches("a call of the API|secret-[a-z]+-1:(var/lib/cloud/.*|run/cloud-init)"));
    }

    @Test
    @Order(8)
    void stateFolder_atEveryLook_isItsOwnersAlone() {
        assertThat(stateLooks).containsExactlyInAnyOrder("folder rwx------", "file rw-------");
        assertThat(folder.resolve("state")).as("after the destroy").isEmptyDirectory();
    }

    @Test
    @Order(9)
    void temporaryFiles_onTheController_areNone() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("tmp"))) {
            assertThat(files)
                    .filteredOn(file -> !file.toString().contains("hsperfdata"))
                    .containsExactly(folder.resolve("tmp/canary"));
        }
    }
}
