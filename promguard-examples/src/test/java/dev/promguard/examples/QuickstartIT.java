package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.Support;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The quickstart in a JVM of its own, as a user starts it. */
@Order(6)
class QuickstartIT {
    /** What the quickstart prints. */
    private static final Pattern PAGE = Pattern.compile("Prometheus: (http://127\\.0\\.0\\.1:[0-9]+/\\S+)");
    /** How a target's state is written on the classic page. */
    private static final Pattern STATE = Pattern.compile("class=\"[^\"]*state_indicator[^\"]*\">\\s*([A-Za-z]+)");

    private static final Pattern PART = Pattern.compile("(?:src|href)=\"(/[^\"]*/static/[^\"]+)\"");

    @TempDir
    static Path temporary;

    /** What a terminal obeys and nobody sees. */
    private static final Pattern CONTROL = Pattern.compile("\u001b\\[[0-9;?]*[A-Za-z]|\r");

    /** What is done to a run that prints a line: it is killed with no chance to tidy up, or Enter is typed. */
    private enum Answer {
        NONE,
        ENTER,
        KILL
    }

    /** A run that was ended, and what a reader had seen of it. */
    private record Run(int status, List<String> lines) {}

    @Test
    void run_afterAKilledOne_showsTheWholeJobAndLeavesNothing() throws Exception {
        Support support = LocalCloud.support();
        assumeTrue(support.okOnceInstalled(), () -> "the end-to-end tests are skipped: " + support);
        LocalCloud.installMissing(System.out::println);
        LocalCloud.cleanUp();
        List<String> before = traces();
        Optional<String> settings = settings();

        Run killed = run(command(), line -> line.contains("connect over SSH") ? Answer.KILL : Answer.NONE);
        assertThat(traces()).as("a killed run leaves machines").isNotEqualTo(before);
        Run whole = showsEveryTargetInABrowser();

        System.out.println(String.join("\n", whole.lines()));
        assertThat(killed.status()).isEqualTo(137);
        assertThat(whole.status()).isZero();
        assertThat(String.join("\n", whole.lines()))
                .as("the local cloud costs nothing")
                .doesNotContain("$");
        assertThat(whole.lines())
                .contains("mesh promguard-quickstart: 4 to create, 0 to change, 0 to remove")
                .contains("Everything is removed: machines, network, rules and state.")
                .contains("to delete them: rm -r /var/cache/promguard-local-cloud");
        assertThat(String.join("\n", whole.lines()))
                .containsPattern("promguard-quickstart-node-3 +198\\.1[89]\\.[0-9.]+ +10\\.0\\.0\\.4 +[0-9]+ s ago +up")
                .containsPattern("Prometheus: http://127\\.0\\.0\\.1:[0-9]+/classic/targets ");
        assertThat(traces()).isEqualTo(before);
        Optional<String> after = settings();
        if (settings.isPresent() && after.isPresent()) {
            assertThat(after).as("the settings of this machine").isEqualTo(settings);
        }
    }

