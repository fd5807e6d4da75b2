package dev.promguard;

import java.time.Duration;

/**
 * How long the verbs wait for others, and before they look again.
 *
 * @param grace how long hosts that are ready wait for others, so that they are configured together
 * @param list before a cloud's list is asked for again that lacks a host which should be there
 * @param firstScrape how much longer than a scrape interval a target may take to be up
 * @param targets before Prometheus is asked for its targets again, or a host for its handshakes
 * @param handshake how long a handshake may take once a packet is sent that needs one; WireGuard tries again every five seconds
 */
record Waits(Duration grace, Duration list, Duration firstScrape, Duration targets, Duration handshake) {
    static Waits usual() {
        return new Waits(
                Duration.ofSeconds(15),
                Duration.ofMillis(1500),
                Duration.ofSeconds(20),
                Duration.ofMillis(500),
                Duration.ofSeconds(12));
    }
}
