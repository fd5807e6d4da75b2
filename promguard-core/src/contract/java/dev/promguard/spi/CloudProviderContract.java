package dev.promguard.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.promguard.ProviderException;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the engine may expect of a {@link CloudProvider} that makes hosts. */
public abstract class CloudProviderContract extends ProviderContract {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final SshPublicKey LOGIN = publicKey();

    /** Over an account without hosts. */
    @Override
    protected abstract CloudProvider provider();

    /** A region, a size and an image that the provider has. */
    protected abstract HostOrder possible(String name);

    /** A region that the provider has not. */
    protected abstract String impossibleRegion();

    private static SshPublicKey publicKey() {
        try (SshKeyPair pair = SshKeyPair.generate(new SecureRandom())) {
            return pair.publicKey();
        }
    }

    private List<CloudHost> create(String mesh, String attempt, String... names) {
        AccessKey key = provider().registerAccessKey(mesh, LOGIN);
        HostOrder like = possible(names[0]);
        String userData = "#cloud-config\nssh_keys:\n  ed25519_public: " + LOGIN.line() + " bootstrap\n";
        try (Secret secret = Secret.of(userData)) {
            return provider()
                    .create(new CreateOrder(
                            mesh,
                            attempt,
                            "node",
                            List.of(names),
                            like.region(),
                            like.size(),
                            like.image(),
                            key,
                            secret));
        }
    }

    private static String id(List<CloudHost> hosts, String name) {
        return hosts.stream()
                .filter(host -> host.name().equals(name))
                .findFirst()
                .orElseThrow()
                .id();
    }

    @Test
    void check_possibleAndImpossible_findsTheImpossibleAlone() {
        assertThat(provider().preflight(List.of()).problems()).isEmpty();
        assertThat(provider().preflight(List.of(possible("a"))).problems()).isEmpty();

        HostOrder good = possible("a");
        HostOrder bad = new HostOrder("b", impossibleRegion(), good.size(), good.image());
        Preflight preflight = provider().preflight(List.of(good, bad));

        assertThat(preflight.problems()).singleElement().asString().contains(impossibleRegion(), "b");
        assertThat(provider().list("shop")).isEmpty();
    }

    @Test
    void create_oneOrder_isListedByItsMeshAloneWithItsAttempt() {
        List<CloudHost> made = create("shop", "a1", "b", "a");

        assertThat(made).extracting(CloudHost::name).containsExactlyInAnyOrder("a", "b");
        assertThat(made).extracting(CloudHost::id).doesNotHaveDuplicates();
        assertThat(provider().list("shop")).extracting(CloudHost::name).containsExactly("a", "b");
        assertThat(provider().list("shop")).extracting(CloudHost::attempt).containsOnly(Optional.of("a1"));
        assertThat(provider().list("shop"))
                .extracting(CloudHost::region)
                .containsOnly(possible("a").region());
        assertThat(provider().list("bank")).isEmpty();
        assertThat(provider().list("sho")).isEmpty();
    }

    @Test
    void await_madeAndUnknown_getsTheMadeReadyAndSaysWhyTheOtherIsNot() {
        String id = id(create("shop", "a1", "a"), "a");

        ProvisioningResult arrival = provider().await("shop", Set.of(id, "4711"), TIMEOUT);

        assertThat(arrival.ready()).singleElement().satisfies(host -> {
            assertThat(host.id()).isEqualTo(id);
            assertThat(host.status()).isEqualTo(CloudHost.Status.ACTIVE);
            assertThat(host.publicAddress()).isPresent();
        });
        assertThat(arrival.missing()).containsOnlyKeys("4711");
        assertThat(provider().await("shop", Set.of(), TIMEOUT).ready()).isEmpty();
    }

    @Test
    void await_twoHosts_reportsEachOnceInThisThreadAndThenReturnsThem() {
        List<CloudHost> made = create("shop", "a1", "a", "b");
        List<CloudHost> reported = new ArrayList<>();
        Set<Thread> threads = new HashSet<>();

        ProvisioningResult arrival = provider()
                .await("shop", Set.of(id(made, "a"), id(made, "b"), "4711"), TIMEOUT, host -> {
                    reported.add(host);
                    threads.add(Thread.currentThread());
                });

        assertThat(reported).containsExactlyInAnyOrderElementsOf(arrival.ready());
        assertThat(reported).extracting(CloudHost::name).containsExactlyInAnyOrder("a", "b");
        assertThat(threads).containsExactly(Thread.currentThread());
    }

