// A first mesh: look at the plan, apply it, verify it, and open Prometheus.
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/first-mesh.jsh
LocalCloud cloud = LocalCloud.builder().ownReleases().start();
Mesh mesh = cloud.mesh().name("shop").monitor("tor1").nodes(2).build();
Plan plan = mesh.plan();
System.out.println(plan);
System.out.println(mesh.apply(plan));
mesh.verify().orThrow();
try (Tunnel prometheus = mesh.openPrometheus()) {
    System.out.println("Prometheus answers at " + prometheus.uri());
}
cloud.close();
