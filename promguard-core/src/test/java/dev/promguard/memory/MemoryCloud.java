package dev.promguard.memory;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Release;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudHost.Status;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Preflight;
import dev.promguard.spi.Price;
import dev.promguard.spi.ProvisioningResult;
import dev.promguard.spi.Rebuild;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * An account in a cloud whose machines are {@link MemoryMachine}s. As clouds do, it accepts an order before the host has an
 * address, may list late, and may make a host and lose the answer. Thread-safe.
 */
public class MemoryCloud implements CloudProvider {
    /** How many lists a host may be hidden from. */
    public static final int LONGEST_LAG = 70;

    private final List<String> unprotected = new ArrayList<>();
    private static final Price PRICE = new Price(new BigDecimal("6"), new BigDecimal("0.00893"));

    private final Map<String, Droplet> droplets = new LinkedHashMap<>();
    private final Map<String, SshPublicKey> accessKeys = new HashMap<>();
    private final Map<String, String> meshesOfKeys = new HashMap<>();
    private final Set<String> brokenRegions = new HashSet<>();
    private final Set<String> lateNames = new HashSet<>();
    private final Set<String> bootingNames = new HashSet<>();
    private final List<CreateOrder> orders = new ArrayList<>();
    private final List<Release> releases = new ArrayList<>();
    private int nextId = 1;
    private int lag;
    private boolean deletesLag;
    private int lostAnswers;
    private int batchSize = 10;
    private @Nullable ProviderException refusal;
    private @Nullable ProviderException awaitFailure;
    private @Nullable ProviderException resizeFailure;
    private @Nullable ProviderException tagRefusal;
    private boolean tellsTime = true;
    /** Its own time, in which every rebuild takes a minute. */
    private Instant now = Instant.parse("2031-05-06T07:08:09Z");

    private static final class Droplet {
        private final String mesh;
        private final MemoryMachine machine;
        private final List<Rebuild> rebuilds = new ArrayList<>();
        private CloudHost host;
        private int hiddenFor;
        private boolean tagged = true;

        Droplet(String mesh, MemoryMachine machine, CloudHost host, int hiddenFor) {
            this.mesh = mesh;
            this.machine = machine;
            this.host = host;
            this.hiddenFor = hiddenFor;
        }
    }

    /** Has the cloud's own firewall lack something, which the next ensureFirewall changes. */
    public synchronized void unprotect(String change) {
        unprotected.add(change);
    }

    /** Hides a new host from this many lists. */
    public synchronized void lag(int lists) {
        lag = lists;
    }

    /** Hides new hosts from deletions by attempt too, as long as from lists. */
    public synchronized void lagDeletions() {
        deletesLag = true;
    }

    /** Makes the hosts of this many orders and then does not answer. */
    public synchronized void loseAnswers(int answers) {
        lostAnswers = answers;
    }

    /** Refuses every order with this, until told otherwise by null. */
    public synchronized void refuse(@Nullable ProviderException with) {
        refusal = with;
    }

    /** Has no such region from now on. */
    public synchronized void close(String region) {
        brokenRegions.add(region);
    }

    /** Never gets a host of this name ready, until {@link #hurry()}. */
    public synchronized void delay(String name) {
        lateNames.add(name);
        notifyAll();
    }

    /** Somebody switches a host off, until {@link #hurry()}. */
    public synchronized void switchOff(String name) {
        lateNames.add(name);
        for (Droplet droplet : droplets.values()) {
            CloudHost host = droplet.host;
            if (host.name().equals(name)) {
                droplet.host = new CloudHost(
                        host.id(),
                        host.name(),
                        host.region(),
                        host.size(),
                        Status.OFF,
                        host.publicAddress(),
                        host.attempt(),
                        host.price());
            }
        }
    }

    /** Keeps a host of this name booting, and who awaits it waiting, until {@link #hurry()} or {@link #delay}. */
    public synchronized void keepBooting(String name) {
        bootingNames.add(name);
    }

    /** Has who awaits hosts that boot fail with this. */
    public synchronized void breakAwait(ProviderException with) {
        awaitFailure = with;
        notifyAll();
    }

    /** The cloud says something else of a host. */
    public synchronized void say(String name, UnaryOperator<CloudHost> change) {
        for (Droplet droplet : droplets.values()) {
            if (droplet.host.name().equals(name)) {
                droplet.host = change.apply(droplet.host);
            }
        }
    }

    /** Switches hosts off for another size, and fails with this. */
    public synchronized void breakResize(ProviderException with) {
        resizeFailure = with;
    }

