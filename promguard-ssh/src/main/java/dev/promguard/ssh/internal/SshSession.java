package dev.promguard.ssh.internal;

import dev.promguard.ApplyReport.Status;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.Progress;
import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostKey;
import dev.promguard.host.ManagedFiles;
import dev.promguard.host.NewKeys;
import dev.promguard.host.Packages;
import dev.promguard.host.Releases;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.connection.channel.direct.LocalPortForwarder;
import net.schmizz.sshj.connection.channel.direct.Parameters;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A session over one authenticated connection. */
final class SshSession implements HostSession {
    private static final Logger LOG = LoggerFactory.getLogger(SshSession.class);
    private static final SecureRandom RANDOM = new SecureRandom();
    /** Over how many connections facts are asked for, where each turns out to be older than what happened on the host. */
    private static final int CONNECTIONS = 3;
    /** What a host says where another run holds its lock. */
    private static final String BUSY = "another run is at work on this host";

    private final HostTarget target;
    private final Settings settings;
    private volatile HostKeyFingerprint hostKey;
    private final Function<HostTarget, SshSession> connector;
    private volatile SSHClient client;
    private volatile TrackedSockets sockets;
    private volatile ExecutorService workers;
    private final Queue<ServerSocket> forwards = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private boolean armedHere;

    SshSession(
            HostTarget target,
            Settings settings,
            SSHClient client,
            TrackedSockets sockets,
            ExecutorService workers,
            HostKeyFingerprint hostKey,
            Function<HostTarget, SshSession> connector) {
        this.target = target;
        this.settings = settings;
        this.client = client;
        this.sockets = sockets;
        this.workers = workers;
        this.hostKey = hostKey;
        this.connector = connector;
    }

    @Override
    public HostKeyFingerprint hostKey() {
        return hostKey;
    }

    @Override
    public HostFacts facts(FactsQuery query, Duration bootTimeout) {
        Optional<HostFacts> facts = Optional.empty();
        for (int connection = 1; facts.isEmpty() && connection <= CONNECTIONS; connection++) {
            if (connection > 1) {
                renew();
            }
            facts = read(query, bootTimeout, connection < CONNECTIONS);
        }
        return facts.orElseThrow(() -> failed(ErrorCode.HOST_BUSY, "read facts")
                .retryable()
                .because(
                        "other runs are at work on this host",
                        "Wait until they are done, or end the program that started them, then run it again."));
    }

    /**
     * Goes on over a new connection: one from before the changes of another run is no proof that one can be made after them, and the
     * host may have another of its accepted keys since.
     */
    private void renew() {
        TrackedSockets old = sockets;
        ExecutorService oldWorkers = workers;
        SshSession fresh = connector.apply(new HostTarget(
                target.name(),
                target.address(),
                target.port(),
                target.user(),
                target.acceptedHostKeys().isEmpty() ? Set.of(hostKey) : target.acceptedHostKeys(),
                false,
                target.loginKey(),
                target.passphrase(),
                target.timeout()));
        hostKey = fresh.hostKey;
        client = fresh.client;
        sockets = fresh.sockets;
        workers = fresh.workers;
        old.close();
        oldWorkers.shutdownNow();
        if (closed.get()) {
            cut();
            throw failed(ErrorCode.MISUSE, "read facts").because("the session is closed", "Open a new one.");
        }
    }

