package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.Arrival;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.HostOrder;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
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
                .pollInterval(Duration.ofMillis(100))
                .build();
    }

    @AfterEach
    void stop() {
        cloud.close();
    }

    @Test
    void create_aHundred_takesAtMostTwentyFiveCalls() {
        cloud.faults().slowCreates(Duration.ofMillis(250));
        Arrival arrival = make();
        assertThat(arrival.ready()).hasSize(DROPLETS);
        assertThat(arrival.missing()).isEmpty();
        Map<String, Long> calls = calls();
        System.out.println("making 100 droplets: " + count(calls) + " calls " + calls);
        assertThat(count(calls)).as("%s", calls).isLessThanOrEqualTo(25);
    }

    private Arrival make() {
        List<String> names =
                IntStream.range(0, DROPLETS).mapToObj(i -> "shop-node-" + i).toList();
        assertThat(provider.check(names.stream()
                                .map(name -> new HostOrder(name, "lon1", "s-1vcpu-1gb", "debian-12-x64"))
                                .toList())
                        .faults())
                .isEmpty();
        AccessKey key = provider.registerAccessKey(MESH, key());
        Set<String> ids = new HashSet<>();
        int batch = provider.batchSize();
        for (int from = 0; from < DROPLETS; from += batch) {
            List<String> some = names.subList(from, Math.min(from + batch, DROPLETS));
            try (Secret userData = Secret.of("#cloud-config\n")) {
                provider.create(new CreateOrder(
                                MESH, "a1b2", "node", some, "lon1", "s-1vcpu-1gb", "debian-12-x64", key, userData))
                        .forEach(host -> ids.add(host.id()));
            }
        }
        return provider.await(MESH, ids, LONG);
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
