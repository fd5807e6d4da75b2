// Hosts where they are wanted and as large as they are needed; another size later, at the same address.
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/sizes.jsh
LocalCloud cloud = LocalCloud.builder().ownReleases().start();
Mesh mesh = cloud.mesh().name("world").
        region("ams3").
        size("s-1vcpu-1gb").
        monitor(host -> host.region("fra1").size("s-2vcpu-4gb")).
        node("db").
        build();
System.out.println(mesh.apply());
Mesh larger = mesh.toBuilder().
        editHost("db", host -> host.size("s-1vcpu-2gb")).
        build();
System.out.println(larger.plan());
System.out.println(larger.resize("db"));
cloud.close();
