package dev.promguard.digitalocean;

import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Answers.Droplet;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.digitalocean.internal.Http.LostAnswerException;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.Arrival;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Price;
import dev.promguard.spi.Quote;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes hosts as DigitalOcean droplets. Droplets carry the tags {@code promguard}, {@code promguard:mesh:NAME},
 * {@code promguard:role:ROLE} and {@code promguard:attempt:NAME:WORD}; nothing that lacks the mesh's tag is listed, changed or deleted.
 *
 * <p>The token is taken from the builder, or, when it is first needed, from the environment: {@code DIGITALOCEAN_ACCESS_TOKEN}
 * (doctl's name) or {@code DIGITALOCEAN_TOKEN} (Terraform's). Thread-safe.
 *
 * @see <a href="https://docs.digitalocean.com/reference/api/">DigitalOcean API, version 2</a>
 */
public final class DigitalOcean implements CloudProvider {
    private static final URI ENDPOINT = URI.create("https://api.digitalocean.com/");
    private static final List<String> TOKEN_VARIABLES = List.of("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN");
    private static final int BATCH = 10;
    private static final int PAGE = 200;
    private static final int MOST_PAGES = 500;
    private static final int LARGEST_USER_DATA = 64 * 1024;
    private static final int LOOKS = 6;
    private static final Pattern NEXT_PAGE = Pattern.compile("[?&]page=([0-9]{1,6})(?:&|$)");
    private static final String TAG = "promguard";
    private static final String ROLE_TAG = "promguard:role:";
    private static final String ATTEMPT_TAG = "promguard:attempt:";

    private final Http http;
    private final Duration pollInterval;

    /** DigitalOcean with every default, and the token from the environment. Reads the token when it is first needed. */
    public DigitalOcean() {
        this(builder());
    }

    private DigitalOcean(Builder builder) {
        Secret given = builder.token;
        http = new Http(builder.endpoint, () -> given == null ? tokenFromEnvironment() : given, builder.callTimeout);
        pollInterval = builder.pollInterval;
    }

    /**
     * Starts to say how to reach DigitalOcean.
     *
     * @return a builder with every default in place
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Says how to reach DigitalOcean. Not thread-safe. */
    public static final class Builder {
        private @Nullable Secret token;
        private URI endpoint = ENDPOINT;
        private Duration callTimeout = Duration.ofSeconds(60);
        private Duration pollInterval = Duration.ofSeconds(3);

        private Builder() {}

        /**
         * The API token. Unless said, it is read from the environment.
         *
         * @param value a token that may read and write; not closed by PromGuard
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         */
        public Builder token(Secret value) {
            token = Objects.requireNonNull(value, "token");
            return this;
        }

        /**
         * Where the API is. DigitalOcean's own unless said.
         *
         * @param value an http or https URI, under which {@code /v2/} lies
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         * @throws IllegalArgumentException if it is not such a URI
         */
        public Builder endpoint(URI value) {
            String scheme = String.valueOf(value.getScheme());
            if ((!scheme.equals("http") && !scheme.equals("https")) || value.getHost() == null) {
                throw new IllegalArgumentException(
                        "endpoint " + Names.quote(value.toString()) + " is not an http or https URI with a host");
            }
            endpoint = value;
            return this;
        }

        /**
         * How long one call may take. 60 seconds unless said.
         *
         * @param value longer than zero
         * @return this builder
         * @throws IllegalArgumentException if it is not longer than zero
         */
        public Builder callTimeout(Duration value) {
            callTimeout = positive("callTimeout", value);
            return this;
        }

        /**
         * How often to look while waiting for droplets. 3 seconds unless said.
         *
         * @param value longer than zero
         * @return this builder
         * @throws IllegalArgumentException if it is not longer than zero
         */
        public Builder pollInterval(Duration value) {
            pollInterval = positive("pollInterval", value);
            return this;
        }

        private static Duration positive(String field, Duration value) {
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException(field + " " + value + " is not longer than zero");
            }
            return value;
        }

