package dev.promguard.ssh;

import dev.promguard.InvalidSettingException;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.ssh.internal.Settings;
import dev.promguard.ssh.internal.SshConnector;
import dev.promguard.ssh.internal.Tarballs;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/**
 * Works on hosts over SSH, with nothing on them but {@code sh} and what Debian and Ubuntu bring along.
 *
 * <p>A host must prove one of the target's accepted host keys before anything is sent to it; no {@code known_hosts} file is
 * read or written. Each reading of facts and each run of changes is one script, sent on the standard input of {@code sh}, so
 * that no command line ever holds a key or a file's content. A login other than root must be allowed {@code sudo -n}.
 *
 * <p>Immutable and thread-safe; sessions are not, see {@link HostSession}.
 */
public final class SshApplier implements HostApplier {
    private final SshConnector connector;

    /** An applier with the defaults of {@link #builder()}. This is what {@link java.util.ServiceLoader} makes. */
    public SshApplier() {
        this(builder());
    }

    private SshApplier(Builder builder) {
        this.connector = new SshConnector(new Settings(
                builder.connectTimeout,
                builder.keepAlive,
                builder.factsTimeout,
                builder.applyTimeout,
                builder.rollbackAfter,
                builder.pushReleases,
                builder.releaseCache));
    }

    /**
     * Starts an applier with other settings than the defaults.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public HostSession open(HostTarget target) {
        return connector.open(Objects.requireNonNull(target, "target"));
    }

    @Override
    public Duration rollbackAfter() {
        return connector.rollbackAfter();
    }

    /** Collects an applier's settings. Not thread-safe. */
    public static final class Builder {
        private Duration connectTimeout = Duration.ofSeconds(10);
        private Duration keepAlive = Duration.ofSeconds(5);
        private Duration factsTimeout = Duration.ofSeconds(60);
        private Duration applyTimeout = Duration.ofMinutes(30);
        private Duration rollbackAfter = Duration.ofMinutes(2);
        private boolean pushReleases;
        private Path releaseCache = Tarballs.usualCache();

        private Builder() {}

        /**
         * How long one attempt to connect and log in may take. Default 10 seconds.
         *
         * @param timeout from 100 milliseconds to 10 minutes
         * @return this builder
         * @throws InvalidSettingException if it is out of range
         */
        public Builder connectTimeout(Duration timeout) {
            connectTimeout = require(timeout, "connectTimeout", Duration.ofMillis(100), Duration.ofMinutes(10));
            return this;
        }

        /**
         * How often a quiet host is asked whether it is still there; after five unanswered questions the connection is
         * given up. Default 5 seconds.
         *
         * @param interval from 1 second to 10 minutes; parts of a second are dropped
         * @return this builder
         * @throws InvalidSettingException if it is out of range
         */
        public Builder keepAlive(Duration interval) {
            keepAlive = require(interval, "keepAlive", Duration.ofSeconds(1), Duration.ofMinutes(10));
            return this;
        }

        /**
         * How long the reading of facts, or a confirmation, may take, not counting the wait for the first boot. Default 60
         * seconds.
         *
         * @param timeout from 1 second to 1 hour
         * @return this builder
         * @throws InvalidSettingException if it is out of range
         */
        public Builder factsTimeout(Duration timeout) {
            factsTimeout = require(timeout, "factsTimeout", Duration.ofSeconds(1), Duration.ofHours(1));
            return this;
        }

        /**
         * How long all changes to one host may take together. Default 30 minutes.
         *
         * @param timeout from 1 second to 24 hours
         * @return this builder
         * @throws InvalidSettingException if it is out of range
         */
        public Builder applyTimeout(Duration timeout) {
            applyTimeout = require(timeout, "applyTimeout", Duration.ofSeconds(1), Duration.ofHours(24));
            return this;
        }

        /**
         * How long after it was armed a host rolls back a change of its firewall, WireGuard interface or host key that
         * {@link HostSession#confirm()} has not confirmed. Default 2 minutes.
         *
         * @param delay from 1 second to 1 hour; parts of a second are dropped
         * @return this builder
         * @throws InvalidSettingException if it is out of range
         */
        public Builder rollbackAfter(Duration delay) {
            rollbackAfter = require(delay, "rollbackAfter", Duration.ofSeconds(1), Duration.ofHours(1));
            return this;
        }

        /**
         * Whether this machine fetches releases and sends them to the hosts over SSH, so that no host asks a mirror for them. False by
         * default: then a host gets a release this way only where it cannot fetch it itself. In either case, its SHA-256 is checked here
         * and on the host.
         *
         * @param push true if hosts fetch nothing themselves
         * @return this builder
         */
        public Builder pushReleases(boolean push) {
            pushReleases = push;
            return this;
        }

        /**
         * Sets the folder that keeps the releases that this machine fetched for hosts, so that each is fetched once. It is created when it
         * is needed, and may be deleted at any time. By default {@code promguard} in {@code $XDG_CACHE_HOME}, or else in
         * {@code ~/.cache}, as the <a href="https://specifications.freedesktop.org/basedir-spec/latest/">XDG Base Directory
         * Specification</a> says.
         *
         * @param folder the folder
         * @return this builder
         */
        public Builder releaseCache(Path folder) {
            releaseCache = Objects.requireNonNull(folder, "folder");
            return this;
        }

        /**
         * Makes the applier.
         *
         * @return an applier with these settings
         */
        public SshApplier build() {
            return new SshApplier(this);
        }

        private static Duration require(Duration value, String name, Duration least, Duration most) {
            Objects.requireNonNull(value, name);
            if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
                throw new InvalidSettingException(name + " " + value + " is not between " + least + " and " + most);
            }
            return value;
        }
    }
}
