package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.keys.PublicKey;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.StateStore;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What there is to be of a mesh, told without the engine. */
final class WorldChecks {
    private static final Pattern ADDRESS = Pattern.compile("(?m)^Address = ([0-9.]+)/");

    private WorldChecks() {}

    static void assertUnlocked(StateStore store) {
        try (StateStore.Lock lock = store.lock("shop", LockHolder.ofThisProcess("look"))) {
            assertThat(lock).isNotNull();
        }
    }

    /** Each node has the monitor as its only peer, the monitor has each node and viewer, and all are closed. */
    static void checkTunnels(String monitor, Map<String, MemoryMachine> machines, Collection<World.Viewer> viewers) {
        Set<PublicKey> admitted = viewers.stream()
                .filter(viewer -> !viewer.ended())
                .map(World.Viewer::key)
                .collect(Collectors.toSet());
        Set<String> addresses = new HashSet<>();
        machines.forEach((name, machine) -> {
            assertThat(machine.violations()).as(name).isEmpty();
            assertThat(machine.armed()).as("a rollback waits on %s", name).isFalse();
            assertThat(machine.firewallOn()).as("the firewall of %s", name).isTrue();
            assertThat(addresses.add(address(machine)))
                    .as("the address of %s is its own", name)
                    .isTrue();
            Map<PublicKey, List<String>> peers = new HashMap<>();
            machines.forEach((other, peer) -> {
                if (!other.equals(name) && (name.equals(monitor) || other.equals(monitor))) {
                    peers.put(peer.publicKey().orElseThrow(), List.of(address(peer) + "/32"));
                }
            });
            Map<PublicKey, List<String>> found = new HashMap<>(machine.peers());
            if (name.equals(monitor)) {
                assertThat(found.keySet()).as("viewers of %s", name).containsAll(admitted);
                admitted.forEach(viewer -> assertThat(addresses.add(String.join(" ", found.remove(viewer))))
                        .as("the address of a viewer is its own")
                        .isTrue());
            }
            assertThat(found).as("peers of %s", name).isEqualTo(peers);
        });
    }

    static String address(MemoryMachine machine) {
        Matcher address = ADDRESS.matcher(machine.config());
        assertThat(address.find()).isTrue();
        return address.group(1);
    }

    /** All that is on the hosts of a mesh, in lines that are the same for each mesh of the same spec: names in place of keys and addresses,
     * and for all viewers the same, whose addresses follow the order in which they came. */
    static Map<String, List<String>> snapshots(Map<String, MemoryMachine> machines) {
        Map<String, String> names = new HashMap<>();
        machines.forEach((name, machine) -> {
            names.put(address(machine), "<" + name + ">");
            names.put(machine.address(), "<public " + name + ">");
            names.put(machine.publicKey().orElseThrow().toString(), "<key " + name + ">");
        });
        machines.values()
                .forEach(machine -> machine.peers()
                        .values()
                        .forEach(allowed ->
                                names.putIfAbsent(String.join(" ", allowed).replaceFirst("/32$", ""), "<viewer>")));
        Map<String, List<String>> snapshots = new TreeMap<>();
        machines.forEach((name, machine) -> snapshots.put(
                name,
                machine.snapshot().stream()
                        .map(line -> named(line, names))
                        .sorted()
                        .toList()));
        return snapshots;
    }

    private static String named(String line, Map<String, String> names) {
        String named = line;
        for (Map.Entry<String, String> name : names.entrySet()) {
            named = named.replaceAll(
                    "(?<![0-9.])" + Pattern.quote(name.getKey()) + "(?![0-9])",
                    Matcher.quoteReplacement(name.getValue()));
        }
        return named;
    }
}
