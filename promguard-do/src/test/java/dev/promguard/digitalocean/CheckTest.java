package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Preflight;
import dev.promguard.spi.Price;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What stands in the way of an order is said before anything is made, all at once, with what to take in its place. */
class CheckTest {
    @RegisterExtension
    final Cloud cloud = new Cloud();

    private static HostOrder order(String name, String region, String size, String image) {
        return new HostOrder(name, region, size, image);
    }

    private static HostOrder good(String name) {
        return order(name, "tor1", "s-1vcpu-1gb", "debian-12-x64");
    }

    private void offer() {
        offer(Bodies.size("s-1vcpu-1gb", true, 25, "6", "0.00893", "fra1", "lon1", "tor1"));
    }

    private void offer(String smallest, String... droplets) {
        cloud.on(
                        "GET",
                        "/v2/regions",
                        ok(Bodies.list(
                                "regions",
                                Bodies.region("fra1", true),
                                Bodies.region("lon1", true),
                                Bodies.region("nyc2", false),
                                Bodies.region("tor1", true))))
                .on(
                        "GET",
                        "/v2/sizes",
                        ok(Bodies.list(
                                "sizes",
                                smallest,
                                Bodies.size("s-1vcpu-512mb-10gb", true, 10, "4", "0.00595", "fra1", "nyc2"),
                                Bodies.size("s-1vcpu-2gb", true, 50, "12.0", "0.01786", "lon1", "tor1"),
                                Bodies.size("s-old", false, 25, "6", "0.00893", "fra1", "lon1", "tor1"))))
                .on(
                        "GET",
                        "/v2/images",
                        ok(Bodies.list(
                                "images",
                                Bodies.image("debian-12-x64", 10, "fra1", "lon1", "tor1"),
                                Bodies.image("ubuntu-24-04-x64", 15, "fra1", "lon1", "tor1"),
                                Bodies.image("debian-13-x64", 10, "fra1"))))
                .on("GET", "/v2/droplets", ok(Bodies.droplets(droplets)))
                .onProbe(refusal(404, "not_found", "The resource you were accessing could not be found."));
    }

    private void account(int limit, String status) {
        cloud.on("GET", "/v2/account", ok(Bodies.account(limit, status)));
    }

    @Test
    void check_nothingToMake_onlyTriesTheToken() {
        account(25, "active");

        assertThat(cloud.provider().preflight(List.of())).isEqualTo(new Preflight(List.of(), Map.of()));

        assertThat(cloud.lines()).containsExactly("GET /v2/account");
    }

    @Test
    void check_goodOrders_havePricesAndNoFaults() {
        account(25, "active");
        offer();

        Preflight preflight =
                cloud.provider().preflight(List.of(good("a"), order("b", "tor1", "s-1vcpu-2gb", "ubuntu-24-04-x64")));

        assertThat(preflight.problems()).isEmpty();
        assertThat(preflight.prices())
                .isEqualTo(Map.of(
                        "a", new Price(new BigDecimal("6.00"), new BigDecimal("0.00893")),
                        "b", new Price(new BigDecimal("12.00"), new BigDecimal("0.01786"))));
        assertThat(cloud.lines().stream().map(line -> line.replaceAll("probe%3A[0-9a-f]+", "probe%3A…")))
                .containsExactlyInAnyOrder(
                        "GET /v2/account",
                        "DELETE /v2/tags/promguard%3Aprobe%3A…",
                        "GET /v2/regions?per_page=200&page=1",
                        "GET /v2/sizes?per_page=200&page=1",
                        "GET /v2/images?type=distribution&per_page=200&page=1",
                        "GET /v2/droplets?per_page=200&page=1");
    }

    @Test
    void check_tokenThatMayOnlyRead_isAFaultBesideTheOthers() {
        account(25, "locked");
        offer();
        cloud.onProbe(refusal(403, "forbidden", "You are not authorized to perform this operation"));

        assertThat(cloud.provider().preflight(List.of(good("a"))).problems())
                .containsExactly(
                        "account: it is locked. Ask DigitalOcean's support.",
                        "token: it may only read, or may not delete tags. Create one that may read and write (control panel, API, Tokens).");
    }

