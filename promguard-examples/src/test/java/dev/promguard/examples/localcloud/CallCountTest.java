package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.ProvisioningResult;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How many calls the provider needs for a hundred droplets: not some for each. */
class CallCountTest {
    private static final int DROPLETS = 100;
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final String MESH = "shop";

    @RegisterExtension
    final ContractWatch contract = ContractWatch.ofAll();

    private LocalCloud cloud;
    private CloudProvider provider;

    @BeforeEach
    void start() {
        cloud = LocalCloud.builder()
                .recordsOnly()
                .observer(contract)
                .dropletLimit(DROPLETS)
                .start();
        provider = DigitalOcean.builder()
                .endpoint(cloud.endpoint())
                .token(Secret.of(cloud.token()))
                .pollInterval(Duration.ofMillis(500))
                .build();
    }

    @AfterEach
    void stop() {
        cloud.close();
    }

    @Test
    void create_aHundred_takesAtMostTwentyFiveCalls() {
        cloud.faults().slowCreates(Duration.ofSeconds(1));
        ProvisioningResult arrival = make();
        assertThat(arrival.ready()).hasSize(DROPLETS);
        assertThat(arrival.missing()).isEmpty();
        Map<String, Long> calls = calls();
        System.out.println("making 100 droplets: " + count(calls) + " calls " + calls);
        assertThat(count(calls)).as("%s", calls).isLessThanOrEqualTo(25);
    }

    /** One of the nine reads the account's keys, since a key that an earlier state registered must not stay behind. */
    @Test
    void deleteAttempts_aHundred_takesAtMostNineCalls() {
        make();
        AccessKey key = provider.registerAccessKey(MESH, key());
        cloud.forgetRequests();

        assertThat(provider.list(MESH)).hasSize(DROPLETS);
        provider.deleteAttempts(MESH, Set.of("a1b2"), LONG);
        provider.cleanUp(MESH, Optional.of(key));

        Map<String, Long> calls = calls();
        System.out.println("taking away 100 droplets: " + count(calls) + " calls " + calls);
        assertThat(count(calls)).as("%s", calls).isLessThanOrEqualTo(9);
        assertThat(provider.list(MESH)).isEmpty();
    }

    /** What the engine asks of the provider for a monitor and 99 nodes in three regions, in its order. */
    private ProvisioningResult make() {
        List<HostOrder> orders = IntStream.range(0, DROPLETS)
                .mapToObj(i -> new HostOrder("shop-" + i, region(i), "s-1vcpu-1gb", "debian-12-x64"))
                .toList();
        assertThat(provider.list(MESH)).isEmpty();
        assertThat(provider.preflight(orders).problems()).isEmpty();
        provider.ensureFirewall(MESH, Set.of(51820));
        AccessKey key = provider.registerAccessKey(MESH, key());
        Set<String> ids = new HashSet<>();
        Map<String, List<HostOrder>> alike =
                orders.stream().collect(Collectors.groupingBy(HostOrder::region, TreeMap::new, Collectors.toList()));
        int batch = provider.batchSize();
        for (List<HostOrder> same : alike.values()) {
            for (int from = 0; from < same.size(); from += batch) {
                List<String> names = same.subList(from, Math.min(from + batch, same.size())).stream()
                        .map(HostOrder::name)
                        .toList();
                HostOrder first = same.get(0);
                try (Secret userData = Secret.of("#cloud-config\n")) {
                    provider.create(new CreateOrder(
                                    MESH,
                                    "a1b2",
                                    first.region().equals("tor1") ? "monitor" : "node",
                                    names,
                                    first.region(),
                                    first.size(),
                                    first.image(),
                                    key,
                                    userData))
                            .forEach(host -> ids.add(host.id()));
                }
            }
        }
        return provider.await(MESH, ids, LONG);
    }

    private static String region(int host) {
        return host == 0 ? "tor1" : List.of("lon1", "sfo3", "sgp1").get(host % 3);
    }

    private static SshPublicKey key() {
        String[] words = Api.KEY.split(" ", -1);
        return new SshPublicKey(words[0], words[1]);
    }

    /** The calls so far, by kind. */
    private Map<String, Long> calls() {
        return cloud.requests().stream()
                .collect(Collectors.groupingBy(
                        call -> call.method() + " " + call.path().replaceAll("\\d{6,}|promguard:.*", "*"),
                        TreeMap::new,
                        Collectors.counting()));
    }

    private static long count(Map<String, Long> calls) {
        return calls.values().stream().mapToLong(Long::longValue).sum();
    }
}
