package dev.promguard.host;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A host that is compared with what it should be, and the changes that were found so far. Not thread-safe. */
final class Comparison {
    private final DesiredHost desired;
    private final HostFacts facts;
    private final KeyChanges newKeys;
    private final boolean replaceHostKey;
    private final List<Change> changes = new ArrayList<>();
    private final Set<String> touched = new HashSet<>();
    private boolean interfaceRestarted;

    Comparison(DesiredHost desired, HostFacts facts, KeyChanges newKeys, boolean replaceHostKey) {
        this.desired = desired;
        this.facts = facts;
        this.newKeys = newKeys;
        this.replaceHostKey = replaceHostKey;
    }

    DesiredHost desired() {
        return desired;
    }

    HostFacts facts() {
        return facts;
    }

    KeyChanges newKeys() {
        return newKeys;
    }

    boolean replacesHostKey() {
        return replaceHostKey;
    }

    void add(Change change) {
        changes.add(change);
    }

    /** Adds a change of something that units may have to be restarted or reloaded for. */
    void add(Change change, String touching) {
        changes.add(change);
        touched.add(touching);
    }

    /** The paths, users and folders that the changes touch. */
    Set<String> touched() {
        return touched;
    }

    void restartInterface() {
        interfaceRestarted = true;
    }

    boolean restartsInterface() {
        return interfaceRestarted;
    }

    List<Change> changes() {
        return List.copyOf(changes);
    }
}
