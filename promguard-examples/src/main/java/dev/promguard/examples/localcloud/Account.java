package dev.promguard.examples.localcloud;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the account holds: keys, droplets, their actions and snapshots, tags, firewalls, private networks. One lock guards it all;
 * machines are worked on outside of it.
 */
final class Account {
    /** Makes the machine of a droplet, or none where droplets are only records. */
    @FunctionalInterface
    interface Bodies {
        @Nullable
        Machine make(Droplet droplet);
    }

    /** A droplet that was accepted, and the action that brings it up. */
    record Started(Droplet droplet, Action action) {}

    private static final Logger LOG = LoggerFactory.getLogger(Account.class);
    private static final int FIRST_HOST = 10;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Long, SshKey> keys = new LinkedHashMap<>();
    private final Map<Long, Droplet> droplets = new LinkedHashMap<>();
    private final Map<Long, Action> actions = new LinkedHashMap<>();
    /** When each tag was made; the API knows no difference between a tag and the same in other case. */
    private final Map<String, Instant> tags = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

    private final Map<Long, Catalog.Image> snapshots = new LinkedHashMap<>();
    private final Map<String, Firewall> firewalls = new LinkedHashMap<>();
    private final Map<String, Vpc> vpcs = new LinkedHashMap<>();
    private final BitSet hosts = new BitSet();
    private final Network network;
    private final Bodies bodies;
    private final Faults faults;
    private final ExecutorService workers;
    private final int dropletLimit;
    private long lastKey = 41_000_000;
    private long lastDroplet = 512_000_000;
    private long lastAction = 2_300_000_000L;
    private long lastSnapshot = 198_000_000;

    Account(
            Network network,
            Bodies bodies,
            Faults faults,
            ExecutorService workers,
            int dropletLimit,
            Collection<String> regions) {
        this.network = network;
        this.bodies = bodies;
        this.faults = faults;
        this.workers = workers;
        this.dropletLimit = dropletLimit;
        for (String region : regions) {
            Vpc vpc = Vpc.ofRegion(region, network.privateRange());
            vpcs.put(vpc.id(), vpc);
        }
    }

    int dropletLimit() {
        return Math.min(dropletLimit, faults.dropletLimit());
    }

    Faults faults() {
        return faults;
    }

    /** Runs something with everything held still. */
    <T> T locked(Supplier<T> task) {
        lock.lock();
        try {
            return task.get();
        } finally {
            lock.unlock();
        }
    }

    Collection<SshKey> keys() {
        return locked(() -> List.copyOf(keys.values()));
    }

    SshKey addKey(String name, String publicKey) {
        return locked(() -> {
            SshKey key = SshKey.parse(lastKey + 1, name, publicKey);
            if (keys.values().stream().anyMatch(k -> k.fingerprint().equals(key.fingerprint()))) {
                throw Refusal.unprocessable("SSH Key is already in use on your account");
            }
            lastKey++;
            keys.put(key.id(), key);
            return key;
        });
    }

    Optional<SshKey> key(String idOrFingerprint) {
        return keys().stream()
                .filter(k -> k.fingerprint().equals(idOrFingerprint)
                        || Long.toString(k.id()).equals(idOrFingerprint))
                .findFirst();
    }

    boolean removeKey(SshKey key) {
        return locked(() -> keys.remove(key.id()) != null);
    }

    List<Droplet> droplets(Predicate<Droplet> which) {
        return locked(() -> droplets.values().stream().filter(which).toList());
    }

    Optional<Droplet> droplet(long id) {
        return locked(() -> Optional.ofNullable(droplets.get(id)));
    }

    Collection<Action> actions() {
        return locked(() -> List.copyOf(actions.values()));
    }

    Optional<Action> action(long id) {
        return locked(() -> Optional.ofNullable(actions.get(id)));
    }

    /** The tags that are at least this old, in the case they were first written in. */
    Collection<String> tags(Duration age) {
        return locked(() -> tags.entrySet().stream()
                .filter(tag -> !tag.getValue().plus(age).isAfter(Instant.now()))
                .map(Map.Entry::getKey)
                .toList());
    }

    /** A tag in the case it was first written in, if there is one. */
    Optional<String> tag(String name) {
        return locked(
                () -> tags.keySet().stream().filter(name::equalsIgnoreCase).findFirst());
    }

    /** Makes a tag unless it is there. Returns it in the case it was first written in. */
    String addTag(String name) {
        return locked(() -> {
            tags.putIfAbsent(name, Instant.now());
            return tag(name).orElseThrow();
        });
    }

