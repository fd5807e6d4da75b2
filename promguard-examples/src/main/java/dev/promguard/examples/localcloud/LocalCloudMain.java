package dev.promguard.examples.localcloud;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Starts a local cloud for people to try things on, and takes it away at the end. */
public final class LocalCloudMain {
    private LocalCloudMain() {}

    /**
     * Starts it, prints what there is to know, and waits for Enter, or for the process to be told to end.
     *
     * @param arguments {@code --install} lets it install missing Debian packages; {@code --clean} only removes what killed runs left
     * @throws IOException if standard input fails
     */
    public static void main(String... arguments) throws IOException {
        ConsoleLogging.configure();
        if (List.of(arguments).contains("--clean")) {
            System.out.println("removed: " + LocalCloud.cleanUp());
            return;
        }
        if (List.of(arguments).contains("--install")) {
            LocalCloud.installMissing(System.out::println);
        }
        Support support = LocalCloud.support();
        if (!support.ok()) {
            System.err.println(support);
            System.exit(1);
        }
        try (LocalCloud cloud =
                LocalCloud.builder().progress(System.out::println).start()) {
            System.out.println("endpoint  " + cloud.endpoint());
            System.out.println("token     " + cloud.token());
            System.out.println("network   " + cloud.subnet());
            System.out.println("mirror    " + cloud.releaseMirror());
            for (LocalRelease release : cloud.releases()) {
                System.out.println("release   " + release.fileName() + "  sha256 " + release.sha256());
            }
            System.out.println("Press Enter to take it all away.");
            if (System.in.read() < 0) {
                // No terminal: stay until told to end; the shutdown hook takes it away.
                new CountDownLatch(1).await();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
