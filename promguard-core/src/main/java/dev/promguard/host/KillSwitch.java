package dev.promguard.host;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Keeps packets for the mesh's network on the WireGuard interface, also while that is down: an unreachable route and a packet filter
 * rule, set by a unit of their own at boot. Without it, a host whose interface is down would send them by its default route, in the
 * clear, and believe whoever answers. Packets for the host's own address are accepted from that interface alone, by routing rules: those
 * stay where somebody flushes the packet filter. On a monitor, they also let no peer but other monitors reach what is scraped there, and
 * viewers reach Prometheus and nothing else.
 *
 * @param network the mesh's network in canonical form, such as {@code 10.0.0.0/24}
 * @param address the host's address in it, such as {@code 10.0.0.2}
 * @param interfaceName the one interface that leads to it
 * @param ports the TCP ports of the address that its peers may not reach, apart from some; none on a host all of whose peers scrape it
 * @param scrapers the addresses of the peers that may reach those ports
 * @param viewed the TCP port of the address that viewers alone may reach; of no effect without viewers
 * @param viewers the addresses of the peers that may reach that port, and nothing else at all through the interface
 * @param files the script that sets routes and rules, and the unit that runs it, in this order
 */
public record KillSwitch(
        String network,
        String address,
        String interfaceName,
        SortedSet<Integer> ports,
        Set<String> scrapers,
        int viewed,
        Set<String> viewers,
        List<ManagedFile> files) {
    private static final String NONE = "-";

    /** The unit's name. */
    public static final String UNIT = "promguard-kill-switch.service";

    /** The path of the unit's file, which names the network. */
    public static final String UNIT_FILE = "/etc/systemd/system/" + UNIT;

    /** The path of the script, which is the same for every network. */
    public static final String SCRIPT = "/usr/local/lib/promguard/kill-switch.sh";

    /**
     * Copies the sets and the list.
     *
     * @throws NullPointerException if something is null
     */
    public KillSwitch {
        Objects.requireNonNull(network, "network");
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(interfaceName, "interfaceName");
        ports = Collections.unmodifiableSortedSet(new TreeSet<>(ports));
        scrapers = Set.copyOf(scrapers);
        viewers = Set.copyOf(viewers);
        files = List.copyOf(files);
    }

    /** The same, with files. */
    KillSwitch with(List<ManagedFile> its) {
        return new KillSwitch(network, address, interfaceName, ports, scrapers, viewed, viewers, its);
    }

    /**
     * The ports that are closed to peers, each with those that reach it all the same.
     *
     * @return the peers' addresses by port
     */
    public Map<Integer, Set<String>> closedPorts() {
        Map<Integer, Set<String>> closed = new TreeMap<>();
        ports.forEach(port -> closed.put(port, scrapers));
        if (!viewers.isEmpty()) {
            closed.put(viewed, viewers);
        }
        return Collections.unmodifiableMap(closed);
    }

    /**
     * What the script is told after the address.
     *
     * @return ports and who reaches them, both separated by commas, or "-" if there are none; with viewers, the same again for these
     */
    public List<String> portArguments() {
        List<String> arguments = new ArrayList<>(List.of(
                words(ports.stream().map(String::valueOf)),
                ports.isEmpty() ? NONE : words(scrapers.stream().sorted())));
        if (!viewers.isEmpty()) {
            arguments.add(Integer.toString(viewed));
            arguments.add(words(viewers.stream().sorted()));
        }
        return List.copyOf(arguments);
    }

    private static String words(Stream<String> items) {
        String words = items.collect(Collectors.joining(","));
        return words.isEmpty() ? NONE : words;
    }
}
