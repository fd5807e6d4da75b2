package dev.promguard.ssh.internal;

import com.hierynomus.sshj.key.KeyAlgorithm;
import com.hierynomus.sshj.userauth.certificate.Certificate;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import net.schmizz.sshj.common.Buffer;
import net.schmizz.sshj.common.DisconnectReason;
import net.schmizz.sshj.common.Factory;
import net.schmizz.sshj.common.Message;
import net.schmizz.sshj.common.SSHPacket;
import net.schmizz.sshj.signature.Signature;
import net.schmizz.sshj.transport.Transport;
import net.schmizz.sshj.transport.TransportException;
import net.schmizz.sshj.transport.digest.Digest;
import net.schmizz.sshj.transport.digest.SHA256;
import net.schmizz.sshj.transport.digest.SHA512;
import net.schmizz.sshj.transport.kex.KeyExchange;
import net.schmizz.sshj.transport.kex.KeyExchangeBase;
import org.bouncycastle.crypto.AsymmetricCipherKeyPair;
import org.bouncycastle.crypto.EncapsulatedSecretExtractor;
import org.bouncycastle.crypto.agreement.X25519Agreement;
import org.bouncycastle.crypto.generators.MLKEMKeyPairGenerator;
import org.bouncycastle.crypto.kems.MLKEMExtractor;
import org.bouncycastle.crypto.params.MLKEMKeyGenerationParameters;
import org.bouncycastle.crypto.params.MLKEMParameters;
import org.bouncycastle.crypto.params.MLKEMPrivateKeyParameters;
import org.bouncycastle.crypto.params.MLKEMPublicKeyParameters;
import org.bouncycastle.crypto.params.X25519PrivateKeyParameters;
import org.bouncycastle.crypto.params.X25519PublicKeyParameters;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKEMExtractor;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKeyGenerationParameters;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKeyPairGenerator;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeParameters;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimePrivateKeyParameters;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimePublicKeyParameters;

/**
 * The exchanges of keys that are safe from quantum computers and that OpenSSH prefers: {@code mlkem768x25519-sha256} from 10.0 on,
 * {@code sntrup761x25519-sha512} before. The secret is safe as long as one of the two algorithms is: the client sends a public key of each,
 * and both sides hash the two secrets into one.
 */
final class HybridKeyExchange extends KeyExchangeBase {
    /** A way to send a secret to the owner of a public key, which is not X25519. */
    private interface Encapsulation {
        byte[] publicKey();

        EncapsulatedSecretExtractor extractor();
    }

    private record MlKem(AsymmetricCipherKeyPair pair) implements Encapsulation {
        static MlKem generate(SecureRandom random) {
            MLKEMKeyPairGenerator generator = new MLKEMKeyPairGenerator();
            generator.init(new MLKEMKeyGenerationParameters(random, MLKEMParameters.ml_kem_768));
            return new MlKem(generator.generateKeyPair());
        }

        @Override
        public byte[] publicKey() {
            return ((MLKEMPublicKeyParameters) pair.getPublic()).getEncoded();
        }

        @Override
        public EncapsulatedSecretExtractor extractor() {
            return new MLKEMExtractor((MLKEMPrivateKeyParameters) pair.getPrivate());
        }
    }

    private record NtruPrime(AsymmetricCipherKeyPair pair) implements Encapsulation {
        static NtruPrime generate(SecureRandom random) {
            SNTRUPrimeKeyPairGenerator generator = new SNTRUPrimeKeyPairGenerator();
            generator.init(new SNTRUPrimeKeyGenerationParameters(random, SNTRUPrimeParameters.sntrup761));
            return new NtruPrime(generator.generateKeyPair());
        }

        @Override
        public byte[] publicKey() {
            return ((SNTRUPrimePublicKeyParameters) pair.getPublic()).getEncoded();
        }

        @Override
        public EncapsulatedSecretExtractor extractor() {
            return new SNTRUPrimeKEMExtractor((SNTRUPrimePrivateKeyParameters) pair.getPrivate());
        }
    }

    private final Encapsulation encapsulation;
    private final X25519PrivateKeyParameters x25519;
    private final byte[] sent;
    private byte[] secret = {};

    /** Makes exchanges of one kind. */
    private record Named(String name, Function<SecureRandom, HybridKeyExchange> exchange)
            implements Factory.Named<KeyExchange> {
        @Override
        public String getName() {
            return name;
        }

        @Override
        public KeyExchange create() {
            return exchange.apply(new SecureRandom());
        }
    }

