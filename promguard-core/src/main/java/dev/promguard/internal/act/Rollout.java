package dev.promguard.internal.act;

import dev.promguard.ApplyReport.Status;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Role;
import dev.promguard.host.PresharedKeys.Pair;
import dev.promguard.host.TunnelSecrets;
import dev.promguard.internal.act.HostChanger.Confirmation;
import dev.promguard.internal.decide.Decider;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.decide.Problem;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.internal.observe.Sessions;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.Parallel;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.keys.PublicKey;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Changes hosts in parallel. The hosts whose running tunnels get other secrets take them together or not at all: the nodes change
 * and hold, under a rollback that is armed and not confirmed; then the monitors; and where all of them did, monitors and nodes are
 * confirmed. If one did not, the hosts that share a changed tunnel with it restore their old secrets. The nodes go first since a
 * monitor that asks for a tunnel before its node knows the key would wait five seconds to ask again (REKEY_TIMEOUT in the WireGuard
 * paper, section 6.1). All other hosts are done before, so that no tunnel waits for them.
 *
 * <p>For one wave of hosts. Not thread-safe.
 */
final class Rollout {
    private static final String CONFIRM = "reconnect";
    private static final String PUT_BACK = "put the old keys back";
    private static final String NEW_KEYS = "give it new keys";

    private final Context context;
    private final Decider decider;
    private final StateJournal journal;
    private final Outcome.Recorder outcome;
    private final HostChanger changer;
    private final KeyRing ring;
    private final Sessions sessions;
    private final Map<String, String> addresses;
    private final Map<String, Confirmation> held = new ConcurrentHashMap<>();
    private Decision decision;
    private Set<Pair> exchange;

    Rollout(
            Context context,
            Decider decider,
            StateJournal journal,
            Outcome.Recorder outcome,
            KeyRing ring,
            Sessions sessions,
            Decision decision) {
        this.context = context;
        this.decider = decider;
        this.journal = journal;
        this.outcome = outcome;
        this.changer = new HostChanger(context, journal, outcome);
        this.ring = ring;
        this.sessions = sessions;
        this.decision = decision;
        this.addresses = decision.observed().roster().publicAddresses();
        this.exchange = decision.keys().exchange();
    }

    /** Changes some of the hosts that the decision is about, and returns those that wait for others. */
    Set<String> change(Collection<String> names) {
        Set<String> deferred = names.stream()
                .filter(name -> isDeferred(decision.host(name)))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> able = new TreeSet<>();
        for (String name : names) {
            HostDecision host = decision.host(name);
            if (host.problems().isEmpty() && host.desired().isPresent()) {
                able.add(name);
            } else if (!deferred.contains(name)) {
                refuse(name);
            }
        }
        ring.make(decision.keys());
        rememberKeys(able);
        Set<String> together = TunnelSecrets.ends(exchange);
        together.retainAll(able);
        Set<String> alone = new TreeSet<>(able);
        alone.removeAll(together);
        wave(alone, false);
        if (!together.isEmpty()) {
            changeTogether(having(together, Role.NODE), having(together, Role.MONITOR));
        }
        return deferred;
    }

    private static boolean isDeferred(HostDecision host) {
        return !host.problems().isEmpty()
                && host.problems().stream().allMatch(problem -> problem.kind() == Problem.Kind.WAITS_FOR_PEERS);
    }

    /** Takes note that a host is not changed, because of its problems. */
    void refuse(String name) {
        failed(name, failure(decision.host(name)), "read the host");
        sessions.close(name);
    }

    private RuntimeException failure(HostDecision host) {
        return decision.observed().failure(host.name()).orElseGet(() -> {
            boolean deferred = isDeferred(host);
            String problems = host.problems().stream()
                    .map(deferred ? Problem::message : Problem::text)
                    .collect(Collectors.joining(" "));
            ErrorCode code = host.problems().get(0).code();
            return deferred
                    ? exception(code, host.name(), NEW_KEYS)
                            .retryable()
                            .because(
                                    problems,
                                    "Nothing was changed on it, so that its tunnels stay. Make those hosts reachable, or take"
                                            + " them out of the mesh, then run again.")
                    : exception(code, host.name(), "check the host").because(problems, "Nothing was changed on it.");
        });
    }

