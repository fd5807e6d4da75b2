package dev.promguard.examples.tasks;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.Secret;
import java.net.URI;

/** What Prometheus sends on and warns of: remote_write with a password, rules of your own, and an Alertmanager. */
public final class SendAndAlert {
    private SendAndAlert() {}

    /**
     * Runs it on a local cloud.
     *
     * @param args none
     */
    public static void main(String[] args) {
        Runner.run(builder -> run(mesh(builder, Secret.of("only for the local cloud"))));
    }

    static Mesh mesh(MeshBuilder builder, Secret password) {
        String rules = "groups: [{name: shop, rules: [{alert: Busy, expr: node_load1 > 8, for: 10m}]}]";
        URI mimir = URI.create("https://mimir.example/api/v1/push");
        Mesh mesh = builder.name("shop")
                .monitor("tor1")
                .nodes(2)
                .prometheus(prometheus -> prometheus
                        .addRemoteWrite(mimir, Credentials.basic("shop", password))
                        .addRules("shop", rules)
                        .addAlertmanager(URI.create("https://alerts.example/")))
                .build();
        return mesh;
    }

    static void run(Mesh mesh) {
        System.out.println(mesh.apply());
    }
}
