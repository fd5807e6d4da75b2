package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.promguard.ApplyException;
import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.Mesh;
import dev.promguard.PromGuardException;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.keys.Secret;
import dev.promguard.spi.CloudProvider;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A mesh's whole life in an account where something goes wrong: apply, run again until every droplet is there, and destroy, run
 * again until none is. Each fault comes about at each step in turn, and lasts at most until the verb has ended. Whatever it is,
 * there is never a droplet of a name twice, none is left, it ends in time, and a verb that fails names every host that it has
 * left other than desired.
 */
@Execution(ExecutionMode.CONCURRENT)
class FaultOutcomesTest {
    private static final int HOSTS = 12;
    private static final int MOST_RUNS = 4;
    private static final int LONGEST_REASON = 180;
    private static final int MANY = 1_000_000;
    private static final String SLOW = "slow bodies, beyond the time for a call";
    private static final String NEIGHBOUR =
            "[\"promguard\",\"promguard:attempt:shop-2:a1\",\"promguard:mesh:shop-2\",\"promguard:role:node\"]";
    private static final String NO_MACHINE = "there is no machine behind it";
    private static final Duration LONGEST_WAIT = Duration.ofMillis(1600);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration SHORT_CALL_TIMEOUT = Duration.ofSeconds(1);
    private static final Duration LAG = Duration.ofMillis(150);
    private static final Map<Integer, String> TABLE = new ConcurrentSkipListMap<>();

    /** What the engine asks of the provider, in the order of a life. */
    private enum Step {
        PREFLIGHT("preflight"),
        ENSURE_FIREWALL("ensureFirewall"),
        KEY("registerAccessKey"),
        CREATE("create"),
        AWAIT("await"),
        LIST("list"),
        DELETE("deleteAttempts"),
        CLEAN_UP("cleanUp");

        private final String method;

        Step(String method) {
            this.method = method;
        }
    }

    /** What becomes of a fault when the verb in which it came about has ended. */
    private enum After {
        /** It is over, and droplets come to be all the same. */
        FIXED,
        /** It is over, but some droplets never come to be. */
        BROKEN,
        /** It stays until a destroy has ended. */
        STAYS,
        /** Likewise, and whether droplets come to be before that is a question of the machine's speed. */
        STAYS_A_WHILE
    }

    private record Fault(String name, After after, Consumer<Faults> on) {}

    private record Case(int number, Fault fault, Step step) {
        @Override
        public String toString() {
            return fault.name() + " at " + step.method;
        }
    }

    private static Fault fault(String name, Consumer<Faults> on) {
        return new Fault(name, After.FIXED, on);
    }

    private static List<Fault> faultsOfCalls() {
        Duration second = Duration.ofSeconds(1);
        Duration hour = Duration.ofHours(1);
        return List.of(
                fault("429 of the minute, 2 calls", f -> f.rateLimit(2, second)),
                fault("429 of the minute, every call", f -> f.rateLimit(MANY, hour)),
                fault("429 of the hour, 2 calls, reset near", f -> f.hourlyLimit(2, second)),
                fault("429 of the hour, every call, reset far", f -> f.hourlyLimit(MANY, hour)),
                fault("503 with HTML, not carried out, 2 calls", f -> f.serverErrors(2)),
                fault("503 with HTML, not carried out, every call", f -> f.serverErrors(MANY)),
                fault("502 with HTML, carried out, 2 calls", f -> f.badGateways(2)),
                fault("502 with HTML, carried out, every call", f -> f.badGateways(MANY)),
                fault("connection closed before the request is read, 2 calls", f -> f.closeConnections(2)),
                fault("connection closed before the request is read, every call", f -> f.closeConnections(MANY)),
                fault("answer dropped, carried out, 2 calls", f -> f.dropAnswers(2)),
                fault("answer dropped, carried out, every call", f -> f.dropAnswers(MANY)),
                fault("connection closed amid the answer, 2 calls", f -> f.cutAnswers(2)),
                fault("JSON cut in half, 2 calls", f -> f.truncateAnswers(2)),
                fault("JSON cut in half, every call", f -> f.truncateAnswers(MANY)),
                fault(SLOW, f -> f.slowAnswers(SHORT_CALL_TIMEOUT.multipliedBy(2))));
    }

