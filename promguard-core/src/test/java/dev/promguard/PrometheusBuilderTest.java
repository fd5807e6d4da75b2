package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.PrometheusSpec;
import dev.promguard.blueprint.PrometheusSpec.Authentication;
import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.blueprint.PrometheusSpec.RuleFile;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.Secret;
import dev.promguard.render.Renderer;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrometheusBuilderTest {
    private static MeshBuilder wish(Consumer<PrometheusBuilder> settings) {
        return Mesh.builder().name("shop").monitor("tor1").prometheus(settings);
    }

    private static List<String> faults(Consumer<PrometheusBuilder> settings) {
        return catchThrowableOfType(
                        InvalidMeshException.class, () -> wish(settings).build())
                .faults();
    }

    private static PrometheusSpec spec(Consumer<PrometheusBuilder> settings) {
        return wish(settings).blueprint().spec().prometheus();
    }

    @Test
    void build_nothingSaid_isTheUsual() {
        assertThat(spec(prometheus -> {})).isEqualTo(PrometheusSpec.usual());
    }

    @Test
    void build_everythingSaid_isInTheSpec(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("slo.yaml"), "groups: []\n");

        PrometheusSpec spec = spec(prometheus -> prometheus
                .retention(Duration.ofDays(30))
                .retentionSize("10GB")
                .externalLabel("team", "till")
                .shards()
                .defaultRules(false)
                .rules("own", "groups: []")
                .rules(file)
                .alertmanager(URI.create("http://10.0.0.9:9093"), URI.create("https://alerts.example/am"))
                .scrape(
                        "db",
                        job -> job.targets("db.example:9187", "[fd00::5]:9187")
                                .interval(Duration.ofMinutes(1))
                                .path("/stats")
                                .scheme("https")
                                .label("floor", "1"))
                .remoteWrite(URI.create("https://mimir.example/push"), Credentials.basic("me", Secret.of("p")))
                .remoteWrite(URI.create("https://thanos.example/push"), Credentials.bearer(Secret.of("t")))
                .remoteWrite(URI.create("http://10.0.0.9:8428/write")));

        assertThat(spec.retention()).contains(Duration.ofDays(30));
        assertThat(spec.retentionSize()).contains("10GB");
        assertThat(spec.externalLabels()).isEqualTo(Map.of("team", "till"));
        assertThat(spec.shards()).isTrue();
        assertThat(spec.defaultRules()).isFalse();
        assertThat(spec.ruleFiles())
                .containsExactly(new RuleFile("own", "groups: []"), new RuleFile("slo", "groups: []\n"));
        assertThat(spec.alertmanagers()).hasSize(2);
        assertThat(spec.scrapeJobs())
                .containsExactly(new ScrapeJob(
                        "db",
                        List.of("db.example:9187", "[fd00::5]:9187"),
                        Optional.of(Duration.ofMinutes(1)),
                        "/stats",
                        "https",
                        Map.of("floor", "1")));
        assertThat(spec.remoteWrites())
                .containsExactly(
                        new RemoteWrite(
                                "remote-write-1",
                                URI.create("https://mimir.example/push"),
                                Authentication.BASIC,
                                Optional.of("me")),
                        new RemoteWrite(
                                "remote-write-2",
                                URI.create("https://thanos.example/push"),
                                Authentication.BEARER,
                                Optional.empty()),
                        new RemoteWrite(
                                "remote-write-3",
                                URI.create("http://10.0.0.9:8428/write"),
                                Authentication.NONE,
                                Optional.empty()));
    }

    @Test
    void toBuilder_ofEverything_saysTheSameAndIsChangedAlone() {
        Mesh mesh = wish(prometheus -> prometheus
                        .retention(Duration.ofDays(3))
                        .retentionSize("1GB")
                        .externalLabel("team", "till")
                        .shards()
                        .defaultRules(false)
                        .rules("own", "groups: []")
                        .alertmanager(URI.create("http://10.0.0.9"))
                        .scrape("db", job -> job.targets("db:1"))
                        .remoteWrite(URI.create("http://10.0.0.9/"), Credentials.basic("me", Secret.of("p"))))
                .build();

        assertThat(mesh.toBuilder().blueprint()).isEqualTo(mesh.blueprint());
        assertThat(mesh.toBuilder().prometheusSecrets()).hasSize(1);
        MeshBuilder other = mesh.toBuilder()
                .prometheus(prometheus -> prometheus
                        .externalLabel("floor", "1")
                        .rules("more", "groups: []")
                        .alertmanager(URI.create("http://10.0.0.8"))
                        .scrape("web", job -> job.targets("web:1"))
                        .remoteWrite(URI.create("http://10.0.0.8/")));
        assertThat(other.blueprint()).isNotEqualTo(mesh.blueprint());
        assertThat(mesh.blueprint().spec().prometheus().externalLabels()).containsOnlyKeys("team");
        assertThat(mesh.blueprint().spec().prometheus().remoteWrites()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"PT2H", "PT8784H", "P36500D"})
    void retention_atTheEdges_isTaken(String value) {
        assertThat(spec(prometheus -> prometheus.retention(Duration.parse(value)))
                        .retention())
                .contains(Duration.parse(value));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT1H59M59S", "PT0S", "PT-5H", "PT2H0.5S", "P36500DT1S", "PT2562047788015215H"})
    void retention_outOfRange_isRefused(String value) {
        assertThat(faults(prometheus -> prometheus.retention(Duration.parse(value))))
                .containsExactly("retention " + Duration.parse(value)
                        + " is out of range: use whole seconds from 2 h to 36500 d");
    }

    @ParameterizedTest
    @ValueSource(strings = {"256MB", "10GB", "268435456B", "7EB"})
    void retentionSize_atTheEdges_isTaken(String value) {
        assertThat(spec(prometheus -> prometheus.retentionSize(value)).retentionSize())
                .contains(value);
    }

    @ParameterizedTest
    @CsvSource({
        "10 GB, 'is not a size: use a whole number and one of B, KB, MB, GB, TB, PB, EB, such as 10GB'",
        "10gb, 'is not a size: use a whole number and one of B, KB, MB, GB, TB, PB, EB, such as 10GB'",
        "'', 'is not a size: use a whole number and one of B, KB, MB, GB, TB, PB, EB, such as 10GB'",
        "1.5GB, 'is not a size: use a whole number and one of B, KB, MB, GB, TB, PB, EB, such as 10GB'",
        "255MB, is less than Prometheus' own log may take: use at least 256MB",
        "8EB, is more than Prometheus can count: use at most 7EB",
        "9999999999999999999EB, is more than Prometheus can count: use at most 7EB"
    })
    void retentionSize_impossible_isRefused(String value, String words) {
        assertThat(faults(prometheus -> prometheus.retentionSize(value)))
                .containsExactly("retentionSize \"" + value + "\" " + words);
    }

    @ParameterizedTest
    @CsvSource({
        "1st, cannot be a label's name",
        "a-b, cannot be a label's name",
        "'', cannot be a label's name",
        "é, cannot be a label's name",
        "__replica__, is Prometheus' own",
        "replica, 'is PromGuard''s own, a monitor''s name'",
        "shard, 'is PromGuard''s own, a monitor''s name'",
        "node, 'would never be seen, since every target has a label of that name'",
        "job, 'would never be seen, since every target has a label of that name'"
    })
    void externalLabel_badName_isRefused(String name, String words) {
        assertThat(faults(prometheus -> prometheus.externalLabel(name, "x")))
                .singleElement()
                .asString()
                .startsWith("externalLabel \"" + name + "\" " + words);
    }

    @ParameterizedTest
    @CsvSource({"'', cannot be a label's", "a\u0007b, cannot be a label's", "$HOME, takes what follows the dollar sign"
    })
    void externalLabel_badValue_isRefused(String value, String words) {
        assertThat(faults(prometheus -> prometheus.externalLabel("team", value)))
                .singleElement()
                .asString()
                .startsWith("externalLabel \"team\" has the value ")
                .contains(words);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a: b",
                "\"",
                "\\",
                "'",
                "# x",
                "{{ 7*7 }}",
                "{% raw %}",
                "}} {{",
                "%i",
                "[x]",
                "- x",
                "yes",
                "0x1",
                "é 𝄞",
                " x ",
                "&a *a",
                "!!python/object"
            })
    void text_hostile_isDataAlone(String text) throws Exception {
        Blueprint blueprint = wish(prometheus -> prometheus
                        .externalLabel("team", text)
                        .scrape("db", job -> job.targets("db:1").label("yes", text))
                        .remoteWrite(URI.create("http://10.0.0.9/?x=%22%0a"), basic(text)))
                .blueprint();

        String config = Objects.requireNonNull(new Renderer().preview(blueprint).get("shop-monitor-1"))
                .get("/etc/prometheus/prometheus.yml");
        JsonNode yaml = new ObjectMapper(new YAMLFactory()).readTree(config);

        assertThat(yaml.at("/global/external_labels/team").textValue()).isEqualTo(text);
        assertThat(yaml.at("/scrape_configs/2/static_configs/0/labels/yes").textValue())
                .isEqualTo(text);
        assertThat(yaml.at("/remote_write/0/basic_auth/username").textValue())
                .isEqualTo(text.contains(":") ? "me" : text);
        assertThat(yaml.at("/remote_write/0/url").textValue()).isEqualTo("http://10.0.0.9/?x=%22%0a");
        assertThat(yaml.path("scrape_configs")).hasSize(3);
    }

    private static Credentials basic(String userName) {
        return Credentials.basic(userName.contains(":") ? "me" : userName, Secret.of("p"));
    }

    @Test
    void rules_bad_areNamed() {
        assertThat(faults(prometheus -> prometheus
                        .rules("own", "groups: []")
                        .rules("own", "groups: []")
                        .rules("promguard", "groups: []")
                        .rules("../x", "groups: []")
                        .rules("empty", " \n")
                        .rules("long", "x".repeat((1 << 20) + 1))))
                .containsExactly(
                        "rules \"own\" stands twice: give each rule file a name of its own",
                        "rules \"promguard\" is the name of PromGuard's own rules: choose another",
                        "rules \"../x\" cannot be a rule file's name: use at most 63 lower-case letters, digits, dashes and"
                                + " underscores, without an ending",
                        "rules \"empty\" is empty: give it rules, or leave it out",
                        "rules \"long\" has 1048577 characters: split it in files of at most 1048576");
    }

    @Test
    void rules_fileThatIsNotThere_isNamedAtOnce(@TempDir Path folder) {
        Path missing = folder.resolve("own.yml");

        assertThatThrownBy(() -> wish(prometheus -> prometheus.rules(missing)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining(missing.toString());
    }

    @Test
    void rules_fileThatIsNotUtf8_isRefusedAtOnce(@TempDir Path folder) throws Exception {
        Path file = Files.write(folder.resolve("own.yml"), new byte[] {(byte) 0xff, (byte) 0xfe});

        assertThatThrownBy(() -> wish(prometheus -> prometheus.rules(file)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("UTF-8");
    }

    @Test
    void scrape_bad_isNamedWithItsJob() {
        assertThat(faults(prometheus -> prometheus
                        .scrape("node", job -> job.targets("a:1"))
                        .scrape("db", job -> {})
                        .scrape("db", job -> job.targets("a:1", "a:1"))
                        .scrape("a b", job -> job.targets("a:1"))
                        .scrape(
                                "web",
                                job -> job.targets("http://web:80/", "web", "web:0", "web:65536", "a,b:1", "[::1]:1")
                                        .interval(Duration.ofMillis(1))
                                        .path("metrics?x")
                                        .scheme("ftp")
                                        .label("job", "x")
                                        .label("__x", "x")
                                        .label("y", ""))))
                .containsExactly(
                        "scrape \"node\" is the name of a job of the mesh: choose another",
                        "scrape \"db\" has no target: give it one, such as targets(\"db.example:9187\")",
                        "scrape \"db\" stands twice: give each job a name of its own",
                        "scrape \"db\": target \"a:1\" stands twice: name each target once",
                        "scrape \"a b\" cannot be a job's name: use at most 63 letters, digits, dots, dashes and underscores,"
                                + " starting with a letter or digit",
                        badTarget("http://web:80/"),
                        badTarget("web"),
                        badTarget("web:0"),
                        badTarget("web:65536"),
                        badTarget("a,b:1"),
                        "scrape \"web\": interval PT0.001S is out of range: use whole seconds from 1 s to 1 h",
                        "scrape \"web\": path \"metrics?x\" cannot be a path: use the form /metrics, without a query",
                        "scrape \"web\": scheme \"ftp\" cannot be scraped: use http or https",
                        "scrape \"web\": label \"__x\" is Prometheus' own: use a name that does not start with two underscores",
                        "scrape \"web\": label \"job\" is the job's name: choose another name",
                        "scrape \"web\": label \"y\" has the value \"\", which cannot be a label's: use 1 to 1024 printable"
                                + " characters");
    }

    private static String badTarget(String target) {
        return "scrape \"web\": target \"" + target
                + "\" is not a host with a port: use the form db.example:9187, without a scheme or a path";
    }

    @ParameterizedTest
    @CsvSource({
        "ftp://x/, 'cannot be spoken to: use a URI that starts with http:// or https://'",
        "/push, 'cannot be spoken to: use a URI that starts with http:// or https://'",
        "mailto:a@b, 'cannot be spoken to: use a URI that starts with http:// or https://'",
        "https:///push, 'names no host: use the form https://host.example/path'",
        "https://a_b/push, 'names no host: use the form https://host.example/path'",
        "https://x:0/, 'names no host: use the form https://host.example/path'",
        "https://x/#y, 'holds a fragment: leave out what follows the #'"
    })
    void server_badUri_isRefused(URI uri, String words) {
        assertThat(faults(prometheus -> prometheus.remoteWrite(uri)))
                .containsExactly("remoteWrite \"" + uri + "\" " + words);
        assertThat(faults(prometheus -> prometheus.alertmanager(uri)))
                .containsExactly("alertmanager \"" + uri + "\" " + words);
    }

    @Test
    void server_passwordInTheUri_isRefusedAndNotRepeated() {
        URI uri = URI.create("https://me:hunter2@mimir.example/push");

        assertThat(faults(prometheus -> prometheus.remoteWrite(uri).alertmanager(uri)))
                .hasSize(2)
                .allSatisfy(fault -> assertThat(fault)
                        .contains("//…@mimir.example/push", "holds a user name")
                        .doesNotContain("hunter2", "me@"));
    }

    @Test
    void server_namedTwice_isRefused() {
        URI uri = URI.create("https://x/");

        assertThat(faults(prometheus ->
                        prometheus.remoteWrite(uri).remoteWrite(uri).alertmanager(uri, uri)))
                .containsExactly(
                        "alertmanager \"https://x/\" stands twice: name each server once",
                        "remoteWrite \"https://x/\" stands twice: name each server once");
    }
}
