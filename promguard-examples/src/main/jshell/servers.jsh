// Servers that are there already, by address and SSH host key: they join the mesh, and afterwards are what they were.
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/servers.jsh
LocalCloud cloud = LocalCloud.builder().ownReleases().start();
Servers servers = Servers.start(cloud);
ExistingHosts hosts = ExistingHosts.builder().
        host("mon", "root@" + servers.address("mon"), servers.fingerprint()).
        host("db-1", "root@" + servers.address("db-1"), servers.fingerprint()).
        identity(servers.privateKey()).
        build();
Mesh mesh = cloud.mesh().name("own").
        namedMonitor("mon").
        node("db-1").
        provider(hosts).
        build();
System.out.println(mesh.plan());
System.out.println(mesh.apply());
System.out.println(mesh.destroy());
cloud.close();
