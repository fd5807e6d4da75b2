package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.host.HostFacts.FileFact;
import java.util.List;
import java.util.Locale;

/** Files that hold a secret each. Of such a file only its sum is compared, and only that it was there is remembered. */
public final class SecretFiles implements Resource {
    static final SecretFiles RESOURCE = new SecretFiles();

    private SecretFiles() {}

    /**
     * Replaces a file that holds a secret. The record never prints it.
     *
     * @param file the file
     */
    public record Write(SecretFile file) implements Change {
        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.UPDATE;
        }

        @Override
        public String subject() {
            return file.path();
        }

        @Override
        public String describe() {
            return "write " + file.path();
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of(
                            "apply_secret",
                            file.path(),
                            String.format(Locale.ROOT, "%04o", SecretFile.MODE),
                            file.group())
                    .reading(new ShellCall.Input.SecretLine(file.content()));
        }
    }

    @Override
    public String id() {
        return "secret";
    }

    @Override
    public String shellFile() {
        return "secrets.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.files(desired.secretFiles().stream().map(SecretFile::path).toList());
    }

    static void write(Comparison comparison) {
        for (SecretFile file : comparison.desired().secretFiles()) {
            FileFact fact = comparison.facts().files().get(file.path());
            if (fact == null
                    || hasOtherAttributes(file, fact)
                    || !fact.sha256().equals(file.content().use(Hashes::ofLine))) {
                comparison.add(new Write(file));
            }
        }
    }

    private static boolean hasOtherAttributes(SecretFile file, FileFact fact) {
        return fact.mode() != SecretFile.MODE || !fact.owner().equals(file.owner());
    }

    /** Whether the spec has another secret now cannot be told: sums of secrets are not kept. */
    @Override
    public boolean isDrift(Change change, Drift drift) {
        SecretFile file = ((Write) change).file();
        FileFact fact = drift.facts().files().get(file.path());
        return drift.left().files().containsKey(file.path()) && (fact == null || hasOtherAttributes(file, fact));
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        FileFact fact = explanation.facts().files().get(change.subject());
        SecretFile file = ((Write) change).file();
        return List.of(explanation
                .explained(
                        change,
                        change.subject()
                                + (fact == null
                                        ? " is gone"
                                        : " has " + ManagedFiles.attributes(fact.mode(), fact.owner()) + " instead of "
                                                + ManagedFiles.attributes(SecretFile.MODE, file.owner())),
                        Explanation.PUT_BACK)
                .withAction(fact == null ? Change.Action.CREATE : Change.Action.UPDATE)
                .between(
                        fact == null ? ExplainedChange.ABSENT : ManagedFiles.attributes(fact.mode(), fact.owner()),
                        ManagedFiles.attributes(SecretFile.MODE, file.owner())));
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        return known.toBuilder().withoutFile(change.subject()).build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        desired.secretFiles().forEach(file -> left.secretFile(file.path()));
    }
}
