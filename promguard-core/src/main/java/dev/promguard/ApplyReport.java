package dev.promguard;

import dev.promguard.blueprint.Names;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an apply did.
 *
 * @param mesh the mesh's name
 * @param hosts the wished hosts, in the order of the blueprint
 * @param removed the names of the hosts that were removed
 * @param cloud what was changed in the cloud beside hosts, such as the rules of its firewall, each in a line
 * @param problems what failed and is not one host's, such as a request to the cloud or the removal of a host; empty if nothing did
 * @param took how long it took
 */
public record ApplyReport(
        String mesh,
        List<HostOutcome> hosts,
        List<String> removed,
        List<String> cloud,
        List<Problem> problems,
        Duration took) {
    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public ApplyReport {
        Objects.requireNonNull(mesh, "mesh");
        Objects.requireNonNull(took, "took");
        hosts = List.copyOf(hosts);
        removed = List.copyOf(removed);
        cloud = cloud.stream().map(Names::printable).toList();
        problems = List.copyOf(problems);
    }

    /**
     * A step of the whole mesh that failed, or was not taken.
     *
     * @param step what it was, in words; what a terminal might obey is replaced
     * @param failure why it failed
     */
    public record Problem(String step, RuntimeException failure) {
        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public Problem {
            step = Names.printable(step);
            Objects.requireNonNull(failure, "failure");
        }
    }

    /** What came of a host. */
    public enum Status {
        /** It was as it should be, and was not written to. */
        UNCHANGED,
        /** It was made or changed, and is as it should be. */
        CHANGED,
        /**
         * It was changed, and has put its firewall, WireGuard interface and SSH host key back to what they were, and stopped what
         * was started, because no connection made after the changes confirmed them in time. The other changes stay.
         */
        ROLLED_BACK,
        /**
         * It was changed, and whether it keeps the changes or rolls them back could not be found out, although it was looked at
         * again after the time at which it rolls back by itself. Run apply when it can be reached: it looks first.
         */
        UNKNOWN,
        /** Something failed; what was done before is done. */
        FAILED;

        /**
         * Whether the host is as it should be.
         *
         * @return true if it is
         */
        public boolean ok() {
            return this == UNCHANGED || this == CHANGED;
        }
    }

    /**
     * What came of one host.
     *
     * @param name its name
     * @param region where it is
     * @param address its address inside the tunnels
     * @param publicAddress its public address; empty if it has none
     * @param status what came of it, in a word
     * @param changes what was done on it, in order
     * @param drift those of the changes that put back what somebody had changed on the host since the last apply
     * @param failure why it failed, or null
     */
    public record HostOutcome(
            String name,
            String region,
            String address,
            Optional<String> publicAddress,
            Status status,
            List<String> changes,
            List<String> drift,
            @Nullable RuntimeException failure) {
        /**
         * Copies the lists.
         *
         * @throws NullPointerException if something but the failure is null
         */
        public HostOutcome {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(region, "region");
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(publicAddress, "publicAddress");
            Objects.requireNonNull(status, "status");
            changes = List.copyOf(changes);
            drift = List.copyOf(drift);
        }

        private String inWords() {
            String done = changes.size()
                    + (changes.size() == 1 ? " change" : " changes")
                    + (drift.isEmpty() ? "" : ", " + drift.size() + " of them drift");
            return switch (status) {
                case UNCHANGED -> "unchanged";
                case CHANGED -> done;
                case ROLLED_BACK -> "ROLLED BACK after " + done;
                case UNKNOWN -> "UNKNOWN after " + done;
                case FAILED -> "FAILED after " + done;
            };
        }
    }

    /**
     * How many changes were made on all hosts and in the cloud together.
     *
     * @return the number; 0 if nothing was written anywhere
     */
    public int changes() {
        return cloud.size()
                + hosts.stream().mapToInt(host -> host.changes().size()).sum();
    }

    /**
     * How many of the changes put back what somebody had changed on a host since the last apply.
     *
     * @return the number; 0 where all changes come from the wish
     */
    public int drift() {
        return hosts.stream().mapToInt(host -> host.drift().size()).sum();
    }

    /**
     * Whether the mesh is as it should be.
     *
     * @return true if no host failed, rolled back, or is in an unknown state, and there are no {@link #problems()} beside
     */
    public boolean ok() {
        return problems.isEmpty()
                && hosts.stream().allMatch(host -> host.status().ok());
    }

    private String inWords(long failed) {
        if (ok()) {
            return "as wished";
        }
        String steps = problems.size() + (problems.size() == 1 ? " step failed" : " steps failed");
        return failed == 0
                ? steps
                : failed + " of " + hosts.size() + " hosts failed" + (problems.isEmpty() ? "" : ", " + steps);
    }

    /**
     * The report as a person reads it.
     *
     * @return a line for the mesh, one for each change in the cloud beside hosts, each problem and each host, without a line end at the end
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(256);
        long failed = hosts.stream().filter(host -> !host.status().ok()).count();
        text.append(String.format(
                Locale.ROOT,
                "mesh %s: %s, %d change%s%s on %d host%s%s in %.1f s",
                mesh,
                inWords(failed),
                changes(),
                changes() == 1 ? "" : "s",
                drift() == 0 ? "" : " (" + drift() + " of drift)",
                hosts.size(),
                hosts.size() == 1 ? "" : "s",
                removed.isEmpty() ? "" : ", removed " + String.join(", ", removed),
                took.toMillis() / 1000.0));
        cloud.forEach(change -> text.append("\n  ").append(change));
        problems.forEach(problem -> text.append("\n  FAILED ")
                .append(problem.step())
                .append(": ")
                .append(Names.printable(String.valueOf(problem.failure().getMessage()))
                        .replace("\n", "\n    ")));
        for (HostOutcome host : hosts) {
            text.append(String.format(
                    Locale.ROOT,
                    "\n  %-24s %-6s %-15s %-15s %s",
                    host.name(),
                    host.region(),
                    host.publicAddress().orElse("-"),
                    host.address(),
                    host.inWords()));
        }
        return text.toString();
    }
}
