package dev.promguard.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ApplyReport.Status;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.Firewall;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostKey;
import dev.promguard.host.ManagedFile;
import dev.promguard.host.ManagedFiles;
import dev.promguard.keys.HostKeyFingerprint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the engine may expect of any {@link HostApplier} and its sessions. */
public abstract class HostApplierContract {
    private static final HostKeyFingerprint OTHER = new HostKeyFingerprint("SHA256:" + "x".repeat(43));
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final Change FILE =
            new ManagedFiles.Write(ManagedFile.readable("/etc/promguard-contract", "content\n"));
    private static final Change SSH = new Firewall.Allow(FirewallRule.open(22, Protocol.TCP, "OpenSSH"));
    private static final FactsQuery QUERY = new FactsQuery(
            List.of("curl"),
            List.of("nobody"),
            List.of("/etc/promguard-contract"),
            List.of("promguard-contract.service"),
            List.of(),
            "wg0",
            "/etc/wireguard/wg0.key",
            Map.of());

    /** The applier to try; the same one each time within a test. */
    protected abstract HostApplier applier();

    /** A host that can be reached; the same each time within a test. */
    protected abstract HostTarget target();

    /** Has this change fail on the host, whatever it is. */
    protected abstract void breakAt(Change change);

    /** Lets the host's time for a confirmation run out. */
    protected abstract void rollBack();

    private HostTarget accepting(Set<HostKeyFingerprint> keys) {
        return target().toBuilder().accepting(keys).timeout(TIMEOUT).build();
    }

    private HostFacts facts() {
        try (HostSession session = applier().open(target())) {
            return session.facts(QUERY, TIMEOUT);
        }
    }

    /** Writes down what it is told. */
    private static class Notes implements HostSession.Progress {
        final List<String> told = new ArrayList<>();
        final List<HostKeyFingerprint> keys = new ArrayList<>();

        @Override
        public void started(Change change) {
            told.add("started " + change.describe());
        }

        @Override
        public void done(Change change) {
            told.add("done " + change.describe());
        }

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {
            keys.add(fingerprint);
        }
    }

    @Test
    void open_acceptedKey_provesThatKey() {
        try (HostSession session = applier().open(target())) {
            assertThat(target().acceptedHostKeys()).contains(session.hostKey());
        }
    }

    @Test
    void open_anotherHostKey_isRefusedWithBothFingerprints() {
        HostKeyFingerprint shown = target().acceptedHostKeys().iterator().next();

        assertThatThrownBy(() -> applier().open(accepting(Set.of(OTHER))))
                .isInstanceOfSatisfying(HostException.class, e -> {
                    assertThat(e.refusedHostKey()).contains(shown);
                    assertThat(e.code()).isEqualTo(ErrorCode.HOST_KEY_REFUSED);
                })
                .hasMessageContaining(shown.text())
                .hasMessageContaining(OTHER.text());
    }

    @Test
    void open_noKeyKnownAndTrustOnFirstUse_provesTheKeyShown() {
        HostTarget target = target();
        HostTarget first =
                target.toBuilder().accepting(Set.of()).trustOnFirstUse(true).build();
        try (HostSession session = applier().open(first)) {
            assertThat(target.acceptedHostKeys()).contains(session.hostKey());
        }
    }

    @Test
    void open_anotherKeyKnownAndTrustOnFirstUse_isRefused() {
        HostTarget target = target();
        HostTarget later = target.toBuilder()
                .accepting(Set.of(OTHER))
                .trustOnFirstUse(true)
                .build();
        assertThatThrownBy(() -> applier().open(later))
                .isInstanceOf(HostException.class)
                .hasMessageContaining(OTHER.text());
    }

    @Test
    void facts_anyHost_saysWhatWasAskedForAndNoMore() {
        HostFacts facts = facts();

        assertThat(facts.osId()).isNotEmpty();
        assertThat(facts.machine()).isNotEmpty();
        assertThat(facts.files()).isEmpty();
        assertThat(facts.units()).isEmpty();
        assertThat(facts.packages().keySet()).isSubsetOf("curl");
    }

    @Test
    void apply_nothing_sendsNothingAndArmsNothing() {
        try (HostSession session = applier().open(target())) {
            assertThat(session.apply(List.of(), new Notes())).isFalse();
        }
    }

    @Test
    void apply_harmlessChange_isDoneToldAndNotArmed() {
        Notes notes = new Notes();
        try (HostSession session = applier().open(target())) {
            assertThat(session.apply(List.of(FILE), notes)).isFalse();
        }
        assertThat(notes.told).containsExactly("started " + FILE.describe(), "done " + FILE.describe());
        assertThat(facts().files()).containsOnlyKeys("/etc/promguard-contract");
    }

