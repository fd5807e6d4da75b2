package dev.promguard.examples;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.promguard.ApplyException;
import dev.promguard.ApplyReport;
import dev.promguard.Mesh;
import dev.promguard.Plan;
import dev.promguard.PlanOutdatedException;
import dev.promguard.Progress;
import dev.promguard.PromGuardException;
import dev.promguard.VerifyReport;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.ConsoleLogging;
import dev.promguard.keys.Secret;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A mesh that changes with pull requests: a job plans and comments, a person reviews, a job that starts after the merge applies exactly what
 * was reviewed, and a nightly job verifies. {@code promguard-examples/ci/promguard.yml} is a workflow of these jobs. The state folder has to
 * outlive them, and no two jobs of one mesh run at the same time.
 */
public final class CiRecipe {
    /** All is well: nothing to do, or what was to do is done. */
    static final int DONE = 0;
    /** A problem stopped it, which is printed with its id. */
    static final int STOPPED = 1;
    /** The arguments are not known. */
    static final int USAGE = 2;
    /** The mesh would now be changed in another way than was reviewed. Nothing was done. */
    static final int OUTDATED = 3;
    /** A plan has something to do. */
    static final int CHANGES = 4;
    /** A check failed, or could not be made. */
    static final int NOT_VERIFIED = 5;

    private static final String USAGE_TEXT = """
            usage: CiRecipe plan|apply|verify FOLDER
              plan     write plan.json and plan.md (a comment for the pull request) to FOLDER
              apply    do what FOLDER/plan.json says, or nothing; write apply.json and apply.md
              verify   check the mesh; write verify.json and verify.md
            exit status: 0 done, or nothing to do; 1 stopped by a problem that is printed; 2 unknown arguments;
              3 the reviewed plan is outdated, nothing was done; 4 the plan has something to do; 5 a check did not pass
            """;

    private final Mesh mesh;
    private final Path folder;
    private final PrintStream out;

    CiRecipe(Mesh mesh, Path folder, PrintStream out) {
        this.mesh = mesh;
        this.folder = folder;
        this.out = out;
    }

    /**
     * Runs a job, and ends the process with its status: see the usage text.
     *
     * @param args the job and a folder for what it writes
     * @throws IOException if the folder cannot be written or read
     */
    public static void main(String[] args) throws IOException {
        ConsoleLogging.configure();
        if (args.length != 2 || !args[0].matches("plan|apply|verify")) {
            System.out.print(USAGE_TEXT);
            System.exit(USAGE);
        }
        Mesh mesh = Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(3, "lon1", "sfo3", "sgp1")
                .provider(DigitalOcean.builder()
                        .token(Secret.env("DIGITALOCEAN_TOKEN"))
                        .build())
                .listener(Progress.console())
                .build();
        System.exit(new CiRecipe(mesh, Path.of(args[1]), System.out).run(args[0]));
    }

    int run(String job) throws IOException {
        Files.createDirectories(folder);
        try {
            return switch (job) {
                case "plan" -> plan();
                case "apply" -> apply();
                case "verify" -> verify();
                default -> throw new IllegalArgumentException(job);
            };
        } catch (PromGuardException e) {
            out.println(e.getMessage());
            return STOPPED;
        }
    }

    private int plan() throws IOException {
        Plan plan = mesh.plan();
        out.println(plan.details());
        write("plan", plan.toJson(), plan.toMarkdown());
        return plan.isEmpty() ? DONE : CHANGES;
    }

    private int apply() throws IOException {
        String reviewed = new JsonMapper()
                .readTree(folder.resolve("plan.json").toFile())
                .path("digest")
                .asText();
        Plan plan = mesh.plan();
        if (!plan.digest().equals(reviewed)) {
            out.println("The mesh has changed since the review. What would be done now:\n" + plan);
            return OUTDATED;
        }
        try {
            return applied(mesh.apply(plan));
        } catch (PlanOutdatedException e) {
            out.println(e.getMessage());
            return OUTDATED;
        } catch (ApplyException e) {
            applied(e.report());
            throw e;
        }
    }

    private int applied(ApplyReport report) throws IOException {
        out.println(report);
        write("apply", report.toJson(), report.toMarkdown());
        return DONE;
    }

    private int verify() throws IOException {
        VerifyReport report = mesh.verify();
        out.println(report);
        write("verify", report.toJson(), report.toMarkdown());
        return report.ok() ? DONE : NOT_VERIFIED;
    }

    private void write(String name, String json, String markdown) throws IOException {
        Files.writeString(folder.resolve(name + ".json"), json);
        Files.writeString(folder.resolve(name + ".md"), markdown);
    }
}
