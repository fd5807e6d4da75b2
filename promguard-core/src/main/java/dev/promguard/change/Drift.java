package dev.promguard.change;

import dev.promguard.change.Change.ApplyUnit;
import dev.promguard.change.Change.ApplyWireGuard;
import dev.promguard.change.Change.InterfaceAction;
import dev.promguard.change.Change.UnitAction;
import dev.promguard.change.HostFacts.FileFact;
import dev.promguard.change.HostFacts.PeerFact;
import dev.promguard.change.HostFacts.PresharedKeyFact;
import dev.promguard.change.HostFacts.UnitFact;
import dev.promguard.change.HostFacts.WireGuardFact;
import dev.promguard.keys.PublicKey;
import dev.promguard.render.DesiredHost;
import dev.promguard.render.SecretFile;
import dev.promguard.render.Unit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Tells what somebody changed on a host since the last apply from what is wished differently now. A pure function.
 *
 * <p>A change is drift where the host is not what the last apply left. Restarts, reloads and the like that only follow from
 * other changes are drift where all of those are.
 */
public final class Drift implements Change.Visitor<Boolean> {
    private final DesiredHost desired;
    private final HostFacts facts;
    private final Footprint footprint;
    private final List<Change> changes;

    private Drift(DesiredHost desired, HostFacts facts, Footprint footprint, List<Change> changes) {
        this.desired = desired;
        this.facts = facts;
        this.footprint = footprint;
        this.changes = changes;
    }

    /**
     * Picks the changes that are drift.
     *
     * @param desired what the host should be
     * @param facts what it is
     * @param footprint what the last apply left
     * @param changes what {@link Differ#diff} found between the first two
     * @return those of the changes that are drift, in the same order
     */
    public static List<Change> among(DesiredHost desired, HostFacts facts, Footprint footprint, List<Change> changes) {
        Drift drift = new Drift(desired, facts, footprint, changes);
        return changes.stream().filter(change -> change.accept(drift)).toList();
    }

    /** Whether a host lost its WireGuard key, or had it laid open, since the last apply gave it one. */
    static boolean ofKey(HostFacts facts, Footprint footprint) {
        return Differ.needsKey(facts) && footprint.wireGuard().isPresent();
    }

    /** Whether a host lost the preshared key that it shares with a peer, or had it laid open, since the last apply. */
    static boolean ofPresharedKey(DesiredHost desired, HostFacts facts, Footprint footprint, String peer) {
        Map<String, String> left =
                footprint.wireGuard().map(Footprint.Tunnels::peers).orElse(Map.of());
        return !PresharedKeys.holds(facts, peer)
                && desired.wireGuard().peers().stream()
                        .filter(wished -> wished.name().equals(peer))
                        .anyMatch(wished -> Footprint.words(wished.allowedIps(), true)
                                .equals(left.get(wished.publicKey().base64())));
    }

    @Override
    public Boolean installPackages(Change.InstallPackages change) {
        return footprint.packages().containsAll(change.packages());
    }

    @Override
    public Boolean createUser(Change.CreateUser change) {
        return footprint.users().contains(change.user().name());
    }

    @Override
    public Boolean installRelease(Change.InstallRelease change) {
        return change.sha256().equals(footprint.releases().get(Footprint.key(change.install())));
    }

    @Override
    public Boolean writeFile(Change.WriteFile change) {
        String left = footprint.files().get(change.file().path());
        FileFact fact = facts.files().get(change.file().path());
        return left != null && (fact == null || !left.equals(Footprint.mark(fact)));
    }

    /** Whether another secret is wished cannot be told: sums of secrets are not kept. */
    @Override
    public Boolean writeSecret(Change.WriteSecret change) {
        FileFact fact = facts.files().get(change.file().path());
        return footprint.files().containsKey(change.file().path())
                && (fact == null
                        || fact.mode() != SecretFile.MODE
                        || !fact.owner().equals(change.file().owner()));
    }

    @Override
    public Boolean removeDropIns(Change.RemoveDropIns change) {
        return footprint.units().contains(change.unit());
    }

    @Override
    public Boolean writeKey(Change.WriteKey change) {
        return ofKey(facts, footprint);
    }

    @Override
    public Boolean writePresharedKeys(Change.WritePresharedKeys change) {
        return change.keys().keySet().stream().anyMatch(peer -> ofPresharedKey(desired, facts, footprint, peer));
    }

    @Override
    public Boolean allow(Change.Allow change) {
        return footprint
                .rules()
                .filter(rules -> rules.contains(Footprint.words(change.rule())))
                .isPresent();
    }

