package dev.promguard.ssh.internal;

import dev.promguard.keys.HostKeyFingerprint;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import net.schmizz.sshj.common.Buffer;
import net.schmizz.sshj.common.KeyType;
import net.schmizz.sshj.transport.verification.HostKeyVerifier;
import org.jspecify.annotations.Nullable;

/** Accepts some host keys by fingerprint, and no other. Remembers what the host showed. */
final class PinnedKeys implements HostKeyVerifier {
    private final Set<HostKeyFingerprint> accepted;
    private final boolean firstUse;
    private volatile @Nullable HostKeyFingerprint proven;
    private volatile @Nullable HostKeyFingerprint refused;
    private volatile String refusedType = "";

    /**
     * Accepts these.
     *
     * @param accepted the keys
     * @param trustOnFirstUse whether any one key is accepted where there are none, because the user said so
     */
    PinnedKeys(Set<HostKeyFingerprint> accepted, boolean trustOnFirstUse) {
        this.accepted = accepted;
        this.firstUse = trustOnFirstUse && accepted.isEmpty();
    }

    /** The accepted key that the host showed, or null. */
    @Nullable
    HostKeyFingerprint proven() {
        return proven;
    }

    /** The key that was refused, or null. */
    @Nullable
    HostKeyFingerprint refused() {
        return refused;
    }

    String refusedType() {
        return refusedType;
    }

    @Override
    public boolean verify(String hostname, int port, PublicKey key) {
        HostKeyFingerprint shown = fingerprint(key);
        // A host may not change its key within one connection either.
        HostKeyFingerprint before = proven;
        if ((firstUse || accepted.contains(shown)) && (before == null || before.equals(shown))) {
            proven = shown;
            return true;
        }
        refusedType = KeyType.fromKey(key).toString();
        refused = shown;
        return false;
    }

    @Override
    public List<String> findExistingAlgorithms(String hostname, int port) {
        return List.of();
    }

    static HostKeyFingerprint fingerprint(PublicKey key) {
        return fingerprint(new Buffer.PlainBuffer().putPublicKey(key).getCompactData());
    }

    static HostKeyFingerprint fingerprint(byte[] blob) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(blob);
            return new HostKeyFingerprint(
                    "SHA256:" + Base64.getEncoder().withoutPadding().encodeToString(sum));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
