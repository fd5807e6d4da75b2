package dev.promguard.host;

import dev.promguard.keys.Secret;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * A file that holds a secret and a line end, and nothing else: owned by root, mode 0440, so that the programs of one group
 * can read it. The record never prints the secret.
 *
 * @param path the absolute path
 * @param group the group that may read it
 * @param content the secret; the caller's to close
 */
public record SecretFile(String path, String group, Secret content) {
    /** The permission bits of every such file. */
    public static final int MODE = 0440;

    private static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9_@+-][A-Za-z0-9_@.+-]*)+");
    private static final Pattern GROUP = Pattern.compile("[a-z_][a-z0-9_-]{0,30}");

    /**
     * Checks the words.
     *
     * @throws NullPointerException if something is null
     * @throws IllegalArgumentException if the path is not a plain absolute path, or the group's name is not one
     */
    public SecretFile {
        if (!PATH.matcher(path).matches()) {
            throw new IllegalArgumentException("file path \"" + path + "\" is not a plain absolute path");
        }
        if (!GROUP.matcher(group).matches()) {
            throw new IllegalArgumentException(path + ": group \"" + group + "\" is not a group's name");
        }
        Objects.requireNonNull(content, "content");
    }

    /**
     * Who owns the file.
     *
     * @return such as {@code root:prometheus}
     */
    public String owner() {
        return "root:" + group;
    }
}
