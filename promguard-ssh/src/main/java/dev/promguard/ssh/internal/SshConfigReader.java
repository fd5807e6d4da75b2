package dev.promguard.ssh.internal;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads the lines of an SSH client's configuration and of the files that it includes, by the rules of ssh. */
final class SshConfigReader {
    private static final int MAX_BYTES = 1 << 20;
    private static final int MAX_FILES = 256;
    private static final int MAX_DEPTH = 16;
    private static final Pattern LINE =
            Pattern.compile("[ \\t]*([A-Za-z][A-Za-z0-9-]{0,63})(?:[ \\t]*=[ \\t]*|[ \\t]+)([^ \\t].*)");

    private final Path home;
    private int files;

    private SshConfigReader(Path home) {
        this.home = home;
    }

    /**
     * Reads a file and what it includes.
     *
     * @param file the file
     * @param home the user's home folder
     * @return its lines
     * @throws InvalidSettingException if a file cannot be read, is too large or malformed, or others may write to it
     */
    static List<SshSetting> read(Path file, Path home) {
        return new SshConfigReader(home).read(file, 0);
    }

    private List<SshSetting> read(Path file, int depth) {
        String named = "SSH configuration " + Names.quote(file.toString());
        if (++files > MAX_FILES) {
            throw new InvalidSettingException(named + " is one file too many: use at most " + MAX_FILES);
        }
        String text;
        try {
            text = text(file, named);
        } catch (IOException e) {
            throw new InvalidSettingException(
                    ErrorCode.FILE_INACCESSIBLE, named + " cannot be read: name a file that you may read", e);
        }
        List<SshSetting> settings = new ArrayList<>();
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            SshSetting setting = line(file, i + 1, lines[i], depth);
            if (setting != null) {
                settings.add(setting);
            }
        }
        return settings;
    }

    private static String text(Path file, String named) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new InvalidSettingException(
                    ErrorCode.FILE_INACCESSIBLE, named + " cannot be read: name a file that you may read", null);
        }
        PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
        if (view != null) {
            Set<PosixFilePermission> permissions = view.readAttributes().permissions();
            if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                    || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
                throw new InvalidSettingException(
                        named + " can be written by others, so it is not obeyed: use chmod go-w on it");
            }
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new InvalidSettingException(
                        named + " is larger than " + MAX_BYTES + " bytes: name a smaller file");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    private @Nullable SshSetting line(Path file, int number, String text, int depth) {
        String line = text.replaceFirst("[ \\t\\r\\f]+$", "");
        String start = line.stripLeading();
        if (start.isEmpty() || start.startsWith("#")) {
            return null;
        }
        String where = SshSetting.where(file, number);
        if (!Names.isPrintable(line.replace('\t', ' '))) {
            throw new InvalidSettingException(where + "a character cannot be seen: use printable characters");
        }
        Matcher matcher = LINE.matcher(line);
        if (!matcher.matches()) {
            throw new InvalidSettingException(where + "this is no setting: wanted a keyword and its value");
        }
        String rest = matcher.group(2);
        List<String> words = words(rest, where);
        SshSetting setting = new SshSetting(matcher.group(1), rest, words, file, number, List.of());
        if (words.isEmpty()) {
            throw setting.refused(setting.keyword() + " has no value: give it one");
        }
        return setting.key().equals("include") ? including(setting, depth) : setting;
    }

    /** Splits as ssh does: quotes of both kinds, backslashes before quotes and spaces, and a comment at a word's start. */
    private static List<String> words(String text, String where) {
        List<String> words = new ArrayList<>();
        int i = 0;
        while (i < text.length()) {
            char first = text.charAt(i);
            if (first == ' ' || first == '\t') {
                i++;
                continue;
            }
            if (first == '#') {
                break;
            }
            StringBuilder word = new StringBuilder();
            char quote = 0;
            for (; i < text.length(); i++) {
                char c = text.charAt(i);
                char next = i + 1 < text.length() ? text.charAt(i + 1) : 0;
                if (c == '\\' && (next == '\'' || next == '"' || next == '\\' || (quote == 0 && next == ' '))) {
                    word.append(next);
                    i++;
                } else if (quote == 0 && (c == '"' || c == '\'')) {
                    quote = c;
                } else if (quote != 0 && c == quote) {
                    quote = 0;
                } else if (quote == 0 && (c == ' ' || c == '\t')) {
                    break;
                } else {
                    word.append(c);
                }
            }
            if (quote != 0) {
                throw new InvalidSettingException(where + "a quote is not closed: use them in pairs");
            }
            words.add(word.toString());
        }
        return words;
    }

    private SshSetting including(SshSetting setting, int depth) {
        if (depth == MAX_DEPTH) {
            throw setting.refused(
                    "files include one another more than " + MAX_DEPTH + " deep, or in a circle: use fewer levels");
        }
        List<List<SshSetting>> included = new ArrayList<>();
        for (String pattern : setting.words()) {
            for (Path file : files(setting, pattern)) {
                included.add(read(file, depth + 1));
            }
        }
        return new SshSetting(
                setting.keyword(), setting.rest(), setting.words(), setting.file(), setting.line(), included);
    }

    private List<Path> files(SshSetting setting, String pattern) {
        if (pattern.isEmpty() || pattern.contains("${") || (pattern.startsWith("~") && !pattern.startsWith("~/"))) {
            throw setting.refused("Include " + Names.quote(pattern) + " is not supported: name a file of your own");
        }
        String place = pattern.startsWith("~/") ? home + pattern.substring(1) : pattern;
        String whole = place.startsWith("/") ? place : home + "/.ssh/" + place;
        Stream<Path> found = Stream.of(Path.of("/"));
        for (String name : whole.split("/", -1)) {
            if (!name.isEmpty()) {
                found = found.flatMap(folder -> matching(setting, folder, name).stream());
            }
        }
        return found.filter(file -> !Files.isDirectory(file)).toList();
    }

    private static List<Path> matching(SshSetting setting, Path folder, String name) {
        try {
            if (Stream.of("*", "?", "[", "\\").noneMatch(name::contains)) {
                Path file = folder.resolve(name);
                return Files.exists(file) ? List.of(file) : List.of();
            }
            if (!Files.isDirectory(folder)) {
                return List.of();
            }
            Pattern glob = glob(setting, name);
            List<Path> found = new ArrayList<>();
            try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
                for (Path file : all) {
                    if (glob.matcher(file.getFileName().toString()).matches()) {
                        found.add(file);
                    }
                }
            }
            return found.stream().sorted().toList();
        } catch (IOException | InvalidPathException e) {
            throw new InvalidSettingException(
                    setting.where() + "Include finds nothing in " + Names.quote(folder.toString())
                            + ": name a folder that you may read",
                    e);
        }
    }

    private static Pattern glob(SshSetting setting, String name) {
        StringBuilder regex = new StringBuilder(name.startsWith(".") ? "" : "(?!\\.)");
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            switch (c) {
                case '*' -> regex.append(".*");
                case '?' -> regex.append('.');
                case '[' -> throw setting.refused("Include with [ is not supported: use * and ?");
                case '\\' -> {
                    i++;
                    regex.append(Pattern.quote(i < name.length() ? name.substring(i, i + 1) : "\\"));
                }
                default -> regex.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return Pattern.compile(regex.toString());
    }
}
