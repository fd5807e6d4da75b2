package dev.promguard.change;

import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.Release;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.render.ManagedFile;
import dev.promguard.render.ReleaseInstall;
import dev.promguard.render.SecretFile;
import dev.promguard.render.SystemUser;
import dev.promguard.render.WireGuardInterface;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** One change on one host. Doing it a second time does no harm. */
public sealed interface Change {
    /**
     * The change in a few words, for plans, progress and errors.
     *
     * @return such as {@code install node_exporter 1.12.1}
     */
    String describe();

    /**
     * Calls the visitor's method for this kind of change.
     *
     * @param visitor what to do with each kind
     * @param <R> what it returns
     * @return what the visitor returned
     */
    <R> R accept(Visitor<R> visitor);

    /**
     * Whether the change could cut the way to the host, so that it is made only under an armed rollback.
     *
     * @return true for changes of the firewall and of the WireGuard interface
     */
    default boolean risky() {
        return false;
    }

    /**
     * One method for each kind of change.
     *
     * @param <R> what the methods return
     */
    interface Visitor<R> {
        /**
         * Packages.
         *
         * @param change the change
         * @return the visitor's result
         */
        R installPackages(InstallPackages change);

        /**
         * A user.
         *
         * @param change the change
         * @return the visitor's result
         */
        R createUser(CreateUser change);

        /**
         * A release.
         *
         * @param change the change
         * @return the visitor's result
         */
        R installRelease(InstallRelease change);

        /**
         * A file.
         *
         * @param change the change
         * @return the visitor's result
         */
        R writeFile(WriteFile change);

        /**
         * Drop-ins.
         *
         * @param change the change
         * @return the visitor's result
         */
        R removeDropIns(RemoveDropIns change);

        /**
         * A file that holds a secret.
         *
         * @param change the change
         * @return the visitor's result
         */
        R writeSecret(WriteSecret change);

        /**
         * The WireGuard private key.
         *
         * @param change the change
         * @return the visitor's result
         */
        R writeKey(WriteKey change);

        /**
         * Preshared keys.
         *
         * @param change the change
         * @return the visitor's result
         */
        R writePresharedKeys(WritePresharedKeys change);

        /**
         * A firewall rule to add.
         *
         * @param change the change
         * @return the visitor's result
         */
        R allow(Allow change);

        /**
         * A firewall rule to remove.
         *
         * @param change the change
         * @return the visitor's result
         */
        R disallow(Disallow change);

        /**
         * The firewall itself.
         *
         * @param change the change
         * @return the visitor's result
         */
        R enableFirewall(EnableFirewall change);

        /**
         * The WireGuard interface.
         *
         * @param change the change
         * @return the visitor's result
         */
        R wireGuard(ApplyWireGuard change);

        /**
         * A unit.
         *
         * @param change the change
         * @return the visitor's result
         */
        R unit(ApplyUnit change);

        /**
         * A unit that must never run.
         *
         * @param change the change
         * @return the visitor's result
         */
        R maskUnit(MaskUnit change);

        /**
         * A unit of PromGuard's that is no longer wished.
         *
         * @param change the change
         * @return the visitor's result
         */
        R removeUnit(RemoveUnit change);

        /**
         * A file or release of PromGuard's that is no longer wished.
         *
         * @param change the change
         * @return the visitor's result
         */
        R removeFile(RemoveFile change);

        /**
         * The SSH host key.
         *
         * @param change the change
         * @return the visitor's result
         */
        R replaceHostKey(ReplaceHostKey change);

        /**
         * The record of what was on the host before.
         *
         * @param change the change
         * @return the visitor's result
         */
        R remember(Remember change);

        /**
         * A part of PromGuard's to take off.
         *
         * @param change the change
         * @return the visitor's result
         */
        R takeOff(TakeOff change);
    }

    /** Ways to bring a WireGuard interface to its configuration, the gentlest first. */
    public enum InterfaceAction {
        /** Have it come up at boot; it runs as it should. */
        ENABLE,
        /** Set peers, key, port and fence on the running interface; sessions of unchanged peers go on. */
        SYNC,
        /** Bring it up; it is down. */
        START,
        /** Take it down and bring it up; only its address asks for that. */
        RESTART
    }

    /** What to do with a unit. The unit files are read anew first where they changed. */
    public enum UnitAction {
        /** Have it come up at boot; it runs as it should. */
        ENABLE,
        /** Stop it; a START follows, once another has given up what it needs, such as a port. */
        STOP,
        /** Enable it and start it; it is not running. */
        START,
        /** Restart it. */
        RESTART,
        /** Have it read its configuration anew. */
        RELOAD
    }

    /**
     * Installs Debian packages.
     *
     * @param packages their names
     */
    record InstallPackages(List<String> packages) implements Change {
        /** Copies the list. */
        public InstallPackages {
            packages = List.copyOf(packages);
        }

