package dev.promguard.digitalocean;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Answers.Droplet;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.digitalocean.internal.Token;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Preflight;
import dev.promguard.spi.ProvisioningResult;
import dev.promguard.spi.Rebuild;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes hosts as DigitalOcean droplets.
 *
 * <pre>{@code
 * Mesh.builder()
 *         .monitor("tor1")
 *         .nodes(3)
 *         .provider(DigitalOcean.builder()
 *                 .token(Secret.env("DIGITALOCEAN_TOKEN"))
 *                 .sshFrom("203.0.113.0/24")
 *                 .tags("team:observability")
 *                 .build())
 *         .apply();
 * }</pre>
 *
 * <p>Droplets carry the tags {@code promguard}, {@code promguard:mesh:NAME},
 * {@code promguard:role:ROLE} and {@code promguard:attempt:NAME:WORD}; nothing that lacks the mesh's tag is listed, changed or deleted.
 * A droplet that the mesh's state knows by id and that has lost that tag gets it back.
 * The tags that name the mesh are removed with it. {@code promguard} and the roles' are shared by all meshes of an account and stay.
 *
 * <p>The token is taken from the builder, or, when it is first needed, from the environment: {@code DIGITALOCEAN_ACCESS_TOKEN}
 * (doctl's name) or {@code DIGITALOCEAN_TOKEN} (Terraform's). One from the environment is read for each call and cleared after it, so
 * that nothing has to be closed. All calls of one object share the API's limits: use one for all meshes of an account. Thread-safe.
 *
 * @see <a href="https://docs.digitalocean.com/reference/api/">DigitalOcean API, version 2</a>
 */
public final class DigitalOcean implements CloudProvider {
    private static final URI ENDPOINT = URI.create("https://api.digitalocean.com/");
    private static final int BATCH = 10;
    /** From how many droplets on one list is requested before single droplets are. */
    private static final int MANY_IDS = 5;

    private static final Duration LONGEST_LAST_LOOK = Duration.ofSeconds(10);
    private static final Duration LONGEST_SETTING = Duration.ofDays(1);
    private static final Pattern TAG_FORM = Pattern.compile("[A-Za-z0-9_:-]{1,255}");
    private static final Pattern UUID_FORM = Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    private static final Pattern KEY_FORM = Pattern.compile("[0-9]{1,18}|[0-9a-f]{2}(:[0-9a-f]{2}){15}");

    private final Api api;
    private final Duration listLag;
    private final Ordering ordering;
    private final Awaiting awaiting;
    private final Removal removal;
    private final Tagging tagging;
    private final CloudFirewall firewall;
    private final AccessKeys accessKeys;
    private final DropletActions actions;
    private final CleanUp cleanUp;
    private final DropletOptions options;
    private final PreflightChecks preflightChecks;

    /** DigitalOcean with every default, and the token from the environment, which is read when it is needed. */
    public DigitalOcean() {
        this(builder());
    }

