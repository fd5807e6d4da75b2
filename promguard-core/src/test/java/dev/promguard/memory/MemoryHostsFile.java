package dev.promguard.memory;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** The {@code /etc/hosts} of a machine in memory, and what the shell functions for it do. Not thread-safe. */
final class MemoryHostsFile {
    static final String AT_FIRST = "127.0.0.1 localhost\n::1 localhost\n";
    private static final String BEGIN = "# BEGIN PromGuard\n";
    private static final String END = "# END PromGuard\n";

    private String text = AT_FIRST;

    /** The file, taken apart: whole blocks, and what is left without any marker line. */
    private record Parts(List<String> blocks, String rest, int markers) {}

    String text() {
        return text;
    }

    void text(String is) {
        text = is;
    }

    private Parts parts() {
        List<String> blocks = new ArrayList<>();
        StringBuilder rest = new StringBuilder();
        StringBuilder open = new StringBuilder();
        int markers = 0;
        for (String line : text.split("(?<=\n)", -1)) {
            if (line.equals(BEGIN) || line.equals(END)) {
                markers++;
            }
            if (line.equals(BEGIN)) {
                rest.append(open);
                open.setLength(0);
                open.append(line);
            } else if (open.length() == 0) {
                rest.append(line);
            } else {
                open.append(line);
                if (line.equals(END)) {
                    blocks.add(open.toString());
                    open.setLength(0);
                }
            }
        }
        rest.append(open);
        return new Parts(blocks, rest.toString().replaceAll("(?m)^# (BEGIN|END) PromGuard\n", ""), markers);
    }

    /** What {@code facts_hosts_file} prints. */
    List<String> facts(List<String> arguments) {
        Parts parts = parts();
        List<String> lines = new ArrayList<>();
        int count = parts.blocks().size();
        lines.add("blocks\t" + count + '\t' + (parts.markers() - 2 * count));
        if (count > 0) {
            String all = String.join("", parts.blocks());
            lines.add("sum\t" + sha256(all));
            if (!sha256(all).equals(arguments.get(0))) {
                lines.add("content\t" + Base64.getEncoder().encodeToString(all.getBytes(StandardCharsets.UTF_8)));
            }
        }
        if (!arguments.get(1).isEmpty()) {
            parts.rest().lines().map(line -> line.replaceAll("#.*", "").strip()).forEach(line -> {
                List<String> words = Arrays.asList(line.split("\\s+"));
                words.subList(1, words.size()).stream()
                        .map(name -> name.toLowerCase(Locale.ROOT))
                        .filter(name -> name.endsWith(arguments.get(1)))
                        .forEach(name -> lines.add("other\t" + words.get(0) + '\t' + name));
            });
        }
        return lines;
    }

    /** What {@code apply_hosts_file} does. */
    void apply(String block) {
        text = block + parts().rest();
    }

    /** What {@code undo_hosts_file} does. */
    void undo() {
        text = parts().rest();
    }

    boolean hasBlock() {
        return !parts().blocks().isEmpty();
    }

    private static String sha256(String content) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
