package dev.promguard.examples.localcloud;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What can be made to go wrong, as it does at DigitalOcean now and then. May be switched at any time, from any thread; all off to
 * begin with.
 */
public final class Faults {
    private volatile Duration listLag = Duration.ZERO;
    private volatile Duration readLag = Duration.ZERO;
    private volatile Duration lateAddresses = Duration.ZERO;
    private volatile Duration slowAnswers = Duration.ZERO;
    private volatile Duration retryAfter = Duration.ofSeconds(1);
    private volatile boolean refuseDeleteWhileNew;
    private volatile boolean foreignPageLinks;
    private final AtomicInteger droppedCreates = new AtomicInteger();
    private final AtomicInteger rateLimited = new AtomicInteger();
    private final AtomicInteger serverErrors = new AtomicInteger();
    private final AtomicInteger erroredCreates = new AtomicInteger();
    private final AtomicInteger stuckCreates = new AtomicInteger();

    Faults() {}

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
     * Carries out the next create calls for droplets, and then closes the connection in place of an answer.
     *
     * @param calls how many
     * @return this
     */
    public Faults dropCreateAnswers(int calls) {
        droppedCreates.set(calls);
        return this;
    }

    /**
     * Answers the next calls with 429.
     *
     * @param calls how many
     * @param wait what {@code retry-after} says, in whole seconds
     * @return this
     */
    public Faults rateLimit(int calls, Duration wait) {
        retryAfter = wait;
        rateLimited.set(calls);
        return this;
    }

    /**
     * Answers the next calls with 503 and a page of HTML, and does not carry them out.
     *
     * @param calls how many
     * @return this
     */
    public Faults serverErrors(int calls) {
        serverErrors.set(calls);
        return this;
    }

    /**
     * Accepts the next droplets, then ends their create action as errored and takes them away.
     *
     * @param droplets how many
     * @return this
     */
    public Faults erroredCreates(int droplets) {
        erroredCreates.set(droplets);
        return this;
    }

    /**
     * Accepts the next droplets, which then stay {@code new} for ever.
     *
     * @param droplets how many
     * @return this
     */
    public Faults stuckCreates(int droplets) {
        stuckCreates.set(droplets);
        return this;
    }

    /**
     * Refuses to delete a droplet, by its id, while it is still {@code new}.
     *
     * @param refuse whether to
     * @return this
     */
    public Faults refuseDeleteWhileNew(boolean refuse) {
        refuseDeleteWhileNew = refuse;
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
        return listLag(Duration.ZERO)
                .readLag(Duration.ZERO)
                .lateAddresses(Duration.ZERO)
                .slowAnswers(Duration.ZERO)
                .dropCreateAnswers(0)
                .rateLimit(0, Duration.ofSeconds(1))
                .serverErrors(0)
                .erroredCreates(0)
                .stuckCreates(0)
                .refuseDeleteWhileNew(false)
                .foreignPageLinks(false);
    }

    Duration listLag() {
        return listLag;
    }

    Duration readLag() {
        return readLag;
    }

    Duration lateAddresses() {
        return lateAddresses;
    }

    Duration slowAnswers() {
        return slowAnswers;
    }

    Duration retryAfter() {
        return retryAfter;
    }

    boolean refusesDeleteWhileNew() {
        return refuseDeleteWhileNew;
    }

    boolean foreignPageLinks() {
        return foreignPageLinks;
    }

    boolean takeDroppedCreate() {
        return take(droppedCreates);
    }

    boolean takeRateLimit() {
        return take(rateLimited);
    }

    boolean takeServerError() {
        return take(serverErrors);
    }

    boolean takeErroredCreate() {
        return take(erroredCreates);
    }

    boolean takeStuckCreate() {
        return take(stuckCreates);
    }

    private static boolean take(AtomicInteger left) {
        return left.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
    }
}
