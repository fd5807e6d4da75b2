package dev.promguard.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ProviderException;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the engine may expect of a {@link CloudProvider} that knows hosts which are there already: mon, db-1 and nothing else. */
public abstract class InventoryContract extends ProviderContract {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    /** Knows db-1, whose host key is given, and mon, whose host key is trusted on first use. */
    @Override
    protected abstract CloudProvider provider();

    private HostInventory inventory() {
        return provider().inventory().orElseThrow();
    }

    @Test
    void inventory_always_saysHowToLogIn() {
        assertThat(inventory().logins()).containsOnlyKeys("db-1", "mon");
        Login given = Objects.requireNonNull(inventory().logins().get("db-1"));
        assertThat(given.hostKeys()).hasSize(1);
        assertThat(given.trustOnFirstUse()).isFalse();
        Login trusted = Objects.requireNonNull(inventory().logins().get("mon"));
        assertThat(trusted.hostKeys()).isEmpty();
        assertThat(trusted.trustOnFirstUse()).isTrue();
        int length = inventory().identity().key().orElseThrow().use(key -> key.length);
        assertThat(length).isPositive();
    }

    @Test
    void list_anyMesh_isEveryHostWithAnAddressAndWithoutAMark() {
        assertThat(provider().list("shop")).isEqualTo(provider().list("bank"));
        assertThat(provider().list("shop")).extracting(CloudHost::name).containsExactly("db-1", "mon");
        assertThat(provider().list("shop")).allSatisfy(host -> {
            assertThat(host.status()).isEqualTo(CloudHost.Status.ACTIVE);
            assertThat(host.publicAddress()).isPresent();
            assertThat(host.attempt()).isEmpty();
            assertThat(host.price()).isEmpty();
        });
        assertThat(provider().list("shop")).extracting(CloudHost::id).doesNotHaveDuplicates();
    }

    @Test
    void check_unknownNames_namesThemAndThoseThatThereAre() {
        Preflight preflight = provider()
                .preflight(List.of(
                        new HostOrder("web-1", "tor1", "s-1vcpu-1gb", "debian-12-x64"),
                        new HostOrder("web-2", "tor1", "s-1vcpu-1gb", "debian-12-x64")));

        assertThat(preflight.problems()).singleElement().asString().contains("web-1, web-2", "db-1, mon");
        assertThat(preflight.prices()).isEmpty();
    }

    @Test
    void await_knownAndUnknown_saysWhyTheOtherIsNotReady() {
        String id = provider().list("shop").get(0).id();

        List<CloudHost> reported = new ArrayList<>();

        ProvisioningResult arrival = provider().await("shop", Set.of(id, "4711"), TIMEOUT, reported::add);

        assertThat(arrival.ready()).extracting(CloudHost::id).containsExactly(id);
        assertThat(reported).isEqualTo(arrival.ready());
        assertThat(arrival.missing()).containsOnlyKeys("4711");
    }

    @Test
    void makingAndDeleting_anything_isRefusedAndChangesNothing() {
        List<CloudHost> before = provider().list("shop");
        try (SshKeyPair pair = SshKeyPair.generate(new SecureRandom());
                Secret userData = Secret.of("#cloud-config")) {
            assertThatThrownBy(() -> provider().registerAccessKey("shop", pair.publicKey()))
                    .isInstanceOf(ProviderException.class);
            assertThatThrownBy(() -> provider()
                            .create(new CreateOrder(
                                    "shop",
                                    "a1",
                                    "node",
                                    List.of("web-1"),
                                    "tor1",
                                    "s-1vcpu-1gb",
                                    "debian-12-x64",
                                    new AccessKey("1", "f", false),
                                    userData)))
                    .isInstanceOf(ProviderException.class);
        }
        assertThatThrownBy(() -> provider().delete("shop", List.of(before.get(0).id()), TIMEOUT))
                .isInstanceOf(ProviderException.class);
        assertThatThrownBy(() -> provider().deleteAttempts("shop", List.of("a1"), TIMEOUT))
                .isInstanceOf(ProviderException.class);
        assertThatThrownBy(() -> provider().find("shop", List.of("4711"))).isInstanceOf(ProviderException.class);
        assertThatThrownBy(() -> provider().tag("shop", List.of("4711"))).isInstanceOf(ProviderException.class);
        assertThat(provider().list("shop")).isEqualTo(before);
    }
}
