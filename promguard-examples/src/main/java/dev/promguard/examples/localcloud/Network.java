package dev.promguard.examples.localcloud;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.examples.localcloud.Runs.Run;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The network of a run: a bridge with the public addresses, a second one for the private network, and a way out by NAT for IPv4. IPv6
 * leads to the other machines of the run and to this one. Each machine has a namespace of its own with a leg on either bridge.
 */
final class Network {
    private static final String PRIVATE = "10.116.0.";
    /** How many hosts fit on a bridge. */
    static final int MOST_HOSTS = 245;

    static final int IPV6_PREFIX = 64;

    private static final int LAST_HOST = 254;
    private static final int PRIVATE_PREFIX = 20;

    private final String run;
    private final String subnet;

    private Network(String run, String subnet) {
        this.run = run;
        this.subnet = subnet;
    }

    /** Sets up bridges and NAT; called with the machine to itself. */
    static Network make(Run run, @Nullable String wanted) {
        String subnet = wanted != null ? wanted : freeSubnet(run.name());
        Network network = new Network(run.name(), subnet);
        String bridge = network.bridge();
        Command.of("ip", "link", "add", bridge, "type", "bridge").check();
        Command.of("ip", "address", "add", network.gateway() + "/24", "dev", bridge)
                .check();
        Command.of("ip", "link", "set", bridge, "up").check();
        Command.of("ip", "link", "add", network.privateBridge(), "type", "bridge")
                .check();
        Command.of("ip", "link", "set", network.privateBridge(), "up").check();
        rule("nat", "POSTROUTING", run.name(), "-s", subnet + "0/24", "!", "-o", bridge, "-j", "MASQUERADE");
        rule("filter", "FORWARD", run.name(), "-i", bridge, "-j", "ACCEPT");
        rule("filter", "FORWARD", run.name(), "-o", bridge, "-j", "ACCEPT");
        rule("filter", "INPUT", run.name(), "-i", bridge, "-j", "ACCEPT");
        if (hasIpv6()) {
            Command.of("ip", "address", "add", network.ipv6Gateway() + "/" + IPV6_PREFIX, "dev", bridge, "nodad")
                    .check();
            for (String chain : List.of("INPUT", "FORWARD")) {
                rule("ip6tables", "filter", chain, List.of("-i", bridge, "-j", "ACCEPT"), run.name());
            }
        }
        return network;
    }

    /** Whether this machine's kernel has IPv6, and has it switched on. */
    static boolean hasIpv6() {
        Path disabled = Path.of("/proc/sys/net/ipv6/conf/all/disable_ipv6");
        return Files.exists(disabled) && Folders.read(disabled).strip().equals("0");
    }

    /** A network that only hands out addresses, for a cloud of records. */
    static Network ofRecords(@Nullable String wanted) {
        return new Network("", wanted != null ? wanted : "198.18.0.");
    }

    /** The first three bytes of the public network, with their dots. */
    String subnet() {
        return subnet;
    }

    String gateway() {
        return subnet + 1;
    }

    String publicAddress(int host) {
        return plus(subnet, host);
    }

    String privateAddress(int host) {
        return plus(PRIVATE, host);
    }

    /** How many hosts there are to number: those of the bridge, or for records as many as anybody asks for. */
    int lastHost() {
        return run.isEmpty() ? 60_000 : LAST_HOST;
    }

    private static String plus(String subnet, int host) {
        String[] bytes = subnet.split("\\.", -1);
        int third = Integer.parseInt(bytes[2]) + host / 256;
        int second = Integer.parseInt(bytes[1]) + third / 256;
        return bytes[0] + "." + second + "." + third % 256 + "." + host % 256;
    }

    /** The private network as it is shown. */
    String privateRange() {
        return PRIVATE + "0/" + PRIVATE_PREFIX;
    }

    /** An address of 2001:2::/48, the range set aside for tests (RFC 5180), as 198.18.0.0/15 is for IPv4: each /24 there has its /64 here. */
    String ipv6Address(int host) {
        String[] bytes = subnet.split("\\.", -1);
        return String.format("2001:2:0:%x%02x::%x", Integer.parseInt(bytes[1]), Integer.parseInt(bytes[2]), host);
    }

    String ipv6Gateway() {
        return ipv6Address(1);
    }

    String privateGateway() {
        return PRIVATE + 1;
    }

    String namespace(String machine) {
        return run + "-" + machine;
    }

    /** Makes a namespace with the usual legs, as at power on: nothing of an earlier life is in it. */
    void plug(String machine, int host, boolean withPrivate, boolean withIpv6) {
        unplug(machine);
        String namespace = namespace(machine);
        Command.of("ip", "netns", "add", namespace).check();
        leg(machine, "eth0", bridge(), "", host, publicAddress(host) + "/24");
        if (withPrivate) {
            leg(machine, "eth1", privateBridge(), "v", host, privateAddress(host) + "/" + PRIVATE_PREFIX);
        }
        Command.of("ip", "-n", namespace, "link", "set", "lo", "up").check();
        Command.of("ip", "-n", namespace, "route", "add", "default", "via", gateway())
                .check();
        if (withIpv6) {
            Command.of(
                            "ip",
                            "-n",
                            namespace,
                            "address",
                            "add",
                            ipv6Address(host) + "/" + IPV6_PREFIX,
                            "dev",
                            "eth0",
                            "nodad")
                    .check();
            Command.of("ip", "-n", namespace, "route", "add", "default", "via", ipv6Gateway(), "dev", "eth0")
                    .check();
        }
    }

