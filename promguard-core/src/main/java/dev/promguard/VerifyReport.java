package dev.promguard;

import dev.promguard.blueprint.Names;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Every claim about a mesh, with how it was checked and what was seen. {@link #toString()} is for whoever ran it, {@link
 * #toMarkdown()} for whoever has to be shown it.
 *
 * @param mesh the mesh's name
 * @param checkedAt when the checks began, by the clock of the machine that made them
 * @param version the version of PromGuard that made them
 * @param hosts how each host is
 * @param checks the claims
 */
public record VerifyReport(String mesh, Instant checkedAt, String version, List<HostHealth> hosts, List<Check> checks) {
    private static final int LONGEST_TEXT = 1_000;
    private static final int MOST_LISTED = 5;

    private static final Pattern LINE_END = Pattern.compile("\\s*\\R\\s*");
    private static final Pattern MARKDOWN = Pattern.compile("[\\\\`*_{}\\[\\]<>#|!~&$@]|://|www[.]");

    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public VerifyReport {
        Objects.requireNonNull(mesh, "mesh");
        Objects.requireNonNull(checkedAt, "checkedAt");
        Objects.requireNonNull(version, "version");
        hosts = List.copyOf(hosts);
        checks = List.copyOf(checks);
    }

    /**
     * How a host is.
     *
     * @param name its name
     * @param region where it is
     * @param publicAddress its public address; empty if it has none
     * @param address its address inside the tunnels
     * @param handshakeAge how long ago its last WireGuard handshake was, the oldest of its peers' counting; empty if a peer had
     *     none or the host could not be read
     * @param target what Prometheus says of its target, such as {@code up} or {@code down}; {@code unknown} if it says nothing
     */
    public record HostHealth(
            String name,
            String region,
            Optional<String> publicAddress,
            String address,
            Optional<Duration> handshakeAge,
            String target) {
        /**
         * Checks that all are there.
         *
         * @throws NullPointerException if one is null
         */
        public HostHealth {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(region, "region");
            Objects.requireNonNull(publicAddress, "publicAddress");
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(handshakeAge, "handshakeAge");
            Objects.requireNonNull(target, "target");
        }
    }

    /** What came of a check. */
    public enum Verdict {
        /** The claim holds. */
        HOLDS("holds"),
        /** The claim does not hold. */
        FAILS("FAILS"),
        /**
         * The check was due and could not be made, since the host, or the one that it is checked from, could not be observed. The
         * report is not {@link VerifyReport#ok()} then.
         */
        UNCHECKED("could not be checked"),
        /** Nothing is claimed; it was seen, and somebody should know of it. */
        NOTED("noted");

        private final String word;

        Verdict(String word) {
            this.word = word;
        }

        /**
         * The verdict as a person reads it.
         *
         * @return such as {@code holds}
         */
        public String word() {
            return word;
        }
    }

    /**
     * One claim.
     *
     * @param host the host it is about
     * @param claim what should hold
     * @param how how it was checked
     * @param seen what was seen; it may quote the host
     * @param verdict what came of it
     * @param mend what to do if it does not hold; empty if it does
     */
    public record Check(String host, String claim, String how, String seen, Verdict verdict, String mend) {
        /**
         * Checks that all are there, and replaces in what was seen what a terminal might obey or hide.
         *
         * @throws NullPointerException if one is null
         */
        public Check {
            Objects.requireNonNull(host, "host");
            Objects.requireNonNull(claim, "claim");
            Objects.requireNonNull(how, "how");
            seen = Names.printable(seen);
            Objects.requireNonNull(verdict, "verdict");
            Objects.requireNonNull(mend, "mend");
        }

        /**
         * A claim that holds or not.
         *
         * @param host the host it is about
         * @param claim what should hold
         * @param how how it was checked
         * @param seen what was seen
         * @param holds whether it holds
         * @param mend what to do if it does not; left out if it does
         * @return the check
         */
        static Check of(String host, String claim, String how, String seen, boolean holds, String mend) {
            return new Check(host, claim, how, seen, holds ? Verdict.HOLDS : Verdict.FAILS, holds ? "" : mend);
        }

        /** A check that was due and could not be made, why, and what to do so that it can. */
        static Check unchecked(String host, String claim, String how, String why, String remedy) {
            return new Check(host, claim, how, why, Verdict.UNCHECKED, remedy);
        }

        /** Something that was seen and that nothing is claimed of. */
        static Check noted(String host, String what, String how, String seen, String mend) {
            return new Check(host, what, how, seen, Verdict.NOTED, mend);
        }

        /**
         * Whether the claim holds.
         *
         * @return true if so; false too where nothing is claimed, or the check could not be made
         */
        public boolean holds() {
            return verdict == Verdict.HOLDS;
        }
    }

    /**
     * Whether every check that was due was made and passed.
     *
     * @return true if there are neither {@link #failures()} nor {@link #unchecked()}
     */
    public boolean ok() {
        return failures().isEmpty() && unchecked().isEmpty();
    }

    /**
     * The checks that failed.
     *
     * @return empty if none did, which does not say that all could be made: see {@link #ok()}
     */
    public List<Check> failures() {
        return with(Verdict.FAILS);
    }

    /**
     * The checks that were due and could not be made, such as those of a host that does not answer.
     *
     * @return empty if all could be made
     */
    public List<Check> unchecked() {
        return with(Verdict.UNCHECKED);
    }

    /**
     * What was seen and nothing is claimed of, such as firewall rules that somebody else wrote.
     *
     * @return maybe nothing
     */
    public List<Check> notes() {
        return with(Verdict.NOTED);
    }

    private List<Check> with(Verdict verdict) {
        return checks.stream().filter(check -> check.verdict() == verdict).toList();
    }

    /**
     * Insists that every check was made and passed.
     *
     * @return this report
     * @throws VerifyException if the report is not {@link #ok()}; its message lists what failed and what could not be checked
     */
    public VerifyReport orThrow() {
        if (!ok()) {
            throw new VerifyException(this);
        }
        return this;
    }

    /**
     * The hosts as a table: host, region, public address, WireGuard address, last handshake, target health.
     *
     * @return a line of headings and one for each host, without a line end at the end
     */
    public String table() {
        int name = Math.max(
                4, hosts.stream().mapToInt(host -> host.name().length()).max().orElse(4));
        int region = Math.max(
                6, hosts.stream().mapToInt(host -> host.region().length()).max().orElse(6));
        int address = Math.max(
                17,
                hosts.stream().mapToInt(host -> host.address().length()).max().orElse(17));
        String row = "%-" + name + "s  %-" + region + "s  %-15s  %-" + address + "s  %-14s  %s";
        StringBuilder text = new StringBuilder(512);
        text.append(String.format(
                Locale.ROOT, row, "host", "region", "public address", "WireGuard address", "last handshake", "target"));
        for (HostHealth host : hosts) {
            text.append('\n')
                    .append(String.format(
                            Locale.ROOT,
                            row,
                            host.name(),
                            host.region(),
                            host.publicAddress().orElse("-"),
                            host.address(),
                            handshake(host),
                            shown(host.target())));
        }
        return text.toString();
    }

    private static String handshake(HostHealth host) {
        return host.handshakeAge().map(age -> age.toSeconds() + " s ago").orElse("never");
    }

    /**
     * The report as a person reads it: the hosts, how many claims hold, and each that does not with what to do.
     *
     * @return the text, without a line end at the end
     */
    @Override
    public String toString() {
        return table() + "\n\n" + summary();
    }

    /** How many claims hold, and each that does not with what to do. */
    String summary() {
        StringBuilder text = new StringBuilder(256);
        text.append("mesh ").append(mesh).append(": ").append(count());
        failures().forEach(check -> append(text, "FAILED  ", check));
        grouped(unchecked()).forEach(checks -> append(text, checks));
        notes().forEach(check -> append(text, "noted   ", check));
        return text.toString();
    }

    private static void append(StringBuilder text, String verdict, Check check) {
        String line = "\n          ";
        text.append("\n  ")
                .append(verdict)
                .append(check.host())
                .append(": ")
                .append(shown(check.claim()))
                .append(line)
                .append("seen: ")
                .append(shown(check.seen()))
                .append(line)
                .append("by: ")
                .append(shown(check.how()));
        if (!check.mend().isEmpty()) {
            text.append(line).append("to do: ").append(shown(check.mend()));
        }
    }

    /** The checks of one host that could not be made for the same reason, together. */
    private static Collection<List<Check>> grouped(List<Check> checks) {
        Map<List<String>, List<Check>> groups = new LinkedHashMap<>();
        checks.forEach(check -> groups.computeIfAbsent(
                        List.of(check.host(), check.seen(), check.mend()), key -> new ArrayList<>())
                .add(check));
        return groups.values();
    }

    private static void append(StringBuilder text, List<Check> unchecked) {
        String line = "\n          ";
        Check first = unchecked.get(0);
        text.append("\n  NOT CHECKED  ")
                .append(first.host())
                .append(": ")
                .append(unchecked.size())
                .append(unchecked.size() == 1 ? " check could not be made" : " checks could not be made")
                .append(line)
                .append("why: ")
                .append(shown(first.seen()))
                .append(line)
                .append("which: ")
                .append(listed(unchecked));
        if (!first.mend().isEmpty()) {
            text.append(line).append("to do: ").append(shown(first.mend()));
        }
    }

    private static String listed(List<Check> checks) {
        String some = checks.stream()
                .limit(MOST_LISTED)
                .map(check -> shown(check.claim()))
                .collect(Collectors.joining("; "));
        return checks.size() <= MOST_LISTED ? some : some + "; and " + (checks.size() - MOST_LISTED) + " more";
    }

    private String count() {
        int noted = notes().size();
        int claims = checks.size() - noted;
        int unchecked = unchecked().size();
        return (claims - failures().size() - unchecked) + " of " + claims + " claims hold"
                + (unchecked == 0 ? "" : ", " + unchecked + " could not be checked")
                + (noted == 0 ? "" : noted == 1 ? ", 1 thing is noted" : ", " + noted + " things are noted");
    }

    /**
     * The whole report for somebody who was not there: what was checked when and by what, what fails with what to do, and every claim
     * with what was seen and how. Texts of the hosts' are escaped, and long ones cut.
     *
     * @return a Markdown document (CommonMark with tables), ending in a line end
     */
    public String toMarkdown() {
        StringBuilder text = new StringBuilder(16 * 1024);
        text.append("# Verification of mesh ").append(escaped(mesh)).append("\n\n");
        text.append("Checked on ")
                .append(checkedAt
                        .truncatedTo(ChronoUnit.SECONDS)
                        .toString()
                        .replace("T", " at ")
                        .replace("Z", " UTC"))
                .append(" by PromGuard ")
                .append(escaped(version))
                .append(", which changed nothing on any host.\n\n");
        text.append("**").append(count()).append(".** ");
        text.append(
                failures().isEmpty()
                        ? "Nothing fails" + (unchecked().isEmpty() ? ".\n" : ", but not everything could be checked.\n")
                        : failures().size() == 1 ? "One fails.\n" : failures().size() + " fail.\n");
        text.append("\n| host | region | public address | WireGuard address | last handshake | target | claims |\n");
        text.append("|---|---|---|---|---|---|---|\n");
        for (HostHealth host : hosts) {
            List<Check> own = about(host.name());
            long claims = own.stream()
                    .filter(check -> check.verdict() != Verdict.NOTED)
                    .count();
            row(
                    text,
                    host.name(),
                    host.region(),
                    host.publicAddress().orElse("-"),
                    host.address(),
                    handshake(host),
                    host.target(),
                    own.stream().filter(Check::holds).count() + " of " + claims + " hold");
        }
        section(text, "What fails, and what to do", failures());
        uncheckedSection(text);
        section(text, "What is noted", notes());
        text.append("\n## Every claim\n");
        Set<String> names = new LinkedHashSet<>();
        hosts.forEach(host -> names.add(host.name()));
        checks.forEach(check -> names.add(check.host()));
        for (String name : names) {
            text.append("\n### ").append(escaped(name)).append("\n\n");
            text.append("| verdict | claim | what was seen | how it was checked |\n|---|---|---|---|\n");
            for (Check check : about(name)) {
                row(text, check.verdict().word(), check.claim(), check.seen(), check.how());
            }
        }
        return text.toString();
    }

    private List<Check> about(String host) {
        return checks.stream().filter(check -> check.host().equals(host)).toList();
    }

    private void uncheckedSection(StringBuilder text) {
        if (unchecked().isEmpty()) {
            return;
        }
        text.append("\n## What could not be checked, and what to do\n\n");
        for (List<Check> checks : grouped(unchecked())) {
            Check first = checks.get(0);
            text.append("- ")
                    .append(escaped(first.host()))
                    .append(": ")
                    .append(checks.size())
                    .append(checks.size() == 1 ? " check" : " checks")
                    .append("  \n  why: ")
                    .append(escaped(first.seen()));
            if (!first.mend().isEmpty()) {
                text.append("  \n  to do: ").append(escaped(first.mend()));
            }
            text.append('\n');
        }
    }

    private static void section(StringBuilder text, String title, List<Check> checks) {
        if (checks.isEmpty()) {
            return;
        }
        text.append("\n## ").append(title).append("\n\n");
        for (Check check : checks) {
            text.append("- ")
                    .append(escaped(check.host()))
                    .append(": ")
                    .append(escaped(check.claim()))
                    .append("  \n  seen: ")
                    .append(escaped(check.seen()));
            if (!check.mend().isEmpty()) {
                text.append("  \n  to do: ").append(escaped(check.mend()));
            }
            text.append('\n');
        }
    }

    private static void row(StringBuilder text, String... cells) {
        text.append('|');
        for (String cell : cells) {
            text.append(' ').append(escaped(cell)).append(" |");
        }
        text.append('\n');
    }

    /** A text as it may be shown in one line: what does not show itself is a question mark, and what is too long is cut. */
    private static String shown(String text) {
        String cut = text.length() <= LONGEST_TEXT
                ? text
                : text.substring(0, LONGEST_TEXT) + "… (" + text.length() + " characters)";
        return Names.printable(LINE_END.matcher(cut.strip()).replaceAll(" / ")).replace('\t', ' ');
    }

    /** The same, with nothing in it that Markdown or HTML would take for more than text. */
    private static String escaped(String text) {
        return MARKDOWN.matcher(shown(text))
                .replaceAll(found -> Matcher.quoteReplacement(
                        switch (found.group()) {
                            case "<" -> "&lt;";
                            case ">" -> "&gt;";
                            case "&" -> "&amp;";
                            case "@" -> "&#64;";
                            case "://" -> ":&#47;&#47;";
                            case "www." -> "www&#46;";
                            default -> '\\' + found.group();
                        }));
    }
}
