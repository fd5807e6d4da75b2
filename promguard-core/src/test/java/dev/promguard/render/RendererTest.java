package dev.promguard.render;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Planner;
import dev.promguard.blueprint.Release;
import dev.promguard.blueprint.Role;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RendererTest {
    @Test
    void preview_demoMesh_namesEveryFile() {
        Blueprint blueprint = Planner.plan(
                new MeshSpec(
                        "demo",
                        "10.0.0.0/24",
                        51820,
                        9100,
                        9090,
                        Duration.ofSeconds(15),
                        Release.prometheus(),
                        Release.nodeExporter(),
                        List.of(
                                new HostSpec("demo-monitor-1", Role.MONITOR, "tor1", "s", "i"),
                                new HostSpec("demo-node-1", Role.NODE, "lon1", "s", "i"),
                                new HostSpec("demo-node-2", Role.NODE, "sfo3", "s", "i"))),
                Map.of());
        System.out.println(blueprint);
        new Renderer()
                .preview(blueprint)
                .forEach((h, f) -> f.forEach((p, c) -> System.out.println("== " + h + p + "\n" + c)));
        assertThat(blueprint.hosts()).hasSize(3);
    }
}
