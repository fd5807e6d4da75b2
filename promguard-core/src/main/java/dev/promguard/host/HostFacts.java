package dev.promguard.host;

import dev.promguard.blueprint.FirewallRule;
import dev.promguard.keys.PublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * The state of a host, as the host reported it. The host is not trusted: texts are data and never become parts of a script.
 *
 * @param osId the system, the {@code ID} of os-release, such as {@code debian}
 * @param osVersion its version, the {@code VERSION_ID} of os-release, such as {@code 12}
 * @param machine what {@code uname -m} prints
 * @param packages the versions of the packages asked for, by name; one that is not installed is absent
 * @param users which of the users asked for exist
 * @param files the files asked for, by path; one that does not exist is absent
 * @param units the units asked for, by name; one that systemd does not know is absent
 * @param releases the folders of the releases asked for, by {@code name-version}; one that is not there is absent
 * @param wireGuard the running interface, or empty if it is not up
 * @param byResource the facts of the resources that define their own, see {@link #of}
 * @param keyFilePublicKey the public key that belongs to the private key in the key file, or empty if there is none
 * @param keyFileSafe whether the key file is owned by root with mode 0600
 * @param firewall what ufw says
 * @param pendingUnits the pending restarts and starts of an earlier run that was interrupted before them, by the unit's name
 * @param addresses the networks of the host's own interfaces, such as {@code 10.10.0.5/16}, without loopback and WireGuard
 * @param clockSynchronized whether the host's clock is synchronized with others, as systemd says; empty if it does not say
 * @param manifest PromGuard's record of what it put on a host of an inventory; empty where there is none
 * @param listening the sockets on which the host takes packets
 * @param kept what PromGuard put there, now or in an earlier run, by the host's own record of each path that was written: unit files,
 *     files below {@code /etc/prometheus} and {@code /etc/promguard}, unpacked releases in {@code /opt/promguard}; nothing else may be
 *     removed
 * @param rollbackPending whether changes of an earlier run wait for a confirmation, without which the host takes them back
 */
public record HostFacts(
        String osId,
        String osVersion,
        String machine,
        Map<String, String> packages,
        Set<String> users,
        Map<String, FileFact> files,
        Map<String, UnitFact> units,
        Map<String, ReleaseFact> releases,
        Optional<WireGuardFact> wireGuard,
        FactsByResource byResource,
        Optional<PublicKey> keyFilePublicKey,
        boolean keyFileSafe,
        FirewallFact firewall,
        Map<String, Units.UnitAction> pendingUnits,
        List<String> addresses,
        Optional<Boolean> clockSynchronized,
        Optional<ManifestFact> manifest,
        List<SocketFact> listening,
        List<String> kept,
        boolean rollbackPending) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public HostFacts {
        Objects.requireNonNull(osId, "osId");
        Objects.requireNonNull(osVersion, "osVersion");
        Objects.requireNonNull(machine, "machine");
        packages = Map.copyOf(packages);
        users = Set.copyOf(users);
        files = Map.copyOf(files);
        units = Map.copyOf(units);
        releases = Map.copyOf(releases);
        Objects.requireNonNull(wireGuard, "wireGuard");
        Objects.requireNonNull(byResource, "byResource");
        Objects.requireNonNull(keyFilePublicKey, "keyFilePublicKey");
        Objects.requireNonNull(firewall, "firewall");
        pendingUnits = Map.copyOf(pendingUnits);
        addresses = List.copyOf(addresses);
        Objects.requireNonNull(clockSynchronized, "clockSynchronized");
        Objects.requireNonNull(manifest, "manifest");
        listening = List.copyOf(listening);
        kept = List.copyOf(kept);
    }

    /**
     * The facts of a resource that defines its own.
     *
     * @param <T> the facts' type
     * @param resource whose facts
     * @return the facts; what the resource has for none where they were not asked for
     */
    public <T> T of(ResourceFacts<T> resource) {
        return byResource.of(resource);
    }

    /**
     * The current state of the kill switch, which keeps packets on the WireGuard interface.
     *
     * @return the facts of the kill switch
     */
    public KillSwitches.KillSwitchFact killSwitch() {
        return of(KillSwitches.FACTS);
    }

    /**
     * PromGuard's record on a host of an inventory.
     *
     * @param mesh the mesh that the host is in
     * @param things what PromGuard put there, such as {@code unit node_exporter.service}, {@code file /etc/wireguard/wg0.conf} or
     *     {@code package ufw}, {@code replaced PATH} for a file that it keeps the former content of, and {@code masked UNIT} for a unit
     *     that it took a mask off
     */
    public record ManifestFact(String mesh, Set<String> things) {
        /**
         * Copies the set.
         *
         * @throws NullPointerException if something is null
         */
        public ManifestFact {
            Objects.requireNonNull(mesh, "mesh");
            things = Set.copyOf(things);
        }
    }

    /**
     * A socket that listens.
     *
     * @param protocol {@code tcp} or {@code udp}
     * @param address the local address as {@code ss} shows it, such as {@code 127.0.0.1}, {@code [::1]} or {@code *}
     * @param port the local port
     */
    public record SocketFact(String protocol, String address, int port) {
        /**
         * Whether only programs on the host itself reach it.
         *
         * @return true if it is bound to an address or the interface of loopback
         */
        public boolean onLoopback() {
            String plain = address.replaceAll("[\\[\\]]|%.*", "");
            return plain.startsWith("127.") || plain.equals("::1") || address.endsWith("%lo");
        }
    }

    /**
     * A file.
     *
     * @param sha256 the SHA-256 of its content in lower-case hex
     * @param mode its permission bits
     * @param owner its owner and group, as {@code user:group}
     * @param content what is in it, where the query asked for that, its sum is not the expected one, it is a plain file and at most
     *     {@value #LARGEST_CONTENT} bytes long; else empty. Anybody on the host may have written it
     */
    public record FileFact(String sha256, int mode, String owner, Optional<String> content) {
        /** The most bytes of a content. */
        public static final int LARGEST_CONTENT = 65_536;

        /**
         * Checks that the content is there or empty.
         *
         * @throws NullPointerException if something is null
         */
        public FileFact {
            Objects.requireNonNull(sha256, "sha256");
            Objects.requireNonNull(owner, "owner");
            Objects.requireNonNull(content, "content");
        }

        /**
         * A file whose content was not sent.
         *
         * @param sha256 the SHA-256 of its content in lower-case hex
         * @param mode its permission bits
         * @param owner its owner and group, as {@code user:group}
         */
        public FileFact(String sha256, int mode, String owner) {
            this(sha256, mode, owner, Optional.empty());
        }

        /**
         * The file without its content, which may hold what somebody put there by hand.
         *
         * @return sum, mode and owner
         */
        @Override
        public String toString() {
            return "FileFact[sha256=" + sha256 + ", mode=" + mode + ", owner=" + owner + ']';
        }
    }

    /**
     * A systemd unit.
     *
     * @param active systemd's {@code ActiveState}, such as {@code active}
     * @param enabled systemd's {@code UnitFileState}, such as {@code enabled}
     * @param needsReload whether the unit's file changed since systemd read it
     * @param since systemd's time stamp of the start, or an empty text if it never started
     * @param dropIns the folders with drop-ins for this unit alone, read by systemd or not yet; drop-ins for many units at once,
     *     such as those in {@code service.d}, are not among them
     */
    public record UnitFact(String active, String enabled, boolean needsReload, String since, List<String> dropIns) {
        /** Copies the list. */
        public UnitFact {
            dropIns = List.copyOf(dropIns);
        }

        /**
         * A unit without drop-ins.
         *
         * @param active systemd's {@code ActiveState}
         * @param enabled systemd's {@code UnitFileState}
         * @param needsReload whether the unit's file changed since systemd read it
         * @param since systemd's time stamp of the start, or an empty text
         */
        public UnitFact(String active, String enabled, boolean needsReload, String since) {
            this(active, enabled, needsReload, since, List.of());
        }
    }

    /**
     * An unpacked release.
     *
     * @param sha256 the SHA-256 of the tarball that it came from, as written down when it was unpacked
     * @param intact whether its programs still are what they were when it was unpacked
     */
    public record ReleaseFact(String sha256, boolean intact) {}

    /**
     * A running WireGuard interface.
     *
     * @param publicKey the interface's own public key; empty if it has none
     * @param listenPort its UDP port
     * @param addresses its addresses with prefix length
     * @param antiSpoofing whether packets to its addresses that arrive on another interface are dropped before ufw sees them
     * @param peers its peers
     */
    public record WireGuardFact(
            Optional<PublicKey> publicKey,
            int listenPort,
            List<String> addresses,
            boolean antiSpoofing,
            List<PeerFact> peers) {
        /** Copies the lists. */
        public WireGuardFact {
            addresses = List.copyOf(addresses);
            peers = List.copyOf(peers);
        }
    }

    /**
     * A peer of a running interface.
     *
     * @param publicKey the peer's key
     * @param endpoint where it was last seen, or where it is expected; empty if neither is known
     * @param allowedIps its addresses
     * @param lastHandshake when the last handshake was, by the host's clock; empty if there was none
     * @param handshakeAge how long ago that was when the facts were read; empty if there was none
     * @param received bytes received from it
     * @param sent bytes sent to it
     * @param presharedKey how the preshared key that the interface runs with compares to the one in the peer's file
     */
    public record PeerFact(
            PublicKey publicKey,
            Optional<String> endpoint,
            List<String> allowedIps,
            Optional<Instant> lastHandshake,
            Optional<Duration> handshakeAge,
            long received,
            long sent,
            PresharedKeyFact presharedKey) {
        /** Copies the list. */
        public PeerFact {
            allowedIps = List.copyOf(allowedIps);
        }
    }

    /** How a running preshared key compares to its file. The host compares: no preshared key leaves it. */
    public enum PresharedKeyFact {
        /** The interface runs without one. */
        NONE,
        /** The interface runs with the one that the configuration names. */
        AS_FILED,
        /** The interface runs with another, or the configuration names none. */
        OTHER
    }

    /**
     * The state of ufw.
     *
     * @param active whether it is enabled and its rules are loaded
     * @param denyIncoming whether incoming packets are denied unless a rule admits them
     * @param atBoot whether it comes up at boot
     * @param rules the rules that PromGuard can read
     * @param foreign the rules that it cannot, as ufw writes them; left alone
     * @param accepting every rule that the kernel has loaded and that accepts incoming packets, whoever wrote it
     */
    public record FirewallFact(
            boolean active,
            boolean denyIncoming,
            boolean atBoot,
            List<FirewallRule> rules,
            List<String> foreign,
            List<AcceptFact> accepting) {
        /** Copies the lists. */
        public FirewallFact {
            rules = List.copyOf(rules);
            foreign = List.copyOf(foreign);
            accepting = List.copyOf(accepting);
        }
    }

    /**
     * A loaded rule that accepts packets.
     *
     * @param family 4 or 6
     * @param chain the chain that it stands in, such as {@code ufw-user-input}
     * @param rule the rule as iptables prints it, without its chain
     */
    public record AcceptFact(int family, String chain, String rule) {
        /**
         * Checks that chain and rule are there.
         *
         * @throws NullPointerException if one is null
         */
        public AcceptFact {
            Objects.requireNonNull(chain, "chain");
            Objects.requireNonNull(rule, "rule");
        }
    }
}
