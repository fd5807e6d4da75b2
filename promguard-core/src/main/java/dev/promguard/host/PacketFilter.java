package dev.promguard.host;

import dev.promguard.host.PacketChain.Table;
import dev.promguard.host.PacketCondition.Answer;
import dev.promguard.host.PacketCondition.On;
import dev.promguard.host.PacketRule.Verdict;
import dev.promguard.host.Ruleset.Source;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The packet filters of a host, read so that a packet can be followed through them. A packet is said to be dropped only where that is
 * certain: a rule that may accept it counts as one that does, and a rule that may drop it as one that does not. Pure. Not thread-safe.
 */
final class PacketFilter {
    /** How many rules a packet is followed through, and through how many chains that lead to each other. */
    static final int MOST_STEPS = 100_000;

    static final int DEEPEST = 32;
    private static final Pattern USER_INPUT = Pattern.compile("ufw6?-user-input");
    private static final Pattern USER_LIMIT = Pattern.compile("ufw6?-user-limit-accept");
    private static final Pattern BEFORE_INPUT = Pattern.compile("ufw6?-before-input");
    private static final Set<String> ON_THE_WAY_IN = Set.of("ingress", "prerouting", "input");
    /** Stands for any device from elsewhere: no rule names it. */
    private static final String ANY_DEVICE = "?";

    private static final Set<String> ON_THE_WAY_OUT = Set.of("output", "postrouting", "egress");

    private final Ruleset ruleset;
    private final List<Table> tables = new ArrayList<>();
    private final List<Table> written = new ArrayList<>();
    private int steps;

    /** What becomes of a packet in a chain. */
    private enum Fate {
        /** It passes, or may. */
        ACCEPTED,
        /** It is certainly dropped. */
        DROPPED,
        /** It is certainly sent elsewhere. */
        REDIRECTED,
        /** No rule says. */
        UNDECIDED
    }

    /** A fate and the rule that decides on it; null where none does. */
    private record Outcome(Fate fate, @Nullable RuleName by) {
        static final Outcome ACCEPTED = new Outcome(Fate.ACCEPTED, null);
        static final Outcome UNDECIDED = new Outcome(Fate.UNDECIDED, null);

        Optional<RuleName> where(Fate wanted) {
            return Optional.ofNullable(by).filter(name -> fate == wanted);
        }
    }

    /**
     * A rule that sends packets for the host elsewhere.
     *
     * @param conditions all of which such a packet meets, those of the rules that lead there among them
     * @param to the address or port that they get, as in {@link PacketRule#target()}
     * @param at the rule
     */
    record Redirection(List<PacketCondition> conditions, String to, RuleName at) {
        Redirection {
            conditions = List.copyOf(conditions);
        }
    }

    PacketFilter(Ruleset ruleset) {
        this.ruleset = ruleset;
        Map<String, IptablesText> texts = new LinkedHashMap<>();
        NftText nft = new NftText();
        for (Ruleset.Line line : ruleset.lines()) {
            if (line.source() == Source.NFT) {
                nft.line(line.text());
            } else {
                texts.computeIfAbsent(
                                line.source() + " " + line.family(),
                                missing -> new IptablesText(line.source(), tool(line), line.family()))
                        .line(line.text());
            }
        }
        for (IptablesText text : texts.values()) {
            for (Table table : text.tables()) {
                (table.source() == Source.UFW ? written : tables).add(table);
            }
        }
        List<String> shown = tables.stream()
                .filter(table ->
                        table.source() == Source.NFT_IPTABLES && !table.chains().isEmpty())
                .map(table -> table.family() + ' ' + table.name())
                .toList();
        // nft shows the tables of iptables too, in words of its own.
        nft.tables().stream().filter(table -> !shown.contains(table.name())).forEach(tables::add);
    }

    private String tool(Ruleset.Line line) {
        if (line.source() == Source.UFW) {
            return "ufw";
        }
        String tool = line.family() == 4 ? "iptables" : "ip6tables";
        return line.source() == ruleset.defaultVariant()
                ? tool
                : tool + (line.source() == Source.LEGACY_IPTABLES ? "-legacy" : "-nft");
    }

    /** Whether ufw's chains are loaded for a family, and called. */
    boolean ufwIsLoaded(int family) {
        return tables.stream()
                .filter(table -> table.isFor(family) && table.source() != Source.NFT)
                .flatMap(table -> table.chains().values().stream())
                .filter(chain -> chain.hook().equals("input"))
                .flatMap(chain -> chain.rules().stream())
                .anyMatch(rule -> BEFORE_INPUT.matcher(rule.target()).matches());
    }

    /** The rule that certainly drops a packet, once ufw is on with rules that admit what the mesh needs. */
    Optional<RuleName> drops(Packet packet) {
        if (dropsAll(packet.family())) {
            return Optional.of(new RuleName("ufw", "filter", "INPUT", "IPV6=no in /etc/default/ufw", ""));
        }
        return dropsNow(packet).or(() -> dropsOnceOn(packet));
    }

