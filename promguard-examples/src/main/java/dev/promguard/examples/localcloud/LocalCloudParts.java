package dev.promguard.examples.localcloud;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What a running local cloud consists of, and how it begins and ends. Thread-safe. */
final class LocalCloudParts implements AutoCloseable {
    private static final SecureRandom RANDOM = new SecureRandom();

    final LocalCloudOptions options;
    final String token = newToken();
    final String readOnlyToken = newToken();
    final AtomicInteger outsiderNumbers = new AtomicInteger();
    private final AtomicBoolean closed = new AtomicBoolean();
    final ExecutorService workers = Executors.newFixedThreadPool(8, LocalCloudOptions.daemons("local-cloud-worker"));
    final ExecutorService servers = Executors.newCachedThreadPool(LocalCloudOptions.daemons("local-cloud-http"));
    final Images images;
    final Network network;
    final Account account;
    final ApiServer api;
    final Runs.@Nullable Run run;
    final @Nullable ReleaseMirror mirror;
    final @Nullable ReleaseMirror ipv6Mirror;
    final @Nullable Thread hook;

    LocalCloudParts(LocalCloudOptions options) {
        this.options = options;
        images = new Images(options, workers);
        if (options.recordsOnly) {
            run = null;
            mirror = null;
            ipv6Mirror = null;
            hook = null;
            network = Network.ofRecords(options.subnet);
            account = account(options, network, workers, droplet -> null);
        } else {
            images.ready();
            Network[] made = new Network[1];
            Runs.Run begun = Runs.begin(
                    Math.min(options.dropletLimit, Network.MOST_HOSTS), r -> made[0] = Network.make(r, options.subnet));
            run = begun;
            network = made[0];
            account = account(options, network, workers, droplet -> images.machine(begun, network, droplet));
            mirror = new ReleaseMirror(network.gateway(), images::releaseFolders, servers);
            ipv6Mirror = Network.hasIpv6()
                    ? new ReleaseMirror('[' + network.ipv6Gateway() + ']', images::releaseFolders, servers)
                    : null;
            hook = new Thread(
                    () -> {
                        options.progress.accept("stopped: removing machines, network and rules");
                        takeDown();
                    },
                    "local-cloud-shutdown");
            Runtime.getRuntime().addShutdownHook(hook);
        }
        ApiServer.Gate gate =
                new ApiServer.Gate(token, readOnlyToken, options.hourlyLimit, options.minuteLimit, options.observer);
        api = new ApiServer(account, options.catalog, run != null, gate, servers);
    }

    private static Account account(
            LocalCloudOptions options, Network network, ExecutorService workers, Account.Bodies bodies) {
        return new Account(
                network, bodies, options.faults, workers, options.dropletLimit, CatalogApi.regions(options.catalog));
    }

    /** Takes everything away. Does nothing the second time. */
    @Override
    public void close() {
        Thread registered = hook;
        if (registered != null && !closed.get()) {
            try {
                Runtime.getRuntime().removeShutdownHook(registered);
            } catch (IllegalStateException e) {
                // The JVM is on its way down, and the hook does the rest.
                return;
            }
        }
        takeDown();
    }

    private void takeDown() {
        if (closed.getAndSet(true)) {
            return;
        }
        api.close();
        if (mirror != null) {
            mirror.close();
        }
        if (ipv6Mirror != null) {
            ipv6Mirror.close();
        }
        workers.shutdownNow();
        servers.shutdownNow();
        awaitWorkers();
        account.droplets(d -> true).parallelStream()
                .flatMap(d -> Optional.ofNullable(d.machine()).stream())
                .forEach(Machine::powerOff);
        if (run != null) {
            run.end();
        }
    }

    private void awaitWorkers() {
        try {
            if (!workers.awaitTermination(60, TimeUnit.SECONDS)) {
                throw new LocalCloudException("a machine neither booted nor stopped within a minute");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String newToken() {
        byte[] bytes = new byte[32];
        RANDOM.nextBytes(bytes);
        return "dop_v1_" + HexFormat.of().formatHex(bytes);
    }
}