    /**
     * The facts, or nothing where a run that may change what a connection needs was at work when this one was made.
     *
     * @param unlessRolledBack whether it is nothing too where the host got another key back since
     */
    private Optional<HostFacts> read(FactsQuery query, Duration bootTimeout, boolean unlessRolledBack) {
        String nonce = nonce();
        FactsParser parser = new FactsParser(query);
        Exec exec = exec(nonce);
        Optional<HostKeyFingerprint> shown = Optional.of(hostKey).filter(key -> unlessRolledBack && !armedHere);
        try (Script script = FactsScript.of(nonce, query, bootTimeout, !armedHere, shown)) {
            OptionalInt code = run(
                    exec,
                    script,
                    false,
                    bootTimeout.plus(settings.factsTimeout()),
                    "read facts",
                    (line, answer) -> parser.line(line));
            Optional<FactsParser.BootProblem> boot = parser.bootProblem();
            if (boot.isPresent()) {
                throw bootFailed(boot.get(), bootTimeout);
            }
            if (!parser.ended()) {
                throw unfinished("read facts", exec, code);
            }
            return parser.busy() ? Optional.empty() : Optional.of(parser.facts());
        } catch (FactsParser.MalformedException e) {
            throw malformed("read facts", e);
        }
    }

    @Override
    public boolean apply(List<Change> changes, NewKeys keys, Progress progress) {
        if (changes.isEmpty()) {
            return false;
        }
        List<Change> copy = List.copyOf(changes);
        String nonce = nonce();
        Exec exec = exec(nonce);
        ChangeRun run = new ChangeRun(copy, progress, nonce);
        boolean answers = copy.stream().anyMatch(HostKey.Replace.class::isInstance);
        try (Script script = ChangeScript.of(nonce, copy, keys, settings.rollbackAfter())) {
            OptionalInt code = run(exec, script, answers, settings.applyTimeout(), run.step(), run);
            if (run.failure() != null) {
                throw changeFailed(run, exec);
            }
            if (!run.ended()) {
                throw unfinished(run.step(), exec, code);
            }
            return run.armed();
        } catch (FactsParser.MalformedException e) {
            throw malformed(run.step(), e);
        } catch (ConnectionLostException e) {
            throw failed(run.armed() ? ErrorCode.OUTCOME_UNKNOWN : ErrorCode.CONNECTION_LOST, run.step())
                    .retryable()
                    .status(run.armed() ? Status.UNKNOWN : Status.FAILED)
                    .output(exec.tail())
                    .cause(e.getCause())
                    .because(
                            e.reason(),
                            "It is not known whether this step was done; those before it are done. " + rollbackNote(run)
                                    + "Run apply again: it makes the changes that are missing.");
        } finally {
            armedHere |= run.armed();
        }
    }

    @Override
    public void confirm() {
        if (armedHere) {
            throw failed(ErrorCode.MISUSE, "confirm the changes")
                    .because(
                            "this is the session that made the changes",
                            "Open a new one, which proves that the host can still be reached.");
        }
        String nonce = nonce();
        Exec exec = exec(nonce);
        String[] outcome = {""};
        try (Script script = Script.begin(nonce)) {
            script.call("confirm").end();
            OptionalInt code =
                    run(exec, script, false, settings.factsTimeout(), "confirm the changes", (line, answer) -> {
                        if (line.startsWith("confirm\t")) {
                            outcome[0] = line.substring("confirm\t".length());
                        } else if (!line.equals("end")) {
                            throw new FactsParser.MalformedException(FactsParser.shown(line));
                        }
                    });
            switch (outcome[0]) {
                case "disarmed", "none" -> LOG.debug("{}: rollback {}", target.name(), outcome[0]);
                case "busy", "rolling-back" ->
                    throw failed(ErrorCode.OUTCOME_UNKNOWN, "confirm the changes")
                            .status(Status.UNKNOWN)
                            .retryable()
                            .because(
                                    outcome[0].equals("busy")
                                            ? "another run was at work on the host when this connection was made"
                                            : "the host is still rolling back",
                                    "Wait a moment, then run apply again: it makes the changes that are missing.");
                case "rolled-back" ->
                    throw failed(ErrorCode.ROLLED_BACK, "confirm the changes")
                            .status(Status.ROLLED_BACK)
                            .because(
                                    "the host has rolled back, because no new session confirmed the changes in time",
                                    "Its firewall, WireGuard interface and host key are as they were, and what was started"
                                            + " was stopped. Make sure that its rules let new SSH connections in (on the host:"
                                            + " ufw status numbered; one before PromGuard's may deny them) and that its SSH"
                                            + " server listens on the port given, then run apply again; raise rollbackAfter"
                                            + " if the connection to the host is slow.");
                default -> throw unfinished("confirm the changes", exec, code);
            }
        } catch (FactsParser.MalformedException e) {
            throw malformed("confirm the changes", e);
        }
    }

