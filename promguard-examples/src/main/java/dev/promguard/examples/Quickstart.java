package dev.promguard.examples;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;
import dev.promguard.Progress;
import dev.promguard.PromGuardException;
import dev.promguard.Tunnel;
import dev.promguard.VerifyReport;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.ConsoleLogging;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalCloudException;
import dev.promguard.examples.localcloud.Support;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.util.List;

/**
 * The main job, start to end: a monitor and three nodes, created, configured, proven, shown, and removed again. On the local
 * cloud where that can run, with {@code --digitalocean} on DigitalOcean, and elsewhere as a preview.
 */
public final class Quickstart {
    private static final String USAGE = """
            usage: mvn -q compile exec:java [-Dexec.args="OPTIONS"]
              (no option)      run on the local cloud: root on Linux; elsewhere write a preview
              --preview        only write what would be made, to target/promguard-preview
              --digitalocean   run on DigitalOcean, with the token in DIGITALOCEAN_TOKEN; costs money while it runs
              --destroy        remove what an interrupted run with --digitalocean left
            """;

    private Quickstart() {}

    /**
     * Runs the quickstart.
     *
     * @param args see the usage text
     */
    public static void main(String[] args) {
        ConsoleLogging.configure();
        int status = run(args);
        if (status != 0) {
            System.exit(status);
        }
    }

    private static int run(String[] args) {
        String option = args.length == 0 ? "" : args[0];
        try {
            if (args.length > 1) {
                return usage();
            }
            return switch (option) {
                case "" -> local();
                case "--preview" -> preview(List.of());
                case "--digitalocean" -> onDigitalOcean();
                case "--destroy" -> destroyOnDigitalOcean();
                default -> usage();
            };
        } catch (PromGuardException | LocalCloudException | IllegalStateException e) {
            System.out.println();
            System.out.println("The quickstart stopped: " + e.getMessage());
            return 1;
        }
    }

    private static int usage() {
        System.out.print(USAGE);
        return 2;
    }

    private static MeshBuilder wish() {
        return Mesh.builder()
                .name("promguard")
                .monitor("tor1")
                .nodes(3, "lon1", "sfo3", "sgp1")
                .listener(Progress.console());
    }

    private static int local() {
        Support support = LocalCloud.support();
        if (!support.okOnceInstalled()) {
            return preview(support.blockers());
        }
        System.out.println("PromGuard quickstart: a Prometheus monitor and three nodes on this machine's local cloud.");
        LocalCloud.installMissing(line -> System.out.println("  " + line));
        try (LocalCloud cloud = LocalCloud.builder()
                .progress(line -> System.out.println("  " + line))
                .start()) {
            show(wish().provider(cloud.provider()).state(cloud.folder()).build());
        }
        System.out.println("Everything is removed: machines, network, rules and state.");
        return 0;
    }

    private static Mesh digitalOceanMesh() {
        return wish().provider(new DigitalOcean()).build();
    }

    private static int destroyOnDigitalOcean() {
        System.out.println(digitalOceanMesh().destroy());
        return 0;
    }

    private static int onDigitalOcean() {
        Mesh mesh = digitalOceanMesh();
        Thread hint = new Thread(
                () -> System.out.println("\nInterrupted: droplets may be left, and cost money. Remove them:\n"
                        + "  mvn -q compile exec:java -Dexec.args=--destroy"));
        Runtime.getRuntime().addShutdownHook(hint);
        show(mesh);
        Runtime.getRuntime().removeShutdownHook(hint);
        return 0;
    }

    private static void show(Mesh mesh) {
        Plan plan = mesh.plan();
        System.out.println();
        System.out.println(plan);
        System.out.println();
        boolean done = false;
        try {
            System.out.println(mesh.apply(plan));
            System.out.println();
            VerifyReport report = mesh.verify();
            System.out.println(report);
            report.orThrow();
            try (Tunnel prometheus = mesh.openPrometheus()) {
                System.out.println();
                System.out.println("Prometheus: " + prometheus.uri() + "  (through SSH, while this runs; "
                        + "in Java: mesh.openPrometheus())");
                waitForEnter();
            }
            done = true;
        } finally {
            if (!done) {
                System.out.println("Removing what was made.");
            }
            System.out.println(mesh.destroy());
        }
    }

    private static int preview(List<String> blockers) {
        Mesh mesh = wish().build();
        Path folder = Path.of("target", "promguard-preview");
        System.out.println("PromGuard quickstart: a preview.");
        System.out.println();
        System.out.println(mesh.blueprint());
        System.out.println();
        List<Path> files = mesh.writePreview(folder);
        System.out.println(files.size() + " files written to " + folder.toAbsolutePath() + ", mesh.svg among them.");
        if (!blockers.isEmpty()) {
            System.out.println();
            System.out.println("A real run on the local cloud needs Linux and root. Here:");
            blockers.forEach(blocker -> System.out.println("  - " + blocker));
        }
        System.out.println("A real run on DigitalOcean needs a token in DIGITALOCEAN_TOKEN, and then:");
        System.out.println("  mvn -q compile exec:java -Dexec.args=--digitalocean");
        return 0;
    }

    private static void waitForEnter() {
        if (!isTerminal()) {
            return;
        }
        System.out.println("Press Enter to remove everything.");
        try {
            int next = System.in.read();
            while (next != '\n' && next != -1) {
                next = System.in.read();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** From Java 22 on there is a console without a terminal too, and a method that tells. */
    @SuppressWarnings("SystemConsoleNull") // isTerminal() is asked where there is one
    private static boolean isTerminal() {
        Object console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return (boolean) java.io.Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException("cannot ask the console whether it is a terminal", e);
        }
    }
}
