package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Debian packages. They are installed, and never removed. */
public final class Packages implements Resource {
    static final Packages RESOURCE = new Packages();
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9+.-]{0,100}");

    private static final String INSTALLED = "installed";

    private Packages() {}

    /**
     * Installs packages.
     *
     * @param packages their names
     */
    public record Install(List<String> packages) implements Change {
        /** Copies the list. */
        public Install {
            packages = List.copyOf(packages);
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.CREATE;
        }

        @Override
        public String subject() {
            return String.join(", ", packages);
        }

        @Override
        public String describe() {
            return "install " + String.join(", ", packages);
        }

        @Override
        public ShellCall call(NewKeys keys) {
            packages.forEach(name -> Forms.require(NAME, name, "package", "a Debian package's name"));
            return ShellCall.of("apply_packages", packages);
        }
    }

    @Override
    public String id() {
        return "package";
    }

    @Override
    public String shellFile() {
        return "packages.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.packages(desired.packages());
    }

    static void install(Comparison comparison) {
        List<String> missing = comparison.desired().packages().stream()
                .filter(name -> !comparison.facts().packages().containsKey(name))
                .toList();
        if (!missing.isEmpty()) {
            comparison.add(new Install(missing));
        }
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        return drift.left().packages().containsAll(((Install) change).packages());
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        List<String> packages = ((Install) change).packages();
        List<String> gone = packages.stream()
                .filter(explanation.left().packages()::contains)
                .toList();
        List<String> fresh =
                packages.stream().filter(name -> !gone.contains(name)).toList();
        List<ExplainedChange> explained = new ArrayList<>();
        if (!gone.isEmpty()) {
            explained.add(ExplainedChange.of(
                            new Install(gone),
                            true,
                            (gone.size() == 1 ? "package " : "packages ") + String.join(", ", gone)
                                    + (gone.size() == 1 ? " is" : " are") + " gone (drift)   → "
                                    + Explanation.PUT_BACK)
                    .between(ExplainedChange.ABSENT, INSTALLED));
        }
        if (!fresh.isEmpty()) {
            Install install = new Install(fresh);
            explained.add(
                    ExplainedChange.of(install, false, install.describe()).between(ExplainedChange.ABSENT, INSTALLED));
        }
        return explained;
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        return known.toBuilder().withoutPackages(((Install) change).packages()).build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        left.packages(desired.packages());
    }
}