    /** Takes a tag off everything, and away. */
    boolean removeTag(String name) {
        return locked(() -> {
            droplets.values().forEach(d -> d.tags().removeIf(name::equalsIgnoreCase));
            for (Firewall firewall : firewalls.values()) {
                TreeSet<String> left = new TreeSet<>(firewall.spec().tags());
                left.removeIf(name::equalsIgnoreCase);
                firewall.become(firewall.spec().withTags(left));
            }
            return tags.remove(name) != null;
        });
    }

    Collection<Catalog.Image> snapshots() {
        return locked(() -> List.copyOf(snapshots.values()));
    }

    /** Makes an image of a droplet. */
    void addSnapshot(Droplet droplet, String name) {
        locked(() -> {
            long id = ++lastSnapshot;
            snapshots.put(id, droplet.snapshot(id, name));
            droplet.snapshotIds().add(id);
            return id;
        });
    }

    boolean removeSnapshot(long id) {
        return locked(() -> {
            droplets.values().forEach(d -> d.snapshotIds().remove(id));
            return snapshots.remove(id) != null;
        });
    }

    Collection<Firewall> firewalls() {
        return locked(() -> List.copyOf(firewalls.values()));
    }

    Optional<Firewall> firewall(String id) {
        return locked(() -> Optional.ofNullable(firewalls.get(id)));
    }

    Firewall addFirewall(Firewall.Spec spec) {
        return locked(() -> {
            unusedName(spec.name(), null);
            Firewall firewall = new Firewall(UUID.randomUUID().toString(), spec);
            firewalls.put(firewall.id(), firewall);
            return firewall;
        });
    }

    void changeFirewall(Firewall firewall, UnaryOperator<Firewall.Spec> change) {
        locked(() -> {
            Firewall.Spec spec = change.apply(firewall.spec());
            unusedName(spec.name(), firewall);
            firewall.become(spec);
            return spec;
        });
    }

    private void unusedName(String name, @Nullable Firewall but) {
        if (firewalls.values().stream()
                .anyMatch(other -> other != but && other.spec().name().equals(name))) {
            throw new Refusal(409, "conflict", "duplicate name");
        }
    }

    boolean removeFirewall(String id) {
        return locked(() -> firewalls.remove(id) != null);
    }

    Collection<Vpc> vpcs() {
        return locked(() -> List.copyOf(vpcs.values()));
    }

    Optional<Vpc> vpc(String id) {
        return locked(() -> Optional.ofNullable(vpcs.get(id)));
    }

    /** The private network that droplets of a region are in unless they name another. */
    Vpc defaultVpc(String region) {
        return vpcs().stream()
                .filter(vpc -> vpc.isDefault() && vpc.region().equals(region))
                .findFirst()
                .orElseThrow();
    }

    Vpc addVpc(String name, String description, String region) {
        return locked(() -> {
            if (vpcs.values().stream().anyMatch(other -> other.name().equals(name))) {
                throw Refusal.unprocessable("a network with the same name already exists in your account");
            }
            Vpc vpc = new Vpc(
                    UUID.randomUUID().toString(),
                    name,
                    description,
                    region,
                    network.privateRange(),
                    false,
                    Instant.now());
            vpcs.put(vpc.id(), vpc);
            return vpc;
        });
    }

    void removeVpc(Vpc vpc) {
        locked(() -> {
            if (vpc.isDefault()) {
                throw new Refusal(403, "forbidden", "Can not delete default VPCs");
            }
            if (droplets.values().stream().anyMatch(d -> d.spec().vpc().equals(vpc.id()))) {
                throw new Refusal(409, "conflict", "Can not delete VPC with members");
            }
            return vpcs.remove(vpc.id());
        });
    }

    /** Accepts droplets, all or none; they come to life in the background. */
    List<Started> create(List<Droplet.Spec> specs) {
        return locked(() -> {
            if (droplets.size() + specs.size() > dropletLimit()) {
                throw Refusal.unprocessable("creating this/these droplet(s) will exceed your droplet limit");
            }
            List<Started> started = new ArrayList<>();
            for (Droplet.Spec spec : specs) {
                Droplet droplet = new Droplet(++lastDroplet, spec, takeHost(), network, Instant.now());
                spec.tags().forEach(tag -> droplet.tags().add(addTag(tag)));
                droplets.put(droplet.id(), droplet);
                Action action = begin("create", droplet);
                started.add(new Started(droplet, action));
                if (faults.take(Faults.OfCreate.ERRORED)) {
                    background(droplet, () -> abandon(droplet, action));
                } else if (faults.take(Faults.OfCreate.BROKEN)) {
                    background(droplet, () -> end(action, false));
                } else if (faults.take(Faults.OfCreate.DYING)) {
                    later(faults.slowCreates(), droplet, () -> bringUp(droplet, action, Machine::spoil));
                } else if (faults.take(Faults.OfCreate.VANISHING)) {
                    background(droplet, () -> vanish(droplet, action));
                } else if (!faults.take(Faults.OfCreate.STUCK)) {
                    later(faults.slowCreates(), droplet, () -> bringUp(droplet, action, machine -> {}));
                }
            }
            return started;
        });
    }

