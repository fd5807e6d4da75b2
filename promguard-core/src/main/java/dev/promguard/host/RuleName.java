package dev.promguard.host;

/**
 * Where a rule of a packet filter stands, and how it can be removed. Immutable.
 *
 * @param tool the command that shows it, such as {@code iptables} or {@code nft}
 * @param table its table, for nft with the family before it
 * @param chain its chain
 * @param text the rule as that command prints it; for the policy of a chain that alone, such as {@code policy drop}
 * @param handle the number by which nft knows it; an empty text where there is none
 */
public record RuleName(String tool, String table, String chain, String text, String handle) {
    private static final int LONGEST = 300;

    /**
     * The rule in words.
     *
     * @return such as {@code iptables, table filter, chain INPUT: -j DROP}
     */
    public String describe() {
        return Printable.line(tool + ", table " + table + ", chain " + chain + ": " + text, LONGEST);
    }

    /** The rule's text as far as a person reads it. */
    String shownText() {
        return Printable.line(text, LONGEST);
    }

    /** Whether it is a rule that somebody gave ufw with its command. */
    boolean isUfwUser() {
        return chain.matches("ufw6?-user-(input|output)");
    }

    /** Whether ufw loads it, and so would load it again. */
    boolean isUfw() {
        return tool.equals("ufw") || chain.startsWith("ufw") || isOutputPolicy();
    }

    /** What becomes of what the host sends and no rule names: of iptables, ufw sets that. */
    private boolean isOutputPolicy() {
        return !tool.equals("nft")
                && chain.equals("OUTPUT")
                && (text.startsWith("policy ") || text.startsWith("DEFAULT_OUTPUT_POLICY"));
    }

    /**
     * How somebody takes it away.
     *
     * @return a clause, such as {@code iptables -D INPUT -j DROP}
     */
    public String removal() {
        if (isOutputPolicy()) {
            return "ufw default allow outgoing, or ufw allow out for these alone";
        } else if (isUfwUser()) {
            return "ufw status numbered, then ufw delete NUMBER";
        } else if (isUfw()) {
            return "edit /etc/ufw/before.rules or /etc/default/ufw, then ufw reload";
        } else if (chain.startsWith("DOCKER")) {
            return "docker ps shows the container: start it without publishing the port, or with -p 127.0.0.1:PORT:PORT";
        } else if (tool.equals("nft")) {
            return handle.isEmpty()
                    ? "nft chain " + table + ' ' + chain + " '{ policy accept; }'"
                    : "nft delete rule " + table + ' ' + chain + " handle " + handle;
        }
        return Printable.line(
                tool + (table.equals("filter") ? "" : " -t " + table) + " -D " + chain + ' ' + text, LONGEST);
    }
}
