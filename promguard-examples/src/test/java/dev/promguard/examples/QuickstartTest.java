package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.Api;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.RecordedRequest;
import dev.promguard.state.FileStateStore;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the quickstart does to an account, and when it asks: in this JVM, against DigitalOcean's API with droplets that are records. */
class QuickstartTest {
    private static final String DROPLETS = "/v2/droplets";

    @TempDir
    Path state;

    private final LocalCloud cloud = LocalCloud.builder().recordsOnly().start();
    private final Api api = new Api(cloud.endpoint(), cloud.token());

    /** A run that ended, and what it had printed. */
    private record Run(int status, String text) {}

    @BeforeEach
    void haveOtherMeshes() throws Exception {
        droplet("promguard-monitor-1", "promguard");
        droplet("shop-node-1", "shop");
        cloud.forgetRequests();
    }

    @AfterEach
    void stop() {
        cloud.close();
    }

    @Test
    void digitalOcean_withoutConfirmation_showsThePlanWithItsPriceAndCreatesNothing() {
        Run run = answer("no\n", "--digitalocean");

        assertThat(run.status()).isEqualTo(Quickstart.NOT_CONFIRMED);
        assertThat(run.text())
                .contains(
                        "mesh promguard-quickstart: 4 to create, 0 to change, 0 to remove · $24.00 a month ($0.036 an hour)")
                .contains(
                        "Create these 4 droplets? They cost $24.00 a month ($0.036 an hour) until they are removed. [y/N]")
                .contains("Nothing was created.")
                .doesNotContain("may be left");
        assertThat(changes()).isEmpty();
        assertThat(state).isEmptyDirectory();
    }

