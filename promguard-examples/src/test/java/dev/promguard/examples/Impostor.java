package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.channel.Channel;
import org.apache.sshd.common.channel.ChannelListener;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.digest.BuiltinDigests;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.apache.sshd.server.SshServer;

/** An SSH server that lets everybody in, and that answers at the public address of droplets in their place. */
final class Impostor implements AutoCloseable {
    private final LocalCloud cloud;
    private final KeyPair key;
    private final SshServer server = SshServer.setUpDefaultServer();
    private final List<List<String>> detours = new ArrayList<>();
    private final List<String> connections = new CopyOnWriteArrayList<>();
    private final List<String> seen = new CopyOnWriteArrayList<>();

    private Impostor(LocalCloud cloud, KeyPair key) {
        this.cloud = cloud;
        this.key = key;
        server.setHost(cloud.gateway());
        server.setKeyPairProvider(session -> List.of(key));
        server.setPublickeyAuthenticator((user, login, session) -> note("login of " + user, true));
        server.setPasswordAuthenticator((user, password, session) -> note("password of " + user, true));
        server.setCommandFactory((channel, command) -> {
            throw new IOException("command " + note(command, command));
        });
        server.addSessionListener(new SessionListener() {
            @Override
            public void sessionCreated(Session session) {
                connections.add(String.valueOf(session.getRemoteAddress()));
            }

            @Override
            public void sessionEvent(Session session, Event event) {
                if (event != Event.KexCompleted) {
                    note(event.name(), event);
                }
            }
        });
        server.addChannelListener(new ChannelListener() {
            @Override
            public void channelOpenSuccess(Channel channel) {
                note("channel", channel);
            }
        });
        try {
            server.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One with a host key of its own. */
    static Impostor withOwnKey(LocalCloud cloud) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(256);
            return new Impostor(cloud, generator.generateKeyPair());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** One that has got hold of a host's private key, as an OpenSSH key file's text. */
    static Impostor withKey(LocalCloud cloud, String text) {
        try {
            return new Impostor(
                    cloud,
                    SecurityUtils.loadKeyPairIdentities(
                                    null,
                                    NamedResource.ofName("stolen"),
                                    new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII)),
                                    null)
                            .iterator()
                            .next());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private <T> T note(String what, T value) {
        seen.add(what);
        return value;
    }

    String fingerprint() {
        PublicKey shown = key.getPublic();
        return KeyUtils.getFingerPrint(BuiltinDigests.sha256, shown);
    }

    /**
     * From now on connections to port 22 of a droplet's public address end here. The rule carries the cloud's mark, by which the
     * cloud removes it should this program be killed.
     */
    void standInFor(LocalDroplet droplet) {
        List<String> rule = List.of(
                "OUTPUT",
                "-d",
                droplet.publicAddress(),
                "-p",
                "tcp",
                "--dport",
                "22",
                "-m",
                "comment",
                "--comment",
                cloud.name(),
                "-j",
                "DNAT",
                "--to-destination",
                cloud.gateway() + ":" + server.getPort());
        iptables("-I", rule);
        detours.add(rule);
    }

    private static void iptables(String verb, List<String> rule) {
        List<String> words = new ArrayList<>(List.of("iptables", "-w", "10", "-t", "nat", verb));
        words.addAll(rule);
        try {
            Process process =
                    new ProcessBuilder(words).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as("%s: %s", words, output).isZero();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Insists that somebody connected, and went away before keys for the connection were in use: in the clear nothing else is sent. */
    void assertSawNothing() {
        assertThat(connections).as("connections").isNotEmpty();
        assertThat(seen).as("keys in use, logins, channels and commands").isEmpty();
    }

    /** Goes away. */
    @Override
    public void close() {
        detours.forEach(rule -> iptables("-D", rule));
        try {
            server.stop(true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
