package dev.promguard.host;

import java.util.regex.Pattern;

/**
 * A user without a login or a home of its own, that a service runs as. Its group has the same name.
 *
 * @param name the user's name
 */
public record SystemUser(String name) {
    private static final Pattern NAME = Pattern.compile("[a-z_][a-z0-9_-]{0,30}");

    /**
     * Checks the name.
     *
     * @throws IllegalArgumentException if Debian would not take the name
     */
    public SystemUser {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("user name \"" + name + "\" is not valid");
        }
    }
}
