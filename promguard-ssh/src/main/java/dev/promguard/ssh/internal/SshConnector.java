package dev.promguard.ssh.internal;

import com.hierynomus.sshj.key.KeyAlgorithms;
import com.hierynomus.sshj.transport.cipher.BlockCiphers;
import com.hierynomus.sshj.transport.cipher.ChachaPolyCiphers;
import com.hierynomus.sshj.transport.cipher.GcmCiphers;
import com.hierynomus.sshj.transport.kex.ExtInfoClientFactory;
import com.hierynomus.sshj.transport.mac.Macs;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import net.schmizz.keepalive.KeepAliveProvider;
import net.schmizz.sshj.DefaultConfig;
import net.schmizz.sshj.common.Factory;
import net.schmizz.sshj.transport.kex.Curve25519SHA256;
import net.schmizz.sshj.transport.kex.ECDHNistP;
import net.schmizz.sshj.transport.kex.KeyExchange;
import org.jspecify.annotations.Nullable;

/** Opens sessions: connects until the host is there, takes no host key but an accepted one, and logs in. Thread-safe. */
public final class SshConnector {
    private static final AtomicInteger THREADS = new AtomicInteger();
    static final ThreadFactory DAEMONS = task -> {
        Thread thread = new Thread(task, "promguard-ssh-" + THREADS.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    };

    static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);
    private static final Duration LONGEST_PAUSE_REFUSED = Duration.ofSeconds(11);

    /** How many logins in a row a host may end without an answer before that is its answer. */
    private static final int LOGINS = 3;

    private final Settings settings;
    private final Tarballs tarballs;
    private final DefaultConfig config;
    private final DefaultConfig withCertificates;

    /**
     * A connector.
     *
     * @param settings its times
     */
    public SshConnector(Settings settings) {
        this.settings = settings;
        this.tarballs = new Tarballs(settings.releaseCache());
        this.config = config(Algorithms.keys());
        this.withCertificates = config(Algorithms.keysWithCertificates());
    }

    private static DefaultConfig config(List<KeyAlgorithms.Factory> keys) {
        DefaultConfig config = new DefaultConfig();
        config.setLoggerFactory(new QuietLoggers());
        config.setKeepAliveProvider(KeepAliveProvider.KEEP_ALIVE);
        List<Factory.Named<KeyExchange>> exchanges = new ArrayList<>(List.of(
                HybridKeyExchange.mlKem(),
                new Curve25519SHA256.Factory(),
                new Curve25519SHA256.FactoryLibSsh(),
                new ECDHNistP.Factory256(),
                new ECDHNistP.Factory384(),
                new ECDHNistP.Factory521()));
        // For hosts that take nothing else: many hosts at once would wait for its key pairs.
        exchanges.addAll(HybridKeyExchange.ntruPrime());
        exchanges.add(new ExtInfoClientFactory());
        config.setKeyExchangeFactories(exchanges);
        config.setCipherFactories(List.of(
                ChachaPolyCiphers.CHACHA_POLY_OPENSSH(),
                GcmCiphers.AES256GCM(),
                GcmCiphers.AES128GCM(),
                BlockCiphers.AES256CTR(),
                BlockCiphers.AES192CTR(),
                BlockCiphers.AES128CTR()));
        config.setMACFactories(List.of(Macs.HMACSHA2256Etm(), Macs.HMACSHA2512Etm()));
        config.setKeyAlgorithms(List.copyOf(keys));
        // PinnedKeys checks them, for the name that the user gave and not for the address that it stands for.
        config.setVerifyHostKeyCertificates(false);
        return config;
    }

    /**
     * When a host rolls back what was not confirmed.
     *
     * @return the time from arming on
     */
    public Duration rollbackAfter() {
        return settings.rollbackAfter();
    }

    /**
     * Opens a session as {@link dev.promguard.spi.HostApplier#open} promises.
     *
     * @param target which host, and how
     * @return the session
     */
    public HostSession open(HostTarget target) {
        return connect(target, Logins.of(target, config));
    }

