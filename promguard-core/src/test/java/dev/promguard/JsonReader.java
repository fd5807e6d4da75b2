package dev.promguard;

import com.fasterxml.jackson.databind.JsonNode;
import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.spi.Price;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Reads the JSON documents back, as a program could that has the schema. */
public final class JsonReader {
    private JsonReader() {}

    private static <E extends Enum<E>> E constant(Class<E> type, JsonNode word) {
        return Enum.valueOf(type, word.textValue().toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    private static Optional<String> optional(JsonNode node) {
        return Optional.ofNullable(node.textValue());
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(each -> texts.add(each.textValue()));
        return texts;
    }

    private static Optional<Price> price(JsonNode node) {
        return node.isNull()
                ? Optional.empty()
                : Optional.of(new Price(
                        new BigDecimal(node.get("monthly").textValue()),
                        new BigDecimal(node.get("hourly").textValue())));
    }

    /** A plan; the blueprint is not in the document, but its sum is. */
    public static Plan plan(JsonNode document, Blueprint blueprint) {
        Map<String, MeshProblem> problems = new HashMap<>();
        List<MeshProblem> ofMesh = new ArrayList<>();
        List<String> ofHosts = new ArrayList<>();
        document.get("hosts").forEach(host -> ofHosts.addAll(texts(host.get("problems"))));
        for (JsonNode node : document.get("problems")) {
            MeshProblem.Builder problem = MeshProblem.builder(
                            Arrays.stream(ErrorCode.values())
                                    .filter(code ->
                                            code.id().equals(node.get("code").textValue()))
                                    .findFirst()
                                    .orElseThrow(),
                            node.get("message").textValue())
                    .remedy(optional(node.get("remedy")).orElse(""))
                    .blocking(node.get("blocking").booleanValue());
            optional(node.get("host")).ifPresent(problem::host);
            problems.put(node.get("id").textValue(), problem.build());
            if (!ofHosts.contains(node.get("id").textValue())) {
                ofMesh.add(problem.build());
            }
        }
        Plan.Builder plan = Plan.builder(constant(Plan.Operation.class, document.get("operation")), blueprint)
                .only(texts(document.get("only")))
                .problems(ofMesh)
                .cloud(changes(document.get("cloud")));
        for (JsonNode node : document.get("hosts")) {
            Plan.Entry.Builder entry = Plan.Entry.builder(
                            constant(Plan.Kind.class, node.get("action")),
                            node.get("name").textValue())
                    .region(optional(node.get("region")).orElse(""))
                    .size(optional(node.get("size")).orElse(""))
                    .problems(texts(node.get("problems")).stream()
                            .map(problems::get)
                            .toList())
                    .changes(changes(node.get("changes")))
                    .notes(texts(node.get("notes")));
            optional(node.get("address")).ifPresent(entry::address);
            optional(node.get("publicAddress")).ifPresent(entry::publicAddress);
            price(node.get("price")).ifPresent(entry::price);
            plan.addEntry(entry.build());
        }
        return plan.build();
    }

    private static List<PlannedChange> changes(JsonNode array) {
        List<PlannedChange> changes = new ArrayList<>();
        for (JsonNode node : array) {
            PlannedChange.Builder change = PlannedChange.builder(
                            node.get("resource").textValue(),
                            constant(ChangeAction.class, node.get("action")),
                            node.get("subject").textValue(),
                            node.get("text").textValue())
                    .drift(node.get("drift").booleanValue());
            optional(node.get("before")).ifPresent(change::before);
            optional(node.get("after")).ifPresent(change::after);
            optional(node.get("diff")).ifPresent(change::diff);
            changes.add(change.build());
        }
        return changes;
    }

    private static List<AppliedChange> applied(JsonNode array) {
        List<AppliedChange> changes = new ArrayList<>();
        array.forEach(node -> changes.add(AppliedChange.builder(node.get("text").textValue())
                .drift(node.get("drift").booleanValue())
                .stepIds(texts(node.get("stepIds")))
                .build()));
        return changes;
    }

    static ApplyReport applyReport(JsonNode document) {
        ApplyReport.Builder report = ApplyReport.builder(document.get("mesh").textValue())
                .cloud(applied(document.get("cloudChanges")))
                .removed(texts(document.get("removed")))
                .duration(Duration.ofMillis(document.get("durationMillis").longValue()));
        for (JsonNode node : document.get("failedSteps")) {
            report.addFailedStep(
                    node.get("step").textValue(), failure(node.get("failure")).orElseThrow());
        }
        for (JsonNode node : document.get("hosts")) {
            HostOutcome.Builder host = HostOutcome.builder(
                            node.get("name").textValue(), constant(Status.class, node.get("status")))
                    .region(optional(node.get("region")).orElse(""))
                    .address(optional(node.get("address")).orElse(""))
                    .changes(applied(node.get("appliedChanges")))
                    .notes(texts(node.get("notes")))
                    .failure(failure(node.get("failure")).orElse(null));
            optional(node.get("publicAddress")).ifPresent(host::publicAddress);
            report.addHost(host.build());
        }
        return report.build();
    }

    private static Optional<RuntimeException> failure(JsonNode node) {
        return node.isNull()
                ? Optional.empty()
                : Optional.of(new IllegalStateException(node.get("message").textValue()));
    }

    static DestroyReport destroyReport(JsonNode document) {
        DestroyReport.Builder report =
                DestroyReport.builder(document.get("mesh").textValue()).removed(texts(document.get("removed")));
        document.get("leftovers")
                .forEach(node -> report.leftovers(node.get("host").textValue(), texts(node.get("things"))));
        report.checkedFor(Duration.ofSeconds(document.get("checkedForSeconds").longValue()));
        return report.build();
    }

    /** A verification; the blueprint is not in the document. */
    static VerifyReport verifyReport(JsonNode document, Blueprint blueprint) {
        VerifyReport.Builder report = VerifyReport.builder(
                document.get("mesh").textValue(),
                Instant.parse(document.get("checkedAt").textValue()),
                document.get("version").textValue());
        report.blueprint(blueprint);
        optional(document.get("origin")).ifPresent(report::origin);
        for (JsonNode node : document.get("hosts")) {
            HostHealth.Builder host = HostHealth.builder(
                            node.get("name").textValue(),
                            optional(node.get("region")).orElse(""),
                            node.get("address").textValue())
                    .target(node.get("target").textValue());
            optional(node.get("publicAddress")).ifPresent(host::publicAddress);
            JsonNode age = node.get("handshakeAgeSeconds");
            if (!age.isNull()) {
                host.handshakeAge(Duration.ofSeconds(age.longValue()));
            }
            optional(node.get("system")).ifPresent(host::system);
            optional(node.get("kernel")).ifPresent(host::kernel);
            Map<String, String> software = new HashMap<>();
            node.get("software")
                    .fieldNames()
                    .forEachRemaining(name ->
                            software.put(name, node.get("software").get(name).textValue()));
            report.addHost(host.software(software).build());
        }
        for (JsonNode node : document.get("checks")) {
            report.addCheck(Check.builder(
                            optional(node.get("host")).orElse(""),
                            Arrays.stream(CheckKind.values())
                                    .filter(kind ->
                                            kind.id().equals(node.get("kind").textValue()))
                                    .findFirst()
                                    .orElseThrow(),
                            node.get("description").textValue())
                    .subject(optional(node.get("subject")).orElse(""))
                    .method(node.get("method").textValue())
                    .observed(node.get("observed").textValue())
                    .verdict(constant(Verdict.class, node.get("verdict")))
                    .remedy(optional(node.get("remedy")).orElse(""))
                    .build());
        }
        return report.build();
    }
}
