// New WireGuard keys for every host and every tunnel of a running mesh.
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/rotate.jsh
LocalCloud cloud = LocalCloud.builder().ownReleases().start();
Mesh mesh = cloud.mesh().name("shop").monitor("tor1").nodes(2).build();
mesh.apply();
Plan plan = mesh.planRotateKeys();
System.out.println(plan);
System.out.println(mesh.rotateKeys(plan));
cloud.close();
