package dev.promguard.internal.run;

import java.time.Duration;

/** How long the steps of a run may take. */
public final class Timeouts {
    /** How long new hosts may take to be active and to have an address. */
    public static final Duration PROVISIONING = Duration.ofMinutes(6);

    /** How long a host that was changed a moment ago may take to answer again. */
    public static final Duration RECONNECT = Duration.ofSeconds(45);

    /** How long a host that was there before may take to answer on SSH when it is only read. */
    public static final Duration OBSERVE = Duration.ofSeconds(20);

    /** How long the first boot of a host that PromGuard created may take. */
    public static final Duration BOOT = Duration.ofMinutes(6);

    /** How long deleted hosts may take to be gone. */
    public static final Duration DELETION = Duration.ofMinutes(6);

    private Timeouts() {}
}
