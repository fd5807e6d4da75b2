package dev.promguard.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.promguard.ApplyException;
import dev.promguard.ApplyReport;
import dev.promguard.DestroyReport;
import dev.promguard.InvalidSettingException;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;
import dev.promguard.PromGuardException;
import dev.promguard.Report;
import dev.promguard.Tunnel;
import dev.promguard.VerifyReport;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Release;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.spi.CloudProvider;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * The life of a mesh in a JVM of its own that logs all it can, and writes down all that PromGuard lets out: events,
 * exceptions, and every object that comes back. What is secret comes in over standard input and goes out over standard output.
 */
final class SecretStory {
    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    private final Path collected;
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<Secret> made = Collections.synchronizedList(new ArrayList<>());

    private SecretStory(Path collected) {
        this.collected = collected;
    }

    public static void main(String[] arguments) throws Exception {
        new SecretStory(Path.of(arguments[0])).tell(arguments);
        System.exit(0);
    }

    private static void say(String line) {
        synchronized (System.out) {
            System.out.println(line);
            System.out.flush();
        }
    }

    private String hear() throws IOException {
        String line = in.readLine();
        if (line == null) {
            throw new IOException("nobody listens any more");
        }
        return line;
    }

    private void write(String file, String text) {
        try {
            Files.writeString(
                    collected.resolve(file), text + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Keys that are told to whoever looks for them. */
    private KeySource told(boolean lying) {
        KeySource source = KeySource.random();
        return new KeySource() {
            @Override
            public WireGuardKeyPair generate() {
                WireGuardKeyPair pair = source.generate();
                tell(pair.privateKey());
                try (WireGuardKeyPair other = source.generate()) {
                    return lying ? new WireGuardKeyPair(pair.privateKey(), other.publicKey()) : pair;
                }
            }

            @Override
            public Secret presharedKey() {
                Secret key = source.presharedKey();
                tell(key);
                return key;
            }

            private void tell(Secret key) {
                made.add(key);
                String said = key.useText(text -> "key " + text);
                say(said);
            }
        };
    }

    private void tell(String[] arguments) throws Exception {
        String canary = hear();
        String token = hear();
        String password = hear();
        URI endpoint = URI.create(arguments[1]);
        String mirror = arguments[2];
        DigitalOcean provider = DigitalOcean.builder()
                .endpoint(endpoint)
                .token(Secret.of(token))
                .pollInterval(Duration.ofMillis(200))
                .build();
        Release exporter = ApplyAndDie.release(mirror, arguments[4]);
        MeshBuilder spec = Mesh.builder()
                .name("secret")
                .monitor("tor1")
                .nodes(1)
                .provider(provider)
                .keySource(told(false))
                .state(Path.of(arguments[3]))
                .nodeExporter(exporter)
                .prometheus(prometheus -> prometheus
                        .release(ApplyAndDie.release(mirror, arguments[5]))
                        .scrapeInterval(Duration.ofSeconds(3))
                        .addRemoteWrite(URI.create(arguments[6]), Credentials.basic("me", Secret.of(password))))
                .listener(event -> write("events", event.toString()));
        LoggerFactory.getLogger("net.schmizz.sshj").trace("a canary {}", canary);
        java.util.logging.Logger.getLogger("okhttp3").finest("a canary " + canary);
        write("events", "a canary " + canary);
        collect(Optional.of(new IllegalStateException("a canary " + canary)));
        collect(List.of(Optional.of(Map.of("a canary", canary))));

        Mesh mesh = spec.build();
        collect(provider);
        collect(spec);
        collect(mesh.blueprint());
        Plan plan = mesh.plan();
        collect(plan);
        say("applying");
        collect(mesh.apply(plan));
        collect(mesh.apply());
        collect(mesh.plan());
        collect(mesh.verify());
        try (Tunnel tunnel = mesh.openPrometheus()) {
            collect(tunnel.uri());
            collect(tunnel);
        }
        collect(mesh.rotateKeys());
        say("rotated");

        collect(failure(
                () -> spec.build().toBuilder().keySource(told(true)).build().rotateKeys()));
        collect(failure(() -> spec.build().toBuilder()
                .nodeExporter(new Release(
                        exporter.name(),
                        exporter.version(),
                        URI.create(mirror),
                        Map.of(Architecture.AMD64, "0".repeat(64), Architecture.ARM64, "0".repeat(64))))
                .build()
                .apply()));
        collect(failure(() -> spec.build().toBuilder()
                .provider(DigitalOcean.builder()
                        .endpoint(endpoint)
                        .token(Secret.of(token + "x"))
                        .build())
                .build()
                .apply()));
        collect(mesh.apply());
        collect(mesh.plan());
        for (Secret key : made) {
            try {
                say("open " + key.use(value -> value.length));
            } catch (InvalidSettingException e) {
                // The key was closed and cleared, as it should be.
            }
        }
        say("look");
        hear();
        collect(mesh.destroy());
        say("done");
    }

    private static PromGuardException failure(Runnable verb) {
        try {
            verb.run();
        } catch (PromGuardException e) {
            say((e instanceof ApplyException ? "failed " : "refused ")
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
            return e;
        }
        throw new IllegalStateException("it should have failed");
    }

    /** Writes down what is made of plans and reports for programs and pages. */
    private void documents(Object object) {
        if (object instanceof Plan plan) {
            write("documents", plan.toJson() + plan.toMarkdown() + plan.details());
            write("documents", Report.builder().plan(plan).build().toHtml());
        } else if (object instanceof ApplyReport report) {
            write("documents", report.toJson() + report.toMarkdown());
            write("documents", Report.builder().applied(report).build().toHtml());
        } else if (object instanceof VerifyReport report) {
            write("documents", report.toJson() + report.toMarkdown() + report.toSvg());
            write("documents", Report.builder().verified(report).build().toHtml());
        } else if (object instanceof DestroyReport report) {
            write("documents", report.toJson() + report.toMarkdown());
        }
    }

    /** Writes down what an object says of itself, and all that can be had from it. */
    private void collect(@Nullable Object object) throws IllegalAccessException {
        if (object == null || !seen.add(object)) {
            return;
        }
        write("objects", object.getClass().getName() + " " + object);
        documents(object);
        if (object instanceof Optional<?> optional) {
            collect(optional.orElse(null));
        } else if (object instanceof Map<?, ?> map) {
            collect(map.keySet());
            collect(map.values());
        } else if (object instanceof Collection<?> all) {
            for (Object each : all) {
                collect(each);
            }
        } else if (object instanceof Throwable failure) {
            StringWriter trace = new StringWriter();
            failure.printStackTrace(new PrintWriter(trace));
            write("exceptions", trace.toString());
            collect(failure.getCause());
            for (Throwable suppressed : failure.getSuppressed()) {
                collect(suppressed);
            }
        }
        boolean acts = object instanceof Mesh
                || object instanceof MeshBuilder
                || object instanceof CloudProvider
                || object instanceof Tunnel;
        if (object.getClass().getName().startsWith("dev.promguard.") && !acts && !(object instanceof Secret)) {
            for (Method method : object.getClass().getMethods()) {
                if (tells(method)) {
                    try {
                        collect(method.invoke(object));
                    } catch (InvocationTargetException e) {
                        collect(e.getCause());
                    }
                }
            }
        }
    }

    private static boolean tells(Method method) {
        return method.getParameterCount() == 0
                && !Modifier.isStatic(method.getModifiers())
                && method.getReturnType() != void.class
                && Modifier.isPublic(method.getDeclaringClass().getModifiers())
                && method.getDeclaringClass().getName().startsWith("dev.promguard.");
    }
}
