package dev.promguard.examples.tasks;

import dev.promguard.blueprint.Names;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** The examples by the names under which {@code mvn -q compile exec:java -Dexec.args=NAME} starts them. */
public final class Tasks {
    private static final int DONE = 0;
    private static final int USAGE = 2;
    private static final Map<String, Entry> ALL = all();

    private Tasks() {}

    /**
     * An example.
     *
     * @param summary what it shows, in a line
     * @param main starts it
     */
    private record Entry(String summary, Consumer<String[]> main) {}

    private static Map<String, Entry> all() {
        Map<String, Entry> all = new LinkedHashMap<>();
        all.put("first-mesh", new Entry("plan, apply, verify, open Prometheus", FirstMesh::main));
        all.put("nodes", new Entry("add a node, and remove it", AddAndRemoveNodes::main));
        all.put("sizes", new Entry("regions and sizes, and another size later", RegionsAndSizes::main));
        all.put("servers", new Entry("servers that are there already", ServersYouHave::main));
        all.put("exporters", new Entry("an exporter, and a service of your own", ExportersAndServices::main));
        all.put("alerts", new Entry("remote_write, rules and an Alertmanager", SendAndAlert::main));
        all.put("nightly", new Entry("put right what drifted, for cron and CI", NightlyConverge::main));
        all.put("rotate", new Entry("new keys for a running mesh", RotateKeys::main));
        all.put("viewers", new Entry("a colleague's laptop looks on", ViewersOnLaptops::main));
        all.put("audit", new Entry("every check as a file, for an auditor", VerifyForAnAuditor::main));
        all.put("junit", new Entry("a JUnit test of your own", OwnTest::main));
        return all;
    }

    /**
     * Runs an example, or lists them.
     *
     * @param name an example's name, or {@code list}
     * @param out where the list goes, and what is wrong with a name
     * @return the exit status: 0, or 2 for an unknown name
     */
    public static int run(String name, PrintStream out) {
        Entry task = ALL.get(name);
        if (task != null) {
            task.main().accept(new String[0]);
            return DONE;
        }
        boolean asked = name.equals("list");
        if (!asked) {
            out.println("There is no example " + Names.quote(name) + ". There are:");
        }
        ALL.forEach((known, entry) -> out.printf("  %-11s %s%n", known, entry.summary()));
        if (asked) {
            out.println("Run one: mvn -q compile exec:java -Dexec.args=NAME");
            out.println("Their code: promguard-examples/src/main/java/dev/promguard/examples/tasks");
        }
        return asked ? DONE : USAGE;
    }
}
