package dev.promguard;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.Plan.Entry;
import dev.promguard.Plan.Kind;
import dev.promguard.Plan.Operation;
import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Price;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Plans and reports that have everything which such a thing can have. */
final class Samples {
    private static final Price PRICE = new Price(new BigDecimal("6.00"), new BigDecimal("0.00893"));

    private Samples() {}

    static Blueprint blueprint() {
        return new Account().spec().build().blueprint();
    }

    static PlannedChange file(String path, String diff) {
        return PlannedChange.builder("file", ChangeAction.UPDATE, path, path + "   +1 -1 lines (drift)   → put back")
                .before("sha256:0123456789ab 0644 root:root")
                .after("sha256:ba9876543210 0644 root:root")
                .drift(true)
                .diff(diff)
                .build();
    }

    static AppliedChange applied(String text, String... stepIds) {
        return AppliedChange.builder(text).stepIds(List.of(stepIds)).build();
    }

    static Plan plan() {
        return Plan.builder(Operation.APPLY, blueprint())
                .problems(List.of(
                        MeshProblem.builder(ErrorCode.UNMANAGED_HOSTS, "shop-stranger (id 7) is not in the state")
                                .remedy("Call deleteUnmanaged(\"7\").")
                                .blocking(true)
                                .build()))
                .cloud(List.of(PlannedChange.builder(
                                "cloud-firewall", ChangeAction.UPDATE, "shop", "put firewall promguard-shop right")
                        .build()))
                .addEntry(Entry.builder(Kind.CHANGE, "shop-monitor-1")
                        .region("tor1")
                        .size("s-1vcpu-1gb")
                        .address("10.0.0.1")
                        .publicAddress("203.0.113.10")
                        .price(PRICE)
                        .changes(List.of(
                                file("/etc/prometheus/prometheus.yml", """
--- /etc/prometheus/prometheus.yml (on the host)
+++ /etc/prometheus/prometheus.yml (desired)
@@ -1,2 +1,2 @@
 global:
-  scrape_interval: 60s
+  scrape_interval: 15s
"""),
                                PlannedChange.builder(
                                                "unit",
                                                ChangeAction.RELOAD,
                                                "prometheus.service",
                                                "reload prometheus.service")
                                        .before("active, enabled")
                                        .after("active, enabled")
                                        .build()))
                        .notes(List.of("renamed to \"mon\" in the cloud: it is the same host (id 1)"))
                        .build())
                .addEntry(Entry.builder(Kind.CHANGE, "shop-node-1")
                        .region("lon1")
                        .size("s-1vcpu-1gb")
                        .address("10.0.0.2")
                        .publicAddress("203.0.113.11")
                        .price(PRICE)
                        .problems(List.of(MeshProblem.builder(ErrorCode.UNSUPPORTED_SYSTEM, "its system is \"plan9\"")
                                .host("shop-node-1")
                                .remedy("Use an image of Debian or Ubuntu.")
                                .build()))
                        .build())
                .addEntry(Entry.builder(Kind.CREATE, "shop-node-2")
                        .region("lon1")
                        .size("s-1vcpu-1gb")
                        .address("10.0.0.3")
                        .price(PRICE)
                        .build())
                .addEntry(Entry.builder(Kind.REMOVE, "shop-node-9")
                        .region("sgp1")
                        .publicAddress("203.0.113.19")
                        .notes(List.of("deleted with all its data"))
                        .build())
                .build();
    }

    static Plan emptyPlan(Operation operation) {
        return Plan.builder(operation, blueprint())
                .addEntry(Entry.builder(Kind.KEEP, "shop-monitor-1")
                        .region("tor1")
                        .address("10.0.0.1")
                        .build())
                .build();
    }

    static ApplyReport applyReport() {
        return ApplyReport.builder("shop")
                .addHost(HostOutcome.builder("shop-monitor-1", Status.CHANGED)
                        .region("tor1")
                        .address("10.0.0.1")
                        .publicAddress("203.0.113.10")
                        .changes(List.of(
                                AppliedChange.builder("write /etc/prometheus/prometheus.yml")
                                        .drift(true)
                                        .stepIds(List.of("shop-monitor-1/file:/etc/prometheus/prometheus.yml"))
                                        .build(),
                                applied(
                                        "turn ufw on",
                                        "shop-monitor-1/firewall:8080/tcp#enable",
                                        "shop-monitor-1/firewall:ufw#enable")))
                        .notes(List.of("package source http://deb.example did not answer"))
                        .build())
                .addHost(HostOutcome.builder("shop-node-1", Status.FAILED)
                        .region("lon1")
                        .address("10.0.0.2")
                        .publicAddress("203.0.113.11")
                        .changes(List.of(applied("create user node_exporter", "shop-node-1/user:node_exporter")))
                        .failure(HostException.of(
                                        ErrorCode.INSTALL_FAILED,
                                        "shop-node-1",
                                        "203.0.113.11",
                                        "install node_exporter 1.12.1")
                                .exitCode(4)
                                .output("curl: (28) timed out\n")
                                .retryable()
                                .because("the mirror does not answer", "Check the release mirror."))
                        .build())
                .addHost(HostOutcome.builder("shop-node-2", Status.UNCHANGED)
                        .region("lon1")
                        .address("10.0.0.3")
                        .build())
                .removed(List.of("shop-node-9"))
                .cloud(List.of(applied("put firewall promguard-shop right", "mesh:shop/cloud-firewall:shop")))
                .addFailedStep("ask for the time", new IllegalStateException("no answer"))
                .duration(Duration.ofMillis(12_345))
                .build();
    }

