package dev.promguard.ssh.internal;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Times of an applier, checked by its builder.
 *
 * @param connectTimeout how long one attempt may take
 * @param keepAlive how often a quiet host is asked whether it is there
 * @param factsTimeout how long facts and confirmations may take
 * @param applyTimeout how long all changes may take
 * @param rollbackAfter when a host rolls back what was not confirmed
 * @param pushReleases whether hosts fetch no release, and get all of them over the session
 * @param releaseCache the folder for the releases that this machine fetches for hosts
 */
public record Settings(
        Duration connectTimeout,
        Duration keepAlive,
        Duration factsTimeout,
        Duration applyTimeout,
        Duration rollbackAfter,
        boolean pushReleases,
        Path releaseCache) {}
