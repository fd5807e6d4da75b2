package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.host.FactsByResource;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.FactsQuery.ResourceCall;
import dev.promguard.host.HostsFile;
import dev.promguard.host.HostsFile.Blocks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The shell for the names in /etc/hosts, run on a file of its own. */
@Timeout(60)
class HostsFileTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final String BEGIN = "# BEGIN PromGuard\n";
    private static final String END = "# END PromGuard\n";
    private static final String OLD = BEGIN + "10.0.0.1 mon.shop.mesh\n" + END;
    private static final String NEW = BEGIN + "10.0.0.1 mon.shop.mesh\n10.0.0.2 db-1.shop.mesh\n" + END;

    @TempDir
    Path folder;

    private Path etc;
    private Path file;

    @BeforeEach
    void name() {
        etc = folder.resolve("etc");
        file = etc.resolve("hosts");
    }

    /** What the pieces of shell say, without the nonce and the end. */
    private String run(String... pieces) throws Exception {
        Files.createDirectories(etc);
        try (Script script = Script.begin(NONCE)) {
            script.shell("HOSTS=" + Script.quote(file.toString()) + " STATE=" + Script.quote(folder + "/state")
                    + " MANIFEST=" + Script.quote(folder + "/state/before"));
            for (String piece : pieces) {
                script.shell(piece);
            }
            script.end();
            Path out = folder.resolve("out");
            Process shell = new ProcessBuilder("sh", "-s")
                    .redirectOutput(out.toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            try (var input = shell.getOutputStream()) {
                input.write(script.array(), 0, script.length());
            }
            assertThat(shell.waitFor(20, TimeUnit.SECONDS)).isTrue();
            String said = Files.readString(out, UTF_8);
            assertThat(said).endsWith(NONCE + "\tend\n");
            return said.replace(NONCE + "\tend\n", "").replace(NONCE + "\t", "");
        }
    }

    private static String apply(String block) {
        return "printf '%s' " + Script.quote(block) + " | base64 | { apply_hosts_file || say failed \"$WHY\"; }";
    }

    private Blocks facts(String expected) throws Exception {
        FactsQuery query = new FactsQuery(
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                "wg0",
                "/k",
                Map.of(),
                List.of(new ResourceCall(HostsFile.FACTS, List.of(sha256(expected), ".shop.mesh"))));
        FactsByResource.Collector collector = new FactsByResource.Collector(query);
        for (String line : run("facts_hosts_file " + sha256(expected) + " .shop.mesh")
                .lines()
                .toList()) {
            assertThat(line).startsWith("fact\t");
            collector.line(line.substring("fact\t".length()));
        }
        return collector.facts().of(HostsFile.FACTS);
    }

    private static String sha256(String text) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
    }

    private void write(String text) throws IOException {
        Files.createDirectories(etc);
        Files.writeString(file, text, ISO_8859_1);
    }

    private String read() throws IOException {
        return Files.readString(file, ISO_8859_1);
    }

    private List<String> beside() throws IOException {
        try (Stream<Path> files = Files.list(etc)) {
            return files.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    static Stream<String> foreignTexts() {
        Random random = new Random(20_261_128);
        List<String> lines = List.of(
                "127.0.0.1 localhost",
                "::1\tlocalhost ip6-localhost",
                "# BEGIN PromGuard ",
                " # END PromGuard",
                "# BEGIN PromGuard\r.",
                "# begin promguard",
                "",
                "\r.",
                "10.0.0.9 db-1.shop.mesh",
                "1,$d",
                "s/.*//",
                "\\",
                "a\0b",
                "\u00ff\u00fe\u0080",
                "'$(id)' `id` \"",
                "-n",
                "x".repeat(5_000));
        Stream<String> fixed = Stream.of("", "\n", "\n\n", "127.0.0.1 localhost", "no end", "\0", "a\0");
        Stream<String> drawn = Stream.generate(() -> {
                    StringBuilder text = new StringBuilder();
                    for (int i = random.nextInt(8); i > 0; i--) {
                        text.append(lines.get(random.nextInt(lines.size())));
                        text.append(i > 1 || random.nextBoolean() ? "\n" : "");
                    }
                    return text.toString();
                })
                .limit(25);
        return Stream.concat(fixed, drawn);
    }

    @ParameterizedTest
    @MethodSource("foreignTexts")
    void block_addedReplacedAndRemoved_leavesTheRestByteForByte(String foreign) throws Exception {
        write(foreign);

        assertThat(run(apply(OLD))).isEmpty();
        assertThat(read()).isEqualTo(OLD + foreign);
        assertThat(run(apply(NEW))).isEmpty();
        assertThat(read()).isEqualTo(NEW + foreign);
        assertThat(run("undo_hosts_file", "undo_hosts_file")).isEmpty();
        assertThat(read()).isEqualTo(foreign);
        assertThat(beside()).containsExactly("hosts");
    }

    /** Marker lines anywhere, paired or not: no line is lost but these and what whole blocks enclose. */
    @Test
    void block_markersAnywhere_losesNoOtherLine() throws Exception {
        Random random = new Random(20_261_129);
        for (int round = 0; round < 6; round++) {
            // The halves around a whole block must not become a block when that is removed.
            List<String> lines = new ArrayList<>(
                    round > 0 ? List.of() : List.of(BEGIN, "192.0.2.99 theirs\n", BEGIN, "10.0.0.1 a\n", END, END));
            for (int i = 3 + random.nextInt(9); i > 0; i--) {
                lines.add(
                        switch (random.nextInt(4)) {
                            case 0 -> BEGIN;
                            case 1 -> END;
                            default -> "192.0.2." + i + " host-" + i + "\n";
                        });
            }
            List<String> rest = new ArrayList<>();
            int begin = -1;
            int blocks = 0;
            for (String line : lines) {
                rest.add(line);
                if (line.equals(BEGIN)) {
                    begin = rest.size() - 1;
                } else if (line.equals(END) && begin >= 0) {
                    rest.subList(begin, rest.size()).clear();
                    begin = -1;
                    blocks++;
                }
            }
            String text = String.join("", lines);
            write(text);
            long unpaired = rest.stream()
                    .filter(line -> line.equals(BEGIN) || line.equals(END))
                    .count();
            rest.removeIf(line -> line.equals(BEGIN) || line.equals(END));

            Blocks facts = facts(NEW);
            assertThat(facts.count()).as(text).isEqualTo(blocks);
            assertThat(facts.unpaired()).as(text).isEqualTo((int) unpaired);
            assertThat(run(apply(NEW))).isEmpty();
            assertThat(read()).as(text).isEqualTo(NEW + String.join("", rest));
            assertThat(facts(NEW))
                    .as(text)
                    .isEqualTo(new Blocks(1, 0, Optional.of(sha256(NEW)), Optional.empty(), Map.of()));
            write(text);
            assertThat(run("undo_hosts_file"))
                    .as(text)
                    .isEqualTo(
                            unpaired == 0
                                    ? ""
                                    : "leftover\tlines in " + file
                                            + " that may be of a block whose first or last line somebody removed\n");
            assertThat(read()).as(text).isEqualTo(String.join("", rest));
        }
    }

    private static String crlf(String text) {
        return text.replace("\n", "\r\n");
    }

    /** Somebody converted the whole file: the block is the same one, and the file keeps the ends of its lines. */
    @Test
    void block_fileInCrlf_isKnownReplacedInCrlfAndRemoved() throws Exception {
        String others = "127.0.0.1 localhost\r\n\r\n192.0.2.1 theirs\r\n";
        write(crlf(OLD) + others);

        assertThat(facts(OLD)).isEqualTo(new Blocks(1, 0, Optional.of(sha256(OLD)), Optional.empty(), Map.of()));
        assertThat(facts(NEW).content()).contains(OLD);
        assertThat(run(apply(NEW))).isEmpty();
        assertThat(read()).isEqualTo(crlf(NEW) + others);
        assertThat(run("undo_hosts_file")).isEmpty();
        assertThat(read()).isEqualTo(others);
        assertThat(run(apply(NEW))).isEmpty();
        assertThat(read()).isEqualTo(crlf(NEW) + others);
    }

    /** An earlier version did not know its block any more and wrote another before it. */
    @Test
    void block_secondOneBesideOneInCrlf_leavesOne() throws Exception {
        write(NEW + crlf(OLD) + "127.0.0.1 localhost\r\n# END PromGuard\r\n192.0.2.1 theirs");

        assertThat(facts(NEW).count()).isEqualTo(2);
        assertThat(facts(NEW).unpaired()).isEqualTo(1);
        assertThat(run(apply(NEW))).isEmpty();
        assertThat(read()).isEqualTo(NEW + "127.0.0.1 localhost\r\n192.0.2.1 theirs");
    }

    /** Only the block was converted, or is the only thing there: it follows the lines of others. */
    @Test
    void block_inCrlfAndTheRestIsNot_followsTheRest() throws Exception {
        for (String others : List.of("127.0.0.1 localhost\n", "")) {
            write(crlf(OLD) + others);

            assertThat(facts(OLD).count()).isEqualTo(1);
            assertThat(run(apply(NEW))).isEmpty();
            assertThat(read()).isEqualTo(NEW + others);
        }
    }

    @Test
    void facts_linesOfOthersInCrlf_areTold() throws Exception {
        write(crlf(OLD + "192.0.2.7 web db-1.shop.mesh\n"));

        assertThat(facts(OLD).others()).isEqualTo(Map.of("db-1.shop.mesh", List.of("192.0.2.7")));
    }

    @Test
    void facts_blockAsExpected_areItsSumAlone() throws Exception {
        write("127.0.0.1 localhost\n" + NEW);

        assertThat(facts(NEW)).isEqualTo(new Blocks(1, 0, Optional.of(sha256(NEW)), Optional.empty(), Map.of()));
    }

    @Test
    void facts_blockEdited_areItsContentAndNothingOfTheRest() throws Exception {
        String edited = NEW.replace("10.0.0.2", "10.0.0.66");
        write("192.0.2.1 secret-host\n" + edited + "192.0.2.2 other-host\n");

        assertThat(facts(NEW).content()).contains(edited);
        assertThat(run("facts_hosts_file 0 ''").lines()).hasSize(3);
    }

    @Test
    void facts_blockTooLong_areWithoutContent() throws Exception {
        String block = BEGIN + ("10.0.0.2 " + "x".repeat(90) + '\n').repeat(700) + END;
        write(block);

        assertThat(facts(NEW)).isEqualTo(new Blocks(1, 0, Optional.of(sha256(block)), Optional.empty(), Map.of()));
    }

    @Test
    void facts_noFileOrAFolder_areNone() throws Exception {
        assertThat(facts(NEW)).isEqualTo(Blocks.NONE);
        Files.createDirectories(file);
        assertThat(facts(NEW)).isEqualTo(Blocks.NONE);
        assertThat(run(apply(NEW))).isEqualTo("failed\t" + file + " is not a file\n");
    }

    @Test
    void facts_linesOfOthersWithNamesOfTheMesh_areToldAsFarAsTheyAreLines() throws Exception {
        write(OLD + """
                192.0.2.7 db DB-1.Shop.Mesh web.shop.mesh # a comment.shop.mesh
                # 192.0.2.8 commented.shop.mesh
                fd00::7\tsix.shop.mesh
                * glob.shop.mesh
                $(id) shell.shop.mesh
                192.0.2.9 a_b.shop.mesh shop.mesh .shop.mesh x.shop.mesh.example
                """ + "192.0.2.10 many.shop.mesh\n".repeat(60));

        Map<String, List<String>> others = facts(OLD).others();

        assertThat(others).containsOnlyKeys("db-1.shop.mesh", "web.shop.mesh", "six.shop.mesh", "many.shop.mesh");
        assertThat(others)
                .containsEntry("db-1.shop.mesh", List.of("192.0.2.7"))
                .containsEntry("six.shop.mesh", List.of("fd00::7"));
        assertThat(others.get("many.shop.mesh")).hasSize(47);
    }

    @Test
    void apply_fileOfAnyOwnerAndMode_keepsThem() throws Exception {
        write("127.0.0.1 localhost\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-r--"));
        Object owner = Files.getOwner(file);
        Object group = Files.getAttribute(file, "posix:group");

        run("chown 1234:2345 " + file + " 2>/dev/null; " + apply(NEW));

        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-rw-r--"));
        if (System.getProperty("user.name").equals("root")) {
            assertThat(Files.getAttribute(file, "unix:uid")).isEqualTo(1234);
            assertThat(Files.getAttribute(file, "unix:gid")).isEqualTo(2345);
        } else {
            assertThat(Files.getOwner(file)).isEqualTo(owner);
            assertThat(Files.getAttribute(file, "posix:group")).isEqualTo(group);
        }
    }

    @Test
    void apply_link_writesWhereItLeadsAndLeavesTheLink() throws Exception {
        Path target = Files.createDirectories(folder.resolve("usr")).resolve("hosts.real");
        Files.createDirectories(etc);
        Files.writeString(target, "127.0.0.1 localhost");
        Files.createSymbolicLink(file, Path.of("../usr/hosts.real"));

        assertThat(run(apply(NEW))).isEmpty();

        assertThat(Files.isSymbolicLink(file)).isTrue();
        assertThat(Files.readString(target)).isEqualTo(NEW + "127.0.0.1 localhost");
        assertThat(run("undo_hosts_file")).isEmpty();
        assertThat(Files.isSymbolicLink(file)).isTrue();
        assertThat(Files.readString(target)).isEqualTo("127.0.0.1 localhost");

        Files.delete(file);
        Files.createSymbolicLink(file, Path.of("nowhere/hosts"));
        assertThat(run(apply(NEW))).isEqualTo("failed\t" + file + " is a link that leads nowhere\n");
    }

    @Test
    void apply_noFile_makesOneThatUninstallingRemoves() throws Exception {
        assertThat(run("apply_manifest shop", apply(NEW))).isEmpty();
        assertThat(read()).isEqualTo(NEW);
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-r--r--"));

        assertThat(run("undo_hosts_file")).isEmpty();
        assertThat(file).doesNotExist();
    }

    @Test
    void undo_emptyFileThatWasThere_leavesIt() throws Exception {
        write("");
        run("apply_manifest shop", apply(NEW), "undo_hosts_file");

        assertThat(read()).isEmpty();
    }

    @Test
    void apply_cutOffBefore_removesWhatThatLeft() throws Exception {
        write("127.0.0.1 localhost\n");
        Path left = Files.createDirectories(etc.resolve(".promguard.abcdef"));
        Files.writeString(left.resolve("after"), "half");

        run(apply(NEW));

        assertThat(beside()).containsExactly("hosts");
    }

    @Test
    void apply_cannotReplace_leavesTheFileAndSaysSo() throws Exception {
        write("127.0.0.1 localhost\n");

        assertThat(run("mv() { return 1; }", apply(NEW))).isEqualTo("failed\t" + file + " cannot be replaced\n");

        assertThat(read()).isEqualTo("127.0.0.1 localhost\n");
    }
}
