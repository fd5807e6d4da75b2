package dev.promguard.blueprint;

import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.blueprint.PrometheusSpec.RuleFile;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import java.math.BigInteger;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds everything in Prometheus' settings that cannot be, so that Prometheus itself never has to refuse them on a host. */
final class PrometheusFaults {
    /** Jobs that the mesh itself has. */
    private static final Set<String> OWN_JOBS = Set.of("prometheus", "node");

    /** Labels that targets of the mesh carry already, which an external label of the same name would never replace. */
    private static final Set<String> TARGET_LABELS = Set.of("instance", "job", "node", "region", "role");

    private static final String OWN_RULES = "promguard";
    private static final int LONGEST_TEXT = 1 << 20;
    private static final int LONGEST_VALUE = 1024;
    private static final Pattern LABEL = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
    private static final Pattern PRINTABLE = Pattern.compile("[^\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}]*");
    private static final Pattern JOB = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,62}");
    private static final Pattern RULES = Pattern.compile("[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?");
    private static final Pattern PATH = Pattern.compile("/[A-Za-z0-9/._~%-]{0,255}");
    private static final Pattern TARGET =
            Pattern.compile("([A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]{2,45}]):([0-9]{1,5})");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,19})(B|KB|MB|GB|TB|PB|EB)");
    private static final List<String> UNITS = List.of("B", "KB", "MB", "GB", "TB", "PB", "EB");

    /** Prometheus never has less than two segments of its log, of 128 MB each. */
    private static final BigInteger SMALLEST = BigInteger.valueOf(256L << 20);

    private static final Duration SHORTEST = Duration.ofHours(2);
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private final List<String> faults = new ArrayList<>();

    private PrometheusFaults() {}

    static List<String> of(PrometheusSpec spec) {
        PrometheusFaults all = new PrometheusFaults();
        all.interval("scrapeInterval", spec.scrapeInterval());
        if (!spec.release().name().equals("prometheus")) {
            all.faults.add("prometheus release " + Names.quote(spec.release().name())
                    + " is another program: give a release named prometheus");
        }
        spec.retention().ifPresent(all::retention);
        spec.retentionSize().ifPresent(all::retentionSize);
        all.externalLabels(spec.externalLabels());
        all.ruleFiles(spec.ruleFiles());
        Set<URI> seen = new HashSet<>();
        for (URI uri : spec.alertmanagers()) {
            all.server("alertmanager", uri, seen);
            if (uri.getRawQuery() != null) {
                all.faults.add(
                        "alertmanager " + shown(uri) + " holds a query: leave out what follows the question mark");
            }
        }
        all.scrapeJobs(spec.scrapeJobs());
        seen.clear();
        for (RemoteWrite write : spec.remoteWrites()) {
            all.server("remoteWrite", write.uri(), seen);
        }
        return all.faults;
    }

    private void interval(String field, Duration interval) {
        if (interval.compareTo(Duration.ofSeconds(1)) < 0
                || interval.compareTo(Duration.ofHours(1)) > 0
                || interval.toNanosPart() != 0) {
            faults.add(field + " " + interval + " is out of range: use whole seconds from 1 s to 1 h");
        }
    }

    private void retention(Duration retention) {
        if (retention.compareTo(SHORTEST) < 0 || retention.compareTo(LONGEST) > 0 || retention.toNanosPart() != 0) {
            faults.add("retention " + retention + " is out of range: use whole seconds from 2 h to 36500 d");
        }
    }

    private void retentionSize(String size) {
        Matcher matcher = SIZE.matcher(size);
        if (!matcher.matches()) {
            faults.add("retentionSize " + Names.quote(size) + " is not a size: use a whole number and one of "
                    + String.join(", ", UNITS) + ", such as 10GB");
            return;
        }
        BigInteger bytes = new BigInteger(matcher.group(1)).shiftLeft(10 * UNITS.indexOf(matcher.group(2)));
        if (bytes.compareTo(SMALLEST) < 0) {
            faults.add("retentionSize " + Names.quote(size)
                    + " is less than Prometheus' own log may take: use at least 256MB");
        } else if (bytes.bitLength() > 63) {
            faults.add("retentionSize " + Names.quote(size) + " is more than Prometheus can count: use at most 7EB");
        }
    }

    private void externalLabels(Map<String, String> labels) {
        labels.forEach((name, value) -> {
            labelName("externalLabel", name);
            if (name.equals("replica") || name.equals("shard")) {
                faults.add("externalLabel " + Names.quote(name)
                        + " is PromGuard's own, a monitor's name: choose another name");
            } else if (TARGET_LABELS.contains(name)) {
                faults.add("externalLabel " + Names.quote(name)
                        + " would never be seen, since every target has a label of that name: choose another name");
            }
            labelValue("externalLabel", name, value);
            if (value.indexOf('$') >= 0) {
                faults.add(
                        "externalLabel " + Names.quote(name) + " has the value " + Names.quote(value)
                                + ", in which Prometheus takes what follows the dollar sign for a variable: leave out the dollar sign");
            }
        });
    }

    private void labelName(String field, String name) {
        if (!LABEL.matcher(name).matches()) {
            faults.add(
                    field + " " + Names.quote(name)
                            + " cannot be a label's name: use at most 128 letters, digits and underscores, not starting with a digit");
        } else if (name.startsWith("__")) {
            faults.add(field + " " + Names.quote(name)
                    + " is Prometheus' own: use a name that does not start with two underscores");
        }
    }

    private void labelValue(String field, String name, String value) {
        if (value.isEmpty()
                || value.length() > LONGEST_VALUE
                || !PRINTABLE.matcher(value).matches()) {
            faults.add(field + " " + Names.quote(name) + " has the value " + Names.quote(value)
                    + ", which cannot be a label's: use 1 to 1024 printable characters");
        }
    }

    private void ruleFiles(List<RuleFile> files) {
        Set<String> seen = new HashSet<>(Set.of(OWN_RULES));
        for (RuleFile file : files) {
            if (!RULES.matcher(file.name()).matches()) {
                faults.add("rules " + Names.quote(file.name())
                        + " cannot be a rule file's name: use at most 63 lower-case letters, digits, dashes and underscores,"
                        + " without an ending");
            } else if (file.name().equals(OWN_RULES)) {
                faults.add(
                        "rules " + Names.quote(file.name()) + " is the name of PromGuard's own rules: choose another");
            } else if (!seen.add(file.name())) {
                faults.add(
                        "rules " + Names.quote(file.name()) + " stands twice: give each rule file a name of its own");
            }
            if (file.text().isBlank()) {
                faults.add("rules " + Names.quote(file.name()) + " is empty: give it rules, or leave it out");
            } else if (file.text().length() > LONGEST_TEXT) {
                faults.add("rules " + Names.quote(file.name()) + " has "
                        + file.text().length() + " characters: split it in files of at most " + LONGEST_TEXT);
            }
        }
    }

    private void scrapeJobs(List<ScrapeJob> jobs) {
        Set<String> seen = new HashSet<>();
        for (ScrapeJob job : jobs) {
            String of = "scrape " + Names.quote(job.name());
            if (!JOB.matcher(job.name()).matches()) {
                faults.add(of + " cannot be a job's name: use at most 63 letters, digits, dots, dashes and underscores,"
                        + " starting with a letter or digit");
            } else if (OWN_JOBS.contains(job.name())) {
                faults.add(of + " is the name of a job of the mesh: choose another");
            } else if (!seen.add(job.name())) {
                faults.add(of + " stands twice: give each job a name of its own");
            }
            if (job.targets().isEmpty()) {
                faults.add(of + " has no target: give it one, such as targets(\"db.example:9187\")");
            }
            Set<String> targets = new HashSet<>();
            for (String target : job.targets()) {
                Matcher matcher = TARGET.matcher(target);
                if (!matcher.matches()
                        || Integer.parseInt(matcher.group(3)) < 1
                        || Integer.parseInt(matcher.group(3)) > 65_535) {
                    faults.add(of + ": target " + Names.quote(target)
                            + " is not a host with a port: use the form db.example:9187, without a scheme or a path");
                } else if (!targets.add(target)) {
                    faults.add(of + ": target " + Names.quote(target) + " stands twice: name each target once");
                }
            }
            job.interval().ifPresent(interval -> interval(of + ": interval", interval));
            if (!PATH.matcher(job.path()).matches()) {
                faults.add(of + ": path " + Names.quote(job.path())
                        + " cannot be a path: use the form /metrics, without a query");
            }
            if (!job.scheme().equals("http") && !job.scheme().equals("https")) {
                faults.add(of + ": scheme " + Names.quote(job.scheme()) + " cannot be scraped: use http or https");
            }
            job.labels().forEach((name, value) -> {
                labelName(of + ": label", name);
                if (name.equals("job")) {
                    faults.add(of + ": label \"job\" is the job's name: choose another name");
                }
                labelValue(of + ": label", name, value);
            });
        }
    }

    private void server(String field, URI uri, Set<URI> seen) {
        String scheme = uri.getScheme();
        if (!"http".equals(scheme) && !"https".equals(scheme)) {
            faults.add(
                    field + " " + shown(uri) + " cannot be spoken to: use a URI that starts with http:// or https://");
        } else if (!Names.isPrintable(uri.toString())) {
            faults.add(
                    field + " " + shown(uri)
                            + " holds a character that cannot be seen: write it as bytes of UTF-8, such as %C2%AD, or leave it out");
        } else if (uri.getRawUserInfo() != null) {
            faults.add(field + " " + shown(uri)
                    + " holds a user name: take it out, and where there are credentials give them beside the URI");
        } else if (uri.getHost() == null || uri.getPort() > 65_535 || uri.getPort() == 0) {
            faults.add(field + " " + shown(uri) + " names no host: use the form https://host.example/path");
        } else if (uri.getRawFragment() != null) {
            faults.add(field + " " + shown(uri) + " holds a fragment: leave out what follows the #");
        } else if (!seen.add(uri)) {
            faults.add(field + " " + shown(uri) + " stands twice: name each server once");
        }
    }

    /** A URI without what might be a password. */
    private static String shown(URI uri) {
        return Names.quote(uri.toString().replaceFirst("//[^/?#]*@", "//…@"));
    }
}
