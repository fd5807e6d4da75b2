package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Bodies.MESH_TAG;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.fault;
import static dev.promguard.digitalocean.Cloud.json;
import static dev.promguard.digitalocean.Cloud.none;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.tomakehurst.wiremock.http.Fault;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** DigitalOcean's own firewall in front of a mesh: made once, put right, removed, and never another's. */
class FirewallTest {
    private static final String ID = "bb4b2611-3d72-467b-8602-280330ecd65c";
    private static final String LIST = "GET /v2/firewalls?per_page=200&page=1";
    private static final String OURS =
            Bodies.firewall(ID, "promguard-shop", MESH_TAG, "198.51.100.7,203.0.113.0/24", 51820);

    @RegisterExtension
    final Cloud cloud = new Cloud();

    private DigitalOcean provider() {
        return cloud.builder().sshFrom("203.0.113.0/24", "198.51.100.7").build();
    }

    private Cloud found(String... firewalls) {
        return cloud.on("GET", "/v2/firewalls", ok(Bodies.list("firewalls", firewalls)));
    }

    private Cloud tagIsMade() {
        return cloud.on("POST", "/v2/tags", json(201, "{\"tag\":" + Bodies.tag(MESH_TAG, 0) + "}"));
    }

    @Test
    void protect_notAskedFor_asksNothing() {
        cloud.provider().ensureFirewall(MESH, Set.of(51820));

        assertThat(cloud.lines()).isEmpty();
    }

    @Test
    void plan_hostsWithPortsOfTheirOwn_admitsEach() throws Exception {
        found();

        assertThat(provider().planFirewall(MESH, Set.of(51999, 51820)))
                .containsExactly("make firewall promguard-shop: 22/tcp from 198.51.100.7, 203.0.113.0/24,"
                        + " 51820/udp and 51999/udp from anywhere");
    }

    @Test
    void protect_firstTime_makesTheTagAndTheFirewall() throws Exception {
        found();
        tagIsMade().on("POST", "/v2/firewalls", json(202, "{\"firewall\":" + OURS + "}"));

        assertThat(provider().ensureFirewall(MESH, Set.of(51820)))
                .containsExactly("make firewall promguard-shop: 22/tcp from 198.51.100.7, 203.0.113.0/24,"
                        + " 51820/udp from anywhere");

        assertThat(cloud.lines()).containsExactly(LIST, "POST /v2/tags", "POST /v2/firewalls");
        assertThat(new ObjectMapper()
                        .readTree(cloud.only("POST", "/v2/firewalls").getBodyAsString()))
                .isEqualTo(new ObjectMapper().readTree("""
                        {"name": "promguard-shop", "tags": ["promguard:mesh:shop"],
                         "inbound_rules": [
                           {"protocol": "tcp", "ports": "22", "sources": {"addresses": ["198.51.100.7", "203.0.113.0/24"]}},
                           {"protocol": "udp", "ports": "51820", "sources": {"addresses": ["0.0.0.0/0", "::/0"]}}],
                         "outbound_rules": [
                           {"protocol": "tcp", "ports": "all", "destinations": {"addresses": ["0.0.0.0/0", "::/0"]}},
                           {"protocol": "udp", "ports": "all", "destinations": {"addresses": ["0.0.0.0/0", "::/0"]}}]}"""));
    }

    @Test
    void protect_asDesiredAlready_changesNothing() {
        found(OURS);

        assertThat(provider().planFirewall(MESH, Set.of(51820))).isEmpty();
        assertThat(provider().ensureFirewall(MESH, Set.of(51820))).isEmpty();

        assertThat(cloud.lines()).containsExactly(LIST, LIST);
    }

    @Test
    void protect_otherRules_putsThemRight() {
        String other = Bodies.firewall(ID, "promguard-shop", MESH_TAG, "0.0.0.0/0", 51820);
        found(other).on("PUT", "/v2/firewalls/" + ID, ok("{\"firewall\":" + OURS + "}"));

        assertThat(provider().ensureFirewall(MESH, Set.of(51820)))
                .containsExactly("put firewall promguard-shop right: in -\"22/tcp 0.0.0.0/0\","
                        + " +\"22/tcp 198.51.100.7 203.0.113.0/24\"");

        assertThat(cloud.lines()).containsExactly(LIST, "PUT /v2/firewalls/" + ID);
    }

