package dev.promguard;

import dev.promguard.blueprint.Names;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** How a host of a verified mesh is. Immutable. */
public final class HostHealth {
    private final String name;
    private final String region;
    private final Optional<String> publicAddress;
    private final String address;
    private final Optional<Duration> handshakeAge;
    private final String target;
    private final Optional<String> system;
    private final Optional<String> kernel;
    private final SortedMap<String, String> software;

    private HostHealth(Builder builder) {
        name = builder.name;
        region = builder.region;
        publicAddress = builder.publicAddress;
        address = builder.address;
        handshakeAge = builder.handshakeAge;
        target = builder.target;
        system = builder.system;
        kernel = builder.kernel;
        software = Collections.unmodifiableSortedMap(new TreeMap<>(builder.software));
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
        private Optional<String> system = Optional.empty();
        private Optional<String> kernel = Optional.empty();
        private Map<String, String> software = Map.of();

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
         * Sets the operating system.
         *
         * @param nameAndVersion such as {@code debian 12}
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder system(String nameAndVersion) {
            system = Optional.of(Names.printable(nameAndVersion));
            return this;
        }

        /**
         * Sets the running kernel.
         *
         * @param release such as {@code 6.1.0-18-amd64}
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder kernel(String release) {
            kernel = Optional.of(Names.printable(release));
            return this;
        }

        /**
         * Sets the software that PromGuard put there.
         *
         * @param versions the version of each, by name
         * @return this builder
         * @throws NullPointerException if something is null
         */
        public Builder software(Map<String, String> versions) {
            software = Map.copyOf(versions);
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
     * The operating system.
     *
     * @return such as {@code debian 12}; empty if the host could not be observed
     */
    public Optional<String> system() {
        return system;
    }

    /**
     * The running kernel.
     *
     * @return such as {@code 6.1.0-18-amd64}; empty if that is not known
     */
    public Optional<String> kernel() {
        return kernel;
    }

    /**
     * The software of the mesh that is installed there.
     *
     * @return the version of each by name, such as {@code prometheus} and {@code node_exporter}, sorted by name; empty if that is not known
     */
    public SortedMap<String, String> software() {
        return software;
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
