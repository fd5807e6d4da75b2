package dev.promguard.examples.localcloud;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where this machine gets Debian from, so that the base image and its droplets get it from the same place. */
final class AptSources {
    private static final List<String> CODENAMES = List.of("bullseye", "bookworm", "trixie", "forky");
    private static final String KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
    private static final Pattern ONE_LINE =
            Pattern.compile("deb\\s+(?:\\[(?<options>[^]]*)]\\s+)?(?<uri>\\S+)\\s+(?<suite>\\S+)\\s+(?<components>.+)");

    private AptSources() {}

    /** Debian's own sources of this machine as deb822 text for a suite; empty where this machine has none (then mmdebstrap's usual). */
    static String forSuite(String suite) {
        return forSuite(suite, files());
    }

    static String forSuite(String suite, List<String> files) {
        StringBuilder text = new StringBuilder();
        for (String file : files) {
            for (Map<String, String> stanza : stanzas(file)) {
                String suites = debianSuites(stanza, suite);
                if (!suites.isEmpty()) {
                    text.append("Types: deb\nURIs: ")
                            .append(stanza.getOrDefault("uris", ""))
                            .append("\nSuites: ")
                            .append(suites)
                            .append("\nComponents: main\nSigned-By: ")
                            .append(KEYRING)
                            .append("\n\n");
                }
            }
        }
        return text.toString();
    }

    /** The same mirror's text for a suite that is not released yet, which has neither updates nor a security archive; empty where this machine has none. */
    static String forNext(String suite) {
        return forNext(suite, files());
    }

    static String forNext(String suite, List<String> files) {
        return files.stream()
                .flatMap(file -> stanzas(file).stream())
                .filter(stanza ->
                        List.of(debianSuites(stanza, suite).split(" ", -1)).contains(suite))
                .map(stanza -> stanza.getOrDefault("uris", ""))
                .findFirst()
                .map(mirror -> "Types: deb\nURIs: " + mirror + "\nSuites: " + suite + "\nComponents: main\nSigned-By: "
                        + KEYRING + "\n")
                .orElse("");
    }

    /** How this machine reaches its sources: proxies, and what it does not insist on. */
    static List<String> options() {
        return Command.of("apt-config", "dump")
                .check()
                .stdout()
                .lines()
                .filter(line -> line.matches("Acquire::(https?::.*|Check-Valid-Until|Check-Date|Retries) \"[^\"]+\";"))
                .filter(line -> !line.contains("User-Agent"))
                .toList();
    }

    private static String debianSuites(Map<String, String> stanza, String suite) {
        boolean binary =
                List.of(stanza.getOrDefault("types", "").split("\\s+", -1)).contains("deb");
        boolean enabled = !stanza.getOrDefault("enabled", "yes").equals("no");
        boolean main =
                List.of(stanza.getOrDefault("components", "").split("\\s+", -1)).contains("main");
        String signedBy = stanza.getOrDefault("signed-by", "");
        boolean debian = signedBy.isEmpty() || signedBy.contains("debian-archive");
        if (!binary || !enabled || !main || !debian) {
            return "";
        }
        List<String> suites = new ArrayList<>();
        for (String one : stanza.getOrDefault("suites", "").split("\\s+", -1)) {
            for (String codename : CODENAMES) {
                if (one.equals(codename) || one.equals(codename + "-updates") || one.equals(codename + "-security")) {
                    suites.add(suite + one.substring(codename.length()));
                }
            }
        }
        return String.join(" ", suites);
    }

    private static List<Map<String, String>> stanzas(String file) {
        List<Map<String, String>> stanzas = new ArrayList<>();
        Map<String, String> stanza = new LinkedHashMap<>();
        for (String line : (file + "\n\n").lines().toList()) {
            Matcher oneLine = ONE_LINE.matcher(line.strip());
            if (line.isBlank()) {
                if (!stanza.isEmpty()) {
                    stanzas.add(stanza);
                    stanza = new LinkedHashMap<>();
                }
            } else if (oneLine.matches()) {
                String options = String.valueOf(oneLine.group("options"));
                stanzas.add(Map.of(
                        "types", "deb",
                        "uris", oneLine.group("uri"),
                        "suites", oneLine.group("suite"),
                        "components", oneLine.group("components"),
                        "signed-by", options.contains("signed-by") ? options : ""));
            } else if (!line.startsWith("#") && line.indexOf(':') > 0 && !Character.isWhitespace(line.charAt(0))) {
                int colon = line.indexOf(':');
                stanza.put(
                        line.substring(0, colon).toLowerCase(java.util.Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
        }
        return stanzas;
    }

    private static List<String> files() {
        List<Path> paths = new ArrayList<>();
        paths.add(Path.of("/etc/apt/sources.list"));
        paths.addAll(Folders.children(Path.of("/etc/apt/sources.list.d")));
        return paths.stream()
                .filter(path ->
                        path.toString().endsWith(".list") || path.toString().endsWith(".sources"))
                .filter(Files::isRegularFile)
                .map(Folders::read)
                .toList();
    }
}
