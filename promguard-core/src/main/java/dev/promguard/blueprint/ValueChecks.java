package dev.promguard.blueprint;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The rules for single values of a spec, each in one place: setters apply them to what they are given, {@link Planner#problems} to
 * a whole spec. Each check returns what is wrong, with the field, the value and what is allowed; an empty list if nothing is.
 */
public final class ValueChecks {
    private static final List<String> PRIVATE_NETWORKS =
            List.of("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7");

    /** The two usual forms alone: the library that parses them knows many more, wildcards and octal numbers among them. */
    private static final Pattern CIDR =
            Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}|[0-9A-Fa-f:]{2,39}/[0-9]{1,3}");

    /** A name that has a letter in its last part: what has none is an address, or a mistake for one. */
    private static final Pattern DOMAIN = Pattern.compile(
            "(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)*(?=[^.]*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?");

    /** Jobs that every mesh has. */
    private static final Set<String> OWN_JOBS = Set.of("node", "prometheus");

    private static final int NEAR = 3;

    /** What every IPv4 host takes (RFC 791), and the largest UDP packet over IPv6 less WireGuard's header. */
    private static final int LEAST_MTU = 576;

    private static final int MOST_MTU = 65_535 - 80;

    /** What every IPv6 link takes (RFC 8200): the kernel has no IPv6 on a smaller one. */
    static final int LEAST_MTU_OF_IPV6 = 1_280;

    private ValueChecks() {}

    /**
     * Refuses a value that has a problem.
     *
     * @param problems what a check returned
     * @throws InvalidSettingException if there is a problem; the message holds all of them
     */
    public static void require(List<String> problems) {
        require(ErrorCode.INVALID_VALUE, problems);
    }

    /**
     * Refuses a value that has a problem.
     *
     * @param code what kind of problem it is
     * @param problems what a check returned
     * @throws InvalidSettingException if there is a problem; the message holds all of them
     */
    public static void require(ErrorCode code, List<String> problems) {
        if (!problems.isEmpty()) {
            throw new InvalidSettingException(code, String.join("; ", problems), null);
        }
    }

    /**
     * Checks a mesh's name.
     *
     * @param value the name
     * @return the problems
     */
    public static List<String> meshName(String value) {
        return check(
                Names.isMesh(value),
                "name " + Names.quote(value)
                        + " is not a valid mesh name: use 1 to 32 lower-case letters, digits and dashes, starting with a letter"
                        + " and not ending with a dash");
    }

    /**
     * Checks a host's name.
     *
     * @param role the host's role, which the problem names
     * @param value the name
     * @return the problems
     */
    public static List<String> hostName(Role role, String value) {
        return check(
                Names.isHost(value),
                role.id() + " name " + Names.quote(value)
                        + " is not a valid host name: use 1 to 63 lower-case letters, digits and dashes, not starting or ending"
                        + " with a dash");
    }

    /**
     * Checks a viewer's name, which is also part of files' lines and of a firewall rule's comment.
     *
     * @param value the name
     * @return the problems
     */
    public static List<String> viewerName(String value) {
        return check(
                Names.isHost(value),
                "viewer name " + Names.quote(value)
                        + " is not valid: use 1 to 63 lower-case letters, digits and dashes, not starting or ending with a dash");
    }

    /**
     * Checks a provider's word.
     *
     * @param field {@code region}, {@code size} or {@code image}
     * @param value the word
     * @param of whose it is, such as {@code " of node \"db\""}; empty to leave it out
     * @return the problems
     */
    public static List<String> word(String field, String value, String of) {
        return check(
                Names.isWord(value),
                field + ' ' + Names.quote(value) + of + " is not a valid " + field
                        + ": use 1 to 64 lower-case letters, digits, dots, dashes and underscores, starting and ending with a"
                        + " letter or digit");
    }

    /**
     * Checks the network inside the tunnels. Whether all hosts fit is not checked.
     *
     * @param value the network in CIDR notation
     * @return the problems
     */
    public static List<String> network(String value) {
        String subject = "network " + Names.quote(value);
        IPAddress network = CIDR.matcher(value).matches() ? new IPAddressString(value).getAddress() : null;
        if (network == null || (network.isIPv4() && !network.toCanonicalString().equals(value))) {
            return List.of(subject + " is not a valid network: use CIDR notation, such as 10.0.0.0/24");
        }
        if (!network.isPrefixBlock()) {
            return List.of(subject + " is an address inside a network: did you mean "
                    + network.toPrefixBlock().toCanonicalString() + "?");
        }
        boolean isPrivate = PRIVATE_NETWORKS.stream()
                .map(text -> Objects.requireNonNull(new IPAddressString(text).getAddress()))
                .anyMatch(block -> block.getIPVersion() == network.getIPVersion() && block.contains(network));
        return check(isPrivate, subject + " is not private: choose one inside " + String.join(", ", PRIVATE_NETWORKS));
    }

    /**
     * Checks the name of the WireGuard interface.
     *
     * @param value the name
     * @return the problems
     */
    public static List<String> interfaceName(String value) {
        return check(
                Names.isInterface(value),
                "interfaceName " + Names.quote(value)
                        + " is not a valid interface name: use 1 to 15 letters, digits, dashes and underscores, starting with a"
                        + " letter, but not lo, all, default or interfaces");
    }

    /**
     * Checks the MTU of a WireGuard interface. Whether it suits the network inside the tunnels is not checked.
     *
     * @param value the MTU in bytes
     * @param of whose it is; empty to leave it out
     * @return the problems
     */
    public static List<String> mtu(int value, String of) {
        return check(
                value >= LEAST_MTU && value <= MOST_MTU,
                "mtu " + value + of + " is out of range: use " + LEAST_MTU + " to " + MOST_MTU);
    }

    /**
     * Checks a port that PromGuard opens or a program of the mesh listens on.
     *
     * @param field what the port is called, such as {@code wireGuardPort}
     * @param value the port
     * @param of whose it is; empty to leave it out
     * @return the problems
     */
    public static List<String> port(String field, int value, String of) {
        return check(
                value >= 1 && value <= 65_535 && value != 22,
                field + ' ' + value + of + " is not a valid port: use 1 to 65535, but not SSH's port 22");
    }

    /**
     * Checks where peers are to reach a host's WireGuard.
     *
     * @param value an address or a name
     * @param of whose it is; empty to leave it out
     * @return the problems
     */
    public static List<String> endpoint(String value, String of) {
        String subject = "endpoint " + Names.quote(value) + of;
        if (!Names.isAddress(value)) {
            return check(
                    DOMAIN.matcher(value).matches() && !value.equalsIgnoreCase("localhost"),
                    subject + " is not a valid address: use an IPv4 or IPv6 address, or a name, without a port");
        }
        if (new IPAddressString(value).getAddress() == null) {
            return List.of(subject + " is not a valid address: use an IPv4 or IPv6 address, or a name, without a port");
        }
        return unreachable(value)
                .map(kind -> List.of(subject + " is " + kind
                        + " address, which no other host can reach: use one that the peers can"))
                .orElse(List.of());
    }

    /**
     * Why no other host can reach an address.
     *
     * @param value an address or a name
     * @return the kind of address, such as {@code a loopback}; empty for any other, also for what is neither address nor name
     */
    public static Optional<String> unreachable(String value) {
        if (value.equalsIgnoreCase("localhost")) {
            return Optional.of("a loopback");
        }
        IPAddress address = Names.isAddress(value) ? new IPAddressString(value).getAddress() : null;
        if (address == null) {
            return Optional.empty();
        } else if (address.isLoopback()) {
            return Optional.of("a loopback");
        } else if (address.isMulticast()) {
            return Optional.of("a multicast");
        } else if (address.isAnyLocal()) {
            return Optional.of("an unspecified");
        } else if (address.isLinkLocal()) {
            return Optional.of("a link-local");
        }
        return value.equals("255.255.255.255") ? Optional.of("a broadcast") : Optional.empty();
    }

    /**
     * Checks the UDP port where peers are to reach a host's WireGuard.
     *
     * @param value the port
     * @param of whose it is; empty to leave it out
     * @return the problems
     */
    public static List<String> endpointPort(int value, String of) {
        return check(
                value >= 1 && value <= 65_535, "endpoint port " + value + of + " is not a valid port: use 1 to 65535");
    }

    /**
     * Checks a port of a service of the user's own.
     *
     * @param value the port
     * @param of whose it is; empty to leave it out
     * @return the problems
     */
    public static List<String> openPort(int value, String of) {
        return servicePort("openPort", value, of);
    }

    /**
     * Checks a port of a service of the user's own that is called by another name.
     *
     * @param field what the port is called, such as {@code allowed port}
     * @param value the port
     * @param of whose it is; empty to leave it out
     * @return the problems
     */
    public static List<String> servicePort(String field, int value, String of) {
        return check(value >= 1 && value <= 65_535, field + ' ' + value + of + " is not a valid port: use 1 to 65535");
    }

    /**
     * Checks the name of a job that scrapes a port of a host of the mesh.
     *
     * @param field what the job is called, such as {@code job}
     * @param value the job's name
     * @param of whose it is; empty to leave it out
     * @return the problems
     */
    public static List<String> job(String field, String value, String of) {
        String subject = field + ' ' + Names.quote(value) + of;
        if (!Names.isJob(value)) {
            return List.of(subject
                    + " is not a valid job name: use 1 to 63 lower-case letters, digits, dashes and underscores,"
                    + " starting with a letter");
        }
        return check(
                !OWN_JOBS.contains(value), subject + " is the name of a job that every mesh has: choose another name");
    }

    /**
     * Checks the path of metrics of a host of the mesh.
     *
     * @param field what the path is called, such as {@code metricsPath}
     * @param value the path
     * @param of whose it is; empty to leave it out
     * @return the problems
     */
    public static List<String> metricsPath(String field, String value, String of) {
        return check(
                Names.isMetricsPath(value),
                field + ' ' + Names.quote(value) + of
                        + " is not a valid path: use a path such as /metrics, without a query");
    }

    /**
     * Checks that a release is one of the program that it is to be used for.
     *
     * @param field what the release is called, such as {@code nodeExporter release}
     * @param value the release
     * @param program the program's name
     * @return the problems
     */
    public static List<String> release(String field, Release value, String program) {
        return check(
                value.name().equals(program),
                field + " name " + Names.quote(value.name()) + " is not " + program + ": use a release named "
                        + program);
    }

    /**
     * Checks that a number is in a range.
     *
     * @param field what the number is called
     * @param value the number
     * @param least the least that is allowed
     * @param most the most that is allowed
     * @return the problems
     */
    public static List<String> range(String field, int value, int least, int most) {
        return check(
                value >= least && value <= most,
                field + ' ' + value + " is out of range: use " + least + " to " + most);
    }

    /**
     * Checks that something of a name is there.
     *
     * @param field what it is, such as {@code node}
     * @param value the name
     * @param names the names that are there
     * @return the problems
     */
    public static List<String> known(String field, String value, Collection<String> names) {
        return check(
                names.contains(value),
                field + ' ' + Names.quote(value) + " does not exist: "
                        + (names.isEmpty()
                                ? "there is none"
                                : "use one of the nearest, " + String.join(", ", Names.nearest(value, names, NEAR))));
    }

    static boolean isOwnJob(String job) {
        return OWN_JOBS.contains(job);
    }

    static List<String> check(boolean good, String problem) {
        return good ? List.of() : List.of(problem);
    }
}