    private HostException.Builder exception(ErrorCode code, String name, String step) {
        return HostException.of(code, name, Objects.requireNonNullElse(addresses.get(name), ""), step);
    }

    private void rememberKeys(Collection<String> names) {
        for (String name : names) {
            if (!decision.keys().pairs().contains(name)) {
                rememberKey(name);
            }
        }
    }

    private void rememberKey(String name) {
        PublicKey key = decision.keys().known().get(name);
        if (key != null) {
            journal.updateHost(name, host -> host.withPublicKey(key));
        }
    }

    private void changeTogether(Set<String> nodes, Set<String> monitors) {
        Map<String, TunnelSecrets.End> ends = decision.keys().ends();
        long begin = System.nanoTime();
        Set<String> failed = wave(nodes, true);
        Set<String> stuck = TunnelSecrets.heldBack(exchange, ends, failed);
        leave(failed);
        putBack(TunnelSecrets.together(exchange, stuck), failed);
        monitors.removeIf(outcome::hasFailed);
        Set<String> released = new TreeSet<>(monitors);
        released.removeAll(TunnelSecrets.ends(exchange));
        monitors.removeAll(released);
        wave(released, false);
        Set<String> failedMonitors = wave(monitors, true);
        putBack(TunnelSecrets.together(exchange, failedMonitors), Set.of());
        if (!held.isEmpty()) {
            boolean late = 2 * (System.nanoTime() - begin)
                    > context.applier().rollbackAfter().toNanos();
            confirm(nodes, monitors, late);
        }
    }

    /**
     * Confirms the monitors before the nodes, so that one which cannot be reached then costs no tunnel: its nodes put their old
     * secrets back. If time is short, the nodes are confirmed first: they began earlier and may be about to roll back.
     */
    private void confirm(Set<String> nodes, Set<String> monitors, boolean nodesFirst) {
        Set<String> first = nodesFirst ? nodes : monitors;
        Set<String> second = nodesFirst ? monitors : nodes;
        confirm(first);
        Set<String> vain = new TreeSet<>(second);
        vain.retainAll(TunnelSecrets.ends(exchange));
        vain.removeIf(name -> TunnelSecrets.peers(exchange, name).stream().anyMatch(peer -> !outcome.hasFailed(peer)));
        putBack(vain, first.stream().filter(outcome::hasFailed).collect(Collectors.toSet()));
        confirm(second);
    }

