package dev.promguard;

/** What a planned change does to its subject. More may be added. */
public enum ChangeAction {
    /** It is not there, and is created. */
    CREATE,
    /** The subject exists and is changed to its desired state. */
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