        @Override
        public String describe() {
            return "install " + String.join(", ", packages);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.installPackages(this);
        }
    }

    /**
     * Creates a system user and its group.
     *
     * @param user the user
     */
    record CreateUser(SystemUser user) implements Change {
        @Override
        public String describe() {
            return "create user " + user.name();
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.createUser(this);
        }
    }

    /**
     * Fetches a release's tarball, checks it, and unpacks its programs.
     *
     * @param install the release and its programs
     * @param tarball where to fetch it
     * @param folder the folder inside the tarball
     * @param sha256 the SHA-256 it must have
     */
    record InstallRelease(ReleaseInstall install, java.net.URI tarball, String folder, String sha256)
            implements Change {
        @Override
        public String describe() {
            Release release = install.release();
            return "install " + release.name() + ' ' + release.version();
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.installRelease(this);
        }
    }

    /**
     * Replaces a file.
     *
     * @param file the file
     */
    record WriteFile(ManagedFile file) implements Change {
        @Override
        public String describe() {
            return "write " + file.path();
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.writeFile(this);
        }

        @Override
        public boolean risky() {
            return file.path().startsWith("/etc/wireguard/");
        }
    }

    /**
     * Removes the drop-ins that override a unit's file. Systemd reads the unit anew; what runs goes on as it was.
     *
     * @param unit the unit's name
     * @param folders the folders that hold them, each removed as a whole
     */
    record RemoveDropIns(String unit, List<String> folders) implements Change {
        /**
         * Copies the list.
         *
         * @throws NullPointerException if something is null
         */
        public RemoveDropIns {
            Objects.requireNonNull(unit, "unit");
            folders = List.copyOf(folders);
        }

        @Override
        public String describe() {
            return "remove drop-ins of " + unit + ": " + String.join(", ", folders);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.removeDropIns(this);
        }
    }

    /**
     * Replaces a file that holds a secret. The record never prints it.
     *
     * @param file the file
     */
    record WriteSecret(SecretFile file) implements Change {
        @Override
        public String describe() {
            return "write " + file.path();
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.writeSecret(this);
        }
    }

    /**
     * Writes the WireGuard private key. The record never prints it.
     *
     * @param path where the key goes, mode 0600
     * @param privateKey the key, base64 text
     * @param publicKey the public key that belongs to it
     */
    record WriteKey(String path, Secret privateKey, PublicKey publicKey) implements Change {
        @Override
        public String describe() {
            return "write the WireGuard key";
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.writeKey(this);
        }

        @Override
        public boolean risky() {
            return true;
        }
    }

    /**
     * Writes the preshared keys that the host shares with some of its peers, each mode 0600. The running interface takes them
     * with the next {@link InterfaceAction#SYNC}; sessions go on, since a preshared key counts at the next handshake only.
     *
     * @param folder the folder of the files, which are named after the peers; others in it stay
     * @param keys the keys as base64 text, by the peer's host name
     */
    record WritePresharedKeys(String folder, Map<String, Secret> keys) implements Change {
        private static final int MOST_NAMES = 5;

        /** Copies the map, sorted by name. */
        public WritePresharedKeys {
            Objects.requireNonNull(folder, "folder");
            keys = Collections.unmodifiableMap(new TreeMap<>(Map.copyOf(keys)));
        }

        @Override
        public String describe() {
            return describe(keys.keySet());
        }

        /**
         * The words for a change of the preshared keys shared with these peers, for plans that are made before the keys are.
         *
         * @param peers the peers' host names
         * @return such as {@code write the preshared keys for shop-node-1, shop-node-2}
         */
        public static String describe(Collection<String> peers) {
            List<String> names = peers.stream().sorted().toList();
            return (names.size() == 1 ? "write the preshared key for " : "write the preshared keys for ")
                    + (names.size() <= MOST_NAMES
                            ? String.join(", ", names)
                            : String.join(", ", names.subList(0, MOST_NAMES - 1)) + " and "
                                    + (names.size() - MOST_NAMES + 1) + " more");
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.writePresharedKeys(this);
        }

        @Override
        public boolean risky() {
            return true;
        }
    }

    /**
     * Adds a firewall rule.
     *
     * @param rule the rule
     */
    record Allow(FirewallRule rule) implements Change {
        @Override
        public String describe() {
            return "ufw: allow " + rule.describe();
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.allow(this);
        }

        @Override
        public boolean risky() {
            return true;
        }
    }

    /**
     * Removes a firewall rule.
     *
     * @param rule the rule
     */
    record Disallow(FirewallRule rule) implements Change {
        @Override
        public String describe() {
            return "ufw: remove " + rule.describe();
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.disallow(this);
        }

        @Override
        public boolean risky() {
            return true;
        }
    }

    /** Denies what no rule admits, now and at boot. */
    record EnableFirewall() implements Change {
        @Override
        public String describe() {
            return "ufw: deny what no rule admits, and enable";
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.enableFirewall(this);
        }

