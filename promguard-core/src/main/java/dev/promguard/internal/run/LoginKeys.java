package dev.promguard.internal.run;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.StateException;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.MeshState;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The SSH login key of a mesh whose hosts PromGuard created. Hosts that exist admit this key alone, so another one is never made while
 * there are some. Not for hosts of an inventory. Thread-safe.
 */
public final class LoginKeys {
    private static final Pattern MD5 = Pattern.compile("[0-9a-f]{2}(:[0-9a-f]{2}){15}");
    private static final String REMEDY =
            " Restore the folder from a backup, or call recover(…) with another key that the hosts admit. If there is neither,"
                    + " nobody can log in to the hosts any more: destroy the mesh, then apply it anew.";

    private final Context context;

    /**
     * The keys of a run.
     *
     * @param context the run's context
     */
    public LoginKeys(Context context) {
        this.context = context;
    }

    /**
     * The private key.
     *
     * @return the key, which the caller closes
     * @throws StateException if it is missing, or is no whole key
     */
    public Secret require() {
        Secret key = context.store().loadLoginKey(context.mesh()).orElseThrow(() -> missing("is missing from", null));
        try {
            SshKeyPair.publicHalf(key);
            return key;
        } catch (InvalidSettingException e) {
            key.close();
            throw missing("is no whole key in", e);
        }
    }

    /**
     * The public key with which hosts are created, read from the private one: what a host admits is what the mesh can log in with.
     *
     * @return the key
     * @throws StateException if the private key is missing, or is no whole key
     */
    public SshPublicKey publicKey() {
        try (Secret key = require()) {
            return SshKeyPair.publicHalf(key);
        }
    }

    /**
     * Insists that the key is the one that the mesh's hosts were created with, so that no host gets another one.
     *
     * @param state what is remembered
     * @throws StateException if the key is missing, is no whole key, or is another one
     */
    public void requireSameAs(MeshState state) {
        SshPublicKey key = publicKey();
        boolean other = state.accessKey()
                .map(AccessKey::fingerprint)
                .map(known -> isOther(known, key))
                .orElseGet(() -> context.store()
                        .loadLoginPublicKey(context.mesh())
                        .filter(known -> !known.equals(key))
                        .isPresent());
        if (other) {
            throw missing("was replaced by another one, which the mesh's hosts do not admit, in", null);
        }
    }

    /** Whether a fingerprint is that of another key. Unknown forms of fingerprints tell nothing. */
    private static boolean isOther(String fingerprint, SshPublicKey key) {
        return fingerprint.startsWith("SHA256:")
                ? !fingerprint.equals(key.fingerprint().text())
                : MD5.matcher(fingerprint).matches() && !fingerprint.equals(key.md5Fingerprint());
    }

    /**
     * Makes a key unless there is one. Only for a mesh of which no host exists: one that is no whole key is replaced.
     *
     * @throws StateException if it cannot be kept
     */
    public void ensure() {
        Optional<Secret> existing = context.store().loadLoginKey(context.mesh());
        if (existing.isPresent()) {
            try (Secret key = existing.get()) {
                SshKeyPair.publicHalf(key);
                return;
            } catch (InvalidSettingException e) {
                context.events().note(null, "the SSH login key was no whole key, and no host admits it: replaced");
            }
        }
        try (SshKeyPair pair = SshKeyPair.generate(context.random())) {
            context.store().saveLoginKey(context.mesh(), pair);
        }
    }

    private StateException missing(String what, @Nullable RuntimeException cause) {
        return new StateException(
                ErrorCode.LOGIN_KEY_MISSING,
                "the SSH login key of mesh " + context.mesh() + ' ' + what + ' '
                        + context.store().describe(context.mesh()) + "." + REMEDY,
                false,
                cause);
    }
}
