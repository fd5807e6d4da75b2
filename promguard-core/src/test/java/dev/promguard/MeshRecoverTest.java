package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.Identity;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.Login;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.StateStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The state of a mesh in a cloud is lost. It is rebuilt from what exists, or not at all. */
class MeshRecoverTest {
    private static final String NODE = "shop-node-1";
    private static final String OTHER = "shop-node-2";
    private static final String MONITOR = "shop-monitor-1";
    private static final String CONFIG = "/etc/wireguard/wg0.conf";
    private static final PublicKey LAPTOP = new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=");

    private final Account account = new Account();
    private final MemoryStateStore copy = new MemoryStateStore();
    private final SshKeyPair mine = SshKeyPair.generate(new SecureRandom());
    private MeshState before = MeshState.empty("shop");

    @BeforeEach
    void applyAndLoseTheState() {
        spec().apply();
        lose();
    }

    private MeshBuilder spec() {
        return account.spec().loginKeys(mine.publicKey());
    }

    private Mesh mesh() {
        return spec().build();
    }

    /** Somebody deletes the state, of which there is a copy elsewhere. */
    private void lose() {
        before = account.state("shop");
        copy.delete("shop");
        account.store.copyTo(copy, "shop");
        account.store.delete("shop");
    }

    private Map<String, List<String>> changes() {
        Map<String, List<String>> all = new HashMap<>();
        account.cloud
                .names()
                .forEach(name -> all.put(name, account.cloud.machine(name).changes()));
        return all;
    }

    /** Gets in with an additional login key, and trusts what hosts show. */
    private void withMine(RecoverBuilder how) {
        how.identity(Identity.ofKey(mine.privateKey())).trustOnFirstUse();
    }

    private Consumer<RecoverBuilder> withMine(Consumer<RecoverBuilder> more) {
        return how -> {
            withMine(how);
            more.accept(how);
        };
    }

    private String id(String host) {
        return Objects.requireNonNull(before.hosts().get(host)).providerId().orElseThrow();
    }

    /** Insists that a recovery refuses and leaves everything as it was. */
    private void assertRefused(ErrorCode code, Consumer<RecoverBuilder> how, String... words) {
        Map<String, List<String>> made = changes();
        Set<String> documents = account.store.names("shop");
        ThrowingCallable recover = () -> mesh().recover(how);

        assertThatThrownBy(recover)
                .isInstanceOf(PromGuardException.class)
                .hasMessageContaining("[" + code.id() + "]")
                .hasMessageContainingAll(words);
        assertThat(changes()).isEqualTo(made);
        assertThat(account.store.names("shop")).isEqualTo(documents);
        assertThat(account.hosts.open()).isZero();
    }

    /** Insists that the state is what it was, as far as hosts can tell, and that there is nothing to do. */
    private void assertRecovered() {
        MeshState after = account.state("shop");
        assertThat(after.hosts()).containsOnlyKeys(before.hosts().keySet());
        after.hosts().forEach((name, host) -> {
            HostState old = Objects.requireNonNull(before.hosts().get(name));
            assertThat(host.address()).isEqualTo(old.address());
            assertThat(host.providerId()).isEqualTo(old.providerId());
            assertThat(host.publicKey()).isEqualTo(old.publicKey());
            assertThat(host.hostKeys()).isEqualTo(old.hostKeys());
            assertThat(host.lastApplied()).isEqualTo(old.lastApplied());
        });
        assertThat(after.viewers()).isEqualTo(before.viewers());
        assertThat(after.protectedHosts()).isEqualTo(before.protectedHosts());
        assertThat(account.hosts.open()).isZero();
        Map<String, List<String>> made = changes();
        assertThat(mesh().plan().isEmpty()).isTrue();
        assertThat(mesh().apply().changes()).isZero();
        assertThat(changes()).isEqualTo(made);
    }

    @Test
    void recover_additionalLoginKey_getsInAndGivesTheMeshANewKey() {
        Map<String, List<String>> made = changes();

        RecoverReport report = mesh().recover(this::withMine);

        assertThat(report.written()).isTrue();
        assertThat(report.newLoginKey()).isTrue();
        assertThat(report.admitting()).containsExactly(MONITOR, NODE, OTHER);
        assertThat(report.hosts())
                .extracting(RecoverReport.RecoveredHost::hostKeyBy)
                .containsOnly("trusted on first use");
        assertThat(report.next())
                .hasValueSatisfying(plan -> assertThat(plan.isEmpty()).isTrue());
        made.forEach((name, all) -> {
            List<String> now = account.cloud.machine(name).changes();
            assertThat(now.subList(all.size(), now.size())).containsExactly("admit the mesh's own SSH login key");
        });
        assertRecovered();
    }

