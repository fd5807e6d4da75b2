// More to scrape: an exporter that PromGuard installs, and a service that runs on the host already.
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/exporters.jsh
LocalCloud cloud = LocalCloud.builder().ownReleases().start();
Mesh mesh = cloud.mesh().name("shop").
        monitor("tor1").
        nodes(2).
        editHost("shop-node-1", host -> host.expose("app", 8080)).
        addExporter(Exporters.blackbox().addProbe("http://10.0.0.1:9100/metrics", "http_2xx")).
        build();
Plan plan = mesh.plan();
System.out.println(plan);
System.out.println(mesh.apply(plan));
cloud.close();
