package dev.promguard.internal.run;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.StateException;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import dev.promguard.spi.StateStore.Document;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The states and the login keys of meshes, as documents of a store: what they look like is the same in every store. Only meshes that were
 * locked here can be changed. Thread-safe.
 */
public final class MeshStates {
    private static final String LOGIN_KEY = "id_ed25519";
    private static final String LOGIN_PUBLIC_KEY = "id_ed25519.pub";

    /** What the names of copies of a replaced state begin with. */
    public static final String REPLACED = "replaced-";

    private final StateStore store;
    private final StateFormat format = new StateFormat();
    private final StateReader reader;
    private final Map<String, StateLog> locked = new HashMap<>();

    /**
     * The states in a store.
     *
     * @param store the store
     */
    public MeshStates(StateStore store) {
        this.store = store;
        this.reader = new StateReader(store, format);
    }

    /** A mesh that only this run can change while it is open. */
    public interface Locked extends AutoCloseable {
        /** Releases the mesh. */
        @Override
        void close();
    }

    /**
     * Locks a mesh.
     *
     * @param mesh the mesh's name
     * @param verb what for, such as {@code apply}
     * @return the lock
     * @throws StateException if somebody else holds it
     */
    public Locked lock(String mesh, String verb) {
        StateStore.Lock lock = store.lock(mesh, LockHolder.ofThisProcess(verb));
        StateLog log = new StateLog(store, format, mesh, lock);
        synchronized (this) {
            locked.put(mesh, log);
        }
        return () -> unlock(mesh, log);
    }

    private synchronized void unlock(String mesh, StateLog log) {
        if (locked.remove(mesh, log)) {
            log.close();
        }
    }

    private StateLog log(String mesh) {
        StateLog log = locked.get(mesh);
        if (log == null) {
            throw new IllegalStateException("mesh " + mesh + " is not locked");
        }
        return log;
    }

    /**
     * Reads the state. If the mesh is locked here, {@link #change} goes on from it.
     *
     * @param mesh the mesh's name
     * @return the state last saved, or empty if there is none
     * @throws StateException if it cannot be read, or makes no sense
     */
    public synchronized Optional<MeshState> load(String mesh) {
        StateLog log = locked.get(mesh);
        StateReader.Read read = reader.read(mesh, log != null);
        if (log != null) {
            log.loaded(read);
        }
        return read.state();
    }

    /**
     * Changes the state of a locked mesh that was loaded. When this returns, the new state outlives a crash.
     *
     * @param state the new state
     * @throws StateException if it cannot be kept
     */
    public synchronized void change(MeshState state) {
        log(state.mesh()).change(state);
    }

    /**
     * Reads the login key.
     *
     * @param mesh the mesh's name
     * @return the private key's OpenSSH file text, which the caller closes, or empty if there is none
     * @throws StateException if it cannot be read
     */
    public Optional<Secret> loadLoginKey(String mesh) {
        Optional<Document> found = store.read(mesh, LOGIN_KEY);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        byte[] bytes = found.get().content();
        try {
            return Optional.of(Secret.of(bytes));
        } catch (InvalidSettingException e) {
            throw reader.damaged(mesh, LOGIN_KEY, "", e);
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    /**
     * Reads the public half of the login key.
     *
     * @param mesh the mesh's name
     * @return the public key, or empty if there is none
     * @throws StateException if it cannot be read, or is none
     */
    public Optional<SshPublicKey> loadLoginPublicKey(String mesh) {
        try {
            return store.read(mesh, LOGIN_PUBLIC_KEY)
                    .map(found -> SshPublicKey.parse(new String(found.content(), StandardCharsets.UTF_8)));
        } catch (InvalidSettingException e) {
            throw reader.damaged(mesh, LOGIN_PUBLIC_KEY, "", e);
        }
    }

    /**
     * Saves the login key of a locked mesh, in place of one that makes no sense too. When this returns, the key outlives a crash.
     *
     * @param mesh the mesh's name
     * @param key the key
     * @throws StateException if it cannot be kept
     */
    public synchronized void saveLoginKey(String mesh, SshKeyPair key) {
        Set<String> unreadable = new HashSet<>();
        for (String name : List.of(LOGIN_KEY, LOGIN_PUBLIC_KEY)) {
            readable(mesh, name, place -> unreadable.add(name));
        }
        if (!unreadable.isEmpty()) {
            log(mesh).lock().delete(unreadable);
        }
        String line = key.publicKey().line() + " promguard-" + mesh + '\n';
        write(mesh, LOGIN_PUBLIC_KEY, line.getBytes(StandardCharsets.UTF_8));
        key.privateKey().use(bytes -> write(mesh, LOGIN_KEY, bytes));
    }

    private String write(String mesh, String name, byte[] content) {
        return log(mesh).lock().write(name, content, store.read(mesh, name).map(Document::version));
    }

    /**
     * Copies the documents of a locked mesh's state, which is about to be replaced, whatever they hold. One that the store itself cannot read
     * is passed over.
     *
     * @param mesh the mesh's name
     * @param label what the copies' names begin with, such as {@code replaced-20310506-070809}
     * @param unreadable is told the place of each document that was passed over
     * @return the names of the copies; empty if there is no state
     * @throws StateException if they cannot be kept
     */
    public synchronized List<String> copyState(String mesh, String label, Consumer<String> unreadable) {
        List<String> copies = new ArrayList<>();
        for (String name : StateLog.documents(store.names(mesh))) {
            Optional<Document> found = readable(mesh, name, unreadable);
            if (found.isPresent()) {
                write(mesh, label + '-' + name, found.get().content());
                copies.add(label + '-' + name);
            }
        }
        return List.copyOf(copies);
    }

    /** A document, unless there is none or the store says that it was altered or cut short. */
    private Optional<Document> readable(String mesh, String name, Consumer<String> unreadable) {
        try {
            return store.read(mesh, name);
        } catch (StateException e) {
            if (e.code() != ErrorCode.STATE_DAMAGED) {
                throw e;
            }
            unreadable.accept(store.describe(mesh, name));
            return Optional.empty();
        }
    }

    /**
     * Deletes the documents of a locked mesh's state that cannot be read, once they were copied. The login key stays.
     *
     * @param mesh the mesh's name
     * @throws StateException if they cannot be deleted
     */
    public synchronized void discardState(String mesh) {
        log(mesh).lock().delete(StateLog.documents(store.names(mesh)));
    }

    /**
     * Deletes a locked mesh's state, the copies of replaced ones, and the login key. Deleting them again does nothing.
     *
     * @param mesh the mesh's name
     * @throws StateException if they cannot be deleted
     */
    public synchronized void delete(String mesh) {
        Set<String> others = new HashSet<>(Set.of(LOGIN_KEY, LOGIN_PUBLIC_KEY));
        store.names(mesh).stream().filter(name -> name.startsWith(REPLACED)).forEach(others::add);
        log(mesh).delete(others);
    }

    /**
     * Says where a mesh's state is, for messages.
     *
     * @param mesh the mesh's name
     * @return such as a folder's path
     */
    public String describe(String mesh) {
        return store.describe(mesh);
    }
}