    @Test
    void recover_hostsBehindAJumpHost_areReachedThroughItAlone() {
        HostKeyFingerprint key = new HostKeyFingerprint("SHA256:" + "j".repeat(43));
        HostKeyFingerprint impostor = new HostKeyFingerprint("SHA256:" + "i".repeat(43));
        account.hosts.lead(new JumpHost(
                "bastion", "203.0.113.1", Login.of("jump").hostKeys(Set.of(key)).build()));
        Mesh behind = spec().applier(account.hosts).build();
        account.hosts.jumpHosts(name -> impostor);
        assertThatThrownBy(() -> behind.recover(this::withMine)).hasMessageContaining("jump host bastion showed");
        AtomicInteger passed = new AtomicInteger();
        account.hosts.jumpHosts(name -> {
            passed.incrementAndGet();
            return key;
        });
        int opened = account.hosts.opened();

        RecoverReport report = behind.recover(this::withMine);

        assertThat(report.admitting()).hasSize(3);
        assertThat(passed).hasValue(account.hosts.opened() - opened);
        assertThat(behind.plan().isEmpty()).isTrue();
    }

    @Test
    void recover_withTheLoginKeyLeft_changesNothingOnAnyHost() {
        copy.loadLoginKey("shop")
                .ifPresent(key -> account.store.saveLoginKey("shop", new SshKeyPair(key, SshKeyPair.publicHalf(key))));
        Map<String, List<String>> made = changes();

        RecoverReport report = mesh().recover(RecoverBuilder::trustOnFirstUse);

        assertThat(report.newLoginKey()).isFalse();
        assertThat(report.admitting()).isEmpty();
        assertThat(changes()).isEqualTo(made);
        assertRecovered();
    }

    @Test
    void recover_copyOfTheState_knowsLoginKeyAndHostKeys() {
        RecoverReport report = mesh().recover(how -> how.backup(copy));

        assertThat(report.hosts())
                .extracting(RecoverReport.RecoveredHost::hostKeyBy)
                .containsOnly("from the copy of the state");
        assertThat(report.newLoginKey()).isFalse();
        assertRecovered();
        account.assertUpToDate(mesh());
    }

    /** No list shows it, and it exists: it must not be created a second time. */
    @Test
    void recover_hostWithoutTheMeshsTagThatTheCopyKnows_isFoundByItsId() {
        account.cloud.untag(NODE);

        RecoverReport report = mesh().recover(how -> how.backup(copy));

        assertThat(report.missing()).isEmpty();
        assertThat(report.toString()).contains(NODE + " (id " + id(NODE) + ") does not carry the mesh's tag");
        mesh().apply();
        assertThat(account.cloud.names()).containsExactly(MONITOR, NODE, OTHER);
        assertThat(account.cloud.isTagged(NODE)).isTrue();
        assertRecovered();
    }

    @Test
    void recover_hostThatTheListLacksYetAndTheReplacedStateKnows_isFoundByItsId() {
        mesh().recover(how -> how.backup(copy));
        Mesh larger = spec().node("db", host -> host.region("lon1")).build();
        account.cloud.lag(20);
        larger.apply();
        account.cloud.lag(0);

        larger.recover(RecoverBuilder::replaceState);

        assertThat(account.state("shop").hosts()).containsKey("db");
        larger.apply();
        assertThat(account.cloud.names()).containsExactly("db", MONITOR, NODE, OTHER);
    }

    /** Somebody has taken it for something else. */
    @Test
    void recover_hostWithoutTagAndPartsThatTheCopyKnows_isNamedAndMayBeLeftOut() {
        account.cloud.untag(NODE);
        account.cloud.rebuild(NODE);
        account.cloud.machine(NODE).admit(mine.publicKey());
        Consumer<RecoverBuilder> how = withMine(settings -> settings.backup(copy)
                .hostKey(NODE, account.cloud.machine(NODE).hostKey().text()));

        assertRefused(
                ErrorCode.RECOVERY_AMBIGUOUS,
                how,
                "the state knows it (id " + id(NODE) + "), but it does not carry the mesh's tag",
                "leaveOut(\"" + id(NODE) + "\")");

        mesh().recover(how.andThen(settings -> settings.leaveOut(id(NODE))));
        assertThat(account.state("shop").hosts()).doesNotContainKey(NODE);
    }

