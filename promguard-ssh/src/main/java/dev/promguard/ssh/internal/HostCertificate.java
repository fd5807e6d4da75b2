package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostCertificates;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import net.schmizz.sshj.common.Buffer;
import net.schmizz.sshj.common.KeyType.CertUtils;
import net.schmizz.sshj.common.SSHRuntimeException;
import net.schmizz.sshj.signature.Signature;

/** Why a certificate that a host showed does not prove the host, as ssh decides it for {@code @cert-authority}. */
final class HostCertificate {
    private HostCertificate() {}

    /**
     * Checks a certificate.
     *
     * @param blob the whole of it, as SSH sends it
     * @param accepted what is accepted
     * @param now the time
     * @return what it is and why it is refused, in a few words; empty if it proves the host
     */
    static Optional<String> refusal(byte[] blob, HostCertificates accepted, Instant now) {
        try {
            Certificate certificate = Certificate.of(blob);
            return problem(certificate, accepted, now)
                    .map(problem -> certificate.title() + " does not count: " + problem);
        } catch (InvalidSettingException e) {
            return Optional.of("its certificate does not count: " + e.reason());
        }
    }

    private static Optional<String> problem(Certificate certificate, HostCertificates accepted, Instant now) {
        if (!certificate.isForHosts()) {
            return Optional.of("it is for users and not for hosts");
        } else if (!accepted.authorities().contains(certificate.authority())) {
            return Optional.of("accepted are those of "
                    + accepted.authorities().stream()
                            .map(HostKeyFingerprint::text)
                            .sorted()
                            .collect(Collectors.joining(" or ")));
        } else if (certificate.hasCriticalOptions()) {
            return Optional.of("it has critical options, and none is known for hosts");
        }
        String host = accepted.host().toLowerCase(Locale.ROOT);
        if (!certificate.principals().isEmpty()
                && certificate.principals().stream()
                        .noneMatch(pattern -> CertUtils.matchPattern(host, pattern.toLowerCase(Locale.ROOT)))) {
            return Optional.of("it is not for " + host);
        }
        Optional<String> outside = certificate.problem(now);
        return outside.isPresent() || isSigned(certificate)
                ? outside
                : Optional.of("its authority did not sign it with an algorithm that is still safe");
    }

    private static boolean isSigned(Certificate certificate) {
        byte[] proof = certificate.signature();
        byte[] signed = certificate.signed();
        try {
            Optional<Signature> signature = Algorithms.signature(new Buffer.PlainBuffer(proof).readString());
            if (signature.isEmpty()) {
                return false;
            }
            signature.get().initVerify(new Buffer.PlainBuffer(certificate.authorityBlob()).readPublicKey());
            signature.get().update(signed, 0, signed.length);
            return signature.get().verify(proof);
        } catch (Buffer.BufferException | SSHRuntimeException e) {
            // Damaged, or a key of another type than the signature.
            return false;
        }
    }
}
