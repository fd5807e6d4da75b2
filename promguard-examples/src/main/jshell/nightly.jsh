// For cron and CI: say what drifted since yesterday and put it right. A problem is an exception, and so an exit status of 1.
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/nightly.jsh
LocalCloud cloud = LocalCloud.builder().ownReleases().start();
Mesh mesh = cloud.mesh().name("shop").monitor("tor1").nodes(2).build();
mesh.apply();
cloud.droplet("shop-node-1").exec("systemctl", "stop", "node_exporter").orThrow();
Plan drift = mesh.plan();
System.out.println(drift);
mesh.apply(drift);
mesh.plan().requireEmpty();
cloud.close();
