package dev.promguard.examples.tasks;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;
import dev.promguard.Tunnel;

/** A first mesh: look at the plan, apply it, verify it, and open Prometheus. */
public final class FirstMesh {
    private FirstMesh() {}

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
        Plan plan = mesh.plan();
        System.out.println(plan);
        System.out.println(mesh.apply(plan));
        mesh.verify().orThrow();
        try (Tunnel prometheus = mesh.openPrometheus()) {
            System.out.println("Prometheus answers at " + prometheus.uri());
        }
    }
}
