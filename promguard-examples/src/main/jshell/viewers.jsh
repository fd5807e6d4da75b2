// A colleague's laptop joins the mesh, and reaches Prometheus' page and nothing else. She made its key with "wg genkey".
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/viewers.jsh
LocalCloud cloud = LocalCloud.builder().ownReleases().start();
PublicKey anna = new PublicKey("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=");
Mesh mesh = cloud.mesh().name("shop").
        monitor("tor1").
        nodes(2).
        viewer("anna-laptop", anna).
        build();
mesh.apply();
ViewerConfig config = mesh.viewerConfig("anna-laptop");
System.out.println(config.text());
System.out.println(mesh.toBuilder().withoutViewer("anna-laptop").apply());
cloud.close();