    @Test
    void apply_failingChange_stopsThereAndNamesIt() {
        Notes notes = new Notes();
        breakAt(SSH);
        try (HostSession session = applier().open(target())) {
            assertThatThrownBy(() -> session.apply(List.of(FILE, SSH, new Firewall.Enable()), notes))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.step()).isEqualTo(SSH.describe()));
        }
        assertThat(notes.told)
                .containsExactly("started " + FILE.describe(), "done " + FILE.describe(), "started " + SSH.describe());
        assertThat(facts().files()).isNotEmpty();
        assertThat(facts().firewall().active()).isFalse();
    }

    @Test
    void apply_riskyChange_isKeptOnceANewSessionConfirms() {
        try (HostSession session = applier().open(target())) {
            assertThat(session.apply(List.of(SSH, new Firewall.Enable()), new Notes()))
                    .isTrue();
        }
        try (HostSession session = applier().open(target())) {
            session.confirm();
        }
        rollBack();

        assertThat(facts().firewall().active()).isTrue();
    }

    @Test
    void facts_afterARiskyChange_sayThatItIsNotConfirmedAndLeaveItSo() {
        assertThat(facts().rollbackPending()).isFalse();
        try (HostSession session = applier().open(target())) {
            session.apply(List.of(SSH, new Firewall.Enable()), new Notes());
        }
        assertThat(facts().firewall().active()).isTrue();
        assertThat(facts().rollbackPending()).isTrue();
        rollBack();

        assertThat(facts().firewall().active()).isFalse();
        assertThat(facts().rollbackPending()).isFalse();
    }

    @Test
    void confirm_tooLate_saysThatTheHostHasRolledBack() {
        try (HostSession session = applier().open(target())) {
            session.apply(List.of(SSH, new Firewall.Enable()), new Notes());
        }
        rollBack();

        try (HostSession session = applier().open(target())) {
            for (int ask = 1; ask <= 2; ask++) {
                assertThatThrownBy(session::confirm)
                        .isInstanceOfSatisfying(
                                HostException.class, e -> assertThat(e.status()).isEqualTo(Status.ROLLED_BACK))
                        .hasMessageContaining("rolled back")
                        .hasMessageContaining(ErrorCode.ROLLED_BACK.id());
            }
        }
        assertThat(facts().firewall().active()).isFalse();
    }

    @Test
    void confirm_again_tellsThatTheChangesAreKept() {
        try (HostSession session = applier().open(target())) {
            session.apply(List.of(SSH, new Firewall.Enable()), new Notes());
        }
        try (HostSession session = applier().open(target())) {
            session.confirm();
            session.confirm();
        }
        try (HostSession session = applier().open(target())) {
            session.confirm();
        }

        assertThat(facts().firewall().active()).isTrue();
    }

    @Test
    void confirm_onTheSessionThatMadeTheChanges_isRefusedAndTheRollbackStaysArmed() {
        try (HostSession session = applier().open(target())) {
            session.apply(List.of(SSH, new Firewall.Enable()), new Notes());

            assertThatThrownBy(session::confirm)
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("this is the session that made the changes");
        }
        rollBack();

        assertThat(facts().firewall().active()).isFalse();
    }

    @Test
    void rollBack_onTheSessionThatMadeTheChanges_putsThemBackAtOnceAndAgainWithoutHarm() {
        try (HostSession session = applier().open(target())) {
            session.apply(List.of(SSH, new Firewall.Enable()), new Notes());

            session.rollBack();
            session.rollBack();
        }

        try (HostSession session = applier().open(target())) {
            assertThatThrownBy(session::confirm)
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.status()).isEqualTo(Status.ROLLED_BACK));
        }
        assertThat(facts().firewall().active()).isFalse();
    }

    @Test
    void rollBack_nothingArmed_changesNothing() {
        try (HostSession session = applier().open(target())) {
            session.apply(List.of(FILE), new Notes());

            session.rollBack();
        }
        assertThat(facts().files()).containsOnlyKeys("/etc/promguard-contract");
    }

    @Test
    void probe_noPorts_answersNothing() {
        try (HostSession session = applier().open(target())) {
            assertThat(session.probe(List.of(), TIMEOUT)).isEmpty();
        }
    }

    @Test
    void probe_portsOfNobody_answersEachInOrderAndChangesNothing() {
        HostFacts before = facts();
        try (HostSession session = applier().open(target())) {
            List<ProbeResult> answers = session.probe(
                    List.of(
                            new Probe("203.0.113.250", 9100),
                            new Probe("203.0.113.250", 9100, Optional.of("/metrics")),
                            new Probe("203.0.113.251", 9090)),
                    Duration.ofSeconds(1));

            assertThat(answers).hasSize(3).allSatisfy(answer -> {
                assertThat(answer.result()).isNotIn(ProbeResult.Result.OPEN, ProbeResult.Result.NOT_TRIED);
                assertThat(answer.bytes()).isZero();
                assertThat(answer.whole()).isFalse();
            });
        }
        assertThat(facts()).isEqualTo(before);
    }

    @Test
    void replaceHostKey_keptByTheCaller_isTheKeyOfTheNextSession() {
        Notes notes = new Notes();
        HostKeyFingerprint old;
        try (HostSession session = applier().open(target())) {
            old = session.hostKey();
            assertThat(session.apply(List.of(new HostKey.Replace()), notes)).isTrue();
        }

        assertThat(notes.keys).hasSize(1).doesNotContain(old);
        assertThatThrownBy(() -> applier().open(accepting(Set.of(old)))).isInstanceOf(HostException.class);
        try (HostSession session = applier().open(accepting(Set.copyOf(notes.keys)))) {
            session.confirm();
        }
    }

    @Test
    void replaceHostKey_callerCouldNotKeepIt_leavesTheOldKey() {
        Notes forgetful = new Notes() {
            @Override
            public void newHostKey(HostKeyFingerprint fingerprint) {
                throw new IllegalStateException("the disk is full");
            }
        };
        try (HostSession session = applier().open(target())) {
            assertThatThrownBy(() -> session.apply(List.of(new HostKey.Replace()), forgetful))
                    .isInstanceOf(RuntimeException.class);
        }

        assertThat(facts().osId()).isNotEmpty();
    }

    @Test
    void close_twice_endsTheSessionOnce() {
        HostSession session = applier().open(target());
        session.close();
        session.close();

        assertThatThrownBy(() -> session.facts(QUERY, TIMEOUT)).isInstanceOf(HostException.class);
    }

    @Test
    void open_interruptedThread_endsWithAFailureAndTheFlagSet() {
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> applier().open(target())).isInstanceOf(HostException.class);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }
}
