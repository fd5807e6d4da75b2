package dev.promguard.ssh.internal;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.sshd.common.channel.Channel;
import org.apache.sshd.common.channel.ChannelListener;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.digest.BuiltinDigests;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;
import org.apache.sshd.server.forward.AcceptAllForwardingFilter;
import org.jspecify.annotations.Nullable;

/** A real SSH server on loopback, whose commands are played by a handler. */
final class TestServer implements AutoCloseable {
    /** Plays the host's shell. */
    @FunctionalInterface
    interface Handler {
        int run(InputStream in, OutputStream out, OutputStream err) throws Exception;
    }

    final SshKeyPair login = SshKeyPair.generate(new SecureRandom());
    final List<String> logins = new CopyOnWriteArrayList<>();
    final List<String> commands = new CopyOnWriteArrayList<>();
    final AtomicInteger connections = new AtomicInteger();
    final AtomicInteger channels = new AtomicInteger();
    /** How often a client took keys for a connection into use: before that nothing can be sent but the exchange of keys itself. */
    final AtomicInteger encrypted = new AtomicInteger();

    private volatile KeyPair hostKey = keyPair();
    private final SshServer server = SshServer.setUpDefaultServer();
    private volatile boolean admits = true;

    TestServer(Handler handler) {
        server.setHost("127.0.0.1");
        server.setKeyPairProvider(session -> List.of(hostKey));
        server.setForwardingFilter(AcceptAllForwardingFilter.INSTANCE);
        server.setPublickeyAuthenticator((user, key, session) -> {
            logins.add(user);
            return admits;
        });
        server.addSessionListener(new SessionListener() {
            @Override
            public void sessionCreated(Session session) {
                connections.incrementAndGet();
            }

            @Override
            public void sessionEvent(Session session, Event event) {
                if (event == Event.KeyEstablished) {
                    encrypted.incrementAndGet();
                }
            }
        });
        server.addChannelListener(new ChannelListener() {
            @Override
            public void channelOpenSuccess(Channel channel) {
                channels.incrementAndGet();
            }
        });
        server.setCommandFactory((channel, command) -> {
            commands.add(command);
            return new Played(handler);
        });
    }

    /** Shows the public key of another server, without having the private one. */
    TestServer claimingToBe(TestServer other) {
        hostKey = new KeyPair(other.hostKey.getPublic(), hostKey.getPrivate());
        return this;
    }

    /** The line of a known_hosts file by which a client would take this server for one that it knows. */
    String knownHost() {
        return "[127.0.0.1]:" + port() + " " + PublicKeyEntry.toString(hostKey.getPublic()) + "\n";
    }

    TestServer refusing() {
        admits = false;
        return this;
    }

    /** Changes what the server offers, before it starts. */
    TestServer offering(Consumer<SshServer> settings) {
        settings.accept(server);
        return this;
    }

    /** Shows another host key, to each connection from now on. */
    TestServer showing(KeyPair key) {
        hostKey = key;
        return this;
    }

    TestServer start(int port) throws IOException {
        server.setPort(port);
        server.start();
        return this;
    }

    TestServer start() throws IOException {
        return start(0);
    }

    int port() {
        return server.getPort();
    }

    HostKeyFingerprint fingerprint() {
        return fingerprint(hostKey);
    }

    static HostKeyFingerprint fingerprint(KeyPair key) {
        return new HostKeyFingerprint(KeyUtils.getFingerPrint(BuiltinDigests.sha256, key.getPublic()));
    }

    HostTarget target() {
        return target(port(), fingerprint(), Duration.ofSeconds(10));
    }

    HostTarget target(int port, HostKeyFingerprint accepted, Duration timeout) {
        return target(port, Set.of(accepted), timeout);
    }

    HostTarget target(int port, Set<HostKeyFingerprint> accepted, Duration timeout) {
        return HostTarget.of("node-1", "127.0.0.1")
                .port(port)
                .accepting(accepted)
                .identity(Identity.ofKey(login.privateKey()))
                .timeout(timeout)
                .build();
    }

    @Override
    public void close() throws IOException {
        stop();
    }

    /** Ends all connections, as a host that goes down. */
    void stop() throws IOException {
        server.stop(true);
    }

    static KeyPair keyPair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final class Played implements Command {
        private final Handler handler;
        private @Nullable InputStream in;
        private @Nullable OutputStream out;
        private @Nullable OutputStream err;
        private @Nullable ExitCallback exit;
        private @Nullable Thread thread;

        Played(Handler handler) {
            this.handler = handler;
        }

        @Override
        public void setInputStream(InputStream stream) {
            in = stream;
        }

        @Override
        public void setOutputStream(OutputStream stream) {
            out = stream;
        }

        @Override
        public void setErrorStream(OutputStream stream) {
            err = stream;
        }

        @Override
        public void setExitCallback(ExitCallback callback) {
            exit = callback;
        }

        @Override
        public void start(ChannelSession channel, Environment env) {
            InputStream from = java.util.Objects.requireNonNull(in);
            OutputStream to = java.util.Objects.requireNonNull(out);
            OutputStream beside = java.util.Objects.requireNonNull(err);
            ExitCallback end = java.util.Objects.requireNonNull(exit);
            thread = new Thread(() -> {
                int code;
                try {
                    code = handler.run(from, to, beside);
                    to.flush();
                    beside.flush();
                } catch (Exception e) {
                    // The client went away; there is nobody left to tell.
                    code = 255;
                }
                end.onExit(code);
            });
            thread.setDaemon(true);
            thread.start();
        }

        @Override
        public void destroy(ChannelSession channel) {
            Thread running = thread;
            if (running != null) {
                running.interrupt();
            }
        }
    }
}
