package dev.promguard.ssh.internal;

import dev.promguard.ApplyReport.Status;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.Progress;
import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.HostFacts;
import dev.promguard.host.NewKeys;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostCertificates;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import net.schmizz.sshj.SSHClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A session over one authenticated connection. */
final class SshSession implements HostSession {
    private static final Logger LOG = LoggerFactory.getLogger(SshSession.class);
    private static final SecureRandom RANDOM = new SecureRandom();
    /** Over how many connections facts are asked for, where each turns out to be older than what happened on the host. */
    private static final int CONNECTIONS = 3;

    private final HostTarget target;
    private final Settings settings;
    private final Tarballs tarballs;
    private volatile HostKeyFingerprint hostKey;
    private final Function<HostTarget, SshSession> connector;
    private volatile Connection connection;
    private volatile ExecutorService workers;
    private final Forwards forwards;
    private final FurtherConnections besides = new FurtherConnections(this::another);
    private final AtomicBoolean closed = new AtomicBoolean();
    private boolean armedHere;

    SshSession(
            HostTarget target,
            Settings settings,
            Tarballs tarballs,
            Connection connection,
            ExecutorService workers,
            Function<HostTarget, SshSession> connector) {
        this.target = target;
        this.settings = settings;
        this.tarballs = tarballs;
        this.connection = connection;
        this.workers = workers;
        this.hostKey = connection.hostKey();
        this.connector = connector;
        this.forwards = new Forwards(
                target.name(),
                this::client,
                new Relay(nonce(), this::client, this::another),
                Executors.newCachedThreadPool(SshConnector.DAEMONS));
    }

    SSHClient client() {
        return connection.client();
    }

    @Override
    public HostKeyFingerprint hostKey() {
        return hostKey;
    }

    @Override
    public List<HostKeyFingerprint> jumpHostKeys() {
        return connection.jumpHostKeys();
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
        Connection old = connection;
        ExecutorService oldWorkers = workers;
        SshSession fresh = another();
        hostKey = fresh.hostKey;
        connection = fresh.connection;
        workers = fresh.workers;
        old.close();
        oldWorkers.shutdownNow();
        if (closed.get()) {
            cut();
            throw failed(ErrorCode.MISUSE, "read facts").because("the session is closed", "Open a new one.");
        }
    }

    /** A session over another connection, to which the host shows a key that this session may take. */
    private SshSession another() {
        List<HostKeyFingerprint> proven = connection.jumpHostKeys();
        List<HostTarget> jumpHosts = new ArrayList<>();
        for (HostTarget hop : target.jumpHosts()) {
            jumpHosts.add(pinned(hop, proven.get(jumpHosts.size())));
        }
        return connector.apply(
                pinned(target, hostKey).toBuilder().jumpHosts(jumpHosts).build());
    }

    private static HostTarget pinned(HostTarget server, HostKeyFingerprint proven) {
        return server.acceptedHostKeys().isEmpty() || server.certificates().areAccepted()
                ? server.toBuilder()
                        .accepting(Set.of(proven))
                        .certificates(HostCertificates.NONE)
                        .build()
                : server;
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
        Exec exec = exec(nonce, false);
        ChangeRun run = new ChangeRun(copy, progress, nonce, tarballs);
        try (Script script = ChangeScript.of(nonce, copy, keys, settings.rollbackAfter(), settings.pushReleases())) {
            OptionalInt code = run(exec, script, ChangeRun.answers(copy), settings.applyTimeout(), run.step(), run);
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
                                    + "The next run makes the changes that are missing.");
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
                                    "Wait a moment, then run again: that makes the changes that are missing.");
                case "rolled-back" ->
                    throw failed(ErrorCode.ROLLED_BACK, "confirm the changes")
                            .status(Status.ROLLED_BACK)
                            .because(
                                    "the host has rolled back, because no new session confirmed the changes in time",
                                    "Its firewall, WireGuard interface and host key are as they were, and what was started"
                                            + " was stopped. Make sure that its rules let new SSH connections in (on the host:"
                                            + " ufw status numbered; one before PromGuard's may deny them) and that its SSH"
                                            + " server listens on the port given, then run again; raise rollbackAfter"
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
                                "Wait a moment, then run again: that makes the changes that are missing.");
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
    public Set<HostKeyFingerprint> hostKeys(Probe server, Duration timeout) {
        String nonce = nonce();
        Exec exec = exec(nonce);
        String step = "ask for the host keys at " + server;
        HostKeyScan scan = new HostKeyScan(server, timeout);
        try (Script script = scan.script(nonce)) {
            Duration limit = scan.longest().plus(settings.factsTimeout());
            OptionalInt code = run(exec, script, false, limit, step, (line, answer) -> scan.line(line));
            if (!scan.ended()) {
                throw unfinished(step, exec, code);
            }
            return scan.keys();
        } catch (FactsParser.MalformedException e) {
            throw malformed(step, e);
        }
    }

