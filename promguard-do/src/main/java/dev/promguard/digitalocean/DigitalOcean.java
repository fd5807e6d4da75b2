package dev.promguard.digitalocean;

import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Answers.Droplet;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.digitalocean.internal.LostAnswerException;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
    private static final Logger LOG = LoggerFactory.getLogger(DigitalOcean.class);
    private static final int CONFLICT = 409;
    private static final int UNPROCESSABLE = 422;
    private static final int BATCH = 10;
    private static final int PAGE = 200;
    private static final int MOST_PAGES = 500;
    private static final int LARGEST_USER_DATA = 64 * 1024;
    private static final int LEAST_LOOKS = 3;
    private static final int LOOKS_UNTIL_LATE = 20;
    private static final Duration LONGEST_LAST_LOOK = Duration.ofSeconds(10);
    private static final Duration LONGEST_SETTING = Duration.ofDays(1);
    private static final Pattern NEXT_PAGE = Pattern.compile("[?&]page=([0-9]{1,6})(?:&|$)");
    private static final String TAG = "promguard";
    private static final String ROLE_TAG = "promguard:role:";
    private static final String ATTEMPT_TAG = "promguard:attempt:";

    private final Http http;
    private final Duration pollInterval;
    private final Duration listLag;
    private final Duration lastLook;

    /** DigitalOcean with every default, and the token from the environment. Reads the token when it is first needed. */
    public DigitalOcean() {
        this(builder());
    }

    private DigitalOcean(Builder builder) {
        Secret given = builder.token;
        http = new Http(
                builder.endpoint,
                () -> given == null ? tokenFromEnvironment() : given,
                builder.callTimeout,
                builder.retryPause);
        pollInterval = builder.pollInterval;
        listLag = builder.listLag;
        lastLook = builder.callTimeout.compareTo(LONGEST_LAST_LOOK) < 0 ? builder.callTimeout : LONGEST_LAST_LOOK;
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
        private Duration retryPause = Duration.ofMillis(500);
        private Duration listLag = Duration.ofSeconds(20);

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
         * How long one call may take, up to the end of its answer. 60 seconds unless said.
         *
         * @param value longer than zero, at most a day
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder callTimeout(Duration value) {
            callTimeout = inRange("callTimeout", value);
            return this;
        }

        /**
         * How often to look while waiting for droplets. 3 seconds unless said.
         *
         * @param value longer than zero, at most a day
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder pollInterval(Duration value) {
            pollInterval = inRange("pollInterval", value);
            return this;
        }

        /**
         * How long to wait before a call that failed is sent again, where it may be. Each further wait is twice as long, up to
         * sixteen times; all are shortened at random by up to a half. Half a second unless said. When the API itself says how
         * long to wait, that counts.
         *
         * @param value longer than zero, at most a day
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder retryPause(Duration value) {
            retryPause = inRange("retryPause", value);
            return this;
        }

        /**
         * How far lists may lag behind what was done. For so long is a droplet looked for whose create call got no answer,
         * before the call is sent again, and a droplet that no list shows, before it counts as vanished. 20 seconds unless
         * said. Too short a time may make a droplet twice.
         *
         * @param value longer than zero, at most a day
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder listLag(Duration value) {
            listLag = inRange("listLag", value);
            return this;
        }

        private static Duration inRange(String field, Duration value) {
            if (value.isNegative() || value.isZero() || value.compareTo(LONGEST_SETTING) > 0) {
                throw new IllegalArgumentException(field + " " + value + " is not longer than zero and at most a day");
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
        Answers.Account account = http.get("/v2/account", Answers.AccountAnswer.class, Deadline.never())
                .account();
        if (account == null) {
            throw incomplete("/v2/account");
        }
        List<String> faults = new ArrayList<>();
        Map<String, Price> prices = new HashMap<>();
        if (orders.isEmpty()) {
            return new Quote(faults, prices);
        }
        if ("locked".equals(account.status())) {
            faults.add("account: it is locked; ask DigitalOcean's support");
        }
        Offer offer = offer();
        int inUse = droplets("/v2/droplets", Deadline.never()).size();
        if (account.dropletLimit() > 0 && inUse + orders.size() > account.dropletLimit()) {
            faults.add("nodes: " + orders.size() + " droplets are wanted and " + inUse
                    + " are in use, but the account's limit is " + account.dropletLimit()
                    + ": ask DigitalOcean to raise it, or wish for fewer");
        }
        for (HostOrder order : orders) {
            offer.check(order, faults);
            offer.price(order.size()).ifPresent(price -> prices.put(order.name(), price));
        }
        return new Quote(faults, prices);
    }

    private Offer offer() {
        return Offer.of(
                paged("/v2/regions", Answers.RegionsAnswer.class, a -> a.regions(), a -> a.links(), Deadline.never()),
                paged("/v2/sizes", Answers.SizesAnswer.class, a -> a.sizes(), a -> a.links(), Deadline.never()),
                paged(
                        "/v2/images?type=distribution",
                        Answers.ImagesAnswer.class,
                        a -> a.images(),
                        a -> a.links(),
                        Deadline.never()));
    }

    @Override
    public List<CloudHost> list(String mesh) {
        return tagged(meshTag(mesh), Deadline.never()).stream()
                .map(DigitalOcean::host)
                .sorted(Comparator.comparing(CloudHost::name).thenComparing(CloudHost::id))
                .toList();
    }

    private List<Droplet> tagged(String tag, Deadline deadline) {
        return droplets("/v2/droplets?tag_name=" + encode(tag), deadline).stream()
                .filter(droplet -> carries(droplet, tag))
                .toList();
    }

    /** A droplet that two pages show, since another one came or went meanwhile, is there once. */
    private List<Droplet> droplets(String path, Deadline deadline) {
        Map<Long, Droplet> byId = new LinkedHashMap<>();
        paged(path, Answers.DropletsAnswer.class, a -> a.droplets(), a -> a.links(), deadline)
                .forEach(droplet -> byId.put(droplet.id(), droplet));
        return List.copyOf(byId.values());
    }

    private static boolean carries(Droplet droplet, String tag) {
        if (droplet.tags() == null) {
            throw new ProviderException("DigitalOcean does not show the tags of droplet " + droplet.id()
                    + ", so it is not known whose it is: make a token that may also read tags (tag:read)");
        }
        // The API shows a tag as it was first written, whatever the case of later uses.
        return droplet.tags().stream().anyMatch(tag::equalsIgnoreCase);
    }

    @Override
    public AccessKey registerAccessKey(String mesh, SshPublicKey key) {
        String fingerprint = key.md5Fingerprint();
        Map<String, String> body = new LinkedHashMap<>();
        body.put("name", keyName(mesh));
        body.put("public_key", key.line());
        ProviderException failure = null;
        for (int look = 0; look < LEAST_LOOKS; look++) {
            if (look > 0) {
                Http.pause(pollInterval);
            }
            Answers.KeyAnswer found =
                    http.find("/v2/account/keys/" + fingerprint, Answers.KeyAnswer.class, Deadline.never());
            try {
                if (found == null || found.key() == null) {
                    found = http.post("/v2/account/keys", body, Answers.KeyAnswer.class);
                }
            } catch (LostAnswerException e) {
                failure = e.failure();
            } catch (ProviderException e) {
                // A key that is there already is refused with 422, as is one that is no good: the next look tells.
                if (e.status().orElse(0) != UNPROCESSABLE) {
                    throw e;
                }
                failure = e;
            }
            Answers.Key registered = found == null ? null : found.key();
            if (registered != null && registered.id() != 0) {
                return new AccessKey(
                        Long.toString(registered.id()),
                        fingerprint,
                        keyName(mesh).equals(registered.name()));
            }
        }
        throw failure == null ? incomplete("/v2/account/keys") : failure;
    }

    @Override
    public int batchSize() {
        return BATCH;
    }

    @Override
    public List<CloudHost> create(CreateOrder order) {
        if (order.names().size() > BATCH) {
            throw new IllegalArgumentException(
                    order.names().size() + " names in one order: DigitalOcean takes at most " + BATCH);
        }
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("names", order.names());
        body.put("region", order.region());
        body.put("size", order.size());
        body.put("image", order.image());
        String keyId = order.accessKey().id();
        body.put("ssh_keys", List.of(keyId.matches("[0-9]{1,18}") ? (Object) Long.valueOf(keyId) : keyId));
        body.put("tags", List.of(TAG, meshTag(order.mesh()), ROLE_TAG + order.role(), attemptTag(order)));
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
        ProviderException lost = null;
        for (int attempt = 0; attempt < 2; attempt++) {
            boolean again;
            try {
                Answers.DropletsAnswer answer = http.post("/v2/droplets", body, Answers.DropletsAnswer.class);
                List<CloudHost> hosts = Objects.requireNonNullElse(answer.droplets(), List.<Droplet>of()).stream()
                        .map(DigitalOcean::host)
                        .toList();
                if (isWhole(hosts, order)) {
                    return lost == null ? hosts : withoutDoubles(hosts, order);
                }
                lost = incomplete("/v2/droplets");
                again = false;
            } catch (LostAnswerException e) {
                lost = e.failure();
                again = !e.accepted();
            } catch (ProviderException e) {
                if (lost == null) {
                    throw e;
                }
                // The second order may be refused because the first one was carried out after all.
                lost = e;
                again = false;
            }
            List<CloudHost> found = lookUp(order, lost);
            if (!found.isEmpty()) {
                return found;
            }
            if (!again) {
                break;
            }
        }
        throw unknown(order, Objects.requireNonNull(lost));
    }

    /** What an order made: all of it, or nothing that any list showed for as long as lists may lag. */
    private List<CloudHost> lookUp(CreateOrder order, ProviderException lost) {
        Deadline lag = Deadline.after(listLag);
        List<CloudHost> found = List.of();
        for (int look = 0; look < LEAST_LOOKS || !lag.isOver(); look++) {
            Http.pause(pollInterval);
            found = look(order);
            if (isWhole(found, order)) {
                return found;
            }
        }
        if (found.isEmpty()) {
            return found;
        }
        throw otherThanOrdered(found, order, lost);
    }

    private List<CloudHost> look(CreateOrder order) {
        try {
            return tagged(attemptTag(order), Deadline.never()).stream()
                    .map(DigitalOcean::host)
                    .filter(host -> order.names().contains(host.name()))
                    .toList();
        } catch (ProviderException e) {
            throw unknown(order, e);
        }
    }

    /** After an order was sent twice: the first one may have been carried out after all. */
    private List<CloudHost> withoutDoubles(List<CloudHost> hosts, CreateOrder order) {
        Set<String> ids = new HashSet<>();
        hosts.forEach(host -> ids.add(host.id()));
        List<CloudHost> found = look(order);
        if (!found.stream().allMatch(host -> ids.contains(host.id()))) {
            throw otherThanOrdered(found, order, null);
        }
        return hosts;
    }

    private static ProviderException otherThanOrdered(
            List<CloudHost> found, CreateOrder order, @Nullable ProviderException cause) {
        List<String> made = found.stream()
                .map(host -> Names.quote(host.name()) + " (id " + host.id() + ")")
                .sorted()
                .toList();
        return new ProviderException(
                "DigitalOcean made " + String.join(", ", made) + " where " + String.join(", ", order.names())
                        + " were ordered. Run apply again: it goes on from what there is.",
                null,
                null,
                cause == null ? null : cause.requestId().orElse(null),
                true,
                cause);
    }

    private static boolean isWhole(List<CloudHost> hosts, CreateOrder order) {
        return hosts.stream()
                .map(CloudHost::name)
                .sorted()
                .toList()
                .equals(order.names().stream().sorted().toList());
    }

    /** Carries no status of a refusal: the engine would take it that nothing was made. */
    private static ProviderException unknown(CreateOrder order, ProviderException cause) {
        int status = cause.status().orElse(0);
        return new ProviderException(
                "it is not known whether DigitalOcean made " + String.join(", ", order.names())
                        + ", since it gave no usable answer: " + cause.getMessage()
                        + " Run apply again: it looks for them by their tag " + attemptTag(order) + " and goes on.",
                status >= 500 ? status : null,
                cause.id().orElse(null),
                cause.requestId().orElse(null),
                true,
                cause);
    }

    @Override
    public Arrival await(String mesh, Set<String> ids, Duration timeout) {
        Deadline deadline = Deadline.after(timeout);
        Deadline calls = deadline.plus(lastLook);
        Set<String> open = new TreeSet<>(ids);
        Map<String, CloudHost> ready = new TreeMap<>();
        Map<String, String> missing = new TreeMap<>();
        Map<String, Deadline> absent = new HashMap<>();
        Map<String, Droplet> listed = Map.of();
        ProviderException failure = null;
        for (int look = 1; !open.isEmpty(); look++) {
            try {
                listed = byId(tagged(meshTag(mesh), calls));
                failure = null;
                for (String id : open) {
                    Droplet droplet = listed.get(id);
                    if (droplet == null) {
                        Deadline patience = absent.computeIfAbsent(id, key -> Deadline.after(listLag));
                        if (patience.isOver() && isGone(id, calls)) {
                            missing.put(id, vanished(id));
                        }
                    } else if (isReady(droplet)) {
                        ready.put(id, host(droplet));
                    } else {
                        absent.remove(id);
                        if (look % LOOKS_UNTIL_LATE == 0 && seemsErrored(id, calls)) {
                            missing.put(id, errored(id));
                        }
                    }
                }
            } catch (ProviderException e) {
                if (!e.retryable()) {
                    throw e;
                }
                failure = e;
            }
            open.removeAll(ready.keySet());
            open.removeAll(missing.keySet());
            if (deadline.isOver()) {
                break;
            }
            if (!open.isEmpty()) {
                Http.pause(deadline.atMost(pollInterval));
            }
        }
        for (String id : open) {
            missing.put(id, whyMissing(id, listed.get(id), timeout, failure, calls));
        }
        return new Arrival(List.copyOf(ready.values()), missing);
    }

    private static boolean isReady(Droplet droplet) {
        CloudHost host = host(droplet);
        return host.status() == CloudHost.Status.ACTIVE && host.publicAddress().isPresent();
    }

    private static Map<String, Droplet> byId(List<Droplet> droplets) {
        Map<String, Droplet> byId = new TreeMap<>();
        droplets.forEach(droplet -> byId.put(Long.toString(droplet.id()), droplet));
        return byId;
    }

    private Optional<Droplet> find(String id, Deadline deadline) {
        Answers.DropletAnswer answer = http.find("/v2/droplets/" + encode(id), Answers.DropletAnswer.class, deadline);
        if (answer != null && answer.droplet() == null) {
            throw incomplete("/v2/droplets/" + id);
        }
        return answer == null ? Optional.empty() : Optional.ofNullable(answer.droplet());
    }

    private boolean isGone(String id, Deadline deadline) {
        try {
            return find(id, deadline).isEmpty();
        } catch (ProviderException e) {
            LOG.debug("droplet {} cannot be looked at", id, e);
            return false;
        }
    }

    private boolean seemsErrored(String id, Deadline deadline) {
        try {
            return isErrored(id, deadline);
        } catch (ProviderException e) {
            LOG.debug("the actions of droplet {} cannot be looked at", id, e);
            return false;
        }
    }

    private boolean isErrored(String id, Deadline deadline) {
        Answers.ActionsAnswer answer =
                http.find("/v2/droplets/" + encode(id) + "/actions", Answers.ActionsAnswer.class, deadline);
        return answer != null
                && answer.actions() != null
                && answer.actions().stream()
                        .anyMatch(action -> "create".equals(action.type()) && "errored".equals(action.status()));
    }

    private static String vanished(String id) {
        return "droplet " + id
                + " has vanished: DigitalOcean could not place it; run apply again, or choose another region";
    }

    private static String errored(String id) {
        return "droplet " + id + " could not be made, says its create action: remove it in the control panel or with"
                + " destroy, then apply again";
    }

    /** Never throws: what cannot be asked about one droplet must not hide the others. */
    private String whyMissing(
            String id,
            @Nullable Droplet droplet,
            Duration timeout,
            @Nullable ProviderException failure,
            Deadline calls) {
        String after = " after " + timeout.toSeconds() + " s: run apply again";
        if (failure != null) {
            return "it is not known how droplet " + id + " is" + after + ". " + failure.getMessage();
        }
        if (droplet == null) {
            return "droplet " + id + " is in no list" + after;
        }
        try {
            if (isErrored(id, calls)) {
                return errored(id);
            }
        } catch (ProviderException e) {
            return "droplet " + id + " is not ready" + after + ". Its actions cannot be read: " + e.getMessage();
        }
        if ("active".equals(droplet.status())) {
            return "droplet " + id + " is active but has no public address" + after;
        }
        return "droplet " + id + " is still " + Names.quote(Objects.toString(droplet.status(), "?")) + after;
    }

    @Override
    public void delete(String mesh, Collection<String> ids, Duration timeout) {
        if (ids.isEmpty()) {
            return;
        }
        Deadline deadline = Deadline.after(timeout);
        Deadline calls = deadline.plus(lastLook);
        Set<String> unseen = new TreeSet<>(ids);
        Set<String> accepted = new HashSet<>();
        Map<String, Droplet> left = Map.of();
        ProviderException refusal = null;
        while (true) {
            try {
                left = left(mesh, ids, unseen, calls);
                if (left.isEmpty()) {
                    return;
                }
                refusal = null;
                for (String id : left.keySet()) {
                    if (!accepted.contains(id)) {
                        Optional<ProviderException> refused = deleteOne(id, calls);
                        if (refused.isEmpty()) {
                            accepted.add(id);
                        } else {
                            refusal = refused.get();
                        }
                    }
                }
            } catch (ProviderException e) {
                if (!e.retryable()) {
                    throw e;
                }
                refusal = e;
            }
            if (deadline.isOver()) {
                throw notGone(left, ids, timeout, refusal);
            }
            Http.pause(deadline.atMost(pollInterval));
        }
    }

    /** Which of the droplets are still there. One that no list has shown yet is asked for by itself, since lists lag. */
    private Map<String, Droplet> left(String mesh, Collection<String> ids, Set<String> unseen, Deadline deadline) {
        Map<String, Droplet> listed = byId(tagged(meshTag(mesh), deadline));
        Map<String, Droplet> left = new TreeMap<>();
        for (String id : ids) {
            Droplet droplet = listed.get(id);
            if (droplet != null) {
                unseen.remove(id);
                left.put(id, droplet);
            } else if (unseen.contains(id)) {
                Optional<Droplet> found = find(id, deadline).filter(one -> carries(one, meshTag(mesh)));
                found.ifPresentOrElse(one -> left.put(id, one), () -> unseen.remove(id));
            }
        }
        return left;
    }

    /** A droplet that is still being made refuses to be deleted for a while: that is returned, and not thrown. */
    private Optional<ProviderException> deleteOne(String id, Deadline deadline) {
        try {
            http.delete("/v2/droplets/" + encode(id), deadline);
            return Optional.empty();
        } catch (ProviderException e) {
            int status = e.status().orElse(0);
            if (!e.retryable() && status != CONFLICT && status != UNPROCESSABLE) {
                throw e;
            }
            return Optional.of(e);
        }
    }

    private static ProviderException notGone(
            Map<String, Droplet> left, Collection<String> ids, Duration timeout, @Nullable ProviderException refusal) {
        List<String> names = new ArrayList<>();
        left.forEach(
                (id, droplet) -> names.add(Names.quote(Objects.toString(droplet.name(), "?")) + " (id " + id + ")"));
        if (names.isEmpty()) {
            ids.forEach(id -> names.add("droplet " + id));
        }
        return new ProviderException(
                String.join(", ", names) + " not gone after " + timeout.toSeconds() + " s: run again"
                        + (refusal == null ? "" : ". " + refusal.getMessage()),
                null,
                null,
                refusal == null ? null : refusal.requestId().orElse(null),
                true,
                refusal);
    }

    @Override
    public void cleanUp(String mesh, Optional<AccessKey> key) {
        // A droplet that still carries the mark would lose it, and nobody would find it again.
        Deadline lag = Deadline.after(listLag);
        List<Droplet> left = tagged(meshTag(mesh), Deadline.never());
        while (!left.isEmpty() && !lag.isOver()) {
            Http.pause(pollInterval);
            left = tagged(meshTag(mesh), Deadline.never());
        }
        if (!left.isEmpty()) {
            throw new ProviderException(String.join(
                            ", ",
                            left.stream()
                                    .map(one -> Names.quote(Objects.toString(one.name(), "?")))
                                    .toList())
                    + " still carry the mark of mesh " + mesh + ", so it stays: run destroy again");
        }
        if (key.isPresent() && key.get().registered()) {
            http.delete("/v2/account/keys/" + encode(key.get().id()), Deadline.never());
        }
        for (Answers.Tag tag :
                paged("/v2/tags", Answers.TagsAnswer.class, a -> a.tags(), a -> a.links(), Deadline.never())) {
            String name = Objects.toString(tag.name(), "");
            boolean ours = name.equals(meshTag(mesh)) || name.startsWith(ATTEMPT_TAG + mesh + ":");
            boolean shared = name.equals(TAG) || name.startsWith(ROLE_TAG);
            boolean unused = tag.resources() != null && tag.resources().count() == 0;
            if (ours || (shared && unused)) {
                http.delete("/v2/tags/" + encode(name), Deadline.never());
            }
        }
    }

    private <A, T> List<T> paged(
            String path,
            Class<A> type,
            Function<A, @Nullable List<T>> items,
            Function<A, Answers.@Nullable Links> links,
            Deadline deadline) {
        List<T> all = new ArrayList<>();
        String separator = path.contains("?") ? "&" : "?";
        int page = 1;
        for (int pages = 0; pages < MOST_PAGES; pages++) {
            A answer = http.get(path + separator + "per_page=" + PAGE + "&page=" + page, type, deadline);
            List<T> found = items.apply(answer);
            if (found == null) {
                throw incomplete(path);
            }
            all.addAll(found);
            Answers.Links more = links.apply(answer);
            if (more == null || more.pages() == null || more.pages().next() == null) {
                return all;
            }
            int next = pageNumber(more.pages().next());
            if (next <= page) {
                throw incomplete(path);
            }
            page = next;
        }
        throw incomplete(path);
    }

    /** The link's host is not followed: only the number counts. Zero if there is none. */
    private static int pageNumber(String link) {
        Matcher matcher = NEXT_PAGE.matcher(link);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    /** A list that is cut short must not pass for a whole one: hosts would be made twice, or be left behind. */
    private static ProviderException incomplete(String path) {
        return new ProviderException(
                "DigitalOcean gave an incomplete answer for " + path
                        + ". See that the endpoint is its API, then run again.",
                null,
                null,
                null,
                true,
                null);
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
                Objects.toString(droplet.sizeSlug(), ""),
                status,
                publicAddress(droplet),
                Objects.requireNonNullElse(droplet.tags(), List.<String>of()).stream()
                        .filter(tag -> tag.startsWith(ATTEMPT_TAG))
                        .map(tag -> tag.substring(tag.lastIndexOf(':') + 1))
                        .findFirst(),
                Offer.price(droplet.size()));
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

    private static String attemptTag(CreateOrder order) {
        return ATTEMPT_TAG + order.mesh() + ":" + order.attempt();
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
