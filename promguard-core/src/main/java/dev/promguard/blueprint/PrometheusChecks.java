package dev.promguard.blueprint;

import dev.promguard.blueprint.PrometheusSpec.RuleFile;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import java.math.BigInteger;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The rules for single values of Prometheus' settings, so that Prometheus itself never has to refuse them on a host. As those of
 * {@link ValueChecks}, they serve setters and {@link Planner#problems} alike.
 */
public final class PrometheusChecks {
    /** Labels that targets of the mesh carry already, which an external label of the same name would never replace. */
    private static final Set<String> TARGET_LABELS = Set.of("instance", "job", "node", "region", "role");

    private static final String OWN_RULES = "promguard";
    private static final int LONGEST_TEXT = 1 << 20;
    private static final int LONGEST_VALUE = 1024;
    private static final Pattern LABEL = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
    private static final Pattern JOB = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,62}");
    private static final Pattern RULES = Pattern.compile("[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?");
    private static final Pattern PATH = Pattern.compile("/[A-Za-z0-9/._~%-]{0,255}");
    private static final Pattern TARGET =
            Pattern.compile("([A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]{2,45}]):([0-9]{1,5})");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,19})(B|KB|MB|GB|TB|PB|EB)");
    private static final List<String> UNITS = List.of("B", "KB", "MB", "GB", "TB", "PB", "EB");

    /** Prometheus never has less than two segments of its log, of 128 MB each. */
    private static final BigInteger SMALLEST = BigInteger.valueOf(256L << 20);

    private PrometheusChecks() {}

    /**
     * Checks an interval of scrapes.
     *
     * @param field what the interval is called, such as {@code scrapeInterval}
     * @param value the interval
     * @return the problems
     */
    public static List<String> interval(String field, Duration value) {
        return ValueChecks.check(
                isWithin(value, Duration.ofSeconds(1), Duration.ofHours(1)),
                field + ' ' + value + " is out of range: use whole seconds from 1 s to 1 h");
    }

    /**
     * Checks how long samples are kept.
     *
     * @param value the time
     * @return the problems
     */
    public static List<String> retention(Duration value) {
        return ValueChecks.check(
                isWithin(value, Duration.ofHours(2), Duration.ofDays(36_500)),
                "retention " + value + " is out of range: use whole seconds from 2 h to 36500 d");
    }

    private static boolean isWithin(Duration value, Duration least, Duration most) {
        return value.compareTo(least) >= 0 && value.compareTo(most) <= 0 && value.toNanosPart() == 0;
    }

    /**
     * Checks how much room samples may take.
     *
     * @param value the size
     * @return the problems
     */
    public static List<String> retentionSize(String value) {
        String subject = "retentionSize " + Names.quote(value);
        Matcher matcher = SIZE.matcher(value);
        if (!matcher.matches()) {
            return List.of(subject + " is not a valid size: use a whole number and one of " + String.join(", ", UNITS)
                    + ", such as 10GB");
        }
        BigInteger bytes = new BigInteger(matcher.group(1)).shiftLeft(10 * UNITS.indexOf(matcher.group(2)));
        if (bytes.compareTo(SMALLEST) < 0) {
            return List.of(subject + " is less than Prometheus' own log may take: use at least 256MB");
        }
        return ValueChecks.check(
                bytes.bitLength() <= 63, subject + " is more than Prometheus can count: use at most 7EB");
    }

    /**
     * Checks a label of all that leaves Prometheus.
     *
     * @param name the label's name
     * @param value the label's value
     * @return the problems
     */
    public static List<String> externalLabel(String name, String value) {
        String subject = "externalLabel " + Names.quote(name);
        List<String> problems = new ArrayList<>(labelName("externalLabel", name));
        if (name.equals("replica") || name.equals("shard")) {
            problems.add(subject + " is set by PromGuard to a monitor's name: choose another name");
        } else if (TARGET_LABELS.contains(name)) {
            problems.add(subject
                    + " would have no effect, since every target has a label of that name: choose another name");
        }
        problems.addAll(labelValue("externalLabel", name, value));
        if (value.indexOf('$') >= 0) {
            problems.add(
                    subject + " has the value " + Names.quote(value)
                            + ", in which Prometheus would replace what follows the dollar sign: use a value without a dollar sign");
        }
        return problems;
    }

    /**
     * Checks a label of a scrape job's samples.
     *
     * @param field what the label is called, such as {@code label}
     * @param name the label's name
     * @param value the label's value
     * @return the problems
     */
    public static List<String> label(String field, String name, String value) {
        List<String> problems = new ArrayList<>(labelName(field, name));
        if (name.equals("job")) {
            problems.add(field + " \"job\" is set by Prometheus to the job's name: choose another name");
        }
        problems.addAll(labelValue(field, name, value));
        return problems;
    }

    private static List<String> labelName(String field, String name) {
        String subject = field + ' ' + Names.quote(name);
        if (!LABEL.matcher(name).matches()) {
            return List.of(
                    subject
                            + " is not a valid label name: use 1 to 128 letters, digits and underscores, not starting with a digit");
        }
        return ValueChecks.check(
                !name.startsWith("__"),
                subject + " is reserved for Prometheus: use a name that does not start with two underscores");
    }

    private static List<String> labelValue(String field, String name, String value) {
        return ValueChecks.check(
                !value.isEmpty() && value.length() <= LONGEST_VALUE && Names.isPrintable(value),
                field + ' ' + Names.quote(name) + " has the value " + Names.quote(value)
                        + ", which is not valid: use 1 to " + LONGEST_VALUE + " printable characters");
    }

    /**
     * Checks a file of rules. What the rules say is checked on the monitor.
     *
     * @param file the file
     * @return the problems
     */
    public static List<String> rules(RuleFile file) {
        String subject = "rules " + Names.quote(file.name());
        List<String> problems = new ArrayList<>();
        if (!RULES.matcher(file.name()).matches()) {
            problems.add(
                    subject + " is not a valid name of a rule file: use 1 to 63 lower-case letters, digits, dashes and"
                            + " underscores, starting and ending with a letter or digit, without a file extension");
        } else if (file.name().equals(OWN_RULES)) {
            problems.add(subject + " is the name of PromGuard's own rules: choose another name");
        }
        if (file.text().isBlank()) {
            problems.add(subject + " is empty: give it rules, or leave it out");
        } else if (file.text().length() > LONGEST_TEXT) {
            problems.add(subject + " has " + file.text().length() + " characters: split it into files of at most "
                    + LONGEST_TEXT);
        }
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(file.text())) {
            problems.add(subject + " has half of a surrogate pair, which UTF-8 cannot say: give it whole characters");
        }
        return problems;
    }

    /**
     * Checks an Alertmanager's URI.
     *
     * @param value the URI
     * @return the problems
     */
    public static List<String> alertmanager(URI value) {
        List<String> problems = server("alertmanager", value);
        return !problems.isEmpty() || value.getRawQuery() == null
                ? problems
                : List.of("alertmanager " + shown(value) + " has a query: leave out what follows the question mark");
    }

    /**
     * Checks the URI of a server that takes samples.
     *
     * @param value the URI
     * @return the problems
     */
    public static List<String> remoteWrite(URI value) {
        return server("remoteWrite", value);
    }

    private static List<String> server(String field, URI uri) {
        String subject = field + ' ' + shown(uri);
        String scheme = uri.getScheme();
        if (!"http".equals(scheme) && !"https".equals(scheme)) {
            return List.of(subject + " is not an http or https URI: use a URI that starts with http:// or https://");
        }
        if (!Names.isPrintable(uri.toString())) {
            return List.of(subject
                    + " has a character that is not printable: use percent-encoding, such as %C2%AD, or leave it"
                    + " out");
        }
        if (uri.getRawUserInfo() != null) {
            return List.of(subject
                    + " holds a user name: leave it out, and where there are credentials give them beside the URI");
        }
        if (uri.getHost() == null || uri.getPort() > 65_535 || uri.getPort() == 0) {
            return List.of(subject + " has no valid host and port: use the form https://host.example/path");
        }
        return ValueChecks.check(
                uri.getRawFragment() == null, subject + " has a fragment: leave out what follows the #");
    }

    /**
     * Shows a URI without what might be a password.
     *
     * @param uri any URI
     * @return the URI as a text, with {@code …} in the place of user and password
     */
    public static String redacted(URI uri) {
        return uri.toString().replaceFirst("//[^/?#]*@", "//…@");
    }

    static String shown(URI uri) {
        return Names.quote(redacted(uri));
    }

    /**
     * Checks the name of a scrape job beside those of the mesh.
     *
     * @param value the name
     * @return the problems
     */
    public static List<String> jobName(String value) {
        String subject = scrape(value);
        if (!JOB.matcher(value).matches()) {
            return List.of(
                    subject + " is not a valid job name: use 1 to 63 letters, digits, dots, dashes and underscores,"
                            + " starting with a letter or digit");
        }
        return ValueChecks.check(
                !ValueChecks.isOwnJob(value),
                subject + " is the name of a job that every mesh has: choose another name");
    }

    /**
     * Checks one target.
     *
     * @param field what the target is called, such as {@code target}
     * @param value the target
     * @return the problems
     */
    public static List<String> target(String field, String value) {
        Matcher matcher = TARGET.matcher(value);
        return ValueChecks.check(
                matcher.matches()
                        && Integer.parseInt(matcher.group(3)) >= 1
                        && Integer.parseInt(matcher.group(3)) <= 65_535,
                field + ' ' + Names.quote(value)
                        + " is not a host with a port: use the form db.example:9187, without a scheme or a path");
    }

    /**
     * Checks that a scrape job has targets, each once.
     *
     * @param job the job
     * @return the problems
     */
    public static List<String> targets(ScrapeJob job) {
        String subject = scrape(job.name());
        if (job.targets().isEmpty()) {
            return List.of(subject + " has no target: give it one, such as targets(\"db.example:9187\")");
        }
        List<String> problems = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (String target : job.targets()) {
            if (!seen.add(target)) {
                problems.add(subject + ": target " + Names.quote(target) + " is given twice: give each target once");
            }
        }
        return problems;
    }

    /**
     * Checks the path of a scrape job's metrics.
     *
     * @param field what the path is called, such as {@code path}
     * @param value the path
     * @return the problems
     */
    public static List<String> path(String field, String value) {
        return ValueChecks.check(
                PATH.matcher(value).matches(),
                field + ' ' + Names.quote(value)
                        + " is not a valid path: use a path such as /metrics, without a query");
    }

    /**
     * Checks a scrape job's scheme.
     *
     * @param field what the scheme is called, such as {@code scheme}
     * @param value the scheme
     * @return the problems
     */
    public static List<String> scheme(String field, String value) {
        return ValueChecks.check(
                value.equals("http") || value.equals("https"),
                field + ' ' + Names.quote(value) + " is not a valid scheme: use http or https");
    }

    static String scrape(String job) {
        return "scrape " + Names.quote(job);
    }
}
