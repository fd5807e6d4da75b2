package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.change.Change;
import dev.promguard.change.FactsQuery;
import dev.promguard.change.HostFacts;
import dev.promguard.change.Occupancy;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.spi.Arrival;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.Inventory;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Takes PromGuard's parts off hosts that stay when the mesh goes, and leaves each as it was as far as its record tells. */
final class TakeDown {
    private static final FactsQuery LEDGER_ALONE = new FactsQuery(
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            Blueprint.WIREGUARD_INTERFACE,
            "/etc/wireguard/" + Blueprint.WIREGUARD_INTERFACE + ".key",
            Map.of());

    private static final String NOTHING = "nothing of the mesh was there";

    private final Environment environment;
    private final String mesh;
    private final Inventory inventory;

    TakeDown(Environment environment, String mesh, Inventory inventory) {
        this.environment = environment;
        this.mesh = mesh;
        this.inventory = inventory;
    }

    /**
     * What came of some hosts.
     *
     * @param left what was left on each host that is done, by its name
     * @param failures why the others are not done, by name
     */
    record Outcome(Map<String, List<String>> left, Map<String, RuntimeException> failures) {}

    /** Takes down the whole mesh, and forgets it once that is done. */
    DestroyReport destroy(Ledger ledger, Collection<String> wished) {
        Set<String> names = new TreeSet<>(ledger.state().hosts().keySet());
        wished.stream().filter(inventory.logins()::containsKey).forEach(names::add);
        Outcome outcome = off(ledger, names);
        List<String> removed = outcome.left().entrySet().stream()
                .filter(entry -> !entry.getValue().equals(List.of(NOTHING)))
                .map(Map.Entry::getKey)
                .toList();
        Map<String, List<String>> left = new TreeMap<>(outcome.left());
        left.values().removeIf(what -> what.equals(List.of(NOTHING)) || what.isEmpty());
        DestroyReport report = new DestroyReport(mesh, removed, left);
        if (!outcome.failures().isEmpty()) {
            throw failure(outcome.failures(), report);
        }
        return report;
    }

    private static DestroyException failure(Map<String, RuntimeException> failures, DestroyReport report) {
        Set<RuntimeException> distinct = new LinkedHashSet<>(failures.values());
        String message = failures.entrySet().stream()
                .map(entry -> entry.getValue() instanceof HostException
                        ? String.valueOf(entry.getValue().getMessage())
                        : entry.getKey() + ": " + entry.getValue())
                .distinct()
                .collect(Collectors.joining("\n"));
        RuntimeException first = distinct.iterator().next();
        DestroyException exception = new DestroyException(
                message + "\n  "
                        + (report.removed().isEmpty()
                                ? "No host is done"
                                : "Done: " + String.join(", ", report.removed()))
                        + ". The others are remembered: put right what is named above, then run destroy again.",
                report,
                first);
        distinct.stream().skip(1).forEach(exception::addSuppressed);
        return exception;
    }

    /** Takes PromGuard's parts off some hosts, several at once, and forgets each that is done. */
    Outcome off(Ledger ledger, Collection<String> names) {
        Map<String, List<String>> left = new TreeMap<>();
        Map<String, RuntimeException> failures = new TreeMap<>();
        Map<String, String> addresses = addresses(names, failures);
        for (String name : names) {
            if (inventory.gone().contains(name)) {
                ledger.update(state -> state.without(name));
                left.put(name, List.of("everything: it is said to be gone for good, and was not looked for"));
            } else if (!inventory.logins().containsKey(name)) {
                failures.put(
                        name,
                        HostException.of(name, "", "take off PromGuard's parts")
                                .because(
                                        "it is not among the hosts that "
                                                + environment.provider().name() + " names",
                                        "Name it again so that it can be reached, or say that it is gone for good."));
            }
        }
        try (Secret identity = environment.loginKey(mesh)) {
            Map<String, Parallel.Result<List<String>>> results = Parallel.map(
                    addresses.keySet(),
                    environment.parallelism(),
                    name -> host(ledger, name, Objects.requireNonNull(addresses.get(name)), identity));
            results.forEach((name, result) -> {
                if (result.failure() != null) {
                    failures.put(name, result.failure());
                    environment.failed(name, "take off PromGuard's parts");
                } else {
                    left.put(name, result.orThrow());
                }
            });
        }
        return new Outcome(left, failures);
    }

