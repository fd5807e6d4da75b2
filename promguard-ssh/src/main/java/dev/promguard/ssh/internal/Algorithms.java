package dev.promguard.ssh.internal;

import com.hierynomus.sshj.key.KeyAlgorithms;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.schmizz.sshj.common.KeyType;
import net.schmizz.sshj.signature.Signature;
import net.schmizz.sshj.signature.SignatureRSA;

/** The signatures that count: what hosts, users and those who vouch for them prove their keys with. */
final class Algorithms {
    private Algorithms() {}

    /** The algorithms of host keys, those that are preferred first. */
    static List<KeyAlgorithms.Factory> keys() {
        return List.of(
                KeyAlgorithms.EdDSA25519(),
                KeyAlgorithms.ECDSASHANistp256(),
                KeyAlgorithms.ECDSASHANistp384(),
                KeyAlgorithms.ECDSASHANistp521(),
                KeyAlgorithms.RSASHA512(),
                KeyAlgorithms.RSASHA256());
    }

    /** The algorithms of host keys with certificates, and after them those without. */
    static List<KeyAlgorithms.Factory> keysWithCertificates() {
        List<KeyAlgorithms.Factory> all = new ArrayList<>(List.of(
                KeyAlgorithms.EdDSA25519CertV01(),
                KeyAlgorithms.ECDSASHANistp256CertV01(),
                KeyAlgorithms.ECDSASHANistp384CertV01(),
                KeyAlgorithms.ECDSASHANistp521CertV01(),
                new KeyAlgorithms.Factory(
                        "rsa-sha2-512" + Certificate.SUFFIX, new SignatureRSA.FactoryRSASHA512(), KeyType.RSA_CERT),
                new KeyAlgorithms.Factory(
                        "rsa-sha2-256" + Certificate.SUFFIX, new SignatureRSA.FactoryRSASHA256(), KeyType.RSA_CERT)));
        all.addAll(keys());
        return List.copyOf(all);
    }

    /** The signature of an algorithm, such as {@code rsa-sha2-512}; empty if it is none that counts. */
    static Optional<Signature> signature(String algorithm) {
        return keys().stream()
                .filter(known -> known.getName().equals(algorithm))
                .map(known -> known.create().newSignature())
                .findFirst();
    }
}
