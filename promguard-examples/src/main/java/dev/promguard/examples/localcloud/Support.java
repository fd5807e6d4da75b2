package dev.promguard.examples.localcloud;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Whether a local cloud with real machines can run here.
 *
 * @param missingPackages Debian packages that are not installed; {@code apt-get install} of these is all that these want
 * @param blockers what no package fixes, each with what to do about it
 */
public record Support(List<String> missingPackages, List<String> blockers) {
    private static final Map<String, String> PACKAGES = new LinkedHashMap<>();

    static {
        PACKAGES.put("systemd-nspawn", "systemd-container");
        PACKAGES.put("mmdebstrap", "mmdebstrap");
        PACKAGES.put("ip", "iproute2");
        PACKAGES.put("iptables", "iptables");
        PACKAGES.put("nsenter", "util-linux");
        PACKAGES.put("unshare", "util-linux");
        PACKAGES.put("mount", "mount");
        PACKAGES.put("sysctl", "procps");
        PACKAGES.put("tar", "tar");
        PACKAGES.put("gzip", "gzip");
    }

    /**
     * Copies both lists.
     *
     * @param missingPackages Debian packages that are not installed
     * @param blockers what no package fixes
     */
    public Support {
        missingPackages = List.copyOf(missingPackages);
        blockers = List.copyOf(blockers);
    }

    /**
     * Says whether it can run now.
     *
     * @return true if nothing is missing
     */
    public boolean ok() {
        return missingPackages.isEmpty() && blockers.isEmpty();
    }

    /**
     * Says whether it can run once {@link LocalCloud#installMissing} has run.
     *
     * @return true if at most packages are missing
     */
    public boolean okOnceInstalled() {
        return blockers.isEmpty();
    }

    /**
     * Every reason why it cannot run, and what to do, one a line.
     *
     * @return the reasons; empty if it can run
     */
    public String reasons() {
        List<String> lines = new ArrayList<>(blockers);
        if (!missingPackages.isEmpty()) {
            lines.add("Debian packages are missing: apt-get install " + String.join(" ", missingPackages));
        }
        return String.join("\n", lines);
    }

    @Override
    public String toString() {
        return ok() ? "the local cloud can run here" : "the local cloud cannot run here:\n" + reasons();
    }

    static Support probe() {
        if (!System.getProperty("os.name", "").equals("Linux")) {
            return new Support(
                    List.of(),
                    List.of("this is " + System.getProperty("os.name")
                            + ": the local cloud needs Linux, for example a Debian" + " virtual machine"));
        }
        List<String> blockers = new ArrayList<>();
        if (!root()) {
            blockers.add("this is not root: network namespaces and mounts need it; run it with sudo");
        }
        if (!Files.exists(Path.of("/dev/net/tun"))) {
            blockers.add("there is no /dev/net/tun: run modprobe tun, or give this container the device");
        }
        if (Mounts.controlGroups().isEmpty()) {
            blockers.add(
                    "no cgroup2 is mounted: run mount -t cgroup2 none /sys/fs/cgroup, or use a host with control groups v2");
        }
        Set<String> packages = new LinkedHashSet<>();
        PACKAGES.forEach((program, name) -> {
            if (!onPath(program)) {
                packages.add(name);
            }
        });
        if (!Files.exists(Path.of("/usr/share/keyrings/debian-archive-keyring.gpg"))) {
            packages.add("debian-archive-keyring");
        }
        if (!onPath("apt-get") || !onPath("dpkg-deb")) {
            blockers.add(
                    "there is no apt-get: the base image is made by Debian's own tools; use a Debian or Ubuntu host");
        }
        if (blockers.isEmpty() && onPath("unshare")) {
            probeKernel(blockers);
        }
        return new Support(List.copyOf(packages), blockers);
    }

    static void install(Consumer<String> say) {
        Support support = probe();
        if (!support.okOnceInstalled()) {
            throw new LocalCloudException(support.toString());
        }
        if (support.ok()) {
            return;
        }
        List<String> words = new ArrayList<>(List.of("apt-get", "install", "-y", "--no-install-recommends"));
        words.addAll(support.missingPackages());
        say.accept("installing Debian packages on this machine: " + String.join(" ", support.missingPackages()));
        Command.of("apt-get", "-qq", "update").timeout(Duration.ofMinutes(5)).check();
        Command.of(words).timeout(Duration.ofMinutes(10)).check();
    }

    private static void probeKernel(List<String> blockers) {
        ExecResult unshared = Command.of("unshare", "--net", "--mount", "true").run();
        if (!unshared.ok()) {
            blockers.add("cannot make network and mount namespaces ("
                    + unshared.stderr().strip() + "): a container needs --privileged, a kernel CONFIG_NET_NS");
            return;
        }
        Path probe = Folders.temporary("local-cloud-probe");
        ExecResult overlay = Command.of(
                        "unshare",
                        "--mount",
                        "sh",
                        "-ec",
                        "mount -t tmpfs none \"$0\"; cd \"$0\"; mkdir a b c d;"
                                + " mount -t overlay none -o lowerdir=a,upperdir=b,workdir=c d",
                        probe.toString())
                .run();
        Folders.deletePlain(probe);
        if (!overlay.ok()) {
            blockers.add("cannot mount an overlay (" + overlay.stderr().strip()
                    + "): run modprobe overlay, or give this container --privileged");
        }
    }

    private static boolean root() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .anyMatch(line -> line.matches("Uid:\\s+\\d+\\s+0\\s.*"));
        } catch (IOException e) {
            throw new LocalCloudException("cannot read /proc/self/status: " + e.getMessage(), e);
        }
    }

    private static boolean onPath(String program) {
        for (String folder : Command.PATH.split(":", -1)) {
            if (Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }
}
