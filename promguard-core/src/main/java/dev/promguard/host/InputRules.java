package dev.promguard.host;

import dev.promguard.blueprint.FirewallRule.Protocol;
import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one table, as {@code iptables -S} prints them, followed by a first packet from another machine. What is not understood of a
 * rule makes it one that only some packets match. Immutable.
 */
final class InputRules {
    private static final Set<String> ACCEPTING = Set.of("ACCEPT", "ufw-user-limit-accept", "ufw6-user-limit-accept");
    private static final Set<String> FINAL =
            Set.of("ACCEPT", "DROP", "REJECT", "QUEUE", "NFQUEUE", "TARPIT", "DNAT", "REDIRECT");
    private static final Set<String> REFUSING = Set.of("DROP", "REJECT");
    private static final Set<String> MODULES =
            Set.of("tcp", "udp", "multiport", "conntrack", "state", "comment", "addrtype");
    private static final int DEEPEST = 20;

    private final Map<String, List<Rule>> chains = new HashMap<>();
    private final Map<String, String> policies = new HashMap<>();

    /**
     * A first packet to a port of the host.
     *
     * @param protocol the protocol
     * @param port the port
     * @param to the local address; empty for any of the host's
     */
    record Packet(Protocol protocol, int port, Optional<IPAddress> to) {}

    /** How many of the packets like one match. */
    private enum Match {
        NONE,
        SOME,
        ALL;

        private Match and(Match other) {
            return compareTo(other) < 0 ? this : other;
        }

        private Match inverted(boolean is) {
            return !is || this == SOME ? this : this == ALL ? NONE : ALL;
        }

        private static Match of(boolean all) {
            return all ? ALL : NONE;
        }
    }

    /** An option with its value, and whether {@code !} stands before it. */
    private record Option(String name, String value, boolean negated) {}

    private record Rule(List<Option> options, String target, boolean goesAway) {}

    /**
     * Reads rules.
     *
     * @param lines such as {@code -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT}; others are passed over
     */
    InputRules(List<String> lines) {
        for (String line : lines) {
            List<String> words = LoadedRule.words(line);
            if (words.size() == 3 && words.get(0).equals("-P")) {
                policies.put(words.get(1), words.get(2));
            } else if (words.size() > 1 && words.get(0).equals("-A")) {
                chains.computeIfAbsent(words.get(1), name -> new ArrayList<>())
                        .add(rule(words.subList(2, words.size())));
            }
        }
    }