    @Test
    void digitalOcean_atTheEndOfTheInput_createsNothing() {
        assertThat(answer("", "--digitalocean").status()).isEqualTo(Quickstart.NOT_CONFIRMED);
        assertThat(changes()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--digitalocean", "--destroy"})
    void spendingOrRemoving_withoutATerminal_isRefusedUnlessConfirmed(String option) throws Exception {
        if (option.equals("--destroy")) {
            droplet("promguard-quickstart-node-1", "promguard-quickstart");
            cloud.forgetRequests();
        }
        Run run = unattended(option);

        assertThat(run.status()).isEqualTo(Quickstart.NOT_CONFIRMED);
        assertThat(run.text())
                .contains("there is no terminal to ask in", "--yes")
                .doesNotContain("may be left");
        assertThat(changes()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"'y\n', --digitalocean, ''", "'', --digitalocean, --yes"})
    void digitalOcean_confirmed_createsAndAfterAProblemRemovesItsOwn(String typed, String option, String yes) {
        cloud.faults().erroredCreates(100);
        Run run = yes.isEmpty() ? answer(typed, option) : unattended(option, yes);

        assertThat(run.status()).isEqualTo(Quickstart.STOPPED);
        assertThat(changes()).contains("POST " + DROPLETS);
        assertThat(run.text())
                .contains("Removing what was created, because of a problem:", "The quickstart stopped: ")
                .doesNotContain("may be left");
        assertThat(names()).containsExactlyInAnyOrder("promguard-monitor-1", "shop-node-1");
    }

    @Test
    void digitalOcean_whereRemovingFails_saysWhatIsLeftAndHowToRemoveIt() {
        cloud.faults().erroredCreates(100).only("DELETE", "/v2/account/keys/*").serverErrors(1000);
        Run run = unattended("--digitalocean", "--yes");

        assertThat(run.status()).isEqualTo(Quickstart.STOPPED);
        assertThat(run.text()).containsOnlyOnce("may be left, and cost money").contains("-Dexec.args=--destroy");
    }

    @Test
    void digitalOcean_whereAnotherRunHasDroplets_createsAndRemovesNothing() throws Exception {
        droplet("promguard-quickstart-node-1", "promguard-quickstart");
        cloud.forgetRequests();
        Run run = unattended("--digitalocean", "--yes");

        assertThat(run.status()).isEqualTo(Quickstart.STOPPED);
        assertThat(run.text()).contains("promguard-quickstart-node-1");
        assertThat(changes()).isEmpty();
    }

    @Test
    void destroy_confirmed_removesItsOwnMeshAlone() throws Exception {
        droplet("promguard-quickstart-node-1", "promguard-quickstart");
        Run run = answer("yes\n", "--destroy");

        assertThat(run.status()).isEqualTo(Quickstart.DONE);
        assertThat(run.text())
                .contains("- promguard-quickstart-node-1  lon1  s-1vcpu-1gb  id ", "$6.00 a month")
                .contains("removed promguard-quickstart-node-1");
        assertThat(names()).containsExactlyInAnyOrder("promguard-monitor-1", "shop-node-1");
    }

    @Test
    void destroy_notConfirmed_removesNothing() throws Exception {
        droplet("promguard-quickstart-node-1", "promguard-quickstart");
        cloud.forgetRequests();
        Run run = answer("\n", "--destroy");

        assertThat(run.status()).isEqualTo(Quickstart.NOT_CONFIRMED);
        assertThat(run.text()).contains("Nothing was removed.");
        assertThat(changes()).isEmpty();
    }

    @Test
    void destroy_withNothingLeft_saysSoAndAsksNothing() {
        Run run = answer("", "--destroy");

        assertThat(run.status()).isEqualTo(Quickstart.DONE);
        assertThat(run.text()).contains("There is nothing to remove").doesNotContain("[y/N]");
        assertThat(changes()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--digitalocean", "--destroy"})
    void anyCall_withoutAToken_saysSoFirstAndWarnsOfNothing(String option) {
        Run run = run(new Dialog(new BufferedReader(new StringReader("y\n")), System.out, true), Map.of(), option);

        assertThat(run.status()).isEqualTo(Quickstart.STOPPED);
        assertThat(run.text())
                .startsWith("There is no DigitalOcean token")
                .contains("DIGITALOCEAN_TOKEN")
                .doesNotContain("may be left");
        assertThat(cloud.requests()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--help-me",
                "digitalocean",
                "--yes",
                "--preview --yes",
                "--digitalocean --destroy",
                "--digitalocean --yes --yes",
                "--destroy --name shop"
            })
    void unknownArguments_areRefusedWithTheUsage(String arguments) {
        Run run = unattended(arguments.split(" ", -1));

        assertThat(run.status()).isEqualTo(Quickstart.USAGE);
        assertThat(run.text())
                .startsWith("usage: ")
                .contains("--preview", "--digitalocean", "--destroy", "--yes", "exit status");
        assertThat(cloud.requests()).isEmpty();
    }

    private Run answer(String typed, String... arguments) {
        return run(
                new Dialog(new BufferedReader(new StringReader(typed)), System.out, true),
                Map.of("DIGITALOCEAN_TOKEN", cloud.token()),
                arguments);
    }

    private Run unattended(String... arguments) {
        return run(
                new Dialog(new BufferedReader(new StringReader("")), System.out, false),
                Map.of("DIGITALOCEAN_TOKEN", cloud.token()),
                arguments);
    }

    private Run run(Dialog dialog, Map<String, String> environment, String... arguments) {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
        int status = new Quickstart(
                        new Dialog(dialog.in(), out, dialog.interactive()),
                        environment,
                        new FileStateStore(state),
                        token -> DigitalOcean.builder()
                                .endpoint(cloud.endpoint())
                                .token(token)
                                .pollInterval(Duration.ofMillis(10))
                                .retryPause(Duration.ofMillis(1))
                                .listLag(Duration.ofMillis(50))
                                .build())
                .run(List.of(arguments));
        return new Run(status, printed.toString(StandardCharsets.UTF_8));
    }

    private void droplet(String name, String mesh) throws Exception {
        api.post("v2/droplets", """
                {"name":"%s","region":"lon1","size":"s-1vcpu-1gb","image":"debian-12-x64","tags":["promguard","promguard:mesh:%s"]}
                """.formatted(name, mesh));
    }

    private List<String> names() {
        return api.quietly("v2/droplets").findValuesAsText("name").stream()
                .filter(name -> name.matches(".*-(monitor|node)-\\d"))
                .toList();
    }

    /** The calls that were to change something, each as method and path; not those that only try what the token may do. */
    private List<String> changes() {
        return cloud.requests().stream()
                .filter(request -> !request.method().equals("GET"))
                .map((RecordedRequest request) -> request.method() + " " + request.path())
                .filter(call -> !call.startsWith("DELETE /v2/tags/promguard:probe:"))
                .toList();
    }
}