    @Override
    public Boolean disallow(Change.Disallow change) {
        return footprint
                .rules()
                .filter(rules -> !rules.contains(Footprint.words(change.rule())))
                .isPresent();
    }

    @Override
    public Boolean enableFirewall(Change.EnableFirewall change) {
        return footprint.firewall();
    }

    @Override
    public Boolean wireGuard(ApplyWireGuard change) {
        Optional<Footprint.Tunnels> left = footprint.wireGuard();
        if (left.isEmpty()) {
            return false;
        }
        Optional<WireGuardFact> running = facts.wireGuard();
        if (change.action() == InterfaceAction.ENABLE
                || change.action() == InterfaceAction.START
                || running.isEmpty()) {
            return true;
        }
        UnitFact unit = facts.units().get(desired.wireGuard().unit());
        if (unit == null || !unit.active().equals("active") || !runs(left.get(), running.get())) {
            return true;
        }
        List<Change> causes = changes.stream()
                .filter(cause -> cause instanceof Change.WriteKey
                        || cause instanceof Change.WritePresharedKeys
                        || (cause instanceof Change.WriteFile write
                                && write.file().equals(desired.wireGuard().config())))
                .toList();
        boolean rewritten = causes.stream().anyMatch(Change.WriteFile.class::isInstance);
        if (!running.get().fenced() && !rewritten) {
            return true;
        }
        return followsFrom(causes) && left.get().equals(Footprint.Tunnels.of(desired.wireGuard()));
    }

    /** Whether an interface still runs as it was left. */
    private static boolean runs(Footprint.Tunnels left, WireGuardFact running) {
        Map<String, String> peers = new TreeMap<>();
        for (PeerFact peer : running.peers()) {
            String preshared = peer.presharedKey() == PresharedKeyFact.OTHER ? " with another preshared key" : "";
            peers.put(
                    peer.publicKey().base64(),
                    Footprint.words(peer.allowedIps(), peer.presharedKey() == PresharedKeyFact.AS_FILED) + preshared);
        }
        Optional<PublicKey> key = running.publicKey();
        return key.equals(Optional.of(left.publicKey()))
                && running.listenPort() == left.listenPort()
                && running.addresses().equals(List.of(left.address()))
                && peers.equals(left.peers());
    }

    @Override
    public Boolean unit(ApplyUnit change) {
        if (!footprint.units().contains(change.unit())) {
            return false;
        }
        boolean stoppedFirst = changes.contains(new ApplyUnit(change.unit(), UnitAction.STOP));
        if ((change.action() == UnitAction.START && !stoppedFirst) || change.action() == UnitAction.ENABLE) {
            return true;
        }
        List<Change> causes = causes(desired, change, changes);
        if (!causes.isEmpty()) {
            return followsFrom(causes);
        }
        return !facts.pendingUnits().containsKey(change.unit());
    }

    /** The changes that a unit's restart or reload follows from. */
    static List<Change> causes(DesiredHost desired, ApplyUnit change, List<Change> changes) {
        return desired.units().stream()
                .filter(unit -> unit.name().equals(change.unit()))
                .flatMap(unit -> changes.stream().filter(cause -> touches(cause, unit)))
                .toList();
    }

    private static boolean touches(Change cause, Unit unit) {
        if (cause instanceof Change.WriteFile write) {
            String path = write.file().path();
            return unit.restartWith().contains(path) || unit.reloadWith().contains(path);
        } else if (cause instanceof Change.InstallRelease install) {
            return unit.restartWith().contains(install.install().folder());
        } else if (cause instanceof Change.CreateUser create) {
            return unit.restartWith().contains(create.user().name());
        } else if (cause instanceof Change.RemoveDropIns dropIns) {
            return dropIns.unit().equals(unit.name());
        }
        return cause instanceof ApplyWireGuard wireGuard && wireGuard.action() == InterfaceAction.RESTART;
    }

    private boolean followsFrom(List<Change> causes) {
        return !causes.isEmpty() && causes.stream().allMatch(cause -> cause.accept(this));
    }

    /** A unit is masked before the package that brings it is there: if that is, somebody took the mask away. */
    @Override
    public Boolean maskUnit(Change.MaskUnit change) {
        return footprint.packages().containsAll(desired.packages());
    }

    @Override
    public Boolean removeUnit(Change.RemoveUnit change) {
        return false;
    }

    @Override
    public Boolean removeFile(Change.RemoveFile change) {
        return false;
    }

    @Override
    public Boolean replaceHostKey(Change.ReplaceHostKey change) {
        return false;
    }

    @Override
    public Boolean remember(Change.Remember change) {
        return false;
    }

    @Override
    public Boolean takeOff(Change.TakeOff change) {
        return false;
    }
}
