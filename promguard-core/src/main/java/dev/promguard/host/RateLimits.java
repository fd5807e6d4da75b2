package dev.promguard.host;

import dev.promguard.host.PacketCondition.Answer;
import dev.promguard.host.PacketCondition.On;
import dev.promguard.host.PacketRule.Verdict;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Follows the first packet of a connection to rules that name its port and drop it if too many came before, or else let it pass and leave
 * the rest to a rule that drops it. Those that somebody gave ufw with its command are not meant. Not thread-safe.
 */
final class RateLimits {
    /** A few in a minute or more, or a few at once: more than one a second keeps no run waiting. */
    private static final Pattern COUNTS = Pattern.compile("(?:-m|--match) recent\\b"
            + "|--(?:hash)?limit(?:-upto|-above)? [0-9]+/(?:min|hour|day)"
            + "|--connlimit-(?:upto|above) [0-9]\\b"
            + "|\\blimit rate (?:over )?[0-9]+/(?:minute|hour|day|week)\\b"
            + "|\\bct count (?:over )?[0-9]\\b");

    private final Packet packet;
    private int steps;
    /** The rule that drops it, or that lets only some pass before another drops the rest. */
    private @Nullable RuleName found;
    /** The first rule that lets only some pass. */
    private @Nullable RuleName lets;

    private RateLimits(Packet packet) {
        this.packet = packet;
    }

    /**
     * Finds the first such rule.
     *
     * @param chains where packets come to the host
     * @param packet the first packet of a connection
     * @return empty if there is none, or if the packet is accepted before it in any case
     */
    static Optional<RuleName> of(List<PacketChain> chains, Packet packet) {
        for (PacketChain chain : chains) {
            RateLimits limits = new RateLimits(packet);
            boolean ends = limits.ends(chain, new Path(null, false, true), 0);
            if (!ends && chain.dropsTheRest()) {
                limits.found = limits.lets;
            }
            if (limits.found != null) {
                return Optional.of(limits.found);
            }
        }
        return Optional.empty();
    }

    /**
     * How the packet comes to a rule.
     *
     * @param limit the rule on the way that counts; null if there is none
     * @param names whether a rule on the way names the port
     * @param certain whether it comes there in any case
     */
    private record Path(@Nullable RuleName limit, boolean names, boolean certain) {
        Path through(PacketRule rule, Answer matches) {
            boolean named = names
                    || rule.conditions().stream()
                            .anyMatch(
                                    condition -> Set.of(On.TO_PORT, On.ANY_PORT).contains(condition.on()));
            boolean counts = named
                    && !rule.at().isUfwUser()
                    && COUNTS.matcher(rule.at().text()).find();
            return new Path(limit == null && counts ? rule.at() : limit, named, certain && matches == Answer.YES);
        }
    }

    /** Whether the packet's way ends in a chain in any case. */
    private boolean ends(PacketChain chain, Path path, int depth) {
        for (PacketRule rule : chain.rules()) {
            Answer matches = rule.matches(packet);
            if (matches == Answer.NO) {
                continue;
            }
            if (++steps > PacketFilter.MOST_STEPS || depth > PacketFilter.DEEPEST) {
                return true;
            }
            Path here = path.through(rule, matches);
            PacketChain target = chain.table().chains().get(rule.target());
            boolean ends = switch (rule.verdict()) {
                case DROP -> drops(here);
                case ACCEPT, REDIRECT, UNKNOWN, RETURN -> passes(here);
                case JUMP, GOTO -> target != null && ends(target, here, depth + 1) && here.certain();
                case CONTINUE -> false;
            };
            if (found != null) {
                return true;
            } else if (ends || (rule.verdict() == Verdict.GOTO && here.certain())) {
                return rule.verdict() != Verdict.RETURN && ends;
            }
        }
        return false;
    }

    private boolean drops(Path path) {
        if (path.limit() != null) {
            found = path.limit();
        } else if (path.certain()) {
            found = lets;
        }
        return path.certain();
    }

    private boolean passes(Path path) {
        if (path.limit() != null && lets == null) {
            lets = path.limit();
        }
        return path.certain();
    }
}
