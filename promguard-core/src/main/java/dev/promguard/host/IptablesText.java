package dev.promguard.host;

import dev.promguard.host.PacketChain.Table;
import dev.promguard.host.PacketCondition.On;
import dev.promguard.host.PacketRule.Verdict;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Reads the form of iptables-save, in which ufw's own files are too. What is not understood of a rule is a condition that may be met. */
final class IptablesText {
    private static final Set<String> KNOWN_MODULES =
            Set.of("tcp", "udp", "state", "conntrack", "comment", "multiport", "addrtype", "iprange", "pkttype");
    private static final Map<String, On> OPTIONS = Map.ofEntries(
            Map.entry("-i", On.IN_DEVICE),
            Map.entry("--in-interface", On.IN_DEVICE),
            Map.entry("-o", On.OUT_DEVICE),
            Map.entry("--out-interface", On.OUT_DEVICE),
            Map.entry("-s", On.FROM),
            Map.entry("--source", On.FROM),
            Map.entry("--src-range", On.FROM),
            Map.entry("-d", On.TO),
            Map.entry("--destination", On.TO),
            Map.entry("--dst-range", On.TO),
            Map.entry("-p", On.PROTOCOL),
            Map.entry("--protocol", On.PROTOCOL),
            Map.entry("--sport", On.FROM_PORT),
            Map.entry("--sports", On.FROM_PORT),
            Map.entry("--dport", On.TO_PORT),
            Map.entry("--dports", On.TO_PORT),
            Map.entry("--ports", On.ANY_PORT),
            Map.entry("--state", On.STATE),
            Map.entry("--ctstate", On.STATE),
            Map.entry("--src-type", On.FROM_TYPE),
            Map.entry("--dst-type", On.TO_TYPE),
            Map.entry("--pkt-type", On.PACKET_TYPE));

    private final Ruleset.Source source;
    private final String tool;
    private final int family;
    private final Map<String, Table> tables = new LinkedHashMap<>();
    private Table table;

    /**
     * A reader.
     *
     * @param source where the lines were read
     * @param tool the command that shows the rules
     * @param family 4 or 6
     */
    IptablesText(Ruleset.Source source, String tool, int family) {
        this.source = source;
        this.tool = tool;
        this.family = family;
        this.table = table("filter");
    }

    private Table table(String name) {
        return tables.computeIfAbsent(name, missing -> Table.of(source, tool, family == 4 ? "ip" : "ip6", missing));
    }

    /** Takes a line. */
    void line(String text) {
        if (text.startsWith("*")) {
            table = table(text.substring(1).trim());
        } else if (text.startsWith(":")) {
            String[] words = text.substring(1).split(" ", -1);
            PacketChain chain = table.chain(words[0]);
            if (words.length > 1 && !words[1].equals("-")) {
                chain.base(words[0].toLowerCase(Locale.ROOT), words[1]);
            }
        } else if (text.startsWith("-A ")) {
            List<String> words = LoadedRule.words(text);
            if (words.size() > 1) {
                PacketChain chain = table.chain(words.get(1));
                String rest =
                        text.substring(Math.min(text.length(), 3 + words.get(1).length()));
                chain.add(rule(chain, words.subList(2, words.size()), rest.trim()));
            }
        }
    }

    /** The tables that were read. */
    List<Table> tables() {
        return List.copyOf(tables.values());
    }

    private static PacketRule rule(PacketChain chain, List<String> words, String text) {
        List<PacketCondition> conditions = new ArrayList<>();
        boolean negated = false;
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            String next = i + 1 < words.size() ? words.get(i + 1) : "";
            if (word.equals("-j") || word.equals("-g") || word.equals("--jump") || word.equals("--goto")) {
                boolean goes = word.equals("-g") || word.equals("--goto");
                List<String> target = words.subList(i + 1, words.size());
                Verdict verdict = goes ? Verdict.GOTO : verdict(next, target);
                return new PacketRule(
                        conditions,
                        verdict,
                        verdict == Verdict.REDIRECT ? destination(target) : next,
                        chain.name(text, ""));
            } else if (word.equals("!")) {
                negated = true;
                continue;
            } else if (OPTIONS.containsKey(word)) {
                conditions.add(new PacketCondition(OPTIONS.get(word), negated, List.of(next.split(",", -1))));
                i++;
            } else if (word.equals("--tcp-flags") && i + 2 < words.size()) {
                conditions.add(new PacketCondition(On.TCP_FLAGS, negated, List.of(next, words.get(i + 2))));
                i += 2;
            } else if (word.equals("--syn")) {
                conditions.add(new PacketCondition(On.TCP_FLAGS, negated, List.of("fin,syn,rst,ack", "syn")));
            } else if (word.equals("--comment")) {
                i++;
            } else if (word.equals("-m") || word.equals("--match")) {
                if (!KNOWN_MODULES.contains(next)) {
                    conditions.add(PacketCondition.other());
                }
                i++;
            } else {
                conditions.add(PacketCondition.other());
            }
            negated = false;
        }
        return new PacketRule(conditions, Verdict.CONTINUE, "", chain.name(text, ""));
    }

    private static String destination(List<String> target) {
        int address = target.indexOf("--to-destination");
        int port = target.indexOf("--to-ports");
        if (address > 0 && address + 1 < target.size()) {
            return target.get(address + 1);
        }
        return port > 0 && port + 1 < target.size() ? ':' + target.get(port + 1) : "";
    }

    private static Verdict verdict(String target, List<String> words) {
        return switch (target) {
            case "ACCEPT" -> Verdict.ACCEPT;
            case "DROP", "REJECT", "TARPIT", "STEAL" -> Verdict.DROP;
            case "RETURN" -> Verdict.RETURN;
            case "DNAT", "TPROXY" -> Verdict.REDIRECT;
            // Without another port, it goes to the host itself, at the address of the interface that it came by.
            case "REDIRECT" -> words.contains("--to-ports") ? Verdict.REDIRECT : Verdict.ACCEPT;
            case "QUEUE", "NFQUEUE", "SNAT", "MASQUERADE", "NETMAP" -> Verdict.UNKNOWN;
            default -> Verdict.JUMP;
        };
    }
}