    @Override
    public synchronized void resize(String mesh, String id, String size, Duration timeout) {
        endIfInterrupted();
        ProviderException failure = resizeFailure;
        if (failure != null) {
            droplets.values().stream()
                    .filter(droplet -> droplet.host.id().equals(id))
                    .map(droplet -> droplet.host.name())
                    .toList()
                    .forEach(this::switchOff);
            throw failure;
        }
        for (Droplet droplet : droplets.values()) {
            CloudHost host = droplet.host;
            if (host.id().equals(id)) {
                say(
                        host.name(),
                        old -> new CloudHost(
                                old.id(),
                                old.name(),
                                old.region(),
                                size,
                                old.status(),
                                old.publicAddress(),
                                old.attempt(),
                                old.price()));
            }
        }
    }

    @Override
    public synchronized void powerOn(String mesh, String id, Duration timeout) {
        endIfInterrupted();
        droplets.values().stream()
                .filter(droplet -> droplet.host.id().equals(id))
                .forEach(droplet -> activate(droplet));
    }

    /** No longer tells a host's address, as where its name does not resolve. */
    public synchronized void hideAddress(String name) {
        for (Droplet droplet : droplets.values()) {
            CloudHost host = droplet.host;
            if (host.name().equals(name)) {
                droplet.host = new CloudHost(
                        host.id(),
                        host.name(),
                        host.region(),
                        host.size(),
                        host.status(),
                        Optional.empty(),
                        host.attempt(),
                        host.price());
            }
        }
    }

    /** Gets every host ready again. */
    public synchronized void hurry() {
        lateNames.clear();
        bootingNames.clear();
        notifyAll();
    }

    /** Takes at most this many names an order. */
    public synchronized void batchSize(int names) {
        batchSize = names;
    }

    /** Serves a release from a mirror of its own. */
    public synchronized void serve(Release release) {
        releases.add(release);
    }

    /** The machine of a host, by the host's name. */
    public synchronized MemoryMachine machine(String name) {
        return droplets.values().stream()
                .filter(droplet -> droplet.host.name().equals(name))
                .map(droplet -> droplet.machine)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no host " + name));
    }

    /** Every machine of the account. */
    public synchronized List<MemoryMachine> machines() {
        return droplets.values().stream().map(droplet -> droplet.machine).toList();
    }

    /** The orders that reached the cloud. */
    public synchronized List<CreateOrder> orders() {
        return List.copyOf(orders);
    }

    /** The names of every host of the account, sorted. */
    public synchronized List<String> names() {
        return droplets.values().stream()
                .map(droplet -> droplet.host.name())
                .sorted()
                .toList();
    }

    /** How many login keys the account holds. */
    public synchronized int accessKeys() {
        return accessKeys.size();
    }

    /** Makes a host that nobody ordered, with a mesh's mark on it. */
    public synchronized MemoryMachine plant(String mesh, String name, Optional<String> attempt) {
        return make(mesh, name, "tor1", "s-1vcpu-1gb", attempt, MemoryMachine.unordered(address(nextId))).machine;
    }

    /** Somebody has a host's disk made anew. */
    public synchronized void rebuild(String name) {
        note(name, Rebuild.Status.COMPLETED);
        machine(name).rebuild();
    }

    /** Sets the cloud's clock. */
    public synchronized void time(Instant time) {
        now = time;
    }

    /** Somebody has a host's disk made anew from this time on. The cloud's clock stays. */
    public synchronized void rebuildAt(String name, Instant started) {
        droplet(name).rebuilds.add(new Rebuild(started, Rebuild.Status.COMPLETED));
        machine(name).rebuild();
    }

    /** Somebody had a host's disk made anew, and it did not work, or is not done. The host is as it was. */
    public synchronized void note(String name, Rebuild.Status status) {
        now = now.plusSeconds(30);
        Droplet droplet = droplets.values().stream()
                .filter(one -> one.host.name().equals(name))
                .findFirst()
                .orElseThrow();
        droplet.rebuilds.removeIf(rebuild -> rebuild.status() == Rebuild.Status.IN_PROGRESS);
        droplet.rebuilds.add(new Rebuild(now, status));
        now = now.plusSeconds(30);
    }

    /** Keeps its time to itself. */
    public synchronized void hideClock() {
        tellsTime = false;
    }

    /** Somebody gives a host another name in the cloud's own pages. */
    public synchronized void rename(String name, String to) {
        Droplet droplet = droplet(name);
        droplet.host = droplet.host.withName(to);
    }

    /** Somebody takes the mesh's tag off a host. */
    public synchronized void untag(String name) {
        droplet(name).tagged = false;
    }

    /** Whether a host carries its mesh's tag. */
    public synchronized boolean isTagged(String name) {
        return droplet(name).tagged;
    }

