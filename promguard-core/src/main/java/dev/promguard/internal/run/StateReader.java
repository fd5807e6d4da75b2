package dev.promguard.internal.run;

import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.StateException;
import dev.promguard.internal.run.StateFormat.DamagedException;
import dev.promguard.internal.run.StateFormat.Parsed;
import dev.promguard.internal.run.StateFormat.VersionException;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import dev.promguard.spi.StateStore.Document;
import dev.promguard.state.EncryptedStateStore;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the state of a mesh, also while another program writes it. Thread-safe. */
final class StateReader {
    /** How often to start again while another program merges changes into a whole state. */
    private static final int ATTEMPTS = 100;

    private final StateStore store;
    private final StateFormat format;

    StateReader(StateStore store, StateFormat format) {
        this.store = store;
        this.format = format;
    }

    /**
     * What was read.
     *
     * @param state the state; empty if there is none
     * @param version the version of the whole state
     * @param format the format of the whole state; 0 if there is none
     * @param included the number of the last changes that the whole state includes
     * @param last the number of the last changes
     * @param leftovers whether there are changes that the whole state includes
     * @param baseBytes the length of the whole state
     * @param changeBytes the length of the changes that it does not include
     */
    record Read(
            Optional<MeshState> state,
            Optional<String> version,
            int format,
            long included,
            long last,
            boolean leftovers,
            long baseBytes,
            long changeBytes) {
        static final Read NOTHING = new Read(Optional.empty(), Optional.empty(), 0, 0, 0, false, 0, 0);

        Read leaving(boolean some) {
            return new Read(state, version, format, included, last, some, baseBytes, changeBytes);
        }
    }

    /**
     * Reads the state.
     *
     * @param mesh the mesh's name
     * @param locked whether nobody else can write meanwhile
     * @return what was read
     * @throws StateException if it cannot be read, or makes no sense
     */
    Read read(String mesh, boolean locked) {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            boolean quiet = StateLog.numbers(store.names(mesh)).findAny().isEmpty();
            Optional<Document> whole = store.read(mesh, StateLog.STATE);
            if (quiet) {
                // Changes that others make from now on come after this reading.
                return whole.isPresent() ? read(mesh, whole.get(), false) : Read.NOTHING;
            }
            Read read = whole.isPresent() ? read(mesh, whole.get(), true) : Read.NOTHING;
            Set<String> names = store.names(mesh);
            if (!locked && !version(mesh).equals(read.version())) {
                // Others have merged changes meanwhile, and deleted them perhaps before they were read.
                continue;
            }
            boolean gap = StateLog.numbers(names).anyMatch(number -> number > read.last())
                    && (whole.isEmpty() || locked || !names.contains(StateLog.changes(read.last() + 1)));
            if (!gap) {
                return read.leaving(StateLog.numbers(names).anyMatch(number -> number <= read.included()));
            } else if (locked || attempt == ATTEMPTS) {
                String missing = whole.isPresent() ? StateLog.changes(read.last() + 1) : StateLog.STATE;
                throw damaged(mesh, missing, " (it is missing)", "all of " + store.describe(mesh), null);
            }
        }
        throw StateException.conflict(
                mesh,
                store.describe(mesh) + " was changed by another program each time while it was read",
                Optional.empty());
    }

    private Optional<String> version(String mesh) {
        return store.read(mesh, StateLog.STATE).map(Document::version);
    }

    private Read read(String mesh, Document whole, boolean withChanges) {
        String name = StateLog.STATE;
        try {
            Parsed base = format.parseState(mesh, whole.content());
            ObjectNode fields = base.fields();
            long last = base.changes();
            long bytes = 0;
            if (withChanges && base.format() == StateFormat.VERSION) {
                name = StateLog.changes(last + 1);
                for (Optional<Document> next = store.read(mesh, name);
                        next.isPresent();
                        next = store.read(mesh, name)) {
                    byte[] content = next.get().content();
                    StateFormat.apply(
                            format.parseChanges(mesh, last + 1, content).fields(), fields);
                    bytes += content.length;
                    last++;
                    name = StateLog.changes(last + 1);
                }
                name = StateLog.STATE;
            }
            return new Read(
                    Optional.of(format.state(fields)),
                    Optional.of(whole.version()),
                    base.format(),
                    base.changes(),
                    last,
                    false,
                    whole.content().length,
                    bytes);
        } catch (DamagedException e) {
            if (EncryptedStateStore.isEncrypted(whole.content())) {
                throw new StateException(
                        ErrorCode.STATE_KEY,
                        store.describe(mesh, StateLog.STATE)
                                + " is encrypted. Read it with its key: give the store as store.encryptedWith(key).",
                        false,
                        e);
            }
            throw damaged(mesh, name, why(e), e.getCause());
        } catch (VersionException e) {
            throw new StateException(
                    ErrorCode.STATE_VERSION,
                    store.describe(mesh, name) + " has format " + e.found() + ", and this PromGuard reads formats 1 to "
                            + StateFormat.VERSION + ". Use the version of PromGuard that wrote it, or a newer one.",
                    false,
                    null);
        }
    }

    private static String why(DamagedException damage) {
        return damage.getCause() instanceof ValueInstantiationException refused
                        && refused.getCause() instanceof InvalidSettingException bad
                ? " (" + bad.reason() + ')'
                : "";
    }

    /** A document that makes no sense. */
    StateException damaged(String mesh, String name, String why, @Nullable Throwable cause) {
        return damaged(
                mesh, name, why, StateLog.number(name).isPresent() ? "all of " + store.describe(mesh) : "it", cause);
    }

    private StateException damaged(String mesh, String name, String why, String what, @Nullable Throwable cause) {
        return new StateException(
                ErrorCode.STATE_DAMAGED,
                store.describe(mesh, name) + " cannot be understood" + why + ". Restore " + what
                        + " from a backup. Without one, have recover(…) with replaceState() rebuild it from the hosts of mesh "
                        + mesh
                        + " before you run apply.",
                false,
                cause);
    }
}
