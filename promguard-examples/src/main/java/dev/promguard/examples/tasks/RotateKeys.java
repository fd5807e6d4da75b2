package dev.promguard.examples.tasks;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;

/** New WireGuard keys for every host and every tunnel of a running mesh. */
public final class RotateKeys {
    private RotateKeys() {}

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

    static void run(Mesh mesh) {
        mesh.apply();
        Plan plan = mesh.planRotateKeys();
        System.out.println(plan);
        System.out.println(mesh.rotateKeys(plan));
    }
}
