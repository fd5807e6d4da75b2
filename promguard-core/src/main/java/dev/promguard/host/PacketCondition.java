package dev.promguard.host;

import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One condition of a rule of a packet filter, in the terms that iptables and nft share. Of a packet that is known in part, it may not be
 * known whether it is met. Immutable.
 *
 * @param on what it is about
 * @param negated whether it is met where none of the values fits
 * @param values what fits; the form depends on what it is about
 */
record PacketCondition(On on, boolean negated, List<String> values) {
    private static final int FIRST_FREE_PORT = 1024;
    private static final int LAST_PORT = 65_535;

    /** What a condition is about. */
    enum On {
        /** The interface that a packet arrives on. */
        IN_DEVICE,
        /** The interface that a packet leaves by. */
        OUT_DEVICE,
        /** The source address. */
        FROM,
        /** The destination address. */
        TO,
        /** 4 or 6. */
        FAMILY,
        /** The protocol. */
        PROTOCOL,
        /** The source port. */
        FROM_PORT,
        /** The destination port. */
        TO_PORT,
        /** Either port. */
        ANY_PORT,
        /** The state of the connection. */
        STATE,
        /** Whose the source address is. */
        FROM_TYPE,
        /** Whose the destination address is. */
        TO_TYPE,
        /** Flags of TCP: those to look at, and those of them that are to be set, each joined by commas. */
        TCP_FLAGS,
        /** Whether it is for one receiver or for many. */
        PACKET_TYPE,
        /** Something that cannot be judged here, such as how many packets came before. */
        OTHER
    }

    /** Whether something is so. */
    enum Answer {
        YES,
        NO,
        MAYBE;

        Answer not() {
            return this == YES ? NO : this == NO ? YES : MAYBE;
        }

        Answer and(Answer other) {
            return this == NO || other == NO ? NO : this == YES ? other : MAYBE;
        }

        Answer or(Answer other) {
            return this == YES || other == YES ? YES : this == NO ? other : MAYBE;
        }

        /** Yes if all are so, no if none is, and of no elements maybe. */
        static <T> Answer ofAll(Collection<T> elements, Function<T, Answer> of) {
            Set<Answer> answers = elements.stream().map(of).collect(java.util.stream.Collectors.toSet());
            return answers.size() == 1 ? answers.iterator().next() : MAYBE;
        }
    }

    PacketCondition {
        values = List.copyOf(values);
    }

    /** One that cannot be judged. */
    static PacketCondition other() {
        return new PacketCondition(On.OTHER, false, List.of());
    }

    /** Whether a packet meets it. */
    Answer isMet(Packet packet) {
        Answer fits = on == On.OTHER ? Answer.MAYBE : anyFits(packet);
        return negated ? fits.not() : fits;
    }

    private Answer anyFits(Packet packet) {
        if (on == On.TCP_FLAGS) {
            return flags(packet);
        }
        Answer any = Answer.NO;
        for (String value : values) {
            any = any.or(fits(packet, value));
        }
        return any;
    }

    private Answer fits(Packet packet, String value) {
        if (value.startsWith("@") || value.startsWith("$")) {
            return Answer.MAYBE;
        }
        return switch (on) {
            case IN_DEVICE -> packet.incoming() ? device(packet, value) : Answer.NO;
            case OUT_DEVICE -> packet.incoming() ? Answer.NO : device(packet, value);
            case FROM -> address(packet.from(), value, packet.family());
            case TO -> address(packet.to(), value, packet.family());
            case FAMILY -> answer(String.valueOf(packet.family()).equals(value));
            case PROTOCOL -> answer(packet.protocol().isMeantBy(value));
            case FROM_PORT -> port(packet.fromPort(), value);
            case TO_PORT -> port(packet.toPort(), value);
            case ANY_PORT -> port(packet.fromPort(), value).or(port(packet.toPort(), value));
            case STATE -> answer(value.equalsIgnoreCase(packet.isNew() ? "new" : "established"));
            case FROM_TYPE -> type(!packet.incoming(), value);
            case TO_TYPE -> type(packet.isToHost(), value);
            case PACKET_TYPE -> answer(value.equals("host") || value.equals("unicast"));
            case TCP_FLAGS, OTHER -> Answer.MAYBE;
        };
    }

