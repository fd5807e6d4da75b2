package dev.promguard.examples.localcloud;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** The folder that keeps base images and releases for later local clouds, and that no local cloud deletes. Thread-safe. */
public final class ImageCache {
    /** Where it is, unless {@link LocalCloud.Builder#cache(Path)} names another one. */
    public static final Path FOLDER = Path.of("/var/cache/promguard-local-cloud");

    private ImageCache() {}

    /**
     * How much room it takes on disk.
     *
     * @return in units of 1,000,000 bytes, rounded up; 0 if there is no such folder
     * @throws LocalCloudException if it cannot be read
     */
    public static long megabytes() {
        if (!Files.isDirectory(FOLDER)) {
            return 0;
        }
        String size = Command.of("du", "-s", "--block-size=1000000", "--", FOLDER.toString())
                .timeout(Duration.ofMinutes(1))
                .check()
                .stdout();
        return Long.parseLong(size.split("\\s", 2)[0]);
    }
}
