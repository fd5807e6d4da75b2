package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.html;
import static dev.promguard.digitalocean.Cloud.json;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.spi.CloudHost;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Droplets that are off, archived, locked, late, or have only an IPv6 address, and the action that powers one on. */
class DropletStatesTest {
    private static final String MESH = "shop";
    private static final String BY_MESH = "/v2/droplets?tag_name=promguard%3Amesh%3Ashop";
    private static final String ONE = "/v2/droplets/11";
    private static final String ACTIONS = "/v2/droplets/11/actions";
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String IPV6 =
            "\"v6\":[{\"ip_address\":\"2001:db8::7\",\"netmask\":64,\"gateway\":\"2001:db8::1\",\"type\":\"public\"}]";

    @RegisterExtension
    final Cloud cloud = new Cloud();

    private static String droplet(String status, boolean locked, Instant created, boolean ipv6) {
        return Bodies.droplet(11, "a", status, "", "promguard:mesh:shop")
                .replace("\"locked\":false", "\"locked\":" + locked)
                .replace("2026-11-23T10:00:00Z", created.toString())
                .replace("\"v6\":[]", ipv6 ? IPV6 : "\"v6\":[]");
    }

    private static String one(String droplet) {
        return "{\"droplet\":" + droplet + "}";
    }

    private static Instant ago(long minutes) {
        return Instant.now().minus(minutes, ChronoUnit.MINUTES).truncatedTo(ChronoUnit.SECONDS);
    }