    @Test
    void check_imageByNumber_isLookedUpWhereverItIs() {
        account(25, "active");
        offer();
        cloud.on("GET", "/v2/images/7555620", ok("{\"image\":" + Bodies.image("", 40, "tor1") + "}"))
                .on(
                        "GET",
                        "/v2/images/7",
                        refusal(404, "not_found", "The resource you were accessing could not be found."));

        Preflight preflight = cloud.provider()
                .preflight(
                        List.of(order("a", "tor1", "s-1vcpu-2gb", "7555620"), order("b", "tor1", "s-1vcpu-2gb", "7")));

        assertThat(preflight.problems()).singleElement().asString().startsWith("image \"7\" of b does not exist");
    }

    @Test
    void check_options_thatTheAccountHasNot_areFaults() {
        account(25, "active");
        offer();
        String vpc = "5a4981aa-9653-4bd1-bef5-d6bff52042e4";
        String second = "5a4981aa-9653-4bd1-bef5-d6bff52042e5";
        String none = "5a4981aa-9653-4bd1-bef5-d6bff52042e6";
        cloud.on("GET", "/v2/account/keys/7", refusal(404, "not_found", "no such key"))
                .on("GET", "/v2/vpcs/" + vpc, ok(Bodies.vpc(vpc, "tor1")))
                .on("GET", "/v2/vpcs/" + second, ok(Bodies.vpc(second, "tor1")))
                .on("GET", "/v2/vpcs/" + none, refusal(404, "not_found", "no such VPC"));

        DigitalOcean provider =
                cloud.builder().sshKeys("7").vpc(vpc, second, none).build();

        assertThat(provider.preflight(List.of(good("a"))).problems())
                .containsExactly(
                        "sshKeys \"7\" is no key of the account: take an id or fingerprint from the control panel, Settings, Security",
                        "vpc \"" + second + "\" is in tor1, as " + vpc + " is: give one for each region",
                        "vpc \"" + none
                                + "\" is no VPC of the account: take an id from the control panel, Networking, VPC");
    }

    @Test
    void check_pricesThatAreBinaryFloats_areRounded() {
        account(25, "active");
        offer(Bodies.size("s-1vcpu-1gb", true, 25, "4.999999999", "0.00743999984115362", "tor1"));

        assertThat(cloud.provider().preflight(List.of(good("a"))).prices())
                .isEqualTo(Map.of("a", new Price(new BigDecimal("5.00"), new BigDecimal("0.00744"))));
    }

    @Test
    void check_pricesThatAreNoPrices_areNotKnown() {
        account(25, "active");
        for (String price : List.of("1e900000000", "-6")) {
            offer(Bodies.size("s-1vcpu-1gb", true, 25, price, "0.00893", "tor1"));

            Preflight preflight = cloud.provider().preflight(List.of(good("a")));

            assertThat(preflight.problems()).isEmpty();
            assertThat(preflight.prices()).isEmpty();
        }
    }

    @Test
    void check_everythingWrong_isSaidAtOnce() {
        account(25, "locked");
        offer();

        Preflight preflight = cloud.provider()
                .preflight(List.of(good("a"), order("b", "tor2", "s-1vcpu-1g", "debian-12"), good("c")));

        assertThat(preflight.problems())
                .containsExactly(
                        "account: it is locked. Ask DigitalOcean's support.",
                        "region \"tor2\" of b does not exist: nearest are tor1, lon1, fra1",
                        "size \"s-1vcpu-1g\" of b does not exist: nearest are s-1vcpu-1gb, s-1vcpu-2gb, s-1vcpu-512mb-10gb",
                        "image \"debian-12\" of b does not exist: nearest are debian-12-x64, debian-13-x64, ubuntu-24-04-x64");
        assertThat(preflight.prices()).containsOnlyKeys("a", "c");
    }

