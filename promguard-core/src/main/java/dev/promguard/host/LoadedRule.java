package dev.promguard.host;

import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.host.HostFacts.AcceptFact;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A rule that the kernel has loaded and that accepts incoming packets, as far as it can be understood. What is not understood of it
 * counts as if it were not there: the rule then is taken to accept more than it does, never less. A pure value.
 */
public final class LoadedRule {
    private static final Pattern UFW_BEFORE = Pattern.compile("ufw6?-before-input");
    private static final Pattern LIMITED = Pattern.compile("ufw6?-user-limit-accept");
    private static final Set<String> ICMP = Set.of("icmp", "icmpv6", "ipv6-icmp", "1", "58");
    private static final Set<String> REPLIES = Set.of("RELATED", "ESTABLISHED");
    private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*");

    /** What every ufw accepts beside answers, ICMP and loopback: a lease from a DHCP server, and names and services by multicast. */
    private static final Set<String> UFW_OWN = Set.of(
            "-p udp -m udp --sport 67 --dport 68 -j ACCEPT",
            "-d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT",
            "-d 239.255.255.250/32 -p udp -m udp --dport 1900 -j ACCEPT",
            "-s fe80::/10 -d fe80::/10 -p udp -m udp --sport 547 --dport 546 -j ACCEPT",
            "-d ff02::fb/128 -p udp -m udp --dport 5353 -j ACCEPT",
            "-d ff02::f/128 -p udp -m udp --dport 1900 -j ACCEPT");

    /** All that ufw accepts over IPv6 where {@code /etc/default/ufw} says {@code IPV6=no}. */
    private static final String LOOPBACK_WITHOUT_IPV6 = "-i lo -j ACCEPT";

    /** The options of a rule that admits by interface, addresses and one port, and nothing else. */
    private static final Set<String> SIMPLE = Set.of("-i", "-s", "-d", "-p", "-m", "--dport", "--comment", "-j");

    private final AcceptFact fact;
    private final Optional<ChainWays> ways;
    private final Map<String, String> options = new HashMap<>();
    private boolean simple = true;

    /**
     * Reads a rule that any packet may get to.
     *
     * @param fact the rule as the host showed it
     */
    public LoadedRule(AcceptFact fact) {
        this(fact, Optional.empty());
    }

