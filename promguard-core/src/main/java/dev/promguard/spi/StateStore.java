package dev.promguard.spi;

import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import java.util.Optional;

/**
 * Where a mesh's state and its login key are kept between runs. All methods may be called from several threads. Failures are
 * {@link dev.promguard.StateException}s.
 */
public interface StateStore {
    /**
     * Keeps other programs from changing the same mesh.
     *
     * @param mesh the mesh's name
     * @return the lock; closing it releases the mesh
     * @throws dev.promguard.StateException if another program or thread holds it
     */
    Lock lock(String mesh);

    /**
     * Reads the state.
     *
     * @param mesh the mesh's name
     * @return the state last saved, or empty if there is none
     */
    Optional<MeshState> load(String mesh);

    /**
     * Replaces the state, whole or not at all. When the call returns the new state outlives a crash of this program and of
     * this machine.
     *
     * @param state the state
     */
    void save(MeshState state);

    /**
     * Reads the login key.
     *
     * @param mesh the mesh's name
     * @return the private key's OpenSSH file text, which the caller closes, or empty if there is none
     */
    Optional<Secret> loadLoginKey(String mesh);

    /**
     * Saves the login key, so that only its owner can read it.
     *
     * @param mesh the mesh's name
     * @param key the key
     */
    void saveLoginKey(String mesh, SshKeyPair key);

    /**
     * Reads the public half of the login key.
     *
     * @param mesh the mesh's name
     * @return the public key, or empty if there is none
     */
    Optional<dev.promguard.keys.SshPublicKey> loadLoginPublicKey(String mesh);

    /**
     * Deletes the mesh's state and login key. Deleting them again does nothing.
     *
     * @param mesh the mesh's name
     */
    void delete(String mesh);

    /**
     * Says where the state is, for messages.
     *
     * @param mesh the mesh's name
     * @return such as a folder's path
     */
    String describe(String mesh);

    /** Keeps other programs out while it is open. */
    interface Lock extends AutoCloseable {
        /** Gives the mesh free. Closing again does nothing. */
        @Override
        void close();
    }
}
