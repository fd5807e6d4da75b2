package dev.promguard.examples.localcloud;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What droplets of a local cloud start from, and the releases that they get. Thread-safe. */
final class Images {
    private final LocalCloudOptions options;
    private final ExecutorService workers;
    private final Map<String, BaseImage> images = new ConcurrentHashMap<>();
    private final AtomicInteger machineNumbers = new AtomicInteger();
    private @Nullable Releases current;

    Images(LocalCloudOptions options, ExecutorService workers) {
        this.options = options;
        this.workers = workers;
    }

    /** What droplets get unless told otherwise. */
    Releases releases() {
        return options.ownReleases ? suiteReleases() : currentReleases();
    }

    /** Downloaded when they are first asked for, if that is possible here. */
    synchronized Releases currentReleases() {
        Releases known = current;
        if (known == null) {
            known = Releases.current(options.cache, options.progress).orElseGet(this::suiteReleases);
            current = known;
        }
        return known;
    }

    private synchronized List<Path> currentFolders() {
        Releases known = current;
        return known == null ? List.of() : known.folders();
    }

    Releases suiteReleases() {
        return image(options.suite).releases();
    }

    /** Where the mirror finds releases by now. */
    List<Path> releaseFolders() {
        List<Path> folders = new ArrayList<>(currentFolders());
        folders.addAll(suiteReleases().folders());
        return folders;
    }

    /** The machine of a droplet. */
    Machine machine(Runs.Run run, Network network, Droplet droplet) {
        String number = Integer.toString(machineNumbers.incrementAndGet());
        Droplet.Spec spec = droplet.spec();
        return new Machine(
                run.name(),
                number,
                run.machines().resolve(number),
                network,
                new Machine.Spec(
                        droplet.id(),
                        spec.name(),
                        droplet.host(),
                        layers(spec.image().suite()),
                        spec.publicKeys(),
                        spec.userData(),
                        true,
                        spec.has(Droplet.Option.IPV6)));
    }

    /** Makes ready what droplets are to start from and what they get, each beside the others. */
    void ready() {
        List<CompletableFuture<Void>> others = options.ready.stream()
                .filter(suite -> !suite.equals(options.suite))
                .map(suite -> CompletableFuture.runAsync(() -> layers(suite), workers))
                .toList();
        CompletableFuture<?> next = options.ownReleases
                ? CompletableFuture.completedFuture(true)
                : CompletableFuture.supplyAsync(this::currentReleases, workers);
        layers(options.suite);
        try {
            others.forEach(CompletableFuture::join);
            next.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof LocalCloudException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** What a droplet of a suite stands on; made if it is not there yet. */
    private List<Path> layers(String suite) {
        return image(suite).layers(options.installed);
    }

    private BaseImage image(String suite) {
        return images.computeIfAbsent(
                suite, s -> BaseImage.obtain(options.cache, s, s.equals(options.suite), options.progress));
    }
}
