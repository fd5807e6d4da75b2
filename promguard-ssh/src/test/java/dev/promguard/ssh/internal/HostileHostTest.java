package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.promguard.HostException;
import dev.promguard.HostileTexts;
import dev.promguard.blueprint.Names;
import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.HostFacts;
import dev.promguard.host.SystemUser;
import dev.promguard.host.Units;
import dev.promguard.host.Users;
import dev.promguard.spi.HostSession;
import dev.promguard.ssh.SshApplier;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A host whose root is somebody else: it cannot hang this program, use it up or have it show or believe what it must not. What it
 * may take: 8 MiB, lines of 64 KiB, 100,000 lines of facts, and the time that the applier gives.
 */
@Timeout(120)
class HostileHostTest {
    private static final long SEED = 20_261_125;
    private static final Pattern NONCE = Pattern.compile("^N='([0-9a-f]{32})'$");
    private static final FactsQuery QUERY = new FactsQuery(
            List.of(), List.of(), List.of(), List.of(), List.of(), "wg0", "/etc/wireguard/wg0.key", Map.of());
    private static final String START =
            "@\tsystem\tx86_64\t1700000000\tdebian\t12\n@\tunit\tLoadState=not-found\n@\tunit\t\n";
    private static final SshApplier HASTY = SshApplier.builder()
            .connectTimeout(Duration.ofSeconds(5))
            .factsTimeout(Duration.ofSeconds(1))
            .applyTimeout(Duration.ofSeconds(2))
            .build();
    private static final SshApplier PATIENT = SshApplier.builder()
            .connectTimeout(Duration.ofSeconds(5))
            .factsTimeout(Duration.ofSeconds(60))
            .build();

    private static String nonce(InputStream in) throws IOException {
        BufferedReader reader = new BufferedReader(new InputStreamReader(in, UTF_8));
        String nonce = "";
        for (String line = reader.readLine(); line != null && !line.equals("main; exit $?"); line = reader.readLine()) {
            Matcher matcher = NONCE.matcher(line);
            nonce = matcher.matches() ? matcher.group(1) : nonce;
        }
        return nonce;
    }

    private static void say(OutputStream out, String nonce, String lines) throws IOException {
        out.write(lines.replace("@", nonce).getBytes(UTF_8));
        out.flush();
    }

    private static HostException failure(SshApplier applier, TestServer.Handler handler) throws Exception {
        try (TestServer server = new TestServer(handler).start();
                HostSession session = applier.open(server.target())) {
            Throwable thrown = catchThrowable(() -> session.facts(QUERY, Duration.ofSeconds(1)));
            assertThat(thrown).isInstanceOf(HostException.class);
            assertPrintable(thrown);
            return (HostException) thrown;
        }
    }

