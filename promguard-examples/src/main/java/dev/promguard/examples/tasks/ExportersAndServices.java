package dev.promguard.examples.tasks;

import dev.promguard.Exporters;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;

/** More to scrape: an exporter that PromGuard installs, and a service that runs on the host already. */
public final class ExportersAndServices {
    private ExportersAndServices() {}

    /**
     * Runs it on a local cloud.
     *
     * @param args none
     */
    public static void main(String[] args) {
        Runner.run(builder -> run(mesh(builder)));
    }

    static Mesh mesh(MeshBuilder builder) {
        Mesh mesh = builder.name("shop")
                .monitor("tor1")
                .nodes(2)
                .editHost("shop-node-1", host -> host.expose("app", 8080))
                .addExporter(Exporters.blackbox().addProbe("http://10.0.0.1:9100/metrics", "http_2xx"))
                .build();
        return mesh;
    }

    static void run(Mesh mesh) {
        Plan plan = mesh.plan();
        System.out.println(plan);
        System.out.println(mesh.apply(plan));
    }
}
