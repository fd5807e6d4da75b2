package dev.promguard.examples.localcloud;

import dev.promguard.InvalidSettingException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What can be made to go wrong, as it does at DigitalOcean now and then. May be switched at any time, from any thread; all off to
 * begin with.
 *
 * <p>Some faults befall the next so many calls, one each, of the kind that {@link #only} names; others befall the next so many
 * droplets, or last until they are switched off. Where several are due, a call that is not carried out comes before one that is.
 */
public final class Faults {
    /** What befalls a call. */
    enum OfCall {
        CLOSED,
        BURST_LIMIT,
        HOURLY_LIMIT,
        SERVER_ERROR,
        BAD_GATEWAY,
        DROPPED,
        TRUNCATED,
        CUT
    }

    /** What befalls a droplet that is being made. */
    enum OfCreate {
        ERRORED,
        BROKEN,
        DYING,
        VANISHING,
        STUCK
    }

    private final Map<OfCall, AtomicInteger> calls = new EnumMap<>(OfCall.class);
    private final Map<OfCreate, AtomicInteger> creates = new EnumMap<>(OfCreate.class);
    private final AtomicInteger droppedCreates = new AtomicInteger();
    private volatile Duration listLag = Duration.ZERO;
    private volatile Duration readLag = Duration.ZERO;
    private volatile Duration tagLag = Duration.ZERO;
    private volatile Duration lateAddresses = Duration.ZERO;
    private volatile Duration slowCreates = Duration.ZERO;
    private volatile Duration slowDeletes = Duration.ZERO;
    private volatile Duration slowAnswers = Duration.ZERO;
    private volatile Duration retryAfter = Duration.ofSeconds(1);
    private volatile Duration hourlyReset = Duration.ofHours(1);
    private volatile int refusedDeletes;
    private volatile int pageSize = Integer.MAX_VALUE;
    private volatile int dropletLimit = Integer.MAX_VALUE;
    private volatile boolean foreignPageLinks;
    private volatile String method = "*";
    private volatile List<String> path = List.of();

    Faults() {
        for (OfCall fault : OfCall.values()) {
            calls.put(fault, new AtomicInteger());
        }
        for (OfCreate fault : OfCreate.values()) {
            creates.put(fault, new AtomicInteger());
        }
    }

    /**
     * Restricts the faults of calls, {@link #slowAnswers} among them, to one kind of call; all others pass unharmed and are not
     * counted.
     *
     * @param wantedMethod such as {@code POST}; {@code *} for any
     * @param wantedPath such as {@code /v2/droplets} or {@code /v2/tags/*}, where {@code *} stands for any one part; a lone
     *     {@code *} for any path
     * @return this
     */
    public Faults only(String wantedMethod, String wantedPath) {
        method = wantedMethod;
        path = wantedPath.equals("*") ? List.of() : parts(wantedPath);
        return this;
    }

    /**
     * Leaves droplets out of lists until they are this old.
     *
     * @param age how long after the create call; zero for none
     * @return this
     */
    public Faults listLag(Duration age) {
        listLag = age;
        return this;
    }

    /**
     * Answers 404 for a droplet by its id until it is this old.
     *
     * @param age how long after the create call; zero for none
     * @return this
     */
    public Faults readLag(Duration age) {
        readLag = age;
        return this;
    }

    /**
     * Leaves tags out of lists until they are this old, and does not count younger droplets among what carries a tag.
     *
     * @param age how long after the tag, or the droplet, was made; zero for none
     * @return this
     */
    public Faults tagLag(Duration age) {
        tagLag = age;
        return this;
    }

    /**
     * Shows the addresses of a droplet this much later than it becomes active.
     *
     * @param delay how long after the status becomes active; zero for none
     * @return this
     */
    public Faults lateAddresses(Duration delay) {
        lateAddresses = delay;
        return this;
    }

    /**
     * Begins to bring droplets up this much later than their create call; until then they are {@code new}.
     *
     * @param delay how long after the create call; zero for none
     * @return this
     */
    public Faults slowCreates(Duration delay) {
        slowCreates = delay;
        return this;
    }

    /**
     * Begins to take droplets away this much later than their delete call; until then lists show them.
     *
     * @param delay how long after the delete call; zero for none
     * @return this
     */
    public Faults slowDeletes(Duration delay) {
        slowDeletes = delay;
        return this;
    }

    /**
     * Holds each answer back.
     *
     * @param delay how long; half of it before the head, half of it amid the body; zero for none
     * @return this
     */
    public Faults slowAnswers(Duration delay) {
        slowAnswers = delay;
        return this;
    }

    /**
     * Shows at most this many items a page, whatever a call asks for.
     *
     * @param most 1 or more
     * @return this
     * @throws InvalidSettingException if it is less than 1
     */
    public Faults pageSize(int most) {
        pageSize = LocalCloudOptions.atLeast(1, "page size", most);
        return this;
    }

    /**
     * Lets the account have no more droplets than this, whatever it was started with.
     *
     * @param limit 0 or more
     * @return this
     * @throws InvalidSettingException if it is negative
     */
    public Faults dropletLimit(int limit) {
        dropletLimit = LocalCloudOptions.atLeast(0, "droplet limit", limit);
        return this;
    }

    /**
     * Carries out the next create calls for droplets, and then closes the connection in place of an answer. Heeds no
     * {@link #only}.
     *
     * @param calls how many
     * @return this
     */
    public Faults dropCreateAnswers(int calls) {
        droppedCreates.set(calls);
        return this;
    }

    /**
     * Carries out the next calls, and then closes the connection in place of an answer.
     *
     * @param calls how many
     * @return this
     */
    public Faults dropAnswers(int calls) {
        return set(OfCall.DROPPED, calls);
    }

    /**
     * Closes the connection of the next calls before their body is read, and does not carry them out.
     *
     * @param calls how many
     * @return this
     */
    public Faults closeConnections(int calls) {
        return set(OfCall.CLOSED, calls);
    }

    /**
     * Answers the next calls with 429, as after too many of them within a minute: there is room within the hour.
     *
     * @param calls how many
     * @param wait what {@code retry-after} says, in whole seconds
     * @return this
     */
    public Faults rateLimit(int calls, Duration wait) {
        retryAfter = wait;
        return set(OfCall.BURST_LIMIT, calls);
    }

    /**
     * Answers the next calls with 429, as after too many of them within an hour: {@code ratelimit-remaining} is 0, and only
     * {@code ratelimit-reset} says how long to wait.
     *
     * @param calls how many
     * @param reset how far ahead {@code ratelimit-reset} is, in whole seconds
     * @return this
     */
    public Faults hourlyLimit(int calls, Duration reset) {
        hourlyReset = reset;
        return set(OfCall.HOURLY_LIMIT, calls);
    }

    /**
     * Answers the next calls with 503 and a page of HTML, and does not carry them out.
     *
     * @param calls how many
     * @return this
     */
    public Faults serverErrors(int calls) {
        return set(OfCall.SERVER_ERROR, calls);
    }

    /**
     * Carries out the next calls, and then answers with 502 and a page of HTML.
     *
     * @param calls how many
     * @return this
     */
    public Faults badGateways(int calls) {
        return set(OfCall.BAD_GATEWAY, calls);
    }

    /**
     * Carries out the next calls that have a body to answer with, and sends half of it as if that were all.
     *
     * @param calls how many
     * @return this
     */
    public Faults truncateAnswers(int calls) {
        return set(OfCall.TRUNCATED, calls);
    }

    /**
     * Carries out the next calls that have a body to answer with, and closes the connection amid it.
     *
     * @param calls how many
     * @return this
     */
    public Faults cutAnswers(int calls) {
        return set(OfCall.CUT, calls);
    }

    /**
     * Accepts the next droplets, then ends their create action as errored and takes them away.
     *
     * @param droplets how many
     * @return this
     */
    public Faults erroredCreates(int droplets) {
        return set(OfCreate.ERRORED, droplets);
    }

    /**
     * Accepts the next droplets, then ends their create action as errored and leaves them {@code new} for ever.
     *
     * @param droplets how many
     * @return this
     */
    public Faults brokenCreates(int droplets) {
        return set(OfCreate.BROKEN, droplets);
    }

    /**
     * Accepts the next droplets, whose machines then die while they boot: their create action ends as errored, and they stay
     * {@code new}. Of use only where droplets have machines.
     *
     * @param droplets how many
     * @return this
     */
    public Faults dyingCreates(int droplets) {
        return set(OfCreate.DYING, droplets);
    }

    /**
     * Accepts the next droplets, of which then nothing is known any more: neither they nor their create action.
     *
     * @param droplets how many
     * @return this
     */
    public Faults vanishingCreates(int droplets) {
        return set(OfCreate.VANISHING, droplets);
    }

    /**
     * Accepts the next droplets, which then stay {@code new} for ever.
     *
     * @param droplets how many
     * @return this
     */
    public Faults stuckCreates(int droplets) {
        return set(OfCreate.STUCK, droplets);
    }

    /**
     * Refuses to delete a droplet while it is still {@code new}: with 422 by its id, and by its tag it is passed over.
     *
     * @param refuse whether to
     * @return this
     */
    public Faults refuseDeleteWhileNew(boolean refuse) {
        return refuseDeleteWhileNew(refuse ? 422 : 0);
    }

    /**
     * Refuses to delete a droplet while it is still {@code new}: by its id with a status, and by its tag it is passed over.
     *
     * @param status 409 or 422, or 0 not to refuse
     * @return this
     * @throws InvalidSettingException if it is another
     */
    public Faults refuseDeleteWhileNew(int status) {
        if (status != 0 && status != 409 && status != 422) {
            throw new InvalidSettingException("status " + status + " is not one of a refusal: use 409, 422 or 0");
        }
        refusedDeletes = status;
        return this;
    }

    /**
     * Points the links between pages at another host, which no client should call.
     *
     * @param foreign whether to
     * @return this
     */
    public Faults foreignPageLinks(boolean foreign) {
        foreignPageLinks = foreign;
        return this;
    }

    /**
     * Switches everything off.
     *
     * @return this
     */
    public Faults clear() {
        calls.values().forEach(left -> left.set(0));
        creates.values().forEach(left -> left.set(0));
        pageSize = Integer.MAX_VALUE;
        dropletLimit = Integer.MAX_VALUE;
        return only("*", "*")
                .listLag(Duration.ZERO)
                .readLag(Duration.ZERO)
                .tagLag(Duration.ZERO)
                .lateAddresses(Duration.ZERO)
                .slowCreates(Duration.ZERO)
                .slowDeletes(Duration.ZERO)
                .slowAnswers(Duration.ZERO)
                .dropCreateAnswers(0)
                .refuseDeleteWhileNew(false)
                .foreignPageLinks(false);
    }

    private Faults set(OfCall fault, int count) {
        left(calls, fault).set(count);
        return this;
    }

    private Faults set(OfCreate fault, int count) {
        left(creates, fault).set(count);
        return this;
    }

    Duration listLag() {
        return listLag;
    }

    Duration readLag() {
        return readLag;
    }

    Duration tagLag() {
        return tagLag;
    }

    Duration lateAddresses() {
        return lateAddresses;
    }

    Duration slowCreates() {
        return slowCreates;
    }

    Duration slowDeletes() {
        return slowDeletes;
    }

    Duration slowAnswers() {
        return slowAnswers;
    }

    Duration retryAfter() {
        return retryAfter;
    }

    Duration hourlyReset() {
        return hourlyReset;
    }

    /** The status that the delete call of a {@code new} droplet is refused with; 0 if it is not. */
    int refusedDeletes() {
        return refusedDeletes;
    }

    int pageSize() {
        return pageSize;
    }

    int dropletLimit() {
        return dropletLimit;
    }

    boolean foreignPageLinks() {
        return foreignPageLinks;
    }

    /** Whether the faults of calls may befall this one. */
    boolean concern(String calledMethod, String calledPath) {
        List<String> wanted = path;
        if (!method.equals("*") && !method.equals(calledMethod)) {
            return false;
        }
        return wanted.isEmpty() || Call.matches(wanted, parts(calledPath));
    }

    boolean take(OfCall fault) {
        return take(left(calls, fault));
    }

    boolean take(OfCreate fault) {
        return take(left(creates, fault));
    }

    boolean takeDroppedCreate() {
        return take(droppedCreates);
    }

    private static <K> AtomicInteger left(Map<K, AtomicInteger> counts, K fault) {
        AtomicInteger left = counts.get(fault);
        if (left == null) {
            throw new IllegalStateException("no count of " + fault);
        }
        return left;
    }

    private static boolean take(AtomicInteger left) {
        return left.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
    }

    private static List<String> parts(String path) {
        return List.of(path.replaceFirst("^/+", "").replaceFirst("/+$", "").split("/", -1));
    }
}
