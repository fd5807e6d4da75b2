package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.keys.Secret;
import dev.promguard.state.FileStateStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The jobs of the recipe for CI, against DigitalOcean's API with droplets that are records, and the workflow that runs them. */
class CiRecipeTest {
    private static final Path WORKFLOW = Path.of("ci", "promguard.yml");

    @TempDir
    Path folder;

    private final LocalCloud cloud = LocalCloud.builder().recordsOnly().start();
    private String printed = "";

    @AfterEach
    void stop() {
        cloud.close();
    }

    private MeshBuilder spec() {
        return Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(1)
                .provider(DigitalOcean.builder()
                        .endpoint(cloud.endpoint())
                        .token(Secret.of(cloud.token()))
                        .build())
                .state(new FileStateStore(folder.resolve("state")));
    }

    private int run(Mesh mesh, String job) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int status =
                new CiRecipe(mesh, folder.resolve("ci"), new PrintStream(out, true, StandardCharsets.UTF_8)).run(job);
        printed = out.toString(StandardCharsets.UTF_8);
        return status;
    }

    private String written(String file) throws IOException {
        return Files.readString(folder.resolve("ci").resolve(file));
    }

    @Test
    void plan_somethingToDo_commentsAndSaysSoByItsStatus() throws Exception {
        assertThat(run(spec().build(), "plan")).isEqualTo(CiRecipe.CHANGES);

        assertThat(printed).contains("2 to create");
        assertThat(written("plan.md"))
                .startsWith("## PromGuard plan for mesh shop\n")
                .contains("| create | shop-node-1 |");
        assertThat(written("plan.json")).contains("\"kind\": \"plan\"").doesNotContain(cloud.token());
    }

    @Test
    void apply_specHasChangedSinceTheReview_doesNothing() throws Exception {
        run(spec().build(), "plan");
        cloud.forgetRequests();

        assertThat(run(spec().nodes(2).build(), "apply")).isEqualTo(CiRecipe.OUTDATED);

        assertThat(printed).contains("changed since the review", "3 to create");
        assertThat(cloud.requests())
                .extracting(request -> request.method())
                .contains("GET")
                .doesNotContain("POST", "PUT");
        assertThat(folder.resolve("ci/apply.json")).doesNotExist();
    }

    @Test
    void verify_nothingIsKnownOfTheMesh_printsTheProblemWithItsId() throws Exception {
        assertThat(run(spec().build(), "verify")).isEqualTo(CiRecipe.STOPPED);

        assertThat(printed).contains("[PG-2005]");
    }

    @Test
    void plan_tokenIsRefused_isStopped() throws Exception {
        Mesh mesh = spec().provider(DigitalOcean.builder()
                        .endpoint(cloud.endpoint())
                        .token(Secret.of("wrong"))
                        .build())
                .build();

        assertThat(run(mesh, "plan")).isEqualTo(CiRecipe.STOPPED);

        assertThat(printed).contains("[PG-3002]");
    }

    /** What the workflow runs has to exist, and what it does with a status has to be what the recipe means by it. */
    @Test
    void workflow_jobs_runTheRecipesJobsWithItsStatuses() throws Exception {
        String text = Files.readString(WORKFLOW);
        Map<String, Object> workflow = new Yaml(new SafeConstructor(new LoaderOptions())).load(text);

        assertThat(workflow).containsKeys("name", "jobs", "concurrency", "env");
        assertThat(workflow.get("jobs"))
                .asInstanceOf(InstanceOfAssertFactories.MAP)
                .containsOnlyKeys("plan", "apply", "verify");
        assertThat(text).contains("-Dexec.mainClass=" + CiRecipe.class.getName());
        assertThat(new TreeSet<>(Pattern.compile("exec\\.args=([a-z]+) ")
                        .matcher(text)
                        .results()
                        .map(found -> found.group(1))
                        .toList()))
                .containsExactlyElementsOf(new TreeSet<>(List.of("plan", "apply", "verify")));
        assertThat(text).contains("\"$status\" -eq " + CiRecipe.DONE, "\"$status\" -eq " + CiRecipe.CHANGES);
    }
}
