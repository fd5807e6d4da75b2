package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Names;
import dev.promguard.host.HostFacts.FileFact;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Files with a content, a mode and an owner. Each is replaced whole; one that is no longer desired is removed. */
public final class ManagedFiles implements Resource {
    static final ManagedFiles RESOURCE = new ManagedFiles();
    static final String UNIT_FOLDER = "/etc/systemd/system/";
    private static final String WIREGUARD_FOLDER = "/etc/wireguard/";
    private static final int LONGEST_WORD = 40;
    private static final Pattern OWNER = Pattern.compile("[a-z_][a-z0-9_-]{0,30}");
    private static final Pattern REMOVABLE = Pattern.compile("(/[A-Za-z0-9_@+-][A-Za-z0-9_@.+-]*){3,}");

    private ManagedFiles() {}

    /**
     * Replaces a file.
     *
     * @param file the file
     */
    public record Write(ManagedFile file) implements Change {
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
        public boolean risky() {
            return file.path().startsWith(WIREGUARD_FOLDER) || file.path().equals(KillSwitch.UNIT_FILE);
        }

        @Override
        public ShellCall call(NewKeys keys) {
            Forms.require(OWNER, file.owner(), file.path() + ": owner", "a user's name");
            List<String> arguments = new ArrayList<>(
                    List.of(file.path(), String.format(Locale.ROOT, "%04o", file.mode()), file.owner()));
            arguments.addAll(file.check());
            return ShellCall.of("apply_file", arguments).reading(new ShellCall.Input.Text(file.content()));
        }
    }

    /**
     * Removes a file, or the folder of a release, that PromGuard had put there.
     *
     * @param path the absolute path
     */
    public record Remove(String path) implements Change {
        /**
         * Checks that it is there.
         *
         * @throws NullPointerException if it is null
         */
        public Remove {
            Objects.requireNonNull(path, "path");
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.REMOVE;
        }

        @Override
        public String subject() {
            return path;
        }

        @Override
        public String describe() {
            return "remove " + path;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("undo_file", Forms.require(REMOVABLE, path, "path", "one that PromGuard writes"));
        }
    }

    @Override
    public String id() {
        return "file";
    }

    @Override
    public String shellFile() {
        return "files.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        desired.files().forEach(file -> query.file(file.path(), Hashes.of(file.content())));
    }

    static void write(Comparison comparison) {
        for (ManagedFile file : comparison.desired().files()) {
            if (differs(file, comparison.facts())) {
                comparison.add(new Write(file), file.path());
            }
        }
    }

    /** Removes what is no longer desired, once nothing reads it any more. Unit files go with their units. */
    static void remove(Comparison comparison) {
        obsolete(comparison).stream()
                .filter(path -> !path.startsWith(UNIT_FOLDER))
                .forEach(path -> comparison.add(new Remove(path)));
    }

    /** What PromGuard put there and is no longer desired, in order. */
    static List<String> obsolete(Comparison comparison) {
        Set<String> obsolete = new TreeSet<>(comparison.facts().kept());
        comparison.desired().allFiles().forEach(file -> obsolete.remove(file.path()));
        comparison.desired().releases().forEach(install -> obsolete.remove(install.folder()));
        return List.copyOf(obsolete);
    }

