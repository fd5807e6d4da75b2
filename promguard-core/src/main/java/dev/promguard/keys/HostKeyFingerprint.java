package dev.promguard.keys;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.util.regex.Pattern;

/**
 * The SHA-256 fingerprint of an SSH host key, by which a host is known.
 *
 * @param text {@code SHA256:} and 43 characters of unpadded base64, as {@code ssh-keygen -lf} prints it
 */
public record HostKeyFingerprint(String text) {
    private static final Pattern FORM = Pattern.compile("SHA256:[A-Za-z0-9+/]{43}");

    /**
     * Checks the form.
     *
     * @throws InvalidSettingException if {@code text} has another form
     */
    public HostKeyFingerprint {
        if (!FORM.matcher(text).matches()) {
            throw new InvalidSettingException("not a host key fingerprint: " + Names.quote(text)
                    + ": use \"SHA256:\" and 43 characters of base64, as ssh-keygen -lf prints");
        }
    }

    /**
     * The fingerprint's text.
     *
     * @return the text
     */
    @Override
    public String toString() {
        return text;
    }
}
