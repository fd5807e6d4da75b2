package dev.promguard.internal.run;

import java.time.Duration;

/**
 * How long a run waits for others, and before it asks again.
 *
 * @param grace how long hosts that are ready wait for others, so that they are configured together
 * @param list between two requests for a cloud's list that lacks an expected host
 * @param firstScrape how much longer than a scrape interval a target may take to be scraped first, and how long Prometheus may take to
 *     answer and to know its targets
 * @param targets between two requests for Prometheus' targets or a host's handshakes
 * @param handshake how long a handshake may take once a packet is sent that needs one; WireGuard tries again every five seconds
 */
public record PollIntervals(Duration grace, Duration list, Duration firstScrape, Duration targets, Duration handshake) {
    /**
     * The intervals outside tests.
     *
     * @return the defaults
     */
    public static PollIntervals ofDefaults() {
        return new PollIntervals(
                Duration.ofSeconds(15),
                Duration.ofMillis(1500),
                Duration.ofSeconds(20),
                Duration.ofMillis(500),
                Duration.ofSeconds(12));
    }

    /**
     * How long hosts that were there before wait for the first that is created in the same run.
     *
     * @return six times the grace
     */
    public Duration first() {
        return grace.multipliedBy(6);
    }
}
