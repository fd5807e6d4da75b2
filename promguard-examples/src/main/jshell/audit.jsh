// Every check, how it was made and what was observed, as a file for somebody who has to be shown.
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/audit.jsh
LocalCloud cloud = LocalCloud.builder().ownReleases().start();
Mesh mesh = cloud.mesh().name("shop").monitor("tor1").nodes(2).build();
mesh.apply();
VerifyReport report = mesh.verify();
Path file = Files.createDirectories(Path.of("target")).resolve("audit.md");
Files.writeString(file, report.toMarkdown());
System.out.println("The report is in " + file.toAbsolutePath());
report.orThrow();
cloud.close();
