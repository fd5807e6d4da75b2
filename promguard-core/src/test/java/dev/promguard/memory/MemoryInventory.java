package dev.promguard.memory;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostCertificates;
import dev.promguard.spi.HostInventory;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Identity;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Login;
import dev.promguard.spi.Preflight;
import dev.promguard.spi.ProvisioningResult;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/** Machines that were there before any mesh. Thread-safe. */
public final class MemoryInventory implements CloudProvider {
    private final SshKeyPair identity = SshKeyPair.generate(new SecureRandom());
    private final Map<String, MemoryMachine> machines = new TreeMap<>();
    private final Map<String, Login> logins = new TreeMap<>();
    private final Set<String> gone = new TreeSet<>();

    /** Has a machine whose host key the user gives. */
    public synchronized MemoryMachine host(String name, String user, int port) {
        MemoryMachine machine = machine(name);
        logins.put(
                name,
                Login.of(user).port(port).hostKeys(Set.of(machine.hostKey())).build());
        return machine;
    }

    /** Has a machine whose host key is trusted on first use. */
    public synchronized MemoryMachine trusted(String name) {
        MemoryMachine machine = machine(name);
        logins.put(name, Login.of("root").trustOnFirstUse(true).build());
        return machine;
    }

    /** Has a machine that proves itself by a certificate. */
    public synchronized MemoryMachine certified(String name, HostKeyFingerprint authority) {
        MemoryMachine machine = machine(name);
        machine.certifiedBy(authority);
        logins.put(
                name,
                Login.of("root")
                        .certificates(new HostCertificates(Set.of(authority), name + ".example.com"))
                        .build());
        return machine;
    }

    /** Has a machine behind jump hosts, whose host key is trusted on first use as theirs are. */
    public synchronized MemoryMachine behind(String name, JumpHost... jumpHosts) {
        MemoryMachine machine = machine(name);
        logins.put(
                name,
                Login.of("root")
                        .trustOnFirstUse(true)
                        .jumpHosts(List.of(jumpHosts))
                        .build());
        return machine;
    }

    /** Gives another host key for a machine than it has. */
    public synchronized void mistake(String name) {
        logins.put(
                name,
                Login.of("root")
                        .hostKeys(Set.of(new HostKeyFingerprint("SHA256:" + "x".repeat(43))))
                        .build());
    }

    /** Does not name a machine any more, which is there all the same. */
    public synchronized void unname(String name) {
        logins.remove(name);
    }

    /** Names a machine otherwise. */
    public synchronized void rename(String name, String to) {
        machines.put(to, Objects.requireNonNull(machines.remove(name), name));
        logins.put(to, Objects.requireNonNull(logins.remove(name), name));
    }

    /** Says that a machine is gone for good. */
    public synchronized void forget(String name) {
        logins.remove(name);
        gone.add(name);
    }

    private MemoryMachine machine(String name) {
        return machines.computeIfAbsent(
                name, none -> MemoryMachine.existing("203.0.113." + (machines.size() + 10), identity.publicKey()));
    }

    synchronized List<MemoryMachine> machines() {
        return List.copyOf(machines.values());
    }

    synchronized Optional<MemoryMachine> machineAt(String address) {
        return machines.values().stream()
                .filter(machine -> machine.address().equals(address))
                .findFirst();
    }

    @Override
    public String name() {
        return "MemoryInventory";
    }

    @Override
    public synchronized Optional<HostInventory> inventory() {
        return Optional.of(
                HostInventory.of(logins, Identity.ofKey(identity.privateKey())).withGone(gone));
    }

    @Override
    public synchronized Preflight preflight(List<HostOrder> orders) {
        endIfInterrupted();
        List<String> unknown = orders.stream().map(HostOrder::name).sorted().toList();
        return new Preflight(
                unknown.isEmpty()
                        ? List.of()
                        : List.of("no such host: " + String.join(", ", unknown) + "; there are "
                                + String.join(", ", logins.keySet())),
                Map.of());
    }

    @Override
    public synchronized List<CloudHost> list(String mesh) {
        endIfInterrupted();
        List<CloudHost> hosts = new ArrayList<>();
        logins.keySet().forEach(name -> hosts.add(host(name)));
        return List.copyOf(hosts);
    }

    private CloudHost host(String name) {
        return new CloudHost(
                name,
                name,
                "existing",
                "existing",
                CloudHost.Status.ACTIVE,
                Optional.of(Objects.requireNonNull(machines.get(name)).address()),
                Optional.empty(),
                Optional.empty());
    }

    @Override
    public synchronized ProvisioningResult await(
            String mesh, Set<String> ids, Duration timeout, Consumer<CloudHost> report) {
        List<CloudHost> ready = new ArrayList<>();
        Map<String, String> missing = new HashMap<>();
        for (String id : ids) {
            if (logins.containsKey(id)) {
                ready.add(host(id));
            } else {
                missing.put(id, "there is no such host");
            }
        }
        ready.forEach(report);
        return new ProvisioningResult(ready, missing);
    }

    @Override
    public AccessKey registerAccessKey(String mesh, SshPublicKey key) {
        throw makesNone();
    }

    @Override
    public int batchSize() {
        return 1;
    }

    @Override
    public List<CloudHost> create(CreateOrder order) {
        throw makesNone();
    }

    @Override
    public void delete(String mesh, Collection<String> ids, Duration timeout) {
        if (!ids.isEmpty()) {
            throw makesNone();
        }
    }

    @Override
    public void deleteAttempts(String mesh, Collection<String> attempts, Duration timeout) {
        throw makesNone();
    }

    @Override
    public List<FoundHost> find(String mesh, Collection<String> ids) {
        throw makesNone();
    }

    @Override
    public void tag(String mesh, Collection<String> ids) {
        throw makesNone();
    }

    @Override
    public void cleanUp(String mesh, Optional<AccessKey> key) {
        endIfInterrupted();
    }

    private static ProviderException makesNone() {
        return new ProviderException(ErrorCode.MISUSE, "no host is made or deleted here");
    }

    private static void endIfInterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new ProviderException(ErrorCode.CANCELLED, "interrupted", null, null, null, true, null);
        }
    }
}
