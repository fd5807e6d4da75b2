package dev.promguard.host;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Every packet filter of a host, as text: what the kernel has loaded by iptables and by nftables, and what ufw has written down. It is read
 * and never changed. Immutable.
 *
 * @param lines the lines in the order in which the host printed them
 * @param outside the devices of the default routes
 * @param settings what ufw is told beside its rules, such as {@code IPV6}
 * @param defaultVariant which iptables the command of that name is
 * @param cut whether the host has more lines than it sent
 */
public record Ruleset(
        List<Line> lines, Set<String> outside, Map<String, String> settings, Source defaultVariant, boolean cut) {
    /** Nothing is loaded. */
    public static final Ruleset NONE = new Ruleset(List.of(), Set.of(), Map.of(), Source.NFT_IPTABLES, false);

    /** What is asked of a host about it. */
    public static final ResourceFacts<Ruleset> FACTS = ResourceFacts.of("ruleset", Ruleset.class, NONE, Reader::new);

    private static final Pattern TEXT = Pattern.compile("[\\x20-\\x7e]{1,1000}");
    private static final Pattern DEVICE = Pattern.compile("[^\\p{Cntrl} /]{1,15}");
    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9_]{1,40}");
    private static final Pattern VALUE = Pattern.compile("[A-Za-z0-9_]{0,40}");
    private static final int MOST_LINES = 40_000;

    /** Copies the collections. */
    public Ruleset {
        lines = List.copyOf(lines);
        outside = Set.copyOf(outside);
        settings = Map.copyOf(settings);
    }

    /**
     * Whether ufw drops all IPv6 but on loopback while it is on, also where its rules admit it.
     *
     * @return true if {@code /etc/default/ufw} says so
     */
    public boolean ufwDropsIpv6() {
        return "no".equalsIgnoreCase(settings.get("IPV6"));
    }

    /** Where a line was read. */
    public enum Source {
        /** iptables-save or ip6tables-save, of the variant over nftables. */
        NFT_IPTABLES,
        /** The same of the older variant, whose tables stand beside the others. */
        LEGACY_IPTABLES,
        /** nft list ruleset. */
        NFT,
        /** ufw's files, in the form of iptables-save. */
        UFW
    }

    /**
     * A line.
     *
     * @param source where it was read
     * @param family 4 or 6; 0 for nft, which says so itself
     * @param text the line without leading blanks, counters and dates
     */
    public record Line(Source source, int family, String text) {}

    /** Reads what {@code facts_ruleset} prints. */
    private static final class Reader implements ResourceFacts.Reader<Ruleset> {
        private final List<Line> lines = new ArrayList<>();
        private final Set<String> outside = new HashSet<>();
        private final Map<String, String> settings = new HashMap<>();
        private Source variant = Source.NFT_IPTABLES;
        private boolean cut;

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            switch (line.kind()) {
                case "nft-ip4" -> add(Source.NFT_IPTABLES, 4, line);
                case "nft-ip6" -> add(Source.NFT_IPTABLES, 6, line);
                case "legacy-ip4" -> add(Source.LEGACY_IPTABLES, 4, line);
                case "legacy-ip6" -> add(Source.LEGACY_IPTABLES, 6, line);
                case "nft" -> add(Source.NFT, 0, line);
                case "ufw4" -> add(Source.UFW, 4, line);
                case "ufw6" -> add(Source.UFW, 6, line);
                case "outside" -> outside.add(line.fields(1).field(1, DEVICE));
                case "setting" -> settings.put(line.fields(2).field(1, WORD), line.field(2, VALUE));
                case "legacy" -> {
                    line.fields(0);
                    variant = Source.LEGACY_IPTABLES;
                }
                case "cut" -> {
                    line.fields(0);
                    cut = true;
                }
                default -> throw line.unknown();
            }
        }

        private void add(Source source, int family, FactLine line) throws MalformedFactsException {
            String text = line.fields(1).field(1, TEXT);
            if (lines.size() < MOST_LINES) {
                lines.add(new Line(source, family, text));
            } else {
                cut = true;
            }
        }

        @Override
        public Ruleset facts() {
            return new Ruleset(lines, outside, settings, variant, cut);
        }
    }
}
