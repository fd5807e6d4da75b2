package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import inet.ipaddr.IPAddressString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The names of the mesh's hosts in {@code /etc/hosts}, where the spec asks for them: a block between two marker lines, before all else in
 * the file, so that its addresses come first. All that lies outside the block is left as it is. Of a marker line without its other half
 * it cannot be known which lines belong to it: it is removed alone, and they stay.
 */
public final class HostsFile implements Resource {
    static final HostsFile RESOURCE = new HostsFile();

    /** The file. */
    public static final String PATH = "/etc/hosts";

    /** What is asked of a host about it. */
    public static final ResourceFacts<Blocks> FACTS =
            ResourceFacts.of("hosts-file", Blocks.class, Blocks.NONE, Reader::new);

    private static final String BEGIN = "# BEGIN PromGuard";
    private static final String END = "# END PromGuard";
    private static final int LARGEST_CONTENT = 65_536;
    private static final int MOST_OTHERS = 50;
    private static final int MOST_NAMED = 3;

    private HostsFile() {}

    /**
     * What the file holds.
     *
     * @param count how many whole blocks, from a marker line to its other half
     * @param unpaired how many marker lines without their other half
     * @param sha256 the SHA-256 of all blocks together in lower-case hex; empty if there is none
     * @param content all blocks together, where their sum is not the expected one and they are at most 65,536 bytes long; else empty.
     *     Anybody who may write the file may have written it
     * @param others the addresses of names below the mesh's domain outside the blocks, by name, at most 50
     */
    public record Blocks(
            int count,
            int unpaired,
            Optional<String> sha256,
            Optional<String> content,
            Map<String, List<String>> others) {
        /** No block. */
        public static final Blocks NONE = new Blocks(0, 0, Optional.empty(), Optional.empty(), Map.of());

        /**
         * Copies the map.
         *
         * @throws NullPointerException if something is null
         */
        public Blocks {
            Objects.requireNonNull(sha256, "sha256");
            Objects.requireNonNull(content, "content");
            others = Map.copyOf(others);
        }

        private boolean isOnly(String block) {
            return hasOnly(Hashes.of(block));
        }

        private boolean hasOnly(String sum) {
            return count == 1 && unpaired == 0 && sha256.equals(Optional.of(sum));
        }

        /**
         * The blocks without their content, which may hold what somebody put there by hand.
         *
         * @return numbers and sum
         */
        @Override
        public String toString() {
            return "Blocks[count=" + count + ", unpaired=" + unpaired + ", sha256=" + sha256.orElse("none")
                    + ", others=" + others.size() + ']';
        }
    }

    private static final class Reader implements ResourceFacts.Reader<Blocks> {
        private static final Pattern SUM = Pattern.compile("[0-9a-f]{64}");
        private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/]*={0,2}");
        private static final Pattern ADDRESS = Pattern.compile("[0-9a-fA-F.:]{1,45}");
        private static final Pattern NAME = Pattern.compile("[a-z0-9.-]{1,200}");

