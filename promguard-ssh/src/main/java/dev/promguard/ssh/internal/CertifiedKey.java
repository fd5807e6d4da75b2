package dev.promguard.ssh.internal;

import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
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
    @Override
    public AuthMethod method() {
        return new SignedLogin(certificate.type(), certificate.blob(), this::sign);
    }

    private byte[] sign(byte[] data, String algorithm) throws IOException {
        Signature signature = Algorithms.signature(algorithm)
                .orElseThrow(() -> new IOException("no signature of type " + algorithm + " can be made"));
        try {
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
