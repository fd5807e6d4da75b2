package dev.promguard.spi;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.keys.HostKeyFingerprint;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** Which host to open, and how. Immutable. */
public final class HostTarget {
    private final String name;
    private final String address;
    private final int port;
    private final String user;
    private final Set<HostKeyFingerprint> acceptedHostKeys;
    private final HostCertificates certificates;
    private final boolean trustOnFirstUse;
    private final List<Identity> identities;
    private final List<HostTarget> jumpHosts;
    private final Duration timeout;

    private HostTarget(Builder builder) {
        name = builder.name;
        address = builder.address;
        port = builder.port;
        user = builder.user;
        acceptedHostKeys = builder.acceptedHostKeys;
        certificates = builder.certificates;
        trustOnFirstUse = builder.trustOnFirstUse;
        identities = builder.identities;
        jumpHosts = builder.jumpHosts;
        timeout = builder.timeout;
    }

    /**
     * Starts a target: root at port 22, tried for 30 seconds, until something else is set.
     *
     * @param name the host's name in the mesh, for messages
     * @param address its public IPv4 or IPv6 address; of a jump host it may be a name, and of a host behind one, the address as seen
     *     from there
     * @return a builder
     * @throws NullPointerException if an argument is null
     */
    public static Builder of(String name, String address) {
        return new Builder(Objects.requireNonNull(name, "name"), Objects.requireNonNull(address, "address"));
    }

    /**
     * Starts a target like this one.
     *
     * @return a builder with the values of this one
     */
    public Builder toBuilder() {
        Builder builder = new Builder(name, address);
        builder.port = port;
        builder.user = user;
        builder.acceptedHostKeys = acceptedHostKeys;
        builder.certificates = certificates;
        builder.trustOnFirstUse = trustOnFirstUse;
        builder.identities = identities;
        builder.jumpHosts = jumpHosts;
        builder.timeout = timeout;
        return builder;
    }

    /**
     * The host's name, for messages.
     *
     * @return its name in the mesh, or what messages call a jump host
     */
    public String name() {
        return name;
    }

    /**
     * Where the host is.
     *
     * @return its IPv4 or IPv6 address; of a jump host it may be a name
     */
    public String address() {
        return address;
    }

    /**
     * The SSH port.
     *
     * @return 1 to 65535
     */
    public int port() {
        return port;
    }

    /**
     * Who logs in.
     *
     * @return root, or a user that may run {@code sudo -n}
     */
    public String user() {
        return user;
    }

    /**
     * The host keys to accept; all others are refused, except those that a certificate vouches for.
     *
     * @return the keys; empty only if certificates are accepted or the first key is trusted
     */
    public Set<HostKeyFingerprint> acceptedHostKeys() {
        return acceptedHostKeys;
    }

    /**
     * The certificates that prove the host, whatever its key is.
     *
     * @return {@link HostCertificates#NONE} if only keys are accepted
     */
    public HostCertificates certificates() {
        return certificates;
    }

    /**
     * Whether the first key is accepted if {@link #acceptedHostKeys()} is empty and no certificates are accepted, because the user allowed it. The caller keeps
     * {@link HostSession#hostKey()} before it sends anything over that session.
     *
     * @return true if so
     */
    public boolean trustOnFirstUse() {
        return trustOnFirstUse;
    }

    /**
     * What to log in with.
     *
     * @return identities, tried in this order; at least one
     */
    public List<Identity> identities() {
        return identities;
    }

    /**
     * The SSH servers on the way. Their host keys are checked like the host's own, and nothing is run on them.
     *
     * @return targets without jump hosts of their own, in the order in which they are passed; empty if the host is reached from here.
     *     Their timeouts are not used
     */
    public List<HostTarget> jumpHosts() {
        return jumpHosts;
    }

    /**
     * How long to try before giving up.
     *
     * @return the time in all, the way through jump hosts included
     */
    public Duration timeout() {
        return timeout;
    }

