package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.HostKey;
import dev.promguard.host.SystemUser;
import dev.promguard.host.Users;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.Probe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kind of line of every protocol, cut off, emptied and altered: a parser refuses it as malformed or takes it, and never fails
 * in another way.
 */
class GarbledLinesTest {
    private static final Exec.Answer DEAF = new Exec.Answer() {
        @Override
        public void send(String text) {}

        @Override
        public void send(Exec.Content content) {}
    };
    private static final long SEED = 20_261_128;
    private static final Path FACTS = Path.of("src/test/resources/dev/promguard/ssh/internal/facts");
    private static final FactsQuery QUERY = Queries.node();

    /** A parser that has taken what comes before the line in question. */
    @FunctionalInterface
    private interface Parser {
        void take(String line) throws FactsParser.MalformedException, IOException;
    }

    static Stream<Arguments> factLines() throws IOException {
        List<String> lines = new ArrayList<>();
        for (String file : List.of("node.input", "inventory.input", "fresh.input", "hostile.input")) {
            lines.addAll(Files.readAllLines(FACTS.resolve(file), UTF_8));
        }
        lines.addAll(List.of(
                "boot\tlate\t",
                "boot\terror\terrors: x",
                "busy",
                "clock\tyes",
                "content\t/etc/wireguard/wg0.conf\tYQ==",
                "input4\t-p tcp -m tcp --dport 80 -j ACCEPT",
                "input6\t-p tcp -m tcp --dport 80 -j ACCEPT",
                "accept6\tINPUT -j ACCEPT"));
        Set<String> kinds = new LinkedHashSet<>();
        return lines.stream().filter(line -> kinds.add(kind(line))).map(Arguments::of);
    }

    static Stream<String> changeLines() {
        return Stream.of(
                "begin\t0",
                "begin\tprepare",
                "done\t0",
                "done\tarm",
                "failed\t0\t1\tufw refused the rule",
                "armed",
                "rolled-back",
                "leftover\t/etc/x, put back as it was before",
                "hostkey\t1\tssh-ed25519\tAAAAC3NzaC1lZDI1NTE5AAAAIHiQ5rJrYvX3wBw0m3dW4xKD2oZ0Q4p4E7cUm4v0w2bA",
                "end");
    }

    static Stream<String> probeLines() {
        return Stream.of("port\t0\topen", "page\t1\t0\t200 60000 0.012345", "page\t1\t7\t000 0 0.000000", "end");
    }

    private static String kind(String line) {
        String[] words = line.split("[\t=]", 4);
        return words[0].equals("fact") ? String.join(" ", List.of(words).subList(0, 3)) : words[0];
    }

    /** The line cut after each character, with each field emptied, left out or doubled, and with characters altered by chance. */
    private static Set<String> garbled(String line) {
        Set<String> garbled = new LinkedHashSet<>();
        garbled.add(line);
        for (int length = 0; length < line.length(); length++) {
            garbled.add(line.substring(0, length));
        }
        List<String> fields = Arrays.asList(line.split("\t", -1));
        for (int i = 0; i < fields.size(); i++) {
            for (String other :
                    List.of("", " ", "\t", "-1", "99999999999999999999", fields.get(i) + '\t' + fields.get(i))) {
                List<String> changed = new ArrayList<>(fields);
                changed.set(i, other);
                garbled.add(String.join("\t", changed));
            }
            List<String> fewer = new ArrayList<>(fields);
            fewer.remove(i);
            garbled.add(String.join("\t", fewer));
        }
        Random random = new Random(SEED + line.hashCode());
        String alphabet = "\t\t  =:/.,%-+0129azAZ\u0001é\u2028";
        for (int draw = 0; draw < 150; draw++) {
            StringBuilder text = new StringBuilder(line);
            for (int edits = 1 + random.nextInt(3); edits > 0 && text.length() > 0; edits--) {
                int at = random.nextInt(text.length());
                char drawn = alphabet.charAt(random.nextInt(alphabet.length()));
                switch (random.nextInt(3)) {
                    case 0 -> text.setCharAt(at, drawn);
                    case 1 -> text.insert(at, drawn);
                    default -> text.deleteCharAt(at);
                }
            }
            garbled.add(text.toString());
        }
        return garbled;
    }

    private static void assertTakenOrMalformed(String line, Parser parser) {
        try {
            parser.take(line);
        } catch (FactsParser.MalformedException e) {
            assertThat(e).as(line).hasMessageMatching("\\p{Print}{1,250}…?\\p{Print}*");
        } catch (IOException | RuntimeException e) {
            fail("\"" + line.replace("\t", "\\t") + "\" ended in " + e, e);
        }
    }

    /** In the place of the honest line, with all the others of its kind around it, and alone. */
    @ParameterizedTest
    @MethodSource("factLines")
    void facts_garbledLine_isTakenOrMalformed(String honest) throws Exception {
        List<String> lines = Files.readAllLines(FACTS.resolve("node.input"), UTF_8);
        int at = lines.contains(honest) ? lines.indexOf(honest) : lines.size() - 1;
        for (String garbled : garbled(honest)) {
            assertTakenOrMalformed(garbled, line -> {
                FactsParser parser = new FactsParser(QUERY);
                for (String before : lines.subList(0, at)) {
                    parser.line(before);
                }
                parser.line(line);
                for (String after : lines.subList(lines.contains(honest) ? at + 1 : at, lines.size())) {
                    parser.line(after);
                }
                parser.bootProblem();
                parser.facts();
            });
            assertTakenOrMalformed(garbled, line -> new FactsParser(QUERY).line(line));
        }
    }

    @ParameterizedTest
    @MethodSource("changeLines")
    void changes_garbledLine_isTakenOrMalformed(String honest) {
        List<Change> changes = List.of(new Users.Create(new SystemUser("prometheus")), new HostKey.Replace());
        List<List<String>> earlier = List.of(
                List.of(),
                List.of("begin\t0"),
                List.of("begin\t0", "done\t0", "begin\t1"),
                List.of("begin\t0", "done\t0", "begin\t1", "done\t1"));
        for (String garbled : garbled(honest)) {
            for (List<String> before : earlier) {
                assertTakenOrMalformed(garbled, line -> {
                    ChangeRun run = new ChangeRun(changes, new Silent(), "nonce", new Tarballs(Path.of("unused")));
                    for (String known : before) {
                        run.line(known, DEAF);
                    }
                    run.line(line, DEAF);
                    assertThat(run.step()).isNotEmpty();
                });
            }
        }
    }

    @ParameterizedTest
    @MethodSource("probeLines")
    void probes_garbledLine_isTakenOrMalformed(String honest) {
        List<Probe> probes = List.of(new Probe("10.0.0.2", 9100), new Probe("10.0.0.2", 9100, Optional.of("/metrics")));
        for (String garbled : garbled(honest)) {
            assertTakenOrMalformed(garbled, line -> {
                ProbeScript round = new ProbeScript(probes, Duration.ofSeconds(1));
                round.line(line);
                round.answers();
            });
        }
    }

    private static final class Silent implements HostSession.Progress {
        @Override
        public void started(Change change) {}

        @Override
        public void done(Change change) {}

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {}

        @Override
        public void left(String what) {
            assertThat(what).isNotBlank();
        }
    }
}
