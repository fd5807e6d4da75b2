package dev.promguard.internal.observe;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.MeshEvent;
import dev.promguard.host.HostFacts;
import dev.promguard.host.Manifest;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.Parallel;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostInventory;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.ProvisioningResult;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.BiFunction;

/** Reads from hosts of an inventory what PromGuard has put there. */
public final class ManifestObserver {
    private final Context context;
    private final HostInventory inventory;
    private final HostKeyPolicy policy;

    /**
     * An observer.
     *
     * @param context the run's context
     * @param inventory how to log in to the hosts
     */
    public ManifestObserver(Context context, HostInventory inventory) {
        this.context = context;
        this.inventory = inventory;
        this.policy = new HostKeyPolicy(context);
    }

    /**
     * What is known of some hosts.
     *
     * @param hosts what was read of each, by name; a host declared as gone is absent
     * @param addresses where those are that were read
     */
    public record Manifests(Map<String, HostObservation> hosts, Map<String, String> addresses) {
        /**
         * Copies the maps.
         *
         * @throws NullPointerException if something is null
         */
        public Manifests {
            hosts = Collections.unmodifiableMap(new LinkedHashMap<>(hosts));
            addresses = Map.copyOf(addresses);
        }
    }

    /**
     * Reads hosts, several at once. Changes nothing.
     *
     * @param names the hosts' names
     * @param state what is remembered
     * @param sessions where the sessions are kept
     * @return what is known of each
     */
    public Manifests observe(Collection<String> names, MeshState state, Sessions sessions) {
        return readAll(
                names, state, sessions, (session, host) -> session.facts(Manifest.query(), context.bootTimeout()));
    }

    /**
     * Reads hosts that are going to be changed, several at once. Unconfirmed changes of an earlier run are kept.
     *
     * @param names the hosts' names
     * @param state what is remembered
     * @param sessions where the sessions are kept
     * @param pin called for each host with the keys that were proved, before anything is sent to it
     * @return what is known of each
     */
    public Manifests observe(Collection<String> names, MeshState state, Sessions sessions, Pinning pin) {
        return readAll(names, state, sessions, (session, host) -> {
            pin.pin(host.name(), host.known().pinned(session.hostKey()), policy.jumpKeys(host.name(), session));
            return HostObserver.settled(session, Manifest.query(), context.bootTimeout());
        });
    }

    /** Keeps the host keys that were proved. */
    @FunctionalInterface
    public interface Pinning {
        /**
         * Called before anything is sent to a host.
         *
         * @param name its name
         * @param host what is remembered of it, with the key that it proved
         * @param jumpHosts the keys of the jump hosts on the way, by their paths
         */
        void pin(String name, HostState host, Map<String, HostKeyFingerprint> jumpHosts);
    }

    /** A host that a session was opened with. */
    private record Opened(String name, HostState known) {}

    private Manifests readAll(
            Collection<String> names,
            MeshState state,
            Sessions sessions,
            BiFunction<HostSession, Opened, HostFacts> reading) {
        Map<String, HostObservation> hosts = new TreeMap<>();
        for (String name : names) {
            if (inventory.gone().contains(name)) {
                hosts.put(name, new HostObservation.Absent());
            } else if (!inventory.logins().containsKey(name)) {
                hosts.put(
                        name,
                        new HostObservation.Unreachable(
                                HostException.of(ErrorCode.HOST_NOT_IN_INVENTORY, name, "", "find the host")
                                        .because(
                                                "it is not among the hosts that "
                                                        + context.provider().name() + " names",
                                                "Name it again so that it can be reached, or say with forget(…) that it no longer exists.")));
            }
        }
        Map<String, String> addresses = addresses(names, hosts);
        context.events()
                .expectOf(
                        MeshEvent.Verb.PLAN,
                        addresses.keySet().stream().map(HostObserver::reading).toList());
        Parallel.map(addresses.keySet(), context.parallelism(), name -> {
                    String address = Objects.requireNonNull(addresses.get(name));
                    HostState known = state.hosts().getOrDefault(name, HostState.adopted(address, name));
                    return read(new Opened(name, known), address, sessions, reading);
                })
                .forEach((name, result) -> hosts.put(
                        name,
                        result.failure() == null
                                ? result.orThrow()
                                : new HostObservation.Unreachable(result.failure())));
        return new Manifests(hosts, addresses);
    }

    private HostObservation read(
            Opened host, String address, Sessions sessions, BiFunction<HostSession, Opened, HostFacts> reading) {
        boolean read = false;
        try (Events.Task task = context.events().step(HostObserver.reading(host.name()))) {
            HostSession session = policy.openKnown(host.name(), address, host.known(), sessions, Timeouts.OBSERVE);
            sessions.add(host.name(), session);
            HostObservation seen = new HostObservation.Seen(
                    reading.apply(session, host), session.hostKey(), policy.jumpKeys(host.name(), session));
            read = true;
            task.done();
            return seen;
        } finally {
            if (!read) {
                sessions.close(host.name());
            }
        }
    }

    /** Where the named hosts are, as far as their names can be resolved. */
    private Map<String, String> addresses(Collection<String> names, Map<String, HostObservation> hosts) {
        Map<String, CloudHost> wanted = new TreeMap<>();
        Map<String, String> waiting = new HashMap<>();
        for (CloudHost host : context.provider().list(context.mesh())) {
            if (names.contains(host.name()) && !hosts.containsKey(host.name())) {
                wanted.put(host.name(), host);
                if (host.publicAddress().isEmpty()) {
                    waiting.put(host.id(), host.name());
                }
            }
        }
        if (!waiting.isEmpty()) {
            ProvisioningResult arrival =
                    context.provider().await(context.mesh(), waiting.keySet(), Timeouts.PROVISIONING);
            arrival.ready().forEach(host -> wanted.put(host.name(), host));
            arrival.missing().forEach((id, reason) -> {
                String name = Objects.requireNonNullElse(waiting.get(id), id);
                wanted.remove(name);
                hosts.put(
                        name,
                        new HostObservation.Unreachable(HostException.of(ErrorCode.ADDRESS_UNKNOWN, name, "", "connect")
                                .because(reason, "")));
            });
        }
        Map<String, String> addresses = new TreeMap<>();
        wanted.forEach((name, host) -> host.publicAddress().ifPresent(address -> addresses.put(name, address)));
        return addresses;
    }
}