    /** Collects what is known of a host. Not thread-safe. */
    public static final class Builder {
        private final String name;
        private final String address;
        private int port = Blueprint.SSH_PORT;
        private String user = "root";
        private Set<HostKeyFingerprint> acceptedHostKeys = Set.of();
        private HostCertificates certificates = HostCertificates.NONE;
        private boolean trustOnFirstUse;
        private List<Identity> identities = List.of();
        private List<HostTarget> jumpHosts = List.of();
        private Duration timeout = Duration.ofSeconds(30);

        private Builder(String name, String address) {
            this.name = name;
            this.address = address;
        }

        /**
         * Sets the SSH port; 22 by default.
         *
         * @param value 1 to 65535
         * @return this builder
         * @throws InvalidSettingException if it is out of range
         */
        public Builder port(int value) {
            if (value < 1 || value > 65535) {
                throw new InvalidSettingException(name + ": SSH port " + value + " is not between 1 and 65535");
            }
            port = value;
            return this;
        }

        /**
         * Sets who logs in; root by default.
         *
         * @param login root, or a user that may run {@code sudo -n}
         * @return this builder
         * @throws NullPointerException if {@code login} is null
         */
        public Builder user(String login) {
            user = Objects.requireNonNull(login, "login");
            return this;
        }

        /**
         * Sets the host keys to accept.
         *
         * @param keys the keys
         * @return this builder
         * @throws NullPointerException if {@code keys} is null or holds null
         */
        public Builder accepting(Set<HostKeyFingerprint> keys) {
            acceptedHostKeys = Set.copyOf(keys);
            return this;
        }

        /**
         * Sets which certificates prove the host, whatever its key is; none by default.
         *
         * @param accepted the certificates
         * @return this builder
         * @throws NullPointerException if {@code accepted} is null
         */
        public Builder certificates(HostCertificates accepted) {
            certificates = Objects.requireNonNull(accepted, "accepted");
            return this;
        }

        /**
         * Sets whether the first key is accepted where no others are; false by default.
         *
         * @param trust true if the user has allowed that
         * @return this builder
         */
        public Builder trustOnFirstUse(boolean trust) {
            trustOnFirstUse = trust;
            return this;
        }

        /**
         * Sets what to log in with.
         *
         * @param list identities, in the order in which they are tried; used until the session is open, and left open
         * @return this builder
         * @throws NullPointerException if {@code list} is null or holds null
         */
        public Builder identities(List<Identity> list) {
            identities = List.copyOf(list);
            return this;
        }

        /**
         * Sets the one identity to log in with.
         *
         * @param identity the identity
         * @return this builder
         * @throws NullPointerException if {@code identity} is null
         */
        public Builder identity(Identity identity) {
            return identities(List.of(identity));
        }

        /**
         * Sets the SSH servers on the way; none by default.
         *
         * @param chain targets in the order in which they are passed
         * @return this builder
         * @throws NullPointerException if {@code chain} is null or holds null
         * @throws InvalidSettingException if one of them has jump hosts of its own
         */
        public Builder jumpHosts(List<HostTarget> chain) {
            if (chain.stream().anyMatch(hop -> !hop.jumpHosts().isEmpty())) {
                throw new InvalidSettingException(name + ": a jump host has jump hosts of its own; list all in order");
            }
            jumpHosts = List.copyOf(chain);
            return this;
        }

        /**
         * Sets how long to try in all before giving up; 30 seconds by default.
         *
         * @param limit longer than zero
         * @return this builder
         * @throws InvalidSettingException if it is not
         */
        public Builder timeout(Duration limit) {
            if (limit.isNegative() || limit.isZero()) {
                throw new InvalidSettingException(name + ": timeout must be longer than zero");
            }
            timeout = limit;
            return this;
        }

        /**
         * Makes the target.
         *
         * @return the target
         * @throws InvalidSettingException if neither a host key nor a certificate is accepted and trust on first use was not asked for, or
         *     there is no identity
         */
        public HostTarget build() {
            if (acceptedHostKeys.isEmpty() && !certificates.areAccepted() && !trustOnFirstUse) {
                throw new InvalidSettingException(name + ": no host key is known, so none can be accepted");
            }
            if (identities.isEmpty()) {
                throw new InvalidSettingException(name + ": there is no identity to log in with");
            }
            return new HostTarget(this);
        }
    }
}
