package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.Release;
import dev.promguard.internal.run.PollIntervals;
import dev.promguard.memory.MemoryMachine;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MeshExportersTest {
    private final Account account = new Account();

    private MeshBuilder spec(Consumer<HostBuilder> web) {
        return account.spec().nodes(1, "lon1").node("web-1", web);
    }

    private MemoryMachine machine(String name) {
        return account.cloud.machine(name);
    }

    /** The changes of a machine since there were so many. */
    private List<String> since(String name, int before) {
        List<String> changes = machine(name).changes();
        return changes.subList(before, changes.size());
    }

    @Test
    void apply_exporterAndServiceAdded_restartsNothingElseAndReloadsPrometheus() {
        spec(host -> {}).apply();
        String nodeExporter = machine("web-1").since("node_exporter.service");
        String prometheus = machine("shop-monitor-1").since("prometheus.service");
        int web = machine("web-1").changes().size();
        int monitor = machine("shop-monitor-1").changes().size();
        int other = machine("shop-node-1").changes().size();

        Mesh mesh = spec(host -> host.addExporter(Exporters.blackbox().addProbe("https://example.org", "http_2xx"))
                        .expose("postgres", 9187))
                .build();
        mesh.apply();

        assertThat(since("web-1", web))
                .containsExactly(
                        "create user blackbox_exporter",
                        "install blackbox_exporter 0.28.0",
                        "write /etc/promguard/blackbox_exporter/blackbox.yml",
                        "write /etc/systemd/system/blackbox_exporter.service",
                        "ufw: allow 9115/tcp on wg0 from 10.0.0.1",
                        "ufw: allow 9187/tcp on wg0 from 10.0.0.1",
                        "start blackbox_exporter.service");
        assertThat(since("shop-monitor-1", monitor))
                .containsExactly(
                        "write /etc/prometheus/targets/blackbox.yml",
                        "write /etc/prometheus/targets/blackbox-probe.yml",
                        "write /etc/prometheus/targets/postgres.yml",
                        "write /etc/prometheus/prometheus.yml",
                        "reload prometheus.service");
        assertThat(since("shop-node-1", other)).isEmpty();
        assertThat(machine("web-1").since("node_exporter.service")).isEqualTo(nodeExporter);
        assertThat(machine("shop-monitor-1").since("prometheus.service")).isEqualTo(prometheus);
        account.assertUpToDate(mesh);
    }

    @Test
    void apply_copiesOfWhatPromGuardWrote_areLeftAlone() {
        List<String> copies = List.of(
                "/etc/prometheus/prometheus.old.yml",
                "/etc/promguard/notes/prometheus.yml",
                "/etc/systemd/system/copy.service");
        spec(host -> {}).apply();
        MemoryMachine monitor = machine("shop-monitor-1");
        copies.forEach(copy -> monitor.copy("/etc/prometheus/prometheus.yml", copy));

        Mesh mesh = spec(host -> {}).build();

        assertThat(mesh.plan().isEmpty()).isTrue();
        mesh.apply();
        assertThat(copies).allMatch(monitor::has);
    }

    @Test
    void apply_sameJobOnAnotherHost_changesItsTargetsFileAlone() {
        spec(host -> host.expose("postgres", 9187)).apply();
        int before = machine("shop-monitor-1").changes().size();

        spec(host -> host.expose("postgres", 9187).addExposure("postgres", 9188, "/b"))
                .apply();

        assertThat(since("shop-monitor-1", before)).containsExactly("write /etc/prometheus/targets/postgres.yml");
    }

    @Test
    void apply_exporterAndServiceNoLongerDesired_removesUnitRulesJobsAndFiles() {
        spec(host -> host.addExporter(Exporters.blackbox().addProbe("https://example.org", "http_2xx"))
                        .expose("postgres", 9187))
                .apply();
        int web = machine("web-1").changes().size();
        int monitor = machine("shop-monitor-1").changes().size();

        Mesh mesh = spec(host -> {}).build();
        Plan plan = mesh.plan();
        mesh.apply(plan);

        assertThat(since("web-1", web))
                .containsExactly(
                        "ufw: remove 9115/tcp on wg0 from 10.0.0.1",
                        "ufw: remove 9187/tcp on wg0 from 10.0.0.1",
                        "remove blackbox_exporter.service",
                        "remove /etc/promguard/blackbox_exporter/blackbox.yml",
                        "remove /opt/promguard/blackbox_exporter-0.28.0");
        assertThat(since("shop-monitor-1", monitor))
                .containsExactly(
                        "write /etc/prometheus/prometheus.yml",
                        "reload prometheus.service",
                        "remove /etc/prometheus/targets/blackbox-probe.yml",
                        "remove /etc/prometheus/targets/blackbox.yml",
                        "remove /etc/prometheus/targets/postgres.yml");
        assertThat(plan.toString()).contains("remove blackbox_exporter.service");
        account.assertUpToDate(mesh);
    }

    @Test
    void apply_anyFailureWhileAnExporterGoes_isFinishedByTheNextApply() {
        List<String> steps = List.of(
                "ufw: remove 9115/tcp on wg0 from 10.0.0.1",
                "remove blackbox_exporter.service",
                "remove /etc/promguard/blackbox_exporter/blackbox.yml",
                "remove /opt/promguard/blackbox_exporter-0.28.0");
        for (String step : steps) {
            spec(host -> host.addExporter(Exporters.blackbox())).apply();
            machine("web-1").failAt(step);
            Mesh mesh = spec(host -> {}).build();
            assertThatThrownBy(mesh::apply).as(step).isInstanceOf(PromGuardException.class);

            machine("web-1").failAt(null);
            mesh.apply();

            account.assertUpToDate(mesh);
        }
    }

    @Test
    void apply_exporterFromAPackage_masksThePackagesOwnServiceFirst() {
        Exporter packaged = Exporter.fromPackage(
                "blackbox_exporter", "prometheus-blackbox-exporter", "/usr/bin/prometheus-blackbox-exporter", 9115);
        Mesh mesh = spec(host -> host.addExporter(packaged)).build();
        mesh.apply();

        assertThat(machine("web-1").changes())
                .startsWith("mask prometheus-blackbox-exporter.service")
                .anyMatch(change -> change.startsWith("install ") && change.contains("prometheus-blackbox-exporter"));
        account.assertUpToDate(mesh);

        Mesh without = spec(host -> {}).build();
        without.apply();

        account.assertUpToDate(without);
        assertThat(machine("web-1").changes()).contains("remove blackbox_exporter.service");
    }

    @Test
    void apply_configurationOfAnExporterThatReloads_reloadsIt() {
        spec(host -> host.addExporter(Exporters.blackbox())).apply();
        String start = machine("web-1").since("blackbox_exporter.service");
        int before = machine("web-1").changes().size();

        spec(host -> host.addExporter(Exporters.blackbox("modules: {}"))).apply();

        assertThat(since("web-1", before))
                .containsExactly(
                        "write /etc/promguard/blackbox_exporter/blackbox.yml", "reload blackbox_exporter.service");
        assertThat(machine("web-1").since("blackbox_exporter.service")).isEqualTo(start);
    }

    @Test
    void apply_anotherRelease_restartsTheExporterAndRemovesTheFormerRelease() {
        spec(host -> host.addExporter(Exporters.blackbox())).apply();
        int before = machine("web-1").changes().size();
        Release other = Release.upstream("blackbox_exporter", "0.29.0", "a".repeat(64), "b".repeat(64));

        spec(host -> host.addExporter(
                        Exporters.blackbox().withSource(new Exporter.FromRelease(other, "blackbox_exporter"))))
                .apply();

        assertThat(since("web-1", before))
                .containsExactly(
                        "install blackbox_exporter 0.29.0",
                        "write /etc/systemd/system/blackbox_exporter.service",
                        "restart blackbox_exporter.service",
                        "remove /opt/promguard/blackbox_exporter-0.28.0");
    }

    @Test
    void apply_exportersThatChangePorts_areAllStoppedBeforeOneStarts() {
        Exporter first = Exporters.blackbox();
        Exporter second = first.withName("second_exporter").withJob("second").withPort(9116);
        spec(host -> host.addExporter(first).addExporter(second)).apply();
        String nodeExporter = machine("web-1").since("node_exporter.service");

        Mesh mesh = spec(host -> host.addExporter(first.withPort(9116)).addExporter(second.withPort(9115)))
                .build();
        mesh.apply();

        account.assertUpToDate(mesh);
        assertThat(machine("web-1").changes())
                .endsWith(
                        "stop blackbox_exporter.service",
                        "stop second_exporter.service",
                        "start blackbox_exporter.service",
                        "start second_exporter.service");
        assertThat(machine("web-1").since("node_exporter.service")).isEqualTo(nodeExporter);
    }

    @Test
    void apply_exporterOnThePortOfOneThatGoes_startsAfterThatIsStopped() {
        spec(host -> host.addExporter(Exporters.blackbox())).apply();

        Mesh mesh = spec(host -> host.addExporter(Exporters.blackbox().withName("another_exporter")))
                .build();
        mesh.apply();

        account.assertUpToDate(mesh);
    }

    @Test
    void exporter_ofTheMesh_isForEveryNodeAndNoMonitorAndGivesWayToANodesOwn() {
        Mesh mesh = account
                .spec()
                .addExporter(Exporters.blackbox())
                .node("web-1", host -> host.addExporter(Exporters.blackbox().withPort(9116)))
                .build()
                .toBuilder()
                .build();

        assertThat(mesh.blueprint().hosts())
                .extracting(
                        host -> host.name(),
                        host -> host.spec().exposures().stream()
                                .map(Exposure::port)
                                .toList())
                .containsExactly(
                        tuple("shop-monitor-1", List.of()),
                        tuple("shop-node-1", List.of(9115)),
                        tuple("shop-node-2", List.of(9115)),
                        tuple("web-1", List.of(9116)));
    }

    @Test
    void plan_releaseOfTheCloud_takesThePlaceOfTheUsualOneAlone() {
        Release served = new Release(
                "blackbox_exporter",
                "0.23.0",
                URI.create("http://mirror.example/"),
                Map.of(Architecture.AMD64, "a".repeat(64)));
        account.cloud.serve(served);
        Release chosen = Release.upstream("blackbox_exporter", "0.29.0", "a".repeat(64), "b".repeat(64));
        Plan plan = spec(host -> host.addExporter(Exporters.blackbox())
                        .addExporter(Exporters.blackbox()
                                .withName("other_exporter")
                                .withPort(9116)
                                .withSource(new Exporter.FromRelease(chosen, "blackbox_exporter"))))
                .plan();

        HostSpec web = plan.blueprint().host("web-1").spec();
        assertThat(web.exporters())
                .extracting(Exporter::source)
                .containsExactly(
                        new Exporter.FromRelease(served, "blackbox_exporter"),
                        new Exporter.FromRelease(chosen, "blackbox_exporter"));
    }

    @Test
    void verify_exporters_checksTargetsProbesUnitsAndClosedPorts() {
        Mesh mesh = spec(host -> host.addExporter(Exporters.blackbox()
                                .addProbe("https://example.org", "http_2xx")
                                .addProbe("https://example.com", "http_2xx"))
                        .expose("postgres", 9187))
                .prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(1)))
                .build();
        mesh.apply();
        try (FakePrometheus prometheus = new FakePrometheus()) {
            machine("shop-monitor-1").forwardTo(prometheus.port());
            prometheus.scrapes(mesh.blueprint());
            VerifyReport report = mesh.verify();
            assertThat(report.failures()).as("%s", report).isEmpty();
            assertThat(report.checks())
                    .filteredOn(check -> check.host().equals("web-1"))
                    .extracting(Check::description)
                    .contains(
                            "shop-monitor-1 scrapes port 9115, job blackbox",
                            "shop-monitor-1 has its probes made, job blackbox-probe",
                            "shop-monitor-1 scrapes port 9187, job postgres",
                            "blackbox_exporter.service runs, and will after a reboot",
                            "port 9115 is closed to the outside",
                            "port 9187 is closed to the outside");

            for (String job : List.of("blackbox", "blackbox-probe", "postgres")) {
                prometheus.scrapes(mesh.blueprint(), job);
                assertThat(mesh.verify().failures())
                        .as(job)
                        .singleElement()
                        .satisfies(check -> assertThat(check.description()).endsWith("job " + job));
            }

            prometheus.scrapes(mesh.blueprint());
            machine("web-1").stop("blackbox_exporter.service");
            assertThat(mesh.verify().failures())
                    .extracting(Check::description)
                    .contains("blackbox_exporter.service runs, and will after a reboot");
        }
    }

    @Test
    void verify_targetMissing_waitsForItAndThenSaysSo() {
        Mesh plain = spec(host -> {})
                .prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(1)))
                .build();
        plain.apply();
        Mesh mesh = plain.toBuilder()
                .node("db-1", host -> host.expose("postgres", 9187))
                .build();
        mesh.apply();
        try (FakePrometheus prometheus = new FakePrometheus()) {
            machine("shop-monitor-1").forwardTo(prometheus.port());
            prometheus.scrapes(mesh.blueprint());
            prometheus.notBefore(3);
            Mesh patient = mesh.toBuilder()
                    .waits(new PollIntervals(
                            Duration.ofSeconds(15),
                            Duration.ofMillis(1),
                            Duration.ofSeconds(20),
                            Duration.ofMillis(1),
                            Duration.ZERO))
                    .build();
            assertThat(patient.verify().failures()).isEmpty();
            assertThat(prometheus.asked()).isGreaterThanOrEqualTo(3);

            prometheus.scrapes(plain.blueprint());
            assertThat(mesh.verify().failures())
                    .extracting(Check::description, Check::observed)
                    .contains(tuple("shop-monitor-1 scrapes port 9187, job postgres", "no such target"));
        }
    }

    @Test
    void scrapes_shards_eachPortIsOneMonitorsAlone() {
        Blueprint blueprint = Mesh.builder()
                .monitor("tor1")
                .addMonitor("fra1")
                .addMonitor("sgp1")
                .nodes(20)
                .addExporter(Exporters.blackbox())
                .prometheus(prometheus -> prometheus.shards(true))
                .blueprint();
        List<Integer> both = new ArrayList<>();
        for (Blueprint.Host host : blueprint.nodes()) {
            for (int port : List.of(9100, 9115)) {
                List<Integer> monitors = IntStream.range(0, 3)
                        .filter(shard -> blueprint.scrapes(blueprint.monitors().get(shard), host, port))
                        .boxed()
                        .toList();
                assertThat(monitors).as("%s:%d", host.address(), port).hasSize(1);
                both.addAll(monitors);
            }
        }
        assertThat(both).contains(0, 1, 2);
    }

    private static List<String> problems(Consumer<MeshBuilder> spec) {
        MeshBuilder builder = Mesh.builder().name("shop").monitor("tor1").nodes(2);
        spec.accept(builder);
        try {
            builder.build();
            return List.of();
        } catch (InvalidMeshException e) {
            return e.problems();
        }
    }

    @Test
    void build_portTaken_namesHolderAndFix() {
        assertThat(problems(spec -> spec.node("a", host -> host.expose("x", 9100))))
                .containsExactly(
                        "port 9100 of job \"x\" of node \"a\" is used by node_exporter too: choose another port");
        assertThat(problems(spec -> spec.namedMonitor("m", host -> host.expose("x", 9090))))
                .containsExactly(
                        "port 9090 of job \"x\" of monitor \"m\" is used by Prometheus too: choose another port");
        assertThat(problems(spec -> spec.node(
                        "a", host -> host.addExporter(Exporters.blackbox()).expose("x", 9115))))
                .containsExactly(
                        "port 9115 of job \"x\" of node \"a\" is used by job \"blackbox\" too: choose another port");
        assertThat(problems(spec -> spec.nodeExporterPort(9115).addExporter(Exporters.blackbox())))
                .containsExactly(
                        "port 9115 of job \"blackbox\" of node \"shop-node-1\" and 1 other is used by node_exporter"
                                + " too: choose another port");
    }

    @Test
    void build_portThatIsFree_isTaken() {
        assertThat(problems(spec -> spec.node("a", host -> host.expose("x", 9090))))
                .isEmpty();
        assertThat(problems(spec -> spec.wireGuardPort(51820).node("a", host -> host.expose("x", 51820))))
                .as("WireGuard's port is UDP")
                .isEmpty();
    }

    @Test
    void build_jobThatCannotBe_namesItAndTheFix() {
        assertThat(problems(spec -> spec.addExporter(Exporters.blackbox().addProbe("a", "icmp"))
                        .node("a", host -> host.expose("blackbox-probe", 9001))))
                .containsExactly(
                        "job \"blackbox-probe\" of node \"a\" is also the job of an exporter's probes: choose another name");
    }

    @Test
    void build_jobThatPrometheusScrapesElsewhere_isRefused() {
        assertThat(problems(spec -> spec.prometheus(
                                prometheus -> prometheus.scrape("app", job -> job.targets("192.0.2.7:80")))
                        .node("a", host -> host.expose("app", 9001))))
                .containsExactly(
                        "job \"app\" of node \"a\" is also the name of a job of prometheus.scrape(…): choose another name");
        assertThat(problems(spec -> spec.prometheus(
                                prometheus -> prometheus.scrape("blackbox-probe", job -> job.targets("192.0.2.7:80")))
                        .node("a", host -> host.addExporter(Exporters.blackbox().addProbe("b", "icmp")))))
                .containsExactly(
                        "job \"blackbox-probe\" of node \"a\" is also the name of a job of prometheus.scrape(…): choose another name");
    }

    @Test
    void build_twoExportersOfTwoNames_areTaken() {
        assertThat(problems(spec -> spec.node(
                        "a",
                        host -> host.addExporter(Exporters.blackbox())
                                .addExporter(Exporters.blackbox().withPort(9116).withName("second_exporter")))))
                .isEmpty();
    }

    @Test
    void build_sameProbeByTwoExportersInOneJob_isRefusedForTheirSeriesWouldBeTheSame() {
        Exporter first = Exporters.blackbox().addProbe("a", "icmp");
        Exporter second = first.withPort(9116).withName("second_exporter");
        assertThat(problems(
                        spec -> spec.node("a", host -> host.addExporter(first).addExporter(second))))
                .containsExactly(
                        "probe of \"a\" with module \"icmp\" of node \"a\" is made by two exporters in one job: use"
                                + " another job for one of them, with withJob");
        assertThat(problems(
                        spec -> spec.node("a", host -> host.addExporter(first).addExporter(second.withJob("second")))))
                .isEmpty();
    }

    @Test
    void build_oneReleaseInTwoForms_isRefused() {
        Release other = Release.blackboxExporter().from(URI.create("https://mirror.example/"));
        assertThat(problems(spec -> spec.node(
                        "a",
                        host -> host.addExporter(Exporters.blackbox())
                                .addExporter(Exporters.blackbox()
                                        .withPort(9116)
                                        .withName("second_exporter")
                                        .withSource(new Exporter.FromRelease(other, "blackbox_exporter"))))))
                .containsExactly(
                        "release \"blackbox_exporter-0.28.0\" of exporter \"second_exporter\" of node \"a\" differs in"
                                + " program, SHA-256 or mirror from another release of that name and version on the host:"
                                + " use the same release for both");
    }

    @Test
    void blueprint_exporters_areInPreviewTextAndPictures() {
        Mesh mesh = spec(host -> host.addExporter(Exporters.blackbox()).expose("postgres", 9187))
                .build();

        assertThat(mesh.blueprint().toString())
                .contains("blackbox_exporter 0.28.0 on 9115/tcp", "9187/tcp, job postgres");
        assertThat(mesh.blueprint().toMermaid()).contains("9100, 9115, 9187/tcp");
        assertThat(mesh.blueprint().toSvg()).contains("node_exporter, blackbox, postgres");
        Map<String, Map<String, String>> preview = new dev.promguard.host.Renderer().preview(mesh.blueprint());
        assertThat(Objects.requireNonNull(preview.get("web-1")))
                .containsKeys(
                        "/etc/systemd/system/blackbox_exporter.service",
                        "/etc/promguard/blackbox_exporter/blackbox.yml");
        assertThat(Objects.requireNonNull(preview.get("shop-monitor-1")))
                .containsKeys("/etc/prometheus/targets/blackbox.yml", "/etc/prometheus/targets/postgres.yml");
    }
}
