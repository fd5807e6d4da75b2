package dev.promguard.ssh.internal;

import dev.promguard.HostException;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import net.schmizz.sshj.connection.channel.OpenFailException;
import net.schmizz.sshj.connection.channel.direct.Session;
import net.schmizz.sshj.transport.TransportException;

/** Further connections to a host whose server lets one have no further command (MaxSessions). Each is made once and used again. */
final class FurtherConnections implements Exec.Elsewhere, AutoCloseable {
    private static final int MOST = 3;

    private final Supplier<SshSession> connector;
    private final List<SshSession> made = new CopyOnWriteArrayList<>();
    private volatile boolean closed;

    FurtherConnections(Supplier<SshSession> connector) {
        this.connector = connector;
    }

    @Override
    public synchronized Session open(OpenFailException refusal) throws IOException {
        for (SshSession session : made) {
            try {
                return session.client().startSession();
            } catch (OpenFailException | TransportException e) {
                refusal.addSuppressed(e);
            }
        }
        if (closed || made.size() >= MOST) {
            throw refusal;
        }
        SshSession session;
        try {
            session = connector.get();
        } catch (HostException e) {
            refusal.addSuppressed(e);
            throw refusal;
        }
        made.add(session);
        if (closed) {
            session.close();
        }
        return session.client().startSession();
    }

    @Override
    public void close() {
        closed = true;
        made.forEach(SshSession::close);
    }
}
