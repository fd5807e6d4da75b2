package dev.promguard.internal.act;

import dev.promguard.ApplyReport.Status;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.internal.observe.HostKeyPolicy;
import dev.promguard.internal.observe.Sessions;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.Pause;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.MeshState.HostState;
import java.time.Duration;

/**
 * The new connection by which a host keeps what it changed under an armed rollback. If that connection fails, the host is read
 * once more after the time at which it rolls back by itself, to tell which of the two happened.
 */
final class CommitConfirm {
    private static final String STEP = "confirm the changes";
    private static final String SECOND_LOOK = "check whether it keeps its changes";

    private final Context context;
    private final HostKeyPolicy policy;
    private final String name;
    private final String address;
    private final Sessions sessions;
    private long armed = System.nanoTime();

    CommitConfirm(Context context, String name, String address, Sessions sessions) {
        this.context = context;
        this.policy = new HostKeyPolicy(context);
        this.name = name;
        this.address = address;
        this.sessions = sessions;
    }

    /** The changes are made and the rollback is armed: its time runs, and on the host it began a little earlier. */
    void armed() {
        armed = System.nanoTime();
    }

    /**
     * Has the host keep its changes; returns if it does.
     *
     * @param changed how to reach the host after the change, with the one host key that it has now
     * @param known how to reach the host if it rolls back, with the host key that a rollback restores as well
     * @throws HostException with the status {@link Status#ROLLED_BACK} or {@link Status#UNKNOWN}
     */
    void confirm(HostState changed, HostState known) {
        HostException failure;
        try (Events.Task task = context.events().task(name, "reconnect")) {
            ask(changed, Timeouts.RECONNECT);
            task.done();
            return;
        } catch (HostException e) {
            failure = e;
        }
        if (failure.status() == Status.ROLLED_BACK) {
            throw failure;
        }
        if (Thread.currentThread().isInterrupted()) {
            throw outcome(failure, failure);
        }
        try (Events.Task task = context.events().task(name, SECOND_LOOK)) {
            confirmLater(failure, changed, known);
            task.done();
        }
    }

    /** Finds out what became of the changes, by a second look. */
    private void confirmLater(HostException failure, HostState changed, HostState known) {
        long left = left();
        if (failure.retryable() && left > 0) {
            try {
                ask(changed, Duration.ofNanos(left));
                return;
            } catch (HostException e) {
                if (e.status() == Status.ROLLED_BACK) {
                    throw outcome(failure, e);
                }
            }
        }
        HostKeyFingerprint shown;
        try {
            awaitRollback(failure);
            shown = ask(known, Timeouts.RECONNECT);
        } catch (HostException e) {
            throw outcome(failure, e);
        }
        if (!changed.hostKeys().contains(shown)) {
            throw HostException.of(ErrorCode.OUTCOME_UNKNOWN, name, address, STEP)
                    .status(Status.UNKNOWN)
                    .refusedHostKey(shown)
                    .cause(failure)
                    .because(
                            "the host reports that it keeps its changes, but it shows " + shown
                                    + ", the host key that it had before them",
                            "One of the two is wrong. Make sure that its SSH server was restarted after its key was replaced,"
                                    + " then run again.");
        }
    }

    /**
     * Finds out what became of a run of changes that ended with a failure.
     *
     * @param failure how it ended
     * @param known how to reach the host before the change
     * @return the failure, or where it left that unknown, one that says as much as a second look has shown
     */
    HostException afterLoss(HostException failure, HostState known) {
        if (failure.status() != Status.UNKNOWN || Thread.currentThread().isInterrupted()) {
            return failure;
        }
        try (Events.Task task = context.events().task(name, SECOND_LOOK)) {
            awaitRollback(failure);
            ask(known, Timeouts.RECONNECT);
            task.done();
        } catch (HostException e) {
            return outcome(failure, e);
        }
        return HostException.of(ErrorCode.CONNECTION_LOST, name, address, failure.step())
                .retryable()
                .output(failure.output())
                .cause(failure)
                .because(
                        "the connection was lost, and the host keeps what it had changed by then",
                        "The next run makes the changes that are missing.");
    }

    /** Confirms over a new connection, and tells which host key proved it. */
    private HostKeyFingerprint ask(HostState accepted, Duration timeout) {
        try (HostSession session = policy.openKnown(name, address, accepted, sessions, timeout)) {
            session.confirm();
            return session.hostKey();
        }
    }

    private long left() {
        return context.applier().rollbackAfter().toNanos() - (System.nanoTime() - armed);
    }

    private void awaitRollback(HostException failure) {
        try {
            Pause.until(System.nanoTime() + left());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw HostException.of(ErrorCode.OUTCOME_UNKNOWN, name, address, STEP)
                    .cause(failure)
                    .because("interrupted", "");
        }
    }

    /** What is known in the end, and how it came to that. */
    private HostException outcome(HostException first, HostException last) {
        boolean rolledBack = last.status() == Status.ROLLED_BACK;
        HostException.Builder outcome = HostException.of(
                        rolledBack ? ErrorCode.ROLLED_BACK : ErrorCode.OUTCOME_UNKNOWN, name, address, STEP)
                .cause(first);
        last.refusedHostKey().ifPresent(outcome::refusedHostKey);
        String why = "The reason: " + first.getMessage();
        if (last != first) {
            outcome.cause(last);
            last.addSuppressed(first);
            if (!rolledBack) {
                why += String.valueOf(last.getMessage()).equals(first.getMessage())
                        ? "\nThe second attempt ended in the same way."
                        : "\nThe second attempt: " + last.getMessage();
            }
        }
        if (rolledBack) {
            return outcome.status(Status.ROLLED_BACK)
                    .because(
                            "the host has rolled back, because no new connection confirmed the changes in time",
                            "Its firewall, WireGuard interface and host key are as they were, and what was started was"
                                    + " stopped. Make sure that the new rules let SSH connections in (on the host:"
                                    + " ufw status numbered; a rule before PromGuard's may deny them, or its SSH server"
                                    + " may listen on another port than the one given), then run again. "
                                    + why.replace("\n", "\n  "));
        }
        if (last.retryable()) {
            outcome.retryable();
        }
        boolean interrupted = Thread.currentThread().isInterrupted();
        return outcome.status(Status.UNKNOWN)
                .because(
                        (interrupted ? "interrupted: " : "")
                                + "whether the host keeps its changes or has rolled back is not known",
                        "The host rolls back changes that are not confirmed within "
                                + context.applier().rollbackAfter().toSeconds()
                                + " s. When it can be reached again, the next run makes the changes that are missing. If"
                                + " it cannot, check on its console: systemctl list-timers 'promguard-*'; ufw status. "
                                + why.replace("\n", "\n  "));
    }
}
