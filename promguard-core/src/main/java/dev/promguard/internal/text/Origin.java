package dev.promguard.internal.text;

import dev.promguard.blueprint.Names;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Who runs this program, and where. */
public final class Origin {
    private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

    private Origin() {}

    /**
     * The user and the machine, without asking a name server.
     *
     * @return such as {@code anna@build-7 (Linux 6.1.0, amd64)}
     */
    public static String ofThisProgram() {
        return Names.printable(property("user.name") + '@' + machine() + " (" + property("os.name") + ' '
                + property("os.version") + ", " + property("os.arch") + ')');
    }

    private static String machine() {
        return hostName()
                .or(() -> Optional.ofNullable(System.getenv("HOSTNAME")))
                .or(() -> Optional.ofNullable(System.getenv("COMPUTERNAME")))
                .filter(name -> !name.isBlank())
                .orElse("a machine without a name");
    }

    private static Optional<String> hostName() {
        if (!Files.isReadable(HOST_NAME)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readString(HOST_NAME).strip());
        } catch (IOException e) {
            // The environment may have it where a sandbox hides this file.
            return Optional.empty();
        }
    }

    private static String property(String name) {
        return System.getProperty(name, "unknown");
    }
}
