package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.promguard.Golden;
import dev.promguard.InvalidSettingException;
import dev.promguard.SpecFile;
import dev.promguard.Tool;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RendererTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/host/render");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    private final Renderer renderer = new Renderer();

    static List<String> specs() {
        return GOLDEN.names();
    }

    static List<String> monitors() {
        return specs().stream()
                .filter(spec -> {
                    SpecFile file = spec(spec);
                    return file.blueprint().host(file.host()).role() == Role.MONITOR;
                })
                .toList();
    }

    private static SpecFile spec(String name) {
        return SpecFile.parse(GOLDEN.read(name + ".input"));
    }

    private DesiredHost render(String spec) {
        SpecFile file = spec(spec);
        return renderer.withSecrets(file.secrets())
                .render(file.blueprint(), file.host(), file.publicAddresses(), file.publicKeys());
    }

    private static String print(DesiredHost host) {
        StringBuilder text = new StringBuilder();
        text.append("host ").append(host.name()).append('\n');
        text.append("packages ").append(String.join(" ", host.packages())).append('\n');
        host.users().forEach(user -> text.append("user ").append(user.name()).append('\n'));
        host.releases()
                .forEach(install -> text.append("release ")
                        .append(install.folder())
                        .append(' ')
                        .append(String.join(" ", install.binaries()))
                        .append('\n'));
        host.firewall()
                .forEach(rule -> text.append("rule ")
                        .append(rule.describe())
                        .append(rule.to().map(to -> " to " + to).orElse(""))
                        .append(" # ")
                        .append(rule.comment())
                        .append('\n'));
        text.append("interface ")
                .append(host.wireGuard().name())
                .append(' ')
                .append(host.wireGuard().address())
                .append(' ')
                .append(host.wireGuard().listenPort())
                .append('\n');
        host.wireGuard()
                .peers()
                .forEach(peer -> text.append("peer ")
                        .append(peer.name())
                        .append(' ')
                        .append(peer.endpoint().orElse("-"))
                        .append(' ')
                        .append(String.join(",", peer.allowedIps()))
                        .append('\n'));
        host.units()
                .forEach(unit -> text.append("unit ")
                        .append(unit.name())
                        .append(" restart with ")
                        .append(String.join(" ", new TreeSet<>(unit.restartWith())))
                        .append("; reload with ")
                        .append(String.join(" ", new TreeSet<>(unit.reloadWith())))
                        .append('\n'));
        host.secretFiles()
                .forEach(file -> text.append("secret ")
                        .append(file.path())
                        .append(" root:")
                        .append(file.group())
                        .append('\n'));
        List<ManagedFile> files = new ArrayList<>(List.of(host.wireGuard().config()));
        files.addAll(host.killSwitch().files());
        files.addAll(host.files());
        files.forEach(file -> text.append(String.format(
                Locale.ROOT,
                "%n======== %s %04o %s%s%n%s",
                file.path(),
                file.mode(),
                file.owner(),
                file.check().isEmpty() ? "" : ", checked by " + String.join(" ", file.check()),
                file.content())));
        return text.toString();
    }

    @ParameterizedTest
    @MethodSource("specs")
    void render_spec_isAsExpected(String spec) {
        GOLDEN.check(spec + ".expected", print(render(spec)));
    }

    @ParameterizedTest
    @MethodSource("specs")
    void render_again_isTheSameByteForByte(String spec) {
        assertThat(print(render(spec))).isEqualTo(print(render(spec)));
        SpecFile file = spec(spec);
        assertThat(new Renderer()
                        .withSecrets(file.secrets())
                        .render(file.blueprint(), file.host(), file.publicAddresses(), file.publicKeys()))
                .isEqualTo(render(spec));
    }

    @ParameterizedTest
    @MethodSource("specs")
    void render_anyFile_endsInALineEndAndHoldsNoOtherControlCharacter(String spec) {
        DesiredHost host = render(spec);
        List<ManagedFile> files = new ArrayList<>(host.files());
        files.add(host.wireGuard().config());
        assertThat(files).allSatisfy(file -> {
            assertThat(file.content()).endsWith("\n").doesNotEndWith("\n\n");
            assertThat(file.content().replace("\n", "")).doesNotContainPattern("\\p{Cntrl}");
            assertThat(file.content().lines())
                    .allSatisfy(line -> assertThat(line).isEqualTo(line.stripTrailing()));
        });
        assertThat(print(host)).doesNotContain("PrivateKey", SpecFile.PASSWORD);
        assertThat(host.toString()).doesNotContain(SpecFile.PASSWORD);
    }

    @ParameterizedTest
    @MethodSource("monitors")
    void render_monitor_scrapesItselfAndEveryHost(String spec) throws Exception {
        Blueprint blueprint = spec(spec).blueprint();
        DesiredHost host = render(spec);
        JsonNode config = YAML.readTree(content(host, "/etc/prometheus/prometheus.yml"));
        JsonNode self = config.path("scrape_configs").path(0);
        assertThat(self.path("job_name").asText()).isEqualTo("prometheus");
        assertThat(self.at("/static_configs/0/targets/0").asText())
                .isEqualTo("127.0.0.1:" + blueprint.spec().prometheus().port());
        assertThat(self.at("/static_configs/0/labels/node").asText()).isEqualTo(host.name());
        assertThat(config.at("/global/scrape_interval").asText())
                .isEqualTo(blueprint.spec().prometheus().scrapeInterval().toSeconds() + "s");
        assertThat(config.at("/scrape_configs/1/file_sd_configs/0/files/0").asText())
                .isEqualTo("/etc/prometheus/targets/node.json");

        JsonNode groups = JSON.readTree(content(host, "/etc/prometheus/targets/node.json"));
        List<String> targets = new ArrayList<>();
        groups.forEach(group -> targets.add(group.at("/labels/node").asText()
                + ' '
                + group.at("/labels/region").asText()
                + ' '
                + group.at("/labels/role").asText()
                + ' '
                + group.at("/targets/0").asText()));
        assertThat(targets)
                .containsExactlyElementsOf(blueprint.hosts().stream()
                        .map(each -> each.name()
                                + ' '
                                + each.spec().region()
                                + ' '
                                + each.role().id()
                                + ' '
                                + (each.address().contains(":") ? '[' + each.address() + ']' : each.address())
                                + ':'
                                + blueprint.spec().nodeExporterPort())
                        .toList());
    }

    private static String content(DesiredHost host, String path) {
        return host.files().stream()
                .filter(file -> file.path().equals(path))
                .findFirst()
                .orElseThrow()
                .content();
    }

    @ParameterizedTest
    @MethodSource("specs")
    void render_wireGuardConfig_isTakenByWgQuick(String spec, @TempDir Path folder) throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "wg-quick strip wants root");
        Tool wgQuick = Tool.orSkip("wg-quick", "wireguard-tools");
        DesiredHost host = render(spec);
        Path file =
                ownersFile(folder.resolve("wg0.conf"), host.wireGuard().config().content());

        Tool.Answer answer = wgQuick.run("", "strip", file.toString());

        assertThat(answer.exitCode()).as(answer.output()).isZero();
        assertThat(answer.output()).contains("ListenPort = " + host.wireGuard().listenPort());
        assertThat(answer.output()).doesNotContain("Address =", "Table =", "MTU =", "PreUp =", "PostUp =");
        assertThat(answer.output().lines().filter("[Peer]"::equals))
                .hasSize(host.wireGuard().peers().size());
        host.wireGuard()
                .peers()
                .forEach(peer -> assertThat(answer.output())
                        .contains(
                                "PublicKey = " + peer.publicKey(),
                                "AllowedIPs = " + String.join(", ", peer.allowedIps())));
    }

    private static Path ownersFile(Path file, String content) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, content);
    }

    @ParameterizedTest
    @MethodSource("specs")
    void render_units_areTakenBySystemd(String spec, @TempDir Path folder) throws Exception {
        Tool analyze = Tool.orSkip("systemd-analyze", "systemd");
        DesiredHost host = render(spec);
        String stub = "[Service]\nType=oneshot\nExecStart=/bin/true\n";
        Files.writeString(folder.resolve("ufw.service"), stub);
        Files.writeString(folder.resolve("wg-quick@.service"), stub);
        List<String> arguments = new ArrayList<>(List.of("verify", "--man=no"));
        arguments.add(Files.writeString(
                        folder.resolve(KillSwitch.UNIT),
                        host.killSwitch().files().get(1).content())
                .toString());
        for (Unit unit : host.units()) {
            String content = content(host, "/etc/systemd/system/" + unit.name());
            content = content.replaceFirst("ExecStart=(/opt/promguard|/usr/bin)/[^ ]+ ", "ExecStart=/bin/true ");
            if (unit.name().matches(".*[.](timer|socket)")) {
                String service = unit.name().replaceFirst("[.](timer|socket)$", ".service");
                Files.writeString(folder.resolve(service), content(host, "/etc/systemd/system/" + service));
            } else {
                assertThat(content).contains("ExecStart=/bin/true --");
            }
            arguments.add(
                    Files.writeString(folder.resolve(unit.name()), content).toString());
        }

        Tool.Answer answer = analyze.run("", arguments.toArray(String[]::new));

        assertThat(answer).isEqualTo(new Tool.Answer(0, ""));
    }

    @ParameterizedTest
    @MethodSource("specs")
    void render_services_areHardened(String spec, @TempDir Path folder) throws Exception {
        Tool analyze = Tool.orSkip("systemd-analyze", "systemd");
        DesiredHost host = render(spec);
        for (Unit unit : host.units()) {
            if (unit.name().endsWith(".timer")) {
                continue;
            }
            String name = unit.name().replace(".socket", ".service");
            Path file = Files.writeString(folder.resolve(name), content(host, "/etc/systemd/system/" + name));

            Tool.Answer answer =
                    analyze.run("", "security", "--no-pager", "--offline=true", "--threshold=29", file.toString());

            assertThat(answer.exitCode()).as(answer.output()).isZero();
            assertThat(answer.output()).contains("Overall exposure level for " + name);
        }
    }

    @Test
    void render_exporterAndExposedService_admitEachMonitorToEachPortOnWireGuardAlone() {
        DesiredHost host = render("node-exporters");

        assertThat(host.firewall())
                .filteredOn(rule -> rule.port() != 22 && rule.port() != 51820)
                .allSatisfy(rule -> {
                    assertThat(rule.networkInterface()).contains("wg0");
                    assertThat(rule.to()).contains("10.0.0.3");
                })
                .extracting(rule -> rule.port() + " " + rule.from().orElse("anywhere") + " " + rule.comment())
                .containsExactlyInAnyOrder(
                        "9100 10.0.0.1 shop-monitor-1 WireGuard node-exporter scraper",
                        "9100 10.0.0.2 shop-monitor-2 WireGuard node-exporter scraper",
                        "9115 10.0.0.1 shop-monitor-1 WireGuard blackbox scraper",
                        "9115 10.0.0.2 shop-monitor-2 WireGuard blackbox scraper",
                        "9427 10.0.0.1 shop-monitor-1 WireGuard ping scraper",
                        "9427 10.0.0.2 shop-monitor-2 WireGuard ping scraper",
                        "9187 10.0.0.1 shop-monitor-1 WireGuard postgres scraper",
                        "9187 10.0.0.2 shop-monitor-2 WireGuard postgres scraper");
    }

    @ParameterizedTest
    @MethodSource("monitors")
    void render_prometheusConfig_isTakenByPromtool(String spec, @TempDir Path folder) throws Exception {
        Tool promtool = Tool.orSkip("promtool", "prometheus");
        DesiredHost host = render(spec);
        String text = content(host, "/etc/prometheus/prometheus.yml");
        for (ManagedFile file : host.files()) {
            if (file.path().startsWith("/etc/prometheus/rules/")
                    || file.path().startsWith("/etc/prometheus/targets/")) {
                Path copy = Files.writeString(folder.resolve(file.path().replaceFirst(".*/", "")), file.content());
                text = text.replace(file.path(), copy.toString());
            }
        }
        Path config = Files.writeString(folder.resolve("prometheus.yml"), text);

        Tool.Answer answer = promtool.run("", "check", "config", config.toString());

        assertThat(answer.exitCode()).as(answer.output()).isZero();
        assertThat(answer.output()).contains("SUCCESS").doesNotContain("WARNING");
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.0/24", "fd00:44::/64"})
    void render_shards_shareTheTargetsAsTheBlueprintSays(String network, @TempDir Path folder) throws Exception {
        Tool promtool = Tool.orSkip("promtool", "prometheus");
        SpecFile file = SpecFile.parse("network " + network
                + "\nmonitor a tor1\nmonitor b tor1\nmonitor c tor1\nnodes 20 lon1\nshards\ndefaultRules no");
        Blueprint blueprint = file.blueprint();
        List<String> scraped = new ArrayList<>();
        for (Blueprint.Host monitor : blueprint.monitors()) {
            DesiredHost host = renderer.render(blueprint, monitor.name(), Map.of(), file.publicKeys());
            Path targets =
                    Files.writeString(folder.resolve("node.json"), content(host, "/etc/prometheus/targets/node.json"));
            Path config = Files.writeString(
                    folder.resolve("prometheus.yml"),
                    content(host, "/etc/prometheus/prometheus.yml")
                            .replace("/etc/prometheus/targets/node.json", targets.toString()));

            Tool.Answer answer =
                    promtool.run("", "check", "service-discovery", "--timeout=1s", config.toString(), "node");

            List<String> kept = new ArrayList<>();
            JSON.readTree(answer.output().replaceAll("(?m)^level=.*$", "")).forEach(target -> {
                if (!target.path("labels").isEmpty()) {
                    kept.add(target.at("/labels/node").asText());
                }
            });
            assertThat(kept)
                    .as(answer.output())
                    .isNotEmpty()
                    .containsExactlyInAnyOrderElementsOf(blueprint.hosts().stream()
                            .filter(each -> blueprint.scrapes(monitor, each, 9100))
                            .map(Blueprint.Host::name)
                            .toList());
            scraped.addAll(kept);
        }
        assertThat(scraped)
                .containsExactlyInAnyOrderElementsOf(
                        blueprint.hosts().stream().map(Blueprint.Host::name).toList());
    }

    @Test
    void render_withoutTheSecretOfARemoteWrite_isRefused() {
        SpecFile file = spec("monitor-with-everything");

        assertThatThrownBy(() -> renderer.render(file.blueprint(), file.host(), Map.of(), file.publicKeys()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the secret of \"remote-write-1\" is missing");
    }

    @Test
    void render_hostWithoutAKeyOfItsOwn_isRefused() {
        Blueprint blueprint = spec("node-ipv4").blueprint();

        assertThatThrownBy(() -> renderer.render(blueprint, "shop-node-1", Map.of(), Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the public key of \"shop-node-1\" is missing");
        assertThatThrownBy(() -> renderer.render(blueprint, "nobody", Map.of(), Map.of()))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("nobody");
    }

    @Test
    void render_publicAddressThatIsNone_isRefusedInsteadOfWritten() {
        SpecFile file = spec("node-ipv4");
        for (String address : List.of("1.2.3.4\nPostUp = id", "$(id)", "1.2.3.4;id", "1.2.3.4#")) {
            assertThatThrownBy(() -> renderer.render(
                            file.blueprint(), file.host(), Map.of("shop-monitor-1", address), file.publicKeys()))
                    .as(address)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("wg.conf.j2");
        }
    }

    @Test
    void preview_anyMesh_holdsTheFilesThatRenderWritesWithTheUnknownInWords() {
        SpecFile file = spec("monitor-ipv4");
        Map<String, Map<String, String>> preview = renderer.preview(file.blueprint());

        assertThat(preview.keySet())
                .containsExactlyElementsOf(file.blueprint().hosts().stream()
                        .map(Blueprint.Host::name)
                        .sorted()
                        .toList());
        DesiredHost host = render("monitor-ipv4");
        Map<String, String> files = Objects.requireNonNull(preview.get(host.name()));
        assertThat(files.keySet())
                .containsExactlyInAnyOrderElementsOf(
                        host.allFiles().stream().map(ManagedFile::path).toList());
        host.files().forEach(each -> assertThat(files.get(each.path())).isEqualTo(each.content()));
        assertThat(files.get("/etc/wireguard/wg0.conf"))
                .contains("PublicKey = (known after apply)", "Endpoint = (known after apply)");
    }
}
