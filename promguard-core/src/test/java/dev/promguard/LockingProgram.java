package dev.promguard;

import dev.promguard.spi.LockHolder;
import dev.promguard.spi.StateStore;
import dev.promguard.state.FileStateStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** A program of its own that takes a mesh's lock. */
final class LockingProgram {
    private static final LockHolder HOLDER = LockHolder.ofThisProcess("lock");

    private LockingProgram() {}

    /**
     * Arguments: the root, the mesh; holds the lock until standard input ends. With a third, a file: takes and gives back the
     * lock many times, makes and forgets the mesh under it, and says so if that file shows that somebody else holds it too.
     */
    public static void main(String[] arguments) throws IOException {
        FileStateStore store = new FileStateStore(Path.of(arguments[0]));
        String mesh = arguments[1];
        if (arguments.length > 2) {
            int held = 0;
            while (held < 60) {
                held += churn(store, mesh, Path.of(arguments[2])) ? 1 : 0;
            }
            System.out.println("held " + held);
            return;
        }
        try (StateStore.Lock lock = store.lock(mesh, HOLDER)) {
            Objects.requireNonNull(lock);
            System.out.println("locked");
            while (System.in.read() >= 0) {
                System.out.println("still locked");
            }
        } catch (StateException e) {
            System.out.println(e.retryable() ? "busy" : "failed: " + e.getMessage());
        }
    }

    private static boolean churn(FileStateStore store, String mesh, Path holder) throws IOException {
        try (StateStore.Lock lock = store.lock(mesh, HOLDER)) {
            Files.createFile(holder);
            lock.write("state.json", new byte[] {1}, Optional.empty());
            lock.delete(Set.of("state.json"));
            Files.delete(holder);
            return true;
        } catch (StateException e) {
            if (!e.retryable()) {
                throw e;
            }
            return false;
        }
    }
}
