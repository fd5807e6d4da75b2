package dev.promguard.keys;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How a program proves to a server who it is: by a user name and a password, or by a bearer token. The secret is the
 * caller's: it must stay open for as long as a mesh with these credentials is used, and is never printed. Immutable.
 */
public final class Credentials {
    private static final Pattern USER_NAME = Pattern.compile("[^:\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]{1,256}");
    private static final int LONGEST = 16_384;

    private final Optional<String> userName;
    private final Secret secret;

    private Credentials(Optional<String> userName, Secret secret) {
        this.userName = userName;
        this.secret = secret;
    }

    /**
     * A user name and a password, as in RFC 7617.
     *
     * @param userName the user name, without a colon
     * @param password the password
     * @return the credentials
     * @throws NullPointerException if one is null
     * @throws InvalidSettingException if the user name is empty, holds a colon or a control character, or the password holds
     *     a control character or begins or ends with white space
     * @throws InvalidSettingException if the password was closed
     */
    public static Credentials basic(String userName, Secret password) {
        if (!USER_NAME.matcher(Objects.requireNonNull(userName, "userName")).matches()) {
            throw new InvalidSettingException("user name " + Names.quote(userName)
                    + " cannot be sent: use 1 to 256 printable characters without a colon");
        }
        return new Credentials(Optional.of(userName), sendable("password", password));
    }

    /**
     * A bearer token, as in RFC 6750.
     *
     * @param token the token
     * @return the credentials
     * @throws NullPointerException if {@code token} is null
     * @throws InvalidSettingException if the token holds a control character or begins or ends with white space
     * @throws InvalidSettingException if the token was closed
     */
    public static Credentials bearer(Secret token) {
        return new Credentials(Optional.empty(), sendable("token", token));
    }

    private static Secret sendable(String what, Secret secret) {
        boolean good = Objects.requireNonNull(secret, what).useText(text -> {
            boolean tidy = text.equals(text.strip()) && text.length() <= LONGEST;
            return tidy && text.chars().noneMatch(Character::isISOControl) && isUtf8(text);
        });
        if (!good) {
            throw new InvalidSettingException("the " + what
                    + " cannot be sent: use at most " + LONGEST
                    + " characters of UTF-8 without control characters or white space around them");
        }
        return secret;
    }

    private static boolean isUtf8(String text) {
        return text.indexOf('\ufffd') < 0 && StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }

    /**
     * The user name.
     *
     * @return the user name; empty for a bearer token
     */
    public Optional<String> userName() {
        return userName;
    }

    /**
     * The password or the token.
     *
     * @return the caller's own secret, not a copy
     */
    public Secret secret() {
        return secret;
    }

    /**
     * What kind they are, without the secret.
     *
     * @return such as {@code Credentials(me, ***)}
     */
    @Override
    public String toString() {
        return "Credentials(" + userName.map(name -> name + ", ").orElse("bearer ") + "***)";
    }
}
