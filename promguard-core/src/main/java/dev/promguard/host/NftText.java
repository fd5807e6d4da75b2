package dev.promguard.host;

import dev.promguard.host.PacketChain.Table;
import dev.promguard.host.PacketCondition.On;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads what {@code nft -a list ruleset} prints: tables, their chains, and each rule by {@link NftRule}. */
final class NftText {
    private static final Pattern HANDLE = Pattern.compile(" *# handle ([0-9]+)$");
    private static final Pattern BASE = Pattern.compile(
            "type ([a-z]+) hook ([a-z]+) (device .*|devices .*)?priority [^;]*;?( *policy ([a-z]+);?)?");

    private final List<Table> tables = new ArrayList<>();
    private final Deque<String> blocks = new ArrayDeque<>();
    private final StringBuilder open = new StringBuilder();
    private @Nullable Table table;
    private @Nullable PacketChain chain;

    /** Takes a line. */
    void line(String text) {
        Matcher handle = HANDLE.matcher(text);
        boolean handled = handle.find();
        String code = handled ? text.substring(0, handle.start()) : text;
        if (open.length() == 0 && code.endsWith("{") && !code.contains("\"")) {
            begin(code.split(" ", -1));
        } else if (open.length() == 0 && code.equals("}")) {
            end();
        } else if (chain != null && "chain".equals(blocks.peek())) {
            open.append(open.length() == 0 ? "" : " ").append(code);
            if (balanced(open)) {
                rule(open.toString(), handled ? handle.group(1) : "");
                open.setLength(0);
            }
        }
    }

    private static boolean balanced(CharSequence text) {
        return text.chars().filter(c -> c == '{').count()
                <= text.chars().filter(c -> c == '}').count();
    }

    private void begin(String[] words) {
        blocks.push(words[0]);
        if (words[0].equals("table") && words.length > 3) {
            table = Table.of(Ruleset.Source.NFT, "nft", words[1], words[1] + ' ' + words[2]);
            tables.add(table);
        } else if (words[0].equals("chain") && words.length > 2 && table != null) {
            chain = table.chain(words[1]);
        }
    }

    private void end() {
        String ended = blocks.isEmpty() ? "" : blocks.pop();
        if (ended.equals("chain")) {
            chain = null;
        } else if (ended.equals("table")) {
            table = null;
        }
    }

    private void rule(String text, String handle) {
        PacketChain of = chain;
        Matcher base = BASE.matcher(text);
        if (of == null) {
            return;
        } else if (base.matches()) {
            of.base(base.group(2), base.group(5) == null ? "accept" : base.group(5));
        } else {
            NftRule.parse(text, of.name(text, handle), of.table().family()).forEach(of::add);
        }
    }

    /** The tables that were read. */
    List<Table> tables() {
        return List.copyOf(tables);
    }

    /** What family of packets the tables of a family are for, as a condition; none where they are for both. */
    static List<PacketCondition> ofFamily(String family) {
        return switch (family) {
            case "ip" -> List.of(new PacketCondition(On.FAMILY, false, List.of("4")));
            case "ip6" -> List.of(new PacketCondition(On.FAMILY, false, List.of("6")));
            default -> List.of();
        };
    }
}
