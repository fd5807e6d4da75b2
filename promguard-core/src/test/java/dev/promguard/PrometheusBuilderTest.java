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
import dev.promguard.host.Renderer;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.Secret;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrometheusBuilderTest {
    private static MeshBuilder mesh(Consumer<PrometheusBuilder> settings) {
        return Mesh.builder().name("shop").monitor("tor1").prometheus(settings);
    }

    private static List<String> problems(Consumer<PrometheusBuilder> settings) {
        return catchThrowableOfType(
                        InvalidMeshException.class, () -> mesh(settings).build())
                .problems();
    }

    /** What a setter says of a value that it refuses at once. */
    private static String refusal(Consumer<PrometheusBuilder> settings) {
        return String.valueOf(catchThrowableOfType(InvalidSettingException.class, () -> mesh(settings))
                .reason());
    }

    private static PrometheusSpec spec(Consumer<PrometheusBuilder> settings) {
        return mesh(settings).blueprint().spec().prometheus();
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
                .shards(true)
                .defaultRules(false)
                .addRules("own", "groups: []")
                .addRules(file)
                .addAlertmanager(URI.create("http://10.0.0.9:9093"))
                .addAlertmanager(URI.create("https://alerts.example/am"))
                .scrape(
                        "db",
                        job -> job.targets("db.example:9187", "[fd00::5]:9187")
                                .interval(Duration.ofMinutes(1))
                                .path("/stats")
                                .scheme("https")
                                .label("floor", "1"))
                .addRemoteWrite(URI.create("https://mimir.example/push"), Credentials.basic("me", Secret.of("p")))
                .addRemoteWrite(URI.create("https://thanos.example/push"), Credentials.bearer(Secret.of("t")))
                .addRemoteWrite(URI.create("http://10.0.0.9:8428/write")));

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
        Mesh mesh = mesh(prometheus -> prometheus
                        .retention(Duration.ofDays(3))
                        .retentionSize("1GB")
                        .externalLabel("team", "till")
                        .shards(true)
                        .defaultRules(false)
                        .addRules("own", "groups: []")
                        .addAlertmanager(URI.create("http://10.0.0.9"))
                        .scrape("db", job -> job.targets("db:1"))
                        .addRemoteWrite(URI.create("http://10.0.0.9/"), Credentials.basic("me", Secret.of("p"))))
                .build();

        assertThat(mesh.toBuilder().blueprint()).isEqualTo(mesh.blueprint());
        MeshBuilder other = mesh.toBuilder()
                .prometheus(prometheus -> prometheus
                        .externalLabel("floor", "1")
                        .addRules("more", "groups: []")
                        .addAlertmanager(URI.create("http://10.0.0.8"))
                        .scrape("web", job -> job.targets("web:1"))
                        .addRemoteWrite(URI.create("http://10.0.0.8/")));
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
        assertThat(refusal(prometheus -> prometheus.retention(Duration.parse(value))))
                .isEqualTo("retention " + Duration.parse(value)
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
        "10 GB, 'is not a valid size: use a whole number and one of B, KB, MB, GB, TB, PB, EB, such as 10GB'",
        "10gb, 'is not a valid size: use a whole number and one of B, KB, MB, GB, TB, PB, EB, such as 10GB'",
        "'', 'is not a valid size: use a whole number and one of B, KB, MB, GB, TB, PB, EB, such as 10GB'",
        "1.5GB, 'is not a valid size: use a whole number and one of B, KB, MB, GB, TB, PB, EB, such as 10GB'",
        "255MB, is less than Prometheus' own log may take: use at least 256MB",
        "8EB, is more than Prometheus can count: use at most 7EB",
        "9999999999999999999EB, is more than Prometheus can count: use at most 7EB"
    })
    void retentionSize_impossible_isRefused(String value, String words) {
        assertThat(refusal(prometheus -> prometheus.retentionSize(value)))
                .isEqualTo("retentionSize \"" + value + "\" " + words);
    }

    @ParameterizedTest
    @CsvSource({
        "1st, is not a valid label name",
        "a-b, is not a valid label name",
        "'', is not a valid label name",
        "é, is not a valid label name",
        "__replica__, is reserved for Prometheus",
        "replica, 'is set by PromGuard to a monitor''s name'",
        "shard, 'is set by PromGuard to a monitor''s name'",
        "node, 'would have no effect, since every target has a label of that name'",
        "job, 'would have no effect, since every target has a label of that name'"
    })
    void externalLabel_badName_isRefused(String name, String words) {
        assertThat(refusal(prometheus -> prometheus.externalLabel(name, "x")))
                .startsWith("externalLabel \"" + name + "\" " + words);
    }

    @ParameterizedTest
    @CsvSource({"'', is not valid", "a\u0007b, is not valid", "$HOME, would replace what follows the dollar sign"})
    void externalLabel_badValue_isRefused(String value, String words) {
        assertThat(refusal(prometheus -> prometheus.externalLabel("team", value)))
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
        Blueprint blueprint = mesh(prometheus -> prometheus
                        .externalLabel("team", text)
                        .scrape("db", job -> job.targets("db:1").label("yes", text))
                        .addRemoteWrite(URI.create("http://10.0.0.9/?x=%22%0a"), basic(text)))
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

    @ParameterizedTest
    @CsvSource({
        "promguard, groups: [], is the name of PromGuard's own rules: choose another name",
        "../x, groups: [], is not a valid name of a rule file: use 1 to 63",
        "own.yml, groups: [], is not a valid name of a rule file: use 1 to 63",
        "empty, ' ', 'is empty: give it rules, or leave it out'"
    })
    void addRules_bad_isRefused(String name, String text, String words) {
        assertThat(refusal(prometheus -> prometheus.addRules(name, text)))
                .startsWith("rules \"" + name + "\" " + words);
    }

    @ParameterizedTest
    @ValueSource(strings = {"groups: [] # \ud83d", "# \udcc8\ngroups: []", "# \udcc8\ud83d\ngroups: []"})
    void addRules_halfOfASurrogatePair_isRefused(String text) {
        assertThat(refusal(prometheus -> prometheus.addRules("own", text)))
                .isEqualTo(
                        "rules \"own\" has half of a surrogate pair, which UTF-8 cannot say: give it whole characters");
        assertThat(mesh(prometheus -> prometheus.addRules("own", "groups: [] # \ud83d\udcc8")))
                .isNotNull();
    }

    @Test
    void addRules_tooLong_isRefused() {
        assertThat(refusal(prometheus -> prometheus.addRules("long", "x".repeat((1 << 20) + 1))))
                .isEqualTo("rules \"long\" has 1048577 characters: split it into files of at most 1048576");
    }

    @Test
    void build_twoRuleFilesOfOneName_isRefused() {
        assertThat(problems(
                        prometheus -> prometheus.addRules("own", "groups: []").addRules("own", "groups: []")))
                .containsExactly("rules \"own\" is given twice: give each rule file a name of its own");
    }

    @Test
    void addRules_fileThatIsNotThere_isNamedAtOnce(@TempDir Path folder) {
        Path missing = folder.resolve("own.yml");

        assertThatThrownBy(() -> mesh(prometheus -> prometheus.addRules(missing)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining(missing.toString())
                .hasMessageEndingWith("[PG-1009]");
    }

    @Test
    void addRules_fileThatIsNotUtf8_isRefusedAtOnce(@TempDir Path folder) throws Exception {
        Path file = Files.write(folder.resolve("own.yml"), new byte[] {(byte) 0xff, (byte) 0xfe});

        assertThatThrownBy(() -> mesh(prometheus -> prometheus.addRules(file)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("UTF-8");
    }

    @ParameterizedTest
    @CsvSource({
        "node, is the name of a job that every mesh has: choose another name",
        "prometheus, is the name of a job that every mesh has: choose another name",
        "a b, is not a valid job name: use 1 to 63 letters",
        "'', is not a valid job name: use 1 to 63 letters"
    })
    void scrape_badName_isRefused(String name, String words) {
        assertThat(refusal(prometheus -> prometheus.scrape(name, job -> job.targets("a:1"))))
                .startsWith("scrape \"" + name + "\" " + words);
    }

    static Stream<Arguments> badJobs() {
        return Stream.of(
                job("has no target: give it one, such as targets(\"db.example:9187\")", job -> {}),
                job("has no target: give it one, such as targets(\"db.example:9187\")", job -> job.targets()),
                job(": target \"a:1\" is given twice: give each target once", job -> job.targets("a:1", "a:1")),
                badTarget("http://web:80/"),
                badTarget("web"),
                badTarget("web:0"),
                badTarget("web:65536"),
                badTarget("a,b:1"),
                badTarget("[::1]:1]"),
                job(
                        ": interval PT0.001S is out of range: use whole seconds from 1 s to 1 h",
                        job -> job.interval(Duration.ofMillis(1))),
                job(
                        ": path \"metrics?x\" is not a valid path: use a path such as /metrics, without a query",
                        job -> job.path("metrics?x")),
                job(": scheme \"ftp\" is not a valid scheme: use http or https", job -> job.scheme("ftp")),
                job(
                        ": label \"job\" is set by Prometheus to the job's name: choose another name",
                        job -> job.label("job", "x")),
                job(
                        ": label \"__x\" is reserved for Prometheus: use a name that does not start with two underscores",
                        job -> job.label("__x", "x")),
                job(
                        ": label \"y\" has the value \"\", which is not valid: use 1 to 1024 printable characters",
                        job -> job.label("y", "")));
    }

    private static Arguments job(String words, Consumer<ScrapeJobBuilder> job) {
        return Arguments.of((words.startsWith(":") ? "" : " ") + words, job);
    }

    private static Arguments badTarget(String target) {
        return job(
                ": target \"" + target
                        + "\" is not a host with a port: use the form db.example:9187, without a scheme or a path",
                job -> job.targets(target));
    }

    @ParameterizedTest
    @MethodSource("badJobs")
    void scrape_badValue_isRefusedWithTheJobsName(String words, Consumer<ScrapeJobBuilder> job) {
        assertThat(refusal(prometheus -> prometheus.scrape("web", job))).isEqualTo("scrape \"web\"" + words);
    }

    @ParameterizedTest
    @CsvSource({
        "ftp://x/, 'is not an http or https URI: use a URI that starts with http:// or https://'",
        "/push, 'is not an http or https URI: use a URI that starts with http:// or https://'",
        "mailto:a@b, 'is not an http or https URI: use a URI that starts with http:// or https://'",
        "https:///push, 'has no valid host and port: use the form https://host.example/path'",
        "https://a_b/push, 'has no valid host and port: use the form https://host.example/path'",
        "https://x:0/, 'has no valid host and port: use the form https://host.example/path'",
        "https://x/#y, 'has a fragment: leave out what follows the #'"
    })
    void server_badUri_isRefused(URI uri, String words) {
        assertThat(refusal(prometheus -> prometheus.addRemoteWrite(uri)))
                .isEqualTo("remoteWrite \"" + uri + "\" " + words);
        assertThat(refusal(prometheus -> prometheus.addAlertmanager(uri)))
                .isEqualTo("alertmanager \"" + uri + "\" " + words);
    }

    @Test
    void server_passwordInTheUri_isRefusedAndNotRepeated() {
        URI uri = URI.create("https://me:hunter2@mimir.example/push");

        assertThat(List.of(
                        refusal(prometheus -> prometheus.addRemoteWrite(uri)),
                        refusal(prometheus -> prometheus.addAlertmanager(uri)),
                        refusal(prometheus -> prometheus.withoutRemoteWrite(uri)),
                        refusal(prometheus -> prometheus.withoutAlertmanager(uri))))
                .allSatisfy(problem ->
                        assertThat(problem).contains("//…@mimir.example/push").doesNotContain("hunter2", "me@"));
    }

    @Test
    void server_namedTwice_isRefused() {
        URI uri = URI.create("https://x/");

        assertThat(problems(prometheus -> prometheus
                        .addRemoteWrite(uri)
                        .addRemoteWrite(uri)
                        .addAlertmanager(uri)
                        .addAlertmanager(uri)))
                .containsExactly(
                        "alertmanager \"https://x/\" is given twice: give each server once",
                        "remoteWrite \"https://x/\" is given twice: give each server once");
    }
}
