package dev.promguard.ssh.internal;

import com.hierynomus.sshj.key.KeyAlgorithm;
import com.hierynomus.sshj.key.KeyAlgorithms;
import java.io.IOException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import net.schmizz.sshj.common.Buffer;
import net.schmizz.sshj.common.SSHRuntimeException;
import net.schmizz.sshj.signature.Signature;
import net.schmizz.sshj.userauth.method.AuthMethod;

/**
 * A private key with a certificate for it.
 *
 * @param key the key
 * @param certificate the certificate
 * @param user who logs in, for messages
 */
record CertifiedKey(PrivateKey key, Certificate certificate, String user) implements LoginKey {
    private static final Map<String, Supplier<KeyAlgorithm>> ALGORITHMS = Map.of(
            "ssh-ed25519", () -> KeyAlgorithms.EdDSA25519().create(),
            "ecdsa-sha2-nistp256", () -> KeyAlgorithms.ECDSASHANistp256().create(),
            "ecdsa-sha2-nistp384", () -> KeyAlgorithms.ECDSASHANistp384().create(),
            "ecdsa-sha2-nistp521", () -> KeyAlgorithms.ECDSASHANistp521().create(),
            "rsa-sha2-512", () -> KeyAlgorithms.RSASHA512().create(),
            "rsa-sha2-256", () -> KeyAlgorithms.RSASHA256().create());

    @Override
    public AuthMethod method() {
        return new SignedLogin(certificate.type(), certificate.blob(), this::sign);
    }

    private byte[] sign(byte[] data, String algorithm) throws IOException {
        Supplier<KeyAlgorithm> known = ALGORITHMS.get(algorithm);
        if (known == null) {
            throw new IOException("no signature of type " + algorithm + " can be made");
        }
        try {
            Signature signature = known.get().newSignature();
            signature.initSign(key.pair().getPrivate());
            signature.update(data, 0, data.length);
            return new Buffer.PlainBuffer()
                    .putString(algorithm)
                    .putBytes(signature.encode(signature.sign()))
                    .getCompactData();
        } catch (SSHRuntimeException e) {
            throw new IOException(e);
        }
    }

    @Override
    public String title() {
        Optional<String> problem = certificate.problem(user, Instant.now());
        return certificate.title() + problem.map(words -> ", and " + words).orElse("");
    }
}
