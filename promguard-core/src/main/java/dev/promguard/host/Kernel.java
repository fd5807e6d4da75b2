package dev.promguard.host;

import dev.promguard.blueprint.Names;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/** The kernel that runs on a host, as far as it may lack what the mesh needs. Nothing of it is changed. */
public final class Kernel implements Resource {
    static final Kernel RESOURCE = new Kernel();
    /** What is asked of a host about it. */
    public static final ResourceFacts<KernelFact> FACTS =
            ResourceFacts.of("kernel", KernelFact.class, KernelFact.CAPABLE, Reader::new);

    private static final Pattern RELEASE = Pattern.compile("[\\x21-\\x7e]{1,100}");
    private static final Pattern YES_OR_NO = Pattern.compile("yes|no");

    private Kernel() {}

    /**
     * What the running kernel lacks.
     *
     * @param release the release of the running kernel; empty where that is not known
     * @param withoutWireGuard its release, if it has no WireGuard, can load none, and no other program stands in; else empty
     * @param modules whether its folder of modules is there
     */
    public record KernelFact(Optional<String> release, Optional<String> withoutWireGuard, boolean modules) {
        /** Nothing is known to be missing. */
        public static final KernelFact CAPABLE = new KernelFact(Optional.empty(), Optional.empty(), true);

        /**
         * Checks that the releases are there or empty.
         *
         * @throws NullPointerException if one is null
         */
        public KernelFact {
            Objects.requireNonNull(release, "release");
            Objects.requireNonNull(withoutWireGuard, "withoutWireGuard");
        }
    }

    /** Reads at most one line of a kind. */
    private static final class Reader implements ResourceFacts.Reader<KernelFact> {
        private KernelFact fact = KernelFact.CAPABLE;

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            switch (line.kind()) {
                case "release" ->
                    fact = new KernelFact(
                            Optional.of(line.fields(1).field(1, RELEASE)), fact.withoutWireGuard(), fact.modules());
                case "without-wireguard" ->
                    fact = new KernelFact(
                            fact.release(),
                            Optional.of(line.fields(2).field(1, RELEASE)),
                            line.field(2, YES_OR_NO).equals("yes"));
                default -> throw line.unknown();
            }
        }

        @Override
        public KernelFact facts() {
            return fact;
        }
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "system.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.resource(FACTS);
    }

    static List<HostProblem> problems(HostFacts facts) {
        KernelFact kernel = facts.of(FACTS);
        return kernel.withoutWireGuard().stream()
                .map(release -> kernel.modules()
                        ? new HostProblem(
                                "its running kernel " + Names.quote(release)
                                        + " has no WireGuard, and none can be loaded",
                                "Boot a kernel that has it, as those of Debian and Ubuntu do, or install wireguard-go.")
                        : new HostProblem(
                                "the modules of its running kernel " + Names.quote(release)
                                        + " are gone, as after an update, so that WireGuard cannot be loaded",
                                "Reboot the host, then run again."))
                .toList();
    }
}