    private static Answer answer(boolean is) {
        return is ? Answer.YES : Answer.NO;
    }

    private static Answer device(Packet packet, String pattern) {
        if (packet.devices().isEmpty()) {
            return pattern.equals("+") || pattern.equals("*")
                    ? Answer.YES
                    : pattern.equals("lo") || pattern.equals(packet.tunnel()) ? Answer.NO : Answer.MAYBE;
        }
        boolean begins = pattern.endsWith("+") || pattern.endsWith("*");
        String name = begins ? pattern.substring(0, pattern.length() - 1) : pattern;
        return Answer.ofAll(packet.devices(), device -> answer(begins ? device.startsWith(name) : device.equals(name)));
    }

    private static Answer address(Set<IPAddress> known, String value, int family) {
        Function<IPAddress, Answer> within = network(value);
        if (within == null) {
            return Answer.MAYBE;
        } else if (!known.isEmpty()) {
            return Answer.ofAll(known, within);
        }
        IPAddress block = new IPAddressString(value).getAddress();
        if (block == null) {
            return Answer.MAYBE;
        } else if (block.isIPv4() != (family == 4)
                || block.isLoopback()
                || block.isMulticast()
                || block.isLinkLocal()) {
            return Answer.NO;
        }
        return block.isPrefixed() && block.getPrefixLength() == 0 ? Answer.YES : Answer.MAYBE;
    }

    /** Whether an address is in a network or a range; null where the text is neither. */
    private static @Nullable Function<IPAddress, Answer> network(String value) {
        int dash = value.indexOf('-');
        IPAddress first = new IPAddressString(dash < 0 ? value : value.substring(0, dash)).getAddress();
        IPAddress last = dash < 0 ? first : new IPAddressString(value.substring(dash + 1)).getAddress();
        if (first == null || last == null || first.isIPv4() != last.isIPv4()) {
            return null;
        }
        IPAddress block = first.toPrefixBlock();
        return address -> answer(address.isIPv4() == first.isIPv4()
                && (dash < 0
                        ? block.contains(address)
                        : first.compareTo(address) <= 0 && address.compareTo(last) <= 0));
    }

    private static Answer port(int port, String value) {
        String[] ends = value.split("[:-]", -1);
        try {
            int first = ends[0].isEmpty() ? 0 : Integer.parseInt(ends[0]);
            int last = ends.length == 1 ? first : ends[1].isEmpty() ? LAST_PORT : Integer.parseInt(ends[1]);
            if (port > 0) {
                return answer(first <= port && port <= last);
            }
            return last < FIRST_FREE_PORT
                    ? Answer.NO
                    : first <= FIRST_FREE_PORT && last >= LAST_PORT ? Answer.YES : Answer.MAYBE;
        } catch (NumberFormatException e) {
            return Answer.MAYBE;
        }
    }

    private static Answer type(boolean local, String value) {
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "local" -> answer(local);
            case "unicast" -> answer(!local);
            default -> Answer.NO;
        };
    }

    /** The first packet of a connection has SYN alone. */
    private Answer flags(Packet packet) {
        if (!packet.protocol().isTcp()) {
            return Answer.NO;
        }
        List<String> seen = flagNames(values.get(0));
        List<String> set = flagNames(values.get(1));
        boolean asksForSyn = seen.contains("syn");
        if (packet.isNew()) {
            return answer(asksForSyn ? set.equals(List.of("syn")) : set.isEmpty());
        }
        return asksForSyn && seen.contains("ack") && set.equals(List.of("syn")) ? Answer.NO : Answer.MAYBE;
    }

    private static List<String> flagNames(String text) {
        List<String> names = new ArrayList<>();
        for (String name : text.toLowerCase(Locale.ROOT).split("[,|() ]+", -1)) {
            if (!name.isEmpty() && !name.equals("none")) {
                names.add(name);
            }
        }
        return names;
    }
}
