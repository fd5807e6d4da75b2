package dev.promguard.ssh.internal;

import com.hierynomus.sshj.key.KeyAlgorithms;
import com.hierynomus.sshj.transport.cipher.BlockCiphers;
import com.hierynomus.sshj.transport.cipher.ChachaPolyCiphers;
import com.hierynomus.sshj.transport.cipher.GcmCiphers;
import com.hierynomus.sshj.transport.kex.ExtInfoClientFactory;
import com.hierynomus.sshj.transport.mac.Macs;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.security.KeyPair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import net.schmizz.keepalive.KeepAliveProvider;
import net.schmizz.sshj.DefaultConfig;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.common.DisconnectReason;
import net.schmizz.sshj.common.Factory;
import net.schmizz.sshj.transport.TransportException;
import net.schmizz.sshj.transport.kex.Curve25519SHA256;
import net.schmizz.sshj.transport.kex.ECDHNistP;
import net.schmizz.sshj.transport.kex.KeyExchange;
import net.schmizz.sshj.userauth.UserAuthException;
import net.schmizz.sshj.userauth.keyprovider.KeyPairWrapper;
import net.schmizz.sshj.userauth.password.PasswordUtils;
import org.jspecify.annotations.Nullable;

/** Opens sessions: connects until the host is there, takes no host key but an accepted one, and logs in. Thread-safe. */
public final class SshConnector {
    private static final AtomicInteger THREADS = new AtomicInteger();
    static final ThreadFactory DAEMONS = task -> {
        Thread thread = new Thread(task, "promguard-ssh-" + THREADS.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    };

    /** Algorithms that are no older than those known here. */
    private static final Pattern NEWER = Pattern.compile("mlkem|sntrup|mldsa|ml-dsa");

    private static final Pattern NO_SETTLEMENT =
            Pattern.compile("Unable to reach a settlement of (\\w+?)Algorithms: \\[.*?] and \\[(.*)]", Pattern.DOTALL);

    static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);
    private static final Duration LONGEST_PAUSE_REFUSED = Duration.ofSeconds(11);

    /** How many logins in a row a host may end without an answer before that is its answer. */
    private static final int LOGINS = 3;

    private final Settings settings;
    private final Tarballs tarballs;
    private final DefaultConfig config;

    /**
     * A connector.
     *
     * @param settings its times
     */
    public SshConnector(Settings settings) {
        this.settings = settings;
        this.tarballs = new Tarballs(settings.releaseCache());
        this.config = config();
    }

    private static DefaultConfig config() {
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
        config.setKeyAlgorithms(List.of(
                KeyAlgorithms.EdDSA25519(),
                KeyAlgorithms.ECDSASHANistp256(),
                KeyAlgorithms.ECDSASHANistp384(),
                KeyAlgorithms.ECDSASHANistp521(),
                KeyAlgorithms.RSASHA512(),
                KeyAlgorithms.RSASHA256()));
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
        return connect(target);
    }