        private int count;
        private int unpaired;
        private @Nullable String sha256;
        private final StringBuilder content = new StringBuilder();
        private final Map<String, List<String>> others = new HashMap<>();
        private int addresses;

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            switch (line.kind()) {
                case "blocks" -> {
                    count = line.fields(2).number(1);
                    unpaired = line.number(2);
                }
                case "sum" -> sha256 = line.fields(1).field(1, SUM);
                case "content" -> {
                    content.append(line.fields(1).field(1, BASE64));
                    if (content.length() > (LARGEST_CONTENT + 2) / 3 * 4) {
                        throw new MalformedFactsException("blocks in " + PATH, "more than was asked for");
                    }
                }
                case "other" -> {
                    String address = line.fields(2).field(1, ADDRESS);
                    others.computeIfAbsent(line.field(2, NAME), name -> new ArrayList<>())
                            .add(address);
                    if (++addresses > MOST_OTHERS) {
                        throw new MalformedFactsException("other lines of " + PATH, "more than was asked for");
                    }
                }
                default -> throw line.unknown();
            }
        }

        @Override
        public Blocks facts() throws MalformedFactsException {
            if ((count > 0) != (sha256 != null)) {
                throw new MalformedFactsException("blocks in " + PATH, count + " with sum " + sha256);
            }
            Map<String, List<String>> copy = new HashMap<>();
            others.forEach((name, all) -> copy.put(name, List.copyOf(all)));
            return new Blocks(count, unpaired, Optional.ofNullable(sha256), decoded(), copy);
        }

        /** The content; empty if it was not sent, or only a part of it since it is long. */
        private Optional<String> decoded() throws MalformedFactsException {
            try {
                String text = new String(Base64.getDecoder().decode(content.toString()), StandardCharsets.UTF_8);
                return Optional.of(text).filter(all -> Hashes.of(all).equals(sha256));
            } catch (IllegalArgumentException e) {
                MalformedFactsException malformed =
                        new MalformedFactsException("blocks in " + PATH, "this is not base64");
                malformed.initCause(e);
                throw malformed;
            }
        }
    }

    /**
     * Puts the block into the file, and removes all others that are there.
     *
     * @param block the block with its marker lines
     * @param names how many names it holds
     */
    public record Write(String block, int names) implements Change {
        /**
         * Checks that the block is there.
         *
         * @throws NullPointerException if it is null
         */
        public Write {
            Objects.requireNonNull(block, "block");
        }

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
            return PATH;
        }

        @Override
        public String describe() {
            return "write " + Names.counted(names, "name") + " to " + PATH;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("apply_hosts_file").reading(new ShellCall.Input.Text(block));
        }
    }

    /** Removes every block from the file. */
    public record Remove() implements Change {
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
            return PATH;
        }

        @Override
        public String describe() {
            return "remove the mesh's names from " + PATH;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("undo_hosts_file");
        }
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "hostsfile.sh";
    }

    /** The names below the mesh's domain with their addresses; empty where the spec does not ask for them. */
    private static Map<String, String> names(Blueprint blueprint) {
        Map<String, String> names = new HashMap<>();
        if (blueprint.spec().hostsFile()) {
            blueprint.hosts().forEach(host -> names.put(host.name() + domain(blueprint), host.address()));
        }
        return names;
    }

    private static String domain(Blueprint blueprint) {
        return '.' + blueprint.mesh() + ".mesh";
    }

    /** The block that should be there. */
    private static Optional<String> block(Blueprint blueprint) {
        if (!blueprint.spec().hostsFile()) {
            return Optional.empty();
        }
        StringBuilder block = new StringBuilder();
        block.append(BEGIN).append('\n');
        block.append("# The hosts of mesh ").append(blueprint.mesh());
        block.append(". All between this block's first and last line is replaced.\n");
        blueprint
                .hosts()
                .forEach(host -> block.append(host.address())
                        .append(' ')
                        .append(host.name())
                        .append(domain(blueprint))
                        .append('\n'));
        return Optional.of(block.append(END).append('\n').toString());
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        Blueprint blueprint = desired.blueprint();
        Optional<String> block = block(blueprint);
        query.resource(FACTS, block.map(Hashes::of).orElse(""), block.isEmpty() ? "" : domain(blueprint));
    }

    static void write(Comparison comparison) {
        Blueprint blueprint = comparison.desired().blueprint();
        Blocks there = comparison.facts().of(FACTS);
        Optional<String> block = block(blueprint);
        if (block.isEmpty() && there.count() + there.unpaired() > 0) {
            comparison.add(new Remove());
        } else if (block.isPresent() && !there.isOnly(block.get())) {
            comparison.add(new Write(block.get(), blueprint.hosts().size()));
        }
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        String left = drift.left().files().get(PATH);
        Blocks there = drift.facts().of(FACTS);
        return change instanceof Write && left != null && !there.hasOnly(left);
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        Blocks there = explanation.facts().of(FACTS);
        String wanted = change instanceof Write write ? write.block() : "";
        Optional<String> before = there.count() == 0
                ? Optional.of("")
                : there.content()
                        .or(() -> Optional.of(wanted)
                                .filter(block -> Optional.of(Hashes.of(block)).equals(there.sha256())));
        Optional<FileDiff> diff = before.map(content -> FileDiff.between(content, wanted));
        boolean isDrift = explanation.isDrift(change);
        StringBuilder text = new StringBuilder();
        if (!(change instanceof Write write)) {
            text.append(change.describe());
        } else if (isDrift) {
            text.append(PATH)
                    .append("   the mesh's names ")
                    .append(drifted(there, diff))
                    .append(" (drift)   → ");
            text.append(
                    Optional.of(Hashes.of(wanted))
                                    .equals(Optional.ofNullable(
                                            explanation.left().files().get(PATH)))
                            ? Explanation.PUT_BACK
                            : "as the spec says now");
        } else if (there.count() == 0) {
            text.append("add ")
                    .append(Names.counted(write.names(), "name"))
                    .append(" to ")
                    .append(PATH);
        } else {
            text.append(PATH).append("   the mesh's names: ").append(lines(diff));
        }
        if (change instanceof Write) {
            text.append(otherAddresses(explanation.desired().blueprint(), there));
        }
        if (there.unpaired() > 0) {
            text.append("; a marker line without its other half is removed, the lines beside it stay");
        }
        return List.of(ExplainedChange.of(change, isDrift, text.toString())
                .between(
                        lines(there),
                        change instanceof Write write ? Names.counted(write.names(), "name") : ExplainedChange.ABSENT)
                .withDiff(diff.filter(found -> found.added() + found.removed() > 0)
                        .map(found -> found.unified(PATH))));
    }

    private static String lines(Blocks there) {
        return switch (there.count()) {
            case 0 -> ExplainedChange.ABSENT;
            case 1 -> there.sha256().map(Hashes::shown).orElse("a block");
            default -> there.count() + " blocks";
        };
    }

    private static String drifted(Blocks there, Optional<FileDiff> diff) {
        return switch (there.count()) {
            case 0 -> "are gone";
            case 1 -> "differ, " + lines(diff);
            default -> "stand there " + there.count() + " times";
        };
    }

    private static String lines(Optional<FileDiff> diff) {
        return diff.map(found -> "+" + found.added() + " -" + found.removed() + " lines")
                .orElse("another text");
    }

    /** Lines of others that give one of the names another address: the block stands before them. */
    private static String otherAddresses(Blueprint blueprint, Blocks there) {
        List<String> found = names(blueprint).entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .flatMap(name -> there.others().getOrDefault(name.getKey(), List.of()).stream()
                        .filter(address -> !isSame(address, name.getValue()))
                        .map(address ->
                                name.getKey() + " is " + address + " there, " + name.getValue() + " comes first"))
                .toList();
        if (found.isEmpty()) {
            return "";
        }
        String more = found.size() > MOST_NAMED ? ", and " + (found.size() - MOST_NAMED) + " more" : "";
        return "; in lines of others " + String.join(", ", found.subList(0, Math.min(MOST_NAMED, found.size()))) + more;
    }

    private static boolean isSame(String address, String other) {
        return address.toLowerCase(Locale.ROOT).equals(other)
                || Objects.equals(new IPAddressString(address).getAddress(), new IPAddressString(other).getAddress());
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        return known.toBuilder().withoutFile(PATH).build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        block(desired.blueprint()).ifPresent(block -> left.partOfFile(PATH, Hashes.of(block)));
    }

    @Override
    public List<Change> undo() {
        return List.of(new Remove());
    }

    @Override
    public void askBeforeUndo(FactsQuery.Builder query) {
        query.resource(FACTS, "", "");
    }

    @Override
    public List<ExplainedChange> explainUndo(HostFacts facts) {
        Blocks there = facts.of(FACTS);
        if (there.count() + there.unpaired() == 0) {
            return List.of();
        }
        Change remove = new Remove();
        return List.of(
                ExplainedChange.of(remove, false, remove.describe()).between(lines(there), ExplainedChange.ABSENT));
    }
}
