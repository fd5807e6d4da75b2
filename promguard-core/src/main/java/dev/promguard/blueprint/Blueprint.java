package dev.promguard.blueprint;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import inet.ipaddr.IPAddressString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * Every decision about a mesh that can be made before anything exists. The same spec gives the same blueprint.
 *
 * @param spec the spec behind it
 * @param hosts the hosts with their addresses, peers and rules: monitors first, each group in the order of the spec
 * @param viewers who reaches Prometheus on the monitors, in the order of the spec; none whose access has ended
 */
public record Blueprint(MeshSpec spec, List<Host> hosts, List<Viewer> viewers) {
    private static final int MOST_NAMES = 5;
    /** The port of a host's SSH server, unless another one is given for it. */
    public static final int SSH_PORT = 22;

    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public Blueprint {
        Objects.requireNonNull(spec, "spec");
        hosts = List.copyOf(hosts);
        viewers = List.copyOf(viewers);
    }

    /**
     * A viewer of the blueprint: a peer of every monitor and of no other host.
     *
     * @param spec the spec for it
     * @param address its address inside the tunnels, without prefix length
     */
    public record Viewer(ViewerSpec spec, String address) {
        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public Viewer {
            Objects.requireNonNull(spec, "spec");
            Objects.requireNonNull(address, "address");
        }

        /**
         * The viewer's name.
         *
         * @return the name
         */
        public String name() {
            return spec.name();
        }

        /**
         * The viewer's address as the one allowed IP of the monitors' side.
         *
         * @return such as {@code 10.0.0.254/32}
         */
        public String allowedIp() {
            return single(address);
        }
    }

    private static String single(String address) {
        return address + (address.indexOf(':') >= 0 ? "/128" : "/32");
    }

    /**
     * The same blueprint, whose hosts also admit SSH where their SSH servers listen.
     *
     * @param ports SSH ports by host name; hosts that are not named, and port 22, which every host admits, change nothing
     * @return a copy
     */
    public Blueprint admittingSsh(Map<String, Integer> ports) {
        return new Blueprint(
                spec,
                hosts.stream()
                        .map(host -> host.admittingSsh(ports.getOrDefault(host.name(), SSH_PORT)))
                        .toList(),
                viewers);
    }

    /**
     * The same blueprint with hosts where they really are, which their labels follow. {@link #spec()} keeps what was asked for.
     *
     * @param regions the region of each host that is known to be in one, by name
     * @return a copy
     */
    public Blueprint placed(Map<String, String> regions) {
        return new Blueprint(
                spec,
                hosts.stream()
                        .map(host -> host.in(
                                regions.getOrDefault(host.name(), host.spec().region())))
                        .toList(),
                viewers);
    }

    /**
     * A host of the blueprint.
     *
     * @param spec the spec for it, but that it is in the region where it really is
     * @param address its address inside the tunnels, without prefix length
     * @param prefixLength the network's prefix length
     * @param peers the names of the hosts that it keeps tunnels to, in the order of the blueprint
     * @param firewall every rule that admits packets to it
     */
    public record Host(
            HostSpec spec, String address, int prefixLength, List<String> peers, List<FirewallRule> firewall) {
        /**
         * Copies the lists.
         *
         * @throws NullPointerException if something is null
         */
        public Host {
            Objects.requireNonNull(spec, "spec");
            Objects.requireNonNull(address, "address");
            peers = List.copyOf(peers);
            firewall = List.copyOf(firewall);
        }

        /**
         * The host's name.
         *
         * @return the name
         */
        public String name() {
            return spec.name();
        }

        /**
         * The host's role.
         *
         * @return the role
         */
        public Role role() {
            return spec.role();
        }

        private Host in(String region) {
            if (region.equals(spec.region())) {
                return this;
            }
            return new Host(spec.in(region), address, prefixLength, peers, firewall);
        }

        private Host admittingSsh(int port) {
            if (port == SSH_PORT) {
                return this;
            }
            List<FirewallRule> rules = new ArrayList<>();
            rules.add(FirewallRule.open(port, FirewallRule.Protocol.TCP, "OpenSSH"));
            rules.addAll(firewall);
            return new Host(spec, address, prefixLength, peers, rules);
        }

        /**
         * The host's address as the one allowed IP of its peers' side.
         *
         * @return such as {@code 10.0.0.2/32}
         */
        public String allowedIp() {
            return single(address);
        }
    }

