package dev.promguard.examples;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import java.nio.file.Path;
import java.time.Duration;

/** A mesh of a monitor and two nodes on a local cloud of its own. */
final class Shop implements AutoCloseable {
    static final String MONITOR = "shop-monitor-1";
    static final String NODE_1 = "shop-node-1";
    static final String NODE_2 = "shop-node-2";

    private final Path state;
    private final LocalCloud cloud;

    /** @param state where what PromGuard knows of it is kept */
    Shop(Path state) {
        this.state = state;
        cloud = Clouds.start(exchange -> {});
    }

    /** The spec, with all that has a default left at it. */
    MeshBuilder spec() {
        return Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(2)
                .provider(cloud.provider())
                .state(state);
    }

    /** The same, with a scrape every other second, for those who wait for scrapes. */
    Mesh scrapedOften() {
        return spec().prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(2)))
                .build();
    }

    LocalCloud cloud() {
        return cloud;
    }

    LocalDroplet monitor() {
        return cloud.droplet(MONITOR);
    }

    LocalDroplet node(int number) {
        return cloud.droplet("shop-node-" + number);
    }

    @Override
    public void close() {
        cloud.close();
    }
}
