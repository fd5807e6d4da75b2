package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Release tarballs that mean harm, with the sum that was asked for, unpacked by the real script with the real tar: nothing
 * lands outside of the release's folder, and nothing in it but plain programs.
 */
@Timeout(60)
class HostileTarballTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final String FOLDER = "tool-1.0.linux-amd64";
    private static final String PROGRAM = "#!/bin/sh\necho harmless\n";

    @TempDir
    private Path folder;

    private HttpServer mirror;
    private byte[] served = {};

    @BeforeEach
    void start() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "needs root, to own files");
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/curl")), "needs curl");
        Files.createDirectories(folder.resolve("opt"));
        Files.writeString(folder.resolve("theirs"), "theirs\n");
        mirror = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        mirror.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, served.length);
            exchange.getResponseBody().write(served);
            exchange.close();
        });
        mirror.start();
    }

    @AfterEach
    void stop() {
        if (mirror != null) {
            mirror.stop(0);
        }
    }

    /** An entry of a tarball, as hostile as can be written down. */
    private record Entry(char type, String name, String link, int mode, String content) {
        static Entry file(String name, String content) {
            return new Entry('0', name, "", 0755, content);
        }

        static Entry link(char type, String name, String target) {
            return new Entry(type, name, target, 0777, "");
        }

        void writeTo(ByteArrayOutputStream out) {
            byte[] data = content.getBytes(UTF_8);
            byte[] header = new byte[512];
            put(header, 0, name);
            put(header, 100, String.format(Locale.ROOT, "%07o", mode));
            put(header, 108, String.format(Locale.ROOT, "%07o", 1234));
            put(header, 116, String.format(Locale.ROOT, "%07o", 1234));
            put(header, 124, String.format(Locale.ROOT, "%011o", data.length));
            put(header, 136, String.format(Locale.ROOT, "%011o", 1_700_000_000));
            put(header, 148, "        ");
            header[156] = (byte) type;
            put(header, 157, link);
            put(header, 257, "ustar\00000");
            put(header, 329, "0000001");
            put(header, 337, "0000003");
            int sum = 0;
            for (byte each : header) {
                sum += each & 0xff;
            }
            put(header, 148, String.format(Locale.ROOT, "%06o\0", sum));
            out.writeBytes(header);
            out.writeBytes(data);
            out.writeBytes(new byte[(512 - data.length % 512) % 512]);
        }

        private static void put(byte[] header, int at, String text) {
            byte[] bytes = text.getBytes(US_ASCII);
            System.arraycopy(bytes, 0, header, at, bytes.length);
        }
    }

    private static byte[] tarball(List<Entry> entries) {
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        entries.forEach(entry -> entry.writeTo(tar));
        tar.writeBytes(new byte[1024]);
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
            gzip.write(tar.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return zipped.toByteArray();
    }

    /** What becomes of a tarball. */
    private enum Outcome {
        INSTALLED,
        REFUSED,
        /** Up to tar: whether the link or the file of the same name is the last. */
        EITHER
    }

    /** A tarball with a name for what it tries; OUT in a name or a target stands for a folder outside of the release's. */
    private record Attack(String name, Outcome outcome, List<Entry> entries) {
        @Override
        public String toString() {
            return name;
        }

        Attack aimedAt(Path out) {
            return new Attack(
                    name,
                    outcome,
                    entries.stream()
                            .map(entry -> new Entry(
                                    entry.type(),
                                    entry.name().replace("OUT", out.toString()),
                                    entry.link().replace("OUT", out.toString()),
                                    entry.mode(),
                                    entry.content()))
                            .toList());
        }
    }

    static Stream<Attack> attacks() {
        Entry tool = Entry.file(FOLDER + "/tool", PROGRAM);
        return Stream.of(
                new Attack("a file above", Outcome.INSTALLED, List.of(Entry.file("../../../../escaped", "x"), tool)),
                new Attack(
                        "a file above by way of the folder",
                        Outcome.INSTALLED,
                        List.of(Entry.file(FOLDER + "/../../../../../escaped", "x"), tool)),
                new Attack("an absolute path", Outcome.INSTALLED, List.of(Entry.file("OUT/escaped", "x"), tool)),
                new Attack(
                        "a link out and a file through it",
                        Outcome.INSTALLED,
                        List.of(
                                Entry.link('2', FOLDER + "/out", "OUT"),
                                Entry.file(FOLDER + "/out/escaped", "x"),
                                tool)),
                new Attack(
                        "the folder itself a link out",
                        Outcome.INSTALLED,
                        List.of(Entry.link('2', FOLDER, "OUT"), tool)),
                new Attack(
                        "the program a link, then a file through it",
                        Outcome.EITHER,
                        List.of(Entry.link('2', FOLDER + "/tool", "OUT/theirs"), tool)),
                new Attack(
                        "the program a file, then a link",
                        Outcome.REFUSED,
                        List.of(tool, Entry.link('2', FOLDER + "/tool", "OUT/theirs"))),
                new Attack(
                        "the program a link to a file of the host",
                        Outcome.REFUSED,
                        List.of(Entry.link('2', FOLDER + "/tool", "OUT/theirs"))),
                new Attack(
                        "the program a link to a file above",
                        Outcome.REFUSED,
                        List.of(Entry.link('2', FOLDER + "/tool", "../../../../../theirs"))),
                new Attack(
                        "the program a hard link to a file of the host",
                        Outcome.REFUSED,
                        List.of(Entry.link('1', FOLDER + "/tool", "OUT/theirs"))),
                new Attack(
                        "the program a hard link to a file above",
                        Outcome.REFUSED,
                        List.of(Entry.link('1', FOLDER + "/tool", "../../../../../theirs"))),
                new Attack(
                        "the program a device",
                        Outcome.REFUSED,
                        List.of(new Entry('3', FOLDER + "/tool", "", 0666, ""))),
                new Attack(
                        "the program a block device",
                        Outcome.REFUSED,
                        List.of(new Entry('4', FOLDER + "/tool", "", 0666, ""))),
                new Attack(
                        "the program a pipe", Outcome.REFUSED, List.of(new Entry('6', FOLDER + "/tool", "", 0666, ""))),
                new Attack(
                        "the program a folder",
                        Outcome.REFUSED,
                        List.of(new Entry('5', FOLDER + "/tool", "", 0755, ""))),
                new Attack(
                        "the program setuid, setgid and writable by all",
                        Outcome.INSTALLED,
                        List.of(new Entry('0', FOLDER + "/tool", "", 07777, PROGRAM))),
                new Attack("no program", Outcome.REFUSED, List.of(Entry.file(FOLDER + "/other", "x"))));
    }

    private record Ran(int exitCode, String output) {}

    private Ran install(byte[] tarball, String sum, Path... first) throws Exception {
        served = tarball;
        String text;
        try (Script script = Script.begin(NONCE)) {
            for (Path bin : first) {
                script.shell("PATH=" + Script.quote(bin.toString()) + ":$PATH");
            }
            script.call(
                    "step",
                    "0",
                    "apply_release",
                    "tool-1.0",
                    "http://127.0.0.1:" + mirror.getAddress().getPort() + "/tool.tar.gz",
                    FOLDER,
                    sum,
                    "tool");
            text = script.end().text().replace("home=/opt/", "home=" + folder + "/opt/");
        }
        Path file = Files.writeString(folder.resolve("script"), text);
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder("sh", "-s")
                .redirectInput(file.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        Ran ran = new Ran(process.exitValue(), Files.readString(output));
        Files.delete(file);
        Files.delete(output);
        return ran;
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    /** What lies in the test's folder: by path type, owner and mode. */
    private Map<String, String> tree() throws IOException {
        Map<String, String> tree = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList()) {
                Map<String, Object> is = Files.readAttributes(
                        file, "unix:mode,uid,isRegularFile,isDirectory", LinkOption.NOFOLLOW_LINKS);
                String type = Boolean.TRUE.equals(is.get("isRegularFile"))
                        ? "file"
                        : Boolean.TRUE.equals(is.get("isDirectory")) ? "folder" : "other";
                tree.put(
                        folder.relativize(file).toString(),
                        type
                                + ' '
                                + is.get("uid")
                                + ' '
                                + Integer.toOctalString(Integer.parseInt(String.valueOf(is.get("mode"))) & 07777));
            }
        }
        return tree;
    }

    @ParameterizedTest
    @MethodSource("attacks")
    void installRelease_hostileTarball_putsNothingButPlainProgramsInItsOwnFolder(Attack general) throws Exception {
        Attack attack = general.aimedAt(folder);
        byte[] tarball = tarball(attack.entries());
        Map<String, String> expected = new TreeMap<>(tree());
        expected.put("opt/promguard", "folder 0 755");

        Ran ran = install(tarball, sha256(tarball));

        boolean installed = ran.exitCode() == 0;
        if (installed) {
            expected.put("opt/promguard/tool-1.0", "folder 0 755");
            expected.put("opt/promguard/tool-1.0/tool", "file 0 755");
            expected.put("opt/promguard/tool-1.0/.promguard", "file 0 644");
            expected.put("opt/promguard/tool-1.0/.promguard-stamp", "file 0 644");
            assertThat(folder.resolve("opt/promguard/tool-1.0/tool")).hasContent(PROGRAM);
        } else {
            assertThat(ran.output()).containsAnyOf("is not a plain file in the tarball", "does not hold the programs");
        }
        assertThat(tree()).isEqualTo(expected);
        assertThat(folder.resolve("theirs")).hasContent("theirs\n");
        if (attack.outcome() != Outcome.EITHER) {
            assertThat(installed).as(ran.output()).isEqualTo(attack.outcome() == Outcome.INSTALLED);
        }
    }

    @Test
    void installRelease_anotherSum_isRefusedBeforeTarSeesIt() throws Exception {
        Path bin = Files.createDirectory(folder.resolve("bin"));
        for (String program : List.of("tar", "gzip")) {
            Path stub = Files.writeString(bin.resolve(program), "#!/bin/sh\n: >" + folder + "/unpacked\nexit 1\n");
            Files.setPosixFilePermissions(stub, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        byte[] tarball = tarball(List.of(Entry.file(FOLDER + "/tool", PROGRAM)));

        Ran refused = install(tarball, "0".repeat(64), bin);

        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.output()).contains("sha256 is " + sha256(tarball) + ", wanted " + "0".repeat(64));
        assertThat(folder.resolve("unpacked")).doesNotExist();
        assertThat(folder.resolve("opt/promguard")).isEmptyDirectory();

        install(tarball, sha256(tarball), bin);
        assertThat(folder.resolve("unpacked"))
                .as("the stand-in for tar would have noticed")
                .exists();
    }
}
