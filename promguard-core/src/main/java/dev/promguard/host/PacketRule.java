package dev.promguard.host;

import dev.promguard.host.PacketCondition.Answer;
import java.util.List;

/**
 * A rule of a packet filter, whoever loaded it. Immutable.
 *
 * @param conditions all of which a packet has to meet
 * @param verdict what becomes of such a packet
 * @param target the chain that it goes on in; for another address or port, these, such as {@code 127.0.0.1:8080} or {@code :8080}; an empty
 *     text where neither is known, and for all other verdicts
 * @param at the rule's place and text
 */
record PacketRule(List<PacketCondition> conditions, Verdict verdict, String target, RuleName at) {
    /** What becomes of a packet. */
    enum Verdict {
        /** It passes this chain and those that led to it. */
        ACCEPT,
        /** It is dropped or refused. */
        DROP,
        /** It goes back to the chain that it came from. */
        RETURN,
        /** It goes through another chain and comes back. */
        JUMP,
        /** It goes through another chain and does not come back. */
        GOTO,
        /** It goes to another address or port. */
        REDIRECT,
        /** Somebody else decides, such as a program. */
        UNKNOWN,
        /** It goes on in this chain. */
        CONTINUE
    }

    PacketRule {
        conditions = List.copyOf(conditions);
    }

    /** Whether a packet meets all conditions. */
    Answer matches(Packet packet) {
        Answer all = Answer.YES;
        for (PacketCondition condition : conditions) {
            all = all.and(condition.isMet(packet));
        }
        return all;
    }
}
