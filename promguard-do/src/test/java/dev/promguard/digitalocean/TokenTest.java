package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Cloud.ok;
import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.ProviderException;
import dev.promguard.spi.CloudProvider;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Where the token comes from when the builder is told none: tried in a JVM of its own, since it is the environment. */
class TokenTest {
    @RegisterExtension
    final Cloud cloud = new Cloud();

    /** Finds the provider as the engine does, and asks with one that is told only the endpoint. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            for (CloudProvider found : ServiceLoader.load(CloudProvider.class)) {
                System.out.println("found " + found.name());
            }
            CloudProvider provider =
                    DigitalOcean.builder().endpoint(URI.create(arguments[0])).build();
            try {
                System.out.println("faults " + provider.preflight(List.of()).problems());
            } catch (ProviderException e) {
                System.out.println("failed " + e.getMessage());
            }
        }
    }

    private List<String> child(Map<String, String> environment) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Dlogback.configurationFile=logback-test.xml",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                cloud.endpoint().toString());
        builder.environment().keySet().removeIf(name -> name.startsWith("DIGITALOCEAN_"));
        builder.environment().putAll(environment);
        builder.redirectErrorStream(true);
        Process child = builder.start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(child.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(output).doesNotContain(Cloud.TOKEN);
        return output.lines().toList();
    }

    private List<String> tokensSent() {
        return cloud.calls().stream()
                .map(call -> call.header("Authorization").firstValue())
                .toList();
    }

    @Test
    void check_noToken_namesTheVariablesAndSendsNothing() throws Exception {
        List<String> said = child(Map.of("DIGITALOCEAN_TOKEN", "  "));

        assertThat(said).first().isEqualTo("found DigitalOcean");
        assertThat(said)
                .last()
                .satisfies(line -> assertThat(line)
                        .startsWith("failed no DigitalOcean token")
                        .contains("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN", "DigitalOcean.builder().token("));
        assertThat(cloud.lines()).isEmpty();
    }

    @Test
    void check_tokenInTerraformsVariable_isSentWithoutWhiteSpace() throws Exception {
        cloud.on("GET", "/v2/account", ok(Bodies.account(25, "active")));

        assertThat(child(Map.of("DIGITALOCEAN_TOKEN", " " + Cloud.TOKEN + "\n")))
                .contains("faults []");

        assertThat(tokensSent()).containsExactly("Bearer " + Cloud.TOKEN);
    }

    @Test
    void check_tokenInBothVariables_takesDoctls() throws Exception {
        cloud.on("GET", "/v2/account", ok(Bodies.account(25, "active")));

        assertThat(child(Map.of("DIGITALOCEAN_TOKEN", "other", "DIGITALOCEAN_ACCESS_TOKEN", Cloud.TOKEN)))
                .contains("faults []");

        assertThat(tokensSent()).containsExactly("Bearer " + Cloud.TOKEN);
    }

    @Test
    void serviceLoader_ofTheModule_findsTheProviderOnce() {
        assertThat(ServiceLoader.load(CloudProvider.class).stream()
                        .map(ServiceLoader.Provider::type)
                        .toList())
                .containsExactly(DigitalOcean.class);
    }
}