    private static List<Fault> faultsThatLast() {
        return List.of(
                fault("pages of 3", f -> f.pageSize(3)),
                fault("pages of 3, links to another host", f -> f.pageSize(3).foreignPageLinks(true)),
                fault("lists lag", f -> f.listLag(LAG)),
                fault("reads by id lag", f -> f.readLag(LAG)),
                fault("lists of tags lag", f -> f.tagLag(LAG)),
                fault("slow bodies, within the time for a call", f -> f.slowAnswers(Duration.ofMillis(60))),
                fault("slow deletes", f -> f.slowDeletes(LAG)));
    }

    private static List<Fault> faultsOfCreates() {
        return List.of(
                fault("late addresses", f -> f.lateAddresses(LAG)),
                fault("addresses later than awaited", f -> f.lateAddresses(LONGEST_WAIT.plusSeconds(1))),
                fault("creates slower than lists are asked", f -> f.slowCreates(LAG)),
                fault("creates slower than awaited", f -> f.slowCreates(LONGEST_WAIT.plusSeconds(1))),
                fault("droplet limit of 5", f -> f.dropletLimit(5)),
                fault("3 errored creates, taken away", f -> f.erroredCreates(3)),
                new Fault("3 errored creates, left new", After.BROKEN, f -> f.brokenCreates(3)),
                fault("3 droplets vanish", f -> f.vanishingCreates(3)),
                fault("12 droplets vanish", f -> f.vanishingCreates(12)),
                new Fault("3 droplets stay new", After.BROKEN, f -> f.stuckCreates(3)),
                new Fault(
                        "3 droplets stay new and refuse delete with 422",
                        After.STAYS,
                        f -> f.stuckCreates(3).refuseDeleteWhileNew(422)),
                new Fault(
                        "droplets refuse delete with 409 while new",
                        After.STAYS_A_WHILE,
                        f -> f.slowCreates(LONGEST_WAIT.plus(LAG.multipliedBy(4)))
                                .refuseDeleteWhileNew(409)),
                fault(
                        "lists lag and a create answer is dropped",
                        f -> f.listLag(LAG).dropCreateAnswers(1)),
                fault(
                        "lists lag and every create answer is dropped",
                        f -> f.listLag(LAG).dropCreateAnswers(MANY)));
    }

    static Stream<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (Fault fault : faultsOfCreates()) {
            cases.add(new Case(cases.size(), fault, Step.CREATE));
        }
        for (Fault fault : faultsOfCalls()) {
            for (Step step : Step.values()) {
                cases.add(new Case(cases.size(), fault, step));
            }
        }
        for (Fault fault : faultsThatLast()) {
            cases.add(new Case(cases.size(), fault, Step.CREATE));
            cases.add(new Case(cases.size(), fault, Step.LIST));
        }
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    @Timeout(60)
    void life_withAFault_endsWithoutDoublesOrLeftovers(Case one, @TempDir Path state) throws Exception {
        ContractWatch contract = ContractWatch.ofRequests();
        try (LocalCloud cloud =
                LocalCloud.builder().recordsOnly().observer(contract).start()) {
            Life life = new Life(cloud, one, state);
            List<String> said = new ArrayList<>();
            boolean made = false;
            int mostRuns = one.fault().after() == After.FIXED ? MOST_RUNS : 1;
            for (int run = 1; run <= mostRuns && !made; run++) {
                made = life.apply(said);
            }
            if (one.fault().after() != After.STAYS_A_WHILE) {
                assertThat(made)
                        .as("every droplet is there after %s", said)
                        .isEqualTo(one.fault().after() == After.FIXED);
            }
            boolean gone = false;
            for (int run = 1; run <= MOST_RUNS && !gone; run++) {
                gone = life.destroy(said);
            }
            assertThat(gone).as("destroyed after %s", said).isTrue();
            assertThat(life.droplets()).as("left after %s", said).isEmpty();
            assertThat(life.leftovers()).as("left after %s", said).isEmpty();
            assertThat(life.neighbourIsThere())
                    .as("the other mesh after %s", said)
                    .isTrue();
            assertThat(life.everArmed()).as("the fault has come about").isTrue();
            contract.check();
            TABLE.put(one.number(), "| " + one.fault().name() + " | " + one.step().method + " | " + told(said) + " |");
        }
    }

    /** What was said, with what was said several times over said once. */
    private static String told(List<String> said) {
        Map<String, Integer> times = new LinkedHashMap<>();
        said.forEach(one -> times.merge(one, 1, Integer::sum));
        return times.entrySet().stream()
                .map(one -> one.getKey() + (one.getValue() == 1 ? "" : " (" + one.getValue() + " times)"))
                .collect(Collectors.joining("; "));
    }

