package dev.promguard.host;

import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * A file that should have this content. It is replaced whole, by a rename, so that no reader sees half of it.
 *
 * @param path the absolute path
 * @param content the text, ending in a line end. Never holds a secret
 * @param mode the permission bits, such as {@code 0644}
 * @param owner the owning user; the group has the same name
 * @param check a command that must succeed on the new content before it is put in place; the new file's path is appended
 *     to it. Empty for no check
 */
public record ManagedFile(String path, String content, int mode, String owner, List<String> check) {
    private static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9_@.+-]+)+");

    /**
     * Checks and copies.
     *
     * @throws IllegalArgumentException if the path is not a plain absolute path, or the mode is not one
     */
    public ManagedFile {
        if (!PATH.matcher(path).matches() || path.contains("/../") || path.endsWith("/..")) {
            throw new IllegalArgumentException("file path \"" + path + "\" is not a plain absolute path");
        }
        if (mode < 0 || mode > 0777) {
            throw new IllegalArgumentException(path + ": mode " + Integer.toOctalString(mode) + " is not valid");
        }
        Objects.requireNonNull(content, "content");
        Objects.requireNonNull(owner, "owner");
        check = List.copyOf(check);
    }

    /**
     * A file that root owns and everyone may read.
     *
     * @param path the absolute path
     * @param content the text
     * @return the file, mode 0644
     */
    public static ManagedFile readable(String path, String content) {
        return new ManagedFile(path, content, 0644, "root", List.of());
    }

    /**
     * The same file with a check.
     *
     * @param command the command and its arguments, to which the new file's path is appended
     * @return a copy
     */
    public ManagedFile checkedBy(List<String> command) {
        return new ManagedFile(path, content, mode, owner, command);
    }
}