    /** Puts no tag on any host, until told otherwise by null. */
    public synchronized void refuseTags(@Nullable ProviderException with) {
        tagRefusal = with;
    }

    private Droplet droplet(String name) {
        return droplets.values().stream()
                .filter(droplet -> droplet.host.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no host " + name));
    }

    /** Takes a host away without PromGuard, as a user might in the cloud's own pages. */
    public synchronized void vanish(String name) {
        droplets.values().removeIf(droplet -> droplet.host.name().equals(name));
    }

    Optional<MemoryMachine> machineAt(String address) {
        synchronized (this) {
            return droplets.values().stream()
                    .map(droplet -> droplet.machine)
                    .filter(machine -> machine.address().equals(address))
                    .findFirst();
        }
    }

    @Override
    public String name() {
        return "Memory";
    }

    @Override
    public synchronized Preflight preflight(List<HostOrder> wanted) {
        endIfInterrupted();
        List<String> problems = new ArrayList<>();
        Map<String, Price> prices = new HashMap<>();
        for (HostOrder order : wanted) {
            if (brokenRegions.contains(order.region())) {
                problems.add("region \"" + order.region() + "\" of " + order.name() + " does not exist: use another");
            }
            prices.put(order.name(), PRICE);
        }
        return new Preflight(problems, prices);
    }

    @Override
    public synchronized List<CloudHost> list(String mesh) {
        endIfInterrupted();
        List<CloudHost> listed = new ArrayList<>();
        for (Droplet droplet : droplets.values()) {
            if (droplet.mesh.equals(mesh) && droplet.tagged) {
                if (droplet.hiddenFor > 0) {
                    droplet.hiddenFor--;
                } else {
                    listed.add(droplet.host);
                }
            }
        }
        listed.sort(Comparator.comparing(CloudHost::name).thenComparing(CloudHost::id));
        return List.copyOf(listed);
    }

    /** At a millisecond between two lists, a little longer than the longest lag of the tests. */
    @Override
    public Duration listLag() {
        return Duration.ofMillis(LONGEST_LAG);
    }

    @Override
    public synchronized List<FoundHost> find(String mesh, Collection<String> ids) {
        endIfInterrupted();
        return droplets.values().stream()
                .filter(droplet -> ids.contains(droplet.host.id()))
                .map(droplet -> new FoundHost(droplet.host, droplet.tagged && droplet.mesh.equals(mesh)))
                .sorted(Comparator.comparing(found -> found.host().id()))
                .toList();
    }

    @Override
    public synchronized void tag(String mesh, Collection<String> ids) {
        endIfInterrupted();
        if (tagRefusal != null) {
            throw tagRefusal;
        }
        for (String id : ids) {
            Droplet droplet = droplets.get(id);
            if (droplet == null || !droplet.mesh.equals(mesh)) {
                throw new ProviderException(
                        ErrorCode.PROVIDER_REFUSED,
                        "no host " + id + " to put the tag on",
                        404,
                        "not_found",
                        null,
                        false,
                        null);
            }
            droplet.tagged = true;
        }
    }

    @Override
    public synchronized AccessKey registerAccessKey(String mesh, SshPublicKey key) {
        endIfInterrupted();
        String id = key.fingerprint().text();
        accessKeys.put(id, key);
        meshesOfKeys.put(id, mesh);
        return new AccessKey(id, id, true);
    }

    @Override
    public synchronized List<String> planFirewall(String mesh, Set<Integer> wireGuardPorts) {
        return List.copyOf(unprotected);
    }

    @Override
    public synchronized List<String> ensureFirewall(String mesh, Set<Integer> wireGuardPorts) {
        List<String> changed = List.copyOf(unprotected);
        unprotected.clear();
        return changed;
    }

    @Override
    public synchronized int batchSize() {
        return batchSize;
    }

    @Override
    public synchronized List<CloudHost> create(CreateOrder order) {
        endIfInterrupted();
        if (refusal != null) {
            throw refusal;
        }
        SshPublicKey login = accessKeys.get(order.accessKey().id());
        if (login == null) {
            throw new ProviderException(
                    ErrorCode.PROVIDER_REFUSED, "no such access key", 422, "unprocessable_entity", null, false, null);
        }
        if (order.names().size() > batchSize) {
            throw new ProviderException(
                    ErrorCode.PROVIDER_REFUSED, "too many names", 422, "unprocessable_entity", null, false, null);
        }
        orders.add(order);
        List<CloudHost> made = new ArrayList<>();
        for (String name : order.names()) {
            MemoryMachine machine = order.userData()
                    .useText(userData -> MemoryMachine.ordered(address(nextId), order.image(), login, userData));
            made.add(
                    make(order.mesh(), name, order.region(), order.size(), Optional.of(order.attempt()), machine).host);
        }
        if (lostAnswers > 0) {
            lostAnswers--;
            throw new ProviderException(ErrorCode.PROVIDER_REFUSED, "no answer came", null, null, null, true, null);
        }
        return List.copyOf(made);
    }

    private Droplet make(
            String mesh, String name, String region, String size, Optional<String> attempt, MemoryMachine machine) {
        String id = String.valueOf(nextId++);
        CloudHost host =
                new CloudHost(id, name, region, size, Status.NEW, Optional.empty(), attempt, Optional.of(PRICE));
        Droplet droplet = new Droplet(mesh, machine, host, lag);
        droplets.put(id, droplet);
        return droplet;
    }

    private static String address(int id) {
        return "127.77." + id / 250 + '.' + (id % 250 + 1);
    }

    @Override
    public ProvisioningResult await(String mesh, Set<String> ids, Duration timeout, Consumer<CloudHost> report) {
        long end = System.nanoTime() + timeout.toNanos();
        Set<String> open = new LinkedHashSet<>(ids);
        List<CloudHost> ready = new ArrayList<>();
        Map<String, String> missing = new HashMap<>();
        endIfInterrupted();
        while (!open.isEmpty()) {
            List<CloudHost> fresh = awaitSome(mesh, open, timeout, end, missing);
            ready.addAll(fresh);
            fresh.forEach(report);
        }
        return new ProvisioningResult(ready, missing);
    }

    /** PollIntervals until some hosts are ready or known not to come, and takes these out of the open ones. */
    private synchronized List<CloudHost> awaitSome(
            String mesh, Set<String> open, Duration timeout, long end, Map<String, String> missing) {
        List<CloudHost> fresh = new ArrayList<>();
        while (true) {
            boolean over = System.nanoTime() >= end;
            for (String id : List.copyOf(open)) {
                Droplet droplet = droplets.get(id);
                if (droplet == null || !droplet.mesh.equals(mesh) || !droplet.tagged) {
                    missing.put(id, "it has vanished. Run apply again.");
                } else if (lateNames.contains(droplet.host.name()) || over) {
                    missing.put(id, "it was not active in " + timeout.toSeconds() + " s. Run apply again.");
                } else if (!bootingNames.contains(droplet.host.name())) {
                    fresh.add(activate(droplet));
                    open.remove(id);
                }
            }
            open.removeAll(missing.keySet());
            if (open.isEmpty() || !fresh.isEmpty()) {
                return fresh;
            }
            if (awaitFailure != null) {
                throw awaitFailure;
            }
            try {
                wait(Math.max(1, Duration.ofNanos(end - System.nanoTime()).toMillis()));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                endIfInterrupted();
            }
        }
    }

    private static CloudHost activate(Droplet droplet) {
        CloudHost host = droplet.host;
        droplet.host = new CloudHost(
                host.id(),
                host.name(),
                host.region(),
                host.size(),
                Status.ACTIVE,
                Optional.of(droplet.machine.address()),
                host.attempt(),
                host.price());
        return droplet.host;
    }

    @Override
    public synchronized void delete(String mesh, Collection<String> ids, Duration timeout) {
        endIfInterrupted();
        for (String id : ids) {
            Droplet droplet = droplets.get(id);
            if (droplet != null && droplet.mesh.equals(mesh) && droplet.tagged) {
                droplets.remove(id);
            }
        }
    }

    @Override
    public synchronized void deleteAttempts(String mesh, Collection<String> attempts, Duration timeout) {
        endIfInterrupted();
        droplets.values()
                .removeIf(droplet -> droplet.mesh.equals(mesh)
                        && droplet.host.attempt().filter(attempts::contains).isPresent()
                        && !(deletesLag && droplet.hiddenFor-- > 0));
    }

    @Override
    public synchronized Optional<Instant> clock() {
        endIfInterrupted();
        return Optional.of(now).filter(time -> tellsTime);
    }

    @Override
    public synchronized List<Rebuild> rebuilds(String mesh, String id) {
        endIfInterrupted();
        Droplet droplet = droplets.get(id);
        return droplet == null || !droplet.mesh.equals(mesh) ? List.of() : List.copyOf(droplet.rebuilds);
    }

    @Override
    public synchronized void cleanUp(String mesh, Optional<AccessKey> key) {
        endIfInterrupted();
        accessKeys.keySet().removeIf(id -> mesh.equals(meshesOfKeys.get(id)));
    }

    @Override
    public synchronized List<Release> releases() {
        return List.copyOf(releases);
    }

    private static void endIfInterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new ProviderException(ErrorCode.CANCELLED, "interrupted", null, null, null, true, null);
        }
    }
}
