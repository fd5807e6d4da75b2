package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Planner;
import dev.promguard.blueprint.PrometheusSpec;
import dev.promguard.blueprint.Release;
import dev.promguard.blueprint.Role;
import dev.promguard.keys.PublicKey;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A wish as a file for tests. Each line is a word and its values: {@code name}, {@code network}, {@code wireGuardPort},
 * {@code nodeExporterPort}, {@code prometheusPort}, {@code scrapeSeconds}, {@code monitor NAME REGION}, {@code node NAME REGION},
 * {@code nodes COUNT REGION...}, {@code public HOST ADDRESS}, {@code held HOST ADDRESS}, {@code unkeyed HOST} and {@code host NAME}, the host that the
 * test is about. Lines that begin with a # and empty lines are passed over.
 */
public final class WishFile {
    private final Map<String, String> values = new HashMap<>();
    private final List<HostSpec> hosts = new ArrayList<>();
    private final Map<String, String> publicAddresses = new HashMap<>();
    private final Map<String, String> held = new HashMap<>();
    private final Set<String> unkeyed = new HashSet<>();

    private WishFile() {}

    /** Reads a wish. */
    public static WishFile parse(String text) {
        WishFile wish = new WishFile();
        for (String line : text.lines().toList()) {
            if (!line.isBlank() && !line.startsWith("#")) {
                wish.line(line.strip().split(" +"));
            }
        }
        return wish;
    }

    private void line(String[] words) {
        switch (words[0]) {
            case "monitor" -> hosts.add(host(words[1], Role.MONITOR, words[2]));
            case "node" -> hosts.add(host(words[1], Role.NODE, words[2]));
            case "nodes" -> {
                for (int i = 0; i < Integer.parseInt(words[1]); i++) {
                    hosts.add(host(
                            value("name", "shop") + "-node-" + (i + 1), Role.NODE, words[2 + i % (words.length - 2)]));
                }
            }
            case "public" -> publicAddresses.put(words[1], words[2]);
            case "unkeyed" -> unkeyed.add(words[1]);
            case "held" -> held.put(words[1], words[2]);
            default -> values.put(words[0], words[1]);
        }
    }

    private static HostSpec host(String name, Role role, String region) {
        return new HostSpec(name, role, region, "s-1vcpu-1gb", "debian-12-x64");
    }

    private String value(String word, String otherwise) {
        return values.getOrDefault(word, otherwise);
    }

    private int number(String word, int otherwise) {
        return Integer.parseInt(value(word, String.valueOf(otherwise)));
    }

    /** The wish. */
    public MeshSpec spec() {
        return new MeshSpec(
                value("name", "shop"),
                value("network", "10.0.0.0/24"),
                number("wireGuardPort", 51820),
                value("presharedKeys", "on").equals("on"),
                number("nodeExporterPort", 9100),
                PrometheusSpec.usual()
                        .withPort(number("prometheusPort", 9090))
                        .withScrapeInterval(Duration.ofSeconds(number("scrapeSeconds", 15))),
                Release.nodeExporter(),
                hosts);
    }

    /** The blueprint, with the addresses that hosts hold. */
    public Blueprint blueprint() {
        return Planner.plan(spec(), held);
    }

    /** The host that the test is about. */
    public String host() {
        return Objects.requireNonNull(values.get("host"), "host");
    }

    /** The public addresses that are known. */
    public Map<String, String> publicAddresses() {
        return Map.copyOf(publicAddresses);
    }

    /** A public key for each host that has one, always the same for the same name. */
    public Map<String, PublicKey> publicKeys() {
        Map<String, PublicKey> keys = new HashMap<>();
        hosts.stream()
                .filter(host -> !unkeyed.contains(host.name()))
                .forEach(host -> keys.put(host.name(), publicKey(host.name())));
        return keys;
    }

    /** A public key, always the same for the same name. */
    public static PublicKey publicKey(String name) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            return new PublicKey(Base64.getEncoder().encodeToString(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
