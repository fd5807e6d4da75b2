package dev.promguard.host;

import dev.promguard.host.PacketCondition.On;
import dev.promguard.host.PacketRule.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads a rule of nft's. What is not understood of it is a condition that may be met. Not thread-safe. */
final class NftRule {
    private static final Pattern TOKEN = Pattern.compile("\"[^\"]*\"|\\{[^{}]*}|\\([^()]*\\)|[^ ]+");
    private static final Map<String, On> SELECTORS = Map.ofEntries(
            Map.entry("iif", On.IN_DEVICE),
            Map.entry("iifname", On.IN_DEVICE),
            Map.entry("oif", On.OUT_DEVICE),
            Map.entry("oifname", On.OUT_DEVICE),
            Map.entry("l4proto", On.PROTOCOL),
            Map.entry("nfproto", On.FAMILY),
            Map.entry("pkttype", On.PACKET_TYPE),
            Map.entry("ip saddr", On.FROM),
            Map.entry("ip6 saddr", On.FROM),
            Map.entry("ip daddr", On.TO),
            Map.entry("ip6 daddr", On.TO),
            Map.entry("ip protocol", On.PROTOCOL),
            Map.entry("ip6 nexthdr", On.PROTOCOL),
            Map.entry("tcp sport", On.FROM_PORT),
            Map.entry("tcp dport", On.TO_PORT),
            Map.entry("udp sport", On.FROM_PORT),
            Map.entry("udp dport", On.TO_PORT),
            Map.entry("th sport", On.FROM_PORT),
            Map.entry("th dport", On.TO_PORT),
            Map.entry("ct state", On.STATE),
            Map.entry("fib saddr type", On.FROM_TYPE),
            Map.entry("fib daddr type", On.TO_TYPE));
    private static final Set<String> WITH_ONE_WORD =
            Set.of("comment", "prefix", "level", "flags", "group", "snaplen", "queue-threshold", "nftrace");
    private static final Set<String> ALONE = Set.of("meta", "log", "notrack");

    private final List<String> words = new ArrayList<>();
    private final RuleName name;
    private final List<PacketCondition> conditions = new ArrayList<>();
    private final List<PacketRule> rules = new ArrayList<>();
    private int at;

    private NftRule(String text, RuleName name) {
        this.name = name;
        Matcher token = TOKEN.matcher(text);
        while (token.find()) {
            words.add(token.group());
        }
    }

    /**
     * Reads a rule.
     *
     * @param text the rule without its handle
     * @param name its name
     * @param family the family of its table
     * @return the rule; several where it has a map of verdicts, in which at most one of them fits
     */
    static List<PacketRule> parse(String text, RuleName name, String family) {
        NftRule rule = new NftRule(text, name);
        rule.conditions.addAll(NftText.ofFamily(family));
        rule.read();
        return rule.rules;
    }

    private String word(int ahead) {
        return at + ahead < words.size() ? words.get(at + ahead) : "";
    }

    private void read() {
        while (at < words.size()) {
            String word = word(0);
            if (verdict(word)) {
                return;
            } else if (word.equals("tcp") && word(1).equals("flags")) {
                at++;
                flags();
            } else if (!selector()) {
                other(word);
            }
        }
        rules.add(new PacketRule(conditions, Verdict.CONTINUE, "", name));
    }

    private void other(String word) {
        if (WITH_ONE_WORD.contains(word)) {
            at += 2;
        } else if (ALONE.contains(word)) {
            at++;
        } else if (word.equals("counter")) {
            // counter packets 12 bytes 3456, or counter name "mine"
            at += word(1).equals("packets") ? 5 : word(1).equals("name") ? 3 : 1;
        } else if (word.equals("burst")) {
            // Part of a limit, such as burst 5 packets.
            at += 3;
        } else if (word.equals("ct")) {
            // A key and its value, which may be a word that means something else on its own, as in "ct status dnat".
            int value = word(2).matches("!=|==|&|set") ? 3 : 2;
            boolean translated = word(1).equals("status") && word(value).matches("[ds]nat");
            conditions.add(
                    translated
                            ? new PacketCondition(On.STATE, word(2).equals("!="), List.of(word(value)))
                            : PacketCondition.other());
            at += value + 1;
        } else {
            if (word.equals("icmp") || word.equals("icmpv6")) {
                conditions.add(new PacketCondition(On.PROTOCOL, false, List.of(word)));
            }
            conditions.add(PacketCondition.other());
            at++;
        }
    }

    /** What becomes of a packet, where a word says that. */
    private boolean verdict(String word) {
        Verdict verdict = switch (word) {
            case "accept" -> Verdict.ACCEPT;
            case "drop", "reject" -> Verdict.DROP;
            case "return" -> Verdict.RETURN;
            case "jump" -> Verdict.JUMP;
            case "goto" -> Verdict.GOTO;
            case "dnat", "tproxy" -> Verdict.REDIRECT;
            // Without another port, it goes to the host itself.
            case "redirect" -> word(1).equals("to") ? Verdict.REDIRECT : Verdict.ACCEPT;
            case "queue", "snat", "masquerade" -> Verdict.UNKNOWN;
            default -> Verdict.CONTINUE;
        };
        if (verdict == Verdict.CONTINUE) {
            return false;
        }
        if (verdict == Verdict.REDIRECT) {
            ofMap();
        }
        rules.add(new PacketRule(conditions, verdict, verdict == Verdict.REDIRECT ? destination() : word(1), name));
        return true;
    }

