package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Mesh;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The recipe for CI on real machines: what was reviewed is applied by another job, and a mesh that is not as it should be fails. */
abstract class CiTrial {
    @TempDir
    Path folder;

    abstract Shop shop();

    /** A job is a program of its own: nothing but the folder and the state is handed on. */
    private int job(String job) throws IOException {
        Mesh mesh = shop().scrapedOften();
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        return new CiRecipe(mesh, folder, nowhere).run(job);
    }

    @Test
    @Tag("long")
    void jobs_driftIsReviewed_isPutRightByTheNextJobAndVerified() throws Exception {
        shop().node(1).exec("systemctl", "stop", "node_exporter.service").orThrow();

        assertThat(job("plan")).isEqualTo(CiRecipe.CHANGES);
        assertThat(Files.readString(folder.resolve("plan.md"))).contains("| drift | node_exporter.service is inactive");
        assertThat(job("apply")).isEqualTo(CiRecipe.DONE);
        assertThat(Files.readString(folder.resolve("apply.json"))).contains("\"ok\": true");
        assertThat(job("verify")).isEqualTo(CiRecipe.DONE);
        assertThat(Files.readString(folder.resolve("verify.md"))).contains("prometheus 3.", "debian 1");
        assertThat(job("plan")).isEqualTo(CiRecipe.DONE);
    }
}