    /** What a copy says of the mesh may be old: hosts are asked. */
    @Test
    void recover_oldCopy_takesAddressesAndKeysFromTheHosts() {
        mesh().recover(how -> how.backup(copy));
        mesh().rotateKeys();
        MemoryStateStore old = new MemoryStateStore();
        copy.copyTo(old, "shop");
        lose();

        mesh().recover(how -> how.backup(old));

        assertRecovered();
    }

    @Test
    void recover_nothingToTrust_contactsNoHost() {
        int opened = account.hosts.opened();

        assertRefused(
                ErrorCode.HOST_KEY_UNKNOWN,
                how -> how.identity(Identity.ofKey(mine.privateKey())),
                MONITOR,
                NODE,
                OTHER,
                "hostKey(\"shop-node-1\", …)",
                "trustOnFirstUse()");
        assertThat(account.hosts.opened()).isEqualTo(opened);
    }

    @Test
    void recover_givenHostKeys_acceptsTheseAlone() {
        Consumer<RecoverBuilder> given = how -> {
            how.identity(Identity.ofKey(mine.privateKey()));
            how.hostKey(MONITOR, account.cloud.machine(MONITOR).hostKey().text());
            how.hostKey(id(NODE), account.cloud.machine(NODE).hostKey().text());
            how.hostKey(
                    OTHER,
                    "SHA256:" + "x".repeat(43),
                    account.cloud.machine(OTHER).hostKey().text());
        };
        account.cloud.machine(NODE).impostor();
        assertRefused(ErrorCode.HOST_KEY_REFUSED, withMine(how -> how.hostKey(NODE, "SHA256:" + "x".repeat(43))), NODE);

        assertThat(mesh().recover(given).hosts())
                .extracting(RecoverReport.RecoveredHost::hostKeyBy)
                .containsOnly("given");
    }

    /** A key that is known counts, also where the user would trust any. */
    @Test
    void recover_impostorOfAHostThatTheCopyKnows_isRefusedAlsoOnFirstUse() {
        account.cloud.machine(NODE).impostor();

        assertRefused(ErrorCode.HOST_KEY_REFUSED, withMine(how -> how.backup(copy)), NODE, "leaveOut");
    }

    @Test
    void recover_certificates_proveHosts() {
        SshPublicKey authority = SshKeyPair.generate(new SecureRandom()).publicKey();
        account.cloud.machines().forEach(machine -> machine.certifiedBy(authority.fingerprint()));

        RecoverReport report = mesh().recover(
                        how -> how.identity(Identity.ofKey(mine.privateKey())).hostCertificateAuthority(authority));

        assertThat(report.hosts())
                .extracting(RecoverReport.RecoveredHost::hostKeyBy)
                .containsOnly("by certificate");
        assertRecovered();
    }

    @Test
    void recover_certificateOfSomebodyElse_isRefused() {
        HostKeyFingerprint other =
                SshKeyPair.generate(new SecureRandom()).publicKey().fingerprint();
        account.cloud.machines().forEach(machine -> machine.certifiedBy(other));

        assertRefused(
                ErrorCode.HOST_KEY_REFUSED,
                how -> how.identity(Identity.ofKey(mine.privateKey())).hostCertificateAuthority(mine.publicKey()),
                NODE);
    }

    @Test
    void recover_noLoginKeyAtAll_saysWhatToGive() {
        assertRefused(ErrorCode.LOGIN_KEY_MISSING, RecoverBuilder::trustOnFirstUse, "backup(…)", "loginKey(…)");
    }

    @Test
    void recover_keyThatNoHostAdmits_namesTheHosts() {
        SshKeyPair stranger = SshKeyPair.generate(new SecureRandom());

        assertRefused(
                ErrorCode.LOGIN_REFUSED,
                how -> how.identity(Identity.ofKey(stranger.privateKey())).trustOnFirstUse(),
                MONITOR,
                NODE,
                OTHER);
    }

    @Test
    void recover_loginKeyFileThatIsNotThere_isRefused() {
        assertRefused(
                ErrorCode.INVALID_LOGIN_KEY,
                how -> how.loginKey(Path.of("/no/such/key")).trustOnFirstUse(),
                "/no/such/key");
    }

