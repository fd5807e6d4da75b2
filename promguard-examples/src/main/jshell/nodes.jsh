// More nodes, and fewer: the others keep their names, addresses, keys and connections.
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/nodes.jsh
LocalCloud cloud = LocalCloud.builder().ownReleases().start();
Mesh mesh = cloud.mesh().name("shop").monitor("tor1").nodes(2).build();
mesh.apply();
Mesh larger = mesh.toBuilder().node("db").build();
System.out.println(larger.apply());
Mesh smaller = larger.toBuilder().withoutNode("db").build();
Plan plan = smaller.plan();
System.out.println(plan);
System.out.println(smaller.apply(plan));
cloud.close();
