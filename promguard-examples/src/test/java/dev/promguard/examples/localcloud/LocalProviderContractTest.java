package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CloudProviderContract;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostOrder;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the engine may expect of DigitalOcean's provider, over the local cloud. */
class LocalProviderContractTest extends CloudProviderContract {
    private static final String TAG = "promguard:mesh:shop";

    @RegisterExtension
    final ContractWatch contract = ContractWatch.ofAll();

    private LocalCloud cloud;
    private CloudProvider provider;
    private Api api;

    @BeforeEach
    void start() {
        cloud = LocalCloud.builder().recordsOnly().observer(contract).start();
        DigitalOcean digitalOcean = DigitalOcean.builder()
                .endpoint(cloud.endpoint())
                .token(Secret.of(cloud.token()))
                .pollInterval(Duration.ofMillis(20))
                .listLag(Duration.ofMillis(200))
                .build();
        provider = new LocalProvider(digitalOcean, List.of());
        api = new Api(cloud.endpoint(), cloud.token());
    }

    @AfterEach
    void stop() {
        cloud.close();
    }

    @Override
    protected CloudProvider provider() {
        return provider;
    }

    @Override
    protected HostOrder possible(String name) {
        return new HostOrder(name, "tor1", "s-1vcpu-1gb", "debian-12-x64");
    }

    @Override
    protected String impossibleRegion() {
        return "mars1";
    }

    @Test
    void tag_hostThatLostIt_isListedAgain() throws Exception {
        String id = create("a");
        api.call(
                "DELETE",
                "v2/tags/" + TAG + "/resources",
                "{\"resources\":[{\"resource_id\":\"" + id + "\",\"resource_type\":\"droplet\"}]}");
        assertThat(provider.list("shop")).isEmpty();
        assertThat(provider.find("shop", List.of(id)))
                .extracting(FoundHost::tagged)
                .containsExactly(false);

        provider.tag("shop", List.of(id));

        assertThat(provider.list("shop")).extracting(CloudHost::id).containsExactly(id);
    }

    @Test
    void tag_tagDeleted_isMadeAnew() throws Exception {
        String id = create("a");
        api.delete("v2/tags/" + TAG);

        provider.tag("shop", List.of(id));

        assertThat(provider.find("shop", List.of(id)))
                .extracting(FoundHost::tagged)
                .containsExactly(true);
    }

    private String create(String name) {
        String[] words = Api.KEY.split(" ", -1);
        AccessKey key = provider.registerAccessKey("shop", new SshPublicKey(words[0], words[1]));
        try (Secret userData = Secret.of("#cloud-config\n")) {
            return provider.create(new CreateOrder(
                            "shop", "a1", "node", List.of(name), "tor1", "s-1vcpu-1gb", "debian-12-x64", key, userData))
                    .get(0)
                    .id();
        }
    }
}