    @Override
    public int forward(String address, int port) {
        String step = "forward a port to " + address + ":" + port;
        try {
            return forwards.open(address, port);
        } catch (Forwards.ForbiddenException e) {
            throw failed(ErrorCode.FORWARD_FAILED, step)
                    .cause(e)
                    .because(
                            "the host's SSH server forbids it, and no relay runs there: " + SshConnector.reason(e),
                            "Set AllowTcpForwarding local for " + target.user()
                                    + " in the host's /etc/ssh/sshd_config, and PermitOpen, if it is set there, to "
                                    + address + ":" + port + "; then reload it.");
        } catch (IOException e) {
            if (SshConnector.interruption(e) instanceof InterruptedException interruption) {
                throw SshConnector.interrupted(target, step, interruption);
            }
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
                        connection.disconnect();
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
        forwards.close();
        besides.close();
        connection.close();
        workers.shutdownNow();
    }

    private Exec exec(String nonce) {
        return exec(nonce, true);
    }

    private Exec exec(String nonce, boolean quotes) {
        if (closed.get()) {
            throw failed(ErrorCode.MISUSE, "begin").because("the session is closed", "Open a new one.");
        }
        return new Exec(connection.client(), besides, workers, target.user(), nonce, quotes);
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
        } catch (Exec.RefusedException e) {
            throw failed(ErrorCode.LOGIN_REFUSED, step)
                    .output(exec.tail())
                    .cause(e)
                    .because(
                            "the host lets " + target.user() + " log in and runs no command: " + SshConnector.reason(e),
                            "Check MaxSessions in /etc/ssh/sshd_config on the host, and the options before the key in"
                                    + " the ~/.ssh/authorized_keys of " + target.user() + '.');
        } catch (IOException | TimeoutException e) {
            String reason = e instanceof TimeoutException
                    ? "the host did not finish within " + limit.toSeconds() + " s"
                    : "the connection was lost: " + SshConnector.reason(e);
            if (lines instanceof ChangeRun) {
                throw new ConnectionLostException(reason, e);
            } else if (!exec.begun() && (e instanceof TimeoutException || e instanceof Exec.FloodException)) {
                EarlyEnd end = EarlyEnd.silent(e instanceof TimeoutException, reason, target.user());
                HostException.Builder failed = failed(end.code(), step).retryable();
                throw failed.output(exec.tail()).cause(e).because(end.what(), end.remedy());
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
                                    + " stopped. Run again; raise rollbackAfter, which is "
                                    + settings.rollbackAfter().toSeconds() + " s, if the host is slow.");
        }
        Change change = run.current();
        HostException.Builder failed =
                failed(ChangeAdvice.code(change, failure.why()), run.step()).exitCode(failure.exitCode());
        String remedy = failure.why().equals(ChangeAdvice.BUSY)
                ? "Wait until the other run on this host is done, then run again."
                : ChangeAdvice.remedy(change, failure.why());
        if (!failure.why().startsWith("sha256 is ")) {
            failed.output(exec.tail());
        }
        String what = (failure.why().isEmpty() ? "exit code " + failure.exitCode() : failure.why()) + run.notSent();
        return failed.because(what, (remedy + ' ' + rollbackNote(run)).strip());
    }

    private String rollbackNote(ChangeRun run) {
        return run.armed()
                ? "The host puts its firewall and WireGuard back in "
                        + settings.rollbackAfter().toSeconds() + " s unless you apply before. "
                : "";
    }

    private HostException unfinished(String step, Exec exec, OptionalInt code) {
        String how = code.isPresent() ? "exit code " + code.getAsInt() : "no exit code";
        EarlyEnd end = exec.begun()
                ? new EarlyEnd(
                        ErrorCode.BAD_ANSWER,
                        "the script ended early, with " + how,
                        "Fix what the lines above name, or run it again if there are none.")
                : EarlyEnd.of(exec.tail(), target.user(), how);
        HostException.Builder failed = failed(end.code(), step).output(exec.tail());
        code.ifPresent(failed::exitCode);
        return failed.because(end.what(), end.remedy());
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
}
