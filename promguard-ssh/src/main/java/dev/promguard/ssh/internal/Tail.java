package dev.promguard.ssh.internal;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/** Keeps the last lines that a script printed, and no more of them than fits. Thread-safe. */
final class Tail {
    private static final int LINES = 20;
    private static final int WIDTH = 400;

    private final String marker;
    private final Deque<String> lines = new ArrayDeque<>();

    /**
     * Keeps lines.
     *
     * @param marker the line that begins anew
     */
    Tail(String marker) {
        this.marker = marker;
    }

    synchronized void add(byte[] line, int length) {
        String text = new String(line, 0, Math.min(length, 4 * WIDTH), StandardCharsets.UTF_8);
        if (text.equals(marker)) {
            lines.clear();
            return;
        }
        String plain = text.replace(marker, "")
                .replaceAll("[\\p{Cntrl}\\p{Cf}&&[^\\t]]", "?")
                .stripTrailing();
        if (plain.isEmpty()) {
            return;
        }
        lines.addLast(plain.length() > WIDTH ? plain.substring(0, WIDTH) + "…" : plain);
        if (lines.size() > LINES) {
            lines.removeFirst();
        }
    }

    /** The last lines of a text, made printable and cut. */
    static String of(String text) {
        Tail tail = new Tail("\n");
        text.lines().forEach(line -> {
            byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
            tail.add(bytes, bytes.length);
        });
        return tail.text();
    }

    synchronized String text() {
        return String.join("\n", lines);
    }
}
