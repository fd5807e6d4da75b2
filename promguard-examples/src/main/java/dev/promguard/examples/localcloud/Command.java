package dev.promguard.examples.localcloud;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Runs programs of this machine: with a deadline, without a shell, keeping what they print. */
final class Command {
    static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    /** A bound on what hangs, not on what is slow: a busy machine takes many times as long as an idle one. */
    private static final Duration USUAL = Duration.ofMinutes(2);

    private final List<String> words;
    private Duration timeout = USUAL;
    private @Nullable Path output;

    private Command(List<String> words) {
        this.words = words;
    }

    static Command of(String... words) {
        return new Command(List.of(words));
    }

    static Command of(List<String> words) {
        return new Command(List.copyOf(words));
    }

    Command timeout(Duration wanted) {
        timeout = wanted;
        return this;
    }

    /** Sends both outputs to a file that stays, in place of the result. */
    Command output(Path file) {
        output = file;
        return this;
    }

    /** Runs it and insists on status 0. */
    ExecResult check() {
        return run().orThrow();
    }

    /** Runs it. Output goes through files, not pipes: a daemon that the program leaves behind cannot hold the answer back. */
    ExecResult run() {
        Path folder = null;
        try {
            folder = Files.createTempDirectory("local-cloud-command");
            Path out = output != null ? output : folder.resolve("out");
            Path err = output != null ? output : folder.resolve("err");
            ProcessBuilder builder = builder(words);
            builder.redirectOutput(ProcessBuilder.Redirect.appendTo(out.toFile()));
            if (output != null) {
                builder.redirectErrorStream(true);
            } else {
                builder.redirectError(ProcessBuilder.Redirect.appendTo(err.toFile()));
            }
            Process process = builder.start();
            try {
                if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                    kill(process);
                    throw new LocalCloudException(
                            "`" + String.join(" ", words) + "` did not end within " + timeout.toSeconds()
                                    + " s and was killed: " + text(err).strip());
                }
            } catch (InterruptedException e) {
                kill(process);
                Thread.currentThread().interrupt();
                throw new LocalCloudException("interrupted in `" + String.join(" ", words) + "`", e);
            }
            return new ExecResult(words, process.exitValue(), text(out), text(err));
        } catch (IOException e) {
            throw new LocalCloudException("`" + String.join(" ", words) + "` could not be run: " + e.getMessage(), e);
        } finally {
            if (folder != null) {
                Folders.deletePlain(folder);
            }
        }
    }

    /** A process builder with a clean environment and nothing on standard input. */
    static ProcessBuilder builder(List<String> words) {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(words));
        builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        builder.environment().clear();
        builder.environment().put("PATH", PATH);
        builder.environment().put("HOME", "/root");
        builder.environment().put("LC_ALL", "C.UTF-8");
        builder.environment().put("DEBIAN_FRONTEND", "noninteractive");
        return builder;
    }

    static void kill(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    private static String text(Path file) throws IOException {
        return Files.exists(file) ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8) : "";
    }
}
