package dev.promguard.change;

import dev.promguard.change.Change.ApplyUnit;
import dev.promguard.change.Change.ApplyWireGuard;
import dev.promguard.change.Change.InterfaceAction;
import dev.promguard.change.Change.UnitAction;
import dev.promguard.change.HostFacts.FileFact;
import dev.promguard.change.HostFacts.FirewallFact;
import dev.promguard.change.HostFacts.PeerFact;
import dev.promguard.change.HostFacts.PresharedKeyFact;
import dev.promguard.change.HostFacts.ReleaseFact;
import dev.promguard.change.HostFacts.UnitFact;
import dev.promguard.keys.PublicKey;
import dev.promguard.render.DesiredHost;
import dev.promguard.render.ManagedFile;
import dev.promguard.render.ReleaseInstall;
import dev.promguard.render.WireGuardInterface;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Says what changes on a host would do, and whether they put back what somebody changed there. A pure function. */
public final class Explanation implements Change.Visitor<List<PlannedChange>> {
    private static final int LONGEST_WORD = 40;
    private static final String PUT_BACK = "put back";

    private final DesiredHost desired;
    private final HostFacts facts;
    private final Footprint footprint;
    private final Map<String, String> expected;
    private final Pending pending;
    private final Set<Change> drift;

    private Explanation(
            DesiredHost desired,
            HostFacts facts,
            Footprint footprint,
            Map<String, String> expected,
            Pending pending,
            List<Change> drift) {
        this.desired = desired;
        this.facts = facts;
        this.footprint = footprint;
        this.expected = expected;
        this.pending = pending;
        this.drift = new HashSet<>(drift);
    }

    /**
     * What an apply would do beside the changes found, once it has made keys that do not exist yet.
     *
     * @param peers peers, such as {@code shop-node-4 (10.0.0.5/32)}, that will be added
     * @param presharedKeys the names of the peers that the host will share a new preshared key with
     */
    public record Pending(List<String> peers, List<String> presharedKeys) {
        /** Nothing. */
        public static final Pending NONE = new Pending(List.of(), List.of());

        /**
         * Copies the lists.
         *
         * @throws NullPointerException if something is null
         */
        public Pending {
            peers = List.copyOf(peers);
            presharedKeys = List.copyOf(presharedKeys);
        }
    }

    /**
     * Explains changes.
     *
     * @param desired what the host should be
     * @param facts what it is, read by a query that expects the sums of {@link Differ#sums}
     * @param footprint what the last apply left
     * @param changes what {@link Differ#diff} found between the first two
     * @param expected what the host was expected to be when it was asked: a file whose sum was the expected one is not sent
     * @param pending what depends on keys that do not exist yet
     * @return the changes in the same order, some as more than one
     */
    public static List<PlannedChange> of(
            DesiredHost desired,
            HostFacts facts,
            Footprint footprint,
            List<Change> changes,
            DesiredHost expected,
            Pending pending) {
        Explanation explanation = new Explanation(
                desired,
                facts,
                footprint,
                contents(expected),
                pending,
                Drift.among(desired, facts, footprint, changes));
        List<PlannedChange> explained = new ArrayList<>();
        changes.forEach(change -> explained.addAll(change.accept(explanation)));
        if (Differ.needsKey(facts)) {
            explained.add(explanation.newKey());
        }
        explained.addAll(explanation.newPresharedKeys());
        ManagedFile config = desired.wireGuard().config();
        if (!pending.peers().isEmpty()
                && changes.stream()
                        .noneMatch(change -> change instanceof Change.WriteFile write
                                && write.file().equals(config))) {
            explained.add(PlannedChange.wished(config.path() + "   " + String.join(", ", explanation.newPeers())));
        }
        return List.copyOf(explained);
    }

    private static Map<String, String> contents(DesiredHost host) {
        Map<String, String> contents = new HashMap<>();
        Stream.concat(host.files().stream(), Stream.of(host.wireGuard().config()))
                .forEach(file -> contents.put(file.path(), file.content()));
        return contents;
    }