    /** Where the named hosts are, as far as their names can be resolved. */
    private Map<String, String> addresses(Collection<String> names, Map<String, RuntimeException> failures) {
        Map<String, CloudHost> wanted = new TreeMap<>();
        Map<String, String> waiting = new HashMap<>();
        for (CloudHost host : environment.provider().list(mesh)) {
            if (names.contains(host.name())) {
                wanted.put(host.name(), host);
                if (host.publicAddress().isEmpty()) {
                    waiting.put(host.id(), host.name());
                }
            }
        }
        if (!waiting.isEmpty()) {
            Arrival arrival = environment.provider().await(mesh, waiting.keySet(), Environment.ARRIVAL);
            arrival.ready().forEach(host -> wanted.put(host.name(), host));
            arrival.missing().forEach((id, reason) -> {
                String name = Objects.requireNonNullElse(waiting.get(id), id);
                wanted.remove(name);
                failures.put(name, HostException.of(name, "", "connect").because(reason, ""));
            });
        }
        Map<String, String> addresses = new TreeMap<>();
        wanted.forEach((name, host) -> host.publicAddress().ifPresent(address -> addresses.put(name, address)));
        return addresses;
    }

    private List<String> host(Ledger ledger, String name, String address, Secret identity) {
        environment.started(name, "take off PromGuard's parts");
        HostState remembered = ledger.state().hosts().get(name);
        // Of one that is not remembered the address inside the tunnels is not known, and not needed.
        HostState known = remembered == null ? HostState.adopted(address, name) : remembered;
        List<String> left = Collections.synchronizedList(new ArrayList<>());
        Reconnection reconnection = new Reconnection(environment, name, address, identity);
        boolean armed;
        HostState pinned;
        try (HostSession session = environment
                .applier()
                .open(environment.target(name, address, known, identity, Environment.LOOK_PATIENCE))) {
            HostState proven = known.pinned(session.hostKey());
            // Before anything is sent: a host trusted on first use is held to the key that it showed, also by the next
            // run.
            ledger.update(state -> state.with(name, proven));
            pinned = proven;
            HostFacts facts = session.facts(LEDGER_ALONE, Environment.BOOT_PATIENCE);
            if (facts.ledger().filter(record -> record.mesh().equals(mesh)).isEmpty()) {
                ledger.update(state -> forget(state, name, remembered));
                environment.done(name, NOTHING);
                return List.of(NOTHING);
            }
            armed = session.apply(Occupancy.takeOff(), new Notes(name, left));
        } catch (HostException e) {
            throw reconnection.afterLoss(e, known);
        }
        if (armed) {
            reconnection.armed();
            reconnection.confirm(pinned, pinned);
        }
        ledger.update(state -> forget(state, name, remembered));
        environment.done(name, "is as it was before");
        return List.copyOf(left);
    }

    /** The state without a host. One that was not remembered before held no address in the mesh that could rest. */
    private static MeshState forget(MeshState state, String name, @Nullable HostState remembered) {
        if (remembered != null) {
            return state.without(name);
        }
        Map<String, HostState> hosts = new TreeMap<>(state.hosts());
        hosts.remove(name);
        return new MeshState(state.mesh(), hosts, state.resting(), state.intents(), state.accessKey());
    }

    /** Passes on what a host reports. */
    private final class Notes implements HostSession.Progress {
        private final String name;
        private final List<String> left;

        Notes(String name, List<String> left) {
            this.name = name;
            this.left = left;
        }

        @Override
        public void started(Change change) {
            environment.started(name, change.describe());
        }

        @Override
        public void done(Change change) {
            environment.done(name, change.describe());
        }

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {
            throw new IllegalStateException(name + " replaces its host key while parts are taken off it");
        }

        @Override
        public void left(String what) {
            left.add(what);
            environment.done(name, "left: " + what);
        }
    }
}
