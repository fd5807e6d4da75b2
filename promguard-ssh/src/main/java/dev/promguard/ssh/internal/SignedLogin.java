package dev.promguard.ssh.internal;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import net.schmizz.sshj.common.Buffer;
import net.schmizz.sshj.common.Message;
import net.schmizz.sshj.common.SSHPacket;
import net.schmizz.sshj.transport.TransportException;
import net.schmizz.sshj.userauth.UserAuthException;
import net.schmizz.sshj.userauth.method.AbstractAuthMethod;
import org.jspecify.annotations.Nullable;

/** One login with a public key or a certificate, of which somebody else makes the signature. */
final class SignedLogin extends AbstractAuthMethod {
    /** The algorithms of signatures, in the order in which they are tried, by the type of the plain key. */
    private static final Map<String, List<String>> ALGORITHMS = Map.of(
            "ssh-ed25519", List.of("ssh-ed25519"),
            "ecdsa-sha2-nistp256", List.of("ecdsa-sha2-nistp256"),
            "ecdsa-sha2-nistp384", List.of("ecdsa-sha2-nistp384"),
            "ecdsa-sha2-nistp521", List.of("ecdsa-sha2-nistp521"),
            "ssh-rsa", List.of("rsa-sha2-512", "rsa-sha2-256"),
            "sk-ssh-ed25519@openssh.com", List.of("sk-ssh-ed25519@openssh.com"),
            "sk-ecdsa-sha2-nistp256@openssh.com", List.of("sk-ecdsa-sha2-nistp256@openssh.com"));

    private final String type;
    private final byte[] blob;
    private final Signer signer;
    private final Deque<String> algorithms;
    private @Nullable String signature;

    /** Makes signatures. */
    @FunctionalInterface
    interface Signer {
        /**
         * Signs.
         *
         * @param data what to sign
         * @param algorithm such as {@code ssh-ed25519}
         * @return the signature, with its algorithm before it, as SSH sends it
         * @throws IOException if it cannot be made
         */
        byte[] sign(byte[] data, String algorithm) throws IOException;
    }

    /**
     * A login.
     *
     * @param type the type of the key or the certificate
     * @param blob the key or the certificate, as SSH sends it
     * @param signer signs with the private key
     */
    SignedLogin(String type, byte[] blob, Signer signer) {
        super("publickey");
        this.type = type;
        this.blob = blob;
        this.signer = signer;
        this.algorithms = new ArrayDeque<>(ALGORITHMS.getOrDefault(Certificate.plain(type), List.of()));
    }

    /** Whether a login can be made with keys of a type. */
    static boolean knows(String type) {
        return ALGORITHMS.containsKey(Certificate.plain(type));
    }

    private SSHPacket request(boolean signed, String algorithm) throws UserAuthException {
        String named = !Certificate.isType(type)
                ? algorithm
                : algorithm.startsWith("rsa-") ? algorithm + Certificate.SUFFIX : type;
        SSHPacket packet = super.buildReq();
        packet.putBoolean(signed).putString(named).putString(blob);
        return packet;
    }

    @Override
    protected SSHPacket buildReq() throws UserAuthException {
        String next = algorithms.poll();
        if (next == null) {
            throw new UserAuthException("no algorithm is left for " + type);
        }
        signature = next;
        return request(false, next);
    }

    @Override
    public void handle(Message message, SSHPacket packet) throws UserAuthException, TransportException {
        String algorithm = signature;
        if (message != Message.USERAUTH_60 || algorithm == null) {
            super.handle(message, packet);
            return;
        }
        SSHPacket request = request(true, algorithm);
        byte[] data = new Buffer.PlainBuffer()
                .putString(params.getTransport().getSessionID())
                .putBuffer(request)
                .getCompactData();
        try {
            request.putString(signer.sign(data, algorithm));
        } catch (IOException e) {
            throw new UserAuthException(String.valueOf(e.getMessage()), e);
        }
        params.getTransport().write(request);
    }

    @Override
    public boolean shouldRetry() {
        return !algorithms.isEmpty();
    }
}
