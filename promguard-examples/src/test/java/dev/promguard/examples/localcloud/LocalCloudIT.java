package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Two real machines, looked at from every side; the tests build on one another, for machines take seconds to make. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LocalCloudIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIMEOUT = Duration.ofMinutes(1);

    @RegisterExtension
    static final ContractWatch CONTRACT = ContractWatch.ofAnswers();

    @TempDir
    static Path keys;

    private static LocalCloud cloud;
    private static Api api;
    private static LocalDroplet one;
    private static LocalDroplet two;
    private static String hostKey;
    private static String userKey;

    @BeforeAll
    static void start() throws Exception {
        Support support = LocalCloud.support();
        assumeTrue(support.okOnceInstalled(), support::toString);
        LocalCloud.installMissing(System.out::println);
        cloud = LocalCloud.builder()
                .progress(System.out::println)
                .observer(CONTRACT)
                .start();
        api = new Api(cloud.endpoint(), cloud.token());
        userKey = newKey("user");
        hostKey = newKey("host");
        String key = api.post(
                        "v2/account/keys",
                        object().put("name", "it").put("public_key", userKey).toString())
                .body()
                .at("/ssh_key/id")
                .asText();
        ObjectNode spec = object().put("region", "lon1")
                .put("size", "s-1vcpu-1gb")
                .put("image", "debian-12-x64")
                .put("user_data", userData());
        spec.putArray("names").add("it-1").add("it-2");
        spec.putArray("ssh_keys").add(Long.parseLong(key));
        spec.putArray("tags").add("it");
        assertThat(api.post("v2/droplets", spec.toString()).status()).isEqualTo(202);
        Await.until(TIMEOUT, "two active droplets", () -> statuses().equals(List.of("active", "active")));
        one = cloud.droplet("it-1");
        two = cloud.droplet("it-2");
    }

    @AfterAll
    static void stop() {
        if (cloud != null) {
            cloud.close();
        }
    }

    @Test
    @Order(1)
    void machine_booted_isARealDroplet() throws Exception {
        for (LocalDroplet droplet : List.of(one, two)) {
            assertThat(droplet.exec("cloud-init", "status", "--wait").orThrow().stdout())
                    .contains("status: done");
            assertThat(droplet.exec("hostname").orThrow().stdout().strip()).isEqualTo(droplet.name());
            assertThat(droplet.exec("systemctl", "--failed", "--no-legend")
                            .orThrow()
                            .stdout())
                    .isBlank();
            assertThat(droplet.exec("cat", "/etc/ssh/ssh_host_ed25519_key.pub")
                            .orThrow()
                            .stdout())
                    .contains(hostKey);
            assertThat(droplet.exec("cat", "/root/.ssh/authorized_keys")
                            .orThrow()
                            .stdout())
                    .contains(userKey);
            assertThat(droplet.exec("ip", "-brief", "address").orThrow().stdout())
                    .contains(droplet.publicAddress() + "/24", droplet.privateAddress() + "/20");
            assertThat(banner(droplet.publicAddress())).startsWith("SSH-2.0-OpenSSH");
        }
        assertThat(one.exec("cat", "/etc/machine-id").stdout())
                .isNotEqualTo(two.exec("cat", "/etc/machine-id").stdout());
        JsonNode seen = api.get("v2/droplets/" + one.id()).body().path("droplet");
        assertThat(seen.at("/networks/v4"))
                .extracting(v4 -> v4.path("ip_address").asText())
                .containsExactlyInAnyOrder(one.publicAddress(), one.privateAddress());
    }

    @Test
    @Order(1)
    void limitsOfTheKernel_whileACloudRuns_areHighEnoughForItsDroplets() {
        for (KernelLimits.Limit limit : KernelLimits.RAISED) {
            String now =
                    Command.of("sysctl", "-n", limit.key()).check().stdout().strip();
            assertThat(Long.parseLong(now)).as(limit.key()).isGreaterThanOrEqualTo(limit.needed(25));
        }
    }

    @Test
    @Order(2)
    void create_machineThatDiesWhileItBoots_isAnErroredActionAndSaysWhatItsConsoleShowedLast() throws Exception {
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(Account.class);
        log.start();
        logger.setLevel(Level.WARN);
        logger.addAppender(log);
        cloud.faults().dyingCreates(1);
        ObjectNode spec = object().put("name", "it-dying")
                .put("region", "lon1")
                .put("size", "s-1vcpu-1gb")
                .put("image", "debian-12-x64");

        JsonNode droplet = api.post("v2/droplets", spec.toString()).body();

        String id = droplet.at("/droplet/id").asText();
        Await.until(
                TIMEOUT,
                "the action to end",
                () -> api.quietly("v2/droplets/" + id + "/actions")
                        .at("/actions/0/status")
                        .asText()
                        .equals("errored"));
        assertThat(api.quietly("v2/droplets/" + id).at("/droplet/status").asText())
                .isEqualTo("new");
        Await.until(TIMEOUT, "the log", () -> !log.list.isEmpty());
        logger.detachAppender(log);
        logger.setLevel(null);
        assertThat(log.list)
                .singleElement()
                .extracting(ILoggingEvent::getFormattedMessage)
                .asString()
                .contains("it-dying died while it booted: systemd-nspawn ended with status 1")
                .contains("Its console ends with:", "Failed to allocate manager object: Too many open files");
        assertThat(api.delete("v2/droplets/" + id).status()).isEqualTo(204);
        Await.until(TIMEOUT, "the droplet to go", () -> statuses().size() == 2);
    }

    @Test
    @Order(2)
    void exec_failingOrLate_saysSo() {
        ExecResult result = one.exec("sh", "-c", "echo out; echo err >&2; exit 3");
        assertThat(result)
                .extracting(ExecResult::exitCode, ExecResult::stdout, ExecResult::stderr)
                .containsExactly(3, "out\n", "err\n");
        assertThatThrownBy(result::orThrow)
                .hasMessageContaining("ended with status 3")
                .hasMessageContaining("err");
        assertThatThrownBy(() -> one.exec(Duration.ofMillis(300), List.of("sleep", "60")))
                .isInstanceOf(LocalCloudException.class)
                .hasMessageContaining("did not end");
    }

    @Test
    @Order(3)
    void mirror_releases_arriveWholeInUpstreamLayout() throws Exception {
        assertThat(cloud.releases())
                .extracting(LocalRelease::name)
                .contains("prometheus", "node_exporter", "blackbox_exporter");
        assertThat(cloud.suiteReleases())
                .filteredOn(release -> release.name().equals("prometheus"))
                .extracting(LocalRelease::version)
                .singleElement()
                .asString()
                .startsWith("2.");
        for (LocalRelease release : cloud.releases()) {
            URI uri = cloud.releaseMirror().resolve(release.fileName());
            byte[] bytes = HttpClient.newHttpClient()
                    .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofByteArray())
                    .body();
            assertThat(HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)))
                    .isEqualTo(release.sha256());
            String top = release.fileName().replace(".tar.gz", "");
            for (LocalDroplet droplet : List.of(one, two)) {
                droplet.exec("sh", "-c", "curl -fsS " + uri + " | tar -xz -C /opt")
                        .orThrow();
            }
            assertThat(one.exec("/opt/" + top + "/" + release.name(), "--version")
                            .orThrow()
                            .stdout())
                    .contains("version " + release.version());
        }
        assertThat(one.exec("ls", "/opt/" + top("prometheus")).stdout().split("\n", -1))
                .contains("promtool", "prometheus.yml");
    }

    @Test
    @Tag("long")
    @Order(4)
    void packages_installed_fromTheImageAlone() {
        for (LocalDroplet droplet : List.of(one, two)) {
            ExecResult installed = droplet.exec("apt-get", "install", "-y", "ufw", "wireguard-tools")
                    .orThrow();
            assertThat(installed.stdout()).contains("Need to get 0 B");
        }
    }

    @Test
    @Tag("long")
    @Order(5)
    void mesh_byHand_admitsThePeerOnWg0Alone() throws Exception {
        String first = wireguard(one, "10.0.0.1");
        String second = wireguard(two, "10.0.0.2");
        peer(one, second, "10.0.0.2", two.publicAddress());
        peer(two, first, "10.0.0.1", one.publicAddress());
        for (LocalDroplet droplet : List.of(one, two)) {
            droplet.exec("ufw", "allow", "22/tcp").orThrow();
            droplet.exec("ufw", "allow", "51820/udp").orThrow();
            droplet.exec("ufw", "--force", "enable").orThrow();
        }
        two.exec(
                        "ufw",
                        "allow",
                        "in",
                        "on",
                        "wg0",
                        "from",
                        "10.0.0.1",
                        "to",
                        "10.0.0.2",
                        "port",
                        "9100",
                        "proto",
                        "tcp")
                .orThrow();
        two.exec("systemd-run", "--unit=listener", "/opt/" + exporter() + "/node_exporter")
                .orThrow();
        Await.until(
                TIMEOUT,
                "an answer through the tunnel",
                () -> one.exec("curl", "-fsS", "-m", "2", "http://10.0.0.2:9100/metrics")
                        .ok());
        assertThat(one.exec("curl", "-sS", "-m", "2", "http://" + two.publicAddress() + ":9100/")
                        .ok())
                .isFalse();
        try (Outsider outsider = cloud.outsider()) {
            assertThat(outsider.exec("bash", "-c", ": < /dev/tcp/" + two.publicAddress() + "/22")
                            .ok())
                    .isTrue();
            assertThat(outsider.exec("timeout", "2", "bash", "-c", ": < /dev/tcp/" + two.publicAddress() + "/9100")
                            .ok())
                    .isFalse();
        }
    }

    @Test
    @Tag("long")
    @Order(6)
    void reboot_fromInside_comesBackWithAddressAndTunnel() throws Exception {
        int boots = two.boots();
        two.exec("systemctl", "reboot");
        Await.until(TIMEOUT, "the second boot", () -> two.boots() > boots && two.running());
        assertThat(two.exec("cloud-init", "status", "--wait").orThrow().stdout())
                .contains("status: done");
        assertThat(banner(two.publicAddress())).startsWith("SSH-2.0-OpenSSH");
        assertThat(two.exec("cat", "/etc/ssh/ssh_host_ed25519_key.pub")
                        .orThrow()
                        .stdout())
                .contains(hostKey);
        assertThat(two.exec("ufw", "status").orThrow().stdout()).contains("Status: active", "9100/tcp on wg0");
        two.exec("systemd-run", "--unit=listener", "/opt/" + exporter() + "/node_exporter")
                .orThrow();
        Await.until(
                TIMEOUT,
                "an answer through the tunnel",
                () -> one.exec("curl", "-fsS", "-m", "2", "http://10.0.0.2:9100/metrics")
                        .ok());
    }

    @Test
    @Tag("long")
    @Order(7)
    void power_offAndOn_isSeenByTheApi() throws Exception {
        one.exec("systemctl", "poweroff");
        assertThat(one.await(false, TIMEOUT)).isTrue();
        assertThat(status(one)).isEqualTo("off");
        assertThatThrownBy(() -> one.exec("true")).hasMessageContaining("it-1 is off");
        one.start();
        assertThat(status(one)).isEqualTo("active");
        one.reboot();
        assertThat(one.exec("cloud-init", "status", "--wait").ok()).isTrue();
        assertThat(one.boots()).isEqualTo(3);
        long action = api.post("v2/droplets/" + one.id() + "/actions", "{\"type\":\"rebuild\"}")
                .body()
                .at("/action/id")
                .asLong();
        Await.until(
                TIMEOUT,
                "the rebuild",
                () -> api.quietly("v2/actions/" + action)
                        .at("/action/status")
                        .asText()
                        .equals("completed"));
        assertThat(one.exec("cloud-init", "status", "--wait").ok()).isTrue();
        assertThat(one.exec("which", "ufw").ok()).isFalse();
    }

    /** A cloud that another trial starts just then removes what the killed one left, too: then there is nothing left to name. */
    @Test
    @Order(8)
    void anotherCloud_killed_isRemovedAndThisOneIsNot() throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                AbandonedCloud.class.getName());
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        Process child = builder.start();
        String orphan = "";
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            String line = lines.readLine();
            while (line != null && !line.startsWith("ready ")) {
                line = lines.readLine();
            }
            orphan = String.valueOf(line).replaceFirst("^ready (\\S+).*", "$1");
            assertThat(orphan).startsWith(Runs.PREFIX).isNotEqualTo(cloud.name());
            assertThat(LocalCloud.cleanUp()).isEmpty();
            assertThat(traces(orphan)).isNotEmpty();
        } finally {
            child.destroyForcibly();
        }
        child.waitFor();
        assertThat(LocalCloud.cleanUp()).isSubsetOf(orphan);
        assertThat(traces(orphan)).isEmpty();
        assertThat(two.exec("true").ok()).isTrue();
        assertThat(banner(two.publicAddress())).startsWith("SSH-2.0-OpenSSH");
    }

    @Test
    @Order(9)
    void delete_byTag_leavesNoMachine() throws Exception {
        String machine = two.namespace();
        assertThat(traces(machine)).isNotEmpty();
        assertThat(api.delete("v2/droplets?tag_name=it").status()).isEqualTo(204);
        Await.until(TIMEOUT, "no droplet", () -> statuses().isEmpty());
        assertThat(traces(machine)).isEmpty();
        assertThat(cloud.droplets()).isEmpty();
    }

    @Test
    @Order(10)
    void close_withADropletRunning_leavesNothing() throws Exception {
        ObjectNode spec = object().put("name", "last").put("region", "lon1").put("size", "s-1vcpu-1gb");
        api.post("v2/droplets", spec.put("image", "debian-12-x64").toString());
        cloud.outsider();
        Await.until(TIMEOUT, "an active droplet", () -> statuses().equals(List.of("active")));
        assertThat(traces(cloud.name())).isNotEmpty();
        cloud.close();
        assertThat(traces(cloud.name())).isEmpty();
        cloud.close();
    }

    /** Everything on this machine that carries a name. */
    private static List<String> traces(String name) throws IOException {
        List<String> found = new ArrayList<>();
        for (List<String> command : List.of(
                List.of("ip", "netns", "list"),
                List.of("ip", "-brief", "link"),
                List.of("iptables", "-w", "10", "-S"),
                List.of("iptables", "-w", "10", "-t", "nat", "-S"),
                List.of("ip6tables", "-w", "10", "-S"),
                List.of("cat", "/proc/self/mountinfo"),
                List.of("ps", "-eo", "args"),
                // Groups of a machine that has just started come and go while they are listed.
                List.of(
                        "sh",
                        "-c",
                        "find /sys/fs/cgroup /run/systemd/nspawn -ignore_readdir_race -name '*" + name
                                + "*' 2>/dev/null || true"))) {
            Command.of(command)
                    .check()
                    .stdout()
                    .lines()
                    .filter(line -> line.contains(name) && !line.startsWith("find "))
                    .forEach(line -> found.add(command.get(0) + ": " + line));
        }
        try (Stream<Path> folders = Files.list(Runs.HOME.resolve("runs"))) {
            folders.filter(f -> f.toString().contains(name)).forEach(f -> found.add(f.toString()));
        }
        return found;
    }

    private static String wireguard(LocalDroplet droplet, String address) {
        return droplet.exec(
                        "sh",
                        "-ec",
                        "umask 077; k=$(wg genkey); printf '[Interface]\\nPrivateKey=%s\\nAddress=%s/24\\nListenPort=51820\\n'"
                                + " \"$k\" \"$0\" > /etc/wireguard/wg0.conf; systemctl enable -q --now wg-quick@wg0;"
                                + " echo \"$k\" | wg pubkey",
                        address)
                .orThrow()
                .stdout()
                .strip();
    }

    private static void peer(LocalDroplet droplet, String key, String address, String endpoint) {
        droplet.exec(
                        "bash",
                        "-ec",
                        "printf '[Peer]\\nPublicKey=%s\\nAllowedIPs=%s/32\\nEndpoint=%s:51820\\n' \"$0\" \"$1\" \"$2\" >>"
                                + " /etc/wireguard/wg0.conf; wg syncconf wg0 <(wg-quick strip wg0)",
                        key,
                        address,
                        endpoint)
                .orThrow();
    }

    private static String exporter() {
        return top("node_exporter");
    }

    private static String top(String release) {
        return cloud.releases().stream()
                .filter(r -> r.name().equals(release))
                .map(r -> r.fileName().replace(".tar.gz", ""))
                .findFirst()
                .orElseThrow();
    }

    private static String banner(String address) {
        byte[] start = new byte[20];
        Await.until(TIMEOUT, "sshd at " + address, () -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(address, 22), 1000);
                socket.setSoTimeout(5000);
                try (InputStream in = socket.getInputStream()) {
                    return in.readNBytes(start, 0, start.length) == start.length;
                }
            } catch (IOException e) {
                // Not up yet: asked again until the deadline.
                return false;
            }
        });
        return new String(start, StandardCharsets.US_ASCII);
    }

    private static String newKey(String name) {
        Path file = keys.resolve(name);
        Command.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file.toString())
                .check();
        return Folders.read(Path.of(file + ".pub")).strip();
    }

    private static String userData() {
        return "#cloud-config\nssh_keys:\n  ed25519_private: |\n"
                + Folders.read(keys.resolve("host")).indent(4)
                + "  ed25519_public: " + hostKey + "\n";
    }

    private static String status(LocalDroplet droplet) {
        return api.quietly("v2/droplets/" + droplet.id()).at("/droplet/status").asText();
    }

    private static List<String> statuses() {
        List<String> statuses = new ArrayList<>();
        api.quietly("v2/droplets")
                .path("droplets")
                .forEach(d -> statuses.add(d.path("status").asText()));
        return statuses;
    }

    private static ObjectNode object() {
        return JSON.createObjectNode();
    }
}
