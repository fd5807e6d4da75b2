package dev.promguard.examples.tasks;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.examples.localcloud.LocalCloud;
import org.junit.jupiter.api.Test;

/** A JUnit test of your own: the mesh of your program on real machines, with no account. */
public final class OwnTest {
    /**
     * Runs it, as a build would.
     *
     * @param args none
     */
    public static void main(String[] args) {
        Runner.junit(OwnTest.class);
    }

    static Mesh mesh(MeshBuilder builder) {
        Mesh mesh = builder.name("own").monitor("tor1").nodes(1).build();
        return mesh;
    }

    @Test
    void apply_ownMesh_isUpToDateAndPassesEveryCheck() {
        assumeTrue(LocalCloud.support().ok(), () -> LocalCloud.support().reasons());
        try (LocalCloud cloud = LocalCloud.start()) {
            Mesh mesh = mesh(cloud.mesh());
            mesh.apply();
            assertTrue(mesh.plan().isEmpty());
            mesh.verify().orThrow();
        }
    }
}
