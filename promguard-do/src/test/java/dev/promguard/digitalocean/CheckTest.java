package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Price;
import dev.promguard.spi.Quote;
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
                .on("GET", "/v2/droplets", ok(Bodies.droplets(droplets)));
    }

    private void account(int limit, String status) {
        cloud.on("GET", "/v2/account", ok(Bodies.account(limit, status)));
    }

    @Test
    void check_nothingToMake_onlyTriesTheToken() {
        account(25, "active");

        assertThat(cloud.provider().check(List.of())).isEqualTo(new Quote(List.of(), Map.of()));

        assertThat(cloud.lines()).containsExactly("GET /v2/account");
    }

    @Test
    void check_goodOrders_havePricesAndNoFaults() {
        account(25, "active");
        offer();

        Quote quote = cloud.provider().check(List.of(good("a"), order("b", "tor1", "s-1vcpu-2gb", "ubuntu-24-04-x64")));

        assertThat(quote.faults()).isEmpty();
        assertThat(quote.prices())
                .isEqualTo(Map.of(
                        "a", new Price(new BigDecimal("6.00"), new BigDecimal("0.00893")),
                        "b", new Price(new BigDecimal("12.00"), new BigDecimal("0.01786"))));
        assertThat(cloud.lines())
                .containsExactlyInAnyOrder(
                        "GET /v2/account",
                        "GET /v2/regions?per_page=200&page=1",
                        "GET /v2/sizes?per_page=200&page=1",
                        "GET /v2/images?type=distribution&per_page=200&page=1",
                        "GET /v2/droplets?per_page=200&page=1");
    }

    @Test
    void check_pricesThatAreBinaryFloats_areRounded() {
        account(25, "active");
        offer(Bodies.size("s-1vcpu-1gb", true, 25, "4.999999999", "0.00743999984115362", "tor1"));

        assertThat(cloud.provider().check(List.of(good("a"))).prices())
                .isEqualTo(Map.of("a", new Price(new BigDecimal("5.00"), new BigDecimal("0.00744"))));
    }

    @Test
    void check_pricesThatAreNoPrices_areNotKnown() {
        account(25, "active");
        for (String price : List.of("1e900000000", "-6")) {
            offer(Bodies.size("s-1vcpu-1gb", true, 25, price, "0.00893", "tor1"));

            Quote quote = cloud.provider().check(List.of(good("a")));

            assertThat(quote.faults()).isEmpty();
            assertThat(quote.prices()).isEmpty();
        }
    }

    @Test
    void check_everythingWrong_isSaidAtOnce() {
        account(25, "locked");
        offer();

        Quote quote =
                cloud.provider().check(List.of(good("a"), order("b", "tor2", "s-1vcpu-1g", "debian-12"), good("c")));

        assertThat(quote.faults())
                .containsExactly(
                        "account: it is locked; ask DigitalOcean's support",
                        "region \"tor2\" of b does not exist: nearest are tor1, lon1, fra1",
                        "size \"s-1vcpu-1g\" of b does not exist: nearest are s-1vcpu-1gb, s-1vcpu-2gb, s-1vcpu-512mb-10gb",
                        "image \"debian-12\" of b does not exist: nearest are debian-12-x64, debian-13-x64, ubuntu-24-04-x64");
        assertThat(quote.prices()).containsOnlyKeys("a", "c");
    }

    @Test
    void check_regionThatTakesNoMore_isAFaultThatNamesOpenOnes() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .check(List.of(order("a", "nyc2", "s-1vcpu-1gb", "debian-12-x64")))
                        .faults())
                .containsExactly("region \"nyc2\" of a takes no new droplets: nearest are fra1, lon1, tor1");
    }

    @Test
    void check_sizeNotInTheRegion_namesSizesThereAndRegionsOfIt() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .check(List.of(order("a", "tor1", "s-1vcpu-512mb-10gb", "debian-12-x64")))
                        .faults())
                .containsExactly(
                        "size \"s-1vcpu-512mb-10gb\" of a is not offered in tor1: nearest are s-1vcpu-1gb, s-1vcpu-2gb; it is in fra1");
    }

    @Test
    void check_sizeThatIsOfferedNoMore_namesOthersAlone() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .check(List.of(order("a", "fra1", "s-old", "debian-12-x64")))
                        .faults())
                .containsExactly(
                        "size \"s-old\" of a is not offered any more: nearest are s-1vcpu-1gb, s-1vcpu-512mb-10gb");
    }

    @Test
    void check_imageNotInTheRegion_namesImagesThereAndRegionsOfIt() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .check(List.of(order("a", "tor1", "s-1vcpu-1gb", "debian-13-x64")))
                        .faults())
                .containsExactly(
                        "image \"debian-13-x64\" of a is not in tor1: nearest are debian-12-x64, ubuntu-24-04-x64; it is in fra1");
    }

    @Test
    void check_diskTooSmallForTheImage_namesSizesThatDo() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .check(List.of(order("a", "fra1", "s-1vcpu-512mb-10gb", "ubuntu-24-04-x64")))
                        .faults())
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

        assertThat(cloud.provider().check(List.of(good("a"))).faults()).isEmpty();
        assertThat(cloud.provider().check(List.of(good("a"), good("b"))).faults())
                .containsExactly(
                        "nodes: 2 droplets are wanted and 2 are in use, but the account's limit is 3: ask DigitalOcean to raise it, or wish for fewer");
    }

    @Test
    void check_valueWithControlCharacters_isShownWithout() {
        account(25, "active");
        offer();

        assertThat(cloud.provider()
                        .check(List.of(order("a", "tor1\n; rm -rf /", "s-1vcpu-1gb", "debian-12-x64")))
                        .faults())
                .containsExactly("region \"tor1?; rm -rf /\" of a does not exist: nearest are tor1, lon1, fra1");
    }

    @Test
    void check_wrongToken_saysWhatToDo() {
        cloud.on("GET", "/v2/account", refusal(401, "Unauthorized", "Unable to authenticate you"));

        assertThat(failure(() -> cloud.provider().check(List.of())))
                .hasMessageContaining("Unable to authenticate you")
                .hasMessageContaining("make one under API, Tokens")
                .satisfies(e -> assertThat(e.status()).hasValue(401))
                .satisfies(e -> assertThat(e.id()).hasValue("Unauthorized"));
        assertThat(cloud.lines()).hasSize(1);
    }
}
