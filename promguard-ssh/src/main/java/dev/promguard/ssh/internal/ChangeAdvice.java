package dev.promguard.ssh.internal;

import dev.promguard.ErrorCode;
import dev.promguard.host.Change;
import dev.promguard.host.HostKey;
import dev.promguard.host.ManagedFiles;
import dev.promguard.host.Packages;
import dev.promguard.host.Releases;
import dev.promguard.host.Units;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What kind of failure it is where a change fails, and what to do about it. */
final class ChangeAdvice {
    /** What a host says where another run holds its lock. */
    static final String BUSY = "another run is at work on this host";

    private ChangeAdvice() {}

    static ErrorCode code(@Nullable Change change, String why) {
        if (why.equals(BUSY)) {
            return ErrorCode.HOST_BUSY;
        }
        return change instanceof Releases.Install || change instanceof Packages.Install
                ? ErrorCode.INSTALL_FAILED
                : ErrorCode.STEP_FAILED;
    }

    static String remedy(@Nullable Change change, String why) {
        String room = room(why);
        if (!room.isEmpty()) {
            return room + ", then run again.";
        } else if (why.contains(" has mode ") && change instanceof Units.Apply) {
            return "Let every user pass through that folder (chmod o+x on the host), then run again.";
        } else if (why.contains(" is mounted with noexec")) {
            return "Take noexec off it in the host's /etc/fstab and remount it, then run again.";
        } else if (change instanceof Releases.Install install
                && install.tarball().getScheme().equals("file")) {
            return "Nothing was unpacked. Put the tarball that the release names at " + Path.of(install.tarball())
                    + ", then run again.";
        } else if (change instanceof Releases.Install install) {
            return (why.startsWith("sha256 is ") ? "Nothing was unpacked. " : "") + "Check the release mirror "
                    + Download.withoutLogin(install.tarball())
                    + ", or name one that the host reaches with Release.from(…), then run again.";
        } else if (change instanceof Packages.Install install) {
            return installRemedy(install, why);
        } else if (change instanceof ManagedFiles.Write) {
            return "The file on the host is as it was. Fix what the lines above name, then run again.";
        } else if (change instanceof HostKey.Replace) {
            return "The host keeps its old key. Run again.";
        }
        return "Fix what the lines above name, then run again.";
    }

    /** What to do where nothing can be written on the host; empty where that is not it. */
    private static String room(String why) {
        if (why.startsWith("a limit of ")) {
            return "Raise it (fsize in the host's /etc/security/limits.conf or limits.d, or LimitFSIZE= of its SSH server's unit)";
        } else if (why.startsWith("there is no room on ")) {
            return "Free some there (df -h and df -i on the host), or enlarge it";
        }
        return why.startsWith("the host's file system ") && why.contains(" is read-only")
                ? "Find out why (dmesg on the host; a disk with errors is mounted so), make it writable"
                : "";
    }

    private static String installRemedy(Packages.Install install, String why) {
        if (why.contains(" holds the lock of ")) {
            return "Wait until it is done, then run again.";
        } else if (why.contains(": dpkg has not finished ") || why.contains(": what these need is not installed: ")) {
            return "PromGuard leaves packages of others alone: finish, reinstall or remove these on the host (dpkg --configure -a,"
                    + " apt-get --fix-broken install), then run again.";
        } else if (why.contains(": apt's preferences rule out every version of ")) {
            return "Take that out of /etc/apt/preferences or /etc/apt/preferences.d on the host, then run again.";
        }
        return "Check that the host reaches its package mirrors, or install these from a mirror of your own (apt-get install "
                + String.join(" ", install.packages()) + "), then run again.";
    }
}