    private List<String> newPeers() {
        return pending.peers().stream()
                .map(peer -> "+ peer " + peer + ", key known after apply")
                .toList();
    }

    private PlannedChange newKey() {
        boolean is = Drift.ofKey(facts, footprint);
        String what = facts.keyFilePublicKey().isEmpty()
                ? "the WireGuard key is gone"
                : "the WireGuard key could be read by others";
        return is
                ? new PlannedChange(what + " (drift)   → a new one, known after apply", true, Optional.empty())
                : PlannedChange.wished("make the WireGuard key, known after apply");
    }

    private List<PlannedChange> newPresharedKeys() {
        List<String> gone = pending.presharedKeys().stream()
                .filter(peer -> Drift.ofPresharedKey(desired, facts, footprint, peer))
                .toList();
        List<String> fresh = pending.presharedKeys().stream()
                .filter(peer -> !gone.contains(peer))
                .toList();
        List<PlannedChange> explained = new ArrayList<>();
        if (!gone.isEmpty()) {
            explained.add(new PlannedChange(
                    (gone.size() == 1 ? "the preshared key for " : "the preshared keys for ")
                            + String.join(", ", gone) + (gone.size() == 1 ? " is" : " are")
                            + " gone or could be read by others (drift)   → new, known after apply",
                    true,
                    Optional.empty()));
        }
        if (!fresh.isEmpty()) {
            explained.add(PlannedChange.wished(Change.WritePresharedKeys.describe(fresh) + ", known after apply"));
        }
        return explained;
    }

    /** A change in the words for drift, or in those for a change of the wish. */
    private List<PlannedChange> explained(Change change, String drifted, String remedy) {
        return List.of(
                drift.contains(change)
                        ? new PlannedChange(drifted + " (drift)   → " + remedy, true, Optional.empty())
                        : PlannedChange.wished(change.describe()));
    }

    @Override
    public List<PlannedChange> installPackages(Change.InstallPackages change) {
        List<String> gone = change.packages().stream()
                .filter(footprint.packages()::contains)
                .toList();
        List<String> fresh =
                change.packages().stream().filter(name -> !gone.contains(name)).toList();
        List<PlannedChange> explained = new ArrayList<>();
        if (!gone.isEmpty()) {
            explained.add(new PlannedChange(
                    (gone.size() == 1 ? "package " : "packages ") + String.join(", ", gone)
                            + (gone.size() == 1 ? " is" : " are") + " gone (drift)   → "
                            + PUT_BACK,
                    true,
                    Optional.empty()));
        }
        if (!fresh.isEmpty()) {
            explained.add(PlannedChange.wished(new Change.InstallPackages(fresh).describe()));
        }
        return explained;
    }

    @Override
    public List<PlannedChange> createUser(Change.CreateUser change) {
        return explained(change, "user " + change.user().name() + " is gone", PUT_BACK);
    }

    @Override
    public List<PlannedChange> installRelease(Change.InstallRelease change) {
        ReleaseInstall install = change.install();
        ReleaseFact fact = facts.releases().get(Footprint.key(install));
        return explained(
                change,
                install.release().name()
                        + ' '
                        + install.release().version()
                        + (fact == null ? " is gone" : " is not as it was unpacked"),
                PUT_BACK);
    }

    @Override
    public List<PlannedChange> writeFile(Change.WriteFile change) {
        ManagedFile file = change.file();
        FileFact fact = facts.files().get(file.path());
        Optional<String> before = fact == null ? Optional.of("") : before(file, fact);
        Optional<FileDiff> diff = before.map(content -> FileDiff.between(content, file.content()));
        List<String> parts = new ArrayList<>();
        boolean isDrift = drift.contains(change);
        if (fact == null) {
            parts.add(
                    isDrift
                            ? "is gone"
                            : "new, " + lines(diff.map(FileDiff::added).orElse(0)));
        } else {
            if (!fact.sha256().equals(Differ.sha256(file.content()))) {
                parts.add(before.isPresent() ? summary(file, before.get(), diff.orElseThrow()) : "differs");
            }
            parts.addAll(attributes(file, fact));
        }
        if (file.equals(desired.wireGuard().config())) {
            parts.addAll(newPeers());
        }
        String text = file.path() + "   " + String.join(", ", parts);
        if (isDrift) {
            boolean wishChanged = !Footprint.mark(file).equals(footprint.files().get(file.path()));
            text += " (drift)   → " + (wishChanged ? "as wished now" : PUT_BACK);
        }
        boolean differs = fact == null || !fact.sha256().equals(Differ.sha256(file.content()));
        return List.of(new PlannedChange(
                text, isDrift, differs ? diff.map(found -> found.unified(file.path())) : Optional.empty()));
    }