    static DestroyReport destroyReport() {
        return DestroyReport.builder("shop")
                .removed(List.of("db-1", "mon"))
                .leftovers("db-1", List.of("packages that PromGuard installed: ufw wireguard-tools"))
                .checkedFor(Duration.ofSeconds(91))
                .build();
    }

    static RecoverReport recoverReport() {
        return RecoverReport.builder("shop")
                .state("/home/anna/.promguard/shop")
                .addHost(new RecoverReport.RecoveredHost(
                        "shop-monitor-1",
                        "3164494",
                        "10.0.0.1",
                        "203.0.113.10",
                        new HostKeyFingerprint("SHA256:" + "A".repeat(43)),
                        "trusted on first use"))
                .missing(Map.of("shop-node-1", "10.0.0.2", "shop-node-2", ""))
                .newLoginKey(true)
                .admitting(List.of("shop-monitor-1"))
                .replaces(true, List.of("replaced-20261123-101530-state.json"))
                .notes(List.of("shop-monitor-1 is called mon in the cloud; it is known by its WireGuard key"))
                .next(emptyPlan(Plan.Operation.APPLY))
                .written(true)
                .build();
    }

    /** The plan of a recovery that cannot be made. */
    static RecoverReport refusedRecovery() {
        return RecoverReport.builder("shop")
                .state("/home/anna/.promguard/shop")
                .problems(List.of(
                        MeshProblem.builder(ErrorCode.RECOVERY_AMBIGUOUS, "db-1 (id 7) and db-1 (id 8) are both db-1")
                                .remedy("Leave one out with leaveOut(id).")
                                .blocking(true)
                                .build(),
                        MeshProblem.builder(ErrorCode.CONNECT_FAILED, "no answer in 20 s")
                                .host("db-2")
                                .blocking(true)
                                .build()))
                .build();
    }

    static VerifyReport.Builder verification() {
        return VerifyReport.builder("shop", Instant.parse("2026-11-23T10:15:30.123Z"), "1.2.3")
                .origin("anna@build-7 (Linux 6.1.0, amd64)")
                .blueprint(blueprint())
                .addHost(HostHealth.builder("shop-monitor-1", "tor1", "10.0.0.1")
                        .publicAddress("203.0.113.10")
                        .handshakeAge(Duration.ofSeconds(40))
                        .target("up")
                        .system("debian 12")
                        .kernel("6.1.0-18-amd64")
                        .software(Map.of("prometheus", "3.13.2", "node_exporter", "1.12.1"))
                        .build())
                .addHost(HostHealth.builder("shop-node-1", "lon1", "10.0.0.2").build())
                .addHost(HostHealth.builder("shop-node-2", "lon1", "10.0.0.3")
                        .publicAddress("203.0.113.12")
                        .target("down")
                        .build())
                .addCheck(Check.builder("shop-monitor-1", CheckKind.UNIT_RUNS, "prometheus.service runs")
                        .subject("prometheus.service")
                        .method("systemctl show")
                        .observed("active, enabled")
                        .build())
                .addCheck(Check.builder("shop-node-1", CheckKind.HOST_OBSERVABLE, "can be observed")
                        .method("SSH with the pinned host key")
                        .observed("connection refused")
                        .verdict(Verdict.UNCHECKED)
                        .remedy("Make it reachable, then verify again.")
                        .build())
                .addCheck(Check.builder("shop-node-2", CheckKind.HOST_UP_TO_DATE, "is up to date")
                        .method("a comparison with the spec")
                        .observed("ufw: rule 22/tcp is gone (drift)   → put back")
                        .verdict(Verdict.FAILED)
                        .remedy("Run apply.")
                        .build())
                .addCheck(Check.builder("", CheckKind.CLOUD_FIREWALL_UP_TO_DATE, "has its firewall up to date")
                        .method("what the cloud says")
                        .observed("to do: put firewall promguard-shop right")
                        .verdict(Verdict.FAILED)
                        .remedy("Run apply.")
                        .build())
                .addCheck(Check.builder("shop-node-2", CheckKind.FOREIGN_FIREWALL_RULES, "admits more")
                        .method("iptables -S")
                        .observed("-A ufw-user-input -p tcp --dport 8080 -j ACCEPT")
                        .verdict(Verdict.NOTE)
                        .build());
    }

    static VerifyReport verifyReport() {
        return verification().build();
    }
}
