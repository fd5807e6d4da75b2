package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The listing of control groups, over plain folders. */
class ControlGroupTest {
    @TempDir
    Path folder;

    @Test
    @Timeout(60)
    void groups_oneThatVanishesMeanwhile_isLeftOut() throws Exception {
        Path stays = Files.createDirectories(folder.resolve("system.slice/stays.service"));
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Void> comingAndGoing = CompletableFuture.runAsync(() -> comeAndGo(over));
        try {
            for (int i = 0; i < 3_000; i++) {
                assertThat(ControlGroup.groups(folder))
                        .containsSubsequence(stays, stays.getParent(), folder)
                        .doesNotHaveDuplicates();
            }
        } finally {
            over.set(true);
        }
        comingAndGoing.join();
        assertThat(ControlGroup.groups(folder.resolve("absent"))).isEmpty();
    }

    private void comeAndGo(AtomicBoolean over) {
        while (!over.get()) {
            try {
                Path low = Files.createDirectories(folder.resolve("goes.slice/goes.service"));
                Files.delete(low);
                Files.delete(low.getParent());
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}