    @Test
    void recover_dropletWithTheTagThatNobodySetUp_isRefused() {
        account.cloud.plant("shop", "shop-node-9", Optional.empty()).admit(mine.publicKey());
        activate();

        assertRefused(
                ErrorCode.RECOVERY_AMBIGUOUS,
                this::withMine,
                "shop-node-9",
                "nothing on it is PromGuard's",
                "deleteUnmanaged(\"4\")",
                "leaveOut(\"4\")");
        assertThat(mesh().recover(withMine(how -> how.leaveOut("4"))).hosts()).hasSize(3);
    }

    /** Somebody made a droplet from a snapshot of a node. */
    @Test
    void recover_twoDropletsOfOneNameAddressAndKey_namesBoth() {
        MemoryMachine clone = account.cloud.plant("shop", NODE, Optional.empty());
        clone.copyOf(account.cloud.machine(NODE));
        activate();

        assertRefused(
                ErrorCode.RECOVERY_AMBIGUOUS,
                this::withMine,
                "shop-node-1 (id " + id(NODE) + ") and shop-node-1 (id 4) are both shop-node-1",
                "both have the WireGuard address",
                "both have the WireGuard key");
        mesh().recover(withMine(how -> how.leaveOut("4")));
        assertThat(account.state("shop", NODE).providerId()).contains(id(NODE));
    }

    @Test
    void recover_twoHostsWithOneAddress_isRefused() {
        String address = account.host(before, OTHER).address();
        account.cloud
                .machine(NODE)
                .edit(CONFIG, text -> text.replaceFirst("Address = [0-9.]+", "Address = " + address));

        assertRefused(
                ErrorCode.RECOVERY_AMBIGUOUS,
                this::withMine,
                "both have the WireGuard address " + address,
                NODE,
                OTHER);
    }

    @Test
    void recover_hostOfAnotherMesh_isRefused() {
        account.cloud.machine(NODE).edit(CONFIG, text -> text.replaceFirst("for mesh shop", "for mesh bakery"));

        assertRefused(
                ErrorCode.RECOVERY_AMBIGUOUS, this::withMine, NODE, "it has parts of mesh bakery, and not of shop");
    }

    @Test
    void recover_anotherInterfaceThanTheSpecs_saysWhichToSet() {
        assertThatThrownBy(() -> spec().interfaceName("promguard0").build().recover(this::withMine))
                .hasMessageContaining("interfaceName(\"wg0\")");
    }

    @Test
    void recover_monitorThatIsGone_isRefusedUnlessItIsLeftOut() {
        account.cloud.vanish(MONITOR);

        assertRefused(
                ErrorCode.RECOVERY_AMBIGUOUS,
                this::withMine,
                MONITOR,
                "this monitor does not exist",
                "leaveOut(\"shop-monitor-1\")");

        RecoverReport report = mesh().recover(withMine(how -> how.leaveOut(MONITOR)));
        assertThat(report.missing())
                .containsExactly(
                        Map.entry(MONITOR, account.host(before, MONITOR).address()));
    }

    @Test
    void recover_nodeThatIsGone_keepsItsAddressForTheNextApply() {
        account.cloud.vanish(NODE);

        RecoverReport report = mesh().recover(this::withMine);

        String address = account.host(before, NODE).address();
        assertThat(report.missing()).containsExactly(Map.entry(NODE, address));
        assertThat(report.next())
                .hasValueSatisfying(plan -> assertThat(plan.entries())
                        .extracting(Plan.Entry::kind)
                        .containsExactlyInAnyOrder(Plan.Kind.CREATE, Plan.Kind.CHANGE, Plan.Kind.KEEP));
        List<String> other = account.cloud.machine(OTHER).changes();
        mesh().apply();
        assertThat(account.address(NODE)).isEqualTo(address);
        assertThat(account.cloud.machine(OTHER).changes()).isEqualTo(other);
        assertThat(mesh().plan().isEmpty()).isTrue();
    }

    @Test
    void recover_hostThatIsDown_isNamedAndMayBeLeftOut() {
        account.cloud.machine(NODE).down(true);
        assertRefused(ErrorCode.CONNECT_FAILED, this::withMine, NODE, "leaveOut(\"" + id(NODE) + "\")");

        RecoverReport report = mesh().recover(withMine(how -> how.leaveOut(NODE)));

        assertThat(report.hosts()).extracting(RecoverReport.RecoveredHost::name).containsExactly(MONITOR, OTHER);
        assertThat(report.missing())
                .containsEntry(NODE, account.host(before, NODE).address());
        assertThat(mesh().plan().toString()).contains(NODE, "deleteUnmanaged");
    }