    /**
     * The viewers that reach a host.
     *
     * @param host a host of this blueprint
     * @return all of them if it is a monitor, and else none
     */
    public List<Viewer> viewersOf(Host host) {
        return host.role() == Role.MONITOR ? viewers : List.of();
    }

    /**
     * The mesh's network, written as the kernel writes it.
     *
     * @return such as {@code 10.0.0.0/24} or {@code fd00:77::/64}
     */
    public String network() {
        return new IPAddressString(spec.network()).getAddress().toPrefixBlock().toCanonicalString();
    }

    /**
     * The name of the WireGuard interface on every host.
     *
     * @return such as {@code wg0}
     */
    public String interfaceName() {
        return spec.wireGuard().interfaceName();
    }

    /**
     * The mesh's name.
     *
     * @return the name
     */
    public String mesh() {
        return spec.name();
    }

    /**
     * Finds a host.
     *
     * @param name its name
     * @return the host
     * @throws InvalidSettingException if the blueprint has no host of that name
     */
    public Host host(String name) {
        for (Host host : hosts) {
            if (host.name().equals(name)) {
                return host;
            }
        }
        throw new InvalidSettingException(
                ErrorCode.UNKNOWN_NAME, "mesh " + mesh() + " has no host " + Names.quote(name), null);
    }

    /**
     * Whether there is a host of that name.
     *
     * @param name a name
     * @return true if there is
     */
    public boolean contains(String name) {
        return hosts.stream().anyMatch(host -> host.name().equals(name));
    }

    /**
     * The monitors.
     *
     * @return at least one
     */
    public List<Host> monitors() {
        return hosts.stream().filter(host -> host.role() == Role.MONITOR).toList();
    }

    /**
     * The nodes.
     *
     * @return maybe none
     */
    public List<Host> nodes() {
        return hosts.stream().filter(host -> host.role() == Role.NODE).toList();
    }

    /**
     * Whether a monitor's Prometheus is to scrape a port of a host's WireGuard address. Every monitor scrapes every host, unless the monitors
     * are shards: then each has the targets whose hash is its own number, as Prometheus' relabelling action {@code hashmod} counts
     * it.
     *
     * @param monitor a monitor of this blueprint
     * @param host a host of this blueprint
     * @param port the port, such as node_exporter's
     * @return true if it is
     */
    public boolean scrapes(Host monitor, Host host, int port) {
        int shards = monitors().size();
        if (!spec.prometheus().shards() || shards < 2) {
            return true;
        }
        String address = host.address().indexOf(':') >= 0 ? '[' + host.address() + ']' : host.address();
        return hashmod(address + ':' + port, shards) == monitors().indexOf(monitor);
    }

    /** What Prometheus' relabelling does: the last eight bytes of the MD5, as an unsigned number, modulo. */
    private static long hashmod(String text, int modulus) {
        try {
            byte[] md5 = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
            return Long.remainderUnsigned(ByteBuffer.wrap(md5).getLong(8), modulus);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has MD5", e);
        }
    }

    /**
     * The mesh as a Mermaid flowchart, for a README or a wiki page.
     *
     * @return the diagram's text, ending in a line end
     */
    public String toMermaid() {
        return toMermaid(Overlay.NONE);
    }

    /**
     * The mesh as a picture.
     *
     * @return a whole SVG document, ending in a line end
     */
    public String toSvg() {
        return toSvg(Overlay.NONE);
    }

    /**
     * The mesh as a Mermaid flowchart that shows how its hosts are.
     *
     * @param overlay what is known of them
     * @return the source of the flowchart, as {@link #toMermaid()}
     * @throws NullPointerException if it is null
     */
    public String toMermaid(Overlay overlay) {
        return new Flowchart(this, overlay).toString();
    }

