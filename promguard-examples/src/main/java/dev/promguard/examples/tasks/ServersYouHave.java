package dev.promguard.examples.tasks;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.ssh.ExistingHosts;

/** Servers that are there already, by address and SSH host key: they join the mesh, and afterwards are what they were. */
public final class ServersYouHave {
    private ServersYouHave() {}

    /**
     * Runs it on a local cloud.
     *
     * @param args none
     */
    public static void main(String[] args) {
        Runner.run((builder, cloud) -> run(mesh(builder, Servers.start(cloud))));
    }

    static Mesh mesh(MeshBuilder builder, Servers servers) {
        ExistingHosts hosts = ExistingHosts.builder()
                .host("mon", "root@" + servers.address("mon"), servers.fingerprint())
                .host("db-1", "root@" + servers.address("db-1"), servers.fingerprint())
                .identity(servers.privateKey())
                .build();
        Mesh mesh = builder.name("own")
                .namedMonitor("mon")
                .node("db-1")
                .provider(hosts)
                .build();
        return mesh;
    }

    static void run(Mesh mesh) {
        System.out.println(mesh.plan());
        System.out.println(mesh.apply());
        System.out.println(mesh.destroy());
    }
}
