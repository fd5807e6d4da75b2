package dev.promguard.examples;

import dev.promguard.Mesh;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Release;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.keys.Secret;
import dev.promguard.ssh.SshApplier;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/** Applies a mesh in a JVM of its own, which halts, with no hook run and nothing flushed, when a step of that name is reported. */
final class ApplyAndDie {
    /** The exit code of a JVM that died at the moment wished for. */
    static final int DIED = 86;

    private ApplyAndDie() {}

    public static void main(String[] args) {
        String moment = args[3];
        Mesh.builder()
                .name("faulty")
                .monitor("tor1")
                .nodes(1)
                .provider(DigitalOcean.builder()
                        .endpoint(URI.create(args[0]))
                        .token(Secret.of(args[1]))
                        .pollInterval(Duration.ofMillis(200))
                        .build())
                .state(Path.of(args[2]))
                .nodeExporter(release(args[4], args[5]))
                .prometheus(prometheus -> prometheus.release(release(args[4], args[6])))
                .applier(SshApplier.builder()
                        .rollbackAfter(Duration.ofSeconds(args.length > 7 ? Long.parseLong(args[7]) : 120))
                        .build())
                .listener(event -> {
                    System.out.println(event);
                    if (event.step().contains(moment)) {
                        Runtime.getRuntime().halt(DIED);
                    }
                })
                .build()
                .apply();
    }

    /** Reads a release from name, version, architecture and sum, joined by blanks. */
    private static Release release(String mirror, String text) {
        String[] words = text.split(" ", -1);
        return new Release(
                words[0],
                words[1],
                URI.create(mirror),
                Map.of(Architecture.valueOf(words[2].toUpperCase(Locale.ROOT)), words[3]));
    }
}
