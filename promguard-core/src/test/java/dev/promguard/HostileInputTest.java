package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Release;
import dev.promguard.host.Renderer;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Texts that mean something to a shell, a template, YAML, an INI file, XML or a terminal, in every place where a user may put a
 * text: each is refused in words that show it, or ends up as data alone.
 */
class HostileInputTest {
    private static final long SEED = 20_261_123;
    private static final int PER_FIELD = 150;
    /** A file that is named after an exporter or a job. */
    private static final Pattern OWN_NAME =
            Pattern.compile("(/targets/|/system/(?!node_exporter\\.|prometheus\\.|promguard-)|/promguard/)[^./]+(.*)");

    private final Renderer renderer = new Renderer();
    private final Structure plain = structure(spec().blueprint());

    private enum Field {
        NAME("name") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.name(text);
            }
        },
        REGION("region") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.region(text);
            }
        },
        SIZE("size") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.size(text);
            }
        },
        IMAGE("image") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.image(text);
            }
        },
        NODE_REGION("region") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.nodes(1, text);
            }
        },
        MONITOR_NAME("monitor name") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.namedMonitor(text);
            }
        },
        NODE_NAME("node name") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.node(text, host -> {});
            }
        },
        NETWORK("network") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.network(text);
            }
        },
        RELEASE_NAME("release name") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.nodeExporter(new Release(text, "1", BASE, SUMS));
            }
        },
        RELEASE_VERSION("release version") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.nodeExporter(new Release("node_exporter", text, BASE, SUMS));
            }
        },
        RELEASE_URI("release URI") {
            @Override
            void put(MeshBuilder spec, String text) {
                try {
                    spec.nodeExporter(
                            new Release("node_exporter", "1", new URI("https://mirror.example/" + text), SUMS));
                } catch (URISyntaxException e) {
                    throw new InvalidSettingException("release URI " + Names.quote(text) + ": use a URI", e);
                }
            }
        },
        RELEASE_SUM("SHA-256") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.nodeExporter(new Release("node_exporter", "1", BASE, Map.of(Architecture.AMD64, text)));
            }
        },
        EXPOSED_JOB("job", "db") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.node("web-1", host -> host.expose(text, 9187));
            }
        },
        EXPOSED_PATH("metricsPath", "/other") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.node("web-1", host -> host.expose("db", 9187, text));
            }
        },
        EXPORTER_NAME("exporter name", "other") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.addExporter(Exporters.blackbox().withName(text + "_exporter"));
            }
        },
        EXPORTER_ARGUMENT("exporter argument", "-x") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.addExporter(Exporters.blackbox().addArguments(text));
            }
        },
        EXPORTER_PATH("exporter path", "/usr/bin/a") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.addExporter(Exporter.fromPackage("a_exporter", "prometheus-a", text, 9001));
            }
        },
        EXPORTER_PACKAGE("exporter package", "prometheus-a") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.addExporter(Exporter.fromPackage("a_exporter", text, "/usr/bin/a", 9001));
            }
        },
        PROBE_TARGET("probe target", "example.org") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.addExporter(Exporters.blackbox().addProbe(text, "http_2xx"));
            }
        },
        PROBE_URI("probe target", "a") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.addExporter(Exporters.blackbox().addProbe("https://example.org/" + text, "http_2xx"));
            }
        },
        PROBE_MODULE("probe module", "m") {
            @Override
            void put(MeshBuilder spec, String text) {
                spec.addExporter(Exporters.blackbox().addProbe("example.org", text));
            }
        };

        private static final URI BASE = URI.create("https://mirror.example/");
        private static final Map<Architecture, String> SUMS = Map.of(Architecture.AMD64, "0".repeat(64));

        private final String label;
        private final Optional<String> harmless;

        Field(String label) {
            this.label = label;
            harmless = Optional.empty();
        }

        /** A field that a plain spec does not have, and a text for it that means nothing anywhere. */
        Field(String label, String harmless) {
            this.label = label;
            this.harmless = Optional.of(harmless);
        }

        abstract void put(MeshBuilder spec, String text);
    }

    private static MeshBuilder spec() {
        return Mesh.builder().name("shop").monitor(host -> {}).nodes(1, "lon1");
    }

    @ParameterizedTest
    @EnumSource(Field.class)
    void build_hostileText_isRefusedInPrintableWordsOrIsDataAlone(Field field) {
        int[] outcomes = new int[2];
        Structure expected = field.harmless
                .map(text -> {
                    MeshBuilder spec = spec();
                    field.put(spec, text);
                    return structure(spec.blueprint());
                })
                .orElse(plain);
        HostileTexts.texts(SEED + field.name().hashCode(), PER_FIELD).forEach(text -> {
            MeshBuilder spec = spec();
            Blueprint blueprint;
            try {
                field.put(spec, text);
                blueprint = spec.blueprint();
            } catch (InvalidMeshException e) {
                assertThat(e.problems())
                        .as(Names.quote(text))
                        .allSatisfy(problem -> assertThat(problem).contains(": "));
                assertThat(e.problems())
                        .as(Names.quote(text))
                        .anySatisfy(problem -> assertThat(problem)
                                .matches(words -> words.startsWith(field.label + " " + Names.quote(text))
                                        || words.startsWith("nodeExporter release " + Names.quote(text))));
                assertPrintable(e, text);
                outcomes[0]++;
                return;
            } catch (InvalidSettingException e) {
                assertThat(e)
                        .as(Names.quote(text))
                        .hasMessageContaining(field.label)
                        .message()
                        .containsAnyOf(": use ", ": choose ", ": did you mean ");
                assertPrintable(e, text);
                outcomes[0]++;
                return;
            }
            outcomes[1]++;
            Structure got = structure(blueprint);
            if (field != Field.MONITOR_NAME && field != Field.NODE_NAME) {
                assertThat(got).as(Names.quote(text)).isEqualTo(expected);
            }
        });
        assertThat(outcomes[0]).as("refused").isGreaterThan(PER_FIELD / 5);
        assertThat(outcomes[1]).as("taken").isPositive();
    }

    private static void assertPrintable(RuntimeException refusal, String text) {
        assertThat(HostileTexts.UNPRINTABLE
                        .matcher(String.valueOf(refusal.getMessage()))
                        .find())
                .as("unprintable in the message about %s", Names.quote(text))
                .isFalse();
        assertThat(String.valueOf(refusal.getMessage())).hasSizeLessThan(2000);
    }

    /** What of the rendered files and pictures must not depend on any text: their lines, keys and sections. */
    private record Structure(Map<String, List<String>> lines, String targets, long svgElements, long mermaidLines) {}

    private Structure structure(Blueprint blueprint) {
        Map<String, List<String>> lines = new TreeMap<>();
        String targets = "";
        Map<String, Map<String, String>> preview = renderer.preview(blueprint);
        for (int number = 0; number < blueprint.hosts().size(); number++) {
            Map<String, String> files = Objects.requireNonNull(
                    preview.get(blueprint.hosts().get(number).name()));
            for (Map.Entry<String, String> file : files.entrySet()) {
                if (file.getKey().endsWith(".json")) {
                    targets = shape(file.getValue(), blueprint);
                } else {
                    lines.put(
                            number + OWN_NAME.matcher(file.getKey()).replaceFirst("$1*$2"),
                            file.getValue().lines().map(HostileInputTest::key).toList());
                }
            }
        }
        return new Structure(
                lines,
                targets,
                blueprint.toSvg().chars().filter(c -> c == '<').count(),
                blueprint.toMermaid().lines().count());
    }

    /** The part of a line before its value. */
    private static String key(String line) {
        if (line.startsWith("#")) {
            return "#";
        }
        return line.split("[=:]", 2)[0];
    }

    /** The targets file, which has to hold each host's own words and nothing else. */
    private static String shape(String json, Blueprint blueprint) {
        try {
            JsonNode groups = new ObjectMapper().readTree(json);
            assertThat(groups).hasSize(blueprint.hosts().size());
            StringBuilder shape = new StringBuilder();
            for (int i = 0; i < groups.size(); i++) {
                Blueprint.Host host = blueprint.hosts().get(i);
                JsonNode labels = groups.get(i).path("labels");
                assertThat(labels.path("node").asText()).isEqualTo(host.name());
                assertThat(labels.path("region").asText()).isEqualTo(host.spec().region());
                assertThat(groups.get(i).path("targets").path(0).asText()).contains(host.address());
                groups.get(i)
                        .fieldNames()
                        .forEachRemaining(name -> shape.append(name).append(' '));
                labels.fieldNames().forEachRemaining(name -> shape.append(name).append(' '));
            }
            return shape.toString();
        } catch (IOException e) {
            throw new AssertionError(json, e);
        }
    }
}
