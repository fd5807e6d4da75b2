package dev.promguard;

import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Overlay;
import dev.promguard.blueprint.Overlay.Ends;
import dev.promguard.blueprint.Overlay.Mark;
import dev.promguard.blueprint.Overlay.State;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a verification says of hosts and tunnels, for the picture of a mesh. */
final class VerifyOverlay {
    private VerifyOverlay() {}

    static Overlay of(VerifyReport report, Blueprint blueprint) {
        Map<String, List<Check>> byHost = Cells.byHost(report);
        Map<String, Mark> hosts = new HashMap<>();
        blueprint.hosts().forEach(host -> hosts.put(host.name(), mark(byHost.getOrDefault(host.name(), List.of()))));
        Map<Ends, State> tunnels = new HashMap<>();
        for (Check check : report.checks()) {
            if (check.kind() == CheckKind.HANDSHAKE_FRESH && !check.subject().isEmpty()) {
                tunnels.merge(new Ends(check.host(), check.subject()), state(check.verdict()), VerifyOverlay::worse);
            }
        }
        return new Overlay(hosts, tunnels);
    }

    private static Mark mark(List<Check> checks) {
        long made =
                checks.stream().filter(check -> check.verdict() != Verdict.NOTE).count();
        long failed = count(checks, Verdict.FAILED);
        long unchecked = count(checks, Verdict.UNCHECKED);
        if (failed > 0) {
            return new Mark(State.BAD, failed + " of " + made + " checks failed");
        } else if (unchecked > 0 || made == 0) {
            return new Mark(State.UNKNOWN, unchecked + " of " + made + " not checked");
        }
        return new Mark(State.GOOD, Names.counted(made, "check") + " passed");
    }

    private static long count(List<Check> checks, Verdict verdict) {
        return checks.stream().filter(check -> check.verdict() == verdict).count();
    }

    private static State state(Verdict verdict) {
        return switch (verdict) {
            case PASSED, NOTE -> State.GOOD;
            case FAILED -> State.BAD;
            case UNCHECKED -> State.UNKNOWN;
        };
    }

    private static State worse(State one, State other) {
        return one == State.BAD || other == State.GOOD ? one : other;
    }
}
