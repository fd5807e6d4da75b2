package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.host.HostFacts.AcceptFact;
import dev.promguard.host.HostFacts.FirewallFact;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads what ufw has written down and what the kernel has loaded, and says whether they agree. Not thread-safe. */
final class FirewallParser {
    private static final Pattern PORT = Pattern.compile("[0-9]{1,5}");
    private static final Set<String> SIMPLE = Set.of("-s", "-d", "-i", "-p", "-m", "--dport", "-j");

    private final List<String[]> tuples = new ArrayList<>();
    private final List<String> foreign = new ArrayList<>();
    private final List<AcceptFact> accepting = new ArrayList<>();
    private final Family v4 = new Family();
    private final Family v6 = new Family();
    private boolean installed;
    private boolean enabled;
    private boolean denied;
    private boolean ipv6;

    /** What belongs to one of IPv4 and IPv6. */
    private static final class Family {
        private final Set<Map<String, String>> written = new HashSet<>();
        private final Set<Map<String, String>> loaded = new HashSet<>();
        private final Set<String> hooks = new HashSet<>();
        private String policy = "";

        boolean agrees() {
            return hooks.size() == 2 && written.equals(loaded);
        }
    }

    /**
     * Takes one line.
     *
     * @return false if the line is none of the firewall's
     */
    boolean line(String key, String rest) {
        switch (key) {
            case "ufw" -> {
                String[] fields = rest.split("\t", -1);
                installed = true;
                enabled = fields[0].equalsIgnoreCase("yes");
                denied = fields.length > 1 && (fields[1].equals("DROP") || fields[1].equals("REJECT"));
                ipv6 = fields.length > 2 && fields[2].equalsIgnoreCase("yes");
            }
            case "tuple4" -> tuple("4", rest);
            case "tuple6" -> tuple("6", rest);
            case "written4" -> simple(rest).ifPresent(v4.written::add);
            case "written6" -> simple(rest).ifPresent(v6.written::add);
            case "loaded4" -> simple(rest).ifPresent(v4.loaded::add);
            case "loaded6" -> simple(rest).ifPresent(v6.loaded::add);
            case "policy4" -> v4.policy = rest;
            case "policy6" -> v6.policy = rest;
            case "hook4" -> v4.hooks.add(rest);
            case "hook6" -> v6.hooks.add(rest);
            case "accept4" -> accept(4, rest);
            case "accept6" -> accept(6, rest);
            case "input4", "input6" -> foreign.add("INPUT " + rest);
            default -> {
                return false;
            }
        }
        return true;
    }

    /**
     * What the lines say.
     *
     * @param unitEnabled whether systemd starts ufw at boot
     */
    FirewallFact fact(boolean unitEnabled) {
        if (!installed) {
            return new FirewallFact(false, false, false, List.of(), foreign, accepting);
        }
        List<FirewallRule> rules = new ArrayList<>();
        List<String> unread = new ArrayList<>(foreign);
        Set<FirewallRule> ofIpv4 = tuples.stream()
                .filter(tuple -> tuple[0].equals("4"))
                .flatMap(tuple -> rule(tuple[1]).stream())
                .collect(Collectors.toSet());
        for (String[] tuple : tuples) {
            Optional<FirewallRule> rule = rule(tuple[1]);
            if (rule.isEmpty()) {
                unread.add(tuple[1]);
            } else if (tuple[0].equals("4") || !anywhere(rule.get())) {
                rules.add(rule.get());
            } else if (!ofIpv4.contains(rule.get())) {
                unread.add(tuple[1]);
            }
        }
        // A kernel without IPv6 has no policy for it; ufw told to leave IPv6 alone closes it by policy only.
        boolean kernelHasIpv6 = !v6.policy.isEmpty();
        boolean active = enabled && v4.agrees() && (!kernelHasIpv6 || !ipv6 || v6.agrees());
        boolean closed = denied && v4.policy.equals("DROP") && (!kernelHasIpv6 || v6.policy.equals("DROP"));
        return new FirewallFact(active, closed, enabled && unitEnabled, rules, unread, accepting);
    }

    private void accept(int family, String text) {
        int space = text.indexOf(' ');
        accepting.add(
                space < 0
                        ? new AcceptFact(family, text, "")
                        : new AcceptFact(family, text.substring(0, space), text.substring(space + 1)));
    }

    private void tuple(String family, String text) {
        tuples.add(new String[] {family, text});
    }

    private static boolean anywhere(FirewallRule rule) {
        return rule.from().isEmpty() && rule.to().isEmpty();
    }

    /** A rule of the kind that PromGuard writes: {@code allow tcp 9100 10.0.0.2 any 10.0.0.1 in_wg0 comment=6e6f6465}. */
    private static Optional<FirewallRule> rule(String tuple) {
        String[] words = tuple.split(" ", -1);
        if (words.length != 8
                || !words[0].equals("allow")
                || !words[4].equals("any")
                || !PORT.matcher(words[2]).matches()
                || !words[7].startsWith("comment=")) {
            return Optional.empty();
        }
        try {
            return Optional.of(new FirewallRule(
                    networkInterface(words[6]),
                    address(words[5]),
                    address(words[3]),
                    Integer.parseInt(words[2]),
                    Protocol.valueOf(words[1].toUpperCase(Locale.ROOT)),
                    new String(
                            HexFormat.of().parseHex(words[7].substring("comment=".length())), StandardCharsets.UTF_8)));
        } catch (IllegalArgumentException | InvalidSettingException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> networkInterface(String direction) {
        if (direction.equals("in")) {
            return Optional.empty();
        }
        if (direction.startsWith("in_") && direction.indexOf('!') < 0) {
            return Optional.of(direction.substring(3));
        }
        throw new IllegalArgumentException("not a rule for incoming packets");
    }

    private static Optional<String> address(String text) {
        return text.equals("0.0.0.0/0") || text.equals("::/0") ? Optional.empty() : Optional.of(text);
    }

    /** A rule of iptables without regard to order and spelling; empty for one with matches of other kinds. */
    private static Optional<Map<String, String>> simple(String text) {
        String[] words = text.split(" +", -1);
        Map<String, String> parts = new TreeMap<>();
        for (int i = 0; i < words.length; i += 2) {
            if (i + 1 == words.length || !SIMPLE.contains(words[i])) {
                return Optional.empty();
            }
            String value = words[i + 1];
            if (words[i].equals("-m")) {
                if (!value.equals("tcp") && !value.equals("udp")) {
                    return Optional.empty();
                }
            } else if (words[i].equals("-s") || words[i].equals("-d")) {
                parts.put(words[i], plainAddress(value));
            } else {
                parts.put(words[i], value);
            }
        }
        return Optional.of(parts);
    }

    private static String plainAddress(String text) {
        String host = text.endsWith("/32") && !text.contains(":") ? text.substring(0, text.length() - 3) : text;
        host = host.endsWith("/128") ? host.substring(0, host.length() - 4) : host;
        if (host.matches("[0-9a-fA-F:]*:[0-9a-fA-F:.]*")) {
            try {
                return InetAddress.getByName(host).getHostAddress();
            } catch (UnknownHostException e) {
                return host + " (" + e.getMessage() + ')';
            }
        }
        return host;
    }
}
