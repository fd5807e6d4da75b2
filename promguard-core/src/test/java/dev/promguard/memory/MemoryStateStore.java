package dev.promguard.memory;

import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/** Keeps state for as long as the object lives. Thread-safe. */
public final class MemoryStateStore implements StateStore {
    private final Map<String, MeshState> states = new HashMap<>();
    private final Map<String, byte[]> loginKeys = new HashMap<>();
    private final Map<String, SshPublicKey> loginPublicKeys = new HashMap<>();
    private final Set<String> locked = new HashSet<>();

    /** Somebody deletes the private login key. */
    public synchronized void loseLoginKey(String mesh) {
        loginKeys.remove(mesh);
    }

    /** Somebody writes something else into the file of the private login key. */
    public synchronized void overwriteLoginKey(String mesh, byte[] content) {
        loginKeys.put(mesh, content.clone());
    }

    @Override
    public synchronized Lock lock(String mesh) {
        if (!locked.add(mesh)) {
            throw new StateException(
                    ErrorCode.STATE_LOCKED,
                    "mesh " + mesh + " is being changed by another program: wait until it is done",
                    true,
                    null);
        }
        AtomicBoolean open = new AtomicBoolean(true);
        return () -> {
            if (open.getAndSet(false)) {
                unlock(mesh);
            }
        };
    }

    private synchronized void unlock(String mesh) {
        locked.remove(mesh);
    }

    @Override
    public synchronized Optional<MeshState> load(String mesh) {
        return Optional.ofNullable(states.get(mesh));
    }

    @Override
    public synchronized void save(MeshState state) {
        states.put(state.mesh(), state);
    }

    @Override
    public synchronized Optional<Secret> loadLoginKey(String mesh) {
        return Optional.ofNullable(loginKeys.get(mesh)).map(Secret::of);
    }

    @Override
    public synchronized void saveLoginKey(String mesh, SshKeyPair key) {
        loginPublicKeys.put(mesh, key.publicKey());
        loginKeys.put(mesh, key.privateKey().use(bytes -> bytes.clone()));
    }

    @Override
    public synchronized Optional<SshPublicKey> loadLoginPublicKey(String mesh) {
        return Optional.ofNullable(loginPublicKeys.get(mesh));
    }

    @Override
    public synchronized void delete(String mesh) {
        states.remove(mesh);
        loginKeys.remove(mesh);
        loginPublicKeys.remove(mesh);
    }

    @Override
    public String describe(String mesh) {
        return "memory of " + mesh;
    }
}
