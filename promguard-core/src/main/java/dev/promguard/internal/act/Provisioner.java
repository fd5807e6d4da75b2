package dev.promguard.internal.act;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.InvalidMeshException;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.HostProblem;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.observe.HostIdentities;
import dev.promguard.internal.observe.Observation;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.LoginKeys;
import dev.promguard.internal.run.Parallel;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.internal.text.StableIds;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.ProvisioningResult;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * Creates hosts. The intent is in the state before a create is sent, each attempt has a tag of its own, and what the cloud
 * accepted is in the state before anything else happens to it.
 */
final class Provisioner {
    private static final String STEP = "wait until active";

    /** How much of creating a host and setting it up is done when it is ordered, and when it is active. */
    private static final double ACCEPTED = 0.1;

    private static final double ACTIVE = 0.2;

    private final Context context;
    private final StateJournal journal;
    private final Outcome.Recorder outcome;

    Provisioner(Context context, StateJournal journal, Outcome.Recorder outcome) {
        this.context = context;
        this.journal = journal;
        this.outcome = outcome;
    }

    /** Makes the SSH login key of a mesh without hosts. Hosts that exist, or may exist, admit none but their own, which the run has insisted on. */
    void ensureLoginKey(Roster roster) {
        if (!context.isInventory() && !roster.mayHaveHosts()) {
            new LoginKeys(context).ensure();
        }
    }

    /** Orders hosts, and returns those that the cloud accepted, by name. What it did not accept is a failure of those hosts. */
    Map<String, CloudHost> create(Blueprint blueprint, List<HostOrder> missing) {
        SshPublicKey publicKey = new LoginKeys(context).publicKey();
        missing.forEach(order -> context.events().step(HostDecision.creation(order.name())));
        Map<String, Events.Task> orders = new TreeMap<>();
        missing.forEach(order -> orders.put(
                order.name(),
                context.events()
                        .task(
                                order.name(),
                                "order it from " + context.provider().name())));
        AccessKey accessKey = context.provider().registerAccessKey(context.mesh(), publicKey);
        journal.update(state -> state.with(accessKey));
        refuseUnmanaged();

        byte[] random = new byte[8];
        context.random().nextBytes(random);
        String attempt = HexFormat.of().formatHex(random);
        Map<String, CloudHost> created = new TreeMap<>();
        Parallel.map(
                        batches(blueprint, missing),
                        context.parallelism(),
                        batch -> create(blueprint, attempt, batch, accessKey))
                .forEach((batch, result) -> {
                    RuntimeException failure = result.failure();
                    if (failure != null) {
                        batch.forEach(order -> {
                            outcome.failed(order.name(), failure);
                            context.events().failed(order.name(), "create");
                        });
                    } else {
                        result.orThrow().forEach(host -> {
                            created.put(host.name(), host);
                            outcome.changed(host.name(), "create", false, List.of(StableIds.ofHost(host.name())));
                            Objects.requireNonNull(orders.get(host.name())).done();
                            context.events().share(host.name(), ACCEPTED);
                        });
                    }
                });
        return created;
    }

    /**
     * Observes once more whether another program has created hosts of the same mesh.
     *
     * @throws InvalidMeshException if it has
     */
    void refuseUnmanaged() {
        List<String> problems = HostIdentities.of(
                        journal.state(), context.provider().list(context.mesh()), List.of())
                .problems(context.store().describe(context.mesh()))
                .stream()
                .map(HostProblem::text)
                .toList();
        if (!problems.isEmpty()) {
            throw new InvalidMeshException(ErrorCode.UNMANAGED_HOSTS, context.mesh(), problems);
        }
    }

    /** Hosts that differ only in name go together, at most as many as the provider takes in one call. */
    private List<List<HostOrder>> batches(Blueprint blueprint, List<HostOrder> missing) {
        record Kind(String role, String region, String size, String image) {}
        Map<Kind, List<HostOrder>> kinds = new LinkedHashMap<>();
        for (HostOrder order : missing) {
            Kind kind = new Kind(blueprint.host(order.name()).role().id(), order.region(), order.size(), order.image());
            kinds.computeIfAbsent(kind, key -> new ArrayList<>()).add(order);
        }
        int most = context.provider().batchSize();
        List<List<HostOrder>> batches = new ArrayList<>();
        for (List<HostOrder> orders : kinds.values()) {
            for (int from = 0; from < orders.size(); from += most) {
                batches.add(List.copyOf(orders.subList(from, Math.min(from + most, orders.size()))));
            }
        }
        return batches;
    }

    private List<CloudHost> create(Blueprint blueprint, String attempt, List<HostOrder> batch, AccessKey accessKey) {
        List<String> names = batch.stream().map(HostOrder::name).toList();
        HostOrder first = batch.get(0);
        try (SshKeyPair hostKey = SshKeyPair.generate(context.random());
                Secret userData = UserData.withHostKey(hostKey)) {
            HostKeyFingerprint bootstrap = hostKey.publicKey().fingerprint();
            CreateIntent intent = new CreateIntent(attempt, names, bootstrap);
            journal.update(state -> state.intending(intent));
            List<CloudHost> accepted = send(
                    intent,
                    new CreateOrder(
                            context.mesh(),
                            attempt,
                            blueprint.host(first.name()).role().id(),
                            names,
                            first.region(),
                            first.size(),
                            first.image(),
                            accessKey,
                            userData));
            journal.update(state -> {
                MeshState changed = state;
                for (CloudHost host : accepted) {
                    changed = changed.with(
                            host.name(),
                            HostState.created(blueprint.host(host.name()).address(), host.id(), bootstrap));
                }
                return changed.settled(intent);
            });
            return accepted;
        }
    }

    /** Sends an order. Unless the cloud refuses it, a failure leaves the intent in place, because the order may have been carried out. */
    private List<CloudHost> send(CreateIntent intent, CreateOrder order) {
        try {
            return context.provider().create(order);
        } catch (ProviderException e) {
            if (isRefusal(e)) {
                journal.update(state -> state.settled(intent));
            }
            throw e;
        }
    }

    private static boolean isRefusal(ProviderException e) {
        int status = e.status().orElse(0);
        return !e.retryable() && status >= 400 && status < 500;
    }

    /** Waits for hosts, and reports each as soon as it is ready or has failed. */
    void await(Map<String, CloudHost> waiting, Observation.ReadyHosts.Listener listener) {
        Map<String, String> open = new TreeMap<>();
        waiting.forEach((name, host) -> open.put(host.id(), name));
        Map<String, Events.Task> waits = new TreeMap<>();
        waiting.keySet().forEach(name -> waits.put(name, context.events().task(name, STEP)));
        try {
            ProvisioningResult arrival = context.provider()
                    .await(context.mesh(), Set.copyOf(open.keySet()), Timeouts.PROVISIONING, host -> {
                        String name = Objects.requireNonNull(open.remove(host.id()), host.id());
                        Objects.requireNonNull(waits.get(name)).done();
                        context.events().share(name, ACTIVE);
                        listener.ready(name, host.withName(name));
                    });
            open.forEach((id, name) -> listener.failed(
                    name,
                    HostException.of(ErrorCode.HOST_NOT_READY, name, "", STEP)
                            .because(
                                    Objects.requireNonNullElse(
                                            arrival.missing().get(id), "the provider reports nothing about it"),
                                    "")));
        } catch (ProviderException e) {
            open.values().forEach(name -> listener.failed(name, e));
        }
    }
}
