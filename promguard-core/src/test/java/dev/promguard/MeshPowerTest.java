package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.memory.Calls;
import dev.promguard.spi.CloudHost;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A host that the cloud itself says will not answer is named as such by every verb, at once. */
class MeshPowerTest {
    private static final String NODE = "shop-node-1";

    private final Account account = new Account();

    @BeforeEach
    void apply() {
        account.spec().apply();
    }

    private void say(CloudHost.Status status, boolean locked, boolean young, boolean address) {
        account.cloud.say(
                NODE,
                host -> new CloudHost(
                        host.id(),
                        host.name(),
                        host.region(),
                        host.size(),
                        status,
                        address ? host.publicAddress() : Optional.empty(),
                        host.attempt(),
                        host.price(),
                        locked,
                        young,
                        host.image()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "OFF      | false | true  | true  | it is off                                   | powerOn(\"shop-node-1\")",
                "OFF      | false | false | false | it is off                                   | powerOn(\"shop-node-1\")",
                "OFF      | true  | false | true  | it is off, and locked at                    | support why it is locked",
                "ARCHIVED | false | false | true  | it is archived at                           | support to restore it",
                "NEW      | true  | false | false | it was ordered long ago, and                | replace(\"shop-node-1\")",
                "ACTIVE   | false | false | false | it runs and has no public address           | replace(\"shop-node-1\")"
            })
    void everyVerb_hostThatDoesNotRun_saysSoAtOnceInTheSameWords(
            CloudHost.Status status, boolean locked, boolean young, boolean address, String why, String remedy) {
        say(status, locked, young, address);
        Calls calls = new Calls();

        Plan plan = account.spec(calls).plan();
        assertThat(plan.entries().get(1).problems()).singleElement().satisfies(problem -> {
            assertThat(problem.code()).isEqualTo(ErrorCode.HOST_NOT_READY);
            assertThat(problem.message() + problem.remedy()).contains(why, remedy);
        });
        assertThat(calls.made().stream().filter(call -> call.equals("HostApplier.open")))
                .as("sessions opened, none with the host")
                .hasSize(2);

        Calls applied = new Calls();
        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> account.spec(applied).apply());
        assertThat(failure).hasMessageContaining(why).hasMessageContaining(remedy);
        assertThat(applied.made()).doesNotContain("CloudProvider.await");
        assertThat(failure.report().hosts())
                .filteredOn(host -> host.status() == ApplyReport.Status.FAILED)
                .extracting(ApplyReport.HostOutcome::name)
                .containsExactly(NODE);

        assertThat(account.spec().build().verify().failures())
                .filteredOn(check -> check.kind() == CheckKind.HOST_OBSERVABLE)
                .singleElement()
                .satisfies(check -> assertThat(check.toString()).contains(why, remedy));
    }

    @Test
    void powerOn_hostThatIsOff_runsAgainAndNothingElseIsToBeDone() {
        say(CloudHost.Status.OFF, false, false, true);

        account.spec().build().powerOn(NODE);

        account.assertUpToDate(account.spec().build());
    }

    @Test
    void powerOn_unknownOrNotCreatedHost_isRefused() {
        assertThatThrownBy(() -> account.spec().build().powerOn("SHOP-NODE-1"))
                .hasMessageContaining(
                        "powerOn: \"SHOP-NODE-1\" is not one of its hosts. The nearest names are shop-node-1");
        assertThatThrownBy(() -> account.spec().build().resize("nobody")).hasMessageContaining("resize: \"nobody\"");
        assertThatThrownBy(() -> account.spec().build().replace("nobody")).hasMessageContaining("replace: \"nobody\"");
        assertThatThrownBy(() -> account.spec().build().powerOn("nobody"))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("\"nobody\"");
        assertThatThrownBy(() -> account.spec().nodes(3).build().powerOn("shop-node-3"))
                .isInstanceOf(HostException.class)
                .hasMessageContaining("does not exist yet");
    }
}
