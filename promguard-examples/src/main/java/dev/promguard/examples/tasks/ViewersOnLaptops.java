package dev.promguard.examples.tasks;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.ViewerConfig;
import dev.promguard.keys.PublicKey;

/** A colleague's laptop joins the mesh, and reaches Prometheus' page and nothing else. She made its key with {@code wg genkey}. */
public final class ViewersOnLaptops {
    private ViewersOnLaptops() {}

    /**
     * Runs it on a local cloud.
     *
     * @param args none
     */
    public static void main(String[] args) {
        Runner.run(builder -> run(mesh(builder)));
    }

    static Mesh mesh(MeshBuilder builder) {
        PublicKey anna = new PublicKey("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=");
        Mesh mesh = builder.name("shop")
                .monitor("tor1")
                .nodes(2)
                .viewer("anna-laptop", anna)
                .build();
        return mesh;
    }

    static void run(Mesh mesh) {
        mesh.apply();
        ViewerConfig config = mesh.viewerConfig("anna-laptop");
        System.out.println(config.text());
        System.out.println(mesh.toBuilder().withoutViewer("anna-laptop").apply());
    }
}