    @Test
    void recover_hostThatIsOff_saysSo() {
        account.cloud.switchOff(NODE);

        assertRefused(ErrorCode.HOST_NOT_READY, this::withMine, NODE, "it is off");
    }

    @Test
    void recover_renamedDroplet_isKnownByItsKey() {
        account.cloud.rename(NODE, "renamed-by-hand");

        RecoverReport report = mesh().recover(this::withMine);

        assertThat(report.notes())
                .singleElement()
                .asString()
                .contains(NODE + " is called renamed-by-hand in the cloud");
        assertThat(account.state("shop").hosts()).containsOnlyKeys(MONITOR, NODE, OTHER);
        assertThat(mesh().plan().isEmpty()).isTrue();
    }

    @Test
    void recover_hostThatTheSpecDoesNotName_isInTheStateAndThePlanSaysSo() {
        RecoverReport report = spec().nodes(1, "lon1").build().recover(this::withMine);

        assertThat(report.hosts()).extracting(RecoverReport.RecoveredHost::name).contains(OTHER);
        assertThat(report.next())
                .hasValueSatisfying(plan -> assertThat(plan.entries())
                        .anySatisfy(entry -> assertThat(entry.kind()).isEqualTo(Plan.Kind.REMOVE)));
    }

    @Test
    void recover_nothingThere_saysSo() {
        account.cloud.names().forEach(account.cloud::vanish);

        assertRefused(ErrorCode.RECOVERY_AMBIGUOUS, this::withMine, MONITOR, "this monitor does not exist");
        assertRefused(
                ErrorCode.NOTHING_TO_RECOVER,
                withMine(how -> how.leaveOut(MONITOR)),
                "no host carries its tag",
                "run apply");
    }

    @Test
    void recover_stateThatIsThere_isRefusedUnlessItIsToBeReplaced() {
        copy.copyTo(account.store, "shop");
        assertRefused(ErrorCode.STATE_EXISTS, this::withMine, "3 hosts", "replaceState()");

        RecoverReport report = mesh().recover(RecoverBuilder::replaceState);

        assertThat(report.copies()).singleElement().asString().matches("replaced-[0-9]{8}-[0-9]{6}-state.json");
        assertThat(account.store.names("shop")).containsAll(report.copies());
        assertThat(report.hosts())
                .extracting(RecoverReport.RecoveredHost::hostKeyBy)
                .containsOnly("from the copy of the state");
        assertRecovered();
        mesh().destroy();
        assertThat(account.store.names("shop")).isEmpty();
    }

    @Test
    void recover_damagedState_isReplacedAndKept() {
        try (StateStore.Lock lock = account.store.lock("shop", LockHolder.ofThisProcess("test"))) {
            lock.write("state.json", "{".getBytes(StandardCharsets.UTF_8), Optional.empty());
        }
        assertRefused(ErrorCode.STATE_DAMAGED, this::withMine, "state.json");

        RecoverReport report = mesh().recover(withMine(RecoverBuilder::replaceState));

        assertThat(account.store.read("shop", report.copies().get(0)))
                .hasValueSatisfying(kept -> assertThat(kept.content()).isEqualTo(new byte[] {'{'}));
        assertRecovered();
    }

    @Test
    void recover_whileAnotherRunHoldsTheLock_isRefused() {
        try (StateStore.Lock held = account.store.lock("shop", LockHolder.ofThisProcess("apply"))) {
            assertThat(held).isNotNull();
            assertRefused(ErrorCode.STATE_LOCKED, this::withMine, "apply");
        }
    }

    @Test
    void recover_unconfirmedChanges_isRefusedUntilTheyAreTakenBack() {
        account.cloud.machine(NODE).arm();

        assertRefused(ErrorCode.HOST_BUSY, this::withMine, NODE, "wait there for a confirmation");
    }

    @Test
    void recover_unknownNames_areRefused() {
        assertRefused(ErrorCode.UNKNOWN_NAME, withMine(how -> how.leaveOut("shop-nod-1")), "shop-nod-1", NODE);
        assertRefused(
                ErrorCode.UNKNOWN_NAME, withMine(how -> how.hostKey("other", "SHA256:" + "x".repeat(43))), "\"other\"");
    }