    /** Where the rule sends packets to; an empty text where a map says that. */
    private String destination() {
        List<String> rest = words.subList(at, words.size());
        int to = rest.indexOf("to");
        boolean one = !rest.contains("map") && !word(0).equals("tproxy") && to > 0 && to + 1 < rest.size();
        return one ? rest.get(to + 1) : "";
    }

    /** {@code dnat to tcp dport map { 81 : 10.1.1.1 }} is for the ports that the map names. */
    private void ofMap() {
        int map = words.indexOf("map");
        On on = map < 2 ? null : SELECTORS.get(words.get(map - 2) + ' ' + words.get(map - 1));
        if (on == null || map + 1 >= words.size() || !words.get(map + 1).startsWith("{")) {
            if (map >= 0) {
                conditions.add(PacketCondition.other());
            }
            return;
        }
        protocolOf(words.get(map - 2));
        conditions.add(new PacketCondition(
                on,
                false,
                values(words.get(map + 1)).stream()
                        .map(entry -> entry.split(" : ", 2)[0].trim())
                        .toList()));
    }

    private boolean selector() {
        String one = word(0);
        String two = one + ' ' + word(1);
        String three = two + ' ' + word(2);
        int length = SELECTORS.containsKey(three) ? 3 : SELECTORS.containsKey(two) ? 2 : 1;
        On on = SELECTORS.get(length == 3 ? three : length == 2 ? two : one);
        if (on == null) {
            return false;
        }
        at += length;
        if (word(0).equals(".")) {
            conditions.add(PacketCondition.other());
            return true;
        }
        familyOf(one);
        protocolOf(one);
        boolean negated = word(0).equals("!=");
        if (negated || word(0).equals("==")) {
            at++;
        }
        String value = word(0);
        if (value.equals("vmap")) {
            verdicts(on, word(1));
            at += 2;
        } else if (value.matches("[<>]=?|&|\\^|\\||and|or|xor|~")) {
            conditions.add(compared(on, value, word(1)));
            at += 2;
        } else {
            conditions.add(new PacketCondition(on, negated, values(value)));
            at++;
        }
        return true;
    }

    private static PacketCondition compared(On on, String operator, String value) {
        return switch (operator) {
            case ">=" -> new PacketCondition(on, false, List.of(value + "-65535"));
            case "<=" -> new PacketCondition(on, false, List.of("0-" + value));
            case ">" -> new PacketCondition(on, true, List.of("0-" + value));
            case "<" -> new PacketCondition(on, true, List.of(value + "-65535"));
            default -> PacketCondition.other();
        };
    }

    private void familyOf(String word) {
        conditions.addAll(NftText.ofFamily(word));
    }

    private void protocolOf(String word) {
        if (word.equals("tcp") || word.equals("udp")) {
            conditions.add(new PacketCondition(On.PROTOCOL, false, List.of(word)));
        }
    }

    /** {@code tcp flags syn / fin,syn,rst,ack}, or older {@code tcp flags & (fin | syn) == syn}. */
    private void flags() {
        at++;
        conditions.add(new PacketCondition(On.PROTOCOL, false, List.of("tcp")));
        if (word(0).equals("&")) {
            conditions.add(new PacketCondition(On.TCP_FLAGS, word(2).equals("!="), List.of(word(1), word(3))));
            at += 4;
        } else if (word(0).equals("!=") && word(2).equals("/")) {
            conditions.add(new PacketCondition(On.TCP_FLAGS, true, List.of(word(3), word(1))));
            at += 4;
        } else if (word(1).equals("/")) {
            conditions.add(new PacketCondition(On.TCP_FLAGS, false, List.of(word(2), word(0))));
            at += 3;
        } else {
            conditions.add(PacketCondition.other());
            at++;
        }
    }

    /** A rule for each entry of a map of verdicts. */
    private void verdicts(On on, String map) {
        if (!map.startsWith("{")) {
            List<PacketCondition> all = new ArrayList<>(conditions);
            all.add(PacketCondition.other());
            rules.add(new PacketRule(all, Verdict.UNKNOWN, "", name));
            return;
        }
        for (String entry : values(map)) {
            String[] parts = entry.split(" : ", 2);
            if (parts.length == 2) {
                List<PacketCondition> all = new ArrayList<>(conditions);
                if (!parts[0].trim().equals("*")) {
                    all.add(new PacketCondition(on, false, values(parts[0].trim())));
                }
                NftRule entryRule = new NftRule(parts[1].trim(), name);
                entryRule.conditions.addAll(all);
                entryRule.read();
                rules.addAll(entryRule.rules);
            }
        }
    }

    private static List<String> values(String text) {
        String inner = text.startsWith("{") ? text.substring(1, text.length() - 1) : text;
        return Arrays.stream(inner.split(",", -1))
                .map(value -> value.trim().replaceAll("^\"|\"$", ""))
                .filter(value -> !value.isEmpty())
                .map(value -> value.equals("ipv4") ? "4" : value.equals("ipv6") ? "6" : value)
                .toList();
    }
}