    private Set<String> having(Set<String> names, Role role) {
        Blueprint blueprint = decision.observed().roster().blueprint();
        return names.stream()
                .filter(name -> blueprint.host(name).role() == role)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Changes some hosts, and returns those that failed. */
    private Set<String> wave(Set<String> names, boolean hold) {
        Map<PublicKey, PublicKey> standIns = ring.byStandIn();
        Decision now = decision;
        Set<String> failed = each(names, "change the host", name -> {
            Seen seen = now.observed().seen(name).orElseThrow();
            Optional<Confirmation> due = changer.change(
                    now.host(name),
                    seen,
                    sessions.with(name).orElseThrow(),
                    standIns,
                    ring.of(now.keys(), name),
                    new CommitConfirm(context, name, Objects.requireNonNull(addresses.get(name), name), sessions),
                    hold);
            if (hold && due.isPresent()) {
                held.put(name, due.get());
            } else {
                due.ifPresent(Confirmation::confirm);
                context.events().done(name);
            }
            return name;
        });
        keepOldKeys(failed);
        return failed;
    }

    /** Decides again for the peers of hosts that keep their old keys, if that makes a difference. */
    private void keepOldKeys(Set<String> names) {
        boolean changesKeys = !decision.keys().pairs().isEmpty()
                || !decision.keys().preshared().isEmpty()
                || !exchange.isEmpty();
        if (names.isEmpty() || !changesKeys) {
            return;
        }
        Set<String> keeping = new HashSet<>(decision.request().keepingKeys());
        keeping.addAll(names);
        decision = decider.decide(decision.request().keeping(keeping), decision.observed());
        // What its peers have is what a host is remembered by, and not a key that it puts back.
        names.forEach(this::rememberKey);
    }

    /** The tunnels of these hosts keep their secrets at both ends. */
    private void leave(Set<String> names) {
        Set<Pair> left = new HashSet<>(exchange);
        left.removeIf(pair -> names.contains(pair.first()) || names.contains(pair.second()));
        exchange = left;
    }

    /** Has some hosts put their old secrets back, or not take new ones. */
    private void putBack(Set<String> all, Set<String> since) {
        Set<String> failed = new TreeSet<>(since);
        all.stream().filter(outcome::hasFailed).forEach(failed::add);
        keepOldKeys(
                all.stream().filter(name -> !outcome.hasFailed(name)).collect(Collectors.toCollection(TreeSet::new)));
        Set<String> begun = new TreeSet<>(all);
        begun.retainAll(held.keySet());
        held.keySet().removeAll(all);
        each(begun, PUT_BACK, name -> {
            throw putBack(name, failed);
        });
        all.stream()
                .filter(name -> !outcome.hasFailed(name))
                .forEach(name -> failed(name, notBegun(name, failed), NEW_KEYS));
        leave(all);
    }

    /** Has a host roll back now, and tells what came of it. */
    private HostException putBack(String name, Set<String> failed) {
        String why = "hosts that must take their new keys in the same run did not: " + String.join(", ", failed);
        String remedy = "Fix those hosts, then run again.";
        try (Events.Task task = context.events().task(name, PUT_BACK)) {
            sessions.with(name).orElseThrow().rollBack();
            task.done();
        } catch (HostException e) {
            return exception(ErrorCode.OUTCOME_UNKNOWN, name, PUT_BACK)
                    .status(Status.UNKNOWN)
                    .cause(e)
                    .because(
                            why + ", and whether the host has put its old keys back is not known: " + e.reason(),
                            "It puts them back by itself within "
                                    + context.applier().rollbackAfter().toSeconds() + " s. " + remedy);
        }
        return exception(ErrorCode.KEYS_HELD_BACK, name, PUT_BACK)
                .status(Status.ROLLED_BACK)
                .because(why + ". So the host has put its old keys, firewall rules and host key back", remedy);
    }

    private HostException notBegun(String name, Set<String> failed) {
        return exception(ErrorCode.KEYS_HELD_BACK, name, NEW_KEYS)
                .retryable()
                .because(
                        "hosts that must take their new keys in the same run did not: " + String.join(", ", failed),
                        "Nothing was changed on it. Fix those hosts, then run again.");
    }

    private void confirm(Set<String> names) {
        Set<String> due = new TreeSet<>(names);
        due.retainAll(held.keySet());
        each(due, CONFIRM, name -> {
            Objects.requireNonNull(held.remove(name)).confirm();
            context.events().done(name);
            return name;
        });
    }

    /** Does something with several hosts at once, and returns those that failed. */
    private Set<String> each(Collection<String> names, String step, Function<String, String> work) {
        Set<String> failed = new TreeSet<>();
        Parallel.map(List.copyOf(names), context.parallelism(), work).forEach((name, result) -> {
            if (result.failure() != null) {
                failed.add(name);
                failed(name, result.failure(), step);
            }
        });
        return failed;
    }

    private void failed(String name, RuntimeException failure, String step) {
        outcome.failed(name, failure);
        context.events().failed(name, failure instanceof HostException known ? known.step() : step);
    }
}