    static boolean differs(ManagedFile file, HostFacts facts) {
        FileFact fact = facts.files().get(file.path());
        return fact == null
                || fact.mode() != file.mode()
                || !fact.owner().equals(file.owner() + ':' + file.owner())
                || !fact.sha256().equals(Hashes.of(file.content()));
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        if (change instanceof Write write) {
            String left = drift.left().files().get(write.file().path());
            FileFact fact = drift.facts().files().get(write.file().path());
            return left != null && (fact == null || !left.equals(LastApplied.mark(fact)));
        }
        return false;
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        if (!(change instanceof Write write)) {
            return List.of(
                    ExplainedChange.of(change, false, change.describe()).between("present", ExplainedChange.ABSENT));
        }
        ManagedFile file = write.file();
        FileFact fact = explanation.facts().files().get(file.path());
        boolean differs = fact == null || !fact.sha256().equals(Hashes.of(file.content()));
        Optional<String> before = fact == null ? Optional.of("") : before(file, fact, explanation.expected());
        Optional<FileDiff> diff = before.map(content -> FileDiff.between(content, file.content()));
        List<String> parts = new ArrayList<>();
        boolean isDrift = explanation.isDrift(change);
        if (fact == null) {
            parts.add(
                    isDrift
                            ? "is gone"
                            : "new, " + Names.counted(diff.map(FileDiff::added).orElse(0), "line"));
        } else {
            if (differs) {
                parts.add(
                        before.isPresent() ? summary(file, before.get(), diff.orElseThrow(), explanation) : "differs");
            }
            parts.addAll(attributes(file, fact));
        }
        String text = file.path() + "   " + String.join(", ", parts);
        if (isDrift) {
            boolean specChanged =
                    !LastApplied.mark(file).equals(explanation.left().files().get(file.path()));
            text += " (drift)   → " + (specChanged ? "as the spec says now" : Explanation.PUT_BACK);
        }
        return List.of(ExplainedChange.of(change, isDrift, text)
                .withAction(fact == null ? Change.Action.CREATE : Change.Action.UPDATE)
                .between(
                        fact == null
                                ? ExplainedChange.ABSENT
                                : Hashes.shown(fact.sha256()) + ' ' + attributes(fact.mode(), fact.owner()),
                        sum(file, explanation) + ' ' + attributes(file.mode(), file.owner() + ':' + file.owner()))
                .withDiff(
                        differs
                                ? diff.map(
                                        found -> SymbolicKeys.shown(found.unified(file.path()), explanation.newKeys()))
                                : Optional.empty()));
    }

    /** The sum of a file as it will be, unless it holds a key that is made only then. */
    private static String sum(ManagedFile file, Explanation explanation) {
        return SymbolicKeys.shown(file.content(), explanation.newKeys()).equals(file.content())
                ? Hashes.shown(Hashes.of(file.content()))
                : ExplainedChange.KNOWN_AFTER_APPLY;
    }

    static String attributes(int mode, String owner) {
        return String.format(Locale.ROOT, "%04o %s", mode, Printable.line(owner, LONGEST_WORD));
    }

    /** What is in a file on the host: as the host sent it, or as it was expected to be where the sum says that it is. */
    private static Optional<String> before(ManagedFile file, FileFact fact, Map<String, String> expected) {
        return fact.content()
                .or(() -> Stream.of(Objects.requireNonNullElse(expected.get(file.path()), ""), file.content(), "")
                        .filter(content -> Hashes.of(content).equals(fact.sha256()))
                        .findFirst());
    }

    private static String summary(ManagedFile file, String before, FileDiff diff, Explanation explanation) {
        List<String> parts = FileSummary.of(file.path(), before, file.content(), explanation.newKeys());
        return parts.isEmpty() ? "+" + diff.added() + " -" + diff.removed() + " lines" : String.join(", ", parts);
    }

    private static List<String> attributes(ManagedFile file, FileFact fact) {
        List<String> parts = new ArrayList<>();
        if (fact.mode() != file.mode()) {
            parts.add(String.format(Locale.ROOT, "mode %04o instead of %04o", fact.mode(), file.mode()));
        }
        String owner = file.owner() + ':' + file.owner();
        if (!fact.owner().equals(owner)) {
            parts.add("owner " + Printable.line(fact.owner(), LONGEST_WORD) + " instead of " + owner);
        }
        return parts;
    }

    /** The contents of a host's files that people may see, by path. */
    static Map<String, String> contents(DesiredHost host) {
        Map<String, String> contents = new HashMap<>();
        host.allFiles().forEach(file -> contents.put(file.path(), file.content()));
        return contents;
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        String path = change.subject();
        return path.startsWith(ReleaseInstall.HOME)
                ? known.toBuilder()
                        .withoutRelease(path.substring(ReleaseInstall.HOME.length()))
                        .build()
                : known.toBuilder().withoutFile(path).build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        desired.files().forEach(left::file);
    }
}
