package dev.promguard.internal.verify;

import dev.promguard.HostException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Pause;
import dev.promguard.internal.verify.ExpectedTargets.Expected;
import dev.promguard.internal.verify.ExpectedTargets.Next;
import dev.promguard.internal.verify.PrometheusApi.Rule;
import dev.promguard.internal.verify.PrometheusApi.Target;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Asks one monitor's Prometheus for its targets and its rules, once what it says is worth judging. Not thread-safe. */
final class PrometheusReader {
    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);

    private final Context context;
    private final Blueprint blueprint;
    private final ExpectedTargets expected;

    PrometheusReader(Context context, Blueprint blueprint, Blueprint.Host monitor) {
        this.context = context;
        this.blueprint = blueprint;
        this.expected = new ExpectedTargets(blueprint, monitor);
    }

    /** Asks until every target that is due was scraped, or its first scrape is overdue. */
    PrometheusAnswer read(HostSession session) {
        try {
            int port =
                    session.forward("127.0.0.1", blueprint.spec().prometheus().port());
            PrometheusApi api = new PrometheusApi(URI.create("http://127.0.0.1:" + port + "/"));
            List<Target> targets = settled(api, session);
            return PrometheusChecks.hasRules(blueprint)
                    ? withRules(api, targets)
                    : new PrometheusAnswer.Answered(targets, List.of(), Optional.empty());
        } catch (HostException | IOException e) {
            return new PrometheusAnswer.Silent(String.valueOf(e.getMessage()));
        }
    }

    private static PrometheusAnswer withRules(PrometheusApi api, List<Target> targets) {
        List<Rule> rules;
        try {
            rules = api.rules();
        } catch (IOException e) {
            return new PrometheusAnswer.Answered(targets, List.of(), Optional.of(String.valueOf(e.getMessage())));
        }
        return new PrometheusAnswer.Answered(targets, rules, Optional.empty());
    }

    /**
     * The targets once there is nothing to wait for. A target that was not scraped yet is waited for until its first scrape is due,
     * by the scrape interval of the spec. One that was down at its last scrape is waited for only if it answers the monitor by now.
     */
    private List<Target> settled(PrometheusApi api, HostSession session) throws IOException {
        Duration soon = context.intervals().firstScrape();
        Duration aScrape = blueprint.spec().prometheus().scrapeInterval().plus(soon);
        long start = System.nanoTime();
        List<Expected> back = List.of();
        boolean probed = false;
        while (true) {
            List<Target> targets = List.of();
            IOException failure = null;
            Duration timeout = soon;
            try {
                targets = api.targets();
                Next next = expected.next(targets);
                if (next == Next.JUDGE && !probed) {
                    back = answering(session, expected.down(targets));
                    probed = true;
                    start = System.nanoTime();
                }
                boolean stillDown = expected.down(targets).stream().anyMatch(back::contains);
                timeout = next == Next.AWAIT_TARGETS
                        ? soon
                        : next == Next.AWAIT_FIRST_SCRAPE || stillDown ? aScrape : Duration.ZERO;
            } catch (IOException e) {
                failure = e;
            }
            if (System.nanoTime() - start >= timeout.toNanos()) {
                if (failure != null) {
                    throw failure;
                }
                return targets;
            }
            Pause.of(context.intervals().targets(), "waiting for Prometheus to scrape its targets");
        }
    }

    /** Those of some targets that give the monitor their page now, so that the next scrape finds them up. */
    private static List<Expected> answering(HostSession session, List<Expected> down) {
        Map<Expected, Probe> pages = new LinkedHashMap<>();
        for (Expected each : down) {
            each.page()
                    .filter(Probe::isPage)
                    .ifPresent(
                            path -> pages.put(each, new Probe(each.host().address(), each.port(), Optional.of(path))));
        }
        if (pages.isEmpty()) {
            return List.of();
        }
        List<ProbeResult> answers = session.probe(List.copyOf(pages.values()), PROBE_TIMEOUT);
        List<Expected> asked = List.copyOf(pages.keySet());
        return IntStream.range(0, asked.size())
                .filter(i -> answers.get(i).whole())
                .mapToObj(asked::get)
                .toList();
    }
}