    SshSession connect(HostTarget target) {
        KeyPair login = loginKey(target);
        long deadline = System.nanoTime() + target.timeout().toNanos();
        Duration pause = FIRST_PAUSE;
        int turnedAway = 0;
        while (true) {
            Attempt attempt = new Attempt(target, login);
            boolean refused;
            try {
                return attempt.connect(deadline);
            } catch (IOException | TimeoutException e) {
                attempt.abort();
                HostException last = attempt.describe(e);
                // A connection may also be lost by chance in the middle of a login.
                turnedAway = attempt.turnedAway(e) ? turnedAway + 1 : 0;
                boolean again = last.retryable() || (turnedAway > 0 && turnedAway < LOGINS);
                if (!again || deadline - System.nanoTime() <= pause.toNanos()) {
                    throw last;
                }
                refused = e instanceof ConnectException;
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

    private KeyPair loginKey(HostTarget target) {
        try (SSHClient reader = new SSHClient(config)) {
            return target.loginKey().useText(text -> {
                WrongKey wrong = WrongKey.of(text);
                if (wrong != null) {
                    throw HostException.of(
                                    ErrorCode.INVALID_LOGIN_KEY, target.name(), target.address(), "read the login key")
                            .because(wrong.what(), wrong.remedy());
                }
                try {
                    return target.passphrase().isPresent()
                            ? target.passphrase().get().useText(passphrase -> keyPair(reader, text, passphrase))
                            : keyPair(reader, text, null);
                } catch (UncheckedIOException e) {
                    // The cause may quote the key's text, so it is not kept.
                    throw HostException.of(
                                    ErrorCode.INVALID_LOGIN_KEY, target.name(), target.address(), "read the login key")
                            .because(
                                    "it is not a private key that can be read: "
                                            + Objects.requireNonNull(e.getCause())
                                                    .getClass()
                                                    .getSimpleName(),
                                    target.passphrase().isPresent()
                                            ? "Check the passphrase, and that the file is an OpenSSH or PEM private key."
                                            : "Give an OpenSSH or PEM private key; where it is encrypted, its passphrase too.");
                }
            });
        } catch (IOException e) {
            throw new IllegalStateException("a client that never connected failed to close", e);
        }
    }

    private static KeyPair keyPair(SSHClient reader, String text, @Nullable String passphrase) {
        char[] characters = passphrase == null ? null : passphrase.toCharArray();
        try {
            var keys = reader.loadKeys(text, null, characters == null ? null : PasswordUtils.createOneOff(characters));
            return new KeyPair(keys.getPublic(), keys.getPrivate());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One attempt to connect. */
    private final class Attempt {
        private final HostTarget target;
        private final KeyPair login;
        private final PinnedKeys pinned;
        private final SSHClient client = new SSHClient(config);
        private final TrackedSockets sockets =
                new TrackedSockets(client.getConnection().getKeepAlive());
        private final ExecutorService workers = Executors.newCachedThreadPool(DAEMONS);

        Attempt(HostTarget target, KeyPair login) {
            this.target = target;
            this.login = login;
            this.pinned = new PinnedKeys(target.acceptedHostKeys(), target.trustOnFirstUse());
        }

        SshSession connect(long deadline) throws IOException, InterruptedException, TimeoutException {
            long left = Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime()));
            int timeout = (int) Math.min(left, settings.connectTimeout().toMillis());
            client.setSocketFactory(sockets);
            client.setConnectTimeout(timeout);
            client.addHostKeyVerifier(pinned);
            client.getConnection().getKeepAlive().setKeepAliveInterval((int)
                    settings.keepAlive().toSeconds());
            client.getTransport().setTimeoutMs(timeout);
            client.getConnection().setWindowSize(Exec.WINDOW);
            Future<?> connected = workers.submit(() -> {
                try {
                    client.connect(target.address(), target.port());
                    client.authPublickey(target.user(), new KeyPairWrapper(login));
                    return null;
                } catch (IOException | RuntimeException e) {
                    // Here too, for an attempt that was given up before the thread that keeps the connection alive had
                    // started.
                    sockets.close();
                    throw e;
                }
            });
            try {
                connected.get(timeout, TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof IOException failure) {
                    throw failure;
                }
                throw new IOException(e.getCause());
            }
            HostKeyFingerprint proven = pinned.proven();
            if (proven == null || !client.isAuthenticated()) {
                throw new IOException("the connection ended before the login did");
            }
            return new SshSession(
                    target, settings, tarballs, client, sockets, workers, proven, SshConnector.this::connect);
        }

        void abort() {
            sockets.close();
            workers.shutdownNow();
        }

        HostException describe(Exception failure) {
            HostKeyFingerprint shown = pinned.refused();
            if (shown != null) {
                String accepted = target.acceptedHostKeys().stream()
                        .map(HostKeyFingerprint::text)
                        .sorted()
                        .collect(Collectors.joining(" or "));
                return failed(ErrorCode.HOST_KEY_REFUSED, "check the host key", failure)
                        .refusedHostKey(shown)
                        .because(
                                "the host showed the " + pinned.refusedType() + " key " + shown + ", accepted is "
                                        + accepted,
                                "Nothing was sent to it. If you reinstalled the host or changed its key, give the new"
                                        + " fingerprint (on the host: ssh-keygen -lf"
                                        + " /etc/ssh/ssh_host_ed25519_key.pub); if not, somebody may intercept the"
                                        + " connection.");
            }
            if (pinned.proven() == null && unproven(failure)) {
                return failed(ErrorCode.HOST_KEY_REFUSED, "check the host key", failure)
                        .because(
                                "the host showed a key and did not prove that it has its private half",
                                "Nothing was sent to it. Somebody who knows the host's public key may intercept the"
                                        + " connection.");
            }
            if (pinned.proven() != null
                    && causedBy(failure, UserAuthException.class)
                    && !causedBy(failure, TransportException.class)) {
                return loginRefused(failure);
            }
            if (turnedAway(failure)) {
                HostException.Builder failed =
                        failed(ErrorCode.LOGIN_REFUSED, "log in", failure).output(banner());
                return (EarlyEnd.passing(banner()) ? failed.retryable() : failed)
                        .because(
                                "the host closed the connection during the login of " + target.user(),
                                "Follow what it says above, or log in as another user. On the host, journalctl -u ssh names"
                                        + " the reason.");
            }
            Matcher old = noSettlement(failure);
            if (old != null) {
                Outdated outdated = Outdated.of(old.group(1));
                return failed(ErrorCode.SSH_OUTDATED, "agree on algorithms", failure)
                        .because(
                                (NEWER.matcher(old.group(2)).find()
                                                ? "PromGuard knows no " + outdated.what
                                                        + " that the host's SSH server allows"
                                                : "the host's SSH server knows no " + outdated.what
                                                        + " that is still safe")
                                        + ": it offers " + FactsParser.shown(old.group(2)),
                                "Nothing was sent to it. "
                                        + (NEWER.matcher(old.group(2)).find()
                                                ? "Set"
                                                : "Update OpenSSH on the host, or set")
                                        + " \"" + outdated.setting
                                        + "\" in its /etc/ssh/sshd_config and reload it, then run again.");
            }
            return failed(ErrorCode.CONNECT_FAILED, "connect", failure)
                    .retryable()
                    .output(Tail.of(sockets.heard() + '\n' + banner()))
                    .because(
                            "no session with port " + target.port() + " within "
                                    + target.timeout().toSeconds() + " s; the last attempt ended with "
                                    + reason(failure),
                            "Check that the host is up, that its SSH server listens on that port, and that no firewall"
                                    + " blocks it.");
        }

        /** What the host said while it decided on the login. */
        private String banner() {
            return pinned.proven() == null
                    ? ""
                    : Tail.of(String.valueOf(client.getUserAuth().getBanner()));
        }

        /** Whether the host went away in the middle of the login and said something first, as PAM does for a closed account. */
        boolean turnedAway(Exception failure) {
            return pinned.proven() != null
                    && !client.isAuthenticated()
                    && !banner().isEmpty()
                    && causedBy(failure, TransportException.class)
                    && !causedBy(failure, TimeoutException.class);
        }

        private HostException loginRefused(Exception failure) {
            String user = target.user();
            HostException.Builder failed =
                    failed(ErrorCode.LOGIN_REFUSED, "log in", failure).output(banner());
            String methods = client.getUserAuth().getAllowedMethods().stream()
                    .filter(method -> !method.isBlank())
                    .map(FactsParser::shown)
                    .collect(Collectors.joining(", "));
            if (client.getUserAuth().hadPartialSuccess()) {
                return failed.because(
                        "the host took the key of " + user + " and wants " + methods + " besides",
                        "PromGuard answers no second question. Exempt " + user + " in the host's"
                                + " /etc/ssh/sshd_config: Match User " + user + ", and below it AuthenticationMethods"
                                + " publickey.");
            }
            if (!methods.isEmpty() && !methods.contains("\"publickey\"")) {
                return failed.because(
                        "the host takes no key from " + user + ", only " + methods,
                        "Set PubkeyAuthentication yes for " + user + " in the host's /etc/ssh/sshd_config, and"
                                + " AuthenticationMethods, if it is set there, to publickey.");
            }
            return failed.because(
                    "the host refused the login of " + user + " with the key "
                            + PinnedKeys.fingerprint(login.getPublic()),
                    "Check the user's name, that the key's public half is in that user's ~/.ssh/authorized_keys, and in the"
                            + " host's /etc/ssh/sshd_config "
                            + (user.equals("root")
                                    ? "PermitRootLogin, AllowUsers and AllowGroups"
                                    : "AllowUsers and AllowGroups")
                            + ". On the host, journalctl -u ssh names the reason.");
        }

        private HostException.Builder failed(ErrorCode code, String step, Exception failure) {
            return HostException.of(code, target.name(), target.address(), step).cause(failure);
        }
    }

    /** What a server and this client have no modern algorithm in common for, and what sshd's configuration calls it. */
    private enum Outdated {
        KEY_EXCHANGE("way to exchange keys", "KexAlgorithms +curve25519-sha256"),
        HOST_KEY("kind of host key", "HostKey /etc/ssh/ssh_host_ed25519_key"),
        CIPHER("cipher", "Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com"),
        MAC("message authentication code", "MACs hmac-sha2-256-etm@openssh.com"),
        COMPRESSION("way to leave out compression", "Compression no");

        private final String what;
        private final String setting;

        Outdated(String what, String setting) {
            this.what = what;
            this.setting = setting;
        }

        /** By the name that sshj gives it. */
        static Outdated of(String name) {
            return switch (name) {
                case "KeyExchange" -> KEY_EXCHANGE;
                case "HostKey" -> HOST_KEY;
                case "Client2ServerCipher", "Server2ClientCipher" -> CIPHER;
                case "Client2ServerMAC", "Server2ClientMAC" -> MAC;
                default -> COMPRESSION;
            };
        }
    }

    /** What sshj says of a server that has no algorithm in common with it, or null if the failure is another. */
    private static @Nullable Matcher noSettlement(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            Matcher matcher = NO_SETTLEMENT.matcher(String.valueOf(cause.getMessage()));
            if (cause instanceof TransportException && matcher.matches()) {
                return matcher;
            }
        }
        return null;
    }

    static String reason(Throwable failure) {
        if (failure instanceof TimeoutException) {
            return "a timeout";
        }
        String message = failure.getMessage();
        return message == null || message.isEmpty() ? failure.getClass().getSimpleName() : FactsParser.shown(message);
    }

    /** Whether an exchange of keys ended because the host's signature over it is wrong. sshj tells it by the words alone. */
    private static boolean unproven(@Nullable Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof TransportException exchange
                    && exchange.getDisconnectReason() == DisconnectReason.KEY_EXCHANGE_FAILED
                    && String.valueOf(exchange.getMessage()).contains("signature verification failed")) {
                return true;
            }
        }
        return false;
    }

    /** The interruption of a thread that a failure comes from, or null. */
    static @Nullable Throwable interruption(Throwable failure) {
        Throwable cause = failure;
        while (cause != null && !(cause instanceof InterruptedException)) {
            cause = cause.getCause();
        }
        return cause;
    }

    private static boolean causedBy(@Nullable Throwable failure, Class<? extends Throwable> type) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }
}
