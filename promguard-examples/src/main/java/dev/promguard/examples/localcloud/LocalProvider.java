package dev.promguard.examples.localcloud;

import dev.promguard.blueprint.Release;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Preflight;
import dev.promguard.spi.ProvisioningResult;
import dev.promguard.spi.Rebuild;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** The real DigitalOcean provider, pointed at a local cloud, with that cloud's releases, and without prices: its hosts cost nothing. */
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
    public Preflight preflight(List<HostOrder> orders) {
        return new Preflight(digitalOcean.preflight(orders).problems(), Map.of());
    }

    @Override
    public List<CloudHost> list(String mesh) {
        return withoutPrices(digitalOcean.list(mesh));
    }

    @Override
    public AccessKey registerAccessKey(String mesh, SshPublicKey key) {
        return digitalOcean.registerAccessKey(mesh, key);
    }

    @Override
    public List<String> planFirewall(String mesh, Set<Integer> wireGuardPorts) {
        return digitalOcean.planFirewall(mesh, wireGuardPorts);
    }

    @Override
    public List<String> ensureFirewall(String mesh, Set<Integer> wireGuardPorts) {
        return digitalOcean.ensureFirewall(mesh, wireGuardPorts);
    }

    @Override
    public int batchSize() {
        return digitalOcean.batchSize();
    }

    @Override
    public List<CloudHost> create(CreateOrder order) {
        return withoutPrices(digitalOcean.create(order));
    }

    @Override
    public ProvisioningResult await(String mesh, Set<String> ids, Duration timeout, Consumer<CloudHost> ready) {
        ProvisioningResult arrival = digitalOcean.await(mesh, ids, timeout, host -> ready.accept(withoutPrice(host)));
        return new ProvisioningResult(withoutPrices(arrival.ready()), arrival.missing());
    }

    private static List<CloudHost> withoutPrices(List<CloudHost> hosts) {
        return hosts.stream().map(LocalProvider::withoutPrice).toList();
    }

    private static CloudHost withoutPrice(CloudHost host) {
        return new CloudHost(
                host.id(),
                host.name(),
                host.region(),
                host.size(),
                host.status(),
                host.publicAddress(),
                host.attempt(),
                Optional.empty(),
                host.locked(),
                host.young(),
                host.image());
    }

    @Override
    public void powerOn(String mesh, String id, Duration timeout) {
        digitalOcean.powerOn(mesh, id, timeout);
    }

    @Override
    public void resize(String mesh, String id, String size, Duration timeout) {
        digitalOcean.resize(mesh, id, size, timeout);
    }

    @Override
    public void delete(String mesh, Collection<String> ids, Duration timeout) {
        digitalOcean.delete(mesh, ids, timeout);
    }

    @Override
    public void deleteAttempts(String mesh, Collection<String> attempts, Duration timeout) {
        digitalOcean.deleteAttempts(mesh, attempts, timeout);
    }

    @Override
    public Duration listLag() {
        return digitalOcean.listLag();
    }

    @Override
    public List<FoundHost> find(String mesh, Collection<String> ids) {
        return digitalOcean.find(mesh, ids);
    }

    @Override
    public void tag(String mesh, Collection<String> ids) {
        digitalOcean.tag(mesh, ids);
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
