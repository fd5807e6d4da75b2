package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** A network of its own for shell that changes packet filters or interfaces: what a test forgets to replace must not reach this machine's. */
final class OwnNetwork {
    private OwnNetwork() {}

    /** A shell that reads its commands from standard input. Whoever may make none may change none of this machine either. */
    static ProcessBuilder shell() throws IOException, InterruptedException {
        boolean possible = "root".equals(System.getProperty("user.name"))
                && new ProcessBuilder("unshare", "-n", "true").start().waitFor() == 0;
        return possible ? new ProcessBuilder("unshare", "-n", "sh", "-s") : new ProcessBuilder("sh", "-s");
    }

    /** Runs shell there, and returns all that it prints. */
    static String run(String text) throws IOException, InterruptedException {
        Process shell = shell().redirectErrorStream(true).start();
        try (var in = shell.getOutputStream()) {
            in.write(text.getBytes(UTF_8));
        }
        String out = new String(shell.getInputStream().readAllBytes(), UTF_8);
        assertThat(shell.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return out;
    }
}
