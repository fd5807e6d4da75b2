package dev.promguard.examples;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A headless Chromium, new for each page. */
final class Browser {
    private static final int SECONDS = 60;

    private Browser() {}

    /**
     * What a page became.
     *
     * @param dom the document after its scripts have run
     * @param console what the page wrote to the browser's console, requests that failed among it
     */
    record Page(String dom, List<String> console) {}

    /** Loads a page, and keeps what is asked for in a new folder. */
    static Page load(URI uri, Path folder) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        Path dom = folder.resolve("dom.html");
        Path log = folder.resolve("browser.log");
        run(uri, folder, dom, log, "--dump-dom");
        List<String> console = Files.readAllLines(log).stream()
                .filter(line -> line.contains("CONSOLE"))
                .toList();
        return new Page(Files.readString(dom), console);
    }

    /** Takes a picture of a page. */
    static void picture(URI uri, Path folder, Path png) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        run(
                uri,
                folder,
                folder.resolve("out"),
                folder.resolve("picture.log"),
                "--screenshot=" + png.toAbsolutePath(),
                "--window-size=1200,1000");
    }

    private static void run(URI uri, Path folder, Path out, Path log, String... what)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--enable-logging=stderr",
                "--user-data-dir=" + Files.createTempDirectory(folder, "profile"),
                "--virtual-time-budget=10000"));
        command.addAll(List.of(what));
        command.add(uri.toString());
        Process process = new ProcessBuilder(command)
                .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(log.toFile())
                .start();
        if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            throw new IOException("chromium did not end in " + SECONDS + " s: " + Files.readString(log));
        }
        if (process.exitValue() != 0) {
            throw new IOException("chromium ended with status " + process.exitValue() + ": " + Files.readString(log));
        }
    }
}
