package dev.promguard.host;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** A chain of a packet filter. Not thread-safe; it does not change once its filter is read. */
final class PacketChain {
    private static final Set<String> OF_IPTABLES = Set.of("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING");

    private final Table table;
    private final String name;
    private final List<PacketRule> rules = new ArrayList<>();
    private String hook = "";
    private String policy = "";

    /**
     * A table.
     *
     * @param source where it was read
     * @param tool the command that shows it
     * @param family {@code ip}, {@code ip6}, {@code inet}, {@code netdev} or another of nft's
     * @param name its name; nft's with the family before it
     * @param chains its chains by name
     */
    record Table(Ruleset.Source source, String tool, String family, String name, Map<String, PacketChain> chains) {
        static Table of(Ruleset.Source source, String tool, String family, String name) {
            return new Table(source, tool, family, name, new LinkedHashMap<>());
        }

        PacketChain chain(String chain) {
            return chains.computeIfAbsent(chain, missing -> new PacketChain(this, missing));
        }

        boolean isFor(int packetFamily) {
            return family.equals("inet") || family.equals("netdev") || family.equals(packetFamily == 4 ? "ip" : "ip6");
        }
    }

    private PacketChain(Table table, String name) {
        this.table = table;
        this.name = name;
        if (table.source() != Ruleset.Source.NFT && OF_IPTABLES.contains(name)) {
            hook = name.toLowerCase(Locale.ROOT);
        }
    }

    /** Says where the kernel calls it. */
    void base(String at, String then) {
        hook = at;
        policy = then;
    }

    void add(PacketRule rule) {
        rules.add(rule);
    }

    Table table() {
        return table;
    }

    String name() {
        return name;
    }

    /** Where the kernel calls it, such as {@code input}; an empty text for one that only others call. */
    String hook() {
        return hook;
    }

    List<PacketRule> rules() {
        return rules;
    }

    /** Whether it drops what no rule of it names. */
    boolean dropsTheRest() {
        return policy.equalsIgnoreCase("drop");
    }

    /** The name of its policy. */
    RuleName policyName() {
        return name("policy " + policy, "");
    }

    RuleName name(String text, String handle) {
        return new RuleName(table.tool(), table.name(), name, text, handle);
    }
}
