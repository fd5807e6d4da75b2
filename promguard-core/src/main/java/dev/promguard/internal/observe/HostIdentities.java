package dev.promguard.internal.observe;

import dev.promguard.host.HostProblem;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What each host of a cloud is to a mesh. A host is known by the id in the state, or by the attempt and name of an open create
 * intent; its name, tag and address may have been changed by others. Pure.
 *
 * @param managed the hosts that exist and are the mesh's, by the mesh's name for them
 * @param duplicates hosts of an open create intent whose name another host has already: the mesh's too, and too many
 * @param unmanaged hosts that carry the mesh's tag, and that neither the state nor an open create intent knows
 * @param gone the names of hosts in the state that no longer exist
 * @param adopted the names of hosts that somebody else created and the user has adopted, by the login key that they are to admit
 * @param unadoptable why hosts cannot be adopted, each with its remedy
 */
public record HostIdentities(
        Map<String, Managed> managed,
        List<CloudHost> duplicates,
        List<CloudHost> unmanaged,
        Set<String> gone,
        Map<String, SshPublicKey> adopted,
        List<HostProblem> unadoptable) {
    /** Where no host can be anything but what it is called. */
    public static final HostIdentities NONE = new HostIdentities(Map.of(), List.of(), List.of(), Set.of());

    public HostIdentities {
        managed = Collections.unmodifiableMap(new TreeMap<>(managed));
        duplicates = List.copyOf(duplicates);
        unmanaged = List.copyOf(unmanaged);
        gone = Collections.unmodifiableSet(new TreeSet<>(gone));
        adopted = Map.copyOf(adopted);
        unadoptable = List.copyOf(unadoptable);
    }

    /** Where nothing is adopted. */
    public HostIdentities(
            Map<String, Managed> managed, List<CloudHost> duplicates, List<CloudHost> unmanaged, Set<String> gone) {
        this(managed, duplicates, unmanaged, gone, Map.of(), List.of());
    }

    /**
     * A host of the mesh.
     *
     * @param host the host, under the mesh's name for it
     * @param cloudName its name in the cloud
     * @param tagged whether it carries the mesh's tag
     * @param intent the create intent that it is known by; empty if the state knows its id
     */
    public record Managed(CloudHost host, String cloudName, boolean tagged, Optional<CreateIntent> intent) {
        public Optional<String> renamed() {
            return host.name().equals(cloudName) ? Optional.empty() : Optional.of(cloudName);
        }
    }

    /**
     * Classifies hosts.
     *
     * @param state what is remembered
     * @param listed every host that carries the mesh's tag
     * @param found the hosts that were looked up by the ids that the list lacks
     */
    public static HostIdentities of(MeshState state, List<CloudHost> listed, List<FoundHost> found) {
        Map<String, FoundHost> hosts =
                new TreeMap<>(Comparator.comparing(String::length).thenComparing(id -> id));
        found.forEach(host -> hosts.put(host.host().id(), host));
        listed.forEach(host -> hosts.put(host.id(), new FoundHost(host, true)));
        Map<String, String> namesById = new HashMap<>();
        state.hosts().forEach((name, host) -> host.providerId().ifPresent(id -> namesById.putIfAbsent(id, name)));

        Map<String, Managed> managed = new LinkedHashMap<>();
        List<CloudHost> others = new ArrayList<>();
        hosts.forEach((id, host) -> {
            String name = namesById.get(id);
            if (name != null) {
                managed.put(
                        name,
                        new Managed(host.host().withName(name), host.host().name(), host.tagged(), Optional.empty()));
            } else if (host.tagged()) {
                others.add(host.host());
            }
        });
        List<CloudHost> duplicates = new ArrayList<>();
        List<CloudHost> unmanaged = new ArrayList<>();
        for (CloudHost host : others) {
            Optional<CreateIntent> intent = intent(state, host);
            if (intent.isEmpty()) {
                unmanaged.add(host);
            } else if (managed.putIfAbsent(host.name(), new Managed(host, host.name(), true, intent)) != null) {
                duplicates.add(host);
            }
        }
        Set<String> gone = new HashSet<>(state.hosts().keySet());
        gone.removeAll(managed.keySet());
        return new HostIdentities(managed, duplicates, unmanaged, gone);
    }

    /**
     * The same, where unmanaged hosts that the user has adopted are managed.
     *
     * @param names the names of hosts to adopt
     * @param state what is remembered
     * @param key the login key that they are to admit
     * @return a copy
     */
    public HostIdentities adopting(Set<String> names, MeshState state, SshPublicKey key) {
        Map<String, Managed> allManaged = new TreeMap<>(managed);
        List<CloudHost> others = new ArrayList<>(unmanaged);
        Set<String> stillGone = new TreeSet<>(gone);
        Map<String, SshPublicKey> all = new TreeMap<>();
        List<HostProblem> problems = new ArrayList<>();
        for (String name : new TreeSet<>(names)) {
            HostState known = state.hosts().get(name);
            List<CloudHost> candidates =
                    unmanaged.stream().filter(host -> host.name().equals(name)).toList();
            if (managed.containsKey(name)) {
                // One that an earlier run began to adopt, until it admits the login key.
                if (known != null && known.bootstrapKey().isEmpty()) {
                    all.put(name, key);
                }
            } else if (candidates.size() == 1) {
                CloudHost host = candidates.get(0);
                allManaged.put(name, new Managed(host, name, true, Optional.empty()));
                others.remove(host);
                stillGone.remove(name);
                all.put(name, key);
            } else if (candidates.size() > 1) {
                problems.add(new HostProblem(
                        "adopt(\"" + name + "\"): several hosts of this name carry the mesh's tag, with the ids "
                                + candidates.stream().map(CloudHost::id).collect(Collectors.joining(", ")),
                        "Take the tag off those that are not to be adopted, or delete them with deleteUnmanaged(id)."));
            } else if (known == null) {
                problems.add(new HostProblem(
                        "adopt(\"" + name + "\"): no host of this name carries the mesh's tag",
                        "Put the tag on it, or leave adopt(…) out: apply then creates it."));
            }
        }
        return new HostIdentities(allManaged, duplicates, others, stillGone, all, problems);
    }

    private static Optional<CreateIntent> intent(MeshState state, CloudHost host) {
        return state.intents().stream()
                .filter(intent -> host.attempt().equals(Optional.of(intent.attempt())))
                .filter(intent -> intent.names().contains(host.name()))
                .findFirst();
    }

    /** The host's name in the cloud, if it has another one there. */
    public Optional<String> renamed(String name) {
        return Optional.ofNullable(managed.get(name)).flatMap(Managed::renamed);
    }

    /** Whether a host of the mesh exists and has lost the mesh's tag. */
    public boolean hasLostItsTag(String name) {
        Managed host = managed.get(name);
        return host != null && !host.tagged();
    }

    /** The mesh's own hosts, the duplicates among them. */
    public List<CloudHost> own() {
        List<CloudHost> own = new ArrayList<>(duplicates);
        managed.values().forEach(host -> own.add(host.host()));
        own.sort(Comparator.comparing(CloudHost::name).thenComparing(CloudHost::id));
        return List.copyOf(own);
    }

    /**
     * The unmanaged hosts, except those from orders whose outcome was lost: destroying the mesh deletes these too.
     *
     * @param attempts the attempts of these orders
     * @return identities of the other unmanaged hosts alone
     */
    public HostIdentities withoutAttempts(Set<String> attempts) {
        return new HostIdentities(
                new TreeMap<>(),
                List.of(),
                unmanaged.stream()
                        .filter(host ->
                                host.attempt().filter(attempts::contains).isEmpty())
                        .toList(),
                Set.of());
    }

    /**
     * Why apply refuses: hosts that are not this mesh's to change or delete, as far as its state tells.
     *
     * @param store where the state is
     * @return at most one problem, which names each such host and the ways out
     */
    public List<HostProblem> problems(String store) {
        if (unmanaged.isEmpty()) {
            return List.of();
        }
        List<String> names = unmanaged.stream()
                .map(host -> host.name() + " (id " + host.id() + ")")
                .toList();
        List<String> ids = unmanaged.stream().map(host -> '"' + host.id() + '"').toList();
        boolean one = unmanaged.size() == 1;
        return List.of(new HostProblem(
                String.join(", ", names) + (one ? " carries" : " carry") + " this mesh's tag, but " + store
                        + " does not know " + (one ? "it" : "them"),
                "PromGuard changes and deletes only hosts that it knows. To adopt " + (one ? "it" : "them")
                        + ", use the state folder that " + (one ? "it was" : "they were")
                        + " created with, or rebuild a lost one with recover(…); to adopt one that was created by hand, name it in the"
                        + " spec and with adopt(…); if another program uses this name, choose another with name(…); to delete "
                        + (one ? "it" : "them") + ", call deleteUnmanaged(" + String.join(", ", ids) + ")."));
    }
}
