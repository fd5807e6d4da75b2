package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Names;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Compares what a host should be with what it is. A pure function. What belongs to one kind of resource stands with it; the order
 * across kinds stands in {@link Resources}.
 */
public final class Differ {
    private static final Set<String> SYSTEMS = Set.of("debian", "ubuntu");

    private Differ() {}

    /**
     * Looks for what no change can fix.
     *
     * @param desired what the host should be
     * @param facts what the host is
     * @return the problems, each with its remedy; empty if there is none
     */
    public static List<HostProblem> problems(DesiredHost desired, HostFacts facts) {
        List<HostProblem> problems = new ArrayList<>();
        if (!SYSTEMS.contains(facts.osId())) {
            problems.add(
                    new HostProblem("its system is " + Names.quote(facts.osId()), "Use an image of Debian or Ubuntu."));
        }
        Optional<Architecture> architecture = Architecture.ofMachine(facts.machine());
        if (architecture.isEmpty()) {
            problems.add(
                    new HostProblem("its architecture is " + Names.quote(facts.machine()), "Use x86_64 or aarch64."));
        } else {
            for (ReleaseInstall install : desired.releases()) {
                if (install.release().sum(architecture.get()).isEmpty()) {
                    problems.add(new HostProblem(
                            install.release().name() + ' ' + install.release().version() + " has no SHA-256 for "
                                    + architecture.get().releaseName(),
                            "Add it to the release."));
                }
            }
        }
        problems.addAll(Kernel.problems(facts));
        problems.addAll(UfwSettings.problems(desired, facts));
        return List.copyOf(problems);
    }

    /**
     * Finds the changes that bring a host to what it should be.
     *
     * @param desired what the host should be; without {@link #problems}
     * @param facts what the host is
     * @param newKeys the keys that it gets: a pair of its own at least where {@link WireGuard#needsKey} says so, which must belong to
     *     the desired public key, and the preshared keys that it lacks
     * @param replaceHostKey whether its SSH host key is still the bootstrap one
     * @return the changes in order; empty if the host is as it should be
     */
    public static List<Change> diff(DesiredHost desired, HostFacts facts, KeyChanges newKeys, boolean replaceHostKey) {
        Comparison comparison = new Comparison(desired, facts, newKeys, replaceHostKey);
        Resources.ORDER.forEach(step -> step.accept(comparison));
        return comparison.changes();
    }
}
