package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A line of an SSH client's configuration.
 *
 * @param keyword the keyword as written
 * @param rest all that follows, as written
 * @param words what follows, in words: without quotes and comment
 * @param file the file
 * @param line the line's number, from 1
 * @param included for {@code Include}, what each file holds; else empty
 */
record SshSetting(
        String keyword, String rest, List<String> words, Path file, int line, List<List<SshSetting>> included) {
    /** The keyword in lower case. */
    String key() {
        return keyword.toLowerCase(Locale.ROOT);
    }

    /** Its only word. */
    String word() {
        if (words.size() != 1 || words.get(0).isEmpty()) {
            throw refused(keyword + " has " + words.size() + " values: give it one");
        }
        return words.get(0);
    }

    /** The start of messages: file and line. */
    static String where(Path file, int line) {
        return Names.quote(file.toString()) + " line " + line + ": ";
    }

    /** The same of this line. */
    String where() {
        return where(file, line);
    }

    /** What to throw because of this line. */
    InvalidSettingException refused(String why) {
        return new InvalidSettingException(where() + why);
    }
}
