package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The power goes at each program that a change script starts, and what was not in place yet is lost or cut short. The same script, run
 * again, ends in the same files, and nothing is left over. The files lie in a folder of their own.
 */
@Timeout(120)
class PowerCutTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final List<String> PROGRAMS = List.of(
            "mv",
            "rm",
            "mktemp",
            "chmod",
            "chown",
            "mkdir",
            "rmdir",
            "cp",
            "sed",
            "awk",
            "base64",
            "xargs",
            "grep",
            "sync",
            "cmp",
            "tar",
            "sha256sum",
            "stat",
            "wg",
            "ip");

    private static final String BLOCK = "# BEGIN PromGuard\n10.0.0.1 mon\n# END PromGuard\n";
    private static final String KEYS = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== promguard-login-key\n";

    /** The build tries some of the moments, others for other folders; {@code -Plong} tries all. */
    private static final int EVERY = Integer.getInteger("promguard.every", 9);

    @TempDir
    Path folder;

    @BeforeEach
    void needsRoot() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/flock")), "needs flock, of util-linux");
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root, to own files");
    }

    /** Runs shell over folders of its own; the power goes when so many programs were started, or never. */
    private static void run(Path root, String shell, int cutAt) throws Exception {
        // A program of a pipeline starts beside the others: each adds one sign.
        StringBuilder text = new StringBuilder(
                "systemctl() { :; }\nstarted() { printf x >>FOLDER/n; read -r programs <FOLDER/n || :; "
                        + "[ ${#programs} -lt " + (cutAt == 0 ? Integer.MAX_VALUE : cutAt) + " ] || kill -9 0; }\n");
        PROGRAMS.forEach(program -> text.append(program + "() { started; "
                + (Set.of("wg", "ip").contains(program) ? "stand_in_" : "command ") + program + " \"$@\"; }\n"));
        text.append("""
                stand_in_ip() { echo ' 10.0.0.1/24 '; }
                stand_in_wg() { case $1 in show) echo PUBLIC ;; syncconf) cat >FOLDER/running ;; esac; }
                iptables() { :; }
                curl() { started; while [ "$1" != -o ]; do shift; done; cat FOLDER/tarball >"$2"; }
                getent() { grep -qx "$2" "FOLDER/db.$1" 2>/dev/null; }
                groupadd() { started; echo "$3" >>FOLDER/db.group; }
                useradd() { started; shift $(($# - 1)); echo "$1" >>FOLDER/db.passwd; }
                """);
        text.append(shell);
        String script = text.toString()
                .replaceAll("(?<![A-Za-z0-9_}/\"])/(etc|opt|root|run|var|usr/local)/", "FOLDER/$1/")
                .replace("\"/etc/wireguard/", "\"FOLDER/etc/wireguard/")
                .replace("wg-quick strip", "FOLDER/bin/wg-quick strip")
                .replace("FOLDER", root.toString());
        Files.createDirectories(root.resolve("run"));
        Process process = new ProcessBuilder("setsid", "-w", "sh", "-s")
                .redirectErrorStream(true)
                .start();
        try (var in = process.getOutputStream()) {
            in.write(script.getBytes(UTF_8));
        } catch (IOException e) {
            assertThat(cutAt).as("the script was cut off: %s", e).isPositive();
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        if (cutAt == 0) {
            assertThat(process.exitValue()).as(out).isZero();
            assertThat(out).contains("\tend");
        }
    }

    private static String sum(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    private static String changes(Path root) throws Exception {
        return changes(root, "");
    }

    /** With shell in it that is read after the functions. */
    private static String changes(Path root, String shell) throws Exception {
        String config = "[Interface]\n\n[Peer]\nPublicKey = PEER\n# PresharedKeyFile = " + root
                + "/etc/wireguard/wg0.psk/node-1\n";
        try (Script script = Script.begin(NONCE)) {
            script.shell(shell);
            script.call("step", "prepare", "alone");
            file(script, 0, "/etc/prometheus/prometheus.yml", "new: yes\n");
            file(script, 1, "/etc/promguard/elasticsearch/a.yml", "a: 1\n");
            script.feed(
                    "secret\n".getBytes(UTF_8),
                    "step",
                    List.of("2", "apply_secret", "/etc/prometheus/secrets/pass", "0640", "root"));
            script.feed(
                    "node-1 key-one\nnode-2 key-two\n".getBytes(UTF_8),
                    "step",
                    List.of("3", "apply_preshared_keys", "/etc/wireguard/wg0.psk", "node-1", "node-2"));
            file(script, 4, "/etc/wireguard/wg0.conf", config);
            script.call(
                    "step", "5", "apply_wireguard", "SYNC", "wg0", "/etc/wireguard/wg0.key", "PUBLIC", "10.0.0.1/24");
            script.feed(BLOCK.getBytes(UTF_8), "step", List.of("6", "apply_hosts_file"));
            script.feed(KEYS.getBytes(UTF_8), "step", List.of("7", "apply_login_keys"));
            script.call("step", "8", "apply_user", "node_exporter");
            script.call(
                    "step",
                    "9",
                    "apply_release",
                    "node_exporter-1.0",
                    "https://mirror.example/a.tar.gz",
                    "unpacked",
                    sum(root.resolve("tarball")),
                    "node_exporter");
            script.shell("edit_file /etc/default/ufw sed s/FORWARD=DROP/FORWARD=ACCEPT/");
            return script.end().text();
        }
    }

    private static void file(Script script, int number, String path, String content) {
        script.feed(
                content.getBytes(UTF_8), "step", List.of(Integer.toString(number), "apply_file", path, "0644", "root"));
    }

    /** A host with what an earlier apply put there. */
    private static Path host(Path root) throws Exception {
        Files.createDirectories(root.resolve("etc/prometheus"));
        Files.writeString(root.resolve("etc/prometheus/prometheus.yml"), "old: yes\n");
        Path keys = Files.createDirectories(root.resolve("etc/wireguard/wg0.psk"));
        Files.writeString(keys.resolve("gone"), "old\n");
        Files.writeString(keys.resolve("node-1"), "old\n");
        Files.writeString(root.resolve("etc/wireguard/wg0.key"), "own\n");
        Path strip = Files.createDirectories(root.resolve("bin")).resolve("wg-quick");
        Files.writeString(strip, "#!/bin/sh\ncat " + root + "/etc/wireguard/wg0.conf\n");
        Files.setPosixFilePermissions(strip, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(Files.createDirectories(root.resolve("etc/default")).resolve("ufw"), "FORWARD=DROP\n");
        Files.writeString(root.resolve("etc/hosts"), "127.0.0.1 localhost\n");
        Path ssh = Files.createDirectories(root.resolve("root/.ssh"));
        Files.writeString(ssh.resolve("authorized_keys"), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB== somebody\n");
        Path program = Files.createDirectories(root.resolve("unpacked")).resolve("node_exporter");
        Files.writeString(program, "program\n");
        assertThat(new ProcessBuilder("tar", "--mtime=@0", "-czf", root + "/tarball", "-C", root.toString(), "unpacked")
                        .start()
                        .waitFor())
                .isZero();
        Path manifest = Files.createDirectories(root.resolve("var/lib/promguard/before"));
        Files.writeString(manifest.resolve("mesh"), "shop\n");
        Files.writeString(manifest.resolve("things"), "");
        return root;
    }

    /** Every file and folder with its mode and content, by its path, but for what belongs to the test and to locks. */
    private static Map<String, String> files(Path root) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.toList()) {
                String name = "/" + root.relativize(path);
                if (!name.equals("/n") && !name.equals("/") && !name.equals("/run/promguard.lock")) {
                    String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
                    // A stamp has the times of its files, and a tarball that of its making.
                    boolean text = Files.isRegularFile(path) && !name.matches(".*/(\\.promguard-stamp|tarball)");
                    files.put(name, mode + (text ? " " + Files.readString(path) : ""));
                }
            }
        }
        return files;
    }

    /** What was not in place yet loses its content. */
    private static void loseUnsynced(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.filter(Files::isRegularFile).toList()) {
                if (root.relativize(path).toString().matches(".*(/\\.promguard[.-]|/\\.new\\.|\\.new$).*")) {
                    Files.writeString(path, "");
                }
            }
        }
    }

    @Test
    void changes_powerCutAtEachProgram_areMadeByTheNextRunAndNothingIsLeft() throws Exception {
        Path undisturbed = host(folder.resolve("undisturbed"));
        run(undisturbed, changes(undisturbed), 0);
        Map<String, String> expected = files(undisturbed);
        assertThat(expected)
                .containsKey("/etc/wireguard/wg0.psk/node-1")
                .containsKey("/opt/promguard/node_exporter-1.0/node_exporter")
                .containsEntry("/db.passwd", "rw-r--r-- node_exporter\n")
                .doesNotContainKey("/etc/wireguard/wg0.psk/gone");
        int programs = Files.readString(undisturbed.resolve("n")).length();
        assertThat(programs).isGreaterThan(20);

        for (int number = 1; number <= programs; number += EVERY) {
            int cutAt = number;
            Path root = host(folder.resolve("cut-" + cutAt));
            run(root, changes(root), cutAt);
            if (cutAt % 2 == 0) {
                loseUnsynced(root);
            }
            Files.delete(root.resolve("n"));

            run(root, changes(root), 0);

            Map<String, String> found = normalized(files(root), root);
            Map<String, String> wanted = normalized(expected, undisturbed);
            assertThat(found).as("cut at program %d", cutAt).containsOnlyKeys(wanted.keySet());
            wanted.forEach((path, what) -> assertThat(found.get(path))
                    .as("%s, cut at program %d", path, cutAt)
                    .isEqualTo(what));
        }
    }

    /** A file system may write down a new name before what the file holds: after a power cut it would be there, and empty. */
    @Test
    void changes_filesPutInPlace_areOnDiskBefore() throws Exception {
        Path root = host(folder.resolve("host"));
        String shell = """
                sync() {
                    for each do [ ! -f "$each" ] || sha256sum "$each" >>FOLDER/synced; done
                }
                durable() {
                    find "$@" -type f | while read -r each; do sync "$each"; done
                }
                mv() {
                    : >>FOLDER/synced
                    to= from=
                    for word do
                        case $word in -*) ;; *) from="$from $to" to=$word ;; esac
                    done
                    case $to in
                        */.new.*) ;;
                        *)
                            find $from -type f -exec sha256sum {} + | while read -r sum; do
                                grep -qxF -e "$sum" FOLDER/synced || echo "$sum to $to" >>FOLDER/unsynced
                            done
                            ;;
                    esac
                    command mv "$@"
                    echo "$to" >>FOLDER/moved
                }
                """;

        run(root, changes(root, shell), 0);

        assertThat(root.resolve("unsynced")).as("renamed and not on disk").doesNotExist();
        assertThat(Files.readAllLines(root.resolve("moved")))
                .contains(
                        root + "/etc/hosts",
                        root + "/root/.ssh/authorized_keys",
                        root + "/etc/default/ufw",
                        root + "/etc/prometheus/prometheus.yml",
                        root + "/etc/prometheus/secrets/pass",
                        root + "/etc/wireguard/wg0.psk/",
                        root + "/opt/promguard/node_exporter-1.0");
        assertThat(Files.readAllLines(root.resolve("synced")))
                .as("what was there before")
                .anyMatch(line -> line.endsWith(
                        root + "/var/lib/promguard/before/files" + root + "/etc/prometheus/prometheus.yml"));
    }

    /** Once the interface is up to date, no later run has a reason to touch it. */
    @Test
    void sync_powerCutWhenThePeersAreSet_hasForgottenOldKeysBefore() throws Exception {
        Path root = host(folder.resolve("host"));
        Files.writeString(
                root.resolve("etc/wireguard/wg0.conf"),
                "[Peer]\nPublicKey = PEER\n# PresharedKeyFile = " + root + "/etc/wireguard/wg0.psk/node-1\n");
        String sync;
        try (Script script = Script.begin(NONCE)) {
            script.call("apply_wireguard", "SYNC", "wg0", "/etc/wireguard/wg0.key", "PUBLIC", "10.0.0.1/24");
            sync = script.end().text();
        }

        run(root, "wg() { case $1 in syncconf) cat >FOLDER/running; kill -9 0 ;; esac; }\n" + sync, Integer.MAX_VALUE);

        assertThat(root.resolve("running")).content().contains("PresharedKey = old");
        assertThat(root.resolve("etc/wireguard/wg0.psk/node-1")).exists();
        assertThat(root.resolve("etc/wireguard/wg0.psk/gone")).doesNotExist();
    }

    private static Map<String, String> normalized(Map<String, String> files, Path root) {
        Map<String, String> same = new TreeMap<>();
        files.forEach((path, what) -> same.put(path.replace(root.toString(), ""), what.replace(root.toString(), "")));
        return same;
    }
}
