package dev.promguard.spi;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.keys.HostKeyFingerprint;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** How to log in to an existing host. Immutable. */
public final class Login {
    private final String user;
    private final int port;
    private final Set<HostKeyFingerprint> hostKeys;
    private final HostCertificates certificates;
    private final boolean trustOnFirstUse;
    private final List<Identity> identities;
    private final List<JumpHost> jumpHosts;

    private Login(Builder builder) {
        user = builder.user;
        port = builder.port;
        hostKeys = builder.hostKeys;
        certificates = builder.certificates;
        trustOnFirstUse = builder.trustOnFirstUse;
        identities = builder.identities;
        jumpHosts = builder.jumpHosts;
    }

    /**
     * Starts a login at port 22, without a host key.
     *
     * @param user the login: root, or a user that may run {@code sudo -n}
     * @return a builder
     * @throws NullPointerException if {@code user} is null
     */
    public static Builder of(String user) {
        return new Builder(Objects.requireNonNull(user, "user"));
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
     * The SSH port.
     *
     * @return 1 to 65535
     */
    public int port() {
        return port;
    }

    /**
     * The host keys to accept.
     *
     * @return the keys; empty to trust the key that a certificate vouches for, or else the one that the host shows at the first contact, and
     *     only that key from then on
     */
    public Set<HostKeyFingerprint> hostKeys() {
        return hostKeys;
    }

    /**
     * The certificates that prove the host, beside the host keys.
     *
     * @return {@link HostCertificates#NONE} if only keys are accepted
     */
    public HostCertificates certificates() {
        return certificates;
    }

    /**
     * Whether the user has allowed explicitly to trust the key of the first contact.
     *
     * @return true if so
     */
    public boolean trustOnFirstUse() {
        return trustOnFirstUse;
    }

    /**
     * What to log in with, other than with the inventory's identity.
     *
     * @return identities, tried in this order; empty for the inventory's
     */
    public List<Identity> identities() {
        return identities;
    }

    /**
     * The SSH servers on the way.
     *
     * @return jump hosts in the order in which they are passed; empty if the host is reached from here
     */
    public List<JumpHost> jumpHosts() {
        return jumpHosts;
    }

    /** Collects what is known of a login. Not thread-safe. */
    public static final class Builder {
        private final String user;
        private int port = Blueprint.SSH_PORT;
        private Set<HostKeyFingerprint> hostKeys = Set.of();
        private HostCertificates certificates = HostCertificates.NONE;
        private boolean trustOnFirstUse;
        private List<Identity> identities = List.of();
        private List<JumpHost> jumpHosts = List.of();

        private Builder(String user) {
            this.user = user;
        }

        /**
         * Sets the SSH port.
         *
         * @param value 1 to 65535
         * @return this builder
         * @throws InvalidSettingException if the port is none
         */
        public Builder port(int value) {
            if (value < 1 || value > 65535) {
                throw new InvalidSettingException("SSH port " + value + " is not between 1 and 65535");
            }
            port = value;
            return this;
        }

        /**
         * Sets the host keys to accept.
         *
         * @param keys the keys
         * @return this builder
         * @throws NullPointerException if {@code keys} is null or holds null
         */
        public Builder hostKeys(Set<HostKeyFingerprint> keys) {
            hostKeys = Set.copyOf(keys);
            return this;
        }

        /**
         * Sets which certificates prove the host, beside the host keys.
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
         * Sets whether the key of the first contact is trusted where no host keys are given and no certificates are accepted.
         *
         * @param trust true if the user has allowed that explicitly
         * @return this builder
         */
        public Builder trustOnFirstUse(boolean trust) {
            trustOnFirstUse = trust;
            return this;
        }

        /**
         * Sets what to log in with, other than with the inventory's identity.
         *
         * @param list identities, in the order in which they are tried; they stay open, their owner closes them
         * @return this builder
         * @throws NullPointerException if {@code list} is null or holds null
         */
        public Builder identities(List<Identity> list) {
            identities = List.copyOf(list);
            return this;
        }

        /**
         * Sets the SSH servers on the way.
         *
         * @param chain jump hosts in the order in which they are passed
         * @return this builder
         * @throws NullPointerException if {@code chain} is null or holds null
         */
        public Builder jumpHosts(List<JumpHost> chain) {
            jumpHosts = List.copyOf(chain);
            return this;
        }

        /**
         * Makes the login.
         *
         * @return the login
         * @throws InvalidSettingException if there are no host keys, no certificates are accepted, and trust on first use was not asked for
         */
        public Login build() {
            if (hostKeys.isEmpty() && !certificates.areAccepted() && !trustOnFirstUse) {
                throw new InvalidSettingException("no host key is given, and none may be accepted blindly");
            }
            return new Login(this);
        }
    }
}
