package dev.promguard.spi;

import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import dev.promguard.keys.Secret;
import dev.promguard.state.EncryptedStateStore;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where the states of meshes are kept between runs: named documents of bytes for each mesh, and a lock for each mesh. What the documents
 * mean is the engine's affair. One of them is the mesh's private SSH login key, so documents must be readable to their owner alone.
 *
 * <p>Names of meshes and documents consist of lower-case letters, digits, {@code -}, {@code _} and {@code .}, begin with a letter or digit,
 * and have at most 64 characters. A document has at most 64 MiB; there are up to a few thousand for each mesh, most of them of a few
 * kilobytes. No document is named {@code lock}, and no name ends in {@code .new}.
 *
 * <p>All methods may be called from several threads. Failures are {@link StateException}s. Every implementation has to pass
 * {@code StateStoreContract}, which is published in promguard-core's jar with the classifier {@code contract}.
 */
public interface StateStore {
    /**
     * Reads a document. This needs no lock: what is read is whole, even while another program writes it.
     *
     * @param mesh the mesh's name
     * @param name the document's name
     * @return the document as it was last written, or empty if there is none
     * @throws StateException if it cannot be read
     */
    Optional<Document> read(String mesh, String name);

    /**
     * The names of a mesh's documents.
     *
     * @param mesh the mesh's name
     * @return the names; empty if nothing is kept of the mesh. Files of others that are in the same place may be among them
     * @throws StateException if they cannot be read
     */
    Set<String> names(String mesh);

    /**
     * Keeps others from changing a mesh. A lock ends when it is closed, and when its holder is no longer alive: at once where the store can
     * tell, and else after a time that the store chooses and that a live holder prolongs.
     *
     * @param mesh the mesh's name
     * @param holder who asks for the lock, which others are told while it is held
     * @return the lock
     * @throws StateException with {@link dev.promguard.ErrorCode#STATE_LOCKED} if another program or thread holds it; see
     *     {@link StateException#locked}
     */
    Lock lock(String mesh, LockHolder holder);

    /**
     * Says where a mesh's documents are, for messages.
     *
     * @param mesh the mesh's name
     * @return such as a folder's path; never a password
     */
    String describe(String mesh);

    /**
     * Says where a document is, for messages.
     *
     * @param mesh the mesh's name
     * @param name the document's name
     * @return such as a file's path
     */
    default String describe(String mesh, String name) {
        return name + " in " + describe(mesh);
    }

    /**
     * This store with all documents encrypted, so that neither who can read its place nor who can write to it learns or forges what they
     * say. Names of meshes and documents and the lock's holder stay readable. Whoever can write to the place can put back an older copy of a
     * document.
     *
     * @param key the key: a long random text, or a passphrase of at least 16 bytes; copied
     * @return a store that reads only what was encrypted with that key; see {@link EncryptedStateStore} for how to change the key
     * @throws dev.promguard.InvalidSettingException if the key is shorter
     */
    default EncryptedStateStore encryptedWith(Secret key) {
        return EncryptedStateStore.of(this, key);
    }

    /**
     * Copies a mesh into another store, such as from files into a database. Both are locked meanwhile; this store stays as it is. If it is
     * cut off, call it again. Nothing is copied if the target holds something else of the mesh.
     *
     * @param target the store to copy to
     * @param mesh the mesh's name
     * @throws StateException with {@link dev.promguard.ErrorCode#STATE_CONFLICT} if the target has another document of the same name; with
     *     {@link dev.promguard.ErrorCode#UNKNOWN_MESH} if this store has none of the mesh; with another code if one of them is locked or fails
     */
    default void copyTo(StateStore target, String mesh) {
        LockHolder holder = LockHolder.ofThisProcess("copy");
        try (Lock from = lock(mesh, holder);
                Lock to = target.lock(mesh, holder)) {
            Objects.requireNonNull(from);
            TreeSet<String> names = new TreeSet<>(names(mesh));
            if (names.isEmpty()) {
                throw new StateException(
                        ErrorCode.UNKNOWN_MESH,
                        describe(mesh) + " holds nothing to copy: check the mesh's name.",
                        false,
                        null);
            }
            // Before anything is written: parts of two states would make a third one.
            Set<String> others = new TreeSet<>(names);
            others.removeIf(name -> {
                byte[] content = content(mesh, name);
                boolean other = target.read(mesh, name)
                        .filter(there -> !Arrays.equals(there.content(), content))
                        .isPresent();
                Arrays.fill(content, (byte) 0);
                return !other;
            });
            if (!others.isEmpty()) {
                throw new StateException(
                        ErrorCode.STATE_CONFLICT,
                        target.describe(mesh) + " holds another " + String.join(", ", others)
                                + " already, so nothing was copied. If what it holds is out of date, delete it there; or copy to another"
                                + " place.",
                        false,
                        null);
            }
            for (String name : names) {
                if (target.read(mesh, name).isEmpty()) {
                    byte[] content = content(mesh, name);
                    to.write(name, content, Optional.empty());
                    Arrays.fill(content, (byte) 0);
                }
            }
        }
    }

    private byte[] content(String mesh, String name) {
        return read(mesh, name)
                .orElseThrow(() -> StateException.conflict(
                        mesh, describe(mesh, name) + " was deleted by another program", Optional.empty()))
                .content();
    }

    /** The right to change a mesh's documents, which nobody else has while it is held. */
    interface Lock extends AutoCloseable {
        /**
         * Replaces or creates a document, whole or not at all. When the call returns, the document outlives a crash of this program and of
         * the machine that keeps it. It also does what it says in an interrupted thread, as far as the store can: what was done must be
         * recorded in any case.
         *
         * @param name the document's name
         * @param content the content; not kept and not changed
         * @param expected the version of the document that is to be replaced; empty if there must be none of that name yet
         * @return the new version
         * @throws StateException with {@link dev.promguard.ErrorCode#STATE_CONFLICT} if the document has another version, or the lock is no
         *     longer held; nothing was written then. With another code if it is not certain that the document was written
         */
        String write(String name, byte[] content, Optional<String> expected);

        /**
         * Deletes documents. When the call returns this outlives a crash too. Until then, each of them may be deleted or not.
         *
         * @param names the documents' names; those that are not there change nothing
         * @throws StateException as for {@link #write}
         */
        void delete(Set<String> names);

        /**
         * Releases the mesh. Closing again does nothing.
         *
         * @throws StateException if it cannot be released now; it is then released as a lock whose holder has died, and the run that held
         *     it reports what it did all the same
         */
        @Override
        void close();
    }

    /** A document and its version. Immutable, but for the content, which is the reader's. */
    final class Document {
        private final byte[] content;
        private final String version;

        /**
         * A document.
         *
         * @param content the content, which becomes the document's own
         * @param version the version, which is another one after every change of the content
         */
        public Document(byte[] content, String version) {
            this.content = content;
            this.version = version;
        }

        /**
         * The content.
         *
         * @return the bytes; not a copy, so that a reader can clear a secret
         */
        public byte[] content() {
            return content;
        }

        /**
         * The version.
         *
         * @return what {@link Lock#write} expects; has no meaning beside that
         */
        public String version() {
            return version;
        }

        /**
         * The version and the length.
         *
         * @return such as {@code Document[version 7, 1204 bytes]}, without the content
         */
        @Override
        public String toString() {
            return "Document[version " + version + ", " + content.length + " bytes]";
        }
    }
}