    /** The exchange with ML-KEM, which takes hardly longer than one without. */
    static Factory.Named<KeyExchange> mlKem() {
        return new Named(
                "mlkem768x25519-sha256", random -> new HybridKeyExchange(new SHA256(), MlKem.generate(random), random));
    }

    /** The exchange with NTRU Prime under both its names. Its key pair takes some 50 ms of processor time for each connection. */
    static List<Factory.Named<KeyExchange>> ntruPrime() {
        Function<SecureRandom, HybridKeyExchange> exchange =
                random -> new HybridKeyExchange(new SHA512(), NtruPrime.generate(random), random);
        return List.of(
                new Named("sntrup761x25519-sha512", exchange),
                new Named("sntrup761x25519-sha512@openssh.com", exchange));
    }

    private HybridKeyExchange(Digest digest, Encapsulation encapsulation, SecureRandom random) {
        super(digest);
        this.encapsulation = encapsulation;
        x25519 = new X25519PrivateKeyParameters(random);
        sent = join(encapsulation.publicKey(), x25519.generatePublicKey().getEncoded());
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    @Override
    public void init(Transport transport, String serverId, String clientId, byte[] serverInit, byte[] clientInit)
            throws GeneralSecurityException, TransportException {
        super.init(transport, serverId, clientId, serverInit, clientInit);
        digest.init();
        transport.write(new SSHPacket(Message.KEXDH_INIT).putString(sent));
    }

    @Override
    public boolean next(Message message, SSHPacket packet) throws GeneralSecurityException, TransportException {
        if (message != Message.KEXDH_31) {
            throw failed("unexpected packet " + message);
        }
        byte[] shownKey;
        byte[] reply;
        byte[] proof;
        try {
            shownKey = packet.readBytes();
            reply = packet.readBytes();
            proof = packet.readBytes();
            hostKey = new Buffer.PlainBuffer(shownKey).readPublicKey();
        } catch (Buffer.BufferException e) {
            throw new TransportException(e);
        }
        secret = secret(reply);
        Buffer.PlainBuffer exchange = initializedBuffer()
                .putString(shownKey)
                .putString(sent)
                .putString(reply)
                .putString(secret);
        digest.update(exchange.array(), exchange.rpos(), exchange.available());
        H = digest.digest();
        KeyAlgorithm algorithm = trans.getHostKeyAlgorithm();
        Signature signature = algorithm.newSignature();
        signature.initVerify(hostKey instanceof Certificate<?> certificate ? certificate.getKey() : hostKey);
        signature.update(H, 0, H.length);
        if (!signature.verify(proof)) {
            throw failed("KeyExchange signature verification failed");
        }
        return true;
    }

    private byte[] secret(byte[] reply) throws TransportException {
        EncapsulatedSecretExtractor extractor = encapsulation.extractor();
        int length = extractor.getEncapsulationLength();
        if (reply.length != length + X25519PublicKeyParameters.KEY_SIZE) {
            throw failed("the server's reply has " + reply.length + " bytes");
        }
        byte[] postQuantum = extractor.extractSecret(Arrays.copyOf(reply, length));
        byte[] classic = new byte[X25519PrivateKeyParameters.SECRET_SIZE];
        X25519Agreement agreement = new X25519Agreement();
        agreement.init(x25519);
        try {
            agreement.calculateAgreement(new X25519PublicKeyParameters(reply, length), classic, 0);
        } catch (IllegalStateException e) {
            throw new TransportException(DisconnectReason.KEY_EXCHANGE_FAILED, "the server's X25519 key is weak", e);
        }
        byte[] both = join(postQuantum, classic);
        digest.update(both, 0, both.length);
        byte[] hash = digest.digest();
        Arrays.fill(both, (byte) 0);
        Arrays.fill(postQuantum, (byte) 0);
        Arrays.fill(classic, (byte) 0);
        return hash;
    }

    private static TransportException failed(String what) {
        return new TransportException(DisconnectReason.KEY_EXCHANGE_FAILED, what);
    }

    /** The secret as the bytes that it is: sshj writes a number, and here it is a string, with all of its leading bits. */
    @Override
    public BigInteger getK() {
        return new Bytes(secret);
    }

    private static final class Bytes extends BigInteger {
        private static final long serialVersionUID = 1L;

        private final byte[] bytes;

        Bytes(byte[] bytes) {
            super(1, bytes);
            this.bytes = bytes.clone();
        }

        @Override
        public byte[] toByteArray() {
            return bytes.clone();
        }
    }
}
