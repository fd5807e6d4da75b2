package dev.promguard.digitalocean;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Answers.Droplet;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostImage;
import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The API's lists, whole and each droplet once, and droplets as hosts of a mesh. Thread-safe. */
final class Api {
    private static final int PAGE = 200;
    private static final int MOST_PAGES = 500;
    /** What the pages of a list may come to together, in characters: some 15,000 droplets. */
    private static final long LARGEST_LIST = 96L * 1024 * 1024;

    /** So long may a droplet take to start and to get its addresses; most take half a minute. */
    private static final Duration YOUNG = Duration.ofMinutes(10);

    private static final Set<String> OWN_IMAGES = Set.of("snapshot", "backup", "custom");
    private static final int LONGEST_TEXT = 255;
    private static final Pattern NEXT_PAGE = Pattern.compile("[?&]page=([0-9]{1,6})(?:&|$)");

    private final Http http;

    Api(Http http) {
        this.http = http;
    }

    Http http() {
        return http;
    }

    <A, T> List<T> paged(
            String path,
            Class<A> type,
            Function<A, @Nullable List<T>> items,
            Function<A, Answers.@Nullable Links> links,
            Deadline deadline) {
        List<T> all = new ArrayList<>();
        String separator = path.contains("?") ? "&" : "?";
        int page = 1;
        long length = 0;
        for (int pages = 0; pages < MOST_PAGES; pages++) {
            Http.Page<A> read = http.page(path + separator + "per_page=" + PAGE + "&page=" + page, type, deadline);
            A answer = read.value();
            length += read.length();
            List<T> found = items.apply(answer);
            if (found == null) {
                throw incomplete(path);
            }
            if (found.size() > PAGE || length > LARGEST_LIST) {
                throw tooLong(path);
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
        throw tooLong(path);
    }

    private static ProviderException tooLong(String path) {
        return new ProviderException(
                ErrorCode.PROVIDER_ANSWER,
                "DigitalOcean gave a list for " + path + " that does not end, or pages of more than the " + PAGE
                        + " that were asked for. Check that the endpoint is its API, then run again.");
    }

    /** The link's host is not followed: only the number counts. Zero if there is none. */
    private static int pageNumber(String link) {
        Matcher matcher = NEXT_PAGE.matcher(link);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    List<Droplet> tagged(String tag, Deadline deadline) {
        return droplets("/v2/droplets?tag_name=" + encode(tag), deadline).stream()
                .filter(droplet -> carries(droplet, tag))
                .toList();
    }

    /** A droplet that two pages show, since another one came or went meanwhile, is there once. */
    List<Droplet> droplets(String path, Deadline deadline) {
        Map<Long, Droplet> byId = new LinkedHashMap<>();
        paged(path, Answers.DropletsAnswer.class, a -> a.droplets(), a -> a.links(), deadline)
                .forEach(droplet -> byId.put(droplet.id(), droplet));
        return List.copyOf(byId.values());
    }

    Optional<Droplet> find(String id, Deadline deadline) {
        Answers.DropletAnswer answer = http.find("/v2/droplets/" + encode(id), Answers.DropletAnswer.class, deadline);
        if (answer != null && answer.droplet() == null) {
            throw incomplete("/v2/droplets/" + id);
        }
        return answer == null ? Optional.empty() : Optional.ofNullable(answer.droplet());
    }

    static boolean carries(Droplet droplet, String tag) {
        if (droplet.tags() == null) {
            throw new ProviderException(
                    ErrorCode.PROVIDER_TOKEN,
                    "DigitalOcean does not show the tags of droplet " + droplet.id()
                            + ", so it is not known whose it is. Use a token that may also read tags (tag:read).");
        }
        // The API shows a tag as it was first written, whatever the case of later uses.
        return droplet.tags().stream().anyMatch(tag::equalsIgnoreCase);
    }

    static Map<String, Droplet> byId(List<Droplet> droplets) {
        Map<String, Droplet> byId = new TreeMap<>();
        droplets.forEach(droplet -> byId.put(Long.toString(droplet.id()), droplet));
        return byId;
    }

    /** A list that is cut short must not pass for a whole one: hosts would be made twice, or be left behind. */
    static ProviderException incomplete(String path) {
        return new ProviderException(
                ErrorCode.PROVIDER_ANSWER,
                "DigitalOcean gave an incomplete answer for " + path
                        + ". Check that the endpoint is its API, then run again.",
                null,
                null,
                null,
                true,
                null);
    }

    /** A time that something hangs on, and so must be there. */
    static Instant time(String path, @Nullable String text) {
        try {
            return Instant.parse(Objects.toString(text, ""));
        } catch (DateTimeParseException e) {
            throw incomplete(path);
        }
    }

    static CloudHost host(Droplet droplet) {
        CloudHost.Status status = switch (Objects.toString(droplet.status(), "")) {
            case "new" -> CloudHost.Status.NEW;
            case "active" -> CloudHost.Status.ACTIVE;
            case "archive" -> CloudHost.Status.ARCHIVED;
            default -> CloudHost.Status.OFF;
        };
        return new CloudHost(
                Long.toString(droplet.id()),
                shown(droplet.name()),
                droplet.region() == null ? "" : shown(droplet.region().slug()),
                shown(droplet.sizeSlug()),
                status,
                publicAddress(droplet),
                Objects.requireNonNullElse(droplet.tags(), List.<String>of()).stream()
                        .filter(tag -> tag.startsWith(Marks.ATTEMPT))
                        .map(tag -> shown(tag.substring(tag.lastIndexOf(':') + 1)))
                        .findFirst(),
                Offer.price(droplet.size()),
                droplet.locked(),
                true,
                Optional.ofNullable(droplet.image())
                        .filter(image -> image.id() != 0)
                        .map(Api::image));
    }

    private static HostImage image(Answers.Image image) {
        String slug = shown(image.slug());
        return new HostImage(
                Long.toString(image.id()),
                slug.isEmpty() ? Optional.empty() : Optional.of(slug),
                slug.isEmpty() && OWN_IMAGES.contains(Objects.toString(image.type(), "")));
    }

    /**
     * Droplets as hosts of which it is known whether they were created lately. The API's clock is asked only if a droplet may still start
     * or get an address: one that has no public IPv4 address yet is not given out with its IPv6 address while it is young.
     */
    List<CloudHost> hosts(List<Droplet> droplets) {
        boolean any = droplets.stream().anyMatch(Api::isUnfinished);
        Optional<Instant> now = any ? clock() : Optional.empty();
        return droplets.stream()
                .map(droplet -> {
                    boolean young = !isUnfinished(droplet) || isYoung(droplet, now);
                    CloudHost host = host(droplet).withYoung(young);
                    return young && isUnfinished(droplet) ? host.withoutAddress() : host;
                })
                .toList();
    }

    Optional<Instant> clock() {
        return http.time("/v2/account", Answers.AccountAnswer.class, Deadline.never());
    }

    /** Whether a droplet lacks what it may still get: to be started, or a public IPv4 address. */
    static boolean isUnfinished(Droplet droplet) {
        return "new".equals(droplet.status()) || ("active".equals(droplet.status()) && !hasIpv4(droplet));
    }

    /** Whether a droplet has a public IPv4 address. */
    static boolean hasIpv4(Droplet droplet) {
        return droplet.networks() != null
                && publicAddress(droplet, droplet.networks().v4()).isPresent();
    }

    private static boolean isYoung(Droplet droplet, Optional<Instant> now) {
        try {
            Instant created = Instant.parse(Objects.toString(droplet.createdAt(), ""));
            return now.map(time -> time.isBefore(created.plus(YOUNG))).orElse(true);
        } catch (DateTimeParseException e) {
            return true;
        }
    }

    /** A text of the API's as it may be shown: on one line, and no longer than a name may be. */
    private static String shown(@Nullable String text) {
        String whole = Objects.toString(text, "");
        String cut = whole.length() > LONGEST_TEXT ? whole.substring(0, LONGEST_TEXT) : whole;
        return Names.printable(cut).replaceAll("[\\n\\t]", "?");
    }

    private static Optional<String> publicAddress(Droplet droplet) {
        Answers.Networks networks = droplet.networks();
        if (networks == null) {
            return Optional.empty();
        }
        return publicAddress(droplet, networks.v4()).or(() -> publicAddress(droplet, networks.v6()));
    }

    private static Optional<String> publicAddress(Droplet droplet, @Nullable List<Answers.Network> networks) {
        return Objects.requireNonNullElse(networks, List.<Answers.Network>of()).stream()
                .filter(network -> "public".equals(network.type()))
                .map(network -> Objects.toString(network.address(), ""))
                .filter(address -> !address.isBlank())
                .findFirst()
                .map(address -> reachable(droplet, address));
    }

    /** The address that is connected to, and that goes into other hosts' files as an endpoint: one of a machine elsewhere. */
    private static String reachable(Droplet droplet, String text) {
        IPAddress address = Names.isAddress(text) ? new IPAddressString(text).getAddress() : null;
        if (address == null
                || address.isLoopback()
                || address.isMulticast()
                || address.isLinkLocal()
                || address.isAnyLocal()
                || (address.isIPv4() && address.isMax())) {
            throw new ProviderException(
                    ErrorCode.PROVIDER_ANSWER,
                    "DigitalOcean says that the public address of droplet " + droplet.id() + " is " + Names.quote(text)
                            + ", which no droplet can have. Check that the endpoint is its API, and check the droplet in the"
                            + " control panel.");
        }
        return address.toCanonicalString();
    }

    /** A text as one part of a path or a query, whatever it is. */
    static String encode(String text) {
        if (text.isEmpty() || text.equals(".") || text.equals("..")) {
            throw new ProviderException(
                    ErrorCode.STATE_DAMAGED,
                    Names.quote(text)
                            + " cannot be an id or name at DigitalOcean, so it was not sent. Restore the state that PromGuard wrote"
                            + " from a backup.");
        }
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
