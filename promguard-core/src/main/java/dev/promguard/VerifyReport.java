package dev.promguard;

import dev.promguard.blueprint.Names;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * Every claim about a mesh, with how it was checked and what was seen.
 *
 * @param mesh the mesh's name
 * @param hosts how each host is
 * @param checks the claims
 */
public record VerifyReport(String mesh, List<HostHealth> hosts, List<Check> checks) {
    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public VerifyReport {
        Objects.requireNonNull(mesh, "mesh");
        hosts = List.copyOf(hosts);
        checks = List.copyOf(checks);
    }

    /**
     * How a host is.
     *
     * @param name its name
     * @param region where it is
     * @param publicAddress its public address; empty if it has none
     * @param address its address inside the tunnels
     * @param handshakeAge how long ago its last WireGuard handshake was, the oldest of its peers' counting; empty if a peer had
     *     none or the host could not be read
     * @param target what Prometheus says of its target, such as {@code up} or {@code down}; {@code unknown} if it says nothing
     */
    public record HostHealth(
            String name,
            String region,
            Optional<String> publicAddress,
            String address,
            Optional<Duration> handshakeAge,
            String target) {
        /**
         * Checks that all are there.
         *
         * @throws NullPointerException if one is null
         */
        public HostHealth {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(region, "region");
            Objects.requireNonNull(publicAddress, "publicAddress");
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(handshakeAge, "handshakeAge");
            Objects.requireNonNull(target, "target");
        }
    }

    /**
     * One claim.
     *
     * @param host the host it is about
     * @param claim what should hold
     * @param how how it was checked
     * @param seen what was seen
     * @param holds whether it holds
     * @param mend what to do if it does not; empty if it does
     */
    public record Check(String host, String claim, String how, String seen, boolean holds, String mend) {
        /**
         * Checks that all are there, and replaces in what was seen what a terminal might obey or hide.
         *
         * @throws NullPointerException if one is null
         */
        public Check {
            Objects.requireNonNull(host, "host");
            Objects.requireNonNull(claim, "claim");
            Objects.requireNonNull(how, "how");
            seen = Names.printable(seen);
            Objects.requireNonNull(mend, "mend");
        }
    }

    /**
     * Whether every claim holds.
     *
     * @return true if so
     */
    public boolean ok() {
        return checks.stream().allMatch(Check::holds);
    }

    /**
     * The claims that do not hold.
     *
     * @return empty if all do
     */
    public List<Check> failures() {
        return checks.stream().filter(check -> !check.holds()).toList();
    }

    /**
     * Insists that every claim holds.
     *
     * @return this report
     * @throws VerifyException if some claim does not hold; its message lists each
     */
    public VerifyReport orThrow() {
        if (!ok()) {
            throw new VerifyException(this);
        }
        return this;
    }

    /**
     * The hosts as a table: host, region, public address, WireGuard address, last handshake, target health.
     *
     * @return a line of headings and one for each host, without a line end at the end
     */
    public String table() {
        int name = Math.max(
                4, hosts.stream().mapToInt(host -> host.name().length()).max().orElse(4));
        int address = Math.max(
                17,
                hosts.stream().mapToInt(host -> host.address().length()).max().orElse(17));
        String row = "%-" + name + "s  %-6s  %-15s  %-" + address + "s  %-14s  %s";
        StringBuilder text = new StringBuilder(512);
        text.append(String.format(
                Locale.ROOT, row, "host", "region", "public address", "WireGuard address", "last handshake", "target"));
        for (HostHealth host : hosts) {
            text.append('\n')
                    .append(String.format(
                            Locale.ROOT,
                            row,
                            host.name(),
                            host.region(),
                            host.publicAddress().orElse("-"),
                            host.address(),
                            host.handshakeAge()
                                    .map(age -> age.toSeconds() + " s ago")
                                    .orElse("never"),
                            host.target()));
        }
        return text.toString();
    }

    /**
     * The report as a person reads it: how many claims hold, and each that does not with what to do.
     *
     * @return the text, without a line end at the end
     */
    @Override
    public String toString() {
        List<Check> failures = failures();
        StringBuilder text = new StringBuilder(256);
        text.append(String.format(
                Locale.ROOT, "mesh %s: %d of %d claims hold", mesh, checks.size() - failures.size(), checks.size()));
        for (Check check : failures) {
            text.append(String.format(
                    Locale.ROOT,
                    "\n  FAILED  %s: %s (%s): %s\n          %s",
                    check.host(),
                    check.claim(),
                    check.how(),
                    check.seen(),
                    check.mend()));
        }
        return text.toString();
    }
}