    private Optional<RuleName> dropsNow(Packet packet) {
        return bases(packet.family(), packet.incoming() ? ON_THE_WAY_IN : ON_THE_WAY_OUT).stream()
                .flatMap(chain -> follow(chain, packet).where(Fate.DROPPED).stream())
                .findFirst();
    }

    /**
     * Whether some first packet from another machine is accepted now by nothing but the policy of the chain that ufw's rules are put into,
     * and would be dropped as soon as ufw is on.
     *
     * @param packet the packet, whose devices are not known
     * @return false if it is dropped or sent elsewhere now, if a rule accepts it, or if ufw's own rules would
     */
    boolean closesOnceOn(Packet packet) {
        return !admitsOnceOn(packet)
                && dropsNow(packet).isEmpty()
                && redirects(packet.by(ANY_DEVICE)).isEmpty()
                && bases(packet.family(), Set.of("input")).stream()
                        .filter(chain -> chain.table().source() == ruleset.defaultVariant()
                                && chain.table().name().equals("filter"))
                        .allMatch(chain -> !chain.dropsTheRest() && mayPass(chain, packet, 0));
    }

    /** Whether a rule of ufw's accepts packets of the packet's protocol and names that, from or to whomever. */
    boolean admitsByName(Packet packet) {
        return !dropsAll(packet.family())
                && written.stream()
                        .filter(table -> table.isFor(packet.family()))
                        .flatMap(table -> table.chains().values().stream())
                        .flatMap(chain -> chain.rules().stream())
                        .filter(rule -> rule.verdict() == Verdict.ACCEPT)
                        .anyMatch(rule -> about(On.PROTOCOL, rule.conditions())
                                .filter(named -> named.values().stream()
                                        .anyMatch(word -> packet.protocol().isNamed(word)))
                                .isPresent());
    }

    /** Whether ufw's rules, once loaded, accept all packets like one before they drop all of them. */
    private boolean admitsOnceOn(Packet packet) {
        if (dropsAll(packet.family())) {
            return false;
        }
        String prefix = packet.family() == 4 ? "ufw" : "ufw6";
        return written.stream()
                .filter(table -> table.isFor(packet.family()))
                .flatMap(table -> Stream.of("-before-input", "-user-input")
                        .map(part -> table.chains().get(prefix + part)))
                .filter(Objects::nonNull)
                .flatMap(chain -> chain.rules().stream())
                .filter(rule -> rule.matches(packet) == Answer.YES)
                .map(rule -> USER_LIMIT.matcher(rule.target()).matches() ? Verdict.ACCEPT : rule.verdict())
                .filter(verdict -> verdict == Verdict.ACCEPT || verdict == Verdict.DROP)
                .findFirst()
                .equals(Optional.of(Verdict.ACCEPT));
    }

    private boolean dropsAll(int family) {
        return family == 6 && ruleset.ufwDropsIpv6();
    }

    /** Whether some packet like one meets no rule that decides on it. */
    private static boolean mayPass(PacketChain chain, Packet packet, int depth) {
        for (PacketRule rule : chain.rules()) {
            if (depth > DEEPEST || rule.matches(packet) != Answer.YES) {
                continue;
            }
            switch (rule.verdict()) {
                case ACCEPT, DROP, REDIRECT, UNKNOWN -> {
                    return false;
                }
                case RETURN -> {
                    return true;
                }
                case JUMP, GOTO -> {
                    PacketChain target = chain.table().chains().get(rule.target());
                    boolean passes = target == null || mayPass(target, packet, depth + 1);
                    if (!passes || rule.verdict() == Verdict.GOTO) {
                        return passes;
                    }
                }
                case CONTINUE -> {}
            }
        }
        return true;
    }

    /** The rule of ufw's that drops a packet as soon as ufw is switched on; empty if it is on. */
    Optional<RuleName> dropsOnceOn(Packet packet) {
        if (ufwIsLoaded(packet.family()) || written.isEmpty()) {
            return Optional.empty();
        }
        String prefix = packet.family() == 4 ? "ufw" : "ufw6";
        String way = packet.incoming() ? "input" : "output";
        Outcome outcome = Outcome.UNDECIDED;
        for (Table table : written) {
            for (String part : List.of("-before-", "-user-")) {
                PacketChain chain = table.chains().get(prefix + part + way);
                if (outcome.fate() == Fate.UNDECIDED && chain != null && table.isFor(packet.family())) {
                    steps = 0;
                    outcome = walk(chain, packet, true, 0);
                }
            }
        }
        String policy = ruleset.settings().getOrDefault("DEFAULT_OUTPUT_POLICY", "ACCEPT");
        if (!packet.incoming()
                && outcome.fate() == Fate.UNDECIDED
                && Set.of("DROP", "REJECT").contains(policy)) {
            return Optional.of(new RuleName("ufw", "filter", "OUTPUT", "DEFAULT_OUTPUT_POLICY=" + policy, ""));
        }
        return outcome.where(Fate.DROPPED);
    }