    @Override
    public void rollBack() {
        String step = "roll back";
        String nonce = nonce();
        Exec exec = exec(nonce);
        String[] outcome = {""};
        try (Script script = Script.begin(nonce)) {
            script.call("begin_rollback").end();
            OptionalInt code = run(exec, script, false, settings.factsTimeout(), step, (line, answer) -> {
                if (line.startsWith("rollback\t")) {
                    outcome[0] = line.substring("rollback\t".length());
                } else if (!line.equals("end")) {
                    throw new FactsParser.MalformedException(FactsParser.shown(line));
                }
            });
            if (outcome[0].equals("pending")) {
                throw failed(ErrorCode.OUTCOME_UNKNOWN, step)
                        .status(Status.UNKNOWN)
                        .retryable()
                        .because(
                                "the host is still rolling back",
                                "Wait a moment, then run apply again: it makes the changes that are missing.");
            } else if (!outcome[0].equals("over")) {
                throw unfinished(step, exec, code);
            }
        } catch (FactsParser.MalformedException e) {
            throw malformed(step, e);
        }
    }

    @Override
    public List<ProbeResult> probe(List<Probe> probes, Duration timeout) {
        String nonce = nonce();
        Exec exec = exec(nonce);
        if (probes.isEmpty()) {
            return List.of();
        }
        String step = "probe ports from it";
        ProbeScript round = new ProbeScript(probes, timeout);
        try (Script script = round.script(nonce)) {
            Duration limit = round.longest().plus(settings.factsTimeout());
            OptionalInt code = run(exec, script, false, limit, step, (line, answer) -> round.line(line));
            if (!round.ended()) {
                throw unfinished(step, exec, code);
            }
            return round.answers();
        } catch (FactsParser.MalformedException e) {
            throw malformed(step, e);
        }
    }