    /** In a terminal, where the quickstart waits for Enter. The page is opened then, and Enter is typed. */
    private static Run showsEveryTargetInABrowser() throws IOException, InterruptedException {
        List<Browser.Page> pages = new ArrayList<>();
        List<URI> uris = new ArrayList<>();
        Run shown = run(inATerminal(command()), line -> {
            Matcher printed = PAGE.matcher(line);
            if (!uris.isEmpty() || !printed.find()) {
                return Answer.NONE;
            }
            URI uri = URI.create(printed.group(1));
            uris.add(uri);
            try {
                pages.add(Browser.load(uri, temporary.resolve("browser")));
                Browser.picture(uri, temporary.resolve("browser"), Path.of("target", "quickstart-page.png"));
                for (URI part : parts(uri, pages.get(0).dom())) {
                    assertThat(status(part)).as(part.toString()).isEqualTo(200);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            return Answer.ENTER;
        });

        assertThat(uris).as("the URL among %s", shown.lines()).hasSize(1);
        Browser.Page page = pages.get(0);
        assertThat(page.console()).as("errors in the browser's console").isEmpty();
        assertThat(page.dom())
                .contains("<title>Prometheus Time Series Collection")
                .contains("10.0.0.1:9100", "10.0.0.2:9100", "10.0.0.3:9100", "10.0.0.4:9100");
        assertThat(STATE.matcher(page.dom())
                        .results()
                        .map(state -> state.group(1).toLowerCase(Locale.ROOT)))
                .as("the states of the targets")
                .hasSizeGreaterThanOrEqualTo(5)
                .containsOnly("up");
        return shown;
    }

    /** The scripts, styles and pictures of a page. */
    private static List<URI> parts(URI page, String dom) {
        List<URI> parts = PART.matcher(dom)
                .results()
                .map(part -> page.resolve(part.group(1).replace("&amp;", "&")))
                .toList();
        assertThat(parts).as("the parts of %s", dom).isNotEmpty();
        return parts;
    }

    private static int status(URI uri) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    @Test
    void preview_anywhere_writesEveryFileAndThePicture() throws Exception {
        Run preview = run("--preview");

        assertThat(preview.status()).isZero();
        assertThat(String.join("\n", preview.lines())).contains("promguard-quickstart-monitor-1", "DIGITALOCEAN_TOKEN");
        Path folder = temporary.resolve("target").resolve("promguard-preview");
        assertThat(folder.resolve("mesh.svg")).content().startsWith("<svg");
        assertThat(folder.resolve("promguard-quickstart-node-1/etc/wireguard/wg0.conf"))
                .content()
                .contains("[Peer]");
    }

    @Test
    void run_withAnUnknownOption_saysWhichThereAre() throws Exception {
        Run run = run("--help-me");

        assertThat(run.status()).isEqualTo(2);
        assertThat(String.join("\n", run.lines())).contains("--preview", "--digitalocean", "--destroy");
    }

    @Test
    void run_withTheNameOfAnExample_startsOrListsThem() throws Exception {
        Run list = run("list");
        Run unknown = run("nonsense");

        assertThat(list.status()).isZero();
        assertThat(list.lines()).anyMatch(line -> line.startsWith("  first-mesh "));
        assertThat(unknown.status()).isEqualTo(2);
        assertThat(unknown.lines()).startsWith("There is no example \"nonsense\". There are:");
    }

    private static Run run(String... options) throws IOException, InterruptedException {
        return run(command(options), line -> Answer.NONE);
    }

    /** Has a command run in a terminal of its own, where what is written to the process is typed. */
    private static List<String> inATerminal(List<String> command) {
        String line = command.stream().map(word -> "'" + word + "'").collect(Collectors.joining(" "));
        return List.of("script", "-qec", line, "/dev/null");
    }

    private static List<String> command(String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + temporaryFiles(),
                "-cp",
                System.getProperty("java.class.path"),
                Quickstart.class.getName()));
        command.addAll(List.of(options));
        return command;
    }

    private static Run run(List<String> command, Function<String, Answer> answers)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(temporary.toFile())
                .redirectErrorStream(true)
                .start();
        List<String> lines = new ArrayList<>();
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line = reader.readLine();
            while (line != null) {
                lines.add(CONTROL.matcher(line).replaceAll(""));
                Answer answer = answers.apply(line);
                if (answer == Answer.ENTER) {
                    process.getOutputStream().write('\n');
                    process.getOutputStream().flush();
                } else if (answer == Answer.KILL) {
                    // All at once, so that none is told by another's end to tidy up.
                    List<ProcessHandle> all = process.descendants().toList();
                    all.stream()
                            .filter(child -> child.info().command().orElse("").endsWith("/java"))
                            .forEach(ProcessHandle::destroyForcibly);
                    all.forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly();
                    break;
                }
                line = reader.readLine();
            }
        } finally {
            assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        }
        return new Run(process.exitValue(), lines);
    }

    /**
     * What a local cloud could leave on this machine: namespaces, links, firewall rules, mounts, machines, temporary files. What
     * belongs to clouds of other programs, which may start and end meanwhile, is left out.
     */
    private static List<String> traces() throws IOException, InterruptedException {
        Set<String> others = new TreeSet<>(LocalCloud.running());
        List<String> traces = new ArrayList<>();
        for (String look : List.of(
                "ip netns list",
                "ip -brief link | cut -d' ' -f1",
                "iptables -S; iptables -t nat -S; ip6tables -S",
                "cut -d' ' -f5 /proc/self/mountinfo",
                "pgrep -a systemd-nspawn",
                "ls /run/netns")) {
            output(look).lines().map(line -> look + ": " + line).forEach(traces::add);
        }
        try (Stream<Path> left = Files.list(temporaryFiles())) {
            left.map(Path::toString).forEach(traces::add);
        }
        others.addAll(LocalCloud.running());
        traces.removeIf(trace -> others.stream().anyMatch(trace::contains));
        return traces;
    }

    /** The settings of the whole machine that the last cloud puts back; empty while other programs have one. */
    private static Optional<String> settings() throws IOException, InterruptedException {
        if (!LocalCloud.running().isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(output(
                "cd /proc/sys && cat net/ipv4/ip_forward fs/inotify/max_user_instances fs/inotify/max_user_watches"));
    }

    private static Path temporaryFiles() throws IOException {
        return Files.createDirectories(temporary.resolve("tmp"));
    }

    private static String output(String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sh", "-c", command)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }
}