        @Override
        public boolean risky() {
            return true;
        }
    }

    /**
     * Brings the running WireGuard interface to what its configuration file says.
     *
     * @param wireGuard the interface
     * @param action by how much
     */
    record ApplyWireGuard(WireGuardInterface wireGuard, InterfaceAction action) implements Change {
        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public ApplyWireGuard {
            Objects.requireNonNull(wireGuard, "wireGuard");
            Objects.requireNonNull(action, "action");
        }

        @Override
        public String describe() {
            return switch (action) {
                case ENABLE -> wireGuard.name() + ": come up at boot";
                case SYNC -> wireGuard.name() + ": set peers";
                case START -> wireGuard.name() + ": bring up";
                case RESTART -> wireGuard.name() + ": take down and bring up";
            };
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.wireGuard(this);
        }

        @Override
        public boolean risky() {
            return action != InterfaceAction.ENABLE;
        }
    }

    /**
     * Has systemd run a unit as its file says.
     *
     * @param unit the unit's name
     * @param action what to do
     */
    record ApplyUnit(String unit, UnitAction action) implements Change {
        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public ApplyUnit {
            Objects.requireNonNull(unit, "unit");
            Objects.requireNonNull(action, "action");
        }

        @Override
        public String describe() {
            return switch (action) {
                case ENABLE -> "enable " + unit;
                case STOP -> "stop " + unit;
                case START -> "start " + unit;
                case RESTART -> "restart " + unit;
                case RELOAD -> "reload " + unit;
            };
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.unit(this);
        }
    }

    /**
     * Stops a unit that a package brings, and masks it, so that nothing starts it. The unit need not be there yet.
     *
     * @param unit the unit's name
     */
    record MaskUnit(String unit) implements Change {
        /**
         * Checks that it is there.
         *
         * @throws NullPointerException if it is null
         */
        public MaskUnit {
            Objects.requireNonNull(unit, "unit");
        }

        @Override
        public String describe() {
            return "mask " + unit;
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.maskUnit(this);
        }
    }

    /**
     * Stops and disables a unit, and removes its file from {@code /etc/systemd/system}.
     *
     * @param unit the unit's name
     */
    record RemoveUnit(String unit) implements Change {
        /**
         * Checks that it is there.
         *
         * @throws NullPointerException if it is null
         */
        public RemoveUnit {
            Objects.requireNonNull(unit, "unit");
        }

        @Override
        public String describe() {
            return "remove " + unit;
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.removeUnit(this);
        }
    }

    /**
     * Removes a file, or the folder of a release, that PromGuard had put there.
     *
     * @param path the absolute path
     */
    record RemoveFile(String path) implements Change {
        /**
         * Checks that it is there.
         *
         * @throws NullPointerException if it is null
         */
        public RemoveFile {
            Objects.requireNonNull(path, "path");
        }

        @Override
        public String describe() {
            return "remove " + path;
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.removeFile(this);
        }
    }

    /** Has the host make itself a new SSH host key and use that alone. Always the last change. */
    record ReplaceHostKey() implements Change {
        @Override
        public String describe() {
            return "replace the throwaway SSH host key";
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.replaceHostKey(this);
        }

        @Override
        public boolean risky() {
            return true;
        }
    }

    /**
     * Begins a record on the host of what PromGuard puts there and what was there before, so that {@link TakeOff} can leave
     * the host as it was. Always the first change on a host of an inventory.
     *
     * @param mesh the name of the mesh that the host is in from now on
     */
    record Remember(String mesh) implements Change {
        /**
         * Checks that the name is there.
         *
         * @throws NullPointerException if it is null
         */
        public Remember {
            Objects.requireNonNull(mesh, "mesh");
        }

        @Override
        public String describe() {
            return "begin a record of what is changed, for the day it is taken off";
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.remember(this);
        }
    }

    /** The parts of PromGuard's on a host, in the order in which they are taken off: what exports goes before what closes. */
    enum Part {
        /** Units: stopped and disabled. */
        SERVICES("stop and disable what PromGuard runs"),
        /** The interface: taken down. */
        WIREGUARD("take the WireGuard interface down"),
        /** Rules, and the firewall itself if it was off before. */
        FIREWALL("ufw: put back what was before"),
        /** Files, releases, data, users; files that were there before are put back. */
        FILES("remove PromGuard's files, releases, data and users");

        private final String words;

        Part(String words) {
            this.words = words;
        }
    }

    /**
     * Takes a part of PromGuard's off a host, as far as the record tells that {@link Remember} began. Packages stay.
     *
     * @param part which part
     */
    record TakeOff(Part part) implements Change {
        /**
         * Checks that the part is there.
         *
         * @throws NullPointerException if it is null
         */
        public TakeOff {
            Objects.requireNonNull(part, "part");
        }

        @Override
        public String describe() {
            return part.words;
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.takeOff(this);
        }

        @Override
        public boolean risky() {
            return true;
        }
    }
}
