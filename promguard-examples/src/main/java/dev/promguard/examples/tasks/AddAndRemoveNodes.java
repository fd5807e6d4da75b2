package dev.promguard.examples.tasks;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;

/** More nodes, and fewer: the others keep their names, addresses, keys and connections. */
public final class AddAndRemoveNodes {
    private AddAndRemoveNodes() {}

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
        Mesh larger = mesh.toBuilder().node("db").build();
        System.out.println(larger.apply());
        Mesh smaller = larger.toBuilder().withoutNode("db").build();
        Plan plan = smaller.plan();
        System.out.println(plan);
        System.out.println(smaller.apply(plan));
    }
}
