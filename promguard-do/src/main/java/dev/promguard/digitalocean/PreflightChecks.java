package dev.promguard.digitalocean;

import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Preflight;
import dev.promguard.spi.Price;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** Checks before an order whether DigitalOcean would accept it: token, limit, options, regions, sizes, images. Thread-safe. */
final class PreflightChecks {
    private static final int FORBIDDEN = 403;
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

    private final Api api;
    private final Vpcs vpcs;
    private final List<String> sshKeys;

    PreflightChecks(Api api, Vpcs vpcs, List<String> sshKeys) {
        this.api = api;
        this.vpcs = vpcs;
        this.sshKeys = List.copyOf(sshKeys);
    }

    Preflight check(List<HostOrder> orders) {
        Http http = api.http();
        Answers.Account account = http.get("/v2/account", Answers.AccountAnswer.class, Deadline.never())
                .account();
        if (account == null) {
            throw Api.incomplete("/v2/account");
        }
        List<String> problems = new ArrayList<>();
        Map<String, Price> prices = new HashMap<>();
        if (orders.isEmpty()) {
            return new Preflight(problems, prices);
        }
        if ("locked".equals(account.status())) {
            problems.add("account: it is locked. Ask DigitalOcean's support.");
        }
        if (!mayWrite()) {
            problems.add(
                    "token: it may only read, or may not delete tags. Create one that may read and write (control panel,"
                            + " API, Tokens).");
        }
        int inUse = api.droplets("/v2/droplets", Deadline.never()).size();
        if (account.dropletLimit() > 0 && inUse + orders.size() > account.dropletLimit()) {
            problems.add("nodes: " + Names.counted(orders.size(), "droplet") + (orders.size() == 1 ? " is" : " are")
                    + " to be created and " + inUse + (inUse == 1 ? " is" : " are")
                    + " in use, but the account's limit is " + account.dropletLimit()
                    + ". Ask DigitalOcean to raise it, or use fewer nodes.");
        }
        checkOptions(problems);
        Offer offer = offer(orders);
        for (HostOrder order : orders) {
            offer.check(order, problems);
            offer.price(order.size()).ifPresent(price -> prices.put(order.name(), price));
        }
        return new Preflight(problems, prices);
    }

    /** Deletes a tag that does not exist, which changes nothing and shows whether the token may write. */
    private boolean mayWrite() {
        String nobodys = Marks.ALL + ":probe:"
                + Long.toHexString(ThreadLocalRandom.current().nextLong());
        try {
            api.http().delete("/v2/tags/" + Api.encode(nobodys), Deadline.never());
            return true;
        } catch (ProviderException e) {
            if (e.status().orElse(0) == FORBIDDEN) {
                return false;
            }
            throw e;
        }
    }

    private void checkOptions(List<String> problems) {
        for (String key : sshKeys) {
            if (api.http().find("/v2/account/keys/" + key, Answers.KeyAnswer.class, Deadline.never()) == null) {
                problems.add("sshKeys " + Names.quote(key)
                        + " is no key of the account: take an id or fingerprint from the control panel,"
                        + " Settings, Security");
            }
        }
        vpcs.check(problems);
    }

    /** The current offer, and the account's own images that the spec names by number. */
    private Offer offer(List<HostOrder> orders) {
        List<Answers.Image> images = new ArrayList<>(api.paged(
                "/v2/images?type=distribution",
                Answers.ImagesAnswer.class,
                a -> a.images(),
                a -> a.links(),
                Deadline.never()));
        orders.stream()
                .map(HostOrder::image)
                .filter(image -> NUMBER.matcher(image).matches())
                .distinct()
                .forEach(image -> {
                    Answers.ImageAnswer own =
                            api.http().find("/v2/images/" + image, Answers.ImageAnswer.class, Deadline.never());
                    if (own != null && own.image() != null) {
                        images.add(own.image().named(image));
                    }
                });
        return Offer.of(
                api.paged(
                        "/v2/regions", Answers.RegionsAnswer.class, a -> a.regions(), a -> a.links(), Deadline.never()),
                api.paged("/v2/sizes", Answers.SizesAnswer.class, a -> a.sizes(), a -> a.links(), Deadline.never()),
                images);
    }
}
