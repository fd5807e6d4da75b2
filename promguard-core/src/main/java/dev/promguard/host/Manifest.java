package dev.promguard.host;

import dev.promguard.host.HostFacts.ManifestFact;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The manifest on a host that was there before the mesh: what PromGuard put there and what was there before, so that uninstalling
 * leaves the host as it was.
 */
public final class Manifest implements Resource {
    static final Manifest RESOURCE = new Manifest();

    private static final String WG_QUICK = "wg-quick@";
    private static final int LONGEST_THING = 200;

    private Manifest() {}

    /**
     * Begins the manifest. Always the first change on such a host.
     *
     * @param mesh the name of the mesh that the host is in from now on
     */
    public record Begin(String mesh) implements Change {
        /**
         * Checks that the name is there.
         *
         * @throws NullPointerException if it is null
         */
        public Begin {
            Objects.requireNonNull(mesh, "mesh");
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
            return mesh;
        }

        @Override
        public String describe() {
            return "begin a record of what is changed, for the day it is taken off";
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("apply_manifest", mesh);
        }
    }

    /** The parts of an uninstallation, in order: what exports goes before what closes. */
    public enum Part {
        /** Units: stopped and disabled. */
        SERVICES("stop and disable what PromGuard runs"),
        /** The interface: taken down. */
        WIREGUARD("take the WireGuard interface down"),
        /** Rules, and the firewall itself if it was off before. */
        FIREWALL("ufw: put back what was before"),
        /** Files, releases, data, users; files that were there before are put back. */
        FILES("remove PromGuard's files, releases, data and users");

        private final String label;

        Part(String label) {
            this.label = label;
        }
    }

    /**
     * Uninstalls a part of PromGuard, as far as the manifest tells. Packages stay.
     *
     * @param part which part
     */
    public record Uninstall(Part part) implements Change {
        /**
         * Checks that the part is there.
         *
         * @throws NullPointerException if it is null
         */
        public Uninstall {
            Objects.requireNonNull(part, "part");
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
            return part.name().toLowerCase(Locale.ROOT);
        }

        @Override
        public String describe() {
            return part.label;
        }

        @Override
        public boolean risky() {
            return true;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("undo_" + subject());
        }
    }

    /**
     * What uninstalls PromGuard from a host, in order.
     *
     * @return the changes; none does anything on a host without a manifest
     */
    public static List<Change> uninstall() {
        return inOrder(Uninstall::new, Resource::undo);
    }

    /** One order for what an uninstallation does and for what is said of it. */
    private static <T> List<T> inOrder(Function<Part, ? extends T> ofPart, Function<Resource, List<T>> ofResource) {
        List<T> all = new ArrayList<>();
        for (Part part : Part.values()) {
            // The manifest itself goes with the files.
            if (part == Part.FILES) {
                Resources.ALL.forEach(resource -> all.addAll(ofResource.apply(resource)));
            }
            all.add(ofPart.apply(part));
        }
        return List.copyOf(all);
    }

    /**
     * Whether a host carries parts of a mesh.
     *
     * @param mesh the mesh's name
     * @param facts what the host is
     * @return true if its manifest is that mesh's
     */
    public static boolean isOf(String mesh, HostFacts facts) {
        return facts.manifest().filter(manifest -> manifest.mesh().equals(mesh)).isPresent();
    }

    /**
     * What to ask a host for before {@link #explainUninstall} can say what an uninstallation would do there.
     *
     * @return the query
     */
    public static FactsQuery query() {
        FactsQuery.Builder query = new FactsQuery.Builder();
        Resources.ALL.forEach(resource -> resource.askBeforeUndo(query));
        return query.build();
    }

    /**
     * Says what an uninstallation would do on a host.
     *
     * @param facts the answer to {@link #query}
     * @return the changes in order; empty for a host without a manifest
     */
    public static List<ExplainedChange> explainUninstall(HostFacts facts) {
        return facts.manifest()
                .map(manifest -> inOrder(
                        part -> explain(new Uninstall(part), manifest), resource -> resource.explainUndo(facts)))
                .orElse(List.of());
    }

    private static ExplainedChange explain(Uninstall change, ManifestFact manifest) {
        String things = String.join(", ", removed(change.part(), manifest));
        ExplainedChange plain =
                ExplainedChange.of(change, false, change.describe() + (things.isEmpty() ? "" : ": " + things));
        return things.isEmpty() ? plain : plain.between(things, ExplainedChange.ABSENT);
    }

    private static List<String> removed(Part part, ManifestFact manifest) {
        return switch (part) {
            case SERVICES ->
                things(manifest, "unit ")
                        .filter(unit -> !unit.startsWith(WG_QUICK))
                        .toList();
            case WIREGUARD ->
                things(manifest, "unit ")
                        .filter(unit -> unit.startsWith(WG_QUICK))
                        .toList();
            case FIREWALL -> List.of();
            case FILES -> things(manifest, "file ").toList();
        };
    }

    /**
     * Says what an uninstallation would leave on a host, as far as the manifest tells.
     *
     * @param manifest what PromGuard put there
     * @return what would be left, each in a line
     */
    public static List<String> leftovers(ManifestFact manifest) {
        List<String> leftovers = new ArrayList<>();
        things(manifest, "replaced ").forEach(path -> leftovers.add(path + ", put back as it was before"));
        things(manifest, "masked ").forEach(unit -> leftovers.add(unit + ", masked as it was before"));
        List<String> packages = things(manifest, "package ").toList();
        if (!packages.isEmpty()) {
            leftovers.add("packages that PromGuard installed: " + String.join(" ", packages));
        }
        return List.copyOf(leftovers);
    }

    private static Stream<String> things(ManifestFact manifest, String kind) {
        return manifest.things().stream()
                .filter(thing -> thing.startsWith(kind))
                .map(thing -> Printable.line(thing.substring(kind.length()), LONGEST_THING))
                .sorted();
    }

    @Override
    public String id() {
        return "manifest";
    }

    @Override
    public String shellFile() {
        return "manifest.sh";
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        ExplainedChange explained = ExplainedChange.of(change, false, change.describe());
        return List.of(
                change instanceof Begin
                        ? explained.between(ExplainedChange.ABSENT, "in mesh " + change.subject())
                        : explained);
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        return change instanceof Uninstall ? LastApplied.NONE : known;
    }
}