    /** Reads a rule of a chain to which these ways lead; any way does where none are known. */
    private LoadedRule(AcceptFact fact, Optional<ChainWays> ways) {
        this.fact = Objects.requireNonNull(fact, "fact");
        this.ways = ways;
        List<String> words = words(fact.rule());
        boolean negated = false;
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (word.equals("!")) {
                negated = true;
                simple = false;
            } else if (word.startsWith("-")) {
                String next = i + 1 < words.size() ? words.get(i + 1) : "";
                boolean flag = (next.startsWith("-") || next.equals("!")) && !word.equals("--comment");
                String value = flag ? "" : next;
                i += flag ? 0 : 1;
                simple &= SIMPLE.contains(word);
                if (!negated) {
                    options.put(word, value);
                }
                negated = false;
            } else {
                simple = false;
            }
        }
    }

    /**
     * The rules of a host that accept what comes to it. Those in chains that no such packet gets to are not among them, such as a
     * container engine's for what the host passes on.
     *
     * @param facts what the host is
     * @return the rules in the order in which the host showed them
     */
    public static List<LoadedRule> of(HostFacts facts) {
        Map<Integer, Optional<ChainWays>> ways = new HashMap<>();
        return facts.firewall().accepting().stream()
                .map(fact -> new LoadedRule(
                        fact,
                        ways.computeIfAbsent(fact.family(), family -> ChainWays.of(facts.of(Ruleset.FACTS), family))))
                .filter(rule -> rule.ways.isEmpty() || rule.ways.get().lead(rule.fact.chain(), jump -> true))
                .toList();
    }

    /**
     * Whether the rule is for packets that the host passes on to others, such as its containers, and so for none to itself.
     *
     * @return true if it names an outgoing interface
     */
    public boolean isForPassing() {
        return options.containsKey("-o");
    }

    /**
     * Whether ufw itself brings the rule: answers, ICMP, loopback, DHCP and multicast names.
     *
     * @return true if so
     */
    public boolean isUfwsOwn() {
        return (UFW_BEFORE.matcher(fact.chain()).matches()
                        && ((options.containsKey("-p") && ICMP.contains(options.get("-p")))
                                || isLoopback()
                                || isForReplies()
                                || UFW_OWN.contains(fact.rule())))
                || (fact.family() == 6
                        && fact.chain().equals("INPUT")
                        && fact.rule().equals(LOOPBACK_WITHOUT_IPV6))
                || (LIMITED.matcher(fact.chain()).matches() && fact.rule().equals("-j ACCEPT"));
    }

    /**
     * Whether the rule may accept a connection, or a first packet, to a port from another machine.
     *
     * @param protocol the protocol
     * @param port the port
     * @return false only if it surely does not
     */
    public boolean mayAdmit(Protocol protocol, int port) {
        return mayBeFor(protocol, port)
                && (ways.isEmpty() || ways.get().lead(fact.chain(), jump -> jump.mayBeFor(protocol, port)));
    }

    /** Whether a first packet to a port may meet what the rule says, if it gets there. */
    private boolean mayBeFor(Protocol protocol, int port) {
        if (isLoopback() || isForReplies() || isForPassing()) {
            return false;
        }
        String of = options.getOrDefault("-p", "all").toLowerCase(Locale.ROOT);
        if (!IpProtocol.of(protocol).isMeantBy(of)) {
            return false;
        }
        String ports = options.getOrDefault("--dport", options.getOrDefault("--dports", ""));
        return ports.isEmpty() || List.of(ports.split(",", -1)).stream().anyMatch(part -> holds(part, port));
    }

    /**
     * Whether the rule says nothing of which packets it accepts, and so leaves that to whatever jumps to it.
     *
     * @return true if so
     */
    public boolean isForAll() {
        return options.keySet().equals(Set.of("-j")) && simple;
    }

    /**
     * Whether the rule accepts exactly what a rule of a blueprint admits.
     *
     * @param rule a rule of a blueprint
     * @return true if it accepts neither more nor less
     */
    public boolean isFor(FirewallRule rule) {
        return simple
                && Optional.ofNullable(options.get("-i")).equals(rule.networkInterface())
                && plain(options.get("-s")).equals(rule.from().flatMap(LoadedRule::plain))
                && plain(options.get("-d")).equals(rule.to().flatMap(LoadedRule::plain))
                && rule.protocol().id().equals(options.get("-p"))
                && String.valueOf(rule.port()).equals(options.get("--dport"));
    }

    /**
     * The rule in words.
     *
     * @return such as {@code ufw-user-input -p tcp -m tcp --dport 8080 -j ACCEPT}, with the word IPv6 before it where that is so
     */
    public String describe() {
        return (fact.family() == 6 ? "IPv6 " : "") + fact.chain() + ' ' + fact.rule();
    }

    private boolean isLoopback() {
        return "lo".equals(options.get("-i"));
    }

    private boolean isForReplies() {
        String states = options.getOrDefault("--ctstate", options.getOrDefault("--state", ""));
        return !states.isEmpty() && REPLIES.containsAll(List.of(states.split(",", -1)));
    }

    static boolean holds(String range, int port) {
        String[] ends = range.split("[:-]", -1);
        try {
            int first = Integer.parseInt(ends[0]);
            int last = ends.length == 1 ? first : Integer.parseInt(ends[1]);
            return first <= port && port <= last;
        } catch (NumberFormatException e) {
            return true;
        }
    }

    private static Optional<String> plain(@Nullable String address) {
        if (address == null) {
            return Optional.empty();
        }
        String host = address.replaceAll(address.indexOf(':') < 0 ? "/32$" : "/128$", "");
        if (!ADDRESS.matcher(host).matches()) {
            return Optional.of(host);
        }
        try {
            return Optional.of(InetAddress.getByName(host).getHostAddress());
        } catch (UnknownHostException e) {
            return Optional.of(host + " (" + e.getMessage() + ')');
        }
    }

    /** The words of a rule; what stands in double quotes is one word. */
    static List<String> words(String rule) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean quoted = false;
        boolean any = false;
        for (int i = 0; i < rule.length(); i++) {
            char c = rule.charAt(i);
            if (quoted && c == '\\' && i + 1 < rule.length()) {
                word.append(rule.charAt(++i));
            } else if (c == '"') {
                quoted = !quoted;
                any = true;
            } else if (c == ' ' && !quoted) {
                if (any) {
                    words.add(word.toString());
                }
                word.setLength(0);
                any = false;
            } else {
                word.append(c);
                any = true;
            }
        }
        if (any) {
            words.add(word.toString());
        }
        return words;
    }
}
