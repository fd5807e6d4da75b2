package dev.promguard.blueprint;

import dev.promguard.blueprint.Exporter.FromRelease;
import dev.promguard.blueprint.Exporter.Probe;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Finds what is wrong with the exporters, exposed services and open ports of hosts, alone and together. */
final class Exporting {
    /** What stands for the hosts in a problem until all of them are known. */
    private static final String OF_HOST = " of \u0000";

    private static final String SSH = "SSH";

    private static final String IS_A_SCRAPE_JOB =
            "is also the name of a job of prometheus.scrape(…): choose another name";

    private final MeshSpec spec;
    private final Map<String, List<HostSpec>> problems = new LinkedHashMap<>();

    private Exporting(MeshSpec spec) {
        this.spec = spec;
    }

    /** The problems, each once however many hosts have it. */
    static List<String> problems(MeshSpec spec) {
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
            look.values(host);
            look.ports(host);
            look.exporters(host);
            for (Exporter exporter : host.exporters()) {
                if (!exporter.probes().isEmpty() && otherJobs.contains(exporter.probeJob())) {
                    look.problem(host, "job " + Names.quote(exporter.probeJob()), IS_A_SCRAPE_JOB);
                }
            }
            for (Exposure exposure : host.exposures()) {
                if (otherJobs.contains(exposure.job())) {
                    look.problem(host, "job " + Names.quote(exposure.job()), IS_A_SCRAPE_JOB);
                }
                if (probeJobs.contains(exposure.job())) {
                    look.problem(
                            host,
                            "job " + Names.quote(exposure.job()),
                            "is also the job of an exporter's probes: choose another name");
                }
            }
        }
        List<String> texts = new ArrayList<>();
        look.problems.forEach((text, hosts) -> {
            int others = hosts.size() - 1;
            texts.add(text.replaceFirst(
                    "\u0000",
                    hosts.get(0).role().id() + " " + Names.quote(hosts.get(0).name())
                            + (others == 0 ? "" : others == 1 ? " and 1 other" : " and " + others + " others")));
        });
        return texts;
    }

    private void problem(HostSpec host, String what, String why) {
        problems(host, List.of(what + OF_HOST + ' ' + why));
    }

    /** Notes problems that name their host as {@link #OF_HOST}. */
    private void problems(HostSpec host, List<String> texts) {
        for (String text : texts) {
            List<HostSpec> hosts = problems.computeIfAbsent(text, key -> new ArrayList<>());
            if (!hosts.contains(host)) {
                hosts.add(host);
            }
        }
    }

    private void openPorts(HostSpec host, Map<Integer, String> taken) {
        for (int port : host.openPorts()) {
            List<String> problems = ValueChecks.openPort(port, OF_HOST);
            problems(host, problems);
            String holder = taken.get(port);
            if (problems.isEmpty() && holder != null && !holder.equals(SSH)) {
                problem(
                        host,
                        "openPort " + port,
                        "is used by " + holder + ", which only monitors may reach: leave out the open port, or choose"
                                + " another port for one of the two");
            }
        }
    }

    private void portPolicy(HostSpec host, Map<Integer, String> taken) {
        for (Port port : host.ports().allowed()) {
            List<String> problems = ValueChecks.servicePort("allowed port", port.number(), OF_HOST);
            problems(host, problems);
            String holder = port.protocol() == Protocol.TCP ? taken.get(port.number()) : null;
            if (problems.isEmpty() && holder != null && !holder.equals(SSH)) {
                problem(
                        host,
                        "allowed port " + port,
                        "is used by " + holder + ", which only monitors may reach: do not allow it, or choose another"
                                + " port for one of the two");
            }
        }
        for (Port port : host.ports().closed()) {
            problems(host, ValueChecks.servicePort("closed port", port.number(), OF_HOST));
            boolean needed = port.equals(new Port(22, Protocol.TCP))
                    || port.equals(new Port(spec.wireGuardPort(host), Protocol.UDP));
            if (needed) {
                problem(host, "closed port " + port, "is one that every host of the mesh needs: leave it out");
            }
        }
    }

    private void values(HostSpec host) {
        for (Exposure service : host.services()) {
            problems(host, ValueChecks.job("job", service.job(), OF_HOST));
            problems(host, ValueChecks.port("port", service.port(), " of job " + Names.quote(service.job()) + OF_HOST));
            problems(host, ValueChecks.metricsPath("metricsPath", service.metricsPath(), OF_HOST));
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
            String job = "job " + Names.quote(exposure.job());
            String holder = taken.putIfAbsent(exposure.port(), job);
            if (holder != null && !holder.equals(SSH)) {
                problem(
                        host,
                        "port " + exposure.port() + " of " + job,
                        "is used by " + holder + " too: choose another port");
            }
        }
        taken.putIfAbsent(spec.prometheus().port(), "Prometheus");
        openPorts(host, taken);
        portPolicy(host, taken);
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
                problem(
                        host,
                        "exporter " + Names.quote(exporter.name()),
                        "is given twice: give each exporter a name of its own, with withName");
            }
            for (Probe probe : exporter.probes()) {
                if (!probes.add(exporter.probeJob() + ' ' + probe)) {
                    problem(
                            host,
                            "probe of " + Names.quote(probe.target()) + " with module " + Names.quote(probe.module()),
                            "is made by two exporters in one job: use another job for one of them, with withJob");
                }
            }
            if (exporter.source() instanceof FromRelease from) {
                FromRelease other = releases.putIfAbsent(key(from), from);
                if (other != null && !other.equals(from)) {
                    problem(
                            host,
                            "release " + Names.quote(key(from)) + " of exporter " + Names.quote(exporter.name()),
                            "differs in program, SHA-256 or mirror from another release of that name and version on the host: use the same release for both");
                }
            }
        }
    }

    private static String key(FromRelease from) {
        return from.release().name() + '-' + from.release().version();
    }
}
