package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.memory.Calls;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostImage;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Size, region and image of hosts that exist: told apart from the spec, and changed only when asked for. */
class MeshPlacementTest {
    private final Account account = new Account();

    private MeshBuilder spec(String region, String size, String image) {
        return Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .node("db-1", host -> host.region(region).size(size).image(image))
                .provider(account.cloud)
                .applier(account.hosts)
                .state(account.store)
                .waits(Account.NO_WAITS);
    }

    private MeshBuilder usual() {
        return spec("lon1", "s-1vcpu-1gb", "debian-12-x64");
    }

    @BeforeEach
    void apply() {
        usual().apply();
        made(new HostImage("7555620", Optional.of("debian-12-x64"), false));
    }

    private void made(HostImage image) {
        account.cloud.say(
                "db-1",
                host -> new CloudHost(
                        host.id(),
                        host.name(),
                        host.region(),
                        host.size(),
                        host.status(),
                        host.publicAddress(),
                        host.attempt(),
                        host.price(),
                        host.locked(),
                        host.young(),
                        Optional.of(image)));
    }

    private static List<PlannedChange> changes(Plan plan, String host) {
        return plan.entries().stream()
                .filter(entry -> entry.name().equals(host))
                .findFirst()
                .orElseThrow()
                .changes();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lon1 | s-2vcpu-4gb | debian-12-x64 | size s-1vcpu-1gb → s-2vcpu-4gb     | resize(\"db-1\")",
                "fra1 | s-1vcpu-1gb | debian-12-x64 | region lon1 → fra1                 | replace(\"db-1\")",
                "lon1 | s-1vcpu-1gb | debian-13-x64 | image debian-12-x64 → debian-13-x64 | replace(\"db-1\")",
                "lon1 | s-1vcpu-1gb | 4711          | image debian-12-x64 → 4711         | replace(\"db-1\")"
            })
    void everyVerb_specThatDiffersFromTheHost_saysWhatItTakesAndAdvisesNothingElse(
            String region, String size, String image, String difference, String verb) {
        Plan plan = spec(region, size, image).plan();
        assertThat(changes(plan, "db-1")).singleElement().satisfies(change -> {
            assertThat(change.text()).startsWith(difference).contains(verb);
            assertThat(change.before()).isPresent();
            assertThat(change.after()).isPresent();
        });
        assertThat(plan.isEmpty()).isFalse();

        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> spec(region, size, image).apply());
        assertThat(failure)
                .hasMessageContaining("[PG-2011]")
                .hasMessageContaining(difference)
                .hasMessageContaining(verb);
        assertThat(failure.report().changes()).isZero();