    @Test
    void planRecover_showsEverythingAndWritesNothing() {
        Map<String, List<String>> made = changes();

        RecoverReport plan = mesh().planRecover(this::withMine);

        assertThat(plan.written()).isFalse();
        assertThat(plan.hosts()).hasSize(3);
        assertThat(plan.toString())
                .contains(
                        "a recovery would write the state, with 3 hosts",
                        account.cloud.machine(NODE).hostKey().text(),
                        "makes a new one",
                        "next apply: nothing to do");
        assertThat(plan.toString().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
        assertThat(changes()).isEqualTo(made);
        assertThat(account.store.names("shop")).isEmpty();
        RecoverReport done = mesh().recover(plan);
        assertThat(done.written()).isTrue();
        assertThat(done.hosts()).isEqualTo(plan.hosts());
        assertRecovered();
    }

    @Test
    void recover_planWhoseHostShowsAnotherKeyNow_writesNothing() {
        RecoverReport plan = mesh().planRecover(this::withMine);
        account.cloud.machine(NODE).impostor();
        Map<String, List<String>> made = changes();

        assertThatThrownBy(() -> mesh().recover(plan))
                .hasMessageContaining("[PG-6003]")
                .hasMessageContaining(account.cloud.machine(NODE).hostKey().text());

        assertThat(changes()).isEqualTo(made);
        assertThat(account.store.names("shop")).isEmpty();
    }

    @Test
    void planRecover_problems_areAllThere() {
        account.cloud.machine(NODE).down(true);
        account.cloud.vanish(MONITOR);

        RecoverReport plan = mesh().planRecover(this::withMine);

        assertThat(plan.problems())
                .extracting(MeshProblem::code)
                .containsExactlyInAnyOrder(ErrorCode.CONNECT_FAILED, ErrorCode.RECOVERY_AMBIGUOUS);
        assertThat(plan.next()).isEmpty();
        assertThat(plan.toString()).contains("cannot be recovered yet", NODE, MONITOR);
    }

    @Test
    void recover_viewersAndProtection_areKnownAgain() {
        mesh().recover(how -> how.backup(copy));
        Mesh mesh = spec().viewer("anna", LAPTOP).protectHosts(true).build();
        mesh.apply();
        lose();

        mesh.recover(this::withMine);

        assertThat(account.state("shop").viewers()).isEqualTo(before.viewers()).containsKey("anna");
        assertThat(account.state("shop").protectedHosts())
                .isEqualTo(before.protectedHosts())
                .hasSize(3);
        assertThat(mesh.plan().isEmpty()).isTrue();
    }

    /** The login key was kept, and some hosts admit it, when the program was killed. */
    @Test
    void recover_afterAHostHadNotAdmittedTheNewKey_goesOn() {
        account.cloud.machine(OTHER).failAt("admit the mesh's own SSH login key");
        assertThatThrownBy(() -> mesh().recover(this::withMine))
                .hasMessageContaining("admit the mesh's own SSH login key");
        assertThat(account.store.load("shop")).isEmpty();
        account.cloud.machine(OTHER).failAt(null);

        RecoverReport report = mesh().recover(this::withMine);

        assertThat(report.newLoginKey()).isFalse();
        assertThat(report.admitting()).containsExactly(OTHER);
        assertRecovered();
    }

    @Test
    void recover_listener_hearsEachHostOnce() {
        EventLog log = new EventLog();

        spec().listener(log).build().recover(this::withMine);

        assertThat(log.events()).allSatisfy(event -> assertThat(event.verb()).isEqualTo(MeshEvent.Verb.RECOVER));
        assertThat(log.events())
                .filteredOn(event -> event.kind() == MeshEvent.Kind.STEP && event.state() == MeshEvent.State.DONE)
                .extracting(event -> event.host().orElse(""))
                .containsExactlyInAnyOrder(MONITOR, NODE, OTHER);
    }

    /** Clouds give a new host its address with the first look at it. */
    private void activate() {
        account.cloud.await("shop", Set.of("4"), Duration.ofSeconds(1));
    }

    @Test
    void hostKey_malformed_isRefusedWithTheHostAndTheValue() {
        assertThatThrownBy(() -> account.spec().build().planRecover(how -> how.hostKey("shop-node-1", "SHA256:short")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("host shop-node-1: not a host key fingerprint: \"SHA256:short\": use ");
    }
}
