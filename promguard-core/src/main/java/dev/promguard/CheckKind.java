package dev.promguard;

/**
 * The kinds of checks that {@link Mesh#verify()} makes. A kind keeps its {@link #id()} in every version, so that a program can rely on
 * it; the description of a check is for people and may change. Later versions may add kinds.
 */
public enum CheckKind {
    /** The provider's list names the host, and it has the mesh's tag. */
    HOST_EXISTS("host-exists"),
    /** A host with the mesh's tag is known to the state. Reported only where one is not. */
    HOST_IN_STATE("host-in-state"),
    /** A host of the mesh is in the spec. Reported only where it has been removed from the spec. */
    HOST_IN_SPEC("host-in-spec"),
    /** The mesh as a whole has no problem. Reported only where it has one. */
    MESH_CAN_BE_APPLIED("mesh-can-be-applied"),
    /** The cloud's own firewall is up to date. Reported only where it is not. */
    CLOUD_FIREWALL_UP_TO_DATE("cloud-firewall-up-to-date"),
    /** The host can be observed over SSH. Reported only where it cannot. */
    HOST_OBSERVABLE("host-observable"),
    /** The host proves the SSH host key that it is known by. */
    HOST_KEY_PINNED("host-key-pinned"),
    /** The host has a WireGuard key that no other host shows. */
    WIREGUARD_KEY_UNIQUE("wireguard-key-unique"),
    /** The host's private WireGuard key is in a file that only root can read. */
    WIREGUARD_KEY_PROTECTED("wireguard-key-protected"),
    /** An apply would change nothing on the host, and the host has no problem. */
    HOST_UP_TO_DATE("host-up-to-date"),
    /** No changes of an earlier run wait for a confirmation. Reported only where some do. */
    CHANGES_CONFIRMED("changes-confirmed"),
    /** The firewall denies everything that no rule admits, now and after a reboot. */
    FIREWALL_DENIES_BY_DEFAULT("firewall-denies-by-default"),
    /** The only rules that admit a guarded port are for the WireGuard interface and the monitors. */
    GUARDED_PORTS_ON_WIREGUARD_ONLY("guarded-ports-on-wireguard-only"),
    /** A note: firewall rules that PromGuard did not write and that admit ports which are not guarded. */
    FOREIGN_FIREWALL_RULES("foreign-firewall-rules"),
    /** No rule of others drops or redirects what the mesh needs. Reported only where one does. */
    MESH_TRAFFIC_PASSES("mesh-traffic-passes"),
    /** A note: rules of others that send packets from outside to another address or port, past ufw. */
    PORTS_PUBLISHED("ports-published"),
    /** Packets for the mesh's network leave through the WireGuard interface or not at all. */
    KILL_SWITCH_ON("kill-switch-on"),
    /** The host's exporters listen on its WireGuard address and nowhere else but loopback. */
    EXPORTER_LISTENS_ON_WIREGUARD_ONLY("exporter-listens-on-wireguard-only"),
    /** Prometheus listens on loopback and nowhere else. */
    PROMETHEUS_LISTENS_ON_LOOPBACK_ONLY("prometheus-listens-on-loopback-only"),
    /** Only the ports that the spec allows can be reached on the host. */
    NO_OTHER_LISTENER_REACHABLE("no-other-listener-reachable"),
    /** A unit of the host runs, and will after a reboot. One check for each unit. */
    UNIT_RUNS("unit-runs"),
    /** The WireGuard interface has the host's peers and no others, with one address each. */
    WIREGUARD_PEERS("wireguard-peers"),
    /** The host shares a preshared key with each peer. */
    PRESHARED_KEYS("preshared-keys"),
    /** The last WireGuard handshake with a peer is fresh. One check for each peer. */
    HANDSHAKE_FRESH("handshake-fresh"),
    /** A port does not answer at the host's public addresses. One check for each port. */
    PORT_CLOSED_TO_OUTSIDE("port-closed-to-outside"),
    /**
     * The host has public addresses that could not be probed. This is a note if other hosts could be probed, and an unchecked
     * item otherwise.
     */
    ADDRESS_NOT_PROBED("address-not-probed"),
    /** The host can probe the ports of others. Reported only where it cannot. */
    CAN_PROBE_OTHERS("can-probe-others"),
    /** The host's ports do not answer the other hosts, except for what the monitors scrape. */
    PORTS_CLOSED_TO_OTHER_HOSTS("ports-closed-to-other-hosts"),
    /** A monitor gets a page that is larger than a packet from the host through the tunnel. One check for each monitor. */
    LARGE_PAGE_PASSES("large-page-passes"),
    /** The monitor's Prometheus answers. Reported only where it does not. */
    PROMETHEUS_ANSWERS("prometheus-answers"),
    /** A monitor's Prometheus scrapes a target on the host. One check for each monitor and job. */
    TARGET_UP("target-up"),
    /** The probes of an exporter on the host are scraped by a monitor's Prometheus. One check for each monitor and job. */
    PROBE_TARGETS_UP("probe-targets-up"),
    /** The monitor's Prometheus has loaded its alerting and recording rules, and no rule has an error. */
    RULES_LOADED("rules-loaded"),
    /** A note: the monitor sends credentials of remote write unencrypted. */
    CREDENTIALS_UNENCRYPTED("credentials-unencrypted");

    private final String id;

    CheckKind(String id) {
        this.id = id;
    }

    /**
     * The kind for programs.
     *
     * @return lower-case words joined by hyphens, such as {@code host-up-to-date}; unique
     */
    public String id() {
        return id;
    }
}
