package dev.promguard.internal.observe;

import dev.promguard.host.DesiredHost;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.spi.Preflight;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Everything that a decision is made from: a value without sessions.
 *
 * @param roster the hosts of the spec beside those that exist
 * @param preflight the cloud's answer about the hosts to create
 * @param firewall what would be changed in the cloud's own firewall, each in a line
 * @param expected what each host was expected to be when it was asked: a file of which the sum is as expected was not sent
 * @param hosts what is known of each host that the run is about, by name
 */
public record Observed(
        Roster roster,
        Preflight preflight,
        List<String> firewall,
        Map<String, DesiredHost> expected,
        Map<String, HostObservation> hosts) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public Observed {
        Objects.requireNonNull(roster, "roster");
        Objects.requireNonNull(preflight, "preflight");
        firewall = List.copyOf(firewall);
        expected = Collections.unmodifiableMap(new LinkedHashMap<>(expected));
        hosts = Collections.unmodifiableMap(new LinkedHashMap<>(hosts));
    }

    /**
     * What was read of a host.
     *
     * @param name the host's name
     * @return empty if it was not read
     */
    public Optional<Seen> seen(String name) {
        return hosts.get(name) instanceof Seen seen ? Optional.of(seen) : Optional.empty();
    }

    /**
     * Why a host could not be read.
     *
     * @param name the host's name
     * @return empty if it was read, or was not tried
     */
    public Optional<RuntimeException> failure(String name) {
        return hosts.get(name) instanceof HostObservation.Unreachable unreachable
                ? Optional.of(unreachable.failure())
                : Optional.empty();
    }

    /**
     * The same observation with more known of some hosts.
     *
     * @param changed the hosts as they exist now
     * @param wanted what was expected of those that were read
     * @param more what is known of hosts now, by name
     * @return a copy
     */
    public Observed with(Roster changed, Map<String, DesiredHost> wanted, Map<String, HostObservation> more) {
        Map<String, DesiredHost> allExpected = new LinkedHashMap<>(expected);
        allExpected.putAll(wanted);
        Map<String, HostObservation> all = new LinkedHashMap<>(hosts);
        all.putAll(more);
        return new Observed(changed, preflight, firewall, allExpected, all);
    }
}