    private static Rule rule(List<String> words) {
        List<Option> options = new ArrayList<>();
        boolean negated = false;
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (word.equals("!")) {
                negated = true;
                continue;
            }
            String next = i + 1 < words.size() ? words.get(i + 1) : "";
            if (word.equals("-j") || word.equals("-g")) {
                return new Rule(options, next, word.equals("-g"));
            }
            boolean flag = !word.equals("--comment") && (next.startsWith("-") || next.equals("!"));
            options.add(new Option(word, flag ? "" : next, negated));
            if (!flag) {
                i++;
                while (word.equals("--tcp-flags")
                        && i + 1 < words.size()
                        && !words.get(i + 1).startsWith("-")) {
                    i++;
                }
            }
            negated = false;
        }
        return new Rule(options, "", false);
    }

    /**
     * Whether a packet may get to the end of a chain, and the chain's policy accepts it. A chain without a policy is taken to accept.
     *
     * @param chain a chain of the kernel's, such as {@code INPUT}
     * @param packet the packet
     * @return false if every packet like this one meets a rule that decides about it, or the policy is another
     */
    boolean acceptsByPolicy(String chain, Packet packet) {
        return policies.getOrDefault(chain, "ACCEPT").equals("ACCEPT") && mayPass(chain, packet, false, 0);
    }

    /**
     * Whether every packet from elsewhere is sent on by this chain or those that it leads to, as Docker does for the ports of containers.
     *
     * @param chain a chain, such as {@code PREROUTING}
     * @param packet the packet
     * @return false if some may not be
     */
    boolean redirectsAll(String chain, Packet packet) {
        return !mayPass(chain, packet, true, 0);
    }

    /**
     * Whether a chain accepts every packet like one, before it refuses all of them.
     *
     * @param chain the chain
     * @param packet the packet
     * @return false if some may not be accepted
     */
    boolean acceptsAll(String chain, Packet packet) {
        for (Rule rule : chains.getOrDefault(chain, List.of())) {
            if (match(rule, packet, false) == Match.ALL) {
                if (ACCEPTING.contains(rule.target())) {
                    return true;
                } else if (REFUSING.contains(rule.target())) {
                    return false;
                }
            }
        }
        return false;
    }

    private boolean mayPass(String chain, Packet packet, boolean fromElsewhere, int depth) {
        for (Rule rule : chains.getOrDefault(chain, List.of())) {
            Match match = match(rule, packet, fromElsewhere);
            if (match != Match.ALL) {
                continue;
            }
            if (FINAL.contains(rule.target())) {
                return false;
            } else if (rule.target().equals("RETURN")) {
                return true;
            } else if (chains.containsKey(rule.target()) && depth < DEEPEST) {
                boolean passes = mayPass(rule.target(), packet, fromElsewhere, depth + 1);
                if (!passes || rule.goesAway()) {
                    return passes;
                }
            }
        }
        return true;
    }

    private static Match match(Rule rule, Packet packet, boolean fromElsewhere) {
        Match match = Match.ALL;
        for (Option option : rule.options()) {
            match = match.and(match(option, packet, fromElsewhere));
        }
        return match;
    }

    private static Match match(Option option, Packet packet, boolean fromElsewhere) {
        String value = option.value();
        return switch (option.name()) {
            case "-p" -> protocol(value, packet.protocol()).inverted(option.negated());
            case "--dport", "--dports" ->
                Match.of(List.of(value.split(",", -1)).stream().anyMatch(range -> holds(range, packet.port())))
                        .inverted(option.negated());
            case "-d" -> address(value, packet.to().orElse(null)).inverted(option.negated());
            case "-i" ->
                value.equals("lo")
                        ? Match.NONE.inverted(option.negated())
                        : option.negated() && fromElsewhere ? Match.ALL : Match.SOME;
            case "--ctstate", "--state" ->
                Match.of(List.of(value.split(",", -1)).contains("NEW")).inverted(option.negated());
            case "--dst-type" ->
                (value.equals("LOCAL") ? Match.ALL : value.equals("UNICAST") ? Match.SOME : Match.NONE)
                        .inverted(option.negated());
            case "--tcp-flags" -> value.equals("FIN,SYN,RST,ACK") && !option.negated() ? Match.ALL : Match.SOME;
            case "-m" -> MODULES.contains(value) ? Match.ALL : Match.SOME;
            case "--syn", "--comment" -> Match.ALL;
            default -> Match.SOME;
        };
    }

    private static Match protocol(String name, Protocol protocol) {
        return Match.of(Set.of("all", "0", protocol.id(), protocol == Protocol.TCP ? "6" : "17")
                .contains(name));
    }

    private static Match address(String text, @Nullable IPAddress to) {
        IPAddress block = new IPAddressString(text).getAddress();
        if (block == null) {
            return Match.SOME;
        }
        if (Integer.valueOf(0).equals(block.getNetworkPrefixLength())) {
            return Match.ALL;
        }
        return to == null ? Match.SOME : Match.of(block.toPrefixBlock().contains(to));
    }

    private static boolean holds(String range, int port) {
        String[] ends = range.split(":", -1);
        try {
            int first = Integer.parseInt(ends[0]);
            int last = ends.length == 1 ? first : Integer.parseInt(ends[1]);
            return first <= port && port <= last;
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
