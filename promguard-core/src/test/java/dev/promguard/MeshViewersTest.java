package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.memory.MemoryMachine;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.spec.X509EncodedKeySpec;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import javax.crypto.KeyAgreement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** People reach Prometheus on the monitors, and nothing else, as long as the spec says. */
class MeshViewersTest {
    private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
    private static final PublicKey ANNA = SpecFile.publicKey("anna-laptop");
    private static final PublicKey BOB = SpecFile.publicKey("bob-phone");

    private final Account account = new Account();

    private static Clock at(Instant time) {
        return Clock.fixed(time, ZoneOffset.UTC);
    }

    private MeshBuilder spec() {
        return account.spec().clock(at(NOW));
    }

    private List<List<String>> changesOfNodes() {
        return account.cloud.names().stream()
                .filter(name -> !name.contains("monitor"))
                .map(name -> List.copyOf(account.cloud.machine(name).changes()))
                .toList();
    }

    private MemoryMachine monitor() {
        return account.cloud.machine("shop-monitor-1");
    }

    private Set<PublicKey> peers() {
        return Set.copyOf(monitor().peers().keySet());
    }

    private static List<String> texts(Plan plan) {
        return plan.entries().stream()
                .flatMap(entry -> entry.changes().stream())
                .map(PlannedChange::text)
                .toList();
    }

    private static List<String> addresses(Blueprint blueprint) {
        return blueprint.viewers().stream()
                .map(viewer -> viewer.name() + " " + viewer.address())
                .toList();
    }

    /** Nothing is wrong on the hosts; Prometheus itself is not there in memory. */
    private static void assertVerified(Mesh mesh) {
        assertThat(mesh.verify().failures())
                .extracting(VerifyReport.Check::kind)
                .as("failed checks")
                .containsOnly(CheckKind.PROMETHEUS_ANSWERS);
    }

    @Test
    void viewer_addedToARunningMesh_changesTheMonitorAloneAndRestartsNothing() {
        spec().nodes(5).apply();
        List<List<String>> nodes = changesOfNodes();
        Mesh mesh = spec().nodes(5).viewer("anna-laptop", ANNA).build();

        Plan plan = mesh.plan();
        assertThat(plan.entries().stream().filter(entry -> entry.kind() != Plan.Kind.KEEP))
                .extracting(Plan.Entry::name)
                .containsExactly("shop-monitor-1");
        assertThat(texts(plan))
                .contains("let in viewer anna-laptop (10.0.0.254), to Prometheus alone")
                .noneMatch(text -> text.contains("restart"));
        mesh.apply(plan);

        assertThat(changesOfNodes()).isEqualTo(nodes);
        assertThat(peers()).contains(ANNA).hasSize(6);
        assertThat(monitor().closedPorts("10.0.0.1"))
                .containsExactlyInAnyOrder("closed 9100", "admitted 9090 10.0.0.254", "closed 9090", "shut 10.0.0.254");
        account.assertUpToDate(mesh);
        assertVerified(mesh);
    }

    @Test
    void viewer_removed_leavesTheMonitorAsItWas() {
        spec().apply();
        Set<PublicKey> before = peers();
        Mesh mesh = spec().viewer("anna-laptop", ANNA).viewer("bob-phone", BOB).build();
        mesh.apply();
        List<List<String>> nodes = changesOfNodes();

        Mesh without = mesh.toBuilder()
                .withoutViewer("anna-laptop")
                .withoutViewer("bob-phone")
                .build();
        assertThat(texts(without.plan()))
                .contains(
                        "shut out viewer anna-laptop: the spec does not name it any more",
                        "remove promguard-viewers.socket",
                        "remove promguard-viewers.service")
                .noneMatch(text -> text.contains("restart"));
        assertThat(without.verify().failures())
                .filteredOn(check -> check.kind() == CheckKind.GUARDED_PORTS_ON_WIREGUARD_ONLY)
                .singleElement()
                .satisfies(check -> assertThat(check.remedy()).isEqualTo("Run apply."));
        assertThat(without.verify().failures())
                .anySatisfy(check -> assertThat(check.observed())
                        .contains("viewer anna-laptop: the spec does not name it any more"));
        without.apply();

        assertThat(peers()).isEqualTo(before);
        assertThat(monitor().closedPorts("10.0.0.1")).containsExactly("closed 9100");
        assertThat(changesOfNodes()).isEqualTo(nodes);
        assertThat(account.state("shop").viewers()).isEmpty();
        account.assertUpToDate(without);
        assertVerified(without);
    }

