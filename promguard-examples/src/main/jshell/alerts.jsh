// What Prometheus sends on and warns of: remote_write with a password, rules of your own, and an Alertmanager.
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/alerts.jsh
LocalCloud cloud = LocalCloud.builder().ownReleases().start();
Secret password = Secret.of("only for the local cloud");
String rules = "groups: [{name: shop, rules: [{alert: Busy, expr: node_load1 > 8, for: 10m}]}]";
URI mimir = URI.create("https://mimir.example/api/v1/push");
Mesh mesh = cloud.mesh().name("shop").
        monitor("tor1").
        nodes(2).
        prometheus(prometheus -> prometheus.
                addRemoteWrite(mimir, Credentials.basic("shop", password)).
                addRules("shop", rules).
                addAlertmanager(URI.create("https://alerts.example/"))).
        build();
System.out.println(mesh.apply());
cloud.close();
