package dev.promguard.ssh.internal;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import net.schmizz.sshj.userauth.method.AuthMethod;

/** A key that an SSH agent holds: the agent signs, and the key stays there. Thread-safe. */
final class AgentKey implements LoginKey {
    /** Somebody may have to touch a token, or to answer a question, for a signature. */
    private static final Duration ANSWER = Duration.ofSeconds(15);

    private static final Map<String, Integer> FLAGS = Map.of("rsa-sha2-256", 2, "rsa-sha2-512", 4);

    private final SshAgent agent;
    private final SshAgent.Key key;
    private volatile String refusal = "";

    AgentKey(SshAgent agent, SshAgent.Key key) {
        this.agent = agent;
        this.key = key;
    }

    /**
     * Asks an agent for its keys.
     *
     * @param identity an identity with an agent
     * @param target the host that it is for, for messages
     * @return its keys, in its order, or the one that is named, with certificates for it before it; at least one
     * @throws HostException if the agent cannot be used
     */
    static List<LoginKey> of(Identity identity, HostTarget target) {
        SshAgent agent = new SshAgent(identity.agent().orElseThrow(), ANSWER);
        String named = "the SSH agent at " + FactsParser.shown(agent.socket().toString());
        HostException.Builder failed = HostException.of(
                ErrorCode.AGENT_UNUSABLE, target.name(), target.address(), "ask the SSH agent for its keys");
        List<SshAgent.Key> keys;
        try {
            keys = agent.keys();
        } catch (SshAgent.RefusedException e) {
            throw failed.cause(e).because(named + " lists no keys", "Check with ssh-add -l whether it is locked.");
        } catch (IOException | UnsupportedOperationException e) {
            throw failed.cause(e)
                    .because(
                            named + " cannot be asked: " + SshConnector.reason(e),
                            "Check that an agent runs there (SSH_AUTH_SOCK=… ssh-add -l), or give a private key with"
                                    + " identity(…).");
        }
        if (keys.isEmpty()) {
            throw failed.because(
                    named + " has no keys, or is locked", "Add a key with ssh-add, or unlock it with ssh-add -X.");
        }
        Optional<SshPublicKey> wanted = identity.agentKey();
        List<SshAgent.Key> usable = keys.stream()
                .filter(key -> SignedLogin.knows(key.type()))
                .filter(key -> wanted.isEmpty() || key.is(wanted.get()))
                .toList();
        if (usable.isEmpty()) {
            throw failed.because(
                    wanted.isPresent()
                            ? named + " does not have the key " + wanted.get().fingerprint()
                            : named + " has no key of a type that can be used, but "
                                    + keys.stream()
                                            .map(key -> FactsParser.shown(key.type()))
                                            .distinct()
                                            .limit(5)
                                            .collect(Collectors.joining(", ")),
                    "Add one with ssh-add; ssh-add -l shows what it has.");
        }
        return usable.stream().<LoginKey>map(key -> new AgentKey(agent, key)).toList();
    }

    @Override
    public AuthMethod method() {
        return new SignedLogin(key.type(), key.blob(), this::sign);
    }

    @Override
    public String title() {
        return "the agent's key " + PinnedKeys.fingerprint(key.blob());
    }

    @Override
    public String refusal() {
        return refusal;
    }

    private byte[] sign(byte[] data, String algorithm) throws IOException {
        String asked = "the SSH agent at " + FactsParser.shown(agent.socket().toString()) + " did not sign with "
                + title() + ", which the server takes: ";
        refusal = asked + "it has not answered";
        try {
            byte[] signature = agent.sign(key, data, FLAGS.getOrDefault(algorithm, 0), algorithm);
            refusal = "";
            return signature;
        } catch (IOException e) {
            refusal = asked + SshConnector.reason(e);
            throw new IOException(refusal, e);
        }
    }
}
