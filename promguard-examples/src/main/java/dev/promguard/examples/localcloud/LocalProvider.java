package dev.promguard.examples.localcloud;

import dev.promguard.blueprint.Release;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.Arrival;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Quote;
import dev.promguard.spi.Rebuild;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** The real DigitalOcean provider, pointed at a local cloud, with that cloud's releases. */
final class LocalProvider implements CloudProvider {
    private final CloudProvider digitalOcean;
    private final List<Release> releases;

    LocalProvider(CloudProvider digitalOcean, List<Release> releases) {
        this.digitalOcean = digitalOcean;
        this.releases = List.copyOf(releases);
    }

    @Override
    public String name() {
        return digitalOcean.name();
    }

    @Override
    public Quote check(List<HostOrder> orders) {
        return digitalOcean.check(orders);
    }

    @Override
    public List<CloudHost> list(String mesh) {
        return digitalOcean.list(mesh);
    }

    @Override
    public AccessKey registerAccessKey(String mesh, SshPublicKey key) {
        return digitalOcean.registerAccessKey(mesh, key);
    }

    @Override
    public List<String> unprotected(String mesh, int wireGuardPort) {
        return digitalOcean.unprotected(mesh, wireGuardPort);
    }

    @Override
    public List<String> protect(String mesh, int wireGuardPort) {
        return digitalOcean.protect(mesh, wireGuardPort);
    }

    @Override
    public int batchSize() {
        return digitalOcean.batchSize();
    }

    @Override
    public List<CloudHost> create(CreateOrder order) {
        return digitalOcean.create(order);
    }

    @Override
    public Arrival await(String mesh, Set<String> ids, Duration timeout, Consumer<CloudHost> ready) {
        return digitalOcean.await(mesh, ids, timeout, ready);
    }

    @Override
    public void delete(String mesh, Collection<String> ids, Duration timeout) {
        digitalOcean.delete(mesh, ids, timeout);
    }

    @Override
    public void deleteAll(String mesh, Duration timeout) {
        digitalOcean.deleteAll(mesh, timeout);
    }

    @Override
    public Optional<Instant> clock() {
        return digitalOcean.clock();
    }

    @Override
    public List<Rebuild> rebuilds(String mesh, String id) {
        return digitalOcean.rebuilds(mesh, id);
    }

    @Override
    public void cleanUp(String mesh, Optional<AccessKey> key) {
        digitalOcean.cleanUp(mesh, key);
    }

    @Override
    public List<Release> releases() {
        return releases;
    }
}
