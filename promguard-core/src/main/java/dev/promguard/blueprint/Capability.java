package dev.promguard.blueprint;

/** A right of the kernel's that an exporter may be given. None has any unless it is asked for by name. */
public enum Capability {
    /** Raw sockets, such as for ICMP. */
    NET_RAW,
    /** Reading the configuration of the network that others may not, such as that of netfilter or WireGuard. Also allows changing it. */
    NET_ADMIN,
    /** Reading every file, whoever owns it. */
    DAC_READ_SEARCH,
    /** Looking into processes of other users. */
    SYS_PTRACE;

    /**
     * The capability's name in a unit file.
     *
     * @return such as {@code CAP_NET_RAW}
     */
    public String unitName() {
        return "CAP_" + name();
    }
}