        assertThat(spec(region, size, image).build().verify().failures())
                .filteredOn(check -> check.host().equals("db-1") && check.kind() == CheckKind.HOST_UP_TO_DATE)
                .singleElement()
                .satisfies(check ->
                        assertThat(check.toString()).contains(difference, verb).doesNotContain("Run apply"));
        assertThat(account.cloud.orders()).hasSize(2);
    }

    @Test
    void plan_otherChangesToo_areMadeAllTheSame() {
        MeshBuilder larger = spec("lon1", "s-2vcpu-4gb", "debian-12-x64").hostsFile(true);

        ApplyException failure = catchThrowableOfType(ApplyException.class, larger::apply);

        assertThat(failure.report().changes()).isPositive();
        assertThat(changes(larger.plan(), "db-1")).hasSize(1);
    }

    @Test
    void labels_regionChangedInTheSpecAlone_stayWhereTheHostIs() {
        assertThat(changes(spec("fra1", "s-1vcpu-1gb", "debian-12-x64").plan(), "shop-monitor-1"))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"'', false", "debian-12-x64, false"})
    void plan_imageThatCannotBeComparedOrIsTheSame_isNoChange(String slug, boolean own) {
        made(new HostImage("7555620", slug.isEmpty() ? Optional.empty() : Optional.of(slug), own));

        assertThat(usual().plan().isEmpty()).isTrue();
    }

    @Test
    void plan_idOfTheImage_isTheSameImageAndASnapshotIsNoWord() {
        assertThat(spec("lon1", "s-1vcpu-1gb", "7555620").plan().isEmpty()).isTrue();
        made(new HostImage("4711", Optional.empty(), true));
        assertThat(changes(usual().plan(), "db-1"))
                .singleElement()
                .satisfies(change -> assertThat(change.text()).startsWith("image 4711 → debian-12-x64"));
    }

    @Test
    void resize_sizeChanged_keepsTheHostAndEndsUpToDate() {
        String id = account.state("shop", "db-1").providerId().orElseThrow();
        MeshBuilder larger = spec("lon1", "s-2vcpu-4gb", "debian-12-x64");

        ApplyReport report = larger.build().resize("db-1");

        assertThat(report.ok()).isTrue();
        assertThat(report.hosts()).singleElement().satisfies(host -> {
            assertThat(host.changes()).containsExactly("resize from s-1vcpu-1gb to s-2vcpu-4gb");
            assertThat(host.stepIds()).containsExactly("db-1/host-size:size");
        });
        assertThat(account.state("shop", "db-1").providerId()).contains(id);
        account.assertUpToDate(larger.build());
    }

    @Test
    void replace_regionChanged_createsItAnewAtItsAddress() {
        String id = account.state("shop", "db-1").providerId().orElseThrow();
        String address = account.address("db-1");
        MeshBuilder moved = spec("fra1", "s-1vcpu-1gb", "debian-12-x64");

        ApplyReport report = moved.build().replace("db-1");

        assertThat(report.ok()).isTrue();
        assertThat(report.hosts())
                .filteredOn(host -> host.name().equals("db-1"))
                .singleElement()
                .satisfies(host -> assertThat(host.changes())
                        .startsWith("delete it (id " + id + ") with its data, to create it anew", "create"));
        assertThat(account.state("shop", "db-1").providerId()).isPresent().isNotEqualTo(Optional.of(id));
        assertThat(account.address("db-1")).isEqualTo(address);
        assertThat(account.cloud.list("shop"))
                .filteredOn(host -> host.name().equals("db-1"))
                .singleElement()
                .satisfies(host -> assertThat(host.region()).isEqualTo("fra1"));
        account.assertUpToDate(moved.build());
    }

    @Test
    void resize_failsWhileTheHostIsOff_namesTheHostAndWhatToDo() {
        MeshBuilder larger = spec("lon1", "s-2vcpu-4gb", "debian-12-x64");
        String id = account.state("shop", "db-1").providerId().orElseThrow();
        account.cloud.breakResize(new ProviderException(
                ErrorCode.HOST_NOT_READY, "it has not followed power_on", 503, "busy", "r-1", true, null));

        assertThatThrownBy(() -> larger.build().resize("db-1"))
                .isInstanceOf(ProviderException.class)
                .hasMessage(
                        "db-1 (id " + id
                                + "): resize from s-1vcpu-1gb to s-2vcpu-4gb: it has not followed power_on [PG-3009]\n"
                                + "  It is off, with size s-1vcpu-1gb. Call powerOn(\"db-1\"), and then resize(\"db-1\") again.");
    }

    @Test
    void resize_sizeThatIsRefused_saysThatTheHostIsOnAndAdvisesNothingElse() {
        Calls calls = new Calls();
        calls.failFrom(
                1,
                Integer.MAX_VALUE,
                "CloudProvider.resize",
                () -> new ProviderException(ErrorCode.CANNOT_RESIZE, "its disk cannot shrink"));

        assertThatThrownBy(() -> spec("lon1", "s-2vcpu-4gb", "debian-12-x64")
                        .provider(calls.watch(account.cloud))
                        .build()
                        .resize("db-1"))
                .hasMessageEndingWith("its disk cannot shrink [PG-3011]\n  It is on, with size s-1vcpu-1gb.");
    }

    @Test
    void replace_regionThatDoesNotExistOrAKeyThatIsLost_deletesNothing() {
        account.cloud.close("fra1");
        assertThatThrownBy(() ->
                        spec("fra1", "s-1vcpu-1gb", "debian-12-x64").build().replace("db-1"))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("\"fra1\" of db-1");
        account.store.loseLoginKey("shop");
        assertThatThrownBy(() -> usual().build().replace("db-1"))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("[PG-2006]");

        assertThat(account.cloud.list("shop")).hasSize(2);
    }

    @Test
    void rotateKeys_hostThatDiffers_stillGetsNewKeys() {
        String before = account.state("shop", "db-1").publicKey().orElseThrow().base64();

        ApplyException failure = catchThrowableOfType(
                ApplyException.class,
                () -> spec("lon1", "s-2vcpu-4gb", "debian-12-x64").build().rotateKeys());

        assertThat(failure)
                .hasMessageContaining("[PG-2011]")
                .hasMessageContaining("Every host has new keys. Fix what is named above, then call apply().")
                .hasMessageNotContaining("rotateKeys()");

        assertThat(account.state("shop", "db-1").publicKey().orElseThrow().base64())
                .isNotEqualTo(before);
    }

    @Test
    void apply_onlyAnotherHost_doesNotFailForThisOne() {
        assertThat(spec("lon1", "s-2vcpu-4gb", "debian-12-x64")
                        .build()
                        .only("shop-monitor-1")
                        .apply()
                        .ok())
                .isTrue();
    }
}
