package dev.promguard.examples.tasks;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.VerifyReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Every check, how it was made and what was observed, as a file for somebody who has to be shown. */
public final class VerifyForAnAuditor {
    private VerifyForAnAuditor() {}

    /**
     * Runs it on a local cloud.
     *
     * @param args none
     */
    public static void main(String[] args) {
        Runner.run(builder -> run(mesh(builder)));
    }

    static Mesh mesh(MeshBuilder builder) {
        Mesh mesh = builder.name("shop").monitor("tor1").nodes(2).build();
        return mesh;
    }

    static void run(Mesh mesh) throws IOException {
        mesh.apply();
        VerifyReport report = mesh.verify();
        Path file = Files.createDirectories(Path.of("target")).resolve("audit.md");
        Files.writeString(file, report.toMarkdown());
        System.out.println("The report is in " + file.toAbsolutePath());
        report.orThrow();
    }
}
