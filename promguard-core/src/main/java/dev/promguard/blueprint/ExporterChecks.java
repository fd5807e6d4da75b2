package dev.promguard.blueprint;

import dev.promguard.InvalidSettingException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/** Checks the parts of an {@link Exporter}. Each check throws an exception that names the part, its value and what is allowed. */
final class ExporterChecks {
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]{0,21}_exporter");
    static final Pattern PROGRAM = Pattern.compile("[a-z][a-z0-9_-]{0,62}");
    static final Pattern PACKAGE = Pattern.compile("[a-z0-9][a-z0-9+.-]{1,100}");
    static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9_@+-][A-Za-z0-9_@.+-]*){1,16}");
    static final Pattern UNIT = Pattern.compile("[a-z0-9][a-z0-9@_.-]{0,100}\\.(service|socket|timer|path)");
    private static final Pattern FILE = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}");
    static final Pattern MODULE = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}");
    private static final Pattern HOST_AND_PORT = Pattern.compile(
            "([A-Za-z0-9_.-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}])(:[0-9]{1,5})?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]{1,44}");
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}&&[^\\n\\t]]|[\\u2028\\u2029\\ufeff]|\\p{Cs}");
    private static final int LONGEST_ARGUMENT = 2000;
    private static final int LARGEST_FILE = 256 * 1024;

    private ExporterChecks() {}

    static void name(String name) {
        require(
                NAME,
                name,
                "exporter name",
                "lower-case letters, digits and underscores, at most 31, ending in _exporter");
        if (name.equals("node_exporter")) {
            throw new InvalidSettingException(
                    "exporter name \"node_exporter\" is not valid: use another name, since every host runs that exporter already");
        }
    }

    /** Insists that an exporter listens on the WireGuard address alone. */
    static void listening(List<String> listen, List<String> arguments) {
        if (listen.stream().noneMatch(text -> text.contains("{listen}") || text.contains("{address}"))) {
            throw new InvalidSettingException(
                    "exporter listen arguments " + Names.quote(String.join(" ", listen))
                            + " are not valid: use {listen} or {address} in one of them, since the exporter would listen on every address otherwise");
        }
        for (String argument : arguments) {
            if (argument.startsWith("--web.listen-address") || argument.startsWith("-web.listen-address")) {
                throw new InvalidSettingException("exporter argument " + Names.quote(argument)
                        + " is not valid: use withListen to say how the exporter is given its address");
            }
        }
    }

    static void configFile(String name, String content) {
        require(FILE, name, "exporter configuration file", "a plain file name");
        Objects.requireNonNull(content, "content");
        if (content.length() > LARGEST_FILE) {
            throw new InvalidSettingException("exporter configuration " + Names.quote(name)
                    + " is too large: use at most " + LARGEST_FILE / 1024 + " KiB");
        }
        if (CONTROL.matcher(content).find()) {
            throw new InvalidSettingException("exporter configuration " + Names.quote(content)
                    + " is not valid: use text without control characters");
        }
    }

    /** Whether a target is an http or https URI without user name and password, or a host or address with or without a port. */
    static boolean isProbeTarget(String target) {
        if (!target.contains("://")) {
            return HOST_AND_PORT.matcher(target).matches();
        }
        try {
            URI uri = new URI(target);
            return target.length() <= LONGEST_ARGUMENT
                    && target.chars().allMatch(c -> c > ' ' && c < 127)
                    && ("http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme()))
                    && uri.getHost() != null
                    && uri.getRawUserInfo() == null;
        } catch (URISyntaxException e) {
            return false;
        }
    }

    static List<String> arguments(String field, List<String> texts) {
        Objects.requireNonNull(texts, field);
        for (String text : texts) {
            Objects.requireNonNull(text, field);
            if (text.isEmpty() || text.length() > LONGEST_ARGUMENT || !Names.isPrintable(text)) {
                throw new InvalidSettingException("exporter argument " + Names.quote(text) + " is not valid: use 1 to "
                        + LONGEST_ARGUMENT + " printable characters");
            }
        }
        return List.copyOf(texts);
    }

    static void require(Pattern pattern, String value, String field, String form) {
        Objects.requireNonNull(value, field);
        if (!pattern.matcher(value).matches()) {
            throw new InvalidSettingException(field + " " + Names.quote(value) + " is not valid: use " + form);
        }
    }
}
