package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.host.FirstBoot;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The first boot of hosts: waited for where PromGuard created them, and no more than a note where it did not. */
class MeshFirstBootTest {
    private final MemoryInventory inventory = new MemoryInventory();
    private final MemoryHosts hosts = new MemoryHosts(inventory);
    private final MemoryStateStore store = new MemoryStateStore();
    private final MemoryMachine monitor = inventory.host("mon", "root", 22);

    private MeshBuilder spec() {
        return Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .provider(new Calls().watch(inventory))
                .applier(new Calls().watch(hosts))
                .state(new Calls().watch(store))
                .waits(Account.NO_WAITS);
    }

    @Test
    void verbs_existingHosts_waitForNoFirstBoot() {
        spec().apply();
        spec().plan();
        spec().build().verify();
        spec().build().planDestroy();
        spec().build().destroy();

        assertThat(hosts.bootTimeouts()).hasSizeGreaterThan(4).containsOnly(Duration.ZERO);
    }

    @Test
    void verbs_hostsThatPromGuardCreated_waitForTheFirstBoot() {
        Account account = new Account();
        account.spec().apply();
        account.spec().build().verify();

        assertThat(account.hosts.bootTimeouts())
                .isNotEmpty()
                .allMatch(timeout -> timeout.compareTo(Duration.ofMinutes(1)) > 0);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "running | is still at work on it",
                "not-run | its units are masked",
                "failed\terrors: [ \"('scripts_user', RuntimeError())\" ] | ('scripts_user', RuntimeError())"
            })
    void planAndApply_existingHostWithAnUnusualBoot_goOnAndNoteIt(String fact, String note) {
        monitor.says(FirstBoot.FACTS, fact);

        assertThat(spec().plan().toString()).contains(note);
        ApplyReport report = spec().apply();

        assertThat(report.ok()).isTrue();
        assertThat(report.hosts().get(0).notes()).singleElement().asString().contains(note);
        assertThat(report.toString()).contains(note);
        assertThat(spec().plan().isEmpty()).as("a note is no change").isTrue();
        assertThat(spec().plan().toString()).contains(note);
    }
}
