package dev.promguard.host;

import dev.promguard.blueprint.FirewallRule.Protocol;
import java.util.Locale;

/**
 * A protocol above IP, as rules of packet filters name it. Immutable.
 *
 * @param number its number, such as 112; see <a href="https://www.iana.org/assignments/protocol-numbers">IANA's list</a>
 * @param name its name on the host, such as {@code vrrp}; the number where it has none
 */
record IpProtocol(int number, String name) {
    private static final int NUMBER_OF_TCP = 6;
    private static final int NUMBER_OF_UDP = 17;

    /** One that has ports. */
    static IpProtocol of(Protocol protocol) {
        return new IpProtocol(protocol == Protocol.TCP ? NUMBER_OF_TCP : NUMBER_OF_UDP, protocol.id());
    }

    boolean isTcp() {
        return number == NUMBER_OF_TCP;
    }

    /** Whether a word of a rule names it alone. */
    boolean isNamed(String word) {
        return word.toLowerCase(Locale.ROOT).equals(name) || word.equals(String.valueOf(number));
    }

    /** Whether a word of a rule stands for it, alone or with all others. */
    boolean isMeantBy(String word) {
        return isNamed(word) || word.equals("all") || word.equals("0");
    }

    /**
     * The protocol in words.
     *
     * @return such as {@code IP protocol 112 (vrrp)}
     */
    @Override
    public String toString() {
        return "IP protocol " + number + (name.equals(String.valueOf(number)) ? "" : " (" + name + ')');
    }
}
