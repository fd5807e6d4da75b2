package dev.promguard.ssh;

import dev.promguard.InvalidSettingException;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.spi.JumpHost;
import dev.promguard.ssh.internal.Settings;
import dev.promguard.ssh.internal.SshConnector;
import dev.promguard.ssh.internal.Tarballs;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Works on hosts over SSH, with nothing on them but {@code sh} and what Debian and Ubuntu bring along.
 *
 * <p>A host must prove one of the target's accepted host keys before anything is sent to it; no {@code known_hosts} file is
 * read or written. Each reading of facts and each run of changes is one script, sent on the standard input of {@code sh}, so
 * that no command line ever holds a key or a file's content. A login other than root must be allowed {@code sudo -n}.
 *
 * <p>Immutable and thread-safe; sessions are not, see {@link HostSession}. Only an applier that was given private keys for jump hosts needs to
 * be closed, which clears them.
 */
public final class SshApplier implements HostApplier, AutoCloseable {
    private final SshConnector connector;
    private final List<JumpHost> jumpHosts;
    private final List<Identity> own;

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
        this.own = new ArrayList<>();
        this.jumpHosts = builder.jumpHosts.build(own);
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
    public List<JumpHost> jumpHosts() {
        return jumpHosts;
    }

    /** Clears the private keys that were read for jump hosts. No session can be opened through those afterwards. */
    @Override
    public void close() {
        own.forEach(Identity::close);
    }

    @Override
    public Duration rollbackAfter() {
        return connector.rollbackAfter();
    }

    /**
     * How long a host waits before it rolls back.
     *
     * @return such as {@code SshApplier[rollback after 120 s]}
     */
    @Override
    public String toString() {
        return "SshApplier[rollback after " + rollbackAfter().toSeconds() + " s]";
    }

    /** Collects an applier's settings. Not thread-safe. */
    public static final class Builder {
        private Duration connectTimeout = Duration.ofSeconds(10);
        private Duration keepAlive = Duration.ofSeconds(5);
        private Duration factsTimeout = Duration.ofSeconds(60);
        private Duration applyTimeout = Duration.ofMinutes(30);
        private Duration rollbackAfter = Duration.ofMinutes(2);
        private final JumpHosts jumpHosts = new JumpHosts();
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
         * Names an SSH server that leads to every host of a cloud, and is none of the mesh, such as a bastion. Several are passed in the
         * order in which they are named. Nothing is run, read or changed on one: it has to let its user forward ports
         * ({@code AllowTcpForwarding}), who needs no shell. It is logged in to with the key with which hosts are, unless {@link
         * #jumpHost(String, String, Consumer)} says otherwise. {@link ExistingHosts} names its jump hosts itself, and passes none of these.
         *
         * @param name what messages call it: at most 63 lower-case letters, digits and dashes
         * @param login {@code user@address} or {@code user@address:port}, as in {@link ExistingHostsBuilder#host(String, String, String...)};
         *     a name is resolved where the connection is made
         * @param hostKeys the fingerprints of the host keys that it may show, as {@code ssh-keygen -lf
         *     /etc/ssh/ssh_host_ed25519_key.pub} prints them there: {@code SHA256:} and 43 characters; at least one
         * @return this builder
         * @throws NullPointerException if an argument is null
         * @throws InvalidSettingException if an argument is malformed, or the name was given before; the message says which
         */
        public Builder jumpHost(String name, String login, String... hostKeys) {
            return jumpHost(name, login, access -> access.hostKeys(hostKeys));
        }

        /**
         * Names an SSH server that leads to every host of a cloud, with more than host keys, such as an identity of its own.
         *
         * @param name what messages call it: at most 63 lower-case letters, digits and dashes
         * @param login as in {@link #jumpHost(String, String, String...)}
         * @param access says the rest; its {@link HostAccess#through} has no place here
         * @return this builder
         * @throws NullPointerException if an argument is null
         * @throws InvalidSettingException if an argument is malformed, or the name was given before; the message says which
         */
        public Builder jumpHost(String name, String login, Consumer<HostAccess> access) {
            jumpHosts.add(name, login, access);
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
         * @throws InvalidSettingException if the private key of a jump host cannot be read any more, or is encrypted and there is no passphrase
         *     for it
         */
        public SshApplier build() {
            return new SshApplier(this);
        }

        /**
         * How long a host waits before it rolls back.
         *
         * @return such as {@code SshApplier.Builder[rollback after 120 s]}
         */
        @Override
        public String toString() {
            return "SshApplier.Builder[rollback after " + rollbackAfter.toSeconds() + " s]";
        }

        private static String seconds(Duration bound) {
            return BigDecimal.valueOf(bound.toMillis(), 3).stripTrailingZeros().toPlainString() + " s";
        }

        private static Duration require(Duration value, String name, Duration least, Duration most) {
            Objects.requireNonNull(value, name);
            if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
                throw new InvalidSettingException(
                        name + " " + value + " is out of range: use " + seconds(least) + " to " + seconds(most));
            }
            return value;
        }
    }
}
