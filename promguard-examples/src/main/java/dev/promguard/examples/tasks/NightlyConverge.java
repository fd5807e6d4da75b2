package dev.promguard.examples.tasks;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;

/** For cron and CI: say what drifted since yesterday and put it right. A problem is an exception, and so an exit status of 1. */
public final class NightlyConverge {
    private NightlyConverge() {}

    /**
     * Runs it on a local cloud, where somebody stops an exporter after the first night.
     *
     * @param args none
     */
    public static void main(String[] args) {
        Runner.run((builder, cloud) -> {
            Mesh mesh = mesh(builder);
            run(mesh);
            cloud.droplet("shop-node-1")
                    .exec("systemctl", "stop", "node_exporter")
                    .orThrow();
            run(mesh);
        });
    }

    static Mesh mesh(MeshBuilder builder) {
        Mesh mesh = builder.name("shop").monitor("tor1").nodes(2).build();
        return mesh;
    }

    static void run(Mesh mesh) {
        Plan drift = mesh.plan();
        System.out.println(drift);
        mesh.apply(drift);
        mesh.plan().requireEmpty();
    }
}