        /**
         * Ends the description.
         *
         * @return the provider; nothing was asked yet
         */
        public DigitalOcean build() {
            return new DigitalOcean(this);
        }
    }

    private static Secret tokenFromEnvironment() {
        for (String variable : TOKEN_VARIABLES) {
            String value = System.getenv(variable);
            if (value != null && !value.isBlank()) {
                return Secret.of(value.strip());
            }
        }
        throw new ProviderException(
                "no DigitalOcean token: set " + String.join(" or ", TOKEN_VARIABLES)
                        + " to a token that may read and write (control panel, API, Tokens), or call DigitalOcean.builder().token(…)");
    }

    @Override
    public String name() {
        return "DigitalOcean";
    }

    @Override
    public Quote check(List<HostOrder> orders) {
        Answers.Account account =
                http.get("/v2/account", Answers.AccountAnswer.class).account();
        if (account == null) {
            throw new ProviderException(
                    "DigitalOcean gave an answer without an account. See that the endpoint is its API.");
        }
        List<String> faults = new ArrayList<>();
        Map<String, Price> prices = new HashMap<>();
        if (orders.isEmpty()) {
            return new Quote(faults, prices);
        }
        if (account.status() != null && account.status().equals("locked")) {
            faults.add("account: it is locked; ask DigitalOcean's support");
        }
        Map<String, Answers.Region> regions = new TreeMap<>();
        for (Answers.Region region :
                paged("/v2/regions", Answers.RegionsAnswer.class, a -> a.regions(), a -> a.links())) {
            regions.put(Objects.toString(region.slug(), ""), region);
        }
        Map<String, Answers.Size> sizes = new TreeMap<>();
        for (Answers.Size size : paged("/v2/sizes", Answers.SizesAnswer.class, a -> a.sizes(), a -> a.links())) {
            sizes.put(Objects.toString(size.slug(), ""), size);
        }
        Map<String, Answers.Image> images = new TreeMap<>();
        for (Answers.Image image :
                paged("/v2/images?type=distribution", Answers.ImagesAnswer.class, a -> a.images(), a -> a.links())) {
            images.put(Objects.toString(image.slug(), ""), image);
        }
        int inUse = paged("/v2/droplets", Answers.DropletsAnswer.class, a -> a.droplets(), a -> a.links())
                .size();
        if (account.dropletLimit() > 0 && inUse + orders.size() > account.dropletLimit()) {
            faults.add("nodes: " + orders.size() + " droplets are wanted and " + inUse
                    + " are in use, but the account's limit is " + account.dropletLimit()
                    + ": ask DigitalOcean to raise it, or wish for fewer");
        }
        for (HostOrder order : orders) {
            check(order, regions, sizes, images, faults);
            Answers.Size size = sizes.get(order.size());
            if (size != null && size.monthly() != null && size.hourly() != null) {
                prices.put(order.name(), new Price(size.monthly(), size.hourly()));
            }
        }
        return new Quote(faults, prices);
    }

    private static void check(
            HostOrder order,
            Map<String, Answers.Region> regions,
            Map<String, Answers.Size> sizes,
            Map<String, Answers.Image> images,
            List<String> faults) {
        Answers.Region region = regions.get(order.region());
        Answers.Size size = sizes.get(order.size());
        Answers.Image image = images.get(order.image());
        if (region == null || !region.available()) {
            Set<String> open = new TreeSet<>();
            regions.forEach((slug, candidate) -> {
                if (candidate.available()) {
                    open.add(slug);
                }
            });
            faults.add(unknown(
                    "region",
                    order.region(),
                    order,
                    region == null ? "does not exist" : "takes no new droplets",
                    open));
        }
        if (size == null || !size.available()) {
            faults.add(unknown(
                    "size", order.size(), order, size == null ? "does not exist" : "is not offered", sizes.keySet()));
        } else if (region != null && size.regions() != null && !size.regions().contains(order.region())) {
            faults.add("size " + Names.quote(order.size()) + " of " + order.name() + " is not offered in "
                    + order.region() + ": it is in " + String.join(", ", new TreeSet<>(size.regions())));
        }
        if (image == null) {
            faults.add(unknown("image", order.image(), order, "does not exist", images.keySet()));
            return;
        }
        if (region != null && image.regions() != null && !image.regions().contains(order.region())) {
            faults.add("image " + Names.quote(order.image()) + " of " + order.name() + " is not in " + order.region()
                    + ": it is in " + String.join(", ", new TreeSet<>(image.regions())));
        }
        if (size != null && size.disk() < image.minDiskSize()) {
            faults.add("size " + Names.quote(order.size()) + " of " + order.name() + " has a disk of " + size.disk()
                    + " GB, and image " + order.image() + " wants " + image.minDiskSize() + ": choose a larger size");
        }
    }

    private static String unknown(
            String field, String value, HostOrder order, String what, Collection<String> choices) {
        List<String> nearest = choices.stream()
                .filter(choice -> !choice.isEmpty())
                .sorted(Comparator.comparingInt((String choice) -> distance(choice, value))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(5)
                .toList();
        return field + " " + Names.quote(value) + " of " + order.name() + " " + what + ": nearest are "
                + String.join(", ", nearest);
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int cost = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j] + 1, row[j - 1] + 1), diagonal + cost);
                diagonal = above;
            }
        }
        return row[b.length()];
    }

    @Override
    public List<CloudHost> list(String mesh) {
        return droplets(meshTag(mesh)).stream()
                .map(DigitalOcean::host)
                .sorted(Comparator.comparing(CloudHost::name).thenComparing(CloudHost::id))
                .toList();
    }

    private List<Droplet> droplets(String tag) {
        return paged(
                        "/v2/droplets?tag_name=" + encode(tag),
                        Answers.DropletsAnswer.class,
                        answer -> answer.droplets(),
                        answer -> answer.links())
                .stream()
                .filter(droplet -> droplet.tags() != null && droplet.tags().contains(tag))
                .toList();
    }

    @Override
    public AccessKey registerAccessKey(String mesh, SshPublicKey key) {
        String fingerprint = key.md5Fingerprint();
        String path = "/v2/account/keys/" + fingerprint;
        Answers.KeyAnswer found = http.find(path, Answers.KeyAnswer.class);
        if (found == null || found.key() == null) {
            Map<String, String> body = new LinkedHashMap<>();
            body.put("name", keyName(mesh));
            body.put("public_key", key.line());
            try {
                found = http.post("/v2/account/keys", body, Answers.KeyAnswer.class);
            } catch (LostAnswerException e) {
                found = http.find(path, Answers.KeyAnswer.class);
                if (found == null) {
                    throw unreachable("register the SSH key", e);
                }
            } catch (ProviderException e) {
                found = e.status().orElse(0) == 422 ? http.find(path, Answers.KeyAnswer.class) : null;
                if (found == null) {
                    throw e;
                }
            }
        }
        Answers.Key registered = found.key();
        if (registered == null) {
            throw new ProviderException("DigitalOcean gave an answer without an SSH key. Run again.");
        }
        return new AccessKey(
                Long.toString(registered.id()), fingerprint, keyName(mesh).equals(registered.name()));
    }

    @Override
    public int batchSize() {
        return BATCH;
    }

    @Override
    public List<CloudHost> create(CreateOrder order) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("names", order.names());
        body.put("region", order.region());
        body.put("size", order.size());
        body.put("image", order.image());
        body.put("ssh_keys", List.of(Long.parseLong(order.accessKey().id())));
        body.put(
                "tags",
                List.of(
                        TAG,
                        meshTag(order.mesh()),
                        ROLE_TAG + order.role(),
                        attemptTag(order.mesh()) + order.attempt()));
        return order.userData().use(bytes -> {
            if (bytes.length > LARGEST_USER_DATA) {
                throw new ProviderException(
                        "user data of " + bytes.length + " bytes is more than the 64 KiB that DigitalOcean takes");
            }
            body.put("user_data", new String(bytes, StandardCharsets.UTF_8));
            return send(order, body);
        });
    }

    /** Sends a create call, and after a lost answer looks several times, since lists lag, before it sends once more. */
    private List<CloudHost> send(CreateOrder order, Map<String, Object> body) {
        LostAnswerException lost = null;
        for (int attempt = 0; attempt < 2; attempt++) {
            try {
                List<Droplet> accepted = Objects.requireNonNullElse(
                        http.post("/v2/droplets", body, Answers.DropletsAnswer.class)
                                .droplets(),
                        List.<Droplet>of());
                List<CloudHost> hosts =
                        accepted.stream().map(DigitalOcean::host).toList();
                if (names(hosts).equals(new HashSet<>(order.names()))) {
                    return hosts;
                }
                lost = new LostAnswerException("the answer names other droplets than were ordered", null);
            } catch (LostAnswerException e) {
                lost = e;
            }
            List<CloudHost> found = lookUp(order);
            if (!found.isEmpty()) {
                return found;
            }
        }
        throw unreachable("create " + String.join(", ", order.names()), Objects.requireNonNull(lost));
    }

    private List<CloudHost> lookUp(CreateOrder order) {
        List<CloudHost> found = List.of();
        for (int look = 0; look < LOOKS; look++) {
            Http.pause(pollInterval);
            found = droplets(attemptTag(order.mesh()) + order.attempt()).stream()
                    .map(DigitalOcean::host)
                    .toList();
            if (names(found).containsAll(order.names())) {
                return found;
            }
        }
        if (!found.isEmpty()) {
            throw new ProviderException("DigitalOcean made only " + String.join(", ", names(found)) + " of "
                    + String.join(", ", order.names()) + ". Run apply again: it goes on from there.");
        }
        return found;
    }

    private static Set<String> names(List<CloudHost> hosts) {
        Set<String> names = new TreeSet<>();
        hosts.forEach(host -> names.add(host.name()));
        return names;
    }

    private static ProviderException unreachable(String what, LostAnswerException cause) {
        return new ProviderException(
                "DigitalOcean did not answer when asked to " + what + ": " + cause.getMessage()
                        + ". Run again: what was made is found again.",
                null,
                null,
                null,
                true,
                cause);
    }

    @Override
    public Arrival await(String mesh, Set<String> ids, Duration timeout) {
        Map<String, CloudHost> ready = new TreeMap<>();
        Map<String, Droplet> waiting = new HashMap<>();
        long deadline = System.nanoTime() + timeout.toNanos();
        while (ready.size() < ids.size()) {
            waiting.clear();
            for (Droplet droplet : droplets(meshTag(mesh))) {
                CloudHost host = host(droplet);
                if (ids.contains(host.id())) {
                    if (host.status() == CloudHost.Status.ACTIVE
                            && host.publicAddress().isPresent()) {
                        ready.put(host.id(), host);
                    } else {
                        waiting.put(host.id(), droplet);
                    }
                }
            }
            if (ready.size() == ids.size() || System.nanoTime() >= deadline) {
                break;
            }
            Http.pause(pollInterval);
        }
        Map<String, String> missing = new TreeMap<>();
        for (String id : ids) {
            if (!ready.containsKey(id)) {
                missing.put(id, whyMissing(id, waiting.get(id), timeout));
            }
        }
        return new Arrival(List.copyOf(ready.values()), missing);
    }

    private String whyMissing(String id, @Nullable Droplet droplet, Duration timeout) {
        if (droplet == null) {
            return "droplet " + id
                    + " has vanished: DigitalOcean could not place it; run apply again, or choose another region";
        }
        Answers.ActionsAnswer answer = http.find("/v2/droplets/" + id + "/actions", Answers.ActionsAnswer.class);
        boolean errored = answer != null
                && answer.actions() != null
                && answer.actions().stream().anyMatch(action -> "errored".equals(action.status()));
        if (errored) {
            return "droplet " + id
                    + " could not be made, says its create action: remove it in the control panel or with destroy,"
                    + " then apply again";
        }
        if ("active".equals(droplet.status())) {
            return "droplet " + id + " is active but has no public address after " + timeout.toSeconds()
                    + " s: run apply again";
        }
        return "droplet " + id + " is still " + Names.quote(Objects.toString(droplet.status(), "?")) + " after "
                + timeout.toSeconds() + " s: run apply again";
    }

    @Override
    public void delete(String mesh, Collection<String> ids, Duration timeout) {
        if (ids.isEmpty()) {
            return;
        }
        Set<String> wanted = new TreeSet<>(ids);
        long deadline = System.nanoTime() + timeout.toNanos();
        ProviderException refusal = null;
        Set<String> accepted = new HashSet<>();
        while (true) {
            Map<String, Droplet> left = new TreeMap<>();
            for (Droplet droplet : droplets(meshTag(mesh))) {
                if (wanted.contains(Long.toString(droplet.id()))) {
                    left.put(Long.toString(droplet.id()), droplet);
                }
            }
            if (left.isEmpty()) {
                return;
            }
            for (String id : left.keySet()) {
                if (!accepted.contains(id)) {
                    try {
                        http.delete("/v2/droplets/" + id);
                        accepted.add(id);
                    } catch (ProviderException e) {
                        int status = e.status().orElse(0);
                        if (status != 409 && status != 422) {
                            throw e;
                        }
                        refusal = e;
                    }
                }
            }
            if (System.nanoTime() >= deadline) {
                List<String> names = left.values().stream()
                        .map(droplet -> Objects.toString(droplet.name(), "?"))
                        .toList();
                throw new ProviderException(
                        String.join(", ", names) + " not gone after " + timeout.toSeconds() + " s: run again",
                        null,
                        null,
                        null,
                        true,
                        refusal);
            }
            Http.pause(pollInterval);
        }
    }

    @Override
    public void cleanUp(String mesh, Optional<AccessKey> key) {
        if (key.isPresent() && key.get().registered()) {
            http.delete("/v2/account/keys/" + key.get().id());
        }
        for (Answers.Tag tag : paged("/v2/tags", Answers.TagsAnswer.class, a -> a.tags(), a -> a.links())) {
            String name = Objects.toString(tag.name(), "");
            boolean ours = name.equals(meshTag(mesh)) || name.startsWith(attemptTag(mesh));
            boolean shared = name.equals(TAG) || name.startsWith(ROLE_TAG);
            boolean unused = tag.resources() != null && tag.resources().count() == 0;
            if (ours || (shared && unused)) {
                http.delete("/v2/tags/" + encode(name));
            }
        }
    }

    private <A, T> List<T> paged(
            String path,
            Class<A> type,
            Function<A, @Nullable List<T>> items,
            Function<A, Answers.@Nullable Links> links) {
        List<T> all = new ArrayList<>();
        String separator = path.contains("?") ? "&" : "?";
        String page = "1";
        for (int pages = 0; pages < MOST_PAGES; pages++) {
            A answer = http.get(path + separator + "per_page=" + PAGE + "&page=" + page, type);
            List<T> found = items.apply(answer);
            if (found != null) {
                all.addAll(found);
            }
            Optional<String> next = next(links.apply(answer));
            if (next.isEmpty() || next.get().equals(page)) {
                return all;
            }
            page = next.get();
        }
        throw new ProviderException("DigitalOcean's list " + path + " does not end");
    }

    /** The next page's number. The link's host is not followed: only the number counts. */
    private static Optional<String> next(Answers.@Nullable Links links) {
        if (links == null || links.pages() == null || links.pages().next() == null) {
            return Optional.empty();
        }
        Matcher matcher = NEXT_PAGE.matcher(links.pages().next());
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    private static CloudHost host(Droplet droplet) {
        CloudHost.Status status = switch (Objects.toString(droplet.status(), "")) {
            case "new" -> CloudHost.Status.NEW;
            case "active" -> CloudHost.Status.ACTIVE;
            default -> CloudHost.Status.OFF;
        };
        return new CloudHost(
                Long.toString(droplet.id()),
                Objects.toString(droplet.name(), ""),
                droplet.region() == null
                        ? ""
                        : Objects.toString(droplet.region().slug(), ""),
                Objects.toString(droplet.size(), ""),
                status,
                publicAddress(droplet),
                Objects.requireNonNullElse(droplet.tags(), List.<String>of()).stream()
                        .filter(tag -> tag.startsWith(ATTEMPT_TAG))
                        .map(tag -> tag.substring(tag.lastIndexOf(':') + 1))
                        .findFirst());
    }

    private static Optional<String> publicAddress(Droplet droplet) {
        Answers.Networks networks = droplet.networks();
        if (networks == null) {
            return Optional.empty();
        }
        return publicAddress(networks.v4()).or(() -> publicAddress(networks.v6()));
    }

    private static Optional<String> publicAddress(@Nullable List<Answers.Network> networks) {
        return Objects.requireNonNullElse(networks, List.<Answers.Network>of()).stream()
                .filter(network -> "public".equals(network.type()))
                .map(network -> Objects.toString(network.address(), ""))
                .filter(address -> address.matches("[0-9a-fA-F.:]{2,45}"))
                .findFirst();
    }

    private static String meshTag(String mesh) {
        return TAG + ":mesh:" + mesh;
    }

    private static String attemptTag(String mesh) {
        return ATTEMPT_TAG + mesh + ":";
    }

    private static String keyName(String mesh) {
        return "promguard-" + mesh;
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /**
     * The provider, without its token.
     *
     * @return a constant
     */
    @Override
    public String toString() {
        return "DigitalOcean";
    }
}
