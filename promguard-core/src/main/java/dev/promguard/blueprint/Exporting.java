package dev.promguard.blueprint;

import dev.promguard.blueprint.Exporter.FromRelease;
import dev.promguard.blueprint.Exporter.Probe;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What of a wish's exporters and exposed services cannot be together. */
final class Exporting {
    private static final Set<String> OWN_JOBS = Set.of("node", "prometheus");

    private static final String SSH = "SSH";

    private static final String IS_A_SCRAPE_JOB = "is also a scrape job of Prometheus' own: choose another";

    private final MeshSpec spec;
    private final Map<String, List<HostSpec>> faults = new LinkedHashMap<>();

    private Exporting(MeshSpec spec) {
        this.spec = spec;
    }

    /** The faults, each once however many hosts have it. */
    static List<String> faults(MeshSpec spec) {
        Exporting look = new Exporting(spec);
        Set<String> probeJobs = new HashSet<>();
        Set<String> otherJobs =
                spec.prometheus().scrapeJobs().stream().map(ScrapeJob::name).collect(Collectors.toSet());
        for (HostSpec host : spec.hosts()) {
            host.exporters().stream()
                    .filter(exporter -> !exporter.probes().isEmpty())
                    .forEach(exporter -> probeJobs.add(exporter.probeJob()));
        }
        for (HostSpec host : spec.hosts()) {
            look.forms(host);
            look.ports(host);
            look.exporters(host);
            for (Exporter exporter : host.exporters()) {
                if (!exporter.probes().isEmpty() && otherJobs.contains(exporter.probeJob())) {
                    look.fault(host, "job " + Names.quote(exporter.probeJob()), IS_A_SCRAPE_JOB);
                }
            }
            for (Exposure exposure : host.exposures()) {
                if (otherJobs.contains(exposure.job())) {
                    look.fault(host, "job " + Names.quote(exposure.job()), IS_A_SCRAPE_JOB);
                }
                if (probeJobs.contains(exposure.job())) {
                    look.fault(
                            host,
                            "job " + Names.quote(exposure.job()),
                            "is also the job of an exporter's probes: choose another");
                }
            }
        }
        List<String> texts = new ArrayList<>();
        look.faults.forEach((text, hosts) -> {
            int others = hosts.size() - 1;
            texts.add(text.replaceFirst(
                    "\u0000",
                    hosts.get(0).role().word() + " " + Names.quote(hosts.get(0).name())
                            + (others == 0 ? "" : others == 1 ? " and 1 other" : " and " + others + " others")));
        });
        return texts;
    }

    private void fault(HostSpec host, String what, String why) {
        List<HostSpec> hosts = faults.computeIfAbsent(what + " of \u0000 " + why, text -> new ArrayList<>());
        if (!hosts.contains(host)) {
            hosts.add(host);
        }
    }

    private static boolean isPort(int port) {
        return port >= 1 && port <= 65_535;
    }

    private void openPorts(HostSpec host, Map<Integer, String> taken) {
        for (int port : host.openPorts()) {
            String holder = taken.get(port);
            if (!isPort(port)) {
                fault(host, "openPort " + port, "is not a port: use 1 to 65535");
            } else if (holder != null && !holder.equals(SSH)) {
                fault(
                        host,
                        "openPort " + port,
                        "is taken by " + holder + ", which is for the monitors or nobody: leave one of the two out");
            }
        }
    }

    private void forms(HostSpec host) {
        for (Exposure service : host.services()) {
            if (!Names.isJob(service.job())) {
                fault(host, "job " + Names.quote(service.job()), "cannot be a job: use " + Names.JOB_FORM);
            }
            if (!Names.isMetricsPath(service.metricsPath())) {
                fault(
                        host,
                        "metricsPath " + Names.quote(service.metricsPath()),
                        "cannot be a path of metrics: use " + Names.METRICS_PATH_FORM);
            }
        }
    }

    private void ports(HostSpec host) {
        Map<Integer, String> taken = new HashMap<>();
        taken.put(22, SSH);
        taken.put(spec.nodeExporterPort(), "node_exporter");
        if (host.role() == Role.MONITOR) {
            taken.put(spec.prometheus().port(), "Prometheus");
        }
        for (Exposure exposure : host.exposures()) {
            String port = "port " + exposure.port() + " of job " + Names.quote(exposure.job());
            if (!isPort(exposure.port())) {
                fault(host, port, "is not a port: use 1 to 65535");
            } else {
                String holder = taken.putIfAbsent(exposure.port(), "job " + Names.quote(exposure.job()));
                if (holder != null) {
                    fault(host, port, "is taken by " + holder + ": choose another");
                }
            }
            if (OWN_JOBS.contains(exposure.job())) {
                fault(host, "job " + Names.quote(exposure.job()), "is one of PromGuard's own: choose another");
            }
        }
        taken.putIfAbsent(spec.prometheus().port(), "Prometheus");
        openPorts(host, taken);
    }

    private void exporters(HostSpec host) {
        Set<String> names = new HashSet<>();
        Set<String> probes = new HashSet<>();
        Map<String, FromRelease> releases = new HashMap<>();
        FromRelease own = new FromRelease(spec.nodeExporter(), "node_exporter");
        releases.put(key(own), own);
        if (host.role() == Role.MONITOR) {
            FromRelease prometheus = new FromRelease(spec.prometheus().release(), "prometheus");
            releases.put(key(prometheus), prometheus);
        }
        for (Exporter exporter : host.exporters()) {
            if (!names.add(exporter.name())) {
                fault(
                        host,
                        "exporter " + Names.quote(exporter.name()),
                        "stands twice: give each a name of its own, with withName");
            }
            for (Probe probe : exporter.probes()) {
                if (!probes.add(exporter.probeJob() + ' ' + probe)) {
                    fault(
                            host,
                            "probe of " + Names.quote(probe.target()) + " with module " + Names.quote(probe.module()),
                            "is made by two exporters in one job: give one of them another job, with withJob");
                }
            }
            if (exporter.source() instanceof FromRelease from) {
                FromRelease other = releases.putIfAbsent(key(from), from);
                if (other != null && !other.equals(from)) {
                    fault(
                            host,
                            "release " + Names.quote(key(from)) + " of exporter " + Names.quote(exporter.name()),
                            "stands there with another program, sum or mirror: use one release of that version");
                }
            }
        }
    }

    private static String key(FromRelease from) {
        return from.release().name() + '-' + from.release().version();
    }
}
