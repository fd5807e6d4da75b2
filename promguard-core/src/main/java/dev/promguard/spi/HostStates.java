package dev.promguard.spi;

import dev.promguard.internal.collect.SharedMap;
import dev.promguard.spi.MeshState.HostState;
import java.util.Map;
import java.util.TreeMap;

/** Hosts whose names are names of hosts and of which no two hold the same address. Immutable; copies share what did not change. */
final class HostStates extends SharedMap<HostState> {
    /** The holder of each address. */
    private final SharedMap<String> holders;

    private HostStates(SharedMap<HostState> hosts, SharedMap<String> holders) {
        super(hosts);
        this.holders = holders;
    }

    /** Some hosts, which are checked unless they were before. */
    static HostStates of(Map<String, HostState> hosts) {
        return hosts instanceof HostStates known
                ? known
                : new HostStates(new SharedMap<>(), new SharedMap<>()).withAll(new TreeMap<>(Map.copyOf(hosts)));
    }

    /** The same hosts with others put in or replaced. */
    HostStates withAll(Map<String, HostState> changed) {
        SharedMap<HostState> hosts = this;
        SharedMap<String> held = holders;
        for (String name : changed.keySet()) {
            HostState before = get(name);
            held = before == null ? held : held.without(before.address());
        }
        for (Map.Entry<String, HostState> entry : changed.entrySet()) {
            String address = entry.getValue().address();
            MeshState.requireHostName(entry.getKey());
            MeshState.require("address of two hosts", address, !held.containsKey(address));
            held = held.with(address, entry.getKey());
            hosts = hosts.with(entry.getKey(), entry.getValue());
        }
        return new HostStates(hosts, held);
    }

    /** The same hosts without one. */
    @Override
    public HostStates without(String name) {
        HostState gone = get(name);
        return gone == null ? this : new HostStates(super.without(name), holders.without(gone.address()));
    }
}
