package dev.promguard.ssh.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.connection.channel.Channel;
import net.schmizz.sshj.connection.channel.OpenFailException;
import net.schmizz.sshj.connection.channel.direct.Session;

/**
 * Reaches a port on a host through a command there, for hosts whose SSH server forbids to forward ports. The command is perl, which
 * Debian and Ubuntu cannot do without. Thread-safe.
 */
final class Relay implements AutoCloseable {
    /** Says whether it is connected, then copies both ways, each in a process of its own, until the port has nothing more to say. */
    private static final String PROGRAM = """
            my($n,$h,$p)=@ARGV;$SIG{PIPE}="IGNORE";
            my($e,@a)=Socket::getaddrinfo($h,$p,{socktype=>SOCK_STREAM});my $s;my $ok=0;
            for(@a){socket($s,$_->{family},SOCK_STREAM,0)or next;$ok=connect($s,$_->{addr})and last;$e=$!}
            syswrite(STDOUT,$n.($ok?"+":"-$e")."\\n");exit 1 unless $ok;
            sub c{my($i,$o)=@_;my $b;while(my $l=sysread($i,$b,65536)){my $k=0;
            while($k<$l){my $w=syswrite($o,$b,$l-$k,$k)or return;$k+=$w}}}
            my $f=fork();defined $f or exit 1;
            if($f){c(*STDIN,$s);shutdown($s,1);waitpid($f,0)}else{c($s,*STDOUT);kill 9,getppid()}
            """;

    private static final int GREETING_LIMIT = 64 * 1024;
    /** A server lets one connection have a few commands at once (MaxSessions), so several connections are made. */
    private static final int CONNECTIONS = 8;

    private final String nonce;
    private final Supplier<SSHClient> first;
    private final Supplier<SshSession> connector;
    private final List<SshSession> more = new CopyOnWriteArrayList<>();
    private volatile boolean closed;

    /** The port on the host takes no connection. */
    static final class PortClosedException extends IOException {
        private static final long serialVersionUID = 1L;

        PortClosedException(String reason) {
            super(reason);
        }
    }

    /**
     * A relay.
     *
     * @param nonce what nobody else prints
     * @param first the connection to begin with
     * @param connector makes another one
     */
    Relay(String nonce, Supplier<SSHClient> first, Supplier<SshSession> connector) {
        this.nonce = nonce;
        this.first = first;
        this.connector = connector;
    }

    /** Connects to a port as seen from the host. */
    Channel open(String address, int port) throws IOException {
        try {
            return start(first.get(), address, port);
        } catch (OpenFailException e) {
            return openOverOther(address, port, e);
        }
    }

    /** One at a time, so that no more connections are made than needed. */
    private synchronized Channel openOverOther(String address, int port, OpenFailException failure) throws IOException {
        for (SshSession session : more) {
            try {
                return start(session.client(), address, port);
            } catch (OpenFailException e) {
                failure.addSuppressed(e);
            }
        }
        if (closed || more.size() >= CONNECTIONS - 1) {
            throw new IOException("no further command may run at once (MaxSessions)", failure);
        }
        SshSession session = connector.get();
        more.add(session);
        if (closed) {
            session.close();
        }
        try {
            return start(session.client(), address, port);
        } catch (OpenFailException e) {
            throw new IOException("no command may run (MaxSessions)", e);
        }
    }

    private Channel start(SSHClient client, String address, int port) throws IOException {
        if (!client.isConnected()) {
            throw new IOException("the connection to the host is lost");
        }
        Session session = client.startSession();
        boolean connected = false;
        try {
            Session.Command command = session.exec("exec perl -MSocket -e " + Script.quote(PROGRAM.replace('\n', ' '))
                    + ' ' + nonce + ' ' + Script.quote(address) + ' ' + port);
            greeting(command);
            connected = true;
            return command;
        } finally {
            if (!connected) {
                session.close();
            }
        }
    }

    /** Reads up to the line with the nonce; what a login shell prints comes before it. */
    private void greeting(Session.Command command) throws IOException {
        InputStream in = command.getInputStream();
        StringBuilder said = new StringBuilder();
        for (int next = in.read(); next >= 0; next = in.read()) {
            said.append((char) next);
            int start = next == '\n' ? said.indexOf(nonce) : -1;
            if (start >= 0) {
                String answer = said.substring(start + nonce.length()).strip();
                if (answer.equals("+")) {
                    return;
                }
                throw new PortClosedException(Tail.of(answer.replaceFirst("^-", "")));
            }
            if (said.length() > GREETING_LIMIT) {
                throw new IOException("the host sent something else than the relay's answer");
            }
        }
        byte[] errors = command.getErrorStream().readNBytes(1024);
        String words = Tail.of(said + "\n" + new String(errors, StandardCharsets.UTF_8));
        throw new IOException(words.isEmpty() ? "the relay ended at once" : words);
    }

    @Override
    public void close() {
        closed = true;
        more.forEach(SshSession::close);
    }
}
