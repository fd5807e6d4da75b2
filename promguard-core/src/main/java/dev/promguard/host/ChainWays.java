package dev.promguard.host;

import dev.promguard.host.HostFacts.AcceptFact;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** By which rules of iptables' table {@code filter} a packet to the host gets from the chain INPUT to others. A pure value. */
final class ChainWays {
    private static final Pattern RULE = Pattern.compile("-A (\\S+) (.*)");
    private static final Pattern TARGET = Pattern.compile("(?:.* )?(?:-j|-g) (\\S+)(?: .*)?");

    private final Map<String, List<Jump>> jumps = new HashMap<>();

    /** A rule of one chain that leads to another. */
    private record Jump(String from, LoadedRule rule) {}

    private ChainWays() {}

    /**
     * Reads the ways.
     *
     * @param family 4 or 6
     * @return empty if they are not known, since the host did not show the table, or not all of it
     */
    static Optional<ChainWays> of(Ruleset ruleset, int family) {
        ChainWays ways = new ChainWays();
        boolean known = false;
        String table = "";
        for (Ruleset.Line line : ruleset.lines()) {
            if (line.source() != ruleset.defaultVariant() || line.family() != family) {
                continue;
            }
            Matcher rule = RULE.matcher(line.text());
            if (line.text().startsWith("*")) {
                table = line.text();
                known |= table.equals("*filter");
            } else if (table.equals("*filter") && rule.matches()) {
                Matcher target = TARGET.matcher(rule.group(2));
                if (target.matches()) {
                    ways.jumps
                            .computeIfAbsent(target.group(1), chain -> new ArrayList<>())
                            .add(new Jump(
                                    rule.group(1),
                                    new LoadedRule(new AcceptFact(family, rule.group(1), rule.group(2)))));
                }
            }
        }
        return known && !ruleset.cut() ? Optional.of(ways) : Optional.empty();
    }

    /**
     * Whether a packet may get to a chain.
     *
     * @param chain the chain
     * @param passes which rules that lead from one chain to another it may meet
     */
    boolean lead(String chain, Predicate<LoadedRule> passes) {
        return lead(chain, passes, new HashSet<>());
    }

    private boolean lead(String chain, Predicate<LoadedRule> passes, Set<String> seen) {
        return chain.equals("INPUT")
                || (seen.add(chain)
                        && jumps.getOrDefault(chain, List.of()).stream()
                                .anyMatch(jump -> passes.test(jump.rule()) && lead(jump.from(), passes, seen)));
    }
}