    private SshSession connect(HostTarget target, Logins logins) {
        long deadline = System.nanoTime() + target.timeout().toNanos();
        Duration pause = FIRST_PAUSE;
        int turnedAway = 0;
        HostException earlier = null;
        while (true) {
            Attempt attempt = new Attempt(target, logins);
            boolean refused;
            try {
                return attempt.connect(deadline);
            } catch (IOException | TimeoutException e) {
                attempt.abort();
                ConnectFailure failure = attempt.failure(e);
                // An attempt that the end of the time cut short says less than the one before.
                boolean cutShort = e instanceof TimeoutException && System.nanoTime() - deadline >= 0;
                HostException last = cutShort && earlier != null ? earlier : failure.describe();
                earlier = last;
                // A connection may also be lost by chance in the middle of a login.
                turnedAway = failure.turnedAway() ? turnedAway + 1 : 0;
                boolean again = last.retryable() || (turnedAway > 0 && turnedAway < LOGINS);
                if (!again || deadline - System.nanoTime() <= pause.toNanos()) {
                    throw last;
                }
                refused = failure.refused();
            } catch (InterruptedException e) {
                attempt.abort();
                throw interrupted(target, "connect", e);
            }
            try {
                pause(pause.toNanos());
            } catch (InterruptedException e) {
                throw interrupted(target, "connect", e);
            }
            pause = after(pause, refused);
        }
    }

    /**
     * How long to wait after the next attempt that fails. A firewall that limits connections ({@code ufw limit}: refused after six in 30
     * seconds, those refused counted twice) would never let in who goes on trying every two seconds.
     */
    static Duration after(Duration pause, boolean refused) {
        Duration longer = pause.multipliedBy(3).dividedBy(2);
        Duration longest = refused ? LONGEST_PAUSE_REFUSED : LONGEST_PAUSE;
        return longer.compareTo(longest) < 0 ? longer : longest;
    }

    static HostException interrupted(HostTarget target, String step, InterruptedException e) {
        Thread.currentThread().interrupt();
        return HostException.of(ErrorCode.CANCELLED, target.name(), target.address(), step)
                .cause(e)
                .because("interrupted", "The connection was closed. Run it again when you are ready.");
    }

    private static void pause(long nanos) throws InterruptedException {
        ReentrantLock lock = new ReentrantLock();
        Condition never = lock.newCondition();
        long left = nanos;
        lock.lockInterruptibly();
        try {
            while (left > 0) {
                left = never.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /** One attempt to connect, through all jump hosts on the way. */
    private final class Attempt {
        private final HostTarget target;
        private final Logins logins;
        private final ExecutorService workers = Executors.newCachedThreadPool(DAEMONS);
        private Connection connection;

        Attempt(HostTarget target, Logins logins) {
            this.target = target;
            this.logins = logins;
            this.connection = next(null);
        }

        private Connection next(@Nullable Connection below) {
            int hops = 0;
            for (Connection hop = below; hop != null; hop = hop.below()) {
                hops++;
            }
            HostTarget server =
                    hops < target.jumpHosts().size() ? target.jumpHosts().get(hops) : target;
            DefaultConfig algorithms = server.certificates().areAccepted() ? withCertificates : config;
            return new Connection(server, logins.at(hops), below, algorithms, settings);
        }

        SshSession connect(long deadline) throws IOException, InterruptedException, TimeoutException {
            open(deadline);
            while (connection.server() != target) {
                connection = next(connection);
                open(deadline);
            }
            return new SshSession(
                    target,
                    settings,
                    tarballs,
                    connection,
                    workers,
                    pinned -> SshConnector.this.connect(pinned, logins));
        }

        private void open(long deadline) throws IOException, InterruptedException, TimeoutException {
            long left = Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime()));
            int timeout = (int) Math.min(left, settings.connectTimeout().toMillis());
            Connection opening = connection;
            Future<?> connected = workers.submit(() -> {
                opening.open(timeout);
                return null;
            });
            try {
                connected.get(timeout, TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof IOException failure) {
                    throw failure;
                }
                throw new IOException(e.getCause());
            }
        }

        void abort() {
            connection.close();
            workers.shutdownNow();
        }

        ConnectFailure failure(Exception cause) {
            return new ConnectFailure(target, connection, cause);
        }
    }

    static String reason(Throwable failure) {
        if (failure instanceof TimeoutException) {
            return "a timeout";
        }
        String message = failure.getMessage();
        return message == null || message.isEmpty() ? failure.getClass().getSimpleName() : FactsParser.shown(message);
    }

    /** The interruption of a thread that a failure comes from, or null. */
    static @Nullable Throwable interruption(Throwable failure) {
        Throwable cause = failure;
        while (cause != null && !(cause instanceof InterruptedException)) {
            cause = cause.getCause();
        }
        return cause;
    }
}