    @Test
    void unprotected_missingOrOtherRules_saysWhatProtectWouldDoAndOnlyLooks() {
        found(Bodies.firewall(ID, "promguard-shop", MESH_TAG, "0.0.0.0/0\\u001b[2J", 51820));

        assertThat(provider().planFirewall(MESH, Set.of(51820)))
                .singleElement()
                .asString()
                .startsWith("put firewall promguard-shop right: in -\"22/tcp 0.0.0.0/0?[2J\"");
        found();
        assertThat(provider().planFirewall(MESH, Set.of(51820)))
                .singleElement()
                .asString()
                .startsWith("make firewall promguard-shop: 22/tcp from 198.51.100.7");
        assertThat(cloud.lines()).containsExactly(LIST, LIST);
    }

    @Test
    void protect_rulesWithOtherSourcesBesideAddresses_putsThemRight() {
        String wider = OURS.replace(
                "{\"addresses\":[\"198.51.100.7\"", "{\"droplet_ids\":[8043964],\"addresses\":[\"198.51.100.7\"");
        assertThat(wider).isNotEqualTo(OURS);
        found(wider).on("PUT", "/v2/firewalls/" + ID, ok("{\"firewall\":" + OURS + "}"));

        provider().ensureFirewall(MESH, Set.of(51820));

        assertThat(cloud.lines()).containsExactly(LIST, "PUT /v2/firewalls/" + ID);
    }

    @Test
    void protect_lostAnswer_looksBeforeItMakesASecondOne() {
        cloud.on("GET", "/v2/firewalls", ok(Bodies.list("firewalls")), ok(Bodies.list("firewalls", OURS)));
        tagIsMade().on("POST", "/v2/firewalls", fault(Fault.EMPTY_RESPONSE));

        provider().ensureFirewall(MESH, Set.of(51820));

        assertThat(cloud.lines()).containsExactly(LIST, "POST /v2/tags", "POST /v2/firewalls", LIST);
    }

    @Test
    void protect_refused_saysWhy() {
        found();
        tagIsMade().on("POST", "/v2/firewalls", refusal(403, "forbidden", "not for you"));

        assertThat(failure(() -> provider().ensureFirewall(MESH, Set.of(51820))))
                .hasMessageContaining("not for you")
                .hasMessageContaining("read and write");
    }

    @Test
    void cleanUp_ownFirewallAndOthers_removesItsOwnAlone() {
        cloud.on("GET", "/v2/account/keys", ok(Bodies.list("ssh_keys")));
        cloud.on("GET", "/v2/tags", ok(Bodies.list("tags")));
        found(
                        OURS,
                        Bodies.firewall("x-1", "promguard-shop", "production", "0.0.0.0/0", 51820),
                        Bodies.firewall("x-2", "promguard-shop-2", "promguard:mesh:shop-2", "0.0.0.0/0", 51820))
                .on("DELETE", "/v2/firewalls/" + ID, none());

        cloud.provider().cleanUp(MESH, Optional.empty());

        assertThat(cloud.lines())
                .filteredOn(line -> line.startsWith("DELETE"))
                .containsExactly("DELETE /v2/firewalls/" + ID);
    }

    @Test
    void cleanUp_tokenThatMayNotSeeFirewalls_goesOnUnlessOneWasAskedFor() {
        cloud.on("GET", "/v2/account/keys", ok(Bodies.list("ssh_keys")));
        cloud.on("GET", "/v2/tags", ok(Bodies.list("tags")))
                .on("GET", "/v2/firewalls", refusal(403, "forbidden", "not for you"));

        cloud.provider().cleanUp(MESH, Optional.empty());

        assertThat(failure(() -> provider().cleanUp(MESH, Optional.empty()))).hasMessageContaining("not for you");
    }
}
