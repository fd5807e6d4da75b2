package dev.promguard.digitalocean.internal;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.math.BigDecimal;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The API's answers, as far as they are read. What is absent in an answer is null here. */
public final class Answers {
    private Answers() {}

    /** {@code GET /v2/account}. */
    public record AccountAnswer(@Nullable Account account) {}

    /** An account. */
    public record Account(
            @JsonProperty("droplet_limit") int dropletLimit,
            @Nullable String status) {}

    /** A key. */
    public record KeyAnswer(
            @JsonProperty("ssh_key") @Nullable Key key) {}

    /** A page of keys. */
    public record KeysAnswer(
            @JsonProperty("ssh_keys") @Nullable List<Key> keys,
            @Nullable Links links) {}

    /** A registered SSH key. */
    public record Key(
            long id, @Nullable String fingerprint, @Nullable String name) {}

    /** A page of droplets, or the droplets of a create call. */
    public record DropletsAnswer(
            @Nullable List<Droplet> droplets, @Nullable Links links) {}

    /** One droplet by its id. */
    public record DropletAnswer(@Nullable Droplet droplet) {}

    /** A droplet. */
    public record Droplet(
            long id,
            @Nullable String name,
            @Nullable String status,
            @Nullable Region region,
            @JsonProperty("size_slug") @Nullable String sizeSlug,
            @Nullable Size size,
            @Nullable Networks networks,
            @Nullable List<String> tags,
            boolean locked,
            int disk,
            @Nullable Image image,
            @JsonProperty("created_at") @Nullable String createdAt) {}

    /** A region. */
    public record Region(@Nullable String slug, boolean available) {}

    /** A droplet's networks. */
    public record Networks(
            @Nullable List<Network> v4, @Nullable List<Network> v6) {}

    /** One address. */
    public record Network(
            @JsonProperty("ip_address") @Nullable String address,
            @Nullable String type) {}

    /** A page of regions. */
    public record RegionsAnswer(
            @Nullable List<Region> regions, @Nullable Links links) {}

    /** A page of sizes. */
    public record SizesAnswer(
            @Nullable List<Size> sizes, @Nullable Links links) {}

    /** A size. */
    public record Size(
            @Nullable String slug,
            boolean available,
            @Nullable List<String> regions,
            int disk,
            @JsonProperty("price_monthly") @Nullable BigDecimal monthly,
            @JsonProperty("price_hourly") @Nullable BigDecimal hourly) {}

    /** A page of images. */
    public record ImagesAnswer(
            @Nullable List<Image> images, @Nullable Links links) {}

    /** An image. */
    public record Image(
            long id,
            @Nullable String type,
            @Nullable String slug,
            @Nullable List<String> regions,
            @JsonProperty("min_disk_size") int minDiskSize) {
        /** The image under another name. */
        public Image named(String name) {
            return new Image(id, type, name, regions, minDiskSize);
        }
    }

    /** One image by its id. */
    public record ImageAnswer(@Nullable Image image) {}

    /** One VPC by its id. */
    public record VpcAnswer(@Nullable Vpc vpc) {}

    /** A VPC. */
    public record Vpc(@Nullable String region) {}

    /** A page of firewalls. */
    public record FirewallsAnswer(
            @Nullable List<Firewall> firewalls, @Nullable Links links) {}

    /** One firewall. */
    public record FirewallAnswer(@Nullable Firewall firewall) {}

    /** A firewall. */
    public record Firewall(
            @Nullable String id,
            @Nullable String name,
            @Nullable List<String> tags,
            @JsonProperty("inbound_rules") @Nullable List<Rule> inbound,
            @JsonProperty("outbound_rules") @Nullable List<Rule> outbound) {}

    /** A firewall's rule: inbound ones have sources, outbound ones destinations. */
    public record Rule(
            @Nullable String protocol,
            @Nullable String ports,
            @Nullable Ends sources,
            @Nullable Ends destinations) {}

    /** Where a rule's packets come from or go to. */
    public record Ends(
            @Nullable List<String> addresses,
            @Nullable List<String> tags,
            @JsonProperty("droplet_ids") @Nullable List<Long> dropletIds,
            @JsonProperty("load_balancer_uids") @Nullable List<String> loadBalancers,
            @JsonProperty("kubernetes_ids") @Nullable List<String> clusters) {
        /** Whether there are others than addresses. */
        public boolean hasOthers() {
            return Stream.of(tags, dropletIds, loadBalancers, clusters)
                    .anyMatch(others -> others != null && !others.isEmpty());
        }
    }

    /** A page of tags. */
    public record TagsAnswer(
            @Nullable List<Tag> tags, @Nullable Links links) {}

    /** A tag. */
    public record Tag(@Nullable String name, @Nullable Resources resources) {}

    /** What carries a tag. */
    public record Resources(int count) {}

    /** A droplet's actions. */
    public record ActionsAnswer(
            @Nullable List<Action> actions, @Nullable Links links) {}

    /** One action. */
    public record ActionAnswer(@Nullable Action action) {}

    /** An action. */
    public record Action(
            long id,
            @Nullable String type,
            @Nullable String status,
            @JsonProperty("started_at") @Nullable String startedAt) {}

    /** Where there is more. */
    public record Links(@Nullable Pages pages) {}

    /** Links to other pages. */
    public record Pages(@Nullable String next) {}
}