    private DigitalOcean(Builder builder) {
        Secret given = builder.token;
        api = new Api(new Http(
                builder.endpoint,
                given == null ? Token.fromEnvironment() : Token.given(given),
                builder.callTimeout,
                builder.retryPause));
        Duration pollInterval = builder.pollInterval;
        listLag = builder.listLag;
        Duration lastLook =
                builder.callTimeout.compareTo(LONGEST_LAST_LOOK) < 0 ? builder.callTimeout : LONGEST_LAST_LOOK;
        ordering = new Ordering(api, pollInterval, listLag);
        awaiting = new Awaiting(api, pollInterval, listLag, lastLook);
        removal = new Removal(api, pollInterval, lastLook);
        tagging = new Tagging(api);
        firewall = new CloudFirewall(api, pollInterval, builder.sshFrom);
        accessKeys = new AccessKeys(api, pollInterval);
        actions = new DropletActions(api, pollInterval, lastLook);
        cleanUp = new CleanUp(api, firewall, accessKeys, pollInterval, listLag);
        Vpcs vpcs = new Vpcs(api, builder.vpcs);
        options = new DropletOptions(builder.ipv6, builder.monitoring, builder.sshKeys, builder.tags, vpcs);
        preflightChecks = new PreflightChecks(api, vpcs, builder.sshKeys);
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
        private Duration listLag = Duration.ofSeconds(90);
        private Set<String> sshFrom = Set.of();
        private List<String> vpcs = List.of();
        private boolean ipv6;
        private boolean monitoring;
        private List<String> sshKeys = List.of();
        private List<String> tags = List.of();

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
         * Where the API is. DigitalOcean's own by default.
         *
         * @param value an https URI, under which {@code /v2/} lies; an http one only of this machine itself, at
         *     {@code localhost}, {@code 127.0.0.1} or another loopback address, since the token is sent there unencrypted
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         * @throws InvalidSettingException if it is not such a URI
         */
        public Builder endpoint(URI value) {
            String scheme = String.valueOf(value.getScheme());
            if ((!scheme.equals("http") && !scheme.equals("https")) || value.getHost() == null) {
                throw new InvalidSettingException("endpoint " + Names.quote(value.toString())
                        + " is not an http or https URI with a host: use one such as https://api.digitalocean.com");
            }
            if (value.getRawUserInfo() != null || value.getRawQuery() != null || value.getRawFragment() != null) {
                throw new InvalidSettingException("endpoint "
                        + Names.quote(value.toString().replaceFirst("//[^/?#]*@", "//…@"))
                        + " holds a user name, a query or a fragment: give it without");
            }
            if (scheme.equals("http") && !Names.isLoopback(value.getHost())) {
                throw new InvalidSettingException("endpoint " + Names.quote(value.toString())
                        + " would have the API token cross the network unencrypted: use https, or http at a loopback"
                        + " address such as 127.0.0.1");
            }
            endpoint = value;
            return this;
        }

        /**
         * How long one call may take, up to the end of its answer. 60 seconds by default.
         *
         * @param value longer than zero, at most a day
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         * @throws InvalidSettingException if it is out of range
         */
        public Builder callTimeout(Duration value) {
            callTimeout = inRange("callTimeout", value);
            return this;
        }

        /**
         * How soon to look while waiting for droplets. Each further look at droplets that are being made comes twice as late,
         * up to five times this. 3 seconds by default.
         *
         * @param value longer than zero, at most a day
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         * @throws InvalidSettingException if it is out of range
         */
        public Builder pollInterval(Duration value) {
            pollInterval = inRange("pollInterval", value);
            return this;
        }

        /**
         * How long to wait before a call that failed is sent again, where it may be. Each further wait is twice as long, up to
         * sixteen times; all are shortened at random by up to a half. Half a second by default. When the API itself says how
         * long to wait, that counts.
         *
         * @param value longer than zero, at most a day
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         * @throws InvalidSettingException if it is out of range
         */
        public Builder retryPause(Duration value) {
            retryPause = inRange("retryPause", value);
            return this;
        }

        /**
         * How far lists may lag behind what was done. For so long is a droplet looked for whose create call got no answer,
         * before the call is sent again, and a droplet that no list shows, before it counts as vanished. 90 seconds unless
         * said. Too short a time may make a droplet twice.
         *
         * @param value longer than zero, at most a day
         * @return this builder
         * @throws NullPointerException if {@code value} is null
         * @throws InvalidSettingException if it is out of range
         */
        public Builder listLag(Duration value) {
            listLag = inRange("listLag", value);
            return this;
        }

        /**
         * Puts a firewall of DigitalOcean's own in front of the mesh's droplets, beside the one on each host. It admits SSH
         * from these networks alone, WireGuard from anywhere, and nothing else; what droplets send as TCP or UDP goes out. This
         * machine must be in one of the networks, or it cannot reach the droplets. None by default. It is removed with the
         * mesh.
         *
         * @param cidrs IPv4 or IPv6 networks, such as {@code 203.0.113.0/24}, or single addresses; at least one
         * @return this builder
         * @throws NullPointerException if one is null
         * @throws InvalidSettingException if there is none, or one is neither a network nor an address
         */
        public Builder sshFrom(String... cidrs) {
            sshFrom = CloudFirewall.networks(List.of(cidrs));
            return this;
        }

        /**
         * The VPC networks to put droplets in. A droplet goes into the one of its region, and where none of these is in its
         * region, into the region's default one. None by default.
         *
         * @param uuids the VPCs' ids, at most one for each region
         * @return this builder
         * @throws NullPointerException if one is null
         * @throws InvalidSettingException if one is not a UUID
         */
        public Builder vpc(String... uuids) {
            vpcs = formed("vpc", "a VPC's UUID", "the id that the control panel shows for it", UUID_FORM, uuids);
            return this;
        }

        /**
         * Gives droplets a public IPv6 address too. Off by default.
         *
         * @param value whether to
         * @return this builder
         */
        public Builder ipv6(boolean value) {
            ipv6 = value;
            return this;
        }

        /**
         * Has DigitalOcean install its own monitoring agent on droplets. Off by default.
         *
         * @param value whether to
         * @return this builder
         */
        public Builder monitoring(boolean value) {
            monitoring = value;
            return this;
        }

        /**
         * SSH keys of the account that droplets admit beside the mesh's own. None by default. They are never removed.
         *
         * @param idsOrFingerprints the keys' ids, or their MD5 fingerprints as 16 pairs of hex digits
         * @return this builder
         * @throws NullPointerException if one is null
         * @throws InvalidSettingException if one is neither
         */
        public Builder sshKeys(String... idsOrFingerprints) {
            sshKeys = formed(
                    "sshKeys",
                    "an SSH key's id or MD5 fingerprint",
                    "its number, or 16 pairs of hex digits as the control panel shows them",
                    KEY_FORM,
                    idsOrFingerprints);
            return this;
        }

        /**
         * Tags for droplets beside PromGuard's own, for bills and the like. None by default. They are never removed.
         *
         * @param names at most 255 letters, digits, colons, dashes and underscores each
         * @return this builder
         * @throws NullPointerException if one is null
         * @throws InvalidSettingException if one has another form, or is one of PromGuard's own
         */
        public Builder tags(String... names) {
            List<String> desired = formed(
                    "tags", "a tag", "1 to 255 letters, digits, colons, dashes and underscores", TAG_FORM, names);
            for (String name : desired) {
                String lower = name.toLowerCase(Locale.ROOT);
                if (lower.equals(Marks.ALL) || lower.startsWith(Marks.ALL + ":")) {
                    throw new InvalidSettingException("tags " + Names.quote(name)
                            + " is one of PromGuard's own: choose one that does not begin with \"promguard\"");
                }
            }
            tags = desired;
            return this;
        }

        /**
         * What was set, without the token.
         *
         * @return such as {@code DigitalOcean.Builder[a token, sshFrom 203.0.113.0/24]}
         */
        @Override
        public String toString() {
            return "DigitalOcean.Builder[" + (token == null ? "token of the environment" : "a token")
                    + (sshFrom.isEmpty() ? "" : ", sshFrom " + String.join(", ", sshFrom)) + ']';
        }

        private static List<String> formed(String field, String what, String use, Pattern form, String... values) {
            for (String value : values) {
                if (!form.matcher(value).matches()) {
                    throw new InvalidSettingException(
                            field + " " + Names.quote(value) + " is not " + what + ": use " + use);
                }
            }
            return List.of(values);
        }

        private static Duration inRange(String field, Duration value) {
            if (value.isNegative() || value.isZero() || value.compareTo(LONGEST_SETTING) > 0) {
                throw new InvalidSettingException(
                        field + " " + value + " is out of range: use more than zero and at most a day");
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

    @Override
    public String name() {
        return "DigitalOcean";
    }

    @Override
    public Preflight preflight(List<HostOrder> orders) {
        return preflightChecks.check(orders);
    }

    @Override
    public List<CloudHost> list(String mesh) {
        return api.hosts(api.tagged(Marks.mesh(mesh), Deadline.never())).stream()
                .sorted(Comparator.comparing(CloudHost::name).thenComparing(CloudHost::id))
                .toList();
    }

    @Override
    public Duration listLag() {
        return listLag;
    }

    @Override
    public List<FoundHost> find(String mesh, Collection<String> ids) {
        if (ids.isEmpty()) {
            return List.of();
        }
        // One list shows many, but only a droplet that a request by its id does not find is gone.
        Map<String, Droplet> listed =
                ids.size() < MANY_IDS ? Map.of() : Api.byId(api.droplets("/v2/droplets", Deadline.never()));
        List<FoundHost> found = new ArrayList<>();
        for (String id : new TreeSet<>(ids)) {
            Optional.ofNullable(listed.get(id))
                    .or(() -> api.find(id, Deadline.never()))
                    .ifPresent(droplet -> found.add(
                            new FoundHost(api.hosts(List.of(droplet)).get(0), Api.carries(droplet, Marks.mesh(mesh)))));
        }
        return List.copyOf(found);
    }

    @Override
    public void tag(String mesh, Collection<String> ids) {
        tagging.tag(mesh, new TreeSet<>(ids));
    }

    @Override
    public AccessKey registerAccessKey(String mesh, SshPublicKey key) {
        return accessKeys.register(mesh, key);
    }

    @Override
    public List<String> planFirewall(String mesh, Set<Integer> wireGuardPorts) {
        return firewall.planFirewall(mesh, wireGuardPorts);
    }

    @Override
    public List<String> ensureFirewall(String mesh, Set<Integer> wireGuardPorts) {
        return firewall.ensureFirewall(mesh, wireGuardPorts);
    }

    @Override
    public int batchSize() {
        return BATCH;
    }

    @Override
    public List<CloudHost> create(CreateOrder order) {
        if (order.names().size() > BATCH) {
            throw new InvalidSettingException(
                    order.names().size() + " names in one order: DigitalOcean takes at most " + BATCH);
        }
        return options.use(order, body -> ordering.send(order, body));
    }

    @Override
    public ProvisioningResult await(String mesh, Set<String> ids, Duration timeout, Consumer<CloudHost> ready) {
        return awaiting.await(mesh, ids, timeout, ready);
    }

    @Override
    public void powerOn(String mesh, String id, Duration timeout) {
        actions.powerOn(mesh, id, timeout);
    }

    @Override
    public void resize(String mesh, String id, String size, Duration timeout) {
        actions.resize(mesh, id, size, timeout);
    }

    @Override
    public void delete(String mesh, Collection<String> ids, Duration timeout) {
        removal.delete(mesh, ids, timeout);
    }

    @Override
    public void deleteAttempts(String mesh, Collection<String> attempts, Duration timeout) {
        removal.deleteAttempts(mesh, attempts, timeout);
    }

    /**
     * The time at which the API answers, as its {@code Date} header says.
     *
     * @return the time, in whole seconds; empty if there is no such header
     * @see <a href="https://www.rfc-editor.org/rfc/rfc9110#name-date">RFC 9110, Date</a>
     */
    @Override
    public Optional<Instant> clock() {
        return api.clock();
    }

    @Override
    public List<Rebuild> rebuilds(String mesh, String id) {
        Optional<Droplet> droplet = api.find(id, Deadline.never());
        if (droplet.isEmpty() || !Api.carries(droplet.get(), Marks.mesh(mesh))) {
            return List.of();
        }
        String path = "/v2/droplets/" + Api.encode(id) + "/actions";
        return api.paged(path, Answers.ActionsAnswer.class, a -> a.actions(), a -> a.links(), Deadline.never()).stream()
                .filter(action -> "rebuild".equals(action.type()))
                .map(action -> new Rebuild(
                        Api.time(path, action.startedAt()),
                        switch (Objects.toString(action.status(), "")) {
                            case "in-progress" -> Rebuild.Status.IN_PROGRESS;
                            case "completed" -> Rebuild.Status.COMPLETED;
                            default -> Rebuild.Status.FAILED;
                        }))
                .toList();
    }

    @Override
    public void cleanUp(String mesh, Optional<AccessKey> key) {
        cleanUp.cleanUp(mesh, key);
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
