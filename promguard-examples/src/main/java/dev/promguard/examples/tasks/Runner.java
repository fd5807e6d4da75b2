package dev.promguard.examples.tasks;

import dev.promguard.MeshBuilder;
import dev.promguard.Progress;
import dev.promguard.PromGuardException;
import dev.promguard.examples.localcloud.ConsoleLogging;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalCloudException;
import dev.promguard.examples.localcloud.Support;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** Gives an example a local cloud for as long as it runs, and takes everything away afterwards. */
final class Runner {
    private static final int STOPPED = 1;

    private Runner() {}

    /** An example that needs a mesh's builder alone. */
    @FunctionalInterface
    interface Task {
        /**
         * Runs it.
         *
         * @param builder a builder of a mesh on the local cloud that says on standard output what happens
         */
        void run(MeshBuilder builder) throws IOException;
    }

    /** An example that does something to the machines, too. */
    @FunctionalInterface
    interface TaskOnMachines {
        /**
         * Runs it.
         *
         * @param builder as in {@link Task#run}
         * @param cloud where the machines are
         */
        void run(MeshBuilder builder, LocalCloud cloud) throws IOException;
    }

    static void run(Task task) {
        run((builder, cloud) -> task.run(builder));
    }

    /** Ends the process with status 1 if a problem stopped the example. */
    static void run(TaskOnMachines task) {
        ConsoleLogging.configure();
        Support support = LocalCloud.support();
        if (!support.okOnceInstalled()) {
            stop("The examples need the local cloud, which needs Linux and root. Here: "
                    + String.join("; ", support.blockers()));
            return;
        }
        LocalCloud.installMissing(System.out::println);
        try (LocalCloud cloud =
                LocalCloud.builder().ownReleases().progress(System.out::println).start()) {
            task.run(cloud.mesh().listener(Progress.console()), cloud);
        } catch (PromGuardException | LocalCloudException | IOException e) {
            stop("The example stopped: " + e.getMessage());
        }
    }

    /** Ends the process with status 1 if a test fails. */
    static void junit(Class<?> test) {
        ConsoleLogging.configure();
        SummaryGeneratingListener summary = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(DiscoverySelectors.selectClass(test))
                                .build(),
                        summary);
        PrintWriter out = new PrintWriter(System.out, true, Charset.defaultCharset());
        summary.getSummary().printFailuresTo(out);
        summary.getSummary().printTo(out);
        if (summary.getSummary().getTotalFailureCount() > 0) {
            stop("The test failed.");
        }
    }

    private static void stop(String why) {
        System.out.println(why);
        System.exit(STOPPED);
    }
}
