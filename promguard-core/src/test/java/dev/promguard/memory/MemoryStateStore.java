package dev.promguard.memory;

import dev.promguard.StateException;
import dev.promguard.internal.run.MeshStates;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Keeps state for as long as the object lives. Thread-safe. */
public final class MemoryStateStore implements StateStore {
    private final Map<String, Map<String, Document>> documents = new HashMap<>();
    private final Map<String, HeldLock> locks = new HashMap<>();
    private long versions;

    @Override
    public synchronized Optional<Document> read(String mesh, String name) {
        return Optional.ofNullable(of(mesh).get(name))
                .map(found -> new Document(found.content().clone(), found.version()));
    }

    @Override
    public synchronized Set<String> names(String mesh) {
        return new TreeSet<>(of(mesh).keySet());
    }

    private Map<String, Document> of(String mesh) {
        return documents.computeIfAbsent(mesh, name -> new TreeMap<>());
    }

    @Override
    public synchronized Lock lock(String mesh, LockHolder holder) {
        HeldLock held = locks.get(mesh);
        if (held != null) {
            throw StateException.locked(mesh, describe(mesh), Optional.of(held.holder), null);
        }
        HeldLock lock = new HeldLock(mesh, holder);
        locks.put(mesh, lock);
        return lock;
    }

    private synchronized String write(String mesh, String name, byte[] content) {
        versions++;
        of(mesh).put(name, new Document(content.clone(), "v" + versions));
        return "v" + versions;
    }

    @Override
    public String describe(String mesh) {
        return "memory of " + mesh;
    }

    @Override
    public String toString() {
        return "MemoryStateStore";
    }

    private final class HeldLock implements Lock {
        private final String mesh;
        private final LockHolder holder;

        HeldLock(String mesh, LockHolder holder) {
            this.mesh = mesh;
            this.holder = holder;
        }

        @Override
        public String write(String name, byte[] content, Optional<String> expected) {
            synchronized (MemoryStateStore.this) {
                requireHeld();
                if (!read(mesh, name).map(Document::version).equals(expected)) {
                    throw StateException.conflict(mesh, describe(mesh, name) + " was changed", Optional.empty());
                }
                return MemoryStateStore.this.write(mesh, name, content);
            }
        }

        @Override
        public void delete(Set<String> names) {
            synchronized (MemoryStateStore.this) {
                requireHeld();
                of(mesh).keySet().removeAll(names);
            }
        }

        private void requireHeld() {
            if (locks.get(mesh) != this) {
                throw StateException.conflict(
                        mesh, "the lock of " + describe(mesh) + " was released", Optional.empty());
            }
        }

        @Override
        public void close() {
            synchronized (MemoryStateStore.this) {
                locks.remove(mesh, this);
            }
        }
    }

    /** Locks a mesh as some other program. */
    public Lock lock(String mesh) {
        return lock(mesh, LockHolder.ofThisProcess("test"));
    }

    /** The state of a mesh, as the engine reads it. */
    public Optional<MeshState> load(String mesh) {
        return States.load(this, mesh);
    }

    /** Keeps a state as the engine does. */
    public void save(MeshState state) {
        States.save(this, state);
    }

    /** The private login key. */
    public Optional<Secret> loadLoginKey(String mesh) {
        return new MeshStates(this).loadLoginKey(mesh);
    }

    /** Keeps a login key as the engine does. */
    public void saveLoginKey(String mesh, SshKeyPair key) {
        States.saveLoginKey(this, mesh, key);
    }

    /** Somebody deletes all that is kept of a mesh. */
    public synchronized void delete(String mesh) {
        documents.remove(mesh);
    }

    /** Somebody deletes the private login key. */
    public synchronized void loseLoginKey(String mesh) {
        of(mesh).remove("id_ed25519");
    }

    /** Somebody writes something else into the file of the private login key. */
    public synchronized void overwriteLoginKey(String mesh, byte[] content) {
        write(mesh, "id_ed25519", content);
    }
}
