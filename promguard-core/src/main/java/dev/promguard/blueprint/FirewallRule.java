package dev.promguard.blueprint;

import dev.promguard.InvalidSettingException;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * One rule that admits incoming packets. What no rule admits is dropped.
 *
 * @param networkInterface the interface that packets must arrive on, or empty for any
 * @param from the source address that packets must carry, or empty for any
 * @param to the destination address that packets must carry, or empty for any
 * @param port the destination port, 1 to 65535
 * @param protocol the protocol
 * @param comment what the rule is for; rules are known by it again
 */
public record FirewallRule(
        Optional<String> networkInterface,
        Optional<String> from,
        Optional<String> to,
        int port,
        Protocol protocol,
        String comment) {
    /** The comment of rules for ports that the spec allows. */
    public static final String ALLOWED = "PromGuard allow";

    private static final Pattern INTERFACE = Pattern.compile("[A-Za-z0-9_.-]{1,15}");
    private static final Pattern ADDRESS = Pattern.compile("[0-9a-fA-F.:/]{2,49}");
    private static final Pattern COMMENT = Pattern.compile("[A-Za-z0-9 ._:/()-]{1,200}");

    /** A protocol with ports. */
    public enum Protocol {
        /** TCP. */
        TCP("tcp"),
        /** UDP. */
        UDP("udp");

        private final String id;

        Protocol(String id) {
            this.id = id;
        }

        /**
         * The protocol's word in ufw's syntax.
         *
         * @return {@code tcp} or {@code udp}
         */
        public String id() {
            return id;
        }
    }

    /**
     * Checks the parts.
     *
     * @throws InvalidSettingException if a part is malformed
     */
    public FirewallRule {
        Objects.requireNonNull(protocol, "protocol");
        networkInterface.ifPresent(text -> require(INTERFACE, text, "interface"));
        from.ifPresent(text -> require(ADDRESS, text, "source address"));
        to.ifPresent(text -> require(ADDRESS, text, "destination address"));
        require(COMMENT, comment, "comment");
        if (port < 1 || port > 65535) {
            throw new InvalidSettingException("port " + port + " is not between 1 and 65535");
        }
    }

    /**
     * Admits a port from anywhere.
     *
     * @param port the port
     * @param protocol the protocol
     * @param comment what it is for
     * @return the rule
     */
    public static FirewallRule open(int port, Protocol protocol, String comment) {
        return new FirewallRule(Optional.empty(), Optional.empty(), Optional.empty(), port, protocol, comment);
    }

    /**
     * Whether the rule admits a port from anywhere.
     *
     * @param other the port
     * @return true if it is about this port, and no interface or address narrows it
     */
    public boolean admitsEverybodyTo(Port other) {
        return port == other.number()
                && protocol == other.protocol()
                && networkInterface.isEmpty()
                && from.isEmpty()
                && to.isEmpty();
    }

    /**
     * The same rule without regard to its comment: what it lets through.
     *
     * @param other another rule
     * @return true if both let through the same packets
     */
    public boolean admitsSameAs(FirewallRule other) {
        return port == other.port
                && protocol == other.protocol
                && networkInterface.equals(other.networkInterface)
                && from.equals(other.from)
                && to.equals(other.to);
    }

    /**
     * The rule in words, for plans and reports.
     *
     * @return such as {@code 9100/tcp on wg0 from 10.0.0.1}
     */
    public String describe() {
        return port + "/" + protocol.id()
                + networkInterface.map(name -> " on " + name).orElse("")
                + from.map(address -> " from " + address).orElse("");
    }

    private static void require(Pattern pattern, String value, String field) {
        if (!pattern.matcher(value).matches()) {
            throw new InvalidSettingException("firewall rule: " + field + " " + Names.quote(value) + " is not valid");
        }
    }
}