    @Override
    public int forward(String address, int port) {
        String step = "forward a port to " + address + ":" + port;
        ServerSocket listener = null;
        try {
            listener = new ServerSocket();
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            forwards.add(listener);
            if (closed.get()) {
                listener.close();
                throw new IOException("the session is closed");
            }
            int local = listener.getLocalPort();
            LocalPortForwarder forwarder =
                    client.newLocalPortForwarder(new Parameters("127.0.0.1", local, address, port), listener);
            workers.execute(() -> {
                try {
                    forwarder.listen();
                } catch (IOException e) {
                    LOG.debug("{}: {} ended", target.name(), step, e);
                }
            });
            return local;
        } catch (IOException e) {
            throw failed(ErrorCode.FORWARD_FAILED, step)
                    .cause(e)
                    .because(
                            SshConnector.reason(e), "Check that the session is open and that loopback ports are free.");
        }
    }

    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        if (!Thread.currentThread().isInterrupted()) {
            goodbye();
        }
        cut();
    }

    /** Tells the host that the connection ends, but does not wait long for a host that does not listen. */
    private void goodbye() {
        try {
            workers.submit(() -> {
                        client.disconnect();
                        return null;
                    })
                    .get(500, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.debug("{}: the connection did not end in peace", target.name(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void cut() {
        closed.set(true);
        for (ServerSocket forward : forwards) {
            try {
                forward.close();
            } catch (IOException e) {
                LOG.debug("{}: a forward did not close", target.name(), e);
            }
        }
        sockets.close();
        workers.shutdownNow();
        if (!forwards.isEmpty() && !Thread.currentThread().isInterrupted()) {
            // A port takes connections until the thread that accepts them has noticed.
            try {
                if (!workers.awaitTermination(500, TimeUnit.MILLISECONDS)) {
                    LOG.debug("{}: a forward takes its time to end", target.name());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Exec exec(String nonce) {
        if (closed.get()) {
            throw failed(ErrorCode.MISUSE, "begin").because("the session is closed", "Open a new one.");
        }
        return new Exec(client, workers, target.user(), nonce);
    }

    private OptionalInt run(Exec exec, Script script, boolean answers, Duration limit, String step, Exec.Lines lines)
            throws FactsParser.MalformedException {
        boolean finished = false;
        try {
            OptionalInt code = exec.run(script, answers, limit, lines);
            finished = true;
            return code;
        } catch (InterruptedException e) {
            throw SshConnector.interrupted(target, lines instanceof ChangeRun run ? run.step() : step, e);
        } catch (IOException | TimeoutException e) {
            String reason = e instanceof TimeoutException
                    ? "the host did not finish within " + limit.toSeconds() + " s"
                    : "the connection was lost: " + SshConnector.reason(e);
            if (lines instanceof ChangeRun) {
                throw new ConnectionLostException(reason, e);
            }
            throw failed(ErrorCode.CONNECTION_LOST, step)
                    .retryable()
                    .output(exec.tail())
                    .cause(e)
                    .because(reason, "Check that the host is up, and run it again.");
        } finally {
            if (!finished) {
                cut();
            }
        }
    }

    private HostException bootFailed(FactsParser.BootProblem boot, Duration timeout) {
        HostException.Builder failed =
                failed(ErrorCode.BOOT_FAILED, "first boot").output(boot.detail());
        if (boot.late()) {
            return failed.retryable()
                    .because(
                            "cloud-init was not done after " + timeout.toSeconds() + " s",
                            "Run it again, or check on the host: cloud-init status --long.");
        }
        return failed.because(
                "cloud-init ended in an error",
                "Check on the host: cloud-init status --long, and /var/log/cloud-init.log. If what failed does not matter,"
                        + " reboot the host (steps of the first boot are not repeated) and run it again; if it fails at every"
                        + " boot, run touch /etc/cloud/cloud-init.disabled there.");
    }

    private HostException changeFailed(ChangeRun run, Exec exec) {
        ChangeRun.Failure failure = run.failure();
        if (failure == null) {
            throw new IllegalStateException("no change failed");
        }
        if (run.rolledBack()) {
            return failed(ErrorCode.ROLLED_BACK, run.step())
                    .exitCode(failure.exitCode())
                    .status(Status.ROLLED_BACK)
                    .because(
                            failure.why(),
                            "Its firewall, WireGuard interface and host key are as they were, and what was started was"
                                    + " stopped. Run apply again; raise rollbackAfter, which is "
                                    + settings.rollbackAfter().toSeconds() + " s, if the host is slow.");
        }
        Change change = run.current();
        HostException.Builder failed =
                failed(code(change, failure.why()), run.step()).exitCode(failure.exitCode());
        String remedy = failure.why().equals(BUSY)
                ? "Wait until the other run on this host is done, then run apply again."
                : remedy(change, failure.why());
        if (!failure.why().startsWith("sha256 is ")) {
            failed.output(exec.tail());
        }
        String what = failure.why().isEmpty() ? "exit code " + failure.exitCode() : failure.why();
        return failed.because(what, (remedy + ' ' + rollbackNote(run)).strip());
    }

    private String rollbackNote(ChangeRun run) {
        return run.armed()
                ? "The host puts its firewall and WireGuard back in "
                        + settings.rollbackAfter().toSeconds() + " s unless you apply before. "
                : "";
    }

    private static ErrorCode code(@Nullable Change change, String why) {
        if (why.equals(BUSY)) {
            return ErrorCode.HOST_BUSY;
        }
        return change instanceof Releases.Install || change instanceof Packages.Install
                ? ErrorCode.INSTALL_FAILED
                : ErrorCode.STEP_FAILED;
    }

    private static String remedy(@Nullable Change change, String why) {
        if (change instanceof Releases.Install install) {
            return (why.startsWith("sha256 is ") ? "Nothing was unpacked. " : "") + "Check the release mirror "
                    + withoutUser(install.tarball())
                    + ", or name one that the host reaches with Release.from(…), then run apply again.";
        } else if (change instanceof Packages.Install install) {
            return installRemedy(install, why);
        } else if (change instanceof ManagedFiles.Write) {
            return "The file on the host is as it was. Fix what the lines above name, then run apply again.";
        } else if (change instanceof HostKey.Replace) {
            return "The host keeps its old key. Run apply again.";
        }
        return "Fix what the lines above name, then run apply again.";
    }

    private static String installRemedy(Packages.Install install, String why) {
        if (why.contains(" holds the lock of ")) {
            return "Wait until it is done, then run apply again.";
        } else if (why.contains(": dpkg has not finished ") || why.contains(": what these need is not installed: ")) {
            return "PromGuard leaves packages of others alone: finish, reinstall or remove these on the host (dpkg --configure -a,"
                    + " apt-get --fix-broken install), then run apply again.";
        }
        return "Check that the host reaches its package mirrors, or install these from a mirror of your own (apt-get install "
                + String.join(" ", install.packages()) + "), then run apply again.";
    }

    private static URI withoutUser(URI uri) {
        return uri.getRawUserInfo() == null ? uri : URI.create(uri.toString().replace(uri.getRawUserInfo() + '@', ""));
    }

    private HostException unfinished(String step, Exec exec, OptionalInt code) {
        boolean sudo = !target.user().equals("root") && exec.tail().contains("sudo:");
        HostException.Builder failed =
                failed(sudo ? ErrorCode.NOT_ROOT : ErrorCode.BAD_ANSWER, step).output(exec.tail());
        code.ifPresent(failed::exitCode);
        String how = code.isPresent() ? "exit code " + code.getAsInt() : "no exit code";
        if (sudo) {
            return failed.because(
                    target.user() + " may not run commands as root",
                    "Log in as root, or let " + target.user()
                            + " use sudo without a password: as root on the host,"
                            + " apt-get install sudo, then echo '" + target.user()
                            + " ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/" + target.user() + '.');
        }
        String remedy = target.user().equals("root")
                ? "Check that root's login shell on the host runs sh."
                : "Check that " + target.user() + " may run sudo -n sh on the host.";
        return failed.because("the script ended early, with " + how, remedy);
    }

    private HostException malformed(String step, FactsParser.MalformedException e) {
        cut();
        return failed(ErrorCode.BAD_ANSWER, step)
                .cause(e)
                .because(
                        "the host's answer makes no sense: " + e.getMessage(),
                        "None of it was used. Check that this is the right host, and that its tools are Debian's.");
    }

    private HostException.Builder failed(ErrorCode code, String step) {
        return HostException.of(code, target.name(), target.address(), step);
    }

    private static String nonce() {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** The connection ended before a run of changes did. */
    private static final class ConnectionLostException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ConnectionLostException(String reason, Throwable cause) {
            super(reason, cause);
        }

        String reason() {
            String message = getMessage();
            return message == null ? "" : message;
        }
    }

    /** Follows a run of changes by what its script reports. */
    static final class ChangeRun implements Exec.Lines {
        /**
         * How a change failed.
         *
         * @param exitCode its exit code
         * @param why what the script says of it, or an empty text
         */
        record Failure(int exitCode, String why) {}

        private final List<Change> changes;
        private final Progress progress;
        private final String nonce;
        private int next;
        private boolean under;
        private String preparing = "send the changes";
        private boolean armed;
        private boolean rolledBack;
        private boolean ended;
        private @Nullable Failure failure;

        ChangeRun(List<Change> changes, Progress progress, String nonce) {
            this.changes = changes;
            this.progress = progress;
            this.nonce = nonce;
        }

        boolean armed() {
            return armed;
        }

        boolean rolledBack() {
            return rolledBack;
        }

        boolean ended() {
            return ended;
        }

        @Nullable
        Failure failure() {
            return failure;
        }

        /** The change under way, or null before the first and between two. */
        @Nullable
        Change current() {
            return under ? changes.get(next) : null;
        }

        /** What is under way, in words. */
        String step() {
            Change current = current();
            return current == null ? preparing : current.describe();
        }

        @Override
        public void line(String line, Exec.Answer answer) throws FactsParser.MalformedException, IOException {
            String[] fields = line.split("\t", -1);
            if (failure != null || ended) {
                throw new FactsParser.MalformedException("something follows the end");
            }
            switch (fields[0]) {
                case "begin" -> begin(fields);
                case "done" -> done(fields);
                case "failed" -> {
                    if (fields.length != 4 || !fields[2].matches("[0-9]{1,3}")) {
                        throw new FactsParser.MalformedException(FactsParser.shown(line));
                    }
                    failure = new Failure(Integer.parseInt(fields[2]), fields[3].replaceAll("\\p{Cntrl}", "?"));
                }
                case "armed" -> armed = true;
                case "rolled-back" -> rolledBack = true;
                case "leftover" -> progress.left(leftover(fields));
                case "note" -> progress.noted(leftover(fields));
                case "hostkey" -> hostKey(fields, answer);
                case "end" -> {
                    if (next != changes.size()) {
                        throw new FactsParser.MalformedException("the end came too early");
                    }
                    ended = true;
                }
                default -> throw new FactsParser.MalformedException(FactsParser.shown(line));
            }
        }

        /** What stays on the host, or a note. */
        private static String leftover(String[] fields) throws FactsParser.MalformedException {
            String what = fields.length == 2 ? fields[1].replaceAll("[^\\x20-\\x7e]", "?") : "";
            if (what.isBlank()) {
                throw new FactsParser.MalformedException(
                        "what is left on the host, or a note: " + FactsParser.shown(String.join(" ", fields)));
            }
            return what;
        }

        private void begin(String[] fields) throws FactsParser.MalformedException {
            String number = fields.length == 2 ? fields[1] : "";
            if (number.equals(ChangeScript.PREPARE)) {
                preparing = "take the host's lock";
            } else if (number.equals(ChangeScript.ARM)) {
                preparing = "arm the rollback";
            } else if (!under && next < changes.size() && number.equals(Integer.toString(next))) {
                under = true;
                progress.started(changes.get(next));
            } else {
                throw new FactsParser.MalformedException("the change begun is " + FactsParser.shown(number));
            }
        }

        private void done(String[] fields) throws FactsParser.MalformedException {
            String number = fields.length == 2 ? fields[1] : "";
            if (under && number.equals(Integer.toString(next))) {
                under = false;
                progress.done(changes.get(next));
                next++;
            } else if (under || (!number.equals(ChangeScript.PREPARE) && !number.equals(ChangeScript.ARM))) {
                throw new FactsParser.MalformedException("the change done is " + FactsParser.shown(number));
            }
        }

        private void hostKey(String[] fields, Exec.Answer answer) throws FactsParser.MalformedException, IOException {
            if (!(current() instanceof HostKey.Replace) || fields.length != 4) {
                throw new FactsParser.MalformedException("a host key that was not asked for");
            }
            HostKeyFingerprint fingerprint;
            try {
                fingerprint = new SshPublicKey(fields[2], fields[3]).fingerprint();
            } catch (IllegalArgumentException e) {
                FactsParser.MalformedException malformed = new FactsParser.MalformedException("a host key");
                malformed.initCause(e);
                throw malformed;
            }
            progress.newHostKey(fingerprint);
            answer.send("go " + nonce);
        }
    }
}
