package dev.promguard.examples;

import dev.promguard.ApplyReport;
import dev.promguard.Exporters;
import dev.promguard.Mesh;
import dev.promguard.Plan;
import dev.promguard.Progress;
import dev.promguard.RecoverReport;
import dev.promguard.Tunnel;
import dev.promguard.ViewerConfig;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Capability;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.spi.CloudProvider;
import dev.promguard.ssh.ExistingHosts;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/** Examples of the READMEs, beside the tasks. A test compares them, so that what stands there compiles. */
public final class ReadmeExamples {
    private ReadmeExamples() {}

    static void oneLine() {
        Mesh.builder().monitor("tor1").nodes(3).apply();
    }

    static void lookDoProveTakeAway() {
        Mesh mesh = Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(3, "lon1", "sfo3", "sgp1")
                .build();
        Plan plan = mesh.plan();
        System.out.println(plan);
        ApplyReport done = mesh.apply(plan);
        System.out.println(done);
        mesh.verify().orThrow();
        try (Tunnel prometheus = mesh.openPrometheus()) {
            browse(prometheus.uri());
        }
        mesh.destroy();
    }

    static void viewer() {
        WireGuardKeyPair keys = WireGuardKeyPair.generate();
        Mesh mesh = Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(3)
                .viewer("anna-laptop", keys.publicKey(), viewer -> viewer.until(Instant.parse("2027-01-01T00:00:00Z")))
                .build();
        mesh.apply();
        ViewerConfig config = mesh.viewerConfig("anna-laptop").withPrivateKey(keys.privateKey());
        System.out.println(config.toQrText());
        config.writeTo(Path.of("shop.conf"));
    }

