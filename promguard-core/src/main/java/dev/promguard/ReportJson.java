package dev.promguard;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.VerifyReport.Check;
import dev.promguard.internal.text.StableIds;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

/** Reports as JSON documents. */
final class ReportJson {
    private ReportJson() {}

    static String of(ApplyReport report) {
        ObjectNode document = Json.document("apply-report")
                .put("mesh", report.mesh())
                .put("ok", report.ok())
                .put("durationMillis", report.duration().toMillis());
        document.set(
                "counts",
                Json.object()
                        .put("changes", report.changes())
                        .put("drift", report.drift())
                        .put(
                                "failedHosts",
                                report.hosts().stream()
                                        .filter(host -> !host.status().ok())
                                        .count()));
        document.set("cloud", Json.texts(report.cloud()));
        document.set("cloudChanges", changes(report.cloudChanges()));
        document.set("removed", Json.texts(report.removed()));
        document.set("stepIds", Json.texts(report.stepIds()));
        ArrayNode steps = document.putArray("failedSteps");
        for (ApplyReport.FailedStep step : report.failedSteps()) {
            steps.addObject()
                    .put("step", step.step())
                    .set("failure", Json.failure(StableIds.ofMesh(report.mesh()), Optional.of(step.failure())));
        }
        ArrayNode hosts = document.putArray("hosts");
        report.hosts().forEach(host -> hosts.add(host(host)));
        return Json.text(document);
    }

    private static ObjectNode host(HostOutcome host) {
        ObjectNode node = Json.object()
                .put("id", StableIds.ofHost(host.name()))
                .put("name", host.name())
                .put("status", Json.word(host.status()));
        node.set("region", Json.textUnlessEmpty(host.region()));
        node.set("address", Json.textUnlessEmpty(host.address()));
        node.set("publicAddress", Json.text(host.publicAddress()));
        node.set("changes", Json.texts(host.changes()));
        node.set("drift", Json.texts(host.drift()));
        node.set("appliedChanges", changes(host.appliedChanges()));
        node.set("stepIds", Json.texts(host.stepIds()));
        node.set("notes", Json.texts(host.notes()));
        node.set("failure", Json.failure(host.name(), Optional.ofNullable(host.failure())));
        return node;
    }

    private static ArrayNode changes(List<AppliedChange> changes) {
        ArrayNode array = Json.array();
        for (AppliedChange change : changes) {
            array.addObject()
                    .put("text", change.text())
                    .put("drift", change.drift())
                    .set("stepIds", Json.texts(change.stepIds()));
        }
        return array;
    }

    static String of(DestroyReport report) {
        ObjectNode document = Json.document("destroy-report").put("mesh", report.mesh());
        document.set("removed", Json.texts(report.removed()));
        ArrayNode leftovers = document.putArray("leftovers");
        report.leftovers()
                .forEach((host, things) ->
                        leftovers.addObject().put("host", host).set("things", Json.texts(things)));
        document.put("checkedForSeconds", report.checkedFor().toSeconds());
        return Json.text(document);
    }

    static String of(RecoverReport report) {
        ObjectNode document = Json.document("recover-report")
                .put("mesh", report.mesh())
                .put("written", report.written())
                .put("state", report.state());
        ArrayNode hosts = document.putArray("hosts");
        for (RecoverReport.RecoveredHost host : report.hosts()) {
            ObjectNode node = hosts.addObject()
                    .put("id", StableIds.ofHost(host.name()))
                    .put("name", host.name())
                    .put("providerId", host.id())
                    .put("address", host.address());
            node.set("publicAddress", Json.textUnlessEmpty(host.publicAddress()));
            node.put("hostKey", host.hostKey().text()).put("hostKeyBy", host.hostKeyBy());
        }
        ArrayNode missing = document.putArray("missing");
        report.missing()
                .forEach((name, address) ->
                        missing.addObject().put("name", name).set("address", Json.textUnlessEmpty(address)));
        document.put("newLoginKey", report.newLoginKey());
        document.set("admitting", Json.texts(report.admitting()));
        document.set("copies", Json.texts(report.copies()));
        ArrayNode problems = document.putArray("problems");
        report.problems().forEach(problem -> problems.add(PlanJson.problem(problem)));
        document.set("notes", Json.texts(report.notes()));
        report.next()
                .ifPresentOrElse(
                        plan -> document.put("nextPlanEmpty", plan.isEmpty()), () -> document.putNull("nextPlanEmpty"));
        return Json.text(document);
    }

    static String of(VerifyReport report) {
        int notes = report.notes().size();
        int failed = report.failures().size();
        int unchecked = report.unchecked().size();
        ObjectNode document = Json.document("verify-report")
                .put("mesh", report.mesh())
                .put("ok", report.ok())
                .put(
                        "checkedAt",
                        report.checkedAt().truncatedTo(ChronoUnit.SECONDS).toString());
        document.put("version", report.version());
        document.set("origin", Json.text(report.origin()));
        document.set(
                "specHash",
                Json.text(report.blueprint().map(blueprint -> blueprint.spec().hash())));
        document.set(
                "counts",
                Json.object()
                        .put("passed", report.checks().size() - notes - failed - unchecked)
                        .put("failed", failed)
                        .put("unchecked", unchecked)
                        .put("notes", notes));
        ArrayNode hosts = document.putArray("hosts");
        report.hosts().forEach(host -> hosts.add(host(host)));
        ArrayNode checks = document.putArray("checks");
        report.checks().forEach(check -> checks.add(check(check)));
        return Json.text(document);
    }

    private static ObjectNode host(HostHealth host) {
        ObjectNode node = Json.object().put("name", host.name());
        node.set("region", Json.textUnlessEmpty(host.region()));
        node.put("address", host.address());
        node.set("publicAddress", Json.text(host.publicAddress()));
        host.handshakeAge()
                .map(Duration::toSeconds)
                .ifPresentOrElse(
                        seconds -> node.put("handshakeAgeSeconds", seconds), () -> node.putNull("handshakeAgeSeconds"));
        node.put("target", host.target());
        node.set("system", Json.text(host.system()));
        node.set("kernel", Json.text(host.kernel()));
        ObjectNode software = node.putObject("software");
        host.software().forEach(software::put);
        return node;
    }

    private static ObjectNode check(Check check) {
        ObjectNode node = Json.object().put("id", check.reference()).put("kind", check.id());
        node.set("host", Json.textUnlessEmpty(check.host()));
        node.set("subject", Json.textUnlessEmpty(check.subject()));
        node.put("verdict", Json.word(check.verdict()))
                .put("description", check.description())
                .put("method", check.method())
                .put("observed", check.observed());
        node.set("remedy", Json.textUnlessEmpty(check.remedy()));
        return node;
    }
}
