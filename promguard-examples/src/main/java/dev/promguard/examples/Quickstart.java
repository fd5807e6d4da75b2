package dev.promguard.examples;

import dev.promguard.DestroyException;
import dev.promguard.InvalidMeshException;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;
import dev.promguard.PlanOutdatedException;
import dev.promguard.PromGuardException;
import dev.promguard.Tunnel;
import dev.promguard.VerifyReport;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.ConsoleLogging;
import dev.promguard.examples.localcloud.ImageCache;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalCloudException;
import dev.promguard.examples.localcloud.Support;
import dev.promguard.examples.tasks.Tasks;
import dev.promguard.keys.Secret;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.Price;
import dev.promguard.spi.StateStore;
import dev.promguard.state.FileStateStore;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The main job, start to end: a monitor and three nodes, created, configured, proven, shown, and removed again. On the local
 * cloud where that can run, with {@code --digitalocean} on DigitalOcean, and elsewhere as a preview.
 *
 * <p>On DigitalOcean it has a mesh of its own, {@value #MESH}, and asks before it creates or removes droplets.
 */
public final class Quickstart {
    static final String MESH = "promguard-quickstart";

    static final int DONE = 0;
    static final int STOPPED = 1;
    static final int USAGE = 2;
    static final int NOT_CONFIRMED = 3;

    private static final String USAGE_TEXT = """
            usage: mvn -q compile exec:java [-Dexec.args="OPTIONS"]
              (no option)      run on the local cloud: root on Linux; elsewhere write a preview
              --preview        only write what would be made, to target/promguard-preview
              --digitalocean   run on DigitalOcean, with the token in DIGITALOCEAN_TOKEN; costs money while it runs.
                               Shows the plan with its price, and asks before it creates droplets
              --destroy        remove what an interrupted run with --digitalocean left. Shows the droplets, and asks
              --yes            with --digitalocean or --destroy: do not ask. Needed where there is no terminal
              list             name ten short examples, one for each task
              NAME             run that example on the local cloud
            exit status: 0 done, 1 stopped by a problem that is printed, 2 unknown arguments, 3 not confirmed
            """;
    private static final List<String> TOKEN_VARIABLES = List.of("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN");
    private static final String LEFTOVERS = """

            Droplets of mesh %s may be left, and cost money. Remove them:
              mvn -q compile exec:java -Dexec.args=--destroy""".formatted(MESH);

    private final Dialog dialog;
    private final Map<String, String> environment;
    private final StateStore state;
    private final Function<Secret, CloudProvider> digitalOcean;

    Quickstart(
            Dialog dialog,
            Map<String, String> environment,
            StateStore state,
            Function<Secret, CloudProvider> digitalOcean) {
        this.dialog = dialog;
        this.environment = Map.copyOf(environment);
        this.state = state;
        this.digitalOcean = digitalOcean;
    }

    /**
     * Runs the quickstart, or the example that is named. Ends the process with status 1 if a problem stopped it, 2 if an argument is unknown, and 3 if what it asked
     * was not confirmed.
     *
     * @param args see the usage text
     */
    public static void main(String[] args) {
        ConsoleLogging.configure();
        if (args.length == 1 && !args[0].startsWith("-")) {
            int status = Tasks.run(args[0], System.out);
            if (status != DONE) {
                System.exit(status);
            }
            return;
        }
        Quickstart quickstart = new Quickstart(
                Dialog.ofProcess(),
                System.getenv(),
                FileStateStore.inHome(),
                token -> DigitalOcean.builder().token(token).build());
        int status = quickstart.run(List.of(args));
        if (status != DONE) {
            System.exit(status);
        }
    }

    int run(List<String> arguments) {
        Optional<Options> options = Options.parse(arguments);
        if (options.isEmpty()) {
            dialog.out().print(USAGE_TEXT);
            return USAGE;
        }
        boolean confirmed = options.get().confirmed();
        try {
            return switch (options.get().task()) {
                case LOCAL -> local();
                case PREVIEW -> preview(List.of());
                case DIGITALOCEAN -> withToken(provider -> onDigitalOcean(provider, confirmed));
                case DESTROY -> withToken(provider -> destroy(provider, confirmed));
            };
        } catch (PromGuardException | LocalCloudException | IllegalStateException e) {
            dialog.say("");
            dialog.say("The quickstart stopped: " + e.getMessage());
            return STOPPED;
        }
    }

    private MeshBuilder mesh() {
        return Mesh.builder()
                .name(MESH)
                .monitor("tor1")
                .nodes(3, "lon1", "sfo3", "sgp1")
                .listener(dialog.progress());
    }

    private int local() {
        Support support = LocalCloud.support();
        if (!support.okOnceInstalled()) {
            return preview(support.blockers());
        }
        dialog.say("PromGuard quickstart: a Prometheus monitor and three nodes on this machine's local cloud.");
        LocalCloud.installMissing(line -> dialog.say("  " + line));
        try (LocalCloud cloud = LocalCloud.builder()
                .ownReleases()
                .progress(line -> dialog.say("  " + line))
                .start()) {
            Mesh mesh = mesh().provider(cloud.provider()).state(cloud.folder()).build();
            Plan plan = mesh.plan();
            show(plan);
            demonstrate(mesh, plan, () -> {});
        }
        dialog.say("Everything is removed: machines, network, rules and state.");
        dialog.say("The next run starts sooner with the base images and releases that stay, " + ImageCache.megabytes()
                + " MB;");
        dialog.say("to delete them: rm -r " + ImageCache.FOLDER);
        return DONE;
    }

    private int withToken(Function<CloudProvider, Integer> task) {
        for (String variable : TOKEN_VARIABLES) {
            String value = environment.getOrDefault(variable, "").strip();
            if (!value.isEmpty()) {
                try (Secret token = Secret.of(value)) {
                    return task.apply(digitalOcean.apply(token));
                }
            }
        }
        dialog.say("There is no DigitalOcean token, so nothing was done: set " + String.join(" or ", TOKEN_VARIABLES)
                + " to a token that may read and write (control panel, API, Tokens).");
        return STOPPED;
    }

    private int onDigitalOcean(CloudProvider provider, boolean confirmed) {
        Mesh mesh = mesh().provider(provider).state(state).build();
        Plan plan = mesh.plan();
        show(plan);
        List<String> others = plan.entries().stream()
                .filter(entry -> entry.kind() != Plan.Kind.CREATE)
                .map(Plan.Entry::name)
                .toList();
        if (!others.isEmpty()) {
            dialog.say("Nothing was created: droplets of mesh " + MESH + " are there already: "
                    + String.join(", ", others) + ". If another run is not using them, remove them first:");
            dialog.say("  mvn -q compile exec:java -Dexec.args=--destroy");
            return STOPPED;
        }
        String price = plan.price()
                .map(sum -> "They cost " + inWords(sum) + " until they are removed.")
                .orElse("Their price is not known; they cost money until they are removed.");
        if (!isConfirmed("Create these " + plan.entries().size() + " droplets? " + price, confirmed)) {
            dialog.say("Nothing was created.");
            return NOT_CONFIRMED;
        }
        Thread interrupted = new Thread(() -> dialog.say(LEFTOVERS), "quickstart-interrupted");
        Runtime.getRuntime().addShutdownHook(interrupted);
        try {
            demonstrate(mesh, plan, () -> dialog.say(LEFTOVERS));
        } finally {
            withdraw(interrupted);
        }
        return DONE;
    }

    private static void withdraw(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is on its way down, and the hook runs.
            return;
        }
    }

    private int destroy(CloudProvider provider, boolean confirmed) {
        List<CloudHost> hosts = provider.list(MESH);
        if (hosts.isEmpty() && state.names(MESH).isEmpty()) {
            dialog.say("There is nothing to remove: the account has no droplet of mesh " + MESH + ", and "
                    + state.describe(MESH) + " holds nothing.");
            return DONE;
        }
        dialog.say("mesh " + MESH + ": " + hosts.size() + " droplets to remove, with its SSH key, tags and state");
        for (CloudHost host : hosts) {
            dialog.say("- " + host.name() + "  " + host.region() + "  " + host.size() + "  id " + host.id()
                    + host.publicAddress().map(address -> "  " + address).orElse("")
                    + host.price().map(price -> "  " + inWords(price)).orElse(""));
        }
        if (!isConfirmed("Remove them, with all data on them?", confirmed)) {
            dialog.say("Nothing was removed.");
            return NOT_CONFIRMED;
        }
        Mesh mesh = mesh().provider(provider).state(state).build();
        try {
            dialog.say(mesh.destroy());
        } catch (DestroyException e) {
            // Droplets that the state does not know, such as those of a run on another machine. They were shown, by id.
            List<String> shown = hosts.stream().map(CloudHost::id).toList();
            List<String> left = provider.list(MESH).stream()
                    .map(CloudHost::id)
                    .filter(shown::contains)
                    .toList();
            if (left.isEmpty()) {
                throw e;
            }
            dialog.say(mesh.deleteUnmanaged(left.toArray(String[]::new)));
            dialog.say(mesh.destroy());
        }
        return DONE;
    }

    private boolean isConfirmed(String question, boolean confirmed) {
        if (confirmed) {
            return true;
        }
        if (!dialog.interactive()) {
            dialog.say("Not confirmed: there is no terminal to ask in. Run it in a terminal, or add --yes.");
            return false;
        }
        return dialog.confirms(question);
    }

    private void show(Plan plan) {
        dialog.say("");
        dialog.say(plan);
        dialog.say("");
    }

    /** Creates the mesh, checks it, shows it, and removes it, also after a problem. */
    private void demonstrate(Mesh mesh, Plan plan, Runnable ifNotRemoved) {
        try {
            dialog.say(mesh.apply(plan));
        } catch (PlanOutdatedException | InvalidMeshException e) {
            // Nothing was created, so what the cloud has of this mesh is not this run's.
            throw e;
        } catch (RuntimeException e) {
            removeAfter(e, mesh, ifNotRemoved);
            throw e;
        }
        try {
            dialog.say("");
            VerifyReport report = mesh.verify();
            dialog.say(report);
            report.orThrow();
            try (Tunnel prometheus = mesh.openPrometheus()) {
                dialog.say("");
                dialog.say("Prometheus: " + PrometheusPage.ofTargets(prometheus.uri())
                        + "  (through SSH, while this runs; " + "in Java: mesh.openPrometheus())");
                dialog.awaitEnter("Press Enter to remove everything.");
            }
        } catch (RuntimeException e) {
            removeAfter(e, mesh, ifNotRemoved);
            throw e;
        }
        remove(mesh, ifNotRemoved);
    }

    private void removeAfter(RuntimeException problem, Mesh mesh, Runnable ifNotRemoved) {
        dialog.say("");
        dialog.say("Removing what was created, because of a problem: " + problem.getMessage());
        remove(mesh, ifNotRemoved);
    }

    private void remove(Mesh mesh, Runnable ifNotRemoved) {
        boolean removed = false;
        try {
            dialog.say(mesh.destroy());
            removed = true;
        } finally {
            if (!removed) {
                ifNotRemoved.run();
            }
        }
    }

    private static String inWords(Price price) {
        return "$" + price.monthly().setScale(2, RoundingMode.HALF_UP).toPlainString() + " a month ($"
                + price.hourly().setScale(3, RoundingMode.HALF_UP).toPlainString() + " an hour)";
    }

    private int preview(List<String> blockers) {
        Mesh mesh = mesh().build();
        Path folder = Path.of("target", "promguard-preview");
        dialog.say("PromGuard quickstart: a preview.");
        dialog.say("");
        dialog.say(mesh.blueprint());
        dialog.say("");
        List<Path> files = mesh.writePreview(folder);
        dialog.say(files.size() + " files written to " + folder.toAbsolutePath() + ", mesh.svg among them.");
        if (!blockers.isEmpty()) {
            dialog.say("");
            dialog.say("A real run on the local cloud needs Linux and root. Here:");
            blockers.forEach(blocker -> dialog.say("  - " + blocker));
        }
        dialog.say("A real run on DigitalOcean needs a token in DIGITALOCEAN_TOKEN, and then:");
        dialog.say("  mvn -q compile exec:java -Dexec.args=--digitalocean");
        return DONE;
    }
}