    /** Begins to take a droplet away. */
    void delete(Droplet droplet) {
        boolean first = locked(() -> {
            boolean now = !droplet.leaving();
            droplet.leave();
            return now;
        });
        if (first) {
            later(faults.slowDeletes(), droplet, () -> takeDown(droplet));
        }
    }

    /** Begins to do something to a droplet's machine. */
    Action act(Droplet droplet, String type, Runnable work) {
        Action action = locked(() -> {
            if (droplet.leaving() || droplet.isNew() || busy(droplet)) {
                throw Refusal.unprocessable("Droplet already has a pending event.");
            }
            return begin(type, droplet);
        });
        background(droplet, () -> {
            boolean well = false;
            try {
                work.run();
                well = true;
            } finally {
                end(action, well);
            }
        });
        return action;
    }

    int takeHost() {
        return locked(() -> {
            int host = hosts.nextClearBit(FIRST_HOST);
            if (host > network.lastHost()) {
                throw Refusal.unprocessable("the local cloud has no address left");
            }
            hosts.set(host);
            return host;
        });
    }

    void freeHost(int host) {
        locked(() -> {
            hosts.clear(host);
            return host;
        });
    }

    private boolean busy(Droplet droplet) {
        return actions.values().stream().anyMatch(a -> a.dropletId() == droplet.id() && a.inProgress());
    }

    private Action begin(String type, Droplet droplet) {
        Action action = new Action(++lastAction, type, droplet);
        actions.put(action.id(), action);
        return action;
    }

    private void end(Action action, boolean well) {
        locked(() -> {
            action.end(well);
            return well;
        });
    }

    /** A droplet whose machine does not boot stays, {@code new} and with its disk, until it is deleted. */
    private void bringUp(Droplet droplet, Action action, Consumer<Machine> changeDisk) {
        if (droplet(droplet.id()).isEmpty()) {
            end(action, false);
            return;
        }
        boolean well = false;
        try {
            Machine machine = bodies.make(droplet);
            if (machine != null) {
                locked(() -> {
                    droplet.body(machine);
                    return machine;
                });
                machine.build();
                changeDisk.accept(machine);
                machine.powerOn();
            }
            well = true;
        } finally {
            boolean ended = well;
            locked(() -> {
                if (ended) {
                    droplet.activate();
                } else {
                    droplet.fail();
                }
                action.end(ended);
                return ended;
            });
        }
    }

    private void abandon(Droplet droplet, Action action) {
        end(action, false);
        takeDown(droplet);
    }

    private void vanish(Droplet droplet, Action action) {
        takeDown(droplet);
        locked(() -> actions.remove(action.id()));
    }

    private void takeDown(Droplet droplet) {
        Machine machine = locked(droplet::machine);
        if (machine != null) {
            machine.destroy();
        }
        locked(() -> {
            if (droplets.remove(droplet.id()) != null) {
                hosts.clear(droplet.host());
                for (Firewall firewall : firewalls.values()) {
                    TreeSet<Long> left = new TreeSet<>(firewall.spec().dropletIds());
                    left.remove(droplet.id());
                    firewall.become(firewall.spec().withDroplets(left));
                }
            }
            return droplet;
        });
    }

    private void later(Duration delay, Droplet droplet, Runnable work) {
        if (delay.isZero()) {
            background(droplet, work);
        } else {
            CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS, workers)
                    .execute(() -> quietly(droplet, work));
        }
    }

    private static void quietly(Droplet droplet, Runnable work) {
        try {
            synchronized (droplet) {
                work.run();
            }
        } catch (LocalCloudException e) {
            LOG.warn("droplet {} ({}): {}", droplet.id(), droplet.spec().name(), e.getMessage(), e);
        }
    }

    private void background(Droplet droplet, Runnable work) {
        try {
            workers.execute(() -> quietly(droplet, work));
        } catch (RejectedExecutionException e) {
            throw new Refusal(503, "service_unavailable", "The local cloud is closing.");
        }
    }
}
