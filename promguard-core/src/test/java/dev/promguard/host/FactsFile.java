package dev.promguard.host;

import dev.promguard.Golden;
import dev.promguard.SpecFile;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.host.HostFacts.FileFact;
import dev.promguard.host.HostFacts.FirewallFact;
import dev.promguard.host.HostFacts.ManifestFact;
import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.host.HostFacts.PresharedKeyFact;
import dev.promguard.host.HostFacts.ReleaseFact;
import dev.promguard.host.HostFacts.SocketFact;
import dev.promguard.host.HostFacts.UnitFact;
import dev.promguard.host.HostFacts.WireGuardFact;
import dev.promguard.host.KillSwitches.KillSwitchFact;
import dev.promguard.host.Units.UnitAction;
import dev.promguard.keys.PublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Facts about a host as a file for tests, a line for each fact. {@code like X.facts} starts from another file; {@code - WORDS}
 * then takes away the one line that begins with these words, and {@code + LINE} adds one. A sum may be {@code desired}, which is
 * that of what the host should have.
 */
final class FactsFile {
    private final List<String> lines = new ArrayList<>();

    FactsFile(Golden golden, String file) {
        read(golden, file);
    }

    private void read(Golden golden, String file) {
        for (String line : golden.read(file).lines().toList()) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            if (line.startsWith("like ")) {
                read(golden, line.substring("like ".length()));
            } else if (line.startsWith("- ")) {
                String begin = line.substring(2);
                List<String> found =
                        lines.stream().filter(other -> other.startsWith(begin)).toList();
                if (found.size() != 1) {
                    throw new IllegalArgumentException(file + ": " + found.size() + " lines begin with " + begin);
                }
                lines.removeAll(found);
            } else {
                lines.add(line.startsWith("+ ") ? line.substring(2) : line);
            }
        }
    }

    private Stream<String[]> all(String word) {
        return lines.stream().map(line -> line.split(" +")).filter(words -> words[0].equals(word));
    }

    private String @Nullable [] one(String word) {
        List<String[]> found = all(word).toList();
        if (found.size() > 1) {
            throw new IllegalArgumentException("more than one line of " + word);
        }
        return found.isEmpty() ? null : found.get(0);
    }

    /** The name of the host that the facts are about. */
    String host() {
        return Objects.requireNonNull(one("host"), "host")[1];
    }

    /** Whether the host still shows its bootstrap host key. */
    boolean bootstrapKey() {
        return one("bootstrapKey") != null;
    }

    /** The facts, of a host that should be like this. */
    HostFacts facts(DesiredHost desired) {
        String[] system = Objects.requireNonNull(one("system"), "system");
        Map<String, String> packages = new HashMap<>();
        all("package").forEach(words -> packages.put(words[1], words[2]));
        Set<String> users = new HashSet<>();
        all("user").forEach(words -> users.add(words[1]));
        Map<String, FileFact> files = new HashMap<>();
        all("file")
                .forEach(words -> files.put(
                        words[1],
                        new FileFact(
                                words[2].equals("desired")
                                        ? Hashes.of(desired(desired, words[1]))
                                        : words[2].repeat(64),
                                Integer.parseInt(words[3], 8),
                                words[4])));
        Map<String, UnitFact> units = new HashMap<>();
        all("unit")
                .forEach(words -> units.put(
                        words[1],
                        new UnitFact(
                                words[2],
                                words[3],
                                words.length > 4 && words[4].equals("changed-on-disk"),
                                "",
                                all("drop-ins")
                                        .filter(dropIns -> dropIns[1].equals(words[1]))
                                        .map(dropIns -> dropIns[2])
                                        .toList())));
        Map<String, ReleaseFact> releases = new HashMap<>();
        all("release")
                .forEach(words -> releases.put(
                        words[1],
                        new ReleaseFact(
                                words[2].equals("desired") ? sum(desired, words[1]) : words[2].repeat(64),
                                words[3].equals("intact"))));
        Map<String, UnitAction> owed = new HashMap<>();
        all("owed").forEach(words -> owed.put(words[1], UnitAction.valueOf(words[2])));
        String[] key = one("key");
        String[] ufw = Objects.requireNonNullElse(one("ufw"), new String[] {"ufw"});
        return new HostFacts(
                system[1],
                system[2],
                system[3],
                packages,
                users,
                files,
                units,
                releases,
                wireGuard(),
                FactsByResource.NONE
                        .with(
                                KillSwitches.FACTS,
                                new KillSwitchFact(
                                        networks("unreachable"),
                                        networks("dropped"),
                                        networks("guarded"),
                                        closedPorts(),
                                        networks("shut")))
                        .with(StateFolders.FACTS, new StateFolders.DataFact(networks("data"))),
                Optional.ofNullable(key).map(words -> SpecFile.publicKey(words[1])),
                key != null && key[2].equals("safe"),
                new FirewallFact(
                        Arrays.asList(ufw).contains("active"),
                        Arrays.asList(ufw).contains("deny"),
                        Arrays.asList(ufw).contains("boot"),
                        all("rule").map(FactsFile::rule).toList(),
                        all("foreign").map(words -> String.join(" ", words)).toList(),
                        List.of()),
                owed,
                all("address").map(words -> words[1]).toList(),
                Optional.empty(),
                Optional.ofNullable(one("manifest"))
                        .map(words -> new ManifestFact(
                                words[1],
                                all("thing")
                                        .map(thing -> thing[1] + ' ' + thing[2])
                                        .collect(Collectors.toSet()))),
                all("socket")
                        .map(words -> new SocketFact(words[1], words[2], Integer.parseInt(words[3])))
                        .toList(),
                all("kept").map(words -> words[1]).toList(),
                false);
    }

    private Set<String> networks(String word) {
        return all(word).map(words -> words[1]).collect(Collectors.toSet());
    }

    private Map<String, Map<Integer, Set<String>>> closedPorts() {
        Map<String, Map<Integer, Set<String>>> closed = new HashMap<>();
        all("closed")
                .forEach(words -> closed.computeIfAbsent(words[1], address -> new HashMap<>())
                        .put(
                                Integer.parseInt(words[2]),
                                Set.copyOf(Arrays.asList(words).subList(3, words.length))));
        return closed;
    }

    private static String desired(DesiredHost desired, String path) {
        return desired.allFiles().stream()
                .filter(file -> file.path().equals(path))
                .map(ManagedFile::content)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(path));
    }

    private static String sum(DesiredHost desired, String release) {
        return desired.releases().stream()
                .map(install -> install.release())
                .filter(each -> release.equals(each.name() + '-' + each.version()))
                .findFirst()
                .flatMap(each -> each.sum(dev.promguard.blueprint.Architecture.AMD64))
                .orElseThrow();
    }

    private Optional<WireGuardFact> wireGuard() {
        String[] words = one("wg");
        if (words == null) {
            return Optional.empty();
        }
        List<PeerFact> peers = all("peer")
                .map(peer -> new PeerFact(
                        SpecFile.publicKey(peer[1]),
                        text(peer[2]),
                        List.of(peer[3].split(",")),
                        Optional.of(Instant.EPOCH),
                        Optional.of(Duration.ofSeconds(30)),
                        1,
                        1,
                        peer.length > 4 ? PresharedKeyFact.valueOf(peer[4]) : PresharedKeyFact.AS_FILED))
                .toList();
        Optional<PublicKey> own = text(words[1]).map(SpecFile::publicKey);
        return Optional.of(new WireGuardFact(
                own,
                Integer.parseInt(words[2]),
                List.of(words[3].split(",")),
                words.length < 5 || !words[4].equals("spoofable"),
                peers));
    }

    private static FirewallRule rule(String[] words) {
        return new FirewallRule(
                text(words[3]),
                text(words[4]),
                text(words[5]),
                Integer.parseInt(words[1]),
                words[2].equals("udp") ? FirewallRule.Protocol.UDP : FirewallRule.Protocol.TCP,
                String.join(" ", Arrays.asList(words).subList(6, words.length)));
    }

    private static Optional<String> text(String word) {
        return word.equals("-") ? Optional.empty() : Optional.of(word);
    }
}
