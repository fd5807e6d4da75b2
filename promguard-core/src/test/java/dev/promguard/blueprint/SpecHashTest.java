package dev.promguard.blueprint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Golden;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.SpecFile;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.Secret;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The sum by which a report says what it is about. */
class SpecHashTest {
    private static MeshBuilder spec() {
        return Mesh.builder().name("shop").monitor("tor1").node("db-1", host -> host.expose("postgres", 9187));
    }

    private static String hash(MeshBuilder builder) {
        return builder.build().blueprint().spec().hash();
    }

    static Stream<UnaryOperator<MeshBuilder>> changes() {
        return Stream.of(
                mesh -> mesh.name("other"),
                mesh -> mesh.network("10.9.0.0/24"),
                mesh -> mesh.wireGuardPort(51821),
                mesh -> mesh.mtu(1280),
                mesh -> mesh.presharedKeys(false),
                mesh -> mesh.hostsFile(true),
                mesh -> mesh.nodes(1),
                mesh -> mesh.editHost("db-1", host -> host.openPorts(443)),
                mesh -> mesh.editHost("db-1", host -> host.closeOtherPorts(true)),
                mesh -> mesh.editHost("db-1", host -> host.expose("postgres", 9188)),
                mesh -> mesh.editHost("db-1", host -> host.behindNat(true)),
                mesh -> mesh.prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(30))),
                mesh -> mesh.prometheus(settings -> settings.externalLabel("a", "b")),
                mesh -> mesh.prometheus(settings -> settings.addRemoteWrite(
                        URI.create("https://a.example/"), Credentials.basic("me", Secret.of("x")))),
                mesh -> mesh.nodeExporter(new Release(
                        "node_exporter",
                        "1.0.0",
                        URI.create("https://a.example/"),
                        Map.of(Architecture.AMD64, "0".repeat(64)))));
    }

    @ParameterizedTest
    @MethodSource("changes")
    void hash_specThatSaysSomethingElse_isAnother(UnaryOperator<MeshBuilder> change) {
        assertThat(hash(change.apply(spec()))).isNotEqualTo(hash(spec()));
    }

    @Test
    void hash_sameSpec_isTheSameAndOfNoSecret() {
        assertThat(hash(spec())).isEqualTo(hash(spec())).matches("sha256:[0-9a-f]{64}");
        assertThat(hash(writing("one"))).isEqualTo(hash(writing("another")));
    }

    private static MeshBuilder writing(String password) {
        return spec().prometheus(settings -> settings.addRemoteWrite(
                URI.create("https://a.example/"), Credentials.basic("me", Secret.of(password))));
    }

    @Test
    void hash_neighbouringTexts_areKeptApart() {
        assertThat(hash(spec().prometheus(settings -> settings.externalLabel("a", "b=c"))))
                .isNotEqualTo(hash(spec().prometheus(
                                settings -> settings.externalLabel("a", "b").externalLabel("c", "c"))));
    }

    @Test
    void hash_everySpecOfTheBlueprintTests_isItsOwn() {
        Golden specs = new Golden("/dev/promguard/blueprint");
        List<String> hashes = specs.names().stream()
                .map(name -> SpecFile.parse(specs.read(name + ".input"))
                        .blueprint()
                        .spec()
                        .hash())
                .toList();

        assertThat(hashes).doesNotHaveDuplicates().hasSizeGreaterThan(3);
    }
}
