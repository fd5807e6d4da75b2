package dev.promguard.blueprint;

import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.blueprint.PrometheusSpec.RuleFile;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Finds everything in Prometheus' settings that cannot be, so that Prometheus itself never has to refuse them on a host. */
final class PrometheusProblems {
    private final List<String> problems = new ArrayList<>();

    private PrometheusProblems() {}

    static List<String> of(PrometheusSpec spec) {
        PrometheusProblems all = new PrometheusProblems();
        all.problems.addAll(PrometheusChecks.interval("scrapeInterval", spec.scrapeInterval()));
        all.problems.addAll(ValueChecks.release("prometheus release", spec.release(), "prometheus"));
        spec.retention().ifPresent(value -> all.problems.addAll(PrometheusChecks.retention(value)));
        spec.retentionSize().ifPresent(value -> all.problems.addAll(PrometheusChecks.retentionSize(value)));
        spec.externalLabels()
                .forEach((name, value) -> all.problems.addAll(PrometheusChecks.externalLabel(name, value)));
        all.ruleFiles(spec.ruleFiles());
        all.servers(spec);
        all.scrapeJobs(spec.scrapeJobs());
        return all.problems;
    }

    private void ruleFiles(List<RuleFile> files) {
        Set<String> seen = new HashSet<>();
        for (RuleFile file : files) {
            problems.addAll(PrometheusChecks.rules(file));
            if (!seen.add(file.name())) {
                problems.add(
                        "rules " + Names.quote(file.name()) + " is given twice: give each rule file a name of its own");
            }
        }
    }

    private void servers(PrometheusSpec spec) {
        Set<URI> seen = new HashSet<>();
        for (URI uri : spec.alertmanagers()) {
            problems.addAll(PrometheusChecks.alertmanager(uri));
            once("alertmanager", uri, seen);
        }
        seen.clear();
        for (RemoteWrite write : spec.remoteWrites()) {
            problems.addAll(PrometheusChecks.remoteWrite(write.uri()));
            once("remoteWrite", write.uri(), seen);
        }
    }

    private void once(String field, URI uri, Set<URI> seen) {
        if (!seen.add(uri)) {
            problems.add(field + ' ' + PrometheusChecks.shown(uri) + " is given twice: give each server once");
        }
    }

    private void scrapeJobs(List<ScrapeJob> jobs) {
        Set<String> seen = new HashSet<>();
        for (ScrapeJob job : jobs) {
            String of = PrometheusChecks.scrape(job.name());
            problems.addAll(PrometheusChecks.jobName(job.name()));
            if (!seen.add(job.name())) {
                problems.add(of + " is given twice: give each job a name of its own");
            }
            problems.addAll(PrometheusChecks.targets(job));
            job.targets().forEach(target -> problems.addAll(PrometheusChecks.target(of + ": target", target)));
            job.interval()
                    .ifPresent(interval -> problems.addAll(PrometheusChecks.interval(of + ": interval", interval)));
            problems.addAll(PrometheusChecks.path(of + ": path", job.path()));
            problems.addAll(PrometheusChecks.scheme(of + ": scheme", job.scheme()));
            job.labels().forEach((name, value) -> problems.addAll(PrometheusChecks.label(of + ": label", name, value)));
        }
    }
}
