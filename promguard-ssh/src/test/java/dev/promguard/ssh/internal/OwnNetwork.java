package dev.promguard.ssh.internal;

import java.io.IOException;

/** A network of its own for shell that changes packet filters or interfaces: what a test forgets to replace must not reach this machine's. */
final class OwnNetwork {
    private OwnNetwork() {}

    /** A shell that reads its commands from standard input. Whoever may make none may change none of this machine either. */
    static ProcessBuilder shell() throws IOException, InterruptedException {
        boolean possible = "root".equals(System.getProperty("user.name"))
                && new ProcessBuilder("unshare", "-n", "true").start().waitFor() == 0;
        return possible ? new ProcessBuilder("unshare", "-n", "sh", "-s") : new ProcessBuilder("sh", "-s");
    }
}