    static Mesh hostsOneByOne() {
        Mesh mesh = Mesh.builder()
                .name("shop")
                .network("10.44.0.0/24")
                .monitor(host -> host.region("fra1").size("s-2vcpu-4gb"))
                .node("db-1", host -> host.region("ams3").expose("postgres", 9187))
                .node("web-1", host -> host.region("lon1").addExporter(Exporters.blackbox()))
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(30)))
                .provider(DigitalOcean.builder()
                        .token(Secret.env("DIGITALOCEAN_TOKEN"))
                        .build())
                .listener(Progress.console())
                .build();
        return mesh;
    }

    static Mesh exporters() {
        Exporter blackbox = Exporters.blackbox()
                .addProbe("https://example.org", "http_2xx")
                .addProbe("192.0.2.7", "icmp")
                .addCapability(Capability.NET_RAW);
        Exporter processes = Exporter.fromPackage(
                "process_exporter", "prometheus-process-exporter", "/usr/bin/prometheus-process-exporter", 9256);
        Mesh mesh = Mesh.builder()
                .monitor("fra1")
                .node("web-1", host -> host.addExporter(blackbox))
                .node("db-1", host -> host.expose("postgres", 9187).expose("app", 8080, "/actuator/prometheus"))
                .addExporter(processes.addArguments("-procnames", "postgres,nginx"))
                .build();
        return mesh;
    }

    static Mesh settings() {
        Mesh mesh = Mesh.builder()
                .monitor("fra1")
                .addMonitor("ams3")
                .nodes(3)
                .prometheus(prometheus -> prometheus
                        .retention(Duration.ofDays(30))
                        .externalLabel("team", "till")
                        .addRules(Path.of("rules", "own.yml"))
                        .addAlertmanager(URI.create("https://alerts.example/"))
                        .scrape("till", job -> job.targets("till.example:8080").interval(Duration.ofMinutes(1)))
                        .addRemoteWrite(
                                URI.create("https://mimir.example/api/v1/push"),
                                Credentials.basic("me", Secret.env("MIMIR_PASSWORD"))))
                .build();
        return mesh;
    }

    static void everyNight(Mesh mesh) {
        Plan drift = mesh.plan();
        if (!drift.isEmpty()) {
            System.out.println(drift);
            mesh.apply(drift);
        }
    }

    static void everyNightWithoutFixing(Mesh mesh) {
        mesh.plan().requireEmpty();
    }

    static void oneHostFirst(Mesh mesh) {
        mesh.only("shop-node-2").apply();
    }

    static void grow(Mesh mesh) {
        mesh.toBuilder().nodes(5).apply();
    }

    static void change(Mesh mesh) {
        mesh.toBuilder()
                .withoutNode("shop-node-2")
                .allowRemoval()
                .editHost("shop-node-3", host -> host.expose("app", 8080))
                .node("db-1")
                .apply();
    }

    static void rotate(Mesh mesh) {
        mesh.rotateKeys();
    }

    static void plan(Mesh mesh) {
        Blueprint blueprint = mesh.blueprint();
        System.out.println(blueprint);
        System.out.println(blueprint.toMermaid());
        mesh.writePreview(Path.of("target", "preview"));
    }

    static void audit(Mesh mesh) throws IOException {
        Files.writeString(Path.of("audit.md"), mesh.verify().toMarkdown());
    }

    static void inATest() {
        try (LocalCloud cloud = LocalCloud.start()) {
            Mesh mesh = Mesh.builder()
                    .monitor("tor1")
                    .nodes(2)
                    .provider(cloud.provider())
                    .state(cloud.folder())
                    .build();
            mesh.apply();
            mesh.verify().orThrow();
        }
    }

    static Mesh serversYouHave() {
        Mesh mesh = Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .node("db-1", host -> host.region("rack-7"))
                .provider(ExistingHosts.builder()
                        .host("mon", "root@203.0.113.10", "SHA256:4kYkkOHuVq5J8AXQbGkHVSf2JIBLkXqhMIcuBOf7Pfs")
                        .host("db-1", "admin@203.0.113.20:2222", "SHA256:9qOGcBQw4QAXcS1vmIRiWS7Fz8nJ3ZbDgzxEYNGDUj0")
                        .identity(Path.of("/home/me/.ssh/id_ed25519"))
                        .build())
                .build();
        return mesh;
    }

    static ExistingHosts throughAJumpHost() {
        ExistingHosts servers = ExistingHosts.builder()
                .jumpHost("bastion", "jump@203.0.113.1", "SHA256:7mVqDzvTZJSJ2jUEDG6mfp1HYnYQFqTmZy2yDMuB5nE")
                .through("bastion")
                .host("mon", "root@10.0.0.10", "SHA256:4kYkkOHuVq5J8AXQbGkHVSf2JIBLkXqhMIcuBOf7Pfs")
                .host("db-1", "admin@10.0.0.20", "SHA256:9qOGcBQw4QAXcS1vmIRiWS7Fz8nJ3ZbDgzxEYNGDUj0")
                .build();
        return servers;
    }

    static Mesh servicesYouHave() {
        Mesh mesh = Mesh.builder()
                .name("shop")
                .monitor("fra1")
                .node("web-1", host -> host.allow(443, Protocol.TCP).close(8080, Protocol.TCP))
                .node("db-1", host -> host.closeOtherPorts(true))
                .build();
        return mesh;
    }

    static CloudProvider options() {
        CloudProvider provider = DigitalOcean.builder()
                .token(Secret.env("DIGITALOCEAN_TOKEN"))
                .sshFrom("203.0.113.0/24")
                .vpc("5a4981aa-9653-4bd1-bef5-d6bff52042e4")
                .sshKeys("3b:16:bf:e4:8b:00:8b:b8:59:8c:a9:d3:f0:19:45:fa")
                .tags("team:observability")
                .ipv6(true)
                .monitoring(true)
                .build();
        return provider;
    }

    private static void browse(URI uri) {
        System.out.println(uri);
    }

    static void lostState() throws IOException {
        Mesh shop = Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(3, "lon1")
                .loginKeys(SshPublicKey.parse(Files.readString(Path.of("offline.pub"))))
                .build();
        RecoverReport plan =
                shop.planRecover(how -> how.loginKey(Path.of("offline")).trustOnFirstUse());
        System.out.println(plan);
        shop.recover(plan);
    }
}