    @Test
    void until_withoutTheDefaultRules_isSaidToBeAnnouncedByNoAlert() {
        spec().apply();
        MeshBuilder quiet = spec().prometheus(prometheus -> prometheus.defaultRules(false));

        Mesh ending = quiet.viewer("anna-laptop", ANNA, viewer -> viewer.until(NOW.plusSeconds(60)))
                .viewer("bob-phone", BOB)
                .build();

        assertThat(texts(ending.plan()))
                .contains(
                        "let in viewer anna-laptop (10.0.0.254, until 2026-06-01T12:01:00Z, which no alert announces), to Prometheus alone",
                        "let in viewer bob-phone (10.0.0.253), to Prometheus alone");
        ending.apply();
        account.assertUpToDate(ending);
        assertVerified(ending);
    }

    @Test
    void until_timePassed_isSaidByPlanAndVerifyAndEnforcedByTheNextApply() {
        Mesh mesh = spec().viewer("anna-laptop", ANNA, viewer -> viewer.until(NOW.plusSeconds(60)))
                .build();
        assertThat(mesh.plan().toString()).contains("anna-laptop (10.0.0.254, until 2026-06-01T12:01:00Z)");
        mesh.apply();
        account.assertUpToDate(mesh);
        Mesh later = mesh.toBuilder().clock(at(NOW.plusSeconds(60))).build();

        Plan plan = later.plan();
        assertThat(texts(plan)).contains("shut out viewer anna-laptop: it expired on 2026-06-01T12:01:00Z");
        assertThat(later.verify().failures())
                .filteredOn(check -> check.kind() != CheckKind.PROMETHEUS_ANSWERS)
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.kind()).isEqualTo(CheckKind.HOST_UP_TO_DATE);
                    assertThat(check.observed())
                            .isEqualTo(
                                    "not applied yet: viewer anna-laptop expired on 2026-06-01T12:01:00Z and is still let in");
                    assertThat(check.remedy()).isEqualTo("Run apply.");
                });
        assertThatThrownBy(() -> later.viewerConfig("anna-laptop"))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("expired on 2026-06-01T12:01:00Z")
                .hasMessageContaining("[PG-2014]");
        later.apply(plan);

        assertThat(peers()).doesNotContain(ANNA);
        account.assertUpToDate(later);
        assertVerified(later);
    }

    @Test
    void until_timePassedBeforeTheFirstApply_isSaidByThePlan() {
        String note =
                "(viewer anna-laptop expired on 2026-06-01T12:00:00Z, so it is not let in: give it another until(…), or leave"
                        + " it out of the spec)";
        Mesh mesh =
                spec().viewer("anna-laptop", ANNA, viewer -> viewer.until(NOW)).build();
        assertThat(mesh.plan().toString()).contains(note);

        mesh.apply();

        assertThat(mesh.plan().toString()).contains(note);
        assertThat(peers()).doesNotContain(ANNA);
        account.assertUpToDate(mesh);
        assertVerified(mesh);
    }

    /** Points of small order: 0, 1, p - 1, p, and one of those of order 8. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                "7P///////////////////////////////////////38=",
                "7f///////////////////////////////////////38=",
                "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA="
            })
    void viewer_keyOfNoPrivateKey_isRefused(String key) throws GeneralSecurityException {
        byte[] bytes = Base64.getDecoder().decode(key);
        byte[] der = HexFormat.of()
                .parseHex("302a300506032b656e032100" + HexFormat.of().formatHex(bytes));
        KeyAgreement agreement = KeyAgreement.getInstance("X25519");
        agreement.init(KeyPairGenerator.getInstance("X25519").generateKeyPair().getPrivate());
        java.security.PublicKey point = KeyFactory.getInstance("X25519").generatePublic(new X509EncodedKeySpec(der));
        assertThatThrownBy(() -> agreement.doPhase(point, true)).isInstanceOf(InvalidKeyException.class);

        assertThatThrownBy(() -> spec().viewer("anna-laptop", new PublicKey(key)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("of viewer \"anna-laptop\" belongs to no private key")
                .hasMessageContaining("[PG-1007]");
    }

    /** A plan that was reviewed before does not let in whose time has passed since. */
    @Test
    void apply_planFromBeforeTheEnd_isOutdated() {
        spec().apply();
        Mesh mesh = spec().viewer("anna-laptop", ANNA, viewer -> viewer.until(NOW.plusSeconds(60)))
                .build();
        Plan plan = mesh.plan();

        Mesh later = mesh.toBuilder().clock(at(NOW.plusSeconds(61))).build();

        assertThatThrownBy(() -> later.apply(plan)).isInstanceOf(PlanOutdatedException.class);
        assertThat(peers()).doesNotContain(ANNA);
    }

    @Test
    void viewers_othersAddedAndRemoved_keepTheirAddresses() {
        Mesh mesh = spec().viewer("anna-laptop", ANNA).viewer("bob-phone", BOB).build();
        assertThat(addresses(mesh.blueprint())).containsExactly("anna-laptop 10.0.0.254", "bob-phone 10.0.0.253");
        mesh.apply();

        Mesh without = mesh.toBuilder().withoutViewer("anna-laptop").build();
        assertThat(addresses(without.plan().blueprint())).containsExactly("bob-phone 10.0.0.253");
        without.apply();
        Mesh other =
                without.toBuilder().viewer("carl", SpecFile.publicKey("carl")).build();
        assertThat(addresses(other.plan().blueprint())).containsExactly("bob-phone 10.0.0.253", "carl 10.0.0.254");
    }

    @Test
    void viewer_withANewKey_replacesThePeer() {
        Mesh mesh = spec().viewer("anna-laptop", ANNA).build();
        mesh.apply();
        Mesh changed = mesh.toBuilder().viewer("anna-laptop", BOB).build();

        assertThat(texts(changed.plan()))
                .contains("shut out viewer anna-laptop: that is not its key any more")
                .contains("let in viewer anna-laptop (10.0.0.254), to Prometheus alone");
        assertThatThrownBy(() -> changed.viewerConfig("anna-laptop")).hasMessageContaining("[PG-2014]");
        changed.apply();

        assertThat(peers()).contains(BOB).doesNotContain(ANNA);
        account.assertUpToDate(changed);
    }

    @Test
    void rotateKeys_withViewers_leavesTheirs() {
        Mesh mesh = spec().viewer("anna-laptop", ANNA).build();
        mesh.apply();

        mesh.rotateKeys();

        assertThat(peers()).contains(ANNA);
        account.assertUpToDate(mesh);
    }

    @Test
    void keyOfAHost_asAViewers_isRefused() {
        spec().apply();
        PublicKey node = account.state("shop", "shop-node-1").publicKey().orElseThrow();

        account.assertRefused(
                "PG-1001",
                () -> spec().viewer("anna-laptop", node).apply(),
                "viewer anna-laptop has the WireGuard key of host shop-node-1");
    }

    @Test
    void build_namesAndKeysThatClash_namesEach() {
        assertThatThrownBy(() -> spec().viewer("shop-node-1", ANNA).build())
                .hasMessageContaining("viewer name \"shop-node-1\" is also a host's");
        assertThatThrownBy(() -> spec().viewer("anna", ANNA).viewer("bob", ANNA).build())
                .hasMessageContaining("viewers \"anna\" and \"bob\" have the same public key");
        assertThatThrownBy(() -> spec().viewer("Anna's laptop", ANNA))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("viewer name \"Anna's laptop\" is not valid");
        assertThatThrownBy(() -> spec().withoutViewer("anna"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("viewer \"anna\" does not exist: there is none");
        assertThatThrownBy(() -> spec().network("10.0.0.0/29")
                        .nodes(5)
                        .viewer("anna", ANNA)
                        .build())
                .hasMessageContaining("it has addresses for 6 hosts, and the mesh has 6 and 1 viewer");
    }

    /** From the highest address down: hosts begin at the lowest. */
    @ParameterizedTest
    @CsvSource({"10.0.0.0/24,10.0.0.254", "10.0.0.0/30,10.0.0.2", "fd00:44::/64,fd00:44::ffff:ffff:ffff:ffff"})
    void blueprint_anyNetwork_givesTheHighestAddress(String network, String address) {
        Blueprint blueprint =
                spec().network(network).nodes(0).viewer("anna", ANNA).blueprint();

        assertThat(addresses(blueprint)).containsExactly("anna " + address);
        assertThat(blueprint.monitors().get(0).firewall())
                .extracting(FirewallRule::describe)
                .contains("9090/tcp on wg0 from " + address);
        assertThat(blueprint.nodes())
                .allSatisfy(node -> assertThat(node.firewall()).noneMatch(rule -> rule.port() == 9090));
    }

    @Test
    void hash_specWithoutViewers_isAsBeforeThereWereAny() {
        Mesh mesh = spec().viewer("anna", ANNA).build();

        assertThat(mesh.toBuilder().withoutViewer("anna").blueprint().spec().hash())
                .isEqualTo(spec().blueprint().spec().hash())
                .isNotEqualTo(mesh.blueprint().spec().hash());
        assertThat(mesh.toBuilder()
                        .viewer("anna", ANNA, viewer -> viewer.until(NOW))
                        .blueprint()
                        .spec()
                        .hash())
                .isNotEqualTo(mesh.blueprint().spec().hash());
    }

    @Test
    void manyViewers_twoMonitors_areInEachOfThem() {
        MeshBuilder builder = spec().addMonitor("fra1");
        IntStream.range(0, 20).forEach(n -> builder.viewer("v" + n, SpecFile.publicKey("v" + n)));
        Mesh mesh = builder.build();

        mesh.apply();

        for (String monitor : List.of("shop-monitor-1", "shop-monitor-2")) {
            assertThat(account.cloud.machine(monitor).peers()).hasSize(23);
        }
        account.assertUpToDate(mesh);
        assertVerified(mesh);
        assertThat(mesh.blueprint().toSvg()).contains("and 16 more viewers");
    }

    @Test
    void prometheus_everyMesh_runsWithoutLifecycleAndAdminApi() {
        for (MeshBuilder each : List.of(spec(), spec().viewer("anna", ANNA))) {
            Map<String, String> files = new dev.promguard.host.Renderer()
                    .preview(each.blueprint())
                    .getOrDefault("shop-monitor-1", Map.of());
            assertThat(files.get("/etc/systemd/system/prometheus.service"))
                    .contains("--web.listen-address=127.0.0.1:9090")
                    .doesNotContain("--web.enable");
        }
    }

    @Test
    void monitorBehindNat_keepsTheWayOpenToHostsAlone() {
        Map<String, String> files = new dev.promguard.host.Renderer()
                .preview(spec().monitor(host -> host.behindNat(true))
                        .viewer("anna", ANNA)
                        .blueprint())
                .getOrDefault("shop-monitor-1", Map.of());

        String config = files.getOrDefault("/etc/wireguard/wg0.conf", "");
        List<String> sections = new ArrayList<>(List.of(config.split("\\[Peer]", -1)));
        assertThat(sections).hasSize(4);
        assertThat(sections.get(1)).contains("PersistentKeepalive = 25");
        assertThat(sections.get(3))
                .contains("# anna\n", "AllowedIPs = 10.0.0.254/32")
                .doesNotContain("Keepalive", "Endpoint", "Preshared");
    }

    @Test
    void viewerConfig_appliedViewer_hasItsAddressAndTheMonitors() {
        try (WireGuardKeyPair keys = WireGuardKeyPair.generate()) {
            Mesh mesh = spec().monitor(host -> host.endpoint("198.51.100.7"))
                    .addMonitor(host -> host.wireGuardPort(51999).endpoint("2001:db8::7"))
                    .viewer("anna-laptop", keys.publicKey())
                    .build();
            mesh.apply();
            String one = account.state("shop", "shop-monitor-1")
                    .publicKey()
                    .orElseThrow()
                    .base64();
            String two = account.state("shop", "shop-monitor-2")
                    .publicKey()
                    .orElseThrow()
                    .base64();

            ViewerConfig config = mesh.viewerConfig("anna-laptop");

            assertThat(config.text()).isEqualTo("""
                    # anna-laptop as a viewer of mesh shop, by PromGuard. Once the tunnel is up, Prometheus answers at
                    # http://10.0.0.1:9090/
                    # http://10.0.0.2:9090/
                    [Interface]
                    # The private key of this machine belongs in the next line, without the #. It stays here: nobody else needs it.
                    # PrivateKey =
                    Address = 10.0.0.254/32

                    [Peer]
                    # shop-monitor-1
                    PublicKey = %s
                    Endpoint = 198.51.100.7:51820
                    AllowedIPs = 10.0.0.1/32
                    PersistentKeepalive = 25

                    [Peer]
                    # shop-monitor-2
                    PublicKey = %s
                    Endpoint = [2001:db8::7]:51999
                    AllowedIPs = 10.0.0.2/32
                    PersistentKeepalive = 25
                    """.formatted(one, two));
            String key = keys.privateKey().useText(text -> text);
            ViewerConfig whole = config.withPrivateKey(keys.privateKey());
            assertThat(whole.text()).contains("[Interface]\nPrivateKey = " + key + "\nAddress = 10.0.0.254/32\n");
            assertThat(whole).hasToString("ViewerConfig[anna-laptop in mesh shop, with its private key]");
            assertThat(account.state("shop").toString() + mesh + mesh.plan() + mesh.verify() + config.text())
                    .doesNotContain(key);
        }
    }

    @Test
    void viewerConfig_withoutAViewerOrAnApply_saysWhatToDo() {
        assertThatThrownBy(() -> spec().build().viewerConfig("anna"))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("viewer \"anna\" does not exist: there is none")
                .hasMessageContaining("[PG-1002]");
        Mesh mesh = spec().viewer("anna-laptop", ANNA).build();
        assertThatThrownBy(() -> mesh.viewerConfig("ana-laptop"))
                .hasMessageContaining("viewer \"ana-laptop\" does not exist: use one of the nearest, anna-laptop");
        assertThatThrownBy(() -> mesh.viewerConfig("anna-laptop"))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("[PG-2005]");
        spec().apply();
        assertThatThrownBy(() -> mesh.viewerConfig("anna-laptop"))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("viewer anna-laptop is not let in yet. Run apply first.")
                .hasMessageContaining("[PG-2014]");
        mesh.only("shop-node-1").apply();
        assertThatThrownBy(() -> mesh.viewerConfig("anna-laptop")).hasMessageContaining("[PG-2014]");
    }

    @Test
    void viewerConfig_noMonitorThatCanBeReached_isRefused() {
        Mesh mesh = spec().monitor(host -> host.behindNat(true))
                .viewer("anna-laptop", ANNA)
                .build();
        mesh.apply();

        assertThatThrownBy(() -> mesh.viewerConfig("anna-laptop"))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("cannot reach a monitor")
                .hasMessageContaining("[PG-4009]");
    }

    @Test
    void withPrivateKey_ofSomebodyElse_isRefusedWithoutSayingIt() {
        Mesh mesh = spec().monitor(host -> host.endpoint("198.51.100.7"))
                .viewer("anna-laptop", ANNA)
                .build();
        mesh.apply();
        ViewerConfig config = mesh.viewerConfig("anna-laptop");

        try (WireGuardKeyPair other = WireGuardKeyPair.generate();
                Secret noKey = Secret.of("not-a-key-at-all")) {
            assertThatThrownBy(() -> config.withPrivateKey(other.privateKey()))
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageContaining("does not belong to viewer anna-laptop")
                    .hasMessageNotContaining(other.privateKey().useText(text -> text));
            assertThatThrownBy(() -> config.withPrivateKey(noKey))
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageContaining("not a WireGuard private key")
                    .hasMessageNotContaining("not-a-key-at-all")
                    .hasNoCause();
        }
        assertThatThrownBy(config::toQrText).hasMessageContaining("call withPrivateKey(…) first");
    }
}
