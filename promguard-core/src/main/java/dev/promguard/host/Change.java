package dev.promguard.host;

/** One change on one host, of one kind of resource. Making it a second time does no harm. Holds no secret but {@link SecretFiles}'. */
public interface Change {
    /** What a change does to its subject. */
    enum Action {
        /** It is not there, and is created. */
        CREATE,
        /** It is there, and is brought to what it should be. */
        UPDATE,
        /** It is removed. */
        REMOVE,
        /** It is started. */
        START,
        /** It is stopped. */
        STOP,
        /** It is stopped and started. */
        RESTART,
        /** It reloads its configuration. */
        RELOAD,
        /** It will come up at boot. */
        ENABLE,
        /** It can no longer be started. */
        MASK
    }

    /**
     * The kind of resource that this is a change of.
     *
     * @return the resource, which knows the rest about the change
     */
    Resource resource();

    /**
     * What is done.
     *
     * @return the action
     */
    Action action();

    /**
     * What it is done to.
     *
     * @return such as a path, or the name of a unit
     */
    String subject();

    /**
     * The change in a few words, for plans, progress and errors.
     *
     * @return such as {@code install node_exporter 1.12.1}
     */
    String describe();

    /**
     * Whether the change could cut the way to the host, so that it is made only under an armed rollback.
     *
     * @return true for changes of the firewall, the WireGuard interface and the SSH host key
     */
    default boolean risky() {
        return false;
    }

    /**
     * The shell function that makes the change on the host.
     *
     * @param keys the keys that go with the run of changes
     * @return the call
     * @throws IllegalArgumentException if the change names something that a host cannot have, or its key is missing
     */
    ShellCall call(NewKeys keys);
}
