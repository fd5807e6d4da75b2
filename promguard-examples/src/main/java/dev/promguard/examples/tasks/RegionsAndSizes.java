package dev.promguard.examples.tasks;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;

/** Hosts where they are wanted and as large as they are needed; another size later, at the same address. */
public final class RegionsAndSizes {
    private RegionsAndSizes() {}

    /**
     * Runs it on a local cloud.
     *
     * @param args none
     */
    public static void main(String[] args) {
        Runner.run(builder -> run(mesh(builder)));
    }

    static Mesh mesh(MeshBuilder builder) {
        Mesh mesh = builder.name("world")
                .region("ams3")
                .size("s-1vcpu-1gb")
                .monitor(host -> host.region("fra1").size("s-2vcpu-4gb"))
                .node("db")
                .build();
        return mesh;
    }

    static void run(Mesh mesh) {
        System.out.println(mesh.apply());
        Mesh larger = mesh.toBuilder()
                .editHost("db", host -> host.size("s-1vcpu-2gb"))
                .build();
        System.out.println(larger.plan());
        System.out.println(larger.resize("db"));
    }
}
