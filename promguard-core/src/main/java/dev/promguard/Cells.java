package dev.promguard;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the Markdown and the HTML of plans and reports say alike, mostly in the cells of their tables. Nothing in it is escaped. */
final class Cells {
    /** Stands where there is nothing to say. */
    static final String NOTHING = "-";

    /** The headings over what {@link #of(PlannedChange)} gives. */
    static final List<String> CHANGE = List.of("", "change", "now", "then", "step");

    /** The headings over what {@link #of(HostOutcome)} gives. */
    static final List<String> OUTCOME = List.of("outcome", "host", "region", "WireGuard address", "public address");

    private Cells() {}

    static String orNothing(String text) {
        return text.isEmpty() ? NOTHING : text;
    }

    static List<String> of(PlannedChange change) {
        return List.of(
                change.drift() ? "drift" : "",
                change.text(),
                change.before().orElse(NOTHING),
                change.after().orElse(NOTHING),
                change.id());
    }

    static List<String> of(HostOutcome host) {
        return List.of(
                ApplyText.outcome(host),
                host.name(),
                orNothing(host.region()),
                orNothing(host.address()),
                host.publicAddress().orElse(NOTHING));
    }

    /** What failed on a host, with its name. */
    static String failure(HostOutcome host, RuntimeException why) {
        return why instanceof HostException ? String.valueOf(why.getMessage()) : host.name() + ": " + why.getMessage();
    }

    /** The programs of the mesh on a host with their versions; empty if none is known. */
    static String software(HostHealth host) {
        return host.software().entrySet().stream()
                .map(entry -> entry.getKey() + ' ' + entry.getValue())
                .collect(Collectors.joining(", "));
    }

    /** The checks by what they are about: each host of the report first, whether it has any or not. */
    static Map<String, List<Check>> byHost(VerifyReport report) {
        Map<String, List<Check>> made = report.checks().stream().collect(Collectors.groupingBy(Check::host));
        Map<String, List<Check>> byHost = new LinkedHashMap<>();
        Stream.concat(
                        report.hosts().stream().map(HostHealth::name),
                        report.checks().stream().map(Check::host))
                .forEach(name -> byHost.put(name, made.getOrDefault(name, List.of())));
        return byHost;
    }

    /** How many of some checks passed; a note is none of them. */
    static String passed(List<Check> checks) {
        long made =
                checks.stream().filter(check -> check.verdict() != Verdict.NOTE).count();
        return checks.stream().filter(Check::passed).count() + " of " + made + " passed";
    }

    static String time(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS)
                .toString()
                .replace("T", " at ")
                .replace("Z", " UTC");
    }
}
