package dev.promguard.state;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.StateException;
import dev.promguard.keys.Secret;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.StateStore;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * A store whose documents are encrypted: with AES-256 in Galois/Counter Mode, by a key that Argon2id derives from a secret with 64 MiB of
 * memory. Each document is bound to its mesh and its name, so that none can be altered or put in another's place unnoticed. Names of
 * meshes and documents, lengths and the lock's holder stay readable, and an older copy of a document can be put back by whoever may write
 * where the store keeps them. Thread-safe.
 *
 * <p>To change the key, give the new one with {@link StateStore#encryptedWith} and the former one with {@link #acceptingAlso}. Each mesh is
 * encrypted with the new key when a run locks it next, such as an apply; {@link #rotate} does so at once. Then leave the former key out.
 */
public final class EncryptedStateStore implements StateStore {
    private static final int SHORTEST_KEY = 16;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final StateStore store;
    /** The first one encrypts. */
    private final List<Secret> keys;

    /** Deriving a key takes time and memory, and a mesh's documents share a salt. By number of the secret and salt. */
    private final Map<Derivation, DocumentCipher> ciphers = new ConcurrentHashMap<>();
    /** What each mesh's documents are encrypted with. */
    private final Map<String, DocumentCipher> current = new ConcurrentHashMap<>();

    /** What a key costs where nothing is encrypted yet; what is there says its own. */
    private final DocumentCipher.Cost cost;

    private record Derivation(int key, DocumentCipher.Parameters parameters) {}

    private EncryptedStateStore(StateStore store, List<Secret> keys, DocumentCipher.Cost cost) {
        this.store = store;
        this.keys = keys;
        this.cost = cost;
    }

    /**
     * Encrypts the documents of a store. The same as {@link StateStore#encryptedWith}.
     *
     * @param store the store
     * @param key the key, of at least 16 bytes; copied
     * @return a store that reads only what was encrypted with that key
     * @throws InvalidSettingException if the key is shorter
     * @throws NullPointerException if one is null
     */
    public static EncryptedStateStore of(StateStore store, Secret key) {
        return of(store, key, DocumentCipher.RECOMMENDED);
    }

    static EncryptedStateStore of(StateStore store, Secret key, DocumentCipher.Cost cost) {
        if (store instanceof EncryptedStateStore) {
            throw new InvalidSettingException("the store is encrypted already: leave one encryptedWith(…) out");
        }
        return new EncryptedStateStore(Objects.requireNonNull(store, "store"), List.of(copy(key)), cost);
    }

    /**
     * The same, which also reads what was encrypted with a former key.
     *
     * @param former the former key, of at least 16 bytes; copied. More than one can be added
     * @return a new store
     * @throws InvalidSettingException if the key is shorter
     */
    public EncryptedStateStore acceptingAlso(Secret former) {
        return new EncryptedStateStore(
                store, Stream.concat(keys.stream(), Stream.of(copy(former))).toList(), cost);
    }

    private static Secret copy(Secret key) {
        return key.use(bytes -> {
            if (bytes.length < SHORTEST_KEY) {
                throw new InvalidSettingException("the key of an encrypted state has " + bytes.length
                        + " bytes, and must have at least " + SHORTEST_KEY
                        + ": make one with openssl rand -base64 32");
            }
            return Secret.of(bytes);
        });
    }

    /**
     * Encrypts all documents of a mesh with the present key.
     *
     * @param mesh the mesh's name
     * @throws StateException if the mesh is locked, a document is encrypted with an unknown key or was altered, or the store fails
     */
    public void rotate(String mesh) {
        lock(mesh, LockHolder.ofThisProcess("rotate the state's key")).close();
    }

    @Override
    public Optional<Document> read(String mesh, String name) {
        return store.read(mesh, name).map(found -> {
            DocumentCipher.Sealed sealed = sealed(mesh, name, found);
            DocumentCipher cipher = cipher(mesh, name, sealed);
            return new Document(open(cipher, mesh, name, sealed), found.version());
        });
    }

    private DocumentCipher.Sealed sealed(String mesh, String name, Document found) {
        return DocumentCipher.Sealed.parse(found.content())
                .orElseThrow(() -> damaged(mesh, name, "is not encrypted, or its header was altered"));
    }

    private byte[] open(DocumentCipher cipher, String mesh, String name, DocumentCipher.Sealed sealed) {
        return cipher.open(mesh, name, sealed)
                .orElseThrow(
                        () -> damaged(mesh, name, "was altered, or is the document of another mesh or another name"));
    }

    private StateException damaged(String mesh, String name, String what) {
        return new StateException(
                ErrorCode.STATE_DAMAGED,
                store.describe(mesh, name) + ' ' + what + ". Find out who may write there, and restore all of "
                        + store.describe(mesh)
                        + " from a backup. Without one, have recover(…) with replaceState() rebuild it from"
                        + " the hosts of mesh " + mesh + " before you run apply.",
                false,
                null);
    }

    /**
     * Whether a document was written by such a store, as its first bytes say.
     *
     * @param content what another store reads
     * @return false for everything else
     */
    public static boolean isEncrypted(byte[] content) {
        return DocumentCipher.isEncrypted(content);
    }

    /** The cipher of the key that a document was encrypted with. */
    private DocumentCipher cipher(String mesh, String name, DocumentCipher.Sealed sealed) {
        for (int key = 0; key < keys.size(); key++) {
            DocumentCipher cipher = cipher(key, sealed.parameters());
            if (cipher.hasKeyOf(sealed)) {
                return cipher;
            }
        }
        throw new StateException(
                ErrorCode.STATE_KEY,
                store.describe(mesh, name) + " is encrypted with another key than "
                        + (keys.size() == 1 ? "the given one" : "those given")
                        + ". Give the key that it was encrypted with, and after a change of keys the former one with"
                        + " acceptingAlso(…).",
                false,
                null);
    }

    private DocumentCipher cipher(int key, DocumentCipher.Parameters parameters) {
        return ciphers.computeIfAbsent(
                new Derivation(key, parameters),
                derivation -> keys.get(key).use(secret -> DocumentCipher.derive(secret, parameters)));
    }

    @Override
    public Set<String> names(String mesh) {
        return store.names(mesh);
    }

    @Override
    public Lock lock(String mesh, LockHolder holder) {
        Lock lock = store.lock(mesh, holder);
        try {
            current.put(mesh, renewed(mesh, lock));
            return new SealingLock(mesh, lock);
        } catch (RuntimeException | Error e) {
            try (lock) {
                throw e;
            }
        }
    }

    /** Encrypts anew what is encrypted with a former key. Returns what to encrypt with. */
    private DocumentCipher renewed(String mesh, Lock lock) {
        DocumentCipher present = null;
        Set<String> former = new LinkedHashSet<>();
        for (String name : new TreeSet<>(store.names(mesh))) {
            Optional<DocumentCipher.Sealed> sealed =
                    store.read(mesh, name).flatMap(found -> DocumentCipher.Sealed.parse(found.content()));
            if (sealed.isPresent()) {
                DocumentCipher first = cipher(0, sealed.get().parameters());
                if (!first.hasKeyOf(sealed.get())) {
                    former.add(name);
                } else if (present == null) {
                    present = first;
                }
            }
        }
        DocumentCipher cipher = present == null ? cipher(0, DocumentCipher.Parameters.random(cost, RANDOM)) : present;
        for (String name : former) {
            Document found = store.read(mesh, name).orElseThrow(() -> damaged(mesh, name, "was deleted"));
            DocumentCipher.Sealed sealed = sealed(mesh, name, found);
            byte[] content = open(cipher(mesh, name, sealed), mesh, name, sealed);
            lock.write(name, cipher.seal(mesh, name, content, RANDOM), Optional.of(found.version()));
            Arrays.fill(content, (byte) 0);
        }
        return cipher;
    }

    @Override
    public String describe(String mesh) {
        return store.describe(mesh);
    }

    @Override
    public String describe(String mesh, String name) {
        return store.describe(mesh, name);
    }

    /** Encrypts what is written. */
    private final class SealingLock implements Lock {
        private final String mesh;
        private final Lock lock;

        SealingLock(String mesh, Lock lock) {
            this.mesh = mesh;
            this.lock = lock;
        }

        @Override
        public String write(String name, byte[] content, Optional<String> expected) {
            DocumentCipher cipher = Objects.requireNonNull(current.get(mesh), mesh);
            return lock.write(name, cipher.seal(mesh, name, content, RANDOM), expected);
        }

        @Override
        public void delete(Set<String> names) {
            lock.delete(names);
        }

        @Override
        public void close() {
            lock.close();
        }
    }

    /**
     * Which store is encrypted, in a line.
     *
     * @return such as {@code EncryptedStateStore[JdbcStateStore[promguard_state]]}, without the keys
     */
    @Override
    public String toString() {
        return "EncryptedStateStore[" + store + "]";
    }
}