    /**
     * The mesh as a picture that shows how its hosts and tunnels are.
     *
     * @param overlay what is known of them
     * @return an SVG document, as {@link #toSvg()}
     * @throws NullPointerException if it is null
     */
    public String toSvg(Overlay overlay) {
        return new Picture(this, overlay).toString();
    }

    /**
     * The blueprint as a table that a person reads.
     *
     * @return one line for the mesh, one for each host, and what is let in, without a line end at the end
     */
    @Override
    public String toString() {
        int name = 4;
        int region = 6;
        int size = 4;
        int address = 7;
        for (Host host : hosts) {
            name = Math.max(name, host.name().length());
            region = Math.max(region, host.spec().region().length());
            size = Math.max(size, host.spec().size().length());
            address = Math.max(address, host.address().length());
        }
        String row = "  %-" + name + "s  %-" + region + "s  %-" + size + "s  %-" + address + "s  %s%n";
        StringBuilder text = new StringBuilder(256);
        text.append(String.format(
                Locale.ROOT,
                "mesh %s: %s, %s in %s%n",
                mesh(),
                Names.counted(monitors().size(), "monitor"),
                Names.counted(nodes().size(), "node"),
                spec.network()));
        for (Host host : hosts) {
            String peers = host.peers().isEmpty() ? "no peer" : "peers " + shortened(host.peers());
            text.append(String.format(
                    Locale.ROOT,
                    row,
                    host.name(),
                    host.spec().region(),
                    host.spec().size(),
                    host.address(),
                    peers));
            if (spec.wireGuardPort(host.spec()) != spec.wireGuardPort()) {
                text.append(String.format(
                        Locale.ROOT, "    WireGuard listens on %d/udp there%n", spec.wireGuardPort(host.spec())));
            }
            for (Exporter exporter : host.spec().exporters()) {
                text.append(String.format(
                        Locale.ROOT,
                        "    %s on %d/tcp, job %s%s%n",
                        exporter.describe(),
                        exporter.port(),
                        exporter.job(),
                        exporter.probes().isEmpty()
                                ? ""
                                : "; " + Names.counted(exporter.probes().size(), "probe") + ", job "
                                        + exporter.probeJob()));
            }
            for (Exposure service : host.spec().services()) {
                text.append(String.format(
                        Locale.ROOT, "    runs there already: %d/tcp, job %s%n", service.port(), service.job()));
            }
        }
        for (Viewer viewer : viewers) {
            text.append(String.format(
                    Locale.ROOT,
                    "  viewer %s  %s  reaches Prometheus on the monitors alone%s%n",
                    viewer.name(),
                    viewer.address(),
                    viewer.spec().until().map(end -> ", until " + end).orElse("")));
        }
        text.append(String.format(
                Locale.ROOT,
                "every host admits 22/tcp (SSH) and %d/udp (WireGuard) from anywhere, and %d/tcp (node_exporter)%s on %s from the"
                        + " monitors%s; nothing else%n",
                spec.wireGuardPort(),
                spec.nodeExporterPort(),
                hosts.stream().allMatch(host -> host.spec().exposures().isEmpty()) ? "" : " and the ports of its jobs",
                interfaceName(),
                viewers.isEmpty()
                        ? ""
                        : "; a monitor admits its viewers to "
                                + spec.prometheus().port() + "/tcp (Prometheus) there"));
        text.append(String.format(
                Locale.ROOT,
                "Prometheus %s answers on the monitor's loopback alone, port %d%s; node_exporter %s; a scrape every %d s",
                spec.prometheus().release().version(),
                spec.prometheus().port(),
                viewers.isEmpty() ? "" : ", which is passed on to the viewers",
                spec.nodeExporter().version(),
                spec.prometheus().scrapeInterval().toSeconds()));
        return text.toString().replace("\r\n", "\n");
    }

    private static String shortened(List<String> names) {
        return names.size() <= MOST_NAMES
                ? String.join(", ", names)
                : String.join(", ", names.subList(0, MOST_NAMES - 1)) + " and " + (names.size() - MOST_NAMES + 1)
                        + " more";
    }
}
