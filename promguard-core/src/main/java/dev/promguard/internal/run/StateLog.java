package dev.promguard.internal.run;

import dev.promguard.StateException;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import dev.promguard.spi.StateStore.Document;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the state of a locked mesh: a whole state, and after it numbered documents of changes. When these have become longer than the
 * whole state, and when the log is closed, a new whole state includes them. Whatever is cut off, what is left can be read: changes are
 * deleted only when a whole state that includes them is durable.
 *
 * <p>Not thread-safe: the caller lets one thread in at a time.
 */
final class StateLog {
    static final String STATE = "state.json";

    private static final Logger LOG = LoggerFactory.getLogger(StateLog.class);
    private static final String PREFIX = "changes-";
    private static final String SUFFIX = ".json";
    /** Below this, a whole state would be written too often. */
    private static final long FEW_BYTES = 256 * 1024;

    private final StateStore store;
    private final StateFormat format;
    private final String mesh;
    private final StateStore.Lock lock;

    private MeshState state;
    private @Nullable String version;
    /** Whether the whole state is there in the format that changes may follow. */
    private boolean based;

    private long included;
    private long last;
    private boolean leftovers;
    private long baseBytes;
    private long changeBytes;
    /** Changes of which it is not certain whether they were written. */
    private byte @Nullable [] uncertain;

    StateLog(StateStore store, StateFormat format, String mesh, StateStore.Lock lock) {
        this.store = store;
        this.format = format;
        this.mesh = mesh;
        this.lock = lock;
        this.state = MeshState.empty(mesh);
    }

    static String changes(long number) {
        return String.format(Locale.ROOT, "%s%08d%s", PREFIX, number, SUFFIX);
    }

    /** Those of some names that are of documents of the state. */
    static Set<String> documents(Set<String> names) {
        return names.stream()
                .filter(name -> name.equals(STATE) || number(name).isPresent())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The number of a document of changes; empty for any other document. */
    static OptionalLong number(String name) {
        if (!name.startsWith(PREFIX) || !name.endsWith(SUFFIX)) {
            return OptionalLong.empty();
        }
        String digits = name.substring(PREFIX.length(), name.length() - SUFFIX.length());
        return digits.matches("[0-9]{8,18}") ? OptionalLong.of(Long.parseLong(digits)) : OptionalLong.empty();
    }

    StateStore.Lock lock() {
        return lock;
    }

    /** Goes on from what was read. */
    void loaded(StateReader.Read read) {
        state = read.state().orElseGet(() -> MeshState.empty(mesh));
        version = read.version().orElse(null);
        based = read.format() == StateFormat.VERSION;
        included = read.included();
        last = read.last();
        leftovers = read.leftovers();
        baseBytes = read.baseBytes();
        changeBytes = read.changeBytes();
    }

    /** Makes a change durable. */
    void change(MeshState after) {
        if (!based) {
            writeWhole(after);
            return;
        }
        byte[] bytes = format.writeChanges(last + 1, state, after);
        String name = changes(last + 1);
        Optional<String> expected = uncertain == null ? Optional.empty() : ours(name, uncertain);
        uncertain = bytes;
        lock.write(name, bytes, expected);
        uncertain = null;
        last++;
        changeBytes += bytes.length;
        state = after;
        if (changeBytes > Math.max(FEW_BYTES, baseBytes)) {
            tryToMerge();
        }
    }

    /** The version of a document, if it is one that may or may not have been written by us. */
    private Optional<String> ours(String name, byte[] bytes) {
        return store.read(mesh, name)
                .filter(found -> Arrays.equals(found.content(), bytes))
                .map(Document::version);
    }

    private void writeWhole(MeshState after) {
        byte[] bytes = format.write(after, last);
        version = lock.write(StateLog.STATE, bytes, Optional.ofNullable(version));
        state = after;
        based = true;
        included = last;
        baseBytes = bytes.length;
        changeBytes = 0;
    }

    /** Includes all changes in a new whole state, if there are any. */
    private void merge() {
        if (last > included) {
            writeWhole(state);
        } else if (!leftovers) {
            return;
        }
        deleteChanges(List.of());
        leftovers = false;
    }

    private void deleteChanges(Collection<String> more) {
        Set<String> names = new TreeSet<>(more);
        names.addAll(store.names(mesh).stream()
                .filter(name -> number(name).isPresent())
                .collect(Collectors.toSet()));
        // A write of the next ones may have been cut off.
        names.add(changes(last + 1));
        lock.delete(names);
    }

    /** What has changed is durable already, so that nothing is lost where this fails. */
    private void tryToMerge() {
        try {
            merge();
        } catch (StateException e) {
            LOG.warn("mesh {}: {} could not be shortened, which a later run does", mesh, store.describe(mesh), e);
            changeBytes = 0;
        }
    }

    /** Deletes the state, after other documents. */
    void delete(Set<String> others) {
        if (last > included) {
            writeWhole(state);
        }
        deleteChanges(others);
        lock.delete(Set.of(STATE));
        loaded(StateReader.Read.NOTHING);
    }

    /** What was done is reported in any case, and a lock that cannot be released ends as that of a dead holder does. */
    void close() {
        try (lock) {
            tryToMerge();
        } catch (StateException e) {
            LOG.warn(
                    "mesh {}: the lock of {} could not be released, so that other runs are refused until it has ended",
                    mesh,
                    store.describe(mesh),
                    e);
        }
    }

    /** The numbers in some names. */
    static LongStream numbers(Set<String> names) {
        return names.stream()
                .map(StateLog::number)
                .filter(OptionalLong::isPresent)
                .mapToLong(OptionalLong::getAsLong);
    }
}