    @AfterAll
    static void write() throws IOException {
        List<String> lines = new ArrayList<>(List.of("| fault | from | outcome |", "|---|---|---|"));
        lines.addAll(TABLE.values());
        Files.write(Files.createDirectories(Path.of("target")).resolve("fault-outcomes.md"), lines);
    }

    /** One mesh in one account. Each verb runs with a provider of its own, as in a program that is started again. */
    private static final class Life {
        private final LocalCloud cloud;
        private final Case one;
        private final Path state;
        private final Api api;
        private final AtomicBoolean armed = new AtomicBoolean();
        private volatile boolean destroying;
        private volatile boolean deleting;

        Life(LocalCloud cloud, Case one, Path state) throws Exception {
            this.cloud = cloud;
            this.one = one;
            this.state = state;
            this.api = new Api(cloud.endpoint(), cloud.token());
            api.post("v2/droplets", Api.spec("\"name\":\"shop-node-1\"", "\"tags\":" + NEIGHBOUR));
        }

        /** Whether the droplet of another mesh, whose name is much like this one's, is as it was. */
        boolean neighbourIsThere() throws Exception {
            JsonNode there =
                    api.get("v2/droplets?tag_name=promguard:mesh:shop-2").body();
            return there.at("/droplets/0/tags").toString().equals(NEIGHBOUR);
        }

        boolean everArmed() {
            return armed.get();
        }

        /** Applies, and returns whether every droplet was ready. */
        boolean apply(List<String> said) throws Exception {
            cloud.forgetRequests();
            PromGuardException failure = failure(() -> mesh().apply());
            boolean ordered = cloud.requests().stream()
                    .anyMatch(
                            call -> call.method().equals("POST") && call.path().equals("/v2/droplets"));
            if (one.fault().after() != After.STAYS && one.fault().after() != After.STAYS_A_WHILE) {
                cloud.faults().clear();
            }
            List<JsonNode> there = droplets();
            assertThat(there)
                    .as("no doubles after %s", said)
                    .extracting(droplet -> droplet.path("name").asText())
                    .doesNotHaveDuplicates();
            if (failure instanceof ApplyException e && isMade(e)) {
                assertThat(there).hasSize(HOSTS);
                assertThat(firewalls()).hasSize(1);
                said.add("applied");
                return true;
            }
            if (failure instanceof ApplyException) {
                assertThat(names()).as("%s", failure).allMatch(name -> says(failure, name));
                said.add("apply failed with " + there.size() + " of " + HOSTS + " droplets there, naming each host: "
                        + reason(failure));
            } else {
                assertThat(failure).isNotNull();
                assertThat(ordered)
                        .as("ordered something, and ended with %s", failure)
                        .isFalse();
                said.add("apply failed before it ordered anything: " + reason(failure));
            }
            return false;
        }

        /** Destroys, and returns whether it got to its end. */
        boolean destroy(List<String> said) throws Exception {
            destroying = true;
            deleting = false;
            PromGuardException failure = failure(() -> mesh().destroy());
            cloud.faults().clear();
            if (failure == null) {
                said.add("destroyed");
                return true;
            }
            List<JsonNode> left = droplets();
            if (deleting) {
                assertThat(left)
                        .as("%s", failure)
                        .allMatch(droplet -> says(failure, droplet.path("name").asText())
                                || says(failure, droplet.path("id").asText()));
                said.add("destroy failed with " + left.size() + " droplets there"
                        + (left.isEmpty() ? ": " : ", naming each: ") + reason(failure));
            } else {
                said.add("destroy failed before it removed anything: " + reason(failure));
            }
            return false;
        }

        private Mesh mesh() {
            return Mesh.builder()
                    .name("shop")
                    .monitor("lon1")
                    .nodes(HOSTS - 1, "lon1")
                    .provider(provider())
                    .applier(target -> {
                        throw HostException.of(ErrorCode.CONNECT_FAILED, target.name(), target.address(), "connect")
                                .because(NO_MACHINE, "");
                    })
                    .state(state)
                    .build();
        }