    void unplug(String machine) {
        unplug(run, machine);
    }

    private void leg(String machine, String inside, String bridge, String mark, int host, String address) {
        String outside = run + mark + "-" + machine;
        String namespace = namespace(machine);
        // The hardware address follows the public one, so that neighbours of a recycled address do not send to the
        // machine before.
        String[] bytes = (subnet + host).split("\\.", -1);
        String hardware = String.format(
                "02:%02x:%02x:%02x:%02x:%02x",
                mark.isEmpty() ? 0 : 1,
                Integer.parseInt(bytes[0]),
                Integer.parseInt(bytes[1]),
                Integer.parseInt(bytes[2]),
                Integer.parseInt(bytes[3]));
        Command.of(
                        "ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "address", hardware,
                        "netns", namespace)
                .check();
        Command.of("ip", "link", "set", outside, "master", bridge, "up").check();
        Command.of("ip", "-n", namespace, "address", "add", address, "brd", "+", "dev", inside)
                .check();
        Command.of("ip", "-n", namespace, "link", "set", inside, "up").check();
    }

    /** Takes away all that a run has in the network; what is not there is not missed. */
    static void remove(String run) {
        for (String namespace : namespaces()) {
            if (namespace.startsWith(run + "-")) {
                unplug(run, namespace.substring(run.length() + 1));
            }
        }
        for (String link : links()) {
            if (link.startsWith(run)) {
                Command.of("ip", "link", "delete", link).check();
            }
        }
        removeRules("iptables", "nat", run);
        removeRules("iptables", "filter", run);
        if (hasIpv6()) {
            removeRules("ip6tables", "filter", run);
        }
    }

    private static void removeRules(String program, String table, String run) {
        for (String line : Command.of(program, "-w", "10", "-t", table, "-S")
                .check()
                .stdout()
                .lines()
                .toList()) {
            if (line.startsWith("-A ") && line.contains("--comment " + run + " ")) {
                List<String> words = new ArrayList<>(List.of(program, "-w", "10", "-t", table, "-D"));
                words.addAll(List.of(line.substring(3).split(" ", -1)));
                Command.of(words).check();
            }
        }
    }

    /** The outer ends go first: they go at once, while a namespace goes when the kernel finds the time. */
    private static void unplug(String run, String machine) {
        List<String> links = links();
        for (String mark : List.of("", "v")) {
            String link = run + mark + "-" + machine;
            if (links.contains(link)) {
                Command.of("ip", "link", "delete", link).check();
            }
        }
        String namespace = run + "-" + machine;
        if (namespaces().contains(namespace)) {
            Command.of("ip", "netns", "delete", namespace).check();
        }
    }

    private String bridge() {
        return run;
    }

    private String privateBridge() {
        return run + "v";
    }

    private static List<String> namespaces() {
        return Command.of("ip", "netns", "list")
                .check()
                .stdout()
                .lines()
                .map(line -> line.split(" ", -1)[0])
                .toList();
    }

    private static List<String> links() {
        return Command.of("ip", "-brief", "link")
                .check()
                .stdout()
                .lines()
                .map(line -> line.split("[ @]", -1)[0])
                .toList();
    }

    private static void rule(String table, String chain, String run, String... match) {
        rule("iptables", table, chain, List.of(match), run);
    }

    private static void rule(String program, String table, String chain, List<String> match, String run) {
        List<String> words = new ArrayList<>(List.of(program, "-w", "10", "-t", table, "-I", chain));
        words.addAll(match);
        words.addAll(List.of("-m", "comment", "--comment", run));
        Command.of(words).timeout(Duration.ofSeconds(30)).check();
    }

    /** A /24 of 198.18.0.0/15, the range set aside for tests, that no address or route of this machine is in. */
    private static String freeSubnet(String run) {
        Set<String> taken = new HashSet<>();
        String known = Command.of("ip", "-4", "-oneline", "address").check().stdout()
                + Command.of("ip", "-4", "route", "show", "table", "all")
                        .check()
                        .stdout();
        for (String word : known.split("\\s+", -1)) {
            String[] bytes = word.split("/", -1)[0].split("\\.", -1);
            if (bytes.length == 4) {
                taken.add(bytes[0] + "." + bytes[1] + "." + bytes[2] + ".");
            }
        }
        int start = Integer.parseInt(run.substring(Runs.PREFIX.length()), 16) % 512;
        for (int i = 0; i < 512; i++) {
            int n = (start + i) % 512;
            String subnet = "198." + (18 + n / 256) + "." + n % 256 + ".";
            if (!taken.contains(subnet)) {
                return subnet;
            }
        }
        throw new LocalCloudException(
                "every /24 of 198.18.0.0/15 is in use on this machine: free one, or give a subnet");
    }

    private static InvalidSettingException notASubnet(String cidr, @Nullable Throwable cause) {
        return new InvalidSettingException(
                "subnet " + Names.quote(cidr) + " is not an IPv4 /24: use one such as 198.18.7.0/24", cause);
    }

    /** Turns {@code a.b.c.0/24} into {@code a.b.c.}. */
    static String parse(String cidr) {
        if (!cidr.matches("\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.0/24")) {
            throw notASubnet(cidr, null);
        }
        try {
            InetAddress address = InetAddress.getByName(cidr.substring(0, cidr.indexOf('/')));
            if (!(address instanceof Inet4Address)) {
                throw notASubnet(cidr, null);
            }
        } catch (UnknownHostException e) {
            throw notASubnet(cidr, e);
        }
        return cidr.substring(0, cidr.lastIndexOf('.') + 1);
    }
}
