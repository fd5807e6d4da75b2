package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.keys.Credentials;
import dev.promguard.keys.Secret;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A remote write's secret on its way to the monitors. */
class MeshSecretsTest {
    private static final String FILE = "/etc/prometheus/secrets/remote-write-1";
    private static final String PASSWORD = "correct-horse-battery-staple";

    private final Account account = new Account();

    private MeshBuilder spec(Secret password) {
        return account.spec()
                .prometheus(prometheus -> prometheus.addRemoteWrite(
                        URI.create("https://mimir.example/push"), Credentials.basic("me", password)));
    }

    @Test
    void apply_secret_goesToEveryMonitorAndNoNode() {
        Mesh mesh = spec(Secret.of(PASSWORD)).addMonitor("fra1").build();

        ApplyReport report = mesh.apply();

        assertThat(report.hosts())
                .filteredOn(host -> host.changes().contains("write " + FILE))
                .extracting(ApplyReport.HostOutcome::name)
                .containsExactly("shop-monitor-1", "shop-monitor-2");
        List<String> order = report.hosts().get(0).changes();
        assertThat(order.indexOf("write " + FILE))
                .isGreaterThan(order.indexOf("create user prometheus"))
                .isLessThan(order.indexOf("write /etc/prometheus/prometheus.yml"));
        account.assertUpToDate(mesh);
    }

    @Test
    void apply_sameSecretFromAnotherProgram_changesNothing() {
        spec(Secret.of(PASSWORD)).apply();

        assertThat(spec(Secret.of(PASSWORD)).plan().isEmpty()).isTrue();
        assertThat(spec(Secret.of(PASSWORD)).apply().changes()).isZero();
    }

    @Test
    void apply_otherSecret_writesItsFileAloneAndDisturbsNobody() {
        spec(Secret.of(PASSWORD)).apply();
        Mesh changed = spec(Secret.of("another")).build();

        ApplyReport report = changed.apply(changed.plan());

        assertThat(report.hosts().get(0).changes()).containsExactly("write " + FILE);
        assertThat(report.changes()).isEqualTo(1);
    }

    @Test
    void apply_secretThatSomebodyChangedOnTheHost_isPutBack() {
        spec(Secret.of(PASSWORD)).apply();
        account.cloud.machine("shop-monitor-1").loseSecret(FILE);

        assertThat(spec(Secret.of(PASSWORD)).apply().hosts().get(0).changes()).containsExactly("write " + FILE);
    }

    @Test
    void verbs_all_neverShowTheSecret(@TempDir Path folder) throws Exception {
        List<String> shown = new ArrayList<>();
        Mesh mesh = spec(Secret.of(PASSWORD))
                .state(folder.resolve("state"))
                .listener(event -> shown.add(event.toString()))
                .build();
        shown.add(mesh.toString());
        shown.add(mesh.blueprint() + mesh.blueprint().spec().toString());
        shown.add(mesh.plan().toString() + mesh.plan().entries());
        shown.add(mesh.apply().toString());
        Plan other = spec(Secret.of("another"))
                .state(folder.resolve("state"))
                .build()
                .plan();
        assertThat(other.details()).contains(FILE).doesNotContain("another");
        shown.add(other.toString() + other.details() + other.entries());
        mesh.writePreview(folder.resolve("preview"));
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                shown.add(Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }

        assertThat(shown).hasSizeGreaterThan(40).noneMatch(text -> text.contains(PASSWORD));
    }

    /** What programs and pages get is checked apart from what people read, since it says more. */
    @Test
    void documents_everyVerb_holdNoSecretOfTheSpecTheStateOrAHost() {
        String privateKey = "wL5nFd8cQm3sTz7vXb1yHj4kPr6uGa9eNi2oBt0CVEA=";
        List<String> shown = new ArrayList<>();
        Mesh mesh = spec(Secret.of(PASSWORD)).build();
        documents(mesh.plan(), shown);
        documents(mesh.apply(), shown);
        account.cloud
                .machine("shop-monitor-1")
                .edit(
                        "/etc/prometheus/prometheus.yml",
                        text -> text + "basic_auth:\n  password: typed-by-hand\nbearer_token: eyJ0eXAiOiJKV1Qi\n");
        account.cloud
                .machine("shop-monitor-1")
                .edit(
                        "/etc/wireguard/wg0.conf",
                        text -> text + "PrivateKey = " + privateKey + "\nPresharedKey = " + privateKey + "\n");
        Mesh other = spec(Secret.of("another-password")).build();
        documents(other.plan(), shown);
        documents(other.planRotateKeys(), shown);
        documents(other.verify(), shown);
        documents(other.apply(other.plan()), shown);
        documents(other.rotateKeys(), shown);
        documents(other.planDestroy(), shown);
        String loginKey = account.store
                .loadLoginKey("shop")
                .orElseThrow()
                .useText(text -> text.replaceAll("-----[^-]+-----", "")
                        .strip()
                        .lines()
                        .skip(1)
                        .findFirst()
                        .orElseThrow());
        documents(other.destroy(), shown);

        assertThat(shown).anyMatch(text -> text.contains("bearer_token: •••"));
        assertThat(shown)
                .hasSizeGreaterThanOrEqualTo(9)
                .noneMatch(text -> Stream.of(
                                PASSWORD, "another-password", "typed-by-hand", "eyJ0eXAiOiJKV1Qi", privateKey, loginKey)
                        .anyMatch(text::contains));
    }

    private static void documents(Plan plan, List<String> shown) {
        shown.add(plan.toJson()
                + plan.toMarkdown()
                + Report.builder().plan(plan).build().toHtml());
    }

    private static void documents(ApplyReport report, List<String> shown) {
        shown.add(report.toJson()
                + report.toMarkdown()
                + Report.builder().applied(report).build().toHtml());
    }

    private static void documents(VerifyReport report, List<String> shown) {
        shown.add(report.toJson()
                + report.toMarkdown()
                + Report.builder().verified(report).build().toHtml());
    }

    private static void documents(DestroyReport report, List<String> shown) {
        shown.add(report.toJson()
                + report.toMarkdown()
                + Report.builder().removed(report).build().toHtml());
    }

    @Test
    void apply_secretClosed_saysSoAndTheNextOneFinishes() {
        Secret password = Secret.of(PASSWORD);
        Mesh mesh = spec(password).build();
        password.close();

        assertThatThrownBy(mesh::apply)
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining("shop-monitor-1")
                .hasMessageContaining("closed");
        account.assertUpToDate(applied(spec(Secret.of(PASSWORD)).build()));
    }

    private static Mesh applied(Mesh mesh) {
        mesh.apply();
        return mesh;
    }
}
