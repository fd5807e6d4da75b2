package dev.promguard.blueprint;

import java.util.Locale;

/** What a host is in the mesh. */
public enum Role {
    /** Runs Prometheus and scrapes every host. */
    MONITOR,
    /** Is scraped by the monitors, and unreachable for everyone else. */
    NODE;

    /**
     * The role as a word, as it stands in names and labels.
     *
     * @return {@code monitor} or {@code node}
     */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }
}
