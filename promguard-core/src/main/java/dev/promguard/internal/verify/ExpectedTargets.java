package dev.promguard.internal.verify;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import dev.promguard.internal.verify.PrometheusApi.Target;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The targets that one monitor's Prometheus is to have by the spec, beside those that it has, and whether it is worth waiting for
 * them. Targets of other jobs are ignored. A pure function.
 */
final class ExpectedTargets {
    private static final String UP = "up";
    private static final String DOWN = "down";

    private final List<Expected> expected;

    /**
     * One target, or several of one job at one port.
     *
     * @param job the value of its label {@code job}
     * @param host the host that it is on
     * @param port the port that is scraped
     * @param count how many targets of the job are there: several where an exporter makes probes
     * @param probes whether an exporter probes other hosts for them
     * @param page the path that is scraped; empty for probes, and for Prometheus itself
     */
    record Expected(String job, Blueprint.Host host, int port, int count, boolean probes, Optional<String> page) {
        /** Those of some targets that are meant. */
        List<Target> among(List<Target> targets) {
            return targets.stream()
                    .filter(target ->
                            target.job().equals(job) && target.node().equals(host.name()) && portOf(target) == port)
                    .toList();
        }
    }

    /** What to do with what Prometheus says. */
    enum Next {
        /** Judge it. */
        JUDGE,
        /** A target is missing: ask again shortly, since Prometheus reads its targets within seconds. */
        AWAIT_TARGETS,
        /** A target was not scraped yet: ask again until its first scrape is due. */
        AWAIT_FIRST_SCRAPE
    }

    /**
     * The targets that a monitor is to have.
     *
     * @param blueprint the mesh
     * @param monitor one of its monitors
     */
    ExpectedTargets(Blueprint blueprint, Blueprint.Host monitor) {
        List<Expected> all = new ArrayList<>();
        int own = blueprint.spec().prometheus().port();
        all.add(new Expected("prometheus", monitor, own, 1, false, Optional.empty()));
        for (Blueprint.Host host : blueprint.hosts()) {
            int nodeExporter = blueprint.spec().nodeExporterPort();
            if (blueprint.scrapes(monitor, host, nodeExporter)) {
                all.add(new Expected("node", host, nodeExporter, 1, false, Optional.of(Exposure.METRICS)));
            }
            for (Exposure exposure : host.spec().exposures()) {
                if (blueprint.scrapes(monitor, host, exposure.port())) {
                    all.add(new Expected(
                            exposure.job(), host, exposure.port(), 1, false, Optional.of(exposure.metricsPath())));
                }
            }
            for (Exporter exporter : host.spec().exporters()) {
                if (!exporter.probes().isEmpty() && blueprint.scrapes(monitor, host, exporter.port())) {
                    all.add(new Expected(
                            exporter.probeJob(),
                            host,
                            exporter.port(),
                            exporter.probes().size(),
                            true,
                            Optional.empty()));
                }
            }
        }
        expected = List.copyOf(all);
    }

    /** All of them: Prometheus itself first, then host by host. */
    List<Expected> all() {
        return expected;
    }

    /** What to do with an answer of Prometheus'. A target that is down was scraped, and is not waited for. */
    Next next(List<Target> targets) {
        Next next = Next.JUDGE;
        for (Expected each : expected) {
            List<Target> found = each.among(targets);
            if (found.size() < each.count()) {
                return Next.AWAIT_TARGETS;
            }
            if (found.stream()
                    .anyMatch(target ->
                            !target.health().equals(UP) && !target.health().equals(DOWN))) {
                next = Next.AWAIT_FIRST_SCRAPE;
            }
        }
        return next;
    }

    /** Those that were down at their last scrape, and can be asked for their page. */
    List<Expected> down(List<Target> targets) {
        return expected.stream()
                .filter(each -> each.page().isPresent()
                        && each.among(targets).stream()
                                .anyMatch(target -> target.health().equals(DOWN)))
                .toList();
    }

    /** The port of a target's URL, or -1 if it has none. */
    private static int portOf(Target target) {
        try {
            return new URI(target.url()).getPort();
        } catch (URISyntaxException e) {
            return -1;
        }
    }
}
