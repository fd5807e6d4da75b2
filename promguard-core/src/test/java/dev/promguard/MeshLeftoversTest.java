package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.host.FactsByResource;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.Leftovers;
import dev.promguard.host.MalformedFactsException;
import dev.promguard.memory.MemoryMachine;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an earlier run left on a host is drift: plan and verify name it, and an apply without anything else to do removes it. */
class MeshLeftoversTest {
    private static final String NODE = "shop-node-1";
    private static final String TIMER = "unit\tpromguard-rollback-boot.timer\tactive";
    private static final String FILE = "path\t/etc/prometheus/.promguard.aB3xYz.yml";

    private final Account account = new Account();

    @BeforeEach
    void apply() {
        account.spec().apply();
    }

    private MemoryMachine node() {
        return account.cloud.machine(NODE);
    }

    @Test
    void plan_leftovers_areOneChangeThatApplyMakes() {
        node().says(Leftovers.FACTS, FILE, TIMER);
        List<String> before = node().changes();

        Plan plan = account.spec().plan();

        assertThat(plan.drift()).hasSize(1);
        assertThat(plan.toString())
                .contains(
                        "0 to create, 1 to change", "! left by an earlier run: promguard-rollback-boot.timer (active)")
                .contains("/etc/prometheus/.promguard.aB3xYz.yml", "→ remove");
        assertThat(node().changes()).isEqualTo(before);
        ApplyReport report = account.spec().build().apply(plan);
        assertThat(report.hosts())
                .filteredOn(host -> host.name().equals(NODE))
                .singleElement()
                .satisfies(host -> assertThat(host.changes()).hasSize(1));
        account.assertUpToDate(account.spec().build());
    }

    /** As where a run was cut off after it had written the configuration, and before the interface took it. */
    @Test
    void plan_presharedKeyOfAHostThatWasRemoved_isNamedAndRemovedByApply() {
        node().leavePresharedKey("shop-node-9");

        Plan plan = account.spec().plan();

        assertThat(plan.drift())
                .singleElement()
                .satisfies(drift -> assertThat(drift.text())
                        .isEqualTo(
                                "wg0: it still holds the preshared key for shop-node-9, of which it is no peer (drift)"
                                        + "   → put back"));
        assertThat(account.spec().build().verify().failures())
                .filteredOn(check -> check.kind() == CheckKind.HOST_UP_TO_DATE)
                .singleElement()
                .satisfies(check -> assertThat(check.observed()).contains("shop-node-9"));
        account.spec().apply();
        assertThat(node().presharedKeys()).doesNotContainKey("/etc/wireguard/wg0.psk/shop-node-9");
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void verify_failedUnitOfARollback_isNamed() {
        node().says(Leftovers.FACTS, "unit\tpromguard-rollback-boot.service\tfailed");

        VerifyReport report = account.spec().build().verify();

        assertThat(report.failures())
                .filteredOn(check -> check.kind() == CheckKind.HOST_UP_TO_DATE)
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.host()).isEqualTo(NODE);
                    assertThat(check.observed()).contains("promguard-rollback-boot.service (failed)");
                });
    }

    @Test
    void plan_manyLeftovers_namesThreeAndCountsTheOthers() {
        node().says(
                        Leftovers.FACTS,
                        "path\t/etc/ssh/.promguard.c",
                        "path\t/etc/ssh/.promguard.a",
                        "path\t/etc/ssh/.promguard.d",
                        "path\t/etc/ssh/.promguard.b",
                        "path\t/etc/ssh/.promguard.e");

        assertThat(account.spec().plan().drift().get(0).text())
                .isEqualTo("left by an earlier run: /etc/ssh/.promguard.a, /etc/ssh/.promguard.b, /etc/ssh/.promguard.c"
                        + " and 2 more (drift)   → remove");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "path",
                "path\tetc/x",
                "path\t/etc/x\ty",
                "path\t/etc/\u001b[2J",
                "path\t/etc/../x y",
                "unit\tssh.service\tfailed",
                "unit\tpromguard-rollback.timer",
                "unit\tpromguard-rollback.timer\tFAILED",
                "other\tx"
            })
    void facts_lineThatMakesNoSense_isRefused(String line) {
        FactsByResource.Collector collector = new FactsByResource.Collector(new FactsQuery(
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                "",
                "",
                Map.of(),
                List.of(new FactsQuery.ResourceCall(Leftovers.FACTS, List.of()))));

        assertThatThrownBy(() -> collector.line("leftovers\t" + line))
                .isInstanceOf(MalformedFactsException.class)
                .hasMessageContaining("leftovers");
    }
}