    private static void assertPrintable(Throwable thrown) {
        StringWriter trace = new StringWriter();
        thrown.printStackTrace(new PrintWriter(trace, true));
        assertThat(HostileTexts.UNPRINTABLE.matcher(trace.toString()).find())
                .as("%s", thrown)
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "line\n", "@\taddress\t10.9.9.9/24\n"})
    void facts_slowDripOfAByteAtATime_endsAtDeadline(String said) throws Exception {
        long start = System.nanoTime();

        HostException failure = failure(HASTY, (in, out, err) -> {
            String nonce = nonce(in);
            byte[] bytes = said.replace("@", nonce).getBytes(UTF_8);
            CountDownLatch never = new CountDownLatch(1);
            for (int i = 0; ; i = (i + 1) % bytes.length) {
                out.write(bytes[i]);
                out.flush();
                never.await(20, TimeUnit.MILLISECONDS);
            }
        });

        assertThat(failure).hasMessageContaining("did not finish within 2 s");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
    }

    @Test
    void apply_slowDripOfProgress_endsAtDeadline() throws Exception {
        try (TestServer server = new TestServer((in, out, err) -> {
                            String nonce = nonce(in);
                            CountDownLatch never = new CountDownLatch(1);
                            while (true) {
                                say(out, nonce, "@\tarmed\n");
                                never.await(20, TimeUnit.MILLISECONDS);
                            }
                        })
                        .start();
                HostSession session = HASTY.open(server.target())) {
            Change change = new Users.Create(new SystemUser("prometheus"));

            assertThatThrownBy(() -> session.apply(List.of(change), new Silent()))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("did not finish within 2 s");
        }
    }

    private static final class Silent implements HostSession.Progress {
        @Override
        public void started(Change change) {}

        @Override
        public void done(Change change) {}

        @Override
        public void newHostKey(dev.promguard.keys.HostKeyFingerprint fingerprint) {}

        @Override
        public void left(String what) {}
    }

    @Test
    void facts_hugeLine_isCutOff() throws Exception {
        byte[] block = "x".repeat(32 * 1024).getBytes(UTF_8);

        assertThat(failure(PATIENT, (in, out, err) -> {
                    String nonce = nonce(in);
                    say(out, nonce, "@\taddress\t");
                    while (true) {
                        out.write(block);
                    }
                }))
                .hasMessageContaining("a line of more than 64 KiB");
    }

    @Test
    void facts_binaryOutput_isNotBelieved() throws Exception {
        byte[] noise = new byte[4 * 1024 * 1024];
        new Random(SEED).nextBytes(noise);

        assertThat(failure(PATIENT, (in, out, err) -> {
                    nonce(in);
                    out.write(noise);
                    err.write(noise);
                    return 0;
                }))
                .hasMessageContaining("read facts");
    }

    @Test
    void facts_exitCodeThatLies_isNotBelieved() throws Exception {
        assertThat(failure(PATIENT, (in, out, err) -> {
                    say(out, nonce(in), START);
                    return 0;
                }))
                .hasMessageContaining("the script ended early, with exit code 0");
    }

    /** Kinds of lines of which a host may send many, and what it cannot say twice in. */
    private enum Flood {
        UNITS("unit\tA=b\n@\tunit\t\n"),
        ADDRESSES("address\t10.9.9.9/24\n"),
        RULES_WITHOUT_TWIN("tuple6\tallow tcp %d ::/0 any ::/0 in comment=61\n"),
        FOREIGN_RULES("input4\t-j ACCEPT\n"),
        THINGS("thing\tunit x%d.service\n"),
        SOCKETS("socket\ttcp\t0.0.0.0:%d\n"),
        LOADED("loaded4\t-p tcp --dport %d -j ACCEPT\n");

        private final String line;

        Flood(String line) {
            this.line = line;
        }
    }

    @ParameterizedTest
    @EnumSource
    void facts_manyLines_endAtTheirMostNumber(Flood flood) {
        FactsParser parser = new FactsParser(QUERY);

        assertThatThrownBy(() -> {
                    for (int i = 0; i <= FactsParser.MOST_LINES; i++) {
                        for (String line : String.format(flood.line, i % 60_000 + 1)
                                .replace("@\t", "")
                                .split("\n", -1)) {
                            if (!line.isEmpty()) {
                                parser.line(line);
                            }
                        }
                    }
                })
                .isInstanceOf(FactsParser.MalformedException.class)
                .hasMessage("more than 100000 lines");
    }

    /** Where each rule is compared with each other one, this takes hours. */
    @Test
    @Timeout(30)
    void facts_asManyRulesAsFit_areReadInSeconds() throws Exception {
        FactsParser parser = new FactsParser(QUERY);
        parser.line("system\tx86_64\t1700000000\tdebian\t12");
        parser.line("unit\tLoadState=not-found");
        parser.line("unit\t");
        parser.line("ufw\tyes\tDROP\tyes");
        for (int i = 0; i < 49_000; i++) {
            parser.line("tuple4\tallow udp " + (i + 1) + " 0.0.0.0/0 any 0.0.0.0/0 in comment=61");
            parser.line("tuple6\tallow tcp " + (i + 1) + " ::/0 any ::/0 in comment=61");
        }
        parser.line("end");

        HostFacts facts = parser.facts();

        assertThat(facts.firewall().rules()).hasSize(49_000);
        assertThat(facts.firewall().foreign()).hasSize(49_000);
    }

    @Test
    void facts_everyFloodOfEightMebibytes_takesBoundedMemory() throws Exception {
        List<MemoryPoolMXBean> heap = ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .toList();
        System.gc();
        heap.forEach(MemoryPoolMXBean::resetPeakUsage);
        long before = heap.stream().mapToLong(pool -> pool.getUsage().getUsed()).sum();

        failure(PATIENT, (in, out, err) -> {
            String nonce = nonce(in);
            byte[] lines =
                    (nonce + "\tunit\tA=b\n" + nonce + "\tunit\t\n").repeat(500).getBytes(UTF_8);
            while (true) {
                out.write(lines);
            }
        });

        long peak =
                heap.stream().mapToLong(pool -> pool.getPeakUsage().getUsed()).sum();
        // Garbage counts until it is collected, and the server in this test has its own share.
        assertThat((peak - before) / (1024 * 1024)).as("MiB").isLessThan(256);
    }

    @Test
    void open_endlessGreeting_endsWithTimeout() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        CountDownLatch hungUp = new CountDownLatch(1);
        byte[] block = "not an SSH server, and it does not end\r\n".repeat(1000).getBytes(UTF_8);
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                TestServer unused = new TestServer((in, out, err) -> 0)) {
            Thread thread = new Thread(() -> {
                while (end.getCount() > 0) {
                    try (Socket socket = server.accept()) {
                        while (end.getCount() > 0) {
                            socket.getOutputStream().write(block);
                        }
                    } catch (IOException e) {
                        hungUp.countDown();
                    }
                }
            });
            thread.setDaemon(true);
            thread.start();
            long start = System.nanoTime();
            try {
                assertThatThrownBy(() -> HASTY.open(unused.target(
                                        server.getLocalPort(), unused.fingerprint(), Duration.ofSeconds(2)))
                                .close())
                        .isInstanceOf(HostException.class)
                        .hasMessageContaining("no session with port")
                        .satisfies(HostileHostTest::assertPrintable);
                assertThat(hungUp.await(20, TimeUnit.SECONDS)).as("hung up").isTrue();
            } finally {
                end.countDown();
            }
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(50));
        }
    }

    @Test
    void facts_hostileCloudInit_isPrintable() throws Exception {
        HostException failure = failure(PATIENT, (in, out, err) -> {
            say(out, nonce(in), "@\tboot\terror\t\u001b[2J\u009b1m\u202e$(id)\n@\tend\n");
            return 0;
        });

        assertThat(failure.output()).isEqualTo("?[2J?1m?$(id)");
    }

    /** Each field of each line that an honest host sent, with something hostile in its place. */
    @Test
    void facts_anyFieldHostile_isRefusedInPrintableWordsOrStaysAFactOfThisHost() throws Exception {
        Path input = Path.of("src/test/resources/dev/promguard/ssh/internal/facts/node.input");
        List<String> honest = Files.readAllLines(input, UTF_8);
        FactsQuery query = Queries.node();
        int refused = 0;
        int taken = 0;
        Random random = new Random(SEED);
        List<String> texts = HostileTexts.texts(SEED, 200).toList();
        for (int number = 0; number < honest.size(); number++) {
            String[] fields = honest.get(number).split("\t", -1);
            for (int field = 0; field < fields.length; field++) {
                for (int draw = 0; draw < 12; draw++) {
                    String text = texts.get(random.nextInt(texts.size()));
                    List<String> lines = new ArrayList<>(honest);
                    String[] changed = fields.clone();
                    changed[field] = text;
                    lines.set(number, String.join("\t", changed));
                    String which = "line " + number + ", field " + field + ", text " + Names.quote(text);
                    FactsParser parser = new FactsParser(query);
                    try {
                        // A line end in a field ends the line, as it does on the way.
                        for (String line : String.join("\n", lines).split("\n", -1)) {
                            parser.line(line);
                        }
                        assertHarmless(which, query, parser.facts());
                        taken++;
                    } catch (FactsParser.MalformedException e) {
                        assertThat(HostileTexts.UNPRINTABLE
                                        .matcher(String.valueOf(e.getMessage()))
                                        .find())
                                .as(which)
                                .isFalse();
                        assertThat(String.valueOf(e.getMessage())).as(which).hasSizeLessThan(250);
                        refused++;
                    }
                }
            }
        }
        assertThat(refused).isGreaterThan(500);
        assertThat(taken).isGreaterThan(100);
    }

    /** What goes further than the comparison with this host's own spec has a form in which it can do no harm. */
    private static void assertHarmless(String which, FactsQuery query, HostFacts facts) {
        assertThat(query.files()).as(which).containsAll(facts.files().keySet());
        assertThat(query.packages()).as(which).containsAll(facts.packages().keySet());
        assertThat(query.users()).as(which).containsAll(facts.users());
        assertThat(query.units()).as(which).containsAll(facts.units().keySet());
        facts.units()
                .forEach((unit, fact) ->
                        assertThat(Units.dropInFolders(unit)).as(which).containsAll(fact.dropIns()));
        assertThat(facts.kept()).as(which).allMatch(path -> path.matches("(/[A-Za-z0-9_@:][A-Za-z0-9_@:.+-]*)+"));
        assertThat(facts.addresses()).as(which).allMatch(address -> address.matches("[0-9a-fA-F.:]+/[0-9]{1,3}"));
        facts.wireGuard()
                .ifPresent(running -> running.peers()
                        .forEach(peer -> assertThat(peer.allowedIps())
                                .as(which)
                                .allMatch(address -> address.matches("[0-9a-fA-F.:]+/[0-9]{1,3}"))));
        for (String word : List.of(facts.machine(), facts.osId(), facts.osVersion())) {
            assertThat(word).as(which).matches("[A-Za-z0-9._+~-]{0,64}");
        }
        assertThat(Set.copyOf(facts.firewall().rules())).as(which).allSatisfy(rule -> {
            assertThat(rule.comment()).matches("[A-Za-z0-9 ._:/()-]{1,200}");
            assertThat(rule.from().orElse("::")).matches("[0-9a-fA-F.:/]+");
        });
    }
}