    /** The rule that certainly sends a packet to another address or port. */
    Optional<RuleName> redirects(Packet packet) {
        Set<String> hooks = packet.incoming() ? Set.of("prerouting") : Set.of("output");
        for (PacketChain chain : bases(packet.family(), hooks)) {
            Optional<RuleName> by = follow(chain, packet).where(Fate.REDIRECTED);
            if (by.isPresent()) {
                return by;
            }
        }
        return Optional.empty();
    }

    /** Every rule that sends packets elsewhere that come to the host, at most so many. */
    List<Redirection> redirections(int most) {
        List<Redirection> found = new ArrayList<>();
        steps = 0;
        for (Table table : tables) {
            for (PacketChain chain : table.chains().values()) {
                if (chain.hook().equals("prerouting")) {
                    collect(chain, List.of(), 0, found, most);
                }
            }
        }
        return found;
    }

    private void collect(PacketChain chain, List<PacketCondition> path, int depth, List<Redirection> found, int most) {
        for (PacketRule rule : chain.rules()) {
            if (++steps > MOST_STEPS || depth > DEEPEST || found.size() >= most) {
                return;
            }
            List<PacketCondition> all = new ArrayList<>(path);
            if (chain.table().family().equals("ip") || chain.table().family().equals("ip6")) {
                all.addAll(NftText.ofFamily(chain.table().family()));
            }
            all.addAll(rule.conditions());
            PacketChain target = chain.table().chains().get(rule.target());
            if (rule.verdict() == Verdict.REDIRECT) {
                found.add(new Redirection(all, rule.target(), rule.at()));
            } else if ((rule.verdict() == Verdict.JUMP || rule.verdict() == Verdict.GOTO) && target != null) {
                collect(target, all, depth + 1, found, most);
            }
        }
    }

    /** The rule that lets only so many connections through to a port like a packet's in some time; empty if none is known. */
    Optional<RuleName> limits(Packet packet) {
        return RateLimits.of(bases(packet.family(), ON_THE_WAY_IN), packet);
    }

    private List<PacketChain> bases(int family, Set<String> hooks) {
        return tables.stream()
                .filter(table -> table.isFor(family))
                .flatMap(table -> table.chains().values().stream())
                .filter(chain -> hooks.contains(chain.hook()))
                .toList();
    }

    private Outcome follow(PacketChain chain, Packet packet) {
        // Address translation sees the first packet of a connection alone.
        if (!packet.isNew() && chain.table().name().equals("nat")) {
            return Outcome.UNDECIDED;
        }
        steps = 0;
        Outcome outcome = walk(chain, packet, true, 0);
        // The policies of iptables are ufw's once it is on. That for what comes in is behind its rules for the mesh.
        boolean ofUfw = chain.table().source() == ruleset.defaultVariant()
                && (chain.hook().equals("input") || !ufwIsLoaded(packet.family()));
        return outcome.fate() == Fate.UNDECIDED && chain.dropsTheRest() && !ofUfw
                ? new Outcome(Fate.DROPPED, chain.policyName())
                : outcome;
    }

    private Outcome walk(PacketChain chain, Packet packet, boolean certainSoFar, int depth) {
        boolean certain = certainSoFar;
        for (PacketRule rule : chain.rules()) {
            if (++steps > MOST_STEPS || depth > DEEPEST) {
                return Outcome.ACCEPTED;
            }
            Answer matches = rule.matches(packet);
            if (matches == Answer.NO) {
                continue;
            }
            boolean sure = certain && matches == Answer.YES;
            switch (rule.verdict()) {
                case ACCEPT -> {
                    return Outcome.ACCEPTED;
                }
                case UNKNOWN -> {
                    if (matches == Answer.YES) {
                        return Outcome.ACCEPTED;
                    }
                    certain = false;
                }
                case DROP, REDIRECT -> {
                    if (sure) {
                        Fate fate = rule.verdict() == Verdict.DROP ? Fate.DROPPED : Fate.REDIRECTED;
                        return new Outcome(fate, rule.at());
                    }
                }
                case RETURN -> {
                    if (matches == Answer.YES) {
                        return Outcome.UNDECIDED;
                    }
                    certain = false;
                }
                case JUMP, GOTO -> {
                    PacketChain target = chain.table().chains().get(rule.target());
                    Outcome outcome = target == null ? Outcome.UNDECIDED : walk(target, packet, sure, depth + 1);
                    if (outcome.fate() != Fate.UNDECIDED || (rule.verdict() == Verdict.GOTO && matches == Answer.YES)) {
                        return outcome;
                    }
                    certain &= rule.verdict() == Verdict.JUMP;
                }
                case CONTINUE -> {}
            }
        }
        return packet.incoming() && USER_INPUT.matcher(chain.name()).matches() ? Outcome.ACCEPTED : Outcome.UNDECIDED;
    }

    /** Whether a packet may meet all of some conditions. */
    static boolean mayMeet(Packet packet, List<PacketCondition> conditions) {
        return conditions.stream().noneMatch(condition -> condition.isMet(packet) == Answer.NO);
    }

    /** What a condition of all says of something, where one says it and is not negated. */
    static Optional<PacketCondition> about(On on, List<PacketCondition> conditions) {
        return conditions.stream()
                .filter(condition -> condition.on() == on && !condition.negated())
                .findFirst();
    }
}