        /** The real provider, which brings the fault about when the engine gets to its step, and waits no longer than a test may. */
        private CloudProvider provider() {
            CloudProvider real = DigitalOcean.builder()
                    .endpoint(cloud.endpoint())
                    .token(Secret.of(cloud.token()))
                    .callTimeout(one.fault().name().equals(SLOW) ? SHORT_CALL_TIMEOUT : CALL_TIMEOUT)
                    .pollInterval(Duration.ofMillis(20))
                    .retryPause(Duration.ofMillis(5))
                    .listLag(LAG.multipliedBy(2))
                    .sshFrom("203.0.113.0/24")
                    .build();
            return (CloudProvider) Proxy.newProxyInstance(
                    CloudProvider.class.getClassLoader(),
                    new Class<?>[] {CloudProvider.class},
                    (proxy, method, arguments) -> {
                        boolean due =
                                method.getName().equals(one.step().method) && (one.step() != Step.LIST || destroying);
                        if (due && !armed.getAndSet(true)) {
                            one.fault().on().accept(cloud.faults());
                        }
                        deleting |= method.getName().equals(Step.DELETE.method);
                        Object[] shorter = arguments == null ? new Object[0] : arguments.clone();
                        for (int i = 0; i < shorter.length; i++) {
                            if (shorter[i] instanceof Duration) {
                                shorter[i] = LONGEST_WAIT;
                            }
                        }
                        try {
                            return method.invoke(real, shorter);
                        } catch (InvocationTargetException e) {
                            throw Optional.ofNullable(e.getCause()).orElse(e);
                        }
                    });
        }

        private static @Nullable PromGuardException failure(Runnable verb) {
            try {
                verb.run();
                return null;
            } catch (PromGuardException e) {
                return e;
            }
        }

        /** Whether all that failed is that records have no machines. */
        private static boolean isMade(ApplyException e) {
            return e.report().hosts().stream()
                    .map(HostOutcome::failure)
                    .allMatch(failure -> failure != null
                            && String.valueOf(failure.getMessage()).contains(NO_MACHINE));
        }

        private List<String> names() {
            return mesh().blueprint().hosts().stream().map(host -> host.name()).toList();
        }

        /** What this mesh has left in the account beside droplets. */
        List<String> leftovers() throws Exception {
            List<String> left = new ArrayList<>();
            for (JsonNode tag : api.get("v2/tags?per_page=200").body().path("tags")) {
                String name = tag.path("name").asText();
                // Those of all meshes stay.
                if (!NEIGHBOUR.contains('"' + name + '"') && !name.startsWith("promguard:role:")) {
                    left.add(tag.toString());
                }
            }
            api.get("v2/account/keys").body().path("ssh_keys").forEach(key -> left.add(key.toString()));
            left.addAll(firewalls());
            return left;
        }

        private List<String> firewalls() throws Exception {
            List<String> firewalls = new ArrayList<>();
            api.get("v2/firewalls").body().path("firewalls").forEach(firewall -> firewalls.add(firewall.toString()));
            return firewalls;
        }

        /** The droplets of this mesh, seen past all faults. */
        List<JsonNode> droplets() throws Exception {
            List<JsonNode> droplets = new ArrayList<>();
            for (JsonNode droplet : api.get("v2/droplets?per_page=200").body().path("droplets")) {
                if (!droplet.path("tags").toString().equals(NEIGHBOUR)) {
                    droplets.add(droplet);
                }
            }
            return droplets;
        }

        private static boolean says(@Nullable PromGuardException failure, String name) {
            return failure != null
                    && Pattern.compile("(?<![\\w-])" + Pattern.quote(name) + "(?![\\w-])")
                            .matcher(String.valueOf(failure.getMessage()))
                            .find();
        }

        /** The first line of more than that records have no machines, without what differs from run to run. */
        private static String reason(@Nullable PromGuardException failure) {
            String message = failure == null ? "" : String.valueOf(failure.getMessage());
            String line = message.lines()
                    .filter(one -> !one.contains(NO_MACHINE))
                    .findFirst()
                    .orElse("")
                    .replaceFirst("^(shop-[a-z]+-\\d+(, |: | \\([0-9.]+\\): ))+", "")
                    .replaceAll("([0-9a-f]{2}:){15}[0-9a-f]{2}", "…")
                    .replaceAll("(droplet \\d{9}|\"[a-z0-9-]+\" \\(id \\d{9}\\))(, )?", "%")
                    .replaceAll("%+", "droplet …")
                    .replaceAll("shop-[a-z]+-\\d+(, shop-[a-z]+-\\d+)*", "host …")
                    .replaceAll("127\\.0\\.0\\.1:\\d+", "127.0.0.1")
                    .replaceAll("\\d+ (m?s)\\b", "… $1")
                    .replaceAll(" \\(request [0-9a-f-]+\\)", "")
                    .replaceAll("promguard:attempt:shop:[0-9a-f]+", "promguard:attempt:shop:…")
                    .replace("|", "/");
            return line.length() > LONGEST_REASON ? line.substring(0, LONGEST_REASON) + "…" : line;
        }
    }
}