    private CloudHost listed(String droplet) {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(droplet)))
                .on(
                        "GET",
                        "/v2/account",
                        ok(Bodies.account(25, "active"))
                                .withHeader(
                                        "date",
                                        DateTimeFormatter.RFC_1123_DATE_TIME.format(
                                                Instant.now().atZone(ZoneOffset.UTC))));
        return cloud.provider().list(MESH).get(0);
    }

    @Test
    void list_archived_isArchived() {
        assertThat(listed(droplet("archive", false, ago(60), false)).status()).isEqualTo(CloudHost.Status.ARCHIVED);
    }

    @Test
    void list_offAndLocked_isBothAndTheClockIsNotAsked() {
        CloudHost host = listed(droplet("off", true, ago(60), false));

        assertThat(host.status()).isEqualTo(CloudHost.Status.OFF);
        assertThat(host.locked()).isTrue();
        assertThat(cloud.count("GET /v2/account")).isZero();
    }

    @Test
    void list_newForLong_isNoLongerYoung() {
        assertThat(listed(droplet("new", true, ago(60), false)).young()).isFalse();
    }

    @Test
    void list_newLately_isYoung() {
        assertThat(listed(droplet("new", true, ago(1), false)).young()).isTrue();
    }

    @Test
    void list_youngWithIpv6Alone_givesNoAddressYet() {
        CloudHost host = listed(droplet("active", false, ago(0), true));

        assertThat(host.publicAddress()).isEmpty();
        assertThat(host.isReady()).isFalse();
    }

    @Test
    void list_oldWithIpv6Alone_givesThat() {
        assertThat(listed(droplet("active", false, ago(60), true)).publicAddress())
                .contains("2001:db8::7");
    }

    @Test
    void await_ipv6BeforeIpv4_waitsForIpv4() {
        cloud.on(
                "GET",
                BY_MESH,
                ok(Bodies.droplets(droplet("active", false, ago(0), true))),
                ok(Bodies.droplets(droplet("active", false, ago(0), true))),
                ok(Bodies.droplets(Bodies.active(11, "a"))));

        assertThat(cloud.provider().await(MESH, Set.of("11"), LONG).ready())
                .singleElement()
                .satisfies(
                        host -> assertThat(host.publicAddress().orElseThrow()).doesNotContain(":"));
    }

    private static String action(String status) {
        return "{\"action\":" + Bodies.action(36804636, "power_on", status) + "}";
    }

    @Test
    void powerOn_off_isSentOnceAndWaitedFor() {
        String off = droplet("off", false, ago(60), false);
        cloud.on("GET", ONE, ok(one(off)), ok(one(off)), ok(one(Bodies.active(11, "a"))))
                .on("POST", ACTIONS, json(201, action("in-progress")))
                .on("GET", ACTIONS + "/36804636", ok(action("in-progress")));

        cloud.provider().powerOn(MESH, "11", LONG);

        assertThat(cloud.count("POST " + ACTIONS)).isEqualTo(1);
        assertThat(cloud.only("POST", ACTIONS).getBodyAsString()).isEqualTo("{\"type\":\"power_on\"}");
    }

    @Test
    void powerOn_runs_sendsNothing() {
        cloud.on("GET", ONE, ok(one(Bodies.active(11, "a"))));

        cloud.provider().powerOn(MESH, "11", LONG);

        assertThat(cloud.lines()).containsExactly("GET " + ONE);
    }

    @Test
    void powerOn_lostAnswerThenPending_goesOnUntilItRuns() {
        String off = droplet("off", true, ago(60), false);
        cloud.on("GET", ONE, ok(one(off)), ok(one(off)), ok(one(off)), ok(one(Bodies.active(11, "a"))))
                .on(
                        "POST",
                        ACTIONS,
                        html(502),
                        refusal(422, "unprocessable_entity", "Droplet already has a pending event."));

        cloud.provider().powerOn(MESH, "11", LONG);

        assertThat(cloud.count("POST " + ACTIONS)).isEqualTo(3);
    }

    @Test
    void powerOn_actionFails_saysSo() {
        String off = droplet("off", false, ago(60), false);
        cloud.on("GET", ONE, ok(one(off)))
                .on("POST", ACTIONS, json(201, action("in-progress")))
                .on("GET", ACTIONS + "/36804636", ok(action("errored")));

        assertThat(failure(() -> cloud.provider().powerOn(MESH, "11", LONG)))
                .hasMessageContaining("power_on")
                .hasMessageContaining("has failed there");
    }

    @Test
    void powerOn_dropletOfAnotherMesh_isRefused() {
        cloud.on("GET", ONE, ok(one(Bodies.active(11, "a").replace("promguard:mesh:shop", "promguard:mesh:bank"))));

        assertThat(failure(() -> cloud.provider().powerOn(MESH, "11", LONG))).hasMessageContaining("no droplet 11");
    }

    @Test
    void powerOn_neverRuns_endsInTimeAndSaysWhatItIs() {
        cloud.on("GET", ONE, ok(one(droplet("off", false, ago(60), false))))
                .on("POST", ACTIONS, json(201, action("in-progress")))
                .on("GET", ACTIONS + "/36804636", ok(action("completed")));

        assertThat(failure(() -> cloud.provider().powerOn(MESH, "11", Duration.ofMillis(50))))
                .hasMessageContaining("has not followed power_on")
                .hasMessageContaining("\"off\"");
    }

    private void sizes() {
        cloud.on(
                "GET",
                "/v2/sizes",
                ok(Bodies.list(
                        "sizes",
                        Bodies.size("s-2vcpu-4gb", true, 80, "24", "0.03571", "tor1"),
                        Bodies.size("s-small", true, 10, "4", "0.00595", "tor1"),
                        Bodies.size("s-far", true, 80, "24", "0.03571", "fra1"),
                        Bodies.size("s-old", false, 80, "24", "0.03571", "tor1"))));
    }

    @Test
    void resize_sizeThatDoesNotFit_isRefusedBeforeAnythingIsDone() {
        sizes();
        cloud.on("GET", ONE, ok(one(Bodies.active(11, "a"))));

        assertThat(failure(() -> cloud.provider().resize(MESH, "11", "s-small", LONG)))
                .hasMessageContaining("a disk of 25 GB cannot shrink")
                .hasMessageContaining("[PG-3011]");
        assertThat(failure(() -> cloud.provider().resize(MESH, "11", "s-far", LONG)))
                .hasMessageContaining("not offered in tor1");
        assertThat(failure(() -> cloud.provider().resize(MESH, "11", "s-old", LONG)))
                .hasMessageContaining("does not offer");
        assertThat(failure(() -> cloud.provider().resize(MESH, "11", "s-none", LONG)))
                .hasMessageContaining("does not offer");
        assertThat(cloud.lines()).noneMatch(line -> line.startsWith("POST"));
    }

    @Test
    void resize_fits_shutsDownResizesWithoutDiskAndPowersOn() {
        String on = Bodies.active(11, "a");
        String off = on.replace("\"active\"", "\"off\"");
        String large = off.replace("\"size_slug\":\"s-1vcpu-1gb\"", "\"size_slug\":\"s-2vcpu-4gb\"");
        String done = large.replace("\"off\"", "\"active\"");
        sizes();
        cloud.on(
                        "GET",
                        ONE,
                        ok(one(on)),
                        ok(one(on)),
                        ok(one(off)),
                        ok(one(off)),
                        ok(one(large)),
                        ok(one(large)),
                        ok(one(done)))
                .on("POST", ACTIONS, json(201, action("in-progress")))
                .on("GET", ACTIONS + "/36804636", ok(action("in-progress")));

        cloud.provider().resize(MESH, "11", "s-2vcpu-4gb", LONG);

        assertThat(cloud.calls())
                .filteredOn(call -> call.getMethod().value().equals("POST"))
                .extracting(call -> call.getBodyAsString())
                .satisfiesExactly(
                        body -> assertThat(body).contains("shutdown"),
                        body -> assertThat(body)
                                .contains("\"type\":\"resize\"", "\"size\":\"s-2vcpu-4gb\"", "\"disk\":false"),
                        body -> assertThat(body).contains("power_on"));
    }

    @Test
    void resize_refusedByTheApi_isPoweredOnAgain() {
        String on = Bodies.active(11, "a");
        String off = on.replace("\"active\"", "\"off\"");
        sizes();
        cloud.on("GET", ONE, ok(one(on)), ok(one(off)), ok(one(off)), ok(one(off)), ok(one(on)))
                .on(
                        "POST",
                        ACTIONS,
                        refusal(422, "unprocessable_entity", "Size is not available."),
                        json(201, action("in-progress")));

        assertThat(failure(() -> cloud.provider().resize(MESH, "11", "s-2vcpu-4gb", LONG)))
                .hasMessageContaining("Size is not available.");
        assertThat(cloud.calls())
                .filteredOn(call -> call.getMethod().value().equals("POST"))
                .extracting(call -> call.getBodyAsString())
                .last()
                .asString()
                .contains("power_on");
    }
}
