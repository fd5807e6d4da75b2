package dev.promguard.internal.decide;

import dev.promguard.SpecFile;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.Release;
import dev.promguard.host.DesiredHost;
import dev.promguard.host.FactsByResource;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostFacts.FileFact;
import dev.promguard.host.HostFacts.FirewallFact;
import dev.promguard.host.HostFacts.ManifestFact;
import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.host.HostFacts.PresharedKeyFact;
import dev.promguard.host.HostFacts.ReleaseFact;
import dev.promguard.host.HostFacts.SocketFact;
import dev.promguard.host.HostFacts.UnitFact;
import dev.promguard.host.HostFacts.WireGuardFact;
import dev.promguard.host.KillSwitch;
import dev.promguard.host.KillSwitches;
import dev.promguard.host.KillSwitches.KillSwitchFact;
import dev.promguard.host.MalformedFactsException;
import dev.promguard.host.ManagedFile;
import dev.promguard.host.Packages;
import dev.promguard.host.Packages.DpkgFact;
import dev.promguard.host.Packages.RemovalsFact;
import dev.promguard.host.PresharedKeys.Pair;
import dev.promguard.host.ReleaseInstall;
import dev.promguard.host.Ruleset;
import dev.promguard.host.SecretFile;
import dev.promguard.host.ServedPorts;
import dev.promguard.host.ServedPorts.ServedPortsFact;
import dev.promguard.host.SystemUser;
import dev.promguard.host.Unit;
import dev.promguard.host.Units.UnitAction;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * All that is on a host, in the form in which an input of {@link DecisionCase} changes it: what has a name is in maps, keys are the
 * names of their holders, files have contents and not sums. {@link #facts} is what a host would say of it when it is asked.
 */
record FactsForm(
        String system,
        String version,
        String machine,
        Map<String, String> packages,
        List<String> users,
        Map<String, FileForm> files,
        Map<String, UnitForm> units,
        Map<String, ReleaseForm> releases,
        @Nullable InterfaceForm wireGuard,
        List<String> unreachable,
        List<String> dropped,
        List<String> ruleset,
        List<String> guarded,
        Map<String, Map<Integer, Set<String>>> closed,
        Set<String> shut,
        @Nullable KeyFileForm keyFile,
        FirewallForm firewall,
        Map<String, UnitAction> pendingUnits,
        List<String> addresses,
        @Nullable ManifestForm manifest,
        List<SocketFact> listening,
        List<String> served,
        Set<String> removals,
        List<String> held,
        List<String> kept,
        boolean rollbackPending) {
    /** A file. A text to append is what somebody wrote at its end. */
    record FileForm(
            @Nullable String content,
            @Nullable String append,
            @Nullable String mode,
            @Nullable String owner) {
        static FileForm of(String content, int mode, String owner) {
            return new FileForm(content, null, String.format(Locale.ROOT, "%04o", mode), owner);
        }

        private FileFact fact(@Nullable String expectedSum) {
            String text = Objects.requireNonNullElse(content, "") + Objects.requireNonNullElse(append, "");
            return new FileFact(
                    sha256(text),
                    Integer.parseInt(Objects.requireNonNullElse(mode, "0644"), 8),
                    Objects.requireNonNullElse(owner, "root:root"),
                    Optional.ofNullable(expectedSum)
                            .filter(sum -> !sum.equals(sha256(text)))
                            .map(sum -> text));
        }
    }

    /** A unit; one of which nothing else is said is active and enabled. */
    record UnitForm(
            @Nullable String active,
            @Nullable String enabled,
            boolean needsReload,
            @Nullable List<String> dropIns) {
        private static final UnitForm RUNNING = new UnitForm(null, null, false, null);

        private UnitFact fact() {
            return new UnitFact(
                    Objects.requireNonNullElse(active, "active"),
                    Objects.requireNonNullElse(enabled, "enabled"),
                    needsReload,
                    "",
                    Objects.requireNonNullElse(dropIns, List.of()));
        }
    }

    /** An unpacked release. */
    record ReleaseForm(String sum, boolean intact) {}

    /** The running interface, with the name of the host whose key it has, and its peers by the names of theirs. */
    record InterfaceForm(
            @Nullable String key, int port, List<String> addresses, boolean antiSpoofing, Map<String, PeerForm> peers) {
        private WireGuardFact fact() {
            List<PeerFact> facts = new ArrayList<>();
            peers.forEach((name, peer) -> facts.add(peer.fact(name)));
            return new WireGuardFact(
                    Optional.ofNullable(key).map(SpecFile::publicKey), port, addresses, antiSpoofing, facts);
        }
    }

    /** A peer. Without an age, there was no handshake. */
    record PeerForm(
            @Nullable String endpoint,
            List<String> allowedIps,
            PresharedKeyFact presharedKey,
            @Nullable Integer handshakeSecondsAgo) {
        private PeerFact fact(String name) {
            Optional<Duration> age = Optional.ofNullable(handshakeSecondsAgo).map(Duration::ofSeconds);
            return new PeerFact(
                    SpecFile.publicKey(name),
                    Optional.ofNullable(endpoint),
                    allowedIps,
                    age.map(Instant.EPOCH::minus),
                    age,
                    1,
                    1,
                    presharedKey);
        }
    }

    /** The key file, with the name of the host whose private key is in it. */
    record KeyFileForm(String key, boolean safe) {}

    /** What ufw says; the rules are by their description. */
    record FirewallForm(boolean active, boolean denyIncoming, boolean atBoot, Map<String, RuleForm> rules) {
        private FirewallFact fact() {
            return new FirewallFact(
                    active,
                    denyIncoming,
                    atBoot,
                    rules.values().stream().map(RuleForm::fact).toList(),
                    List.of(),
                    List.of());
        }
    }

    /** A rule of the firewall. */
    record RuleForm(
            int port,
            FirewallRule.Protocol protocol,
            @Nullable String on,
            @Nullable String from,
            @Nullable String to,
            String comment) {
        static RuleForm of(FirewallRule rule) {
            return new RuleForm(
                    rule.port(),
                    rule.protocol(),
                    rule.networkInterface().orElse(null),
                    rule.from().orElse(null),
                    rule.to().orElse(null),
                    rule.comment());
        }

        private FirewallRule fact() {
            return new FirewallRule(
                    Optional.ofNullable(on),
                    Optional.ofNullable(from),
                    Optional.ofNullable(to),
                    port,
                    protocol,
                    comment);
        }
    }

    /** PromGuard's manifest on a host that stays when the mesh goes. */
    record ManifestForm(String mesh, Set<String> things) {}

    /** The lines have a blank behind their kind, in the place of the tab that a host prints. */
    private Ruleset rulesetFact() {
        FactsByResource.Collector collector = new FactsByResource.Collector(new FactsQuery(
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                "wg0",
                "/etc/wireguard/wg0.key",
                Map.of(),
                List.of(new FactsQuery.ResourceCall(Ruleset.FACTS, List.of()))));
        try {
            collector.lines(
                    Ruleset.FACTS,
                    ruleset.stream()
                            .map(line -> line.startsWith("setting ")
                                    ? line.replace(' ', '\t')
                                    : line.replaceFirst(" ", "\t"))
                            .toList());
            return collector.facts().of(Ruleset.FACTS);
        } catch (MalformedFactsException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** A Debian 12 as its image brings it, with an SSH server. */
    static FactsForm fresh(String address) {
        return new FactsForm(
                "debian",
                "12",
                "x86_64",
                Map.of("ca-certificates", "20230311", "curl", "7.88.1-10+deb12u15"),
                List.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                null,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                Map.of(),
                Set.of(),
                null,
                new FirewallForm(false, false, false, Map.of()),
                Map.of(),
                List.of(address + "/20", "10.19.0.5/16"),
                null,
                List.of(new SocketFact("tcp", "0.0.0.0", 22)),
                List.of("socket tcp 0.0.0.0 22 sshd"),
                Set.of(),
                List.of(),
                List.of(),
                false);
    }

    /**
     * A host as an apply left it.
     *
     * @param desired what it should be
     * @param address its public address
     * @param mesh the mesh's name, for the manifest of a host that stays when the mesh goes; null for a host of a cloud
     */
    static FactsForm applied(DesiredHost desired, String address, @Nullable String mesh) {
        FactsForm fresh = fresh(address);
        Map<String, String> packages = new LinkedHashMap<>(fresh.packages());
        desired.packages().forEach(name -> packages.putIfAbsent(name, "1"));
        return new FactsForm(
                fresh.system(),
                fresh.version(),
                fresh.machine(),
                packages,
                desired.users().stream().map(SystemUser::name).toList(),
                files(desired),
                units(desired),
                releases(desired),
                interfaceOf(desired),
                List.of(desired.killSwitch().network()),
                List.of(desired.killSwitch().network()),
                List.of(),
                List.of(desired.killSwitch().address()),
                desired.killSwitch().closedPorts().isEmpty()
                        ? Map.of()
                        : Map.of(
                                desired.killSwitch().address(),
                                desired.killSwitch().closedPorts()),
                desired.killSwitch().viewers(),
                new KeyFileForm(desired.name(), true),
                new FirewallForm(true, true, true, rules(desired)),
                Map.of(),
                fresh.addresses(),
                mesh == null ? null : new ManifestForm(mesh, things(desired)),
                listening(fresh, desired),
                fresh.served(),
                Set.of(),
                List.of(),
                kept(desired),
                false);
    }

    private static Map<String, FileForm> files(DesiredHost desired) {
        Map<String, FileForm> files = new LinkedHashMap<>();
        for (ManagedFile file : desired.allFiles()) {
            files.put(file.path(), FileForm.of(file.content(), file.mode(), file.owner() + ':' + file.owner()));
        }
        for (SecretFile file : desired.secretFiles()) {
            String line = file.content().useText(text -> text + '\n');
            files.put(file.path(), FileForm.of(line, SecretFile.MODE, file.owner()));
        }
        desired.wireGuard()
                .peers()
                .forEach(peer -> peer.presharedKeyPath()
                        .ifPresent(path -> files.put(
                                path,
                                FileForm.of("key of " + Pair.of(desired.name(), peer.name()), 0600, "root:root"))));
        return files;
    }

    private static Map<String, UnitForm> units(DesiredHost desired) {
        Map<String, UnitForm> units = new LinkedHashMap<>();
        units.put(desired.wireGuard().unit(), UnitForm.RUNNING);
        units.put(KillSwitch.UNIT, UnitForm.RUNNING);
        desired.units().stream().map(Unit::name).forEach(name -> units.put(name, UnitForm.RUNNING));
        desired.maskedUnits().forEach(name -> units.put(name, new UnitForm("inactive", "masked", false, null)));
        return units;
    }

    private static Map<String, ReleaseForm> releases(DesiredHost desired) {
        Map<String, ReleaseForm> releases = new LinkedHashMap<>();
        for (ReleaseInstall install : desired.releases()) {
            Release release = install.release();
            releases.put(
                    release.name() + '-' + release.version(),
                    new ReleaseForm(release.sum(Architecture.AMD64).orElseThrow(), true));
        }
        return releases;
    }

    private static InterfaceForm interfaceOf(DesiredHost desired) {
        Map<String, PeerForm> peers = new LinkedHashMap<>();
        desired.wireGuard()
                .peers()
                .forEach(peer -> peers.put(
                        peer.name(),
                        new PeerForm(
                                peer.endpoint().orElse(null),
                                peer.allowedIps(),
                                peer.presharedKeyPath().isPresent() ? PresharedKeyFact.AS_FILED : PresharedKeyFact.NONE,
                                30)));
        return new InterfaceForm(
                desired.name(),
                desired.wireGuard().listenPort(),
                List.of(desired.wireGuard().address()),
                true,
                peers);
    }

    private static Map<String, RuleForm> rules(DesiredHost desired) {
        Map<String, RuleForm> rules = new LinkedHashMap<>();
        desired.firewall().forEach(rule -> rules.put(rule.describe(), RuleForm.of(rule)));
        return rules;
    }

    private static Set<String> things(DesiredHost desired) {
        Set<String> things = new LinkedHashSet<>();
        desired.units().forEach(unit -> things.add("unit " + unit.name()));
        desired.allFiles().forEach(file -> things.add("file " + file.path()));
        things.add("file " + desired.wireGuard().keyPath());
        return things;
    }

    private static List<SocketFact> listening(FactsForm fresh, DesiredHost desired) {
        List<SocketFact> sockets = new ArrayList<>(fresh.listening());
        sockets.add(new SocketFact("udp", "0.0.0.0", desired.wireGuard().listenPort()));
        return sockets;
    }

    private static List<String> kept(DesiredHost desired) {
        return Stream.concat(
                        desired.allFiles().stream()
                                .map(ManagedFile::path)
                                .filter(path -> path.startsWith("/etc/promguard/")
                                        || (path.startsWith("/etc/prometheus/") && path.endsWith(".yml"))
                                        || path.endsWith(".service")
                                        || path.endsWith(".socket")),
                        desired.releases().stream().map(ReleaseInstall::folder))
                .toList();
    }

    /** What the host says when it is asked this: nothing of what it is not asked, and contents of files that are not as expected. */
    HostFacts facts(FactsQuery query) {
        Map<String, FileFact> fileFacts = new HashMap<>();
        files.forEach(
                (path, file) -> fileFacts.put(path, file.fact(query.expected().get(path))));
        Map<String, UnitFact> unitFacts = new HashMap<>();
        units.forEach((name, unit) -> unitFacts.put(name, unit.fact()));
        Map<String, ReleaseFact> releaseFacts = new HashMap<>();
        for (ReleaseInstall install : query.releases()) {
            String name = install.release().name() + '-' + install.release().version();
            Optional.ofNullable(releases.get(name))
                    .ifPresent(release -> releaseFacts.put(name, new ReleaseFact(release.sum(), release.intact())));
        }
        Map<String, String> installed = new HashMap<>(packages);
        installed.keySet().retainAll(query.packages());
        fileFacts.keySet().retainAll(query.files());
        unitFacts.keySet().retainAll(query.units());
        return new HostFacts(
                system,
                version,
                machine,
                installed,
                Set.copyOf(users.stream().filter(query.users()::contains).toList()),
                fileFacts,
                unitFacts,
                releaseFacts,
                Optional.ofNullable(wireGuard).map(InterfaceForm::fact),
                FactsByResource.NONE
                        .with(
                                KillSwitches.FACTS,
                                new KillSwitchFact(
                                        Set.copyOf(unreachable),
                                        Set.copyOf(dropped),
                                        Set.copyOf(guarded),
                                        closed,
                                        shut))
                        .with(Ruleset.FACTS, rulesetFact())
                        .with(ServedPorts.FACTS, servedPorts(query))
                        .with(Packages.REMOVALS, new RemovalsFact(removals))
                        .with(Packages.FACTS, new DpkgFact(new TreeMap<>(), held, List.of())),
                Optional.ofNullable(keyFile).map(file -> SpecFile.publicKey(file.key())),
                keyFile != null && keyFile.safe(),
                firewall.fact(),
                pendingUnits,
                addresses,
                Optional.of(true),
                Optional.ofNullable(manifest).map(form -> new ManifestFact(form.mesh(), form.things())),
                listening,
                kept,
                rollbackPending);
    }

    /** Lines of the shell function, with spaces for the tabs. */
    private ServedPortsFact servedPorts(FactsQuery query) {
        FactsByResource.Collector collector = new FactsByResource.Collector(query);
        try {
            collector.lines(
                    ServedPorts.FACTS,
                    served.stream()
                            .map(line -> String.join("\t", line.split(" ", line.startsWith("socket ") ? 5 : 2)))
                            .toList());
            return collector.facts().of(ServedPorts.FACTS);
        } catch (MalformedFactsException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
