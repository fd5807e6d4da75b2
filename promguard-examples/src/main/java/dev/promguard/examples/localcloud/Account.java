package dev.promguard.examples.localcloud;

import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the account holds: keys, droplets, tags, actions. One lock guards it all; machines are worked on outside of it. */
final class Account {
    /** Makes the machine of a droplet, or none where droplets are only records. */
    @FunctionalInterface
    interface Bodies {
        @Nullable
        Machine make(Droplet droplet);
    }

    private static final Logger LOG = LoggerFactory.getLogger(Account.class);
    private static final int FIRST_HOST = 10;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Long, SshKey> keys = new LinkedHashMap<>();
    private final Map<Long, Droplet> droplets = new LinkedHashMap<>();
    private final Map<Long, Action> actions = new LinkedHashMap<>();
    private final TreeSet<String> tags = new TreeSet<>();
    private final BitSet hosts = new BitSet();
    private final Network network;
    private final Bodies bodies;
    private final Faults faults;
    private final ExecutorService workers;
    private final int dropletLimit;
    private long lastKey = 41_000_000;
    private long lastDroplet = 512_000_000;
    private long lastAction = 2_300_000_000L;

    Account(Network network, Bodies bodies, Faults faults, ExecutorService workers, int dropletLimit) {
        this.network = network;
        this.bodies = bodies;
        this.faults = faults;
        this.workers = workers;
        this.dropletLimit = dropletLimit;
    }

    int dropletLimit() {
        return dropletLimit;
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

    Collection<String> tags() {
        return locked(() -> List.copyOf(tags));
    }

    void addTag(String tag) {
        locked(() -> tags.add(tag));
    }

    /** Takes a tag off everything, and away. */
    boolean removeTag(String tag) {
        return locked(() -> {
            droplets.values().forEach(d -> d.tags().remove(tag));
            return tags.remove(tag);
        });
    }

    /** Accepts droplets, all or none; they come to life in the background. */
    List<Action> create(List<Droplet.Wish> wishes) {
        return locked(() -> {
            if (droplets.size() + wishes.size() > dropletLimit) {
                throw Refusal.unprocessable("creating this/these droplet(s) will exceed your droplet limit");
            }
            List<Action> started = new ArrayList<>();
            for (Droplet.Wish wish : wishes) {
                Droplet droplet = new Droplet(++lastDroplet, wish, takeHost(), network, Instant.now());
                droplets.put(droplet.id(), droplet);
                tags.addAll(wish.tags());
                Action action = begin("create", droplet);
                started.add(action);
                if (faults.takeErroredCreate()) {
                    background(droplet, () -> abandon(droplet, action));
                } else if (!faults.takeStuckCreate()) {
                    background(droplet, () -> bringUp(droplet, action));
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
            background(droplet, () -> takeDown(droplet));
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

    private void bringUp(Droplet droplet, Action action) {
        boolean well = false;
        try {
            Machine machine = bodies.make(droplet);
            if (machine != null) {
                locked(() -> {
                    droplet.body(machine);
                    return machine;
                });
                machine.build();
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
            if (!well) {
                takeDown(droplet);
            }
        }
    }

    private void abandon(Droplet droplet, Action action) {
        end(action, false);
        takeDown(droplet);
    }

    private void takeDown(Droplet droplet) {
        Machine machine = locked(droplet::machine);
        if (machine != null) {
            machine.destroy();
        }
        locked(() -> {
            if (droplets.remove(droplet.id()) != null) {
                hosts.clear(droplet.host());
            }
            return droplet;
        });
    }

    private void background(Droplet droplet, Runnable work) {
        try {
            workers.execute(() -> {
                try {
                    synchronized (droplet) {
                        work.run();
                    }
                } catch (LocalCloudException e) {
                    LOG.warn("droplet {} ({}): {}", droplet.id(), droplet.wish().name(), e.getMessage(), e);
                }
            });
        } catch (RejectedExecutionException e) {
            throw new Refusal(503, "service_unavailable", "The local cloud is closing.");
        }
    }
}