    /** What is in a file on the host: as the host sent it, or as it was expected to be where the sum says that it is. */
    private Optional<String> before(ManagedFile file, FileFact fact) {
        return fact.content()
                .or(() -> Stream.of(Objects.requireNonNullElse(expected.get(file.path()), ""), file.content(), "")
                        .filter(content -> Differ.sha256(content).equals(fact.sha256()))
                        .findFirst());
    }

    private String summary(ManagedFile file, String before, FileDiff diff) {
        List<String> told = FileSummary.of(file.path(), before, file.content());
        return told.isEmpty() ? "+" + diff.added() + " -" + diff.removed() + " lines" : String.join(", ", told);
    }

    private static String lines(int count) {
        return count + (count == 1 ? " line" : " lines");
    }

    private static List<String> attributes(ManagedFile file, FileFact fact) {
        List<String> parts = new ArrayList<>();
        if (fact.mode() != file.mode()) {
            parts.add(String.format(Locale.ROOT, "mode %04o instead of %04o", fact.mode(), file.mode()));
        }
        String owner = file.owner() + ':' + file.owner();
        if (!fact.owner().equals(owner)) {
            parts.add("owner " + Printable.line(fact.owner(), LONGEST_WORD) + " instead of " + owner);
        }
        return parts;
    }

    @Override
    public List<PlannedChange> writeSecret(Change.WriteSecret change) {
        FileFact fact = facts.files().get(change.file().path());
        return explained(
                change, change.file().path() + (fact == null ? " is gone" : " has another mode or owner"), PUT_BACK);
    }

    @Override
    public List<PlannedChange> removeDropIns(Change.RemoveDropIns change) {
        return explained(change, change.unit() + " is overridden by " + String.join(", ", change.folders()), "remove");
    }

    /** Keys are told of by what is pending, since a plan is made before they are. */
    @Override
    public List<PlannedChange> writeKey(Change.WriteKey change) {
        return List.of();
    }

    @Override
    public List<PlannedChange> writePresharedKeys(Change.WritePresharedKeys change) {
        return List.of();
    }

    @Override
    public List<PlannedChange> allow(Change.Allow change) {
        boolean altered = facts.firewall().rules().stream().anyMatch(rule -> rule.admitsSameAs(change.rule()));
        return explained(
                change,
                "ufw: rule " + change.rule().describe() + (altered ? " has another comment" : " is gone"),
                PUT_BACK);
    }

    @Override
    public List<PlannedChange> disallow(Change.Disallow change) {
        return explained(change, "ufw: rule " + change.rule().describe() + " was added", "remove");
    }

    @Override
    public List<PlannedChange> enableFirewall(Change.EnableFirewall change) {
        FirewallFact firewall = facts.firewall();
        return explained(
                change,
                !firewall.active()
                        ? "ufw: is off, or its loaded rules are not its own"
                        : !firewall.denyIncoming() ? "ufw: admits what no rule names" : "ufw: does not come up at boot",
                PUT_BACK);
    }

