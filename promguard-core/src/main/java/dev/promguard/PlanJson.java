package dev.promguard;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.promguard.Plan.Entry;
import dev.promguard.Plan.Kind;
import dev.promguard.host.Hashes;
import java.util.List;

/** A plan as a JSON document. */
final class PlanJson {
    private final Plan plan;

    PlanJson(Plan plan) {
        this.plan = plan;
    }

    @Override
    public String toString() {
        ObjectNode document = Json.document("plan").put("digest", digest());
        document.setAll(content());
        return Json.text(document);
    }

    /** The sum of all that the plan says. */
    String digest() {
        return "sha256:" + Hashes.of(content().toString());
    }

    private ObjectNode content() {
        ObjectNode content = Json.object().put("operation", Json.word(plan.operation()));
        content.set("mesh", Json.mesh(plan.blueprint()));
        content.set("only", Json.texts(plan.only()));
        content.put("empty", plan.isEmpty());
        content.set("counts", counts());
        content.set("price", Json.price(plan.price()));
        ArrayNode problems = content.putArray("problems");
        plan.problems().forEach(problem -> problems.add(problem(problem)));
        content.set("cloud", changes(plan.cloud()));
        ArrayNode hosts = content.putArray("hosts");
        plan.entries().forEach(entry -> hosts.add(host(entry)));
        return content;
    }

    private ObjectNode counts() {
        ObjectNode counts = Json.object();
        for (Kind kind : Kind.values()) {
            counts.put(
                    Json.word(kind),
                    plan.entries().stream()
                            .filter(entry -> entry.kind() == kind)
                            .count());
        }
        return counts.put("changes", changes()).put("drift", plan.drift().size());
    }

    private int changes() {
        return plan.cloud().size()
                + plan.entries().stream()
                        .mapToInt(entry -> entry.changes().size())
                        .sum();
    }

    static ObjectNode problem(MeshProblem problem) {
        ObjectNode node = Json.object().put("id", problem.reference()).put("code", problem.id());
        node.set("host", Json.text(problem.host()));
        node.put("message", problem.message());
        node.set("remedy", Json.textUnlessEmpty(problem.remedy()));
        return node.put("blocking", problem.blocking());
    }

    private static ObjectNode host(Entry entry) {
        ObjectNode node =
                Json.object().put("id", entry.id()).put("name", entry.name()).put("action", Json.word(entry.kind()));
        node.set("region", Json.textUnlessEmpty(entry.region()));
        node.set("size", Json.textUnlessEmpty(entry.size()));
        node.set("address", Json.text(entry.address()));
        node.set("publicAddress", Json.text(entry.publicAddress()));
        node.set("price", Json.price(entry.price()));
        node.set(
                "problems",
                Json.texts(entry.problems().stream().map(MeshProblem::reference).toList()));
        node.set("changes", changes(entry.changes()));
        node.set("notes", Json.texts(entry.notes()));
        return node;
    }

    private static ArrayNode changes(List<PlannedChange> changes) {
        ArrayNode array = Json.array();
        for (PlannedChange change : changes) {
            ObjectNode node = array.addObject()
                    .put("id", change.id())
                    .put("resource", change.resource())
                    .put("action", Json.word(change.action()))
                    .put("subject", change.subject());
            node.set("before", Json.text(change.before()));
            node.set("after", Json.text(change.after()));
            node.put("drift", change.drift()).put("restart", change.restart()).put("text", change.text());
            node.set("diff", Json.text(change.diff()));
        }
        return array;
    }
}
