// A JUnit test of your own: the mesh of your program on real machines, with no account.
// As root, in a JShell of "mvn -q compile exec:exec@jshell": /open src/main/jshell/junit.jsh
OwnTest.main(new String[0]);
