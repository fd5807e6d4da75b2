package dev.promguard.change;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.Names;
import dev.promguard.change.Change.InterfaceAction;
import dev.promguard.change.Change.UnitAction;
import dev.promguard.change.HostFacts.FileFact;
import dev.promguard.change.HostFacts.PeerFact;
import dev.promguard.change.HostFacts.PresharedKeyFact;
import dev.promguard.change.HostFacts.ReleaseFact;
import dev.promguard.change.HostFacts.UnitFact;
import dev.promguard.change.HostFacts.WireGuardFact;
import dev.promguard.keys.PublicKey;
import dev.promguard.render.DesiredHost;
import dev.promguard.render.ManagedFile;
import dev.promguard.render.ReleaseInstall;
import dev.promguard.render.SecretFile;
import dev.promguard.render.SystemUser;
import dev.promguard.render.Unit;
import dev.promguard.render.WireGuardInterface;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Compares what a host should be with what it is. A pure function.
 *
 * <p>The order of the changes keeps a host closed at every step: units that packages bring are masked before these are installed;
 * packages, users, releases and files first, which open nothing; then the firewall, SSH's rule before anything is denied; then
 * WireGuard; then the services, those that are no longer wished before those that are, and then the files that nothing reads any more;
 * the SSH host key last.
 *
 * <p>What is no longer wished is known by {@link HostFacts#kept()}. Packages, users and data of services stay.
 */
public final class Differ {
    private static final Set<String> SYSTEMS = Set.of("debian", "ubuntu");
    private static final Pattern SCRAPER = Pattern.compile("[a-z0-9-]+ WireGuard [a-z0-9_-]+ scraper");
    private static final String EXPORTER_UNIT = "_exporter.service";
    static final String UNIT_FOLDER = "/etc/systemd/system/";

    private Differ() {}

    /**
     * What to look at on a host before it can be compared.
     *
     * @param desired what the host should be
     * @return the query
     */
    public static FactsQuery query(DesiredHost desired) {
        List<String> files = new ArrayList<>();
        files.add(desired.wireGuard().config().path());
        desired.wireGuard().peers().forEach(peer -> peer.presharedKeyPath().ifPresent(files::add));
        desired.secretFiles().forEach(file -> files.add(file.path()));
        desired.files().forEach(file -> files.add(file.path()));
        List<String> units = new ArrayList<>();
        units.add(desired.wireGuard().unit());
        desired.units().forEach(unit -> units.add(unit.name()));
        units.addAll(desired.maskedUnits());
        return new FactsQuery(
                desired.packages(),
                desired.users().stream().map(user -> user.name()).toList(),
                files,
                units,
                desired.releases(),
                desired.wireGuard().name(),
                desired.wireGuard().keyPath(),
                Map.of());
    }

    /**
     * The sums of the files that may be shown to a person, for {@link FactsQuery#expecting}. Files of keys are not among them.
     *
     * @param desired what a host should be
     * @return the SHA-256 of each file's content in lower-case hex, by path
     */
    public static Map<String, String> sums(DesiredHost desired) {
        Map<String, String> sums = new HashMap<>();
        sums.put(
                desired.wireGuard().config().path(),
                sha256(desired.wireGuard().config().content()));
        desired.files().forEach(file -> sums.put(file.path(), sha256(file.content())));
        return Map.copyOf(sums);
    }

    /**
     * Whether a host lacks a WireGuard key that can be kept: it has none, or others could have read it.
     *
     * @param facts what the host is
     * @return true if it needs a new key
     */
    public static boolean needsKey(HostFacts facts) {
        return facts.keyFilePublicKey().isEmpty() || !facts.keyFileSafe();
    }

    /**
     * Looks for what no change can mend.
     *
     * @param desired what the host should be
     * @param facts what the host is
     * @return the faults, each with what to do; empty if there is none
     */
    public static List<String> faults(DesiredHost desired, HostFacts facts) {
        List<String> faults = new ArrayList<>();
        if (!SYSTEMS.contains(facts.osId())) {
            faults.add("its system is " + Names.quote(facts.osId()) + ": use an image of Debian or Ubuntu");
        }
        Optional<Architecture> architecture = Architecture.ofMachine(facts.machine());
        if (architecture.isEmpty()) {
            faults.add("its architecture is " + Names.quote(facts.machine()) + ": use x86_64 or aarch64");
        } else {
            for (ReleaseInstall install : desired.releases()) {
                if (install.release().sum(architecture.get()).isEmpty()) {
                    faults.add(
                            install.release().name() + ' ' + install.release().version() + " has no SHA-256 for "
                                    + architecture.get().releaseName() + ": add it to the release");
                }
            }
        }
        return List.copyOf(faults);
    }

    /**
     * Finds the changes that bring a host to what it should be.
     *
     * @param desired what the host should be; without {@link #faults}
     * @param facts what the host is
     * @param newKeys the keys to give it: a key pair of its own at least where {@link #needsKey} says so, which must belong to the
     *     desired public key, and the preshared keys that it lacks
     * @param replaceHostKey whether its SSH host key is still the throwaway one
     * @return the changes in order; empty if the host is as it should be
     */
    public static List<Change> diff(DesiredHost desired, HostFacts facts, NewKeys newKeys, boolean replaceHostKey) {
        List<Change> changes = new ArrayList<>();
        Set<String> changed = new HashSet<>();

        desired.maskedUnits().stream()
                .filter(unit -> !isMasked(facts.units().get(unit)))
                .forEach(unit -> changes.add(new Change.MaskUnit(unit)));
        List<String> packages = desired.packages().stream()
                .filter(name -> !facts.packages().containsKey(name))
                .toList();
        if (!packages.isEmpty()) {
            changes.add(new Change.InstallPackages(packages));
        }
        for (SystemUser user : desired.users()) {
            if (!facts.users().contains(user.name())) {
                changes.add(new Change.CreateUser(user));
                changed.add(user.name());
            }
        }
        for (ReleaseInstall install : desired.releases()) {
            release(install, facts).ifPresent(change -> {
                changes.add(change);
                changed.add(install.folder());
            });
        }
        for (SecretFile file : desired.secretFiles()) {
            if (differs(file, facts)) {
                changes.add(new Change.WriteSecret(file));
            }
        }
        for (ManagedFile file : desired.files()) {
            if (differs(file, facts)) {
                changes.add(new Change.WriteFile(file));
                changed.add(file.path());
            }
        }
        dropIns(desired.wireGuard().unit(), facts).ifPresent(changes::add);
        for (Unit unit : desired.units()) {
            dropIns(unit.name(), facts).ifPresent(changes::add);
        }
        firewall(desired, facts, changes);
        boolean restarted = wireGuard(desired.wireGuard(), facts, newKeys, changes);
        List<String> unwished = unwished(desired, facts);
        unwished.stream()
                .filter(path -> path.startsWith(UNIT_FOLDER))
                .forEach(path -> changes.add(new Change.RemoveUnit(path.substring(UNIT_FOLDER.length()))));
        Set<String> stopped = stopped(desired, facts, changed);
        stopped.forEach(unit -> changes.add(new Change.ApplyUnit(unit, UnitAction.STOP)));
        for (Unit unit : desired.units()) {
            unit(unit, facts, changed, restarted, stopped, changes);
        }
        unwished.stream()
                .filter(path -> !path.startsWith(UNIT_FOLDER))
                .forEach(path -> changes.add(new Change.RemoveFile(path)));
        if (replaceHostKey) {
            changes.add(new Change.ReplaceHostKey());
        }
        return List.copyOf(changes);
    }

    private static boolean isMasked(@Nullable UnitFact fact) {
        return fact != null && fact.enabled().equals("masked") && !isActive(fact);
    }

    private static List<String> unwished(DesiredHost desired, HostFacts facts) {
        Set<String> unwished = new TreeSet<>(facts.kept());
        desired.files().forEach(file -> unwished.remove(file.path()));
        desired.releases().forEach(install -> unwished.remove(install.folder()));
        return List.copyOf(unwished);
    }

    private static Optional<Change> release(ReleaseInstall install, HostFacts facts) {
        Architecture architecture = Architecture.ofMachine(facts.machine()).orElseThrow();
        String sum = install.release().sum(architecture).orElseThrow();
        ReleaseFact fact = facts.releases()
                .get(install.release().name() + '-' + install.release().version());
        if (fact != null && fact.intact() && fact.sha256().equals(sum)) {
            return Optional.empty();
        }
        return Optional.of(new Change.InstallRelease(
                install,
                install.release().tarball(architecture),
                install.release().folder(architecture),
                sum));
    }

    private static boolean differs(ManagedFile file, HostFacts facts) {
        FileFact fact = facts.files().get(file.path());
        return fact == null
                || fact.mode() != file.mode()
                || !fact.owner().equals(file.owner() + ':' + file.owner())
                || !fact.sha256().equals(sha256(file.content()));
    }

    private static Optional<Change> dropIns(String unit, HostFacts facts) {
        UnitFact fact = facts.units().get(unit);
        return fact == null || fact.dropIns().isEmpty()
                ? Optional.empty()
                : Optional.of(new Change.RemoveDropIns(unit, fact.dropIns()));
    }

    private static boolean differs(SecretFile file, HostFacts facts) {
        FileFact fact = facts.files().get(file.path());
        return fact == null
                || fact.mode() != SecretFile.MODE
                || !fact.owner().equals(file.owner())
                || !fact.sha256().equals(file.content().use(Differ::sha256OfLine));
    }

    private static void firewall(DesiredHost desired, HostFacts facts, List<Change> changes) {
        List<FirewallRule> present = facts.firewall().rules();
        desired.firewall().stream()
                .filter(rule -> !present.contains(rule))
                .forEach(rule -> changes.add(new Change.Allow(rule)));
        if (!facts.firewall().active()
                || !facts.firewall().denyIncoming()
                || !facts.firewall().atBoot()) {
            changes.add(new Change.EnableFirewall());
        }
        present.stream()
                .filter(rule -> isOurs(rule, desired.wireGuard().name()))
                .filter(rule -> desired.firewall().stream().noneMatch(rule::admitsSameAs))
                .forEach(rule -> changes.add(new Change.Disallow(rule)));
    }

    private static boolean isOurs(FirewallRule rule, String wireGuardInterface) {
        if (rule.networkInterface().equals(Optional.of(wireGuardInterface))) {
            return SCRAPER.matcher(rule.comment()).matches();
        }
        return rule.protocol() == FirewallRule.Protocol.UDP && rule.comment().equals("WireGuard");
    }

    /** Adds the changes of the interface and says whether it, and so all that binds to it, is restarted by them. */
    private static boolean wireGuard(
            WireGuardInterface desired, HostFacts facts, NewKeys newKeys, List<Change> changes) {
        newKeys.own()
                .ifPresent(pair ->
                        changes.add(new Change.WriteKey(desired.keyPath(), pair.privateKey(), pair.publicKey())));
        if (!newKeys.preshared().isEmpty()) {
            changes.add(new Change.WritePresharedKeys(
                    WireGuardInterface.presharedKeyFolder(desired.name()), newKeys.preshared()));
        }
        boolean rewritten = differs(desired.config(), facts);
        if (rewritten) {
            changes.add(new Change.WriteFile(desired.config()));
        }
        UnitFact unit = facts.units().get(desired.unit());
        Optional<WireGuardFact> running = facts.wireGuard();
        if (unit == null || !unit.active().equals("active") || running.isEmpty()) {
            boolean halfUp =
                    running.isPresent() || (unit != null && unit.active().equals("active"));
            changes.add(new Change.ApplyWireGuard(desired, halfUp ? InterfaceAction.RESTART : InterfaceAction.START));
            return halfUp;
        }
        if (!running.get().addresses().equals(List.of(desired.address()))) {
            changes.add(new Change.ApplyWireGuard(desired, InterfaceAction.RESTART));
            return true;
        }
        if (rewritten || !newKeys.isEmpty() || !runsAs(desired, running.get())) {
            changes.add(new Change.ApplyWireGuard(desired, InterfaceAction.SYNC));
        }
        if (!unit.enabled().equals("enabled")) {
            changes.add(new Change.ApplyWireGuard(desired, InterfaceAction.ENABLE));
        }
        return false;
    }

    /** Which endpoint a peer has does not count: WireGuard itself moves it to where the peer was last heard from. */
    private static boolean runsAs(WireGuardInterface desired, WireGuardFact running) {
        if (!running.publicKey().equals(Optional.of(desired.publicKey()))
                || running.listenPort() != desired.listenPort()
                || !running.fenced()
                || running.peers().size() != desired.peers().size()) {
            return false;
        }
        Map<PublicKey, PeerFact> peers = new HashMap<>();
        running.peers().forEach(peer -> peers.put(peer.publicKey(), peer));
        return desired.peers().stream().allMatch(peer -> {
            PeerFact fact = peers.get(peer.publicKey());
            return fact != null
                    && new TreeSet<>(fact.allowedIps()).equals(new TreeSet<>(peer.allowedIps()))
                    && (fact.endpoint().isPresent() || peer.endpoint().isEmpty())
                    && fact.presharedKey()
                            == (peer.presharedKeyPath().isPresent()
                                    ? PresharedKeyFact.AS_FILED
                                    : PresharedKeyFact.NONE);
        });
    }

    /** Where several exporters get new units at once, one may want the port of another: those that run are stopped first. */
    private static Set<String> stopped(DesiredHost desired, HostFacts facts, Set<String> changed) {
        List<String> moving = desired.units().stream()
                .map(Unit::name)
                .filter(name -> name.endsWith(EXPORTER_UNIT) && changed.contains(UNIT_FOLDER + name))
                .toList();
        return moving.size() < 2
                ? Set.of()
                : new TreeSet<>(moving.stream()
                        .filter(name -> isActive(facts.units().get(name)))
                        .toList());
    }

    private static boolean isActive(@Nullable UnitFact fact) {
        return fact != null && fact.active().equals("active");
    }

    /** A restarted interface takes the address from under a service, but a timer has none. */
    private static void unit(
            Unit unit,
            HostFacts facts,
            Set<String> changed,
            boolean interfaceRestarted,
            Set<String> stopped,
            List<Change> changes) {
        UnitFact fact = facts.units().get(unit.name());
        UnitAction owed = facts.pendingUnits().get(unit.name());
        if (fact == null || !isActive(fact) || stopped.contains(unit.name())) {
            changes.add(new Change.ApplyUnit(unit.name(), UnitAction.START));
            return;
        }
        if (!Collections.disjoint(unit.restartWith(), changed)
                || fact.needsReload()
                || !fact.dropIns().isEmpty()
                || (interfaceRestarted && !unit.name().endsWith(".timer"))
                || owed == UnitAction.RESTART
                || owed == UnitAction.START) {
            changes.add(new Change.ApplyUnit(unit.name(), UnitAction.RESTART));
        } else if (!Collections.disjoint(unit.reloadWith(), changed) || owed == UnitAction.RELOAD) {
            changes.add(new Change.ApplyUnit(unit.name(), UnitAction.RELOAD));
        }
        if (!fact.enabled().equals("enabled")) {
            changes.add(new Change.ApplyUnit(unit.name(), UnitAction.ENABLE));
        }
    }

    static String sha256(String content) {
        return HexFormat.of().formatHex(sha256().digest(content.getBytes(StandardCharsets.UTF_8)));
    }

    private static String sha256OfLine(byte[] secret) {
        MessageDigest digest = sha256();
        digest.update(secret);
        digest.update((byte) '\n');
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