    @Test
    void check_regionThatTakesNoMore_isAFaultThatNamesOpenOnes() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .preflight(List.of(order("a", "nyc2", "s-1vcpu-1gb", "debian-12-x64")))
                        .problems())
                .containsExactly("region \"nyc2\" of a takes no new droplets: nearest are fra1, lon1, tor1");
    }

    @Test
    void check_sizeNotInTheRegion_namesSizesThereAndRegionsOfIt() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .preflight(List.of(order("a", "tor1", "s-1vcpu-512mb-10gb", "debian-12-x64")))
                        .problems())
                .containsExactly(
                        "size \"s-1vcpu-512mb-10gb\" of a is not offered in tor1: nearest are s-1vcpu-1gb, s-1vcpu-2gb; it is in fra1");
    }

    @Test
    void check_sizeThatIsOfferedNoMore_namesOthersAlone() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .preflight(List.of(order("a", "fra1", "s-old", "debian-12-x64")))
                        .problems())
                .containsExactly(
                        "size \"s-old\" of a is not offered any more: nearest are s-1vcpu-1gb, s-1vcpu-512mb-10gb");
    }

    @Test
    void check_imageNotInTheRegion_namesImagesThereAndRegionsOfIt() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .preflight(List.of(order("a", "tor1", "s-1vcpu-1gb", "debian-13-x64")))
                        .problems())
                .containsExactly(
                        "image \"debian-13-x64\" of a is not in tor1: nearest are debian-12-x64, ubuntu-24-04-x64; it is in fra1");
    }

    @Test
    void check_diskTooSmallForTheImage_namesSizesThatDo() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .preflight(List.of(order("a", "fra1", "s-1vcpu-512mb-10gb", "ubuntu-24-04-x64")))
                        .problems())
                .containsExactly(
                        "size \"s-1vcpu-512mb-10gb\" of a has a disk of 10 GB, and image ubuntu-24-04-x64 wants 15: nearest are s-1vcpu-1gb");
    }

    @Test
    void check_dropletLimit_countsWhatIsInUse() {
        account(3, "active");
        offer(
                Bodies.size("s-1vcpu-1gb", true, 25, "6", "0.00893", "tor1"),
                Bodies.active(11, "x"),
                Bodies.droplet(12, "somebody-elses", "active", Bodies.address(12)));

        assertThat(cloud.provider().preflight(List.of(good("a"))).problems()).isEmpty();
        assertThat(cloud.provider().preflight(List.of(good("a"), good("b"))).problems())
                .containsExactly(
                        "nodes: 2 droplets are to be created and 2 are in use, but the account's limit is 3. Ask DigitalOcean to raise it, or use fewer nodes.");
    }

    @Test
    void check_dropletLimitOfOne_saysSoInTheSingular() {
        account(1, "active");
        offer(Bodies.size("s-1vcpu-1gb", true, 25, "6", "0.00893", "tor1"), Bodies.active(11, "x"));

        assertThat(cloud.provider().preflight(List.of(good("a"))).problems())
                .containsExactly(
                        "nodes: 1 droplet is to be created and 1 is in use, but the account's limit is 1. Ask DigitalOcean"
                                + " to raise it, or use fewer nodes.");
    }

    @Test
    void check_valueWithControlCharacters_isShownWithout() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .preflight(List.of(order("a", "tor1\n; rm -rf /", "s-1vcpu-1gb", "debian-12-x64")))
                        .problems())
                .containsExactly("region \"tor1?; rm -rf /\" of a does not exist: nearest are tor1, lon1, fra1");
    }

    @Test
    void check_wrongToken_saysWhatToDo() {
        cloud.on("GET", "/v2/account", refusal(401, "Unauthorized", "Unable to authenticate you"));

        assertThat(failure(() -> cloud.provider().preflight(List.of())))
                .hasMessageContaining("Unable to authenticate you")
                .hasMessageContaining("create one under API, Tokens")
                .satisfies(e -> assertThat(e.status()).hasValue(401))
                .satisfies(e -> assertThat(e.providerCode()).hasValue("Unauthorized"));
        assertThat(cloud.lines()).hasSize(1);
    }
}