    @Override
    public List<PlannedChange> wireGuard(ApplyWireGuard change) {
        WireGuardInterface wireGuard = change.wireGuard();
        if (change.action() == InterfaceAction.SYNC) {
            List<String> differences = running(wireGuard);
            return differences.isEmpty() || !drift.contains(change)
                    ? List.of(new PlannedChange(change.describe(), drift.contains(change), Optional.empty()))
                    : explained(change, wireGuard.name() + ": " + String.join(", ", differences), PUT_BACK);
        }
        String state = switch (change.action()) {
            case ENABLE -> " does not come up at boot";
            case START -> " is down";
            case RESTART ->
                facts.wireGuard().isPresent()
                                && !facts.wireGuard().get().addresses().equals(List.of(wireGuard.address()))
                        ? " has another address"
                        : " is half up";
            case SYNC -> throw new IllegalStateException("told above");
        };
        return explained(change, wireGuard.name() + state, PUT_BACK);
    }

    /** How the running interface differs from what its file should say. */
    private List<String> running(WireGuardInterface wireGuard) {
        List<String> differences = new ArrayList<>();
        facts.wireGuard().ifPresent(running -> {
            Map<PublicKey, PeerFact> left = new HashMap<>();
            running.peers().forEach(peer -> left.put(peer.publicKey(), peer));
            for (WireGuardInterface.Peer peer : wireGuard.peers()) {
                PeerFact fact = left.remove(peer.publicKey());
                PresharedKeyFact preshared =
                        peer.presharedKeyPath().isPresent() ? PresharedKeyFact.AS_FILED : PresharedKeyFact.NONE;
                if (fact == null) {
                    differences.add("peer " + peer.name() + " is gone");
                } else if (!Footprint.words(fact.allowedIps()).equals(Footprint.words(peer.allowedIps()))) {
                    differences.add("peer " + peer.name() + " has other addresses");
                } else if (fact.presharedKey() != preshared) {
                    differences.add("peer " + peer.name() + " has another preshared key");
                }
            }
            if (!left.isEmpty()) {
                differences.add(left.size() + (left.size() == 1 ? " peer was added" : " peers were added"));
            }
            if (!running.publicKey().equals(Optional.of(wireGuard.publicKey()))) {
                differences.add("it runs with another key");
            }
            if (running.listenPort() != wireGuard.listenPort()) {
                differences.add("it listens on port " + running.listenPort());
            }
            if (!running.fenced()) {
                differences.add("its address can be reached by other interfaces");
            }
        });
        return differences;
    }

    @Override
    public List<PlannedChange> unit(ApplyUnit change) {
        UnitFact fact = facts.units().get(change.unit());
        if (change.action() == UnitAction.START
                && (fact == null || !fact.active().equals("active"))) {
            String state = fact == null ? "is unknown to systemd" : "is " + Printable.line(fact.active(), LONGEST_WORD);
            return explained(change, change.unit() + ' ' + state, "start");
        } else if (change.action() == UnitAction.ENABLE) {
            return explained(change, change.unit() + " does not come up at boot", PUT_BACK);
        }
        boolean alone = fact != null
                && fact.needsReload()
                && Drift.causes(desired, change, List.copyOf(drift)).isEmpty();
        return alone && drift.contains(change)
                ? explained(change, change.unit() + " runs with an older unit file", "restart")
                : List.of(new PlannedChange(change.describe(), drift.contains(change), Optional.empty()));
    }

    @Override
    public List<PlannedChange> maskUnit(Change.MaskUnit change) {
        return explained(change, change.unit() + " is not masked", "mask");
    }

    @Override
    public List<PlannedChange> removeUnit(Change.RemoveUnit change) {
        return List.of(PlannedChange.wished(change.describe()));
    }

    @Override
    public List<PlannedChange> removeFile(Change.RemoveFile change) {
        return List.of(PlannedChange.wished(change.describe()));
    }

    @Override
    public List<PlannedChange> replaceHostKey(Change.ReplaceHostKey change) {
        return List.of(PlannedChange.wished(change.describe()));
    }

    @Override
    public List<PlannedChange> remember(Change.Remember change) {
        return List.of(PlannedChange.wished(change.describe()));
    }

    @Override
    public List<PlannedChange> takeOff(Change.TakeOff change) {
        return List.of(PlannedChange.wished(change.describe()));
    }
}
