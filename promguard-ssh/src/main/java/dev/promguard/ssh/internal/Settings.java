package dev.promguard.ssh.internal;

import java.time.Duration;

/**
 * Times of an applier, checked by its builder.
 *
 * @param connectTimeout how long one attempt may take
 * @param keepAlive how often a quiet host is asked whether it is there
 * @param factsTimeout how long facts and confirmations may take
 * @param applyTimeout how long all changes may take
 * @param rollbackAfter when a host rolls back what was not confirmed
 */
public record Settings(
        Duration connectTimeout,
        Duration keepAlive,
        Duration factsTimeout,
        Duration applyTimeout,
        Duration rollbackAfter) {}
