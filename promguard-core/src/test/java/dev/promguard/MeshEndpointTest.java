package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.Renderer;
import dev.promguard.keys.PublicKey;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where peers reach a host's WireGuard, and what a host does that they cannot reach. */
class MeshEndpointTest {
    private static final String KEEPALIVE = "PersistentKeepalive = 25";

    /** The lines on endpoints and keepalives in the configuration of the monitor and of the node db. */
    private static List<List<String>> configs(String publicAddress, Consumer<HostBuilder> node) {
        var blueprint = Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .node("db", node)
                .node("web")
                .blueprint();
        Map<String, PublicKey> keys = new HashMap<>();
        blueprint.hosts().forEach(host -> keys.put(host.name(), SpecFile.publicKey(host.name())));
        Map<String, String> addresses = Map.of("mon", "203.0.113.1", "db", publicAddress, "web", "203.0.113.3");
        return List.of("mon", "db").stream()
                .map(name -> new Renderer()
                        .render(blueprint, name, addresses, keys)
                        .wireGuard()
                        .config()
                        .content()
                        .lines()
                        .filter(line -> line.startsWith("Endpoint") || line.startsWith("Persistent"))
                        .toList())
                .toList();
    }

    @Test
    void render_hostWithAPublicAddress_isThePeersEndpointAndSendsNoKeepalive() {
        assertThat(configs("203.0.113.2", host -> {}))
                .containsExactly(
                        List.of("Endpoint = 203.0.113.2:51820", "Endpoint = 203.0.113.3:51820"),
                        List.of("Endpoint = 203.0.113.1:51820"));
    }

    @Test
    void render_hostWithAnEndpoint_isReachedThere() {
        assertThat(configs("203.0.113.2", host -> host.endpoint("198.51.100.7", 51821)))
                .containsExactly(
                        List.of("Endpoint = 198.51.100.7:51821", "Endpoint = 203.0.113.3:51820"),
                        List.of("Endpoint = 203.0.113.1:51820"));
        assertThat(configs("203.0.113.2", host -> host.endpoint("2001:db8::7")).get(0))
                .contains("Endpoint = [2001:db8::7]:51820");
        assertThat(configs("203.0.113.2", host -> host.endpoint("db.example")).get(0))
                .contains("Endpoint = db.example:51820");
    }

    @Test
    void render_hostWithAPortOfItsOwn_listensAndIsReachedThere() {
        assertThat(configs("203.0.113.2", host -> host.wireGuardPort(51999)).get(0))
                .containsExactly("Endpoint = 203.0.113.2:51999", "Endpoint = 203.0.113.3:51820");
        assertThat(configs("203.0.113.2", host -> host.wireGuardPort(51999).endpoint("198.51.100.7"))
                        .get(0))
                .contains("Endpoint = 198.51.100.7:51999");
        assertThat(configs(
                                "203.0.113.2",
                                host -> host.endpoint("198.51.100.7", 7).wireGuardPort(51999))
                        .get(0))
                .contains("Endpoint = 198.51.100.7:7");

        Blueprint blueprint = Mesh.builder()
                .namedMonitor("mon")
                .node("db", host -> host.wireGuardPort(51999))
                .blueprint();
        assertThat(Objects.requireNonNull(new Renderer().preview(blueprint).get("db"))
                        .get("/etc/wireguard/wg0.conf"))
                .contains("\nListenPort = 51999\n");
        assertThat(blueprint.host("db").firewall().toString()).contains("51999").doesNotContain("51820");
        assertThat(blueprint.host("mon").firewall().toString())
                .contains("51820")
                .doesNotContain("51999");
        assertThat(blueprint.spec().wireGuardPorts()).containsExactly(51820, 51999);
        assertThat(blueprint.toString()).contains("WireGuard listens on 51999/udp there");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 22, 65_536})
    void wireGuardPort_ofAHostOutOfRange_isRefusedAtOnce(int port) {
        assertThatThrownBy(() -> Mesh.builder().node("db", host -> host.wireGuardPort(port)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("wireGuardPort " + port + " of node \"db\"");
    }

    @Test
    void render_hostBehindNat_keepsTheWayBackOpenAndIsNoEndpoint() {
        assertThat(configs("203.0.113.2", host -> host.behindNat(true)))
                .containsExactly(
                        List.of("Endpoint = 203.0.113.3:51820"), List.of("Endpoint = 203.0.113.1:51820", KEEPALIVE));
    }

    @Test
    void render_hostBehindNatWithAForwardedPort_isReachedThereToo() {
        assertThat(configs("203.0.113.2", host -> host.behindNat(true).endpoint("198.51.100.7", 51821)))
                .containsExactly(
                        List.of("Endpoint = 198.51.100.7:51821", "Endpoint = 203.0.113.3:51820"),
                        List.of("Endpoint = 203.0.113.1:51820", KEEPALIVE));
    }

    /** PromGuard reaches such a host by a forwarded port of the machine that it runs on. */
    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.1.2.3", "localhost", "::1", "169.254.1.1", "fe80::1"})
    void render_publicAddressThatPeersCannotReach_isNoEndpoint(String address) {
        assertThat(configs(address, host -> {}))
                .containsExactly(
                        List.of("Endpoint = 203.0.113.3:51820"), List.of("Endpoint = 203.0.113.1:51820", KEEPALIVE));
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, a loopback",
        "127.8.8.8, a loopback",
        "::1, a loopback",
        "224.0.0.1, a multicast",
        "239.255.255.250, a multicast",
        "ff02::1, a multicast",
        "0.0.0.0, an unspecified",
        "::, an unspecified",
        "169.254.7.7, a link-local",
        "fe80::7, a link-local",
        "255.255.255.255, a broadcast"
    })
    void endpoint_addressThatNoPeerCanReach_isRefused(String address, String kind) {
        assertThatThrownBy(() -> configs("203.0.113.2", host -> host.endpoint(address)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessage("endpoint \"" + address + "\" of node \"db\" is " + kind
                        + " address, which no other host can reach: use one that the peers can [PG-1007]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "localhost",
                "a b",
                "203.0.113.7:51820",
                "[2001:db8::7]",
                "300.1.1.1",
                "1.2.3",
                "-a",
                "a\nb"
            })
    void endpoint_malformedAddress_isRefused(String address) {
        assertThatThrownBy(() -> configs("203.0.113.2", host -> host.endpoint(address)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("is not a valid address");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 65_536})
    void endpoint_malformedPort_isRefused(int port) {
        assertThatThrownBy(() -> configs("203.0.113.2", host -> host.endpoint("203.0.113.7", port)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("use 1 to 65535");
    }

    @Test
    void build_bothEndsOfATunnelBehindNat_isRefusedUnlessOneHasAnEndpoint() {
        MeshBuilder mesh = Mesh.builder()
                .name("shop")
                .namedMonitor("mon", host -> host.behindNat(true))
                .node("db", host -> host.behindNat(true))
                .node("web");

        assertThatThrownBy(mesh::blueprint)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("node \"db\" and monitor \"mon\" are both behind NAT")
                .hasMessageNotContaining("web");
        assertThat(mesh.editHost("mon", host -> host.endpoint("198.51.100.7", 51821))
                        .blueprint()
                        .hosts())
                .hasSize(3);
    }
}
