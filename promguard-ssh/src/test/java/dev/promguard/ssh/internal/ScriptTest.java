package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.Release;
import dev.promguard.host.AuthorizedKeys;
import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.Firewall;
import dev.promguard.host.HostFacts.FileFact;
import dev.promguard.host.HostKey;
import dev.promguard.host.HostsFile;
import dev.promguard.host.KillSwitch;
import dev.promguard.host.KillSwitches;
import dev.promguard.host.Leftovers;
import dev.promguard.host.ManagedFile;
import dev.promguard.host.ManagedFiles;
import dev.promguard.host.Manifest;
import dev.promguard.host.NetworkManagers;
import dev.promguard.host.NewKeys;
import dev.promguard.host.Packages;
import dev.promguard.host.ReleaseInstall;
import dev.promguard.host.Releases;
import dev.promguard.host.SecretFile;
import dev.promguard.host.SecretFiles;
import dev.promguard.host.SystemUser;
import dev.promguard.host.Units;
import dev.promguard.host.Users;
import dev.promguard.host.WireGuard;
import dev.promguard.host.WireGuardInterface;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.keys.WireGuardKeyPair;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScriptTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final PublicKey KEY = new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=");

    /** What a shell did with a script. */
    private record Ran(int exitCode, String out, String err) {}

    static Stream<String> hostileTexts() {
        Random random = new Random(7);
        String alphabet = "'\"\\$`!;&|<>(){}[]*?~# \t\n-=%^éλ\u0001\u007f\r";
        Stream<String> fixed = Stream.of(
                "",
                "'",
                "''",
                "'\\''",
                "$(touch /tmp/x)",
                "`id`",
                "a'; rm -rf / #",
                "-n",
                "--",
                "\n\n",
                "END-OF-DATA",
                "\nEND-OF-DATA\n",
                "\\",
                "%s%n",
                "\u2028𝄞");
        Stream<String> drawn = Stream.generate(() -> {
                    StringBuilder text = new StringBuilder();
                    for (int i = random.nextInt(40); i > 0; i--) {
                        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
                    }
                    return text.toString();
                })
                .limit(40);
        return Stream.concat(fixed, drawn);
    }

    @ParameterizedTest
    @MethodSource("hostileTexts")
    void call_hostileArgument_arrivesUnchanged(String text) throws Exception {
        try (Script script = Script.begin(NONCE, ShellLibrary.NONE)) {
            script.shell("say() { :; }").call("printf", "%s|", text).end();
            assertThat(run(script.array(), script.length()).out()).isEqualTo(text + '|');
        }
    }

    @ParameterizedTest
    @MethodSource("hostileTexts")
    void feed_hostileContent_arrivesUnchanged(String text) throws Exception {
        try (Script script = Script.begin(NONCE, ShellLibrary.NONE)) {
            script.shell("say() { :; }")
                    .feed(text.getBytes(UTF_8), "base64", List.of("-d"))
                    .end();
            assertThat(run(script.array(), script.length()).out()).isEqualTo(text);
        }
    }

    @Test
    void quote_nul_isRefused() {
        assertThatThrownBy(() -> Script.quote("a\0b")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void close_secretInside_isCleared() {
        Script script = Script.begin(NONCE, ShellLibrary.NONE);
        script.feed(Secret.of("hidden-value"), "base64", List.of("-d"));
        byte[] bytes = script.array();
        script.close();
        assertThat(bytes).containsOnly(0);
    }

    @Test
    void feed_moreThanFits_leavesNoCopyBehind() {
        Script script = Script.begin(NONCE, ShellLibrary.NONE);
        List<byte[]> buffers = new ArrayList<>();
        while (buffers.size() < 3) {
            script.feed(Secret.of("hidden-value"), "base64", List.of("-d"));
            if (buffers.isEmpty() || buffers.get(buffers.size() - 1) != script.array()) {
                buffers.add(script.array());
            }
        }
        assertThat(buffers.get(0)).as("outgrown").containsOnly(0);
        assertThat(buffers.get(1)).as("outgrown").containsOnly(0);
        assertThat(script.text()).contains(base64("hidden-value"));
        script.close();
        assertThat(buffers.get(2)).containsOnly(0);
    }

    @Test
    void of_changeThatIsRefusedAfterAKey_clearsWhatItWroteAndLeavesTheKeyToItsOwner() {
        Secret key = Secret.of("private-key");
        List<Change> changes =
                List.of(new WireGuard.WriteKey("/etc/wireguard/wg0.key", KEY), new ManagedFiles.Remove("/etc/passwd"));
        NewKeys keys = new NewKeys(Optional.of(new WireGuardKeyPair(key, KEY)), Map.of());

        assertThatThrownBy(() -> ChangeScript.of(NONCE, changes, keys, Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .doesNotContain("private-key", base64("private-key"));

        int length = key.use(value -> value.length);
        assertThat(length).isEqualTo("private-key".length());
    }

    @Test
    void run_cutAnywhere_runsNothing(@TempDir Path folder) throws Exception {
        Path mark = folder.resolve("mark");
        try (Script script = Script.begin(NONCE, ShellLibrary.NONE)) {
            script.shell("say() { :; }")
                    .call("touch", mark.toString())
                    .feed("data".getBytes(UTF_8), "base64", List.of("-d"))
                    .end();
            byte[] whole = Arrays.copyOf(script.array(), script.length());
            for (int length = 0; length < whole.length - "; exit $?\n".length(); length++) {
                run(whole, length);
                assertThat(mark).as("cut after %d bytes", length).doesNotExist();
            }
            run(whole, whole.length);
            assertThat(mark).exists();
        }
    }

    @Test
    void changes_everyKind_areTheScriptWrittenDown() throws Exception {
        try (Script script = ChangeScript.of(NONCE, everyKind(), everyKey(), Duration.ofMinutes(2))) {
            String text = script.text();
            String steps = text.substring(text.indexOf("step 'prepare'"))
                    .replaceAll("(?s)(step 'arm'[^\n]*\n).*?\nEND-OF-DATA", "$1(rollback.sh)\nEND-OF-DATA");
            Path expected = Path.of(Objects.requireNonNull(ScriptTest.class.getResource("changes.expected"))
                    .toURI());
            assertThat(steps).isEqualTo(Files.readString(expected));
        }
    }

    @Test
    void scripts_allKinds_areValidShell() throws Exception {
        List<String> texts = new ArrayList<>();
        try (Script changes = ChangeScript.of(NONCE, everyKind(), everyKey(), Duration.ofMinutes(2));
                Script facts = FactsScript.of(
                        NONCE,
                        Queries.node(),
                        Duration.ofMinutes(1),
                        true,
                        Optional.of(new HostKeyFingerprint("SHA256:" + "A".repeat(43))));
                Script confirm = Script.begin(NONCE).call("confirm").end()) {
            texts.addAll(List.of(changes.text(), facts.text(), confirm.text(), Script.rollback()));
        }
        for (String text : texts) {
            byte[] bytes = text.getBytes(UTF_8);
            assertThat(exec(List.of("sh", "-n"), bytes, bytes.length)).isEqualTo(new Ran(0, "", ""));
        }
    }

    @Test
    void firstToSave_keyBeforeInterface_savesBeforeTheKey() {
        List<Change> changes = everyKind();
        int first = ChangeScript.firstToSave(changes);
        assertThat(changes.get(first)).isInstanceOf(Firewall.Allow.class);
        assertThat(ChangeScript.firstToSave(changes.subList(0, first))).isEqualTo(-1);
        int key = 0;
        while (!(changes.get(key) instanceof WireGuard.WriteKey)) {
            key++;
        }
        assertThat(ChangeScript.firstToSave(changes.subList(key, changes.size())))
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-rf", "a b", "$(id)", "x;y", "../etc", ""})
    void facts_hostileName_isRefusedBeforeAnyScript(String name) {
        FactsQuery query =
                new FactsQuery(List.of(name), List.of(), List.of(), List.of(), List.of(), "wg0", "/k", Map.of());
        assertThatThrownBy(() -> FactsScript.of(NONCE, query, Duration.ofSeconds(1), false, Optional.empty()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ChangeScript.of(
                        NONCE, List.of(new Packages.Install(List.of(name))), NewKeys.NONE, Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/etc",
                "/etc/x",
                "//etc/x/y",
                "/etc/../x/y",
                "/etc/x/..",
                "/etc/x/.",
                "etc/x/y",
                "/a/b/c d",
                "/a/b/*"
            })
    void removeFile_pathThatPromGuardNeverWrites_isRefusedBeforeAnyScript(String path) {
        assertThatThrownBy(() -> ChangeScript.of(
                        NONCE, List.of(new ManagedFiles.Remove(path)), NewKeys.NONE, Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void removeFile_ofAFolderThatHoldsAnother_leavesTheFolder(@TempDir Path folder) throws Exception {
        Path own = Files.createDirectories(folder.resolve("blackbox_exporter"));
        Path config = Files.writeString(own.resolve("blackbox.yml"), "x\n");
        Path other = Files.writeString(own.resolve("by-hand"), "x\n");
        try (Script script = Script.begin(NONCE)) {
            script.call("step", "0", "undo_file", config.toString())
                    .call("step", "1", "undo_file", config.toString())
                    .end();
            Ran ran = run(script.array(), script.length());
            assertThat(ran.exitCode()).as(ran.err()).isZero();
        }
        assertThat(config).doesNotExist();
        assertThat(other).exists();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc",
                "/etc/systemd/system",
                "/etc/systemd/system/ssh.service.d",
                "/etc/systemd/system/node_exporter.service.d/..",
                "/usr/lib/systemd/system/node_exporter.service.d",
                ""
            })
    void removeDropIns_anotherFolder_isRefusedBeforeAnyScript(String folder) {
        Change change = new Units.RemoveDropIns("node_exporter.service", List.of(folder));
        assertThatThrownBy(() -> ChangeScript.of(NONCE, List.of(change), NewKeys.NONE, Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is not one that holds drop-ins of node_exporter.service");
    }

    @Test
    void writeFile_checkFails_leavesTheOldFile(@TempDir Path folder) throws Exception {
        assumeTrue(root(), "needs root, to give files away");
        Path file = folder.resolve("etc/rules.yml");
        Files.createDirectories(folder.resolve("etc"));
        Files.writeString(file, "old\n");
        Ran ran = write(file, "new\n", "grep", "-q", "old");
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out()).contains("failed\t0\t1\tthe check of the new content failed");
        assertThat(file).hasContent("old\n");
        try (Stream<Path> left = Files.list(folder.resolve("etc"))) {
            assertThat(left).containsExactly(file);
        }
    }

    @Test
    void writeFile_symlink_isReplacedAndItsTargetLeftAlone(@TempDir Path folder) throws Exception {
        assumeTrue(root(), "needs root, to give files away");
        Path target = Files.writeString(folder.resolve("target"), "theirs\n");
        Path file = Files.createSymbolicLink(folder.resolve("link"), target);
        Ran ran = write(file, "ours\n");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(file).isRegularFile().hasContent("ours\n");
        assertThat(Files.isSymbolicLink(file)).isFalse();
        assertThat(target).hasContent("theirs\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-r-----");
    }

    @Test
    void writeFile_folder_isRefused(@TempDir Path folder) throws Exception {
        Ran ran = write(folder, "x\n");
        assertThat(ran.out()).contains("failed\t0\t1\t" + folder + " is a folder");
    }

    @Test
    void writePresharedKeys_oldAndNew_areReadableByTheOwnerAlone(@TempDir Path folder) throws Exception {
        assumeTrue(root(), "needs root, to own files");
        Path keys = folder.resolve("wireguard/wg0.psk");
        Files.createDirectories(keys);
        Files.writeString(keys.resolve("node-1"), "old\n");
        Files.writeString(keys.resolve("node-3"), "kept\n");
        Change change = new WireGuard.WritePresharedKeys(keys.toString(), Set.of("node-1", "node-2"));
        NewKeys fresh =
                new NewKeys(Optional.empty(), Map.of("node-1", Secret.of("key-one"), "node-2", Secret.of("key-two")));
        try (Script script = ChangeScript.of(NONCE, List.of(change), fresh, Duration.ofMinutes(2))) {
            Ran ran = withoutArming(script);
            assertThat(ran.exitCode()).as(ran.err()).isZero();
            assertThat(ran.out() + ran.err()).doesNotContain("key-one").doesNotContain("key-two");
        }
        assertThat(keys.resolve("node-1")).hasContent("key-one\n");
        assertThat(keys.resolve("node-2")).hasContent("key-two\n");
        assertThat(keys.resolve("node-3")).hasContent("kept\n");
        try (Stream<Path> left = Files.list(keys)) {
            assertThat(left).hasSize(3);
        }
        assertThat(mode(keys)).isEqualTo("rwx------");
        assertThat(mode(keys.resolve("node-1"))).isEqualTo("rw-------");
        assertThat(mode(keys.resolve("node-2"))).isEqualTo("rw-------");
    }

    @Test
    void writePresharedKeys_folderIsALink_isRefused(@TempDir Path folder) throws Exception {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Path keys = Files.createSymbolicLink(folder.resolve("wg0.psk"), elsewhere);
        Change change = new WireGuard.WritePresharedKeys(keys.toString(), Set.of("node-1"));
        NewKeys fresh = new NewKeys(Optional.empty(), Map.of("node-1", Secret.of("one")));
        try (Script script = ChangeScript.of(NONCE, List.of(change), fresh, Duration.ofMinutes(2))) {
            assertThat(withoutArming(script).out()).contains(keys + " is not a folder");
        }
        assertThat(elsewhere).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "a b", "$(id)", "-f", "", "A"})
    void writePresharedKeys_hostilePeer_isRefused(String peer) {
        Change change = new WireGuard.WritePresharedKeys("/etc/wireguard/wg0.psk", Set.of(peer));
        NewKeys fresh = new NewKeys(Optional.empty(), Map.of(peer, Secret.of("one")));
        assertThatThrownBy(() -> ChangeScript.of(NONCE, List.of(change), fresh, Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void writeSecret_overALink_putsTheSecretInAFileOfItsOwnAndShowsItNobody(@TempDir Path folder) throws Exception {
        Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "kept\n");
        Path secrets = Files.createDirectory(folder.resolve("secrets"));
        Path file = Files.createSymbolicLink(secrets.resolve("remote-write-1"), elsewhere);
        Change change =
                new SecretFiles.Write(new SecretFile(file.toString(), "root", Secret.of("hidden 'value' $(id)")));
        assertThat(change.toString()).doesNotContain("hidden");

        try (Script script = ChangeScript.of(NONCE, List.of(change), NewKeys.NONE, Duration.ofMinutes(2))) {
            assertThat(script.text()).doesNotContain("hidden");
            Ran ran = withoutArming(script);
            assertThat(ran.exitCode()).as(ran.err()).isZero();
            assertThat(ran.out() + ran.err()).doesNotContain("hidden");
        }

        assertThat(file).hasContent("hidden 'value' $(id)\n").isRegularFile();
        assertThat(Files.isSymbolicLink(file)).isFalse();
        assertThat(mode(file)).isEqualTo("r--r-----");
        assertThat(elsewhere).hasContent("kept\n");
        try (Stream<Path> left = Files.list(secrets)) {
            assertThat(left).containsExactly(file);
        }
    }

    @Test
    void writeSecret_groupThatIsNotThere_failsAndLeavesNothing(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("remote-write-1");
        Change change = new SecretFiles.Write(new SecretFile(file.toString(), "no-such-group", Secret.of("hidden")));

        try (Script script = ChangeScript.of(NONCE, List.of(change), NewKeys.NONE, Duration.ofMinutes(2))) {
            assertThat(withoutArming(script).exitCode()).isPositive();
        }

        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void writeSecret_whereAFolderIs_isRefused(@TempDir Path folder) throws Exception {
        Change change = new SecretFiles.Write(new SecretFile(folder.toString(), "root", Secret.of("hidden")));

        try (Script script = ChangeScript.of(NONCE, List.of(change), NewKeys.NONE, Duration.ofMinutes(2))) {
            assertThat(withoutArming(script).out()).contains(folder + " is a folder");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"secret", "/etc/../x", "/etc/a b", "/etc/$(id)", "/etc/x\ny", "/"})
    void secretFile_hostilePath_isRefused(String path) {
        assertThatThrownBy(() -> new SecretFile(path, "root", Secret.of("hidden")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new SecretFile("/x", "root;id", Secret.of("hidden")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** Runs a script without the step that would set a timer on this machine. */
    private static Ran withoutArming(Script script) throws Exception {
        byte[] text = script.text()
                .replaceAll("(?s)step 'prepare' 'alone'\n", "")
                .replaceAll("(?s)step 'arm'.*?\nEND-OF-DATA\n", "")
                .getBytes(UTF_8);
        return run(text, text.length);
    }

    private static String mode(Path file) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private static final String CONFIG = """
            [Interface]
            Address = 10.0.0.1/24
            PostUp = wg set %i private-key FOLDER/wg0.key

            [Peer]
            # node-1
            PublicKey = bFRjXcGa8mU8Vunbyr9CliATs19h6isUuwtdCFM/MG4=
            # PresharedKeyFile = FOLDER/wg0.psk/node-1
            AllowedIPs = 10.0.0.2/32

            [Peer]
            # node-2
            PublicKey = YwRKcIvo7MMrLOx/a9CzgCUOpeqx+MewpenmWbCSWJU=
            AllowedIPs = 10.0.0.3/32
            """;

    /** The same as a command for each key, which is how hosts may still have it. */
    private static final String EARLIER_CONFIG =
            CONFIG.replace("# PresharedKeyFile = FOLDER/wg0.psk/node-1\n", "").replace("wg0.key\n", """
                    wg0.key
                    PostUp = wg set %i peer bFRjXcGa8mU8Vunbyr9CliATs19h6isUuwtdCFM/MG4= preshared-key FOLDER/wg0.psk/node-1
                    """);

    private static Ran withConfiguration(Path folder, String call) throws Exception {
        return withConfiguration(CONFIG, folder, call);
    }

    /** Runs functions of the scripts where wg and wg-quick are stand-ins and the configuration lies in a folder. */
    private static Ran withConfiguration(String template, Path folder, String call) throws Exception {
        String config = template.replace("FOLDER", folder.toString());
        Files.writeString(folder.resolve("wg0.conf"), config);
        Files.writeString(folder.resolve("stripped"), config.replaceAll("(?m)^(Address|PostUp) .*\n", ""));
        Files.writeString(folder.resolve("wg0.key"), "own-key\n");
        Files.createDirectories(folder.resolve("wg0.psk"));
        Path bin = Files.createDirectory(folder.resolve("bin"));
        program(bin.resolve("wg-quick"), "cat " + folder + "/stripped");
        program(
                bin.resolve("wg"),
                "case $3 in preshared-keys) cat " + folder + "/running ;; endpoints) cut -f1 " + folder
                        + "/running | sed 's/$/\t192.0.2.1:51820/' ;; allowed-ips | latest-handshakes | transfer) ;;"
                        + " *) printf 'wg %s\\n' \"$*\" >&3; cat >&3 ;; esac");
        try (Script script = Script.begin(NONCE)) {
            script.shell("PATH=" + Script.quote(bin.toString()) + ":$PATH");
            script.shell(call);
            byte[] text =
                    script.end().text().replace("/etc/wireguard/", folder + "/").getBytes(UTF_8);
            return run(text, text.length);
        }
    }

    private static void program(Path file, String code) throws Exception {
        Files.writeString(file, "#!/bin/sh\n" + code + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void syncPeers_everyKeyThere_givesAllOfThemToTheInterface(@TempDir Path folder) throws Exception {
        Files.createDirectories(folder.resolve("wg0.psk"));
        Files.writeString(folder.resolve("wg0.psk/node-1"), "shared-key\n");

        Ran ran = withConfiguration(folder, "sync_peers wg0 " + folder + "/wg0.key");

        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out())
                .contains(
                        "wg syncconf wg0 /dev/stdin\n[Interface]\nPrivateKey = own-key\n",
                        "PresharedKey = shared-key\nAllowedIPs = 10.0.0.2/32\n",
                        "SWJU=\nAllowedIPs = 10.0.0.3/32\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"wg0.key", "wg0.psk/node-1"})
    void syncPeers_oneKeyMissing_leavesTheInterfaceAlone(String missing, @TempDir Path folder) throws Exception {
        Files.createDirectories(folder.resolve("wg0.psk"));
        Files.writeString(folder.resolve("wg0.psk/node-1"), "shared-key\n");

        Ran ran = withConfiguration(
                folder,
                ": >" + folder + "/" + missing + "; sync_peers wg0 " + folder
                        + "/wg0.key; printf 'why %s\\n' \"$WHY\" >&3");

        assertThat(ran.out()).doesNotContain("wg syncconf").contains("why the configuration of wg0 or a key");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void presharedKeys_running_areComparedAndNotPrinted(boolean earlier, @TempDir Path folder) throws Exception {
        String first = "bFRjXcGa8mU8Vunbyr9CliATs19h6isUuwtdCFM/MG4=";
        String second = "YwRKcIvo7MMrLOx/a9CzgCUOpeqx+MewpenmWbCSWJU=";
        Map<String, String> verdicts = Map.of("shared-key", "filed", "(none)", "none", "another", "other");
        for (Map.Entry<String, String> running : verdicts.entrySet()) {
            Path place = Files.createDirectory(folder.resolve(running.getValue()));
            Files.createDirectories(place.resolve("wg0.psk"));
            Files.writeString(place.resolve("wg0.psk/node-1"), "shared-key\n");
            Files.writeString(
                    place.resolve("running"), first + '\t' + running.getKey() + '\n' + second + "\tunfiled\n");

            Ran ran = withConfiguration(earlier ? EARLIER_CONFIG : CONFIG, place, "facts_peers wg0");

            assertThat(ran.out())
                    .isEqualTo(
                            NONCE + "\tpeer-endpoints\t" + first + "\t192.0.2.1:51820\n" + NONCE + "\tpeer-endpoints\t"
                                    + second + "\t192.0.2.1:51820\n" + NONCE + "\tpeer-preshared-key\t" + first + '\t'
                                    + running.getValue() + '\n' + NONCE
                                    + "\tpeer-preshared-key\t" + second + "\tother\n" + NONCE + "\tend\n");
        }
    }

    @Test
    void forgetPresharedKeys_peerGone_removesItsKeyAlone(@TempDir Path folder) throws Exception {
        Files.createDirectories(folder.resolve("wg0.psk"));
        for (String peer : List.of("node-1", "node-11", "node")) {
            Files.writeString(folder.resolve("wg0.psk/" + peer), "key\n");
        }

        Ran ran = withConfiguration(
                folder, "facts_preshared_keys wg0; forget_preshared_keys wg0; facts_preshared_keys wg0");

        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out().replace(NONCE + "\t", "").lines())
                .containsExactly(
                        "fact\tpreshared-keys\tunnamed\tnode", "fact\tpreshared-keys\tunnamed\tnode-11", "end");
        try (Stream<Path> left = Files.list(folder.resolve("wg0.psk"))) {
            assertThat(left).containsExactly(folder.resolve("wg0.psk/node-1"));
        }
    }

    @Test
    void forgetPresharedKeys_noConfiguration_removesNone(@TempDir Path folder) throws Exception {
        Files.createDirectories(folder.resolve("wg0.psk"));
        Files.writeString(folder.resolve("wg0.psk/node-1"), "key\n");

        Ran ran = withConfiguration(
                folder,
                "rm " + folder + "/wg0.conf; facts_preshared_keys wg0; forget_preshared_keys wg0 || say failed");

        assertThat(ran.out().replace(NONCE + "\t", "").lines()).containsExactly("failed", "end");
        assertThat(folder.resolve("wg0.psk/node-1")).exists();
    }

    @Test
    void pending_writtenDownAndSettledOneByOne_isReportedFromThereUntilThen(@TempDir Path folder) throws Exception {
        try (Script script = Script.begin(NONCE)) {
            script.shell(
                    "STATE=" + Script.quote(folder + "/state") + " PENDING=" + Script.quote(folder + "/state/owed"));
            script.call("expect_pending", "node_exporter.service RESTART", "prometheus.service START")
                    .call("facts_pending")
                    .shell("say before")
                    .call("note_pending")
                    .call("facts_pending")
                    .call("forget_pending", "node_exporter.service")
                    .shell("say between")
                    .call("facts_pending")
                    .call("forget_pending", "prometheus.service")
                    .shell("say after")
                    .call("facts_pending")
                    .end();
            Ran ran = run(script.array(), script.length());

            assertThat(ran.exitCode()).as(ran.err()).isZero();
            assertThat(ran.out().replace(NONCE + "\t", "").lines())
                    .containsExactly(
                            "before",
                            "pending\tnode_exporter.service\tRESTART",
                            "pending\tprometheus.service\tSTART",
                            "between",
                            "pending\tprometheus.service\tSTART",
                            "after",
                            "end");
            assertThat(folder.resolve("state")).isEmptyDirectory();
        }
    }

    /** A new unit file may name other units that bring the unit up. All are enabled at once, for systemd reads every file anew each time. */
    @Test
    void unit_restarted_isEnabledAnewTogetherWithAllThatThisRunStarts(@TempDir Path folder) throws Exception {
        try (Script script = Script.begin(NONCE)) {
            script.shell(
                    "STATE=" + Script.quote(folder + "/state") + " PENDING=" + Script.quote(folder + "/state/owed"));
            script.shell("systemctl() { say systemctl \"$*\"; }; stays_active() { :; }; unmask() { :; }");
            script.call(
                            "expect_pending",
                            "node_exporter.service RESTART",
                            "blackbox_exporter.service RESTART",
                            "theirs.service STOP")
                    .call("apply_unit", "RESTART", "node_exporter.service")
                    .call("apply_unit", "RESTART", "blackbox_exporter.service")
                    .end();
            Ran ran = run(script.array(), script.length());

            assertThat(ran.exitCode()).as(ran.err()).isZero();
            assertThat(ran.out().replace(NONCE + "\t", "").lines())
                    .filteredOn(line -> !line.contains("reset-failed"))
                    .containsExactly(
                            "systemctl\tenable -- node_exporter.service blackbox_exporter.service",
                            "systemctl\trestart node_exporter.service",
                            "systemctl\trestart blackbox_exporter.service",
                            "end");
        }
    }

    /** Systemd could not execute the program: a folder on the way to it is its owner's alone. */
    @Test
    void unit_whoseUserDoesNotReachItsProgram_namesTheFolderAndItsMode(@TempDir Path folder) throws Exception {
        Path programs = Files.createDirectories(folder.resolve("opt/promguard"));
        Files.setPosixFilePermissions(folder.resolve("opt"), PosixFilePermissions.fromString("rwx------"));
        Files.setPosixFilePermissions(programs, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (Script script = Script.begin(NONCE)) {
            script.shell("systemctl() { case $1,$3 in show,ExecMainStatus) echo 203 ;; esac; }; show_unit() { :; }");
            script.shell("stays_active() { return 1; }; enable_unit() { :; }");
            script.call("step", "1", "apply_unit", "START", "node_exporter.service")
                    .end();
            String text = script.text().replace("/opt/promguard", programs.toString());
            Ran ran = run(text.getBytes(UTF_8), text.getBytes(UTF_8).length);

            assertThat(ran.out())
                    .contains("failed\t1\t1\tnode_exporter.service does not stay up: "
                            + folder.resolve("opt").toRealPath()
                            + " has mode 0700, so that other users than root do not reach the programs in "
                            + programs.toRealPath() + "\n");
        }
    }

    /** A restart is pending on a program also where its user was made anew; packages and tarballs may be refused before anything is changed. */
    @ParameterizedTest
    @CsvSource({"apply_user,true", "apply_file,true", "apply_packages,false", "apply_release,false"})
    void step_ofWhatUnitsRunWith_isPendingFirst(String function, boolean pending, @TempDir Path folder)
            throws Exception {
        try (Script script = Script.begin(NONCE)) {
            script.shell(
                    "STATE=" + Script.quote(folder + "/state") + " PENDING=" + Script.quote(folder + "/state/owed"));
            script.shell(function + "() { facts_pending; }");
            script.call("step", "prepare", "expect_pending", "node_exporter.service RESTART")
                    .call("step", "0", function)
                    .end();
            Ran ran = run(script.array(), script.length());

            assertThat(ran.exitCode()).as(ran.err()).isZero();
            assertThat(ran.out().contains("\tpending\tnode_exporter.service\tRESTART\n"))
                    .isEqualTo(pending);
        }
    }

    @Test
    void contents_filesOfAnotherSum_areSentIfPlainAndShortAndAskedFor(@TempDir Path folder) throws Exception {
        String text = "é'\"\\$(id)\t|&\n\n" + "x".repeat(20_000) + "\nlast line without end";
        Path other = Files.writeString(folder.resolve("other"), text);
        Path same = Files.writeString(folder.resolve("same"), "same\n");
        Path empty = Files.createFile(folder.resolve("empty"));
        Path full = Files.writeString(folder.resolve("full"), "y".repeat(65_536));
        Path large = Files.writeString(folder.resolve("large"), "y".repeat(65_537));
        Path secret = Files.writeString(folder.resolve("secret"), "not to be sent\n");
        Path link = Files.createSymbolicLink(folder.resolve("link"), secret);
        Path directory = Files.createDirectory(folder.resolve("directory"));
        Path absent = folder.resolve("absent");
        List<Path> asked = List.of(other, same, empty, full, large, link, directory, absent);
        Map<String, String> expected = new HashMap<>();
        asked.forEach(file -> expected.put(file.toString(), "0".repeat(64)));
        expected.put(same.toString(), sha256("same\n"));
        List<String> files = new ArrayList<>(asked.stream().map(Path::toString).toList());
        files.add(secret.toString());
        FactsQuery query = new FactsQuery(List.of(), List.of(), files, List.of(), List.of(), "wg0", "/k", expected);
        String whole;
        try (Script script = FactsScript.of(NONCE, query, Duration.ofSeconds(5), false, Optional.empty())) {
            whole = script.text();
        }
        // Only the calls that look at files: the others look at this machine.
        String calls = whole.lines()
                .filter(line -> line.startsWith("facts_files '") || line.startsWith("facts_contents '"))
                .collect(Collectors.joining("\n"));
        assertThat(calls).contains("facts_files '", "facts_contents '");

        FactsParser parser = new FactsParser(query);
        try (Script script = Script.begin(NONCE)) {
            Ran ran = run(script.shell(calls).end());
            assertThat(ran.exitCode()).as(ran.err()).isZero();
            assertThat(ran.out()).doesNotContain("not to be sent", base64("not to be sent"));
            parser.line("system\tx86_64\t1700000000\tdebian\t12");
            parser.line("unit\tLoadState=not-found");
            for (String line : ran.out().lines().toList()) {
                parser.line(line.substring(NONCE.length() + 1));
            }
        }
        Map<String, FileFact> facts = parser.facts().files();

        assertThat(content(facts, other)).contains(text);
        assertThat(content(facts, full)).contains("y".repeat(65_536));
        for (Path notSent : List.of(same, empty, large, secret, link, directory)) {
            assertThat(content(facts, notSent)).as(notSent.toString()).isEmpty();
        }
        assertThat(facts).doesNotContainKey(absent.toString());
        assertThat(facts.toString()).doesNotContain("xxxx");
    }

    private static Optional<String> content(Map<String, FileFact> facts, Path file) {
        return Objects.requireNonNull(facts.get(file.toString())).content();
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(UTF_8)).substring(0, 16);
    }

    private static String sha256(String text) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "$(id)", "'; id '"})
    void facts_hostileSum_isRefusedBeforeAnyScript(String sum) {
        FactsQuery query = new FactsQuery(
                List.of(), List.of(), List.of("/a"), List.of(), List.of(), "wg0", "/k", Map.of("/a", sum));
        assertThatThrownBy(() -> FactsScript.of(NONCE, query, Duration.ofSeconds(1), false, Optional.empty()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new FactsQuery(
                        List.of(), List.of(), List.of(), List.of(), List.of(), "wg0", "/k", Map.of("/a", sum)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static Ran run(Script script) throws Exception {
        return run(script.array(), script.length());
    }

    private static Ran write(Path file, String content, String... check) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("0", "apply_file", file.toString(), "0640", "root"));
        arguments.addAll(List.of(check));
        try (Script script = Script.begin(NONCE)) {
            script.feed(content.getBytes(UTF_8), "step", arguments).end();
            return run(script.array(), script.length());
        }
    }

    static List<Change> everyKind() {
        Release release = Release.nodeExporter().from(URI.create("http://mirror.test/releases"));
        ReleaseInstall install = new ReleaseInstall(release, List.of("node_exporter"));
        FirewallRule scrape = new FirewallRule(
                Optional.of("wg0"),
                Optional.of("10.0.0.1"),
                Optional.of("10.0.0.2"),
                9100,
                Protocol.TCP,
                "mon scraper");
        ManagedFile config = new ManagedFile(
                "/etc/wireguard/wg0.conf", "[Interface]\nAddress = 10.0.0.2/24\n", 0600, "root", List.of());
        WireGuardInterface wireGuard =
                new WireGuardInterface("wg0", "10.0.0.2/24", 51820, OptionalInt.empty(), KEY, List.of(), config);
        List<Change> changes = new ArrayList<>(List.of(
                new Packages.Install(List.of("ufw", "wireguard-tools")),
                new Users.Create(new SystemUser("node_exporter")),
                new Releases.Install(
                        install,
                        release.tarball(Architecture.AMD64),
                        release.folder(Architecture.AMD64),
                        release.sum(Architecture.AMD64).orElseThrow()),
                new Units.RemoveDropIns(
                        "node_exporter.service", List.of("/etc/systemd/system/node_exporter.service.d")),
                new Firewall.Allow(FirewallRule.open(22, Protocol.TCP, "OpenSSH")),
                new Firewall.Allow(scrape),
                new Firewall.Disallow(scrape),
                new Firewall.Enable(),
                new WireGuard.WriteKey("/etc/wireguard/wg0.key", KEY),
                new WireGuard.WritePresharedKeys("/etc/wireguard/wg0.psk", Set.of("node-2", "node-10")),
                new ManagedFiles.Write(config),
                new ManagedFiles.Write(ManagedFile.readable("/etc/prometheus/prometheus.yml", "it's: \"$HOME\"\n")
                        .checkedBy(List.of("/opt/promguard/prometheus-3.13.2/promtool", "check", "config")))));
        for (WireGuard.InterfaceAction action : WireGuard.InterfaceAction.values()) {
            changes.add(new WireGuard.Configure(wireGuard, action));
        }
        for (Units.UnitAction action : Units.UnitAction.values()) {
            changes.add(new Units.Apply("node_exporter.service", action));
        }
        changes.add(new Units.Mask("prometheus-blackbox-exporter.service"));
        changes.add(new Units.Remove("blackbox_exporter.service"));
        changes.add(new ManagedFiles.Remove("/etc/promguard/blackbox_exporter/blackbox.yml"));
        changes.add(new HostKey.Replace());
        changes.add(new Manifest.Begin("shop"));
        for (Manifest.Part part : Manifest.Part.values()) {
            changes.add(new Manifest.Uninstall(part));
        }
        KillSwitch killSwitch = new KillSwitch(
                "10.0.0.0/24",
                "10.0.0.2",
                "wg0",
                new TreeSet<>(Set.of(9100)),
                Set.of("10.0.0.3"),
                9090,
                Set.of(),
                List.of());
        for (KillSwitches.KillSwitchAction action : KillSwitches.KillSwitchAction.values()) {
            changes.add(new KillSwitches.Configure(killSwitch, action));
        }
        changes.add(new HostsFile.Write("# BEGIN PromGuard\n10.0.0.2 db-1.shop.mesh\n# END PromGuard\n", 1));
        changes.add(new HostsFile.Remove());
        changes.add(
                new Leftovers.Remove(new Leftovers.LeftoversFact(List.of("/etc/prometheus/.promguard.a"), Map.of())));
        for (NetworkManagers.Manager manager : NetworkManagers.Manager.values()) {
            changes.add(new NetworkManagers.KeepOut(
                    manager, "wg0", ManagedFile.readable("/etc/" + manager.name() + "/wg0", "alone\n")));
        }
        SshPublicKey login = SshPublicKey.parse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A".repeat(43));
        changes.add(new AuthorizedKeys.Write(List.of(login), 1, 0));
        changes.add(new AuthorizedKeys.AdmitMesh(login));
        return changes;
    }

    /** The keys that the changes of {@link #everyKind()} write. */
    static NewKeys everyKey() {
        return new NewKeys(
                Optional.of(new WireGuardKeyPair(Secret.of("not-a-real-key"), KEY)),
                Map.of("node-2", Secret.of("not-a-real-key-2"), "node-10", Secret.of("not-a-real-key-10")));
    }

    private static boolean root() {
        return System.getProperty("user.name").equals("root");
    }

    private static Ran run(byte[] script, int length) throws Exception {
        return exec(List.of("sh", "-s"), script, length);
    }

    private static Ran exec(List<String> command, byte[] input, int length) throws Exception {
        Path out = Files.createTempFile("promguard", ".out");
        Path err = Files.createTempFile("promguard", ".err");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            try (var stdin = process.getOutputStream()) {
                stdin.write(input, 0, length);
            } catch (IOException e) {
                // A shell that refuses the script reads no further; its exit code says so.
                assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
            return new Ran(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }
}