    @Test
    void await_receiverThatThrows_endsWithWhatItThrew() {
        String id = id(create("shop", "a1", "a"), "a");
        IllegalStateException thrown = new IllegalStateException("thrown by the receiver");

        assertThatThrownBy(() -> provider().await("shop", Set.of(id), TIMEOUT, host -> {
                    throw thrown;
                }))
                .isSameAs(thrown);
    }

    @Test
    void delete_someOfThem_leavesTheOthersAndDoesNothingAgain() {
        List<CloudHost> made = create("shop", "a1", "a", "b");
        provider().delete("shop", List.of(id(made, "a")), TIMEOUT);
        provider().delete("shop", List.of(id(made, "a")), TIMEOUT);
        provider().delete("shop", List.of(), TIMEOUT);

        assertThat(provider().list("shop")).extracting(CloudHost::name).containsExactly("b");
    }

    @Test
    void find_oursUnknownAndOfAnotherMesh_areThoseThatExistAndWhetherTheyCarryTheTag() {
        String ours = id(create("shop", "a1", "a"), "a");
        String theirs = id(create("bank", "b1", "b"), "b");

        List<FoundHost> found = provider().find("shop", List.of(ours, "4711", theirs));

        assertThat(found)
                .extracting(host -> host.host().id(), host -> host.host().name(), FoundHost::tagged)
                .containsExactlyInAnyOrder(tuple(ours, "a", true), tuple(theirs, "b", false));
        assertThat(provider().find("shop", List.of())).isEmpty();
    }

    @Test
    void tag_hostThatCarriesIt_changesNothing() {
        String ours = id(create("shop", "a1", "a"), "a");

        provider().tag("shop", List.of(ours));
        provider().tag("shop", List.of());

        assertThat(provider().list("shop")).extracting(CloudHost::id).containsExactly(ours);
    }

    @Test
    void tag_unknownHost_isAFailure() {
        create("shop", "a1", "a");

        assertThatThrownBy(() -> provider().tag("shop", List.of("4711"))).isInstanceOf(ProviderException.class);
    }

    @Test
    void deleteAttempts_oneOfTwo_leavesTheHostsOfTheOther() {
        create("shop", "a1", "a", "b");
        create("shop", "a2", "c");
        create("bank", "a1", "d");

        provider().deleteAttempts("shop", List.of("a1"), TIMEOUT);
        provider().deleteAttempts("shop", List.of("a1"), TIMEOUT);
        provider().deleteAttempts("shop", List.of(), TIMEOUT);

        assertThat(provider().list("shop")).extracting(CloudHost::name).containsExactly("c");
        assertThat(provider().list("bank")).hasSize(1);
    }

    @Test
    void delete_hostOfAnotherMesh_isNotDeleted() {
        String theirs = id(create("bank", "b1", "a"), "a");
        create("shop", "a1", "a");

        try {
            provider().delete("shop", List.of(theirs), TIMEOUT);
        } catch (ProviderException e) {
            assertThat(e).hasMessageContaining(theirs);
        }

        assertThat(provider().list("bank")).hasSize(1);
    }

    @Test
    void registerAccessKey_again_isTheSame() {
        AccessKey first = provider().registerAccessKey("shop", LOGIN);

        assertThat(first.registered()).isTrue();
        assertThat(provider().registerAccessKey("shop", LOGIN)).isEqualTo(first);
    }

    @Test
    void cleanUp_again_doesNothingAndLeavesOtherMeshes() {
        create("bank", "b1", "a");
        AccessKey key = provider().registerAccessKey("shop", LOGIN);

        provider().cleanUp("shop", Optional.of(key));
        provider().cleanUp("shop", Optional.of(key));
        provider().cleanUp("shop", Optional.empty());

        assertThat(provider().list("bank")).hasSize(1);
    }

    @Test
    void rebuilds_newUnknownAndOfAnotherMesh_areNone() {
        String theirs = id(create("bank", "b1", "a"), "a");
        String ours = id(create("shop", "a1", "a"), "a");

        assertThat(provider().rebuilds("shop", ours)).isEmpty();
        assertThat(provider().rebuilds("shop", theirs)).isEmpty();
        assertThat(provider().rebuilds("shop", "4711")).isEmpty();
    }

    @Test
    void clock_twice_doesNotGoBack() {
        Optional<Instant> first = provider().clock();
        Optional<Instant> second = provider().clock();

        assertThat(second.isPresent()).isEqualTo(first.isPresent());
        first.ifPresent(time -> assertThat(second.orElseThrow()).isAfterOrEqualTo(time));
    }

    @Test
    void inventory_always_isNone() {
        assertThat(provider().inventory()).isEmpty();
    }
}
