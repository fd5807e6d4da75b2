package dev.promguard.ssh.internal;

import com.hierynomus.sshj.userauth.certificate.Certificate;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostCertificates;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import net.schmizz.sshj.common.Buffer;
import net.schmizz.sshj.common.KeyType;
import net.schmizz.sshj.transport.verification.HostKeyVerifier;
import org.jspecify.annotations.Nullable;

/** Accepts some host keys by fingerprint, those that certificates vouch for, and no other. Remembers what the host showed. */
final class PinnedKeys implements HostKeyVerifier {
    private final Set<HostKeyFingerprint> accepted;
    private final HostCertificates certificates;
    private final boolean firstUse;
    private volatile @Nullable HostKeyFingerprint proven;
    private volatile @Nullable HostKeyFingerprint refused;
    private volatile String refusedType = "";
    private volatile String refusal = "";

    /**
     * Accepts these.
     *
     * @param accepted the keys
     * @param certificates the certificates whose keys are accepted too
     * @param trustOnFirstUse whether any one key is accepted where nothing else is, because the user said so
     */
    PinnedKeys(Set<HostKeyFingerprint> accepted, HostCertificates certificates, boolean trustOnFirstUse) {
        this.accepted = accepted;
        this.certificates = certificates;
        this.firstUse = trustOnFirstUse && accepted.isEmpty() && !certificates.areAccepted();
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

    /** Why the certificate that came with the refused key does not count; empty if none came, or none is accepted. */
    String refusal() {
        return refusal;
    }

    @Override
    public boolean verify(String hostname, int port, PublicKey key) {
        PublicKey plain = key instanceof Certificate<?> certificate ? certificate.getKey() : key;
        HostKeyFingerprint shown = fingerprint(plain);
        // A host may not change its key within one connection either.
        HostKeyFingerprint before = proven;
        if ((before == null || before.equals(shown)) && (firstUse || accepted.contains(shown) || isCertified(key))) {
            proven = shown;
            return true;
        }
        refusedType = KeyType.fromKey(plain).toString();
        refused = shown;
        return false;
    }

    private boolean isCertified(PublicKey key) {
        if (!certificates.areAccepted()) {
            return false;
        }
        if (!(key instanceof Certificate<?>)) {
            refusal = "it showed no certificate for it";
            return false;
        }
        byte[] blob = new Buffer.PlainBuffer().putPublicKey(key).getCompactData();
        refusal = HostCertificate.refusal(blob, certificates, Instant.now()).orElse("");
        return refusal.isEmpty();
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
