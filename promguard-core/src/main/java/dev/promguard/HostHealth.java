package dev.promguard;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/** How a host of a verified mesh is. Immutable. */
public final class HostHealth {
    private final String name;
    private final String region;
    private final Optional<String> publicAddress;
    private final String address;
    private final Optional<Duration> handshakeAge;
    private final String target;

    private HostHealth(Builder builder) {
        name = builder.name;
        region = builder.region;
        publicAddress = builder.publicAddress;
        address = builder.address;
        handshakeAge = builder.handshakeAge;
        target = builder.target;
    }

    /**
     * Starts a host. For PromGuard's own use, and for tests of programs that read reports.
     *
     * @param name its name
     * @param region where it is
     * @param address its address inside the tunnels
     * @return a builder of a host without a public address, of which nothing else is known
     * @throws NullPointerException if an argument is null
     */
    public static Builder builder(String name, String region, String address) {
        return new Builder(name, region, address);
    }

    /** Collects what is known of a host. Not thread-safe. */
    public static final class Builder {
        private final String name;
        private final String region;
        private final String address;
        private Optional<String> publicAddress = Optional.empty();
        private Optional<Duration> handshakeAge = Optional.empty();
        private String target = "unknown";

        private Builder(String name, String region, String address) {
            this.name = Objects.requireNonNull(name, "name");
            this.region = Objects.requireNonNull(region, "region");
            this.address = Objects.requireNonNull(address, "address");
        }

        /**
         * Sets the public address.
         *
         * @param address the address
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder publicAddress(String address) {
            publicAddress = Optional.of(address);
            return this;
        }

        /**
         * Sets how long ago the last handshake was.
         *
         * @param age the age
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder handshakeAge(Duration age) {
            handshakeAge = Optional.of(age);
            return this;
        }

        /**
         * Sets the state of the host's target in Prometheus.
         *
         * @param health such as {@code up}
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder target(String health) {
            target = Objects.requireNonNull(health, "health");
            return this;
        }

        /**
         * Ends the host.
         *
         * @return the host
         */
        public HostHealth build() {
            return new HostHealth(this);
        }
    }

    /**
     * The host's name.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /**
     * Where the host is.
     *
     * @return the region of the spec
     */
    public String region() {
        return region;
    }

    /**
     * The host's public address.
     *
     * @return empty if it has none
     */
    public Optional<String> publicAddress() {
        return publicAddress;
    }

    /**
     * The host's address inside the tunnels.
     *
     * @return the address
     */
    public String address() {
        return address;
    }

    /**
     * How long ago the host's last WireGuard handshake was. If it has several peers, the oldest of their last handshakes counts.
     *
     * @return empty if a peer had none, or the host could not be observed
     */
    public Optional<Duration> handshakeAge() {
        return handshakeAge;
    }

    /**
     * The state of the host's target in Prometheus.
     *
     * @return such as {@code up} or {@code down}; {@code missing} if Prometheus has no such target, {@code unknown} if Prometheus
     *     gave no answer
     */
    public String target() {
        return target;
    }

    /**
     * The host in a line.
     *
     * @return such as {@code shop-node-1 (10.0.0.2): target up}
     */
    @Override
    public String toString() {
        return name + " (" + address + "): target " + target;
    }
}
