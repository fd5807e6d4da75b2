package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.host.Change;
import dev.promguard.host.Manifest;
import dev.promguard.host.NewKeys;
import dev.promguard.host.SecretFile;
import dev.promguard.host.SecretFiles;
import dev.promguard.host.WireGuard;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the scripts write on a host that is secret, seen at every step on the way: each program that they call is replaced by
 * one that first notes how every file looks, does its work, and notes it again. Nothing is ever wider than it is in the end.
 */
@Timeout(60)
class PrivateFilesTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final PublicKey KEY = new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=");
    private static final NewKeys KEYS = new NewKeys(
            Optional.of(new WireGuardKeyPair(Secret.of("private-key"), KEY)),
            Map.of("node-1", Secret.of("one"), "node-2", Secret.of("two")));
    private static final List<String> PROGRAMS =
            List.of("mkdir", "mktemp", "base64", "chmod", "chown", "cp", "mv", "rm", "rmdir", "ln", "tr", "sync");

    @TempDir
    private Path folder;

    private Path host;
    private Path seen;
    private Path bin;

    @BeforeEach
    void makeHost() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "needs root, to give files away");
        host = Files.createDirectory(folder.resolve("host"));
        seen = folder.resolve("seen");
        bin = Files.createDirectory(folder.resolve("bin"));
        Files.createDirectories(host.resolve("etc/systemd/system"));
        Files.createDirectories(host.resolve("var/lib"));
        Files.createDirectories(host.resolve("opt"));
        String look = "/usr/bin/find " + host + " -printf '%y %m %p\\n' >>" + seen;
        for (String program : PROGRAMS) {
            stub(program, look + "; /usr/bin/" + program + " \"$@\"; code=$?; " + look + "; exit $code");
        }
        for (String program : List.of("systemctl", "systemd-run", "ufw", "flock")) {
            stub(program, look + (program.equals("systemctl") ? "; exit 3" : ""));
        }
        stub("wg", look + "; cat >/dev/null; echo " + KEY);
    }

    private void stub(String name, String code) throws IOException {
        Path file = bin.resolve(name);
        Files.writeString(file, "#!/bin/sh\n" + code + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Process start(Change... changes) throws IOException {
        String text;
        try (Script script = ChangeScript.of(NONCE, List.of(changes), KEYS, Duration.ofMinutes(2))) {
            text = script.text();
        }
        text = text.replace("/etc/", host + "/etc/")
                .replace("/var/lib/", host + "/var/lib/")
                .replace("/opt/", host + "/opt/")
                .replace("/run/promguard.lock", folder + "/lock")
                .replace(
                        "\nstep 'prepare' 'alone'\n",
                        "\nPATH=" + Script.quote(bin.toString()) + ":$PATH\nstep 'prepare' 'alone'\n");
        Path script = Files.writeString(folder.resolve("script"), text, UTF_8);
        return new ProcessBuilder("sh", "-s")
                .redirectInput(script.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("output").toFile())
                .start();
    }

    private int run(Change... changes) throws Exception {
        Process process = start(changes);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    private String output() throws IOException {
        return Files.readString(folder.resolve("output"));
    }

    /** Every look at what lies in a place, as type, mode and path, each combination once. */
    private List<String> looksAt(String place) throws IOException {
        String prefix = host + place;
        try (Stream<String> lines = Files.lines(seen)) {
            return lines.filter(line -> line.split(" ", 3)[2].startsWith(prefix))
                    .map(line -> line.replace(host.toString(), ""))
                    .distinct()
                    .sorted()
                    .toList();
        }
    }

    private List<Path> leftovers() throws IOException {
        try (Stream<Path> files = Files.walk(host)) {
            return files.filter(file -> host.relativize(file).toString().contains("/."))
                    .toList();
        }
    }

    private static Change writeKey() {
        return new WireGuard.WriteKey("/etc/wireguard/wg0.key", KEY);
    }

    private static Change writePresharedKeys() {
        return new WireGuard.WritePresharedKeys("/etc/wireguard/wg0.psk", Set.of("node-1", "node-2"));
    }

    @Test
    void keys_onAFreshHost_areNeverWiderThanTheirOwner() throws Exception {
        assertThat(run(writeKey(), writePresharedKeys())).as(output()).isZero();

        assertThat(host.resolve("etc/wireguard/wg0.key")).hasContent("private-key\n");
        assertThat(looksAt("/etc/wireguard"))
                .contains(
                        "d 700 /etc/wireguard",
                        "d 700 /etc/wireguard/wg0.psk",
                        "f 600 /etc/wireguard/wg0.key",
                        "f 600 /etc/wireguard/wg0.psk/node-1")
                .allSatisfy(look -> assertThat(look).matches("(d 700|f 600) .*"));
    }

    @Test
    void keys_inAFolderThatOthersMayRead_comeAfterItIsClosed() throws Exception {
        Files.createDirectory(
                host.resolve("etc/wireguard"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));

        assertThat(run(writeKey())).as(output()).isZero();

        List<String> states = Files.readAllLines(seen);
        int closed = states.indexOf("d 700 " + host + "/etc/wireguard");
        assertThat(states.subList(0, closed)).noneMatch(line -> line.startsWith("f ") && line.contains("/wireguard/"));
        assertThat(states.subList(closed, states.size()))
                .filteredOn(line -> line.endsWith("/etc/wireguard"))
                .containsOnly("d 700 " + host + "/etc/wireguard");
    }

    @Test
    void copiesForTheRollback_areNeverWiderThanTheirOwner() throws Exception {
        Path wireGuard = Files.createDirectory(
                host.resolve("etc/wireguard"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createDirectory(host.resolve("etc/ssh"));
        Files.createDirectory(
                wireGuard.resolve("wg0.psk"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        for (String key : List.of("wireguard/wg0.key", "ssh/ssh_host_ed25519_key", "wireguard/wg0.psk/node-1")) {
            Path file = Files.createFile(
                    host.resolve("etc/" + key),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, "old-key\n");
        }

        assertThat(run(writeKey())).as(output()).isZero();

        Path copies = host.resolve("var/lib/promguard/rollback");
        assertThat(copies.resolve("wireguard/wg0.key")).hasContent("old-key\n");
        assertThat(copies.resolve("wireguard/wg0.psk/node-1")).hasContent("old-key\n");
        assertThat(wireGuard.resolve("wg0.key")).hasContent("private-key\n");
        assertThat(looksAt("/var/lib/promguard"))
                .contains(
                        "d 700 /var/lib/promguard",
                        "d 700 /var/lib/promguard/rollback",
                        "f 600 /var/lib/promguard/rollback/wireguard/wg0.key",
                        "f 600 /var/lib/promguard/rollback/ssh/ssh_host_ed25519_key",
                        "f 600 /var/lib/promguard/rollback.sh")
                .allSatisfy(look -> assertThat(look).matches("(d 700|f 600) .*"));
    }

    @Test
    void credential_onAFreshHost_isNeverWiderThanItsGroup() throws Exception {
        Change change = new SecretFiles.Write(
                new SecretFile("/etc/prometheus/secrets/remote-write-1", "nogroup", Secret.of("password")));

        assertThat(run(change)).as(output()).isZero();

        assertThat(looksAt("/etc/prometheus/"))
                .contains(
                        "d 700 /etc/prometheus/secrets",
                        "d 750 /etc/prometheus/secrets",
                        "f 440 /etc/prometheus/secrets/remote-write-1")
                .allSatisfy(look -> assertThat(look).matches("(d 7[05]0|f 600|f 440) .*"));
        assertThat(looksAt("/etc/prometheus"))
                .as("the folder above is Prometheus' own, for its configuration")
                .contains("d 755 /etc/prometheus");
        assertThat(Files.getAttribute(host.resolve("etc/prometheus/secrets"), "unix:gid"))
                .isEqualTo(Files.getAttribute(host.resolve("etc/prometheus/secrets/remote-write-1"), "unix:gid"));
    }

    @Test
    void record_ofAHostThatStays_isNeverWiderThanItsOwner() throws Exception {
        Files.createDirectory(host.resolve("etc/wireguard"));
        Path theirs = Files.createFile(
                host.resolve("etc/wireguard/wg0.key"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(theirs, "their-key\n");

        assertThat(run(new Manifest.Begin("shop"), writeKey())).as(output()).isZero();

        assertThat(host.resolve("var/lib/promguard/before/files" + host + "/etc/wireguard/wg0.key"))
                .hasContent("their-key\n");
        assertThat(looksAt("/var/lib/promguard"))
                .isNotEmpty()
                .allSatisfy(look -> assertThat(look).matches("(d 700|f 600) .*"));
    }

    @Test
    void key_thatDoesNotBelong_leavesNothing() throws Exception {
        stub("wg", "cat >/dev/null; echo another");

        assertThat(run(writeKey())).isEqualTo(1);

        assertThat(output()).contains("the key that arrived does not belong").doesNotContain("private-key");
        assertThat(leftovers()).isEmpty();
        assertThat(host.resolve("etc/wireguard")).isEmptyDirectory();
    }

    /** Starts to write a key and stops where the key lies in a file that has not its name yet. */
    private Process stoppedHalfWay() throws Exception {
        stub(
                "wg",
                "cat >/dev/null; : >" + folder + "/reached; until [ -e " + folder
                        + "/go ]; do /bin/sleep 0.05; done; echo " + KEY);
        Process process = start(writeKey());
        while (!Files.exists(folder.resolve("reached"))) {
            assertThat(process.isAlive()).as(output()).isTrue();
            LockSupport.parkNanos(10_000_000);
        }
        assertThat(leftovers()).hasSize(1).allSatisfy(file -> assertThat(file).hasContent("private-key\n"));
        return process;
    }

    @Test
    void key_scriptIsTerminatedHalfWay_leavesNothing() throws Exception {
        Process process = stoppedHalfWay();

        process.destroy();
        Files.createFile(folder.resolve("go"));

        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(leftovers()).isEmpty();
        assertThat(host.resolve("etc/wireguard")).isEmptyDirectory();
    }

    @Test
    void key_scriptIsKilledHalfWay_isTakenAwayByTheNextRun() throws Exception {
        Process process = stoppedHalfWay();

        process.destroyForcibly();
        Files.createFile(folder.resolve("go"));
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        List<Path> places = new ArrayList<>(leftovers());
        for (String place :
                List.of("etc/wireguard/wg0.psk/.promguard.a", "var/lib/promguard/.new.a", "opt/promguard/.new.a")) {
            places.add(Files.createDirectories(host.resolve(place)));
        }
        Path credential = host.resolve("etc/prometheus/secrets/.promguard.a");
        Files.createDirectories(credential.getParent());
        places.add(Files.writeString(credential, "password\n"));
        assertThat(places).hasSize(5).allSatisfy(file -> assertThat(file).exists());

        assertThat(run(new Manifest.Begin("shop"))).as(output()).isZero();

        assertThat(leftovers()).isEmpty();
    }
}
