package dev.promguard.host;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Says in a few words what is other in files whose parts have names: WireGuard's peers, Prometheus' targets. */
final class FileSummary {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern PEER = Pattern.compile("\n\\[Peer][ \t]*\n");
    private static final int MOST_PARTS = 4;
    private static final int LONGEST_NAME = 80;

    private FileSummary() {}

    /**
     * A part of a file.
     *
     * @param name what a person calls it
     * @param address what is said in brackets after it, or an empty text
     * @param text all that belongs to it
     * @param note what is said after both, or an empty text
     */
    private record Part(String name, String address, String text, String note) {
        Part(String name, String address, String text) {
            this(name, address, text, "");
        }

        Part followedBy(String words) {
            return new Part(name, address, text, words);
        }

        String shown() {
            return Printable.line(Mask.lines(List.of(name)).get(0), LONGEST_NAME)
                    + (address.isEmpty() ? "" : " (" + Printable.line(address, LONGEST_NAME) + ')')
                    + note;
        }
    }

    /**
     * The parts that are added, removed or other; empty where nothing can be told by parts.
     *
     * @param newKeys the names of the hosts for whose new keys the second content holds stand-ins
     */
    static List<String> of(String path, String before, String after, Collection<String> newKeys) {
        if (path.startsWith("/etc/wireguard/") && path.endsWith(".conf")) {
            Map<String, Part> old = peers(before);
            Map<String, Part> fresh = peers(after);
            newKeys.forEach(host -> fresh.computeIfPresent(
                    SymbolicKeys.of(host).base64(), (key, part) -> part.followedBy(", key known after apply")));
            List<String> told = new ArrayList<>(compared("peer", old, fresh));
            if (!beginning(before).equals(beginning(after))) {
                told.add(0, "~ [Interface]");
            }
            return told;
        } else if (path.startsWith("/etc/prometheus/targets/") && path.endsWith(".json")) {
            return targets(before)
                    .flatMap(old -> targets(after).map(fresh -> compared("target", old, fresh)))
                    .orElse(List.of());
        }
        return List.of();
    }

    private static List<String> compared(String noun, Map<String, Part> before, Map<String, Part> after) {
        List<String> told = new ArrayList<>();
        after.forEach((key, part) -> {
            Part old = before.get(key);
            if (old == null) {
                told.add("+ " + noun + ' ' + part.shown());
            } else if (!old.text().equals(part.text())) {
                told.add("~ " + noun + ' ' + part.shown());
            }
        });
        before.forEach((key, part) -> {
            if (!after.containsKey(key)) {
                told.add("- " + noun + ' ' + part.shown());
            }
        });
        if (told.size() <= MOST_PARTS) {
            return told;
        }
        List<String> first = new ArrayList<>(told.subList(0, MOST_PARTS - 1));
        first.add((told.size() - first.size()) + " more");
        return first;
    }

    /** What stands before the first peer. */
    private static String beginning(String config) {
        return PEER.split('\n' + config, 2)[0].strip();
    }

    /** The peers of a WireGuard configuration by public key. */
    private static Map<String, Part> peers(String config) {
        Map<String, Part> peers = new LinkedHashMap<>();
        for (String section : PEER.split('\n' + config, -1)) {
            String key = "";
            String name = "";
            String address = "";
            for (String line : section.split("\n", -1)) {
                String[] words = line.split("=", 2);
                if (line.startsWith("# ") && key.isEmpty()) {
                    name = line.substring(2);
                } else if (words.length == 2 && words[0].strip().equals("PublicKey")) {
                    key = words[1].strip();
                } else if (words.length == 2 && words[0].strip().equals("AllowedIPs")) {
                    address = words[1].strip();
                }
            }
            if (!key.isEmpty()) {
                peers.put(key, new Part(name.isEmpty() ? "without a name" : name, address, section.strip()));
            }
        }
        return peers;
    }

    /** The targets of a file for Prometheus by address; empty if it is none, since somebody broke it by hand. */
    private static Optional<Map<String, Part>> targets(String file) {
        Map<String, Part> targets = new LinkedHashMap<>();
        JsonNode groups;
        try {
            groups = JSON.readTree(file);
        } catch (JacksonException e) {
            return Optional.empty();
        }
        for (JsonNode group : groups) {
            for (JsonNode target : group.path("targets")) {
                String name = group.path("labels").path("node").asText("without a name");
                targets.put(target.asText(), new Part(name, target.asText(), group.toString()));
            }
        }
        return Optional.of(targets);
    }
}
