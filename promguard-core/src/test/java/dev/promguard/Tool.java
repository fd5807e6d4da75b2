package dev.promguard;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A program of this machine that a test asks for its opinion. Where it is missing the test is skipped, and says what to install. */
public final class Tool {
    private static final int TIMEOUT_SECONDS = 30;

    private final String program;

    private Tool(String program) {
        this.program = program;
    }

    /** What a program answered. */
    public record Answer(int exitCode, String output) {}

    /** Finds a program, or skips the test. */
    public static Tool orSkip(String name, String debianPackage) {
        String path = Objects.requireNonNullElse(System.getenv("PATH"), "") + ":/usr/sbin:/sbin";
        Stream<Path> places =
                Stream.of(path.split(":")).filter(folder -> !folder.isEmpty()).map(folder -> Path.of(folder, name));
        List<Path> found = places.filter(Files::isExecutable).toList();
        assumeTrue(!found.isEmpty(), name + " is not on the PATH: install " + debianPackage + " to run this test");
        return new Tool(found.get(0).toString());
    }

    /** Runs the program and waits for its end. */
    public Answer run(String input, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(program));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (OutputStream in = process.getOutputStream()) {
            in.write(input.getBytes(StandardCharsets.UTF_8));
        }
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException(program + " did not end in " + TIMEOUT_SECONDS + " s");
        }
        return new Answer(process.exitValue(), output);
    }
}
