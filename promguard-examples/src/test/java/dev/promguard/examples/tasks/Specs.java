package dev.promguard.examples.tasks;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.keys.Secret;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** The examples' classes and meshes, by the names under which they are started. */
final class Specs {
    private Specs() {}

    /**
     * An example.
     *
     * @param type its class
     * @param mesh its mesh
     */
    record Spec(Class<?> type, Function<MeshBuilder, Mesh> mesh) {
        Path source() {
            return Path.of("src/main/java", type.getName().replace('.', '/') + ".java");
        }
    }

    /**
     * All of them.
     *
     * @param servers for the one that takes servers which are there
     */
    static Map<String, Spec> all(Servers servers) {
        Map<String, Spec> all = new LinkedHashMap<>();
        all.put("first-mesh", new Spec(FirstMesh.class, FirstMesh::mesh));
        all.put("nodes", new Spec(AddAndRemoveNodes.class, AddAndRemoveNodes::mesh));
        all.put("sizes", new Spec(RegionsAndSizes.class, RegionsAndSizes::mesh));
        all.put("servers", new Spec(ServersYouHave.class, builder -> ServersYouHave.mesh(builder, servers)));
        all.put("exporters", new Spec(ExportersAndServices.class, ExportersAndServices::mesh));
        all.put("alerts", new Spec(SendAndAlert.class, builder -> SendAndAlert.mesh(builder, Secret.of("secret"))));
        all.put("nightly", new Spec(NightlyConverge.class, NightlyConverge::mesh));
        all.put("rotate", new Spec(RotateKeys.class, RotateKeys::mesh));
        all.put("viewers", new Spec(ViewersOnLaptops.class, ViewersOnLaptops::mesh));
        all.put("audit", new Spec(VerifyForAnAuditor.class, VerifyForAnAuditor::mesh));
        all.put("junit", new Spec(OwnTest.class, OwnTest::mesh));
        return all;
    }
}
