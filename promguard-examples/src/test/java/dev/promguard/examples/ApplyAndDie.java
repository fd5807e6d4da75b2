package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Mesh;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Release;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalRelease;
import dev.promguard.keys.Secret;
import dev.promguard.ssh.SshApplier;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Applies a mesh in a JVM of its own, which halts, with no hook run and nothing flushed, when a step of that name is reported. */
final class ApplyAndDie {
    /** The exit code of a JVM that died at the moment asked for. */
    private static final int DIED = 86;

    private ApplyAndDie() {}

    /**
     * Applies in a JVM that dies, and insists that it did.
     *
     * @param moment what the step says that it dies at
     * @param state where the mesh's state is
     * @param rollbackAfter when the hosts roll back what was not confirmed
     */
    static void at(String moment, LocalCloud cloud, Path state, Duration rollbackAfter)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ApplyAndDie.class.getName(),
                        cloud.endpoint().toString(),
                        cloud.token(),
                        state.toString(),
                        moment,
                        cloud.releaseMirror().toString(),
                        release(cloud, "node_exporter"),
                        release(cloud, "prometheus"),
                        Long.toString(rollbackAfter.toSeconds()))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as("%s: %s", moment, output).isEqualTo(DIED);
    }

    /** A release that a cloud serves, in the words that {@link #release(String, String)} reads. */
    static String release(LocalCloud cloud, String name) {
        LocalRelease release = Clouds.release(cloud.releases(), name);
        return String.join(" ", release.name(), release.version(), release.arch(), release.sha256());
    }

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
                .prometheus(prometheus ->
                        prometheus.scrapeInterval(Duration.ofSeconds(3)).release(release(args[4], args[6])))
                .applier(SshApplier.builder()
                        .rollbackAfter(Duration.ofSeconds(Long.parseLong(args[7])))
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
    static Release release(String mirror, String text) {
        String[] words = text.split(" ", -1);
        return new Release(
                words[0],
                words[1],
                URI.create(mirror),
                Map.of(Architecture.valueOf(words[2].toUpperCase(Locale.ROOT)), words[3]));
    }
}
