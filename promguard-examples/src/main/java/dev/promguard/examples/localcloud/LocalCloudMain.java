package dev.promguard.examples.localcloud;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Starts a local cloud for people to try things on, and takes it away at the end. */
public final class LocalCloudMain {
    static final int DONE = 0;
    static final int STOPPED = 1;
    static final int USAGE = 2;

    private static final String USAGE_TEXT = """
            usage: LocalCloudMain [OPTION]
              (no option)      start a local cloud, and remove it on Enter
              --install        first install the Debian packages that it needs
              --clean          only remove what killed local clouds left
            exit status: 0 done, 1 it cannot run here, 2 unknown arguments
            """;

    private LocalCloudMain() {}

    /**
     * Starts it, prints what there is to know, and waits for Enter, or for the process to be told to end. Ends the process with status
     * 1 if it cannot run here, and with 2 if an argument is unknown.
     *
     * @param arguments {@code --install} lets it install missing Debian packages; {@code --clean} only removes what killed runs left
     * @throws IOException if standard input fails
     */
    public static void main(String... arguments) throws IOException {
        ConsoleLogging.configure();
        int status = run(List.of(arguments), System.in, System.out);
        if (status != DONE) {
            System.exit(status);
        }
    }

    static int run(List<String> arguments, InputStream in, PrintStream out) throws IOException {
        if (arguments.equals(List.of("--clean"))) {
            out.println("removed: " + LocalCloud.cleanUp());
            return DONE;
        }
        if (arguments.equals(List.of("--install"))) {
            LocalCloud.installMissing(out::println);
        } else if (!arguments.isEmpty()) {
            out.print(USAGE_TEXT);
            return USAGE;
        }
        Support support = LocalCloud.support();
        if (!support.ok()) {
            out.println(support);
            return STOPPED;
        }
        try (LocalCloud cloud = LocalCloud.builder().progress(out::println).start()) {
            out.println("endpoint  " + cloud.endpoint());
            out.println("token     " + cloud.token());
            out.println("network   " + cloud.subnet());
            out.println("mirror    " + cloud.releaseMirror());
            for (LocalRelease release : cloud.releases()) {
                out.println("release   " + release.fileName() + "  sha256 " + release.sha256());
            }
            out.println("Press Enter to take it all away.");
            if (in.read() < 0) {
                // No terminal: stay until told to end; the shutdown hook takes it away.
                new CountDownLatch(1).await();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return DONE;
    }
}
