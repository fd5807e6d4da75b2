package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The record on a host of what was put there, and what is done by it, in a real shell but for systemd and the accounts. */
class TakeOffTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final String TUPLE = "### tuple ### %s\n-A ufw-user-input rule of %s\n\n";

    @TempDir
    Path host;

    @BeforeEach
    void needsShell() {
        assumeTrue(Files.isExecutable(Path.of("/bin/sh")) && Files.isExecutable(Path.of("/usr/bin/tac")));
    }

    private Path state() {
        return host.resolve("state");
    }

    private String run(String... lines) throws Exception {
        try (Script script = Script.begin(NONCE)) {
            script.shell("STATE=" + Script.quote(state().toString()) + " PENDING=$STATE/owed MANIFEST=$STATE/before");
            script.shell("UFW=" + Script.quote(host.resolve("ufw").toString()));
            script.shell("systemctl() { :; }");
            for (String line : lines) {
                script.shell(line);
            }
            script.end();
            Path out = host.resolve("out");
            Process shell = OwnNetwork.shell()
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .start();
            try (var input = shell.getOutputStream()) {
                input.write(script.array(), 0, script.length());
            }
            assertThat(shell.waitFor(20, TimeUnit.SECONDS)).isTrue();
            String said = Files.readString(out).replace(NONCE + "\t", "");
            Files.delete(out);
            assertThat(said).endsWith("end\n");
            return said.substring(0, said.length() - "end\n".length());
        }
    }

    private List<String> things() throws IOException {
        return Files.readAllLines(state().resolve("before/things"));
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(host)) {
            return all.filter(path -> !path.startsWith(state()) && !path.equals(host))
                    .map(path -> host.relativize(path).toString())
                    .sorted()
                    .toList();
        }
    }

    private String write(String path, String content) {
        return "printf '%s' '" + content + "' | base64 | apply_file '" + host.resolve(path) + "' 0640 root";
    }

    private static boolean root() {
        return System.getProperty("user.name").equals("root");
    }

    @Test
    void note_hostThatIsNotToBeRemembered_writesNothing() throws Exception {
        run("note unit a.service", "note_path " + host + "/x", "note_folders " + host + "/a/b", "note_packages nope");

        assertThat(files()).isEmpty();
        assertThat(state()).doesNotExist();
    }

    @Test
    void note_sameThingTwice_isWrittenOnce() throws Exception {
        run("apply_manifest shop", "note unit a.service", "note unit a.service", "note unit a.services");

        assertThat(things()).containsExactly("unit a.service", "unit a.services");
        assertThat(state().resolve("before/mesh")).hasContent("shop");
    }

    @Test
    void factsManifest_everyKindOfThing_tellsWhatIsRemovedAndWhatIsLeft() throws Exception {
        String said = run(
                "apply_manifest shop",
                "note unit a.service",
                "note file /etc/a",
                "note replaced /etc/b",
                "note package ufw",
                "note folder /etc/c",
                "facts_manifest");

        assertThat(said.lines())
                .containsExactly(
                        "manifest\tshop",
                        "thing\tunit a.service",
                        "thing\tfile /etc/a",
                        "thing\treplaced /etc/b",
                        "thing\tpackage ufw");
    }

    @Test
    void remember_again_keepsTheFirstRecord() throws Exception {
        run("apply_manifest shop", "note unit a.service");
        run("apply_manifest bank");

        assertThat(state().resolve("before/mesh")).hasContent("shop");
        assertThat(things()).containsExactly("unit a.service");
    }

    @Test
    void offFiles_newAndReplacedFiles_areRemovedAndPutBack() throws Exception {
        assumeTrue(root(), "needs root, to give files away");
        Path theirs = Files.writeString(host.resolve("theirs.conf"), "theirs\n");
        Path link = Files.createSymbolicLink(host.resolve("link.conf"), Path.of("theirs.conf"));
        Files.createDirectory(host.resolve("kept"));
        run(
                "apply_manifest shop",
                write("theirs.conf", "ours"),
                write("theirs.conf", "ours again"),
                write("link.conf", "ours"),
                write("a/b/c.conf", "ours"),
                write("kept/d.conf", "ours"));
        assertThat(theirs).hasContent("ours again");
        assertThat(link).isRegularFile();

        String said = run("undo_files");

        assertThat(theirs).hasContent("theirs");
        assertThat(Files.readSymbolicLink(link)).isEqualTo(Path.of("theirs.conf"));
        assertThat(Files.isSymbolicLink(link)).isTrue();
        assertThat(files()).containsExactly("kept", "link.conf", "theirs.conf");
        assertThat(said).contains("leftover\t" + theirs + ", put back as it was before");
        assertThat(state().resolve("before")).doesNotExist();
        assertThat(state().resolve("taken-off")).isDirectory();
    }

    @Test
    void offFiles_folderWithFilesOfOthers_staysAndIsNamed() throws Exception {
        assumeTrue(root(), "needs root, to give files away");
        run("apply_manifest shop", write("a/b/c.conf", "ours"));
        Files.writeString(host.resolve("a/mine"), "mine");

        assertThat(run("undo_files"))
                .isEqualTo("leftover\t" + host.resolve("a") + ", for it holds what is not from PromGuard\n");
        assertThat(files()).containsExactly("a", "a/mine");
    }

    @Test
    void offFiles_cutOffAndAgain_goesOn() throws Exception {
        assumeTrue(root(), "needs root, to give files away");
        Path theirs = Files.writeString(host.resolve("theirs.conf"), "theirs\n");
        run("apply_manifest shop", write("theirs.conf", "ours"), write("a/b/c.conf", "ours"));

        run("mv() { return 1; }", "undo_files");
        assertThat(state().resolve("before")).isDirectory();
        run("undo_files");

        assertThat(theirs).hasContent("theirs");
        assertThat(files()).containsExactly("theirs.conf");
    }

    private String folderOf(String name) {
        return "note_tree " + host.resolve(name);
    }

    /** Systemd gives a unit's folder for data to its user: what was in one before stays, and an empty one is empty again. */
    @Test
    void offFiles_foldersForData_areAsTheyWere() throws Exception {
        Path theirs = Files.createDirectories(host.resolve("theirs"));
        Files.writeString(theirs.resolve("database"), "theirs");
        Path empty = Files.createDirectories(host.resolve("empty/lost+found")).getParent();
        Files.setPosixFilePermissions(empty, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(run("facts_state_folders " + theirs + " " + empty + " " + host.resolve("new")))
                .isEqualTo("fact\tstate-folders\tused\t" + theirs + "\n");
        run("apply_manifest shop", folderOf("theirs"), folderOf("empty"), folderOf("new"));
        for (Path folder : List.of(theirs, empty, Files.createDirectories(host.resolve("new")))) {
            Files.createDirectories(folder.resolve("wal"));
            Files.writeString(folder.resolve("wal/0001"), "ours");
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        }
        run(folderOf("theirs"), folderOf("empty"), folderOf("new"));

        assertThat(run("undo_files")).isEmpty();

        assertThat(files())
                .containsExactly(
                        "empty", "empty/lost+found", "theirs", "theirs/database", "theirs/wal", "theirs/wal/0001");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(empty)))
                .isEqualTo("rwxr-xr-x");
    }

    @Test
    void offFiles_noRecord_doesNothing() throws Exception {
        assertThat(run("undo_services", "undo_wireguard", "undo_firewall", "undo_files"))
                .isEmpty();
        assertThat(Files.exists(state(), LinkOption.NOFOLLOW_LINKS)).isFalse();
    }

    private static String rules(String... tuples) {
        return Stream.of(tuples)
                .map(tuple -> TUPLE.formatted(tuple, tuple))
                .collect(Collectors.joining("", "*filter\n### RULES ###\n\n", "### END RULES ###\nCOMMIT\n"));
    }

    private String rulesBefore(String family, String keep, String then, String now) throws Exception {
        run(
                "apply_manifest shop",
                "note rule allow proto tcp from any to any port 22 comment OpenSSH",
                "note rule allow proto udp from any to any port 51820 comment WireGuard",
                "note rule allow in on wg0 proto tcp from 10.0.0.1 to 10.0.0.2 port 9100 comment mon scraper",
                "note rule allow in on wg0 proto tcp from fd00::1 to fd00::2 port 9100 comment mon scraper");
        Files.createDirectories(state().resolve("before/ufw"));
        Files.createDirectories(host.resolve("ufw"));
        Files.writeString(state().resolve("before/ufw/user.rules.ufw"), then, UTF_8);
        Files.writeString(host.resolve("ufw/user.rules"), now, UTF_8);
        return run("rules_before " + family + " user.rules '" + keep + "'");
    }

    private static final String SSH = "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=4f70656e535348";
    private static final String WIREGUARD = "allow udp 51820 0.0.0.0/0 any 0.0.0.0/0 in comment=576972654775617264";
    private static final String SCRAPE = "allow tcp 9100 10.0.0.2 any 10.0.0.1 in_wg0 comment=6d6f6e";
    private static final String LIMIT = "limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in";
    private static final String WEB = "allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in comment=7765623a";
    private static final String APPLICATION = "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in";
    private static final String OUT = "deny udp 51820 0.0.0.0/0 any 0.0.0.0/0 out";

    @Test
    void rulesBefore_rulesThatWereThere_comeBackInTheirPlace() throws Exception {
        assertThat(rulesBefore("4", "", rules(LIMIT, WEB), rules(SSH, WEB, WIREGUARD, SCRAPE)))
                .isEqualTo(rules(LIMIT, WEB));
    }

    @Test
    void rulesBefore_rulesOfOthers_stayWhateverTheyAre() throws Exception {
        assertThat(rulesBefore("4", "", rules(), rules(SSH, APPLICATION, OUT, WIREGUARD, WEB, SCRAPE)))
                .isEqualTo(rules(APPLICATION, OUT, WEB));
    }

    @Test
    void rulesBefore_firewallStaysOn_keepsOurRuleForSsh() throws Exception {
        assertThat(rulesBefore("4", "open", rules(), rules(SSH, WIREGUARD, WEB)))
                .isEqualTo(rules(SSH, WEB));
    }

    @Test
    void rulesBefore_ipv6_knowsItsOwnWordForAnywhere() throws Exception {
        String ssh = "allow tcp 22 ::/0 any ::/0 in comment=4f70656e535348";
        String web = "allow tcp 80 ::/0 any ::/0 in";
        String scrape = "allow tcp 9100 fd00::2 any fd00::1 in_wg0 comment=6d6f6e";
        assertThat(rulesBefore("6", "", rules(), rules(ssh, web, scrape))).isEqualTo(rules(web));
    }
}
