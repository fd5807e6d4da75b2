package dev.promguard.examples.localcloud;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The mounts of this machine, as the kernel lists them. */
final class Mounts {
    private record Mount(String point, String type, String superOptions) {}

    private Mounts() {}

    /** Mount points at or below a folder, the newest first, which is the order to unmount them in. */
    static List<String> under(Path folder) {
        String base = folder.toAbsolutePath().toString();
        List<String> found = new ArrayList<>();
        for (Mount mount : all()) {
            if (mount.point().equals(base) || mount.point().startsWith(base + "/")) {
                found.add(mount.point());
            }
        }
        Collections.reverse(found);
        return found;
    }

    /** Where the second version of control groups is mounted. */
    static Optional<Path> controlGroups() {
        return all().stream()
                .filter(m -> m.type().equals("cgroup2"))
                .map(m -> Path.of(m.point()))
                .findFirst();
    }

    /** Where systemd's own hierarchy of the first version is mounted, on hosts that mix both. */
    static Optional<Path> systemdControlGroups() {
        return all().stream()
                .filter(m -> m.type().equals("cgroup")
                        && List.of(m.superOptions().split(",", -1)).contains("name=systemd"))
                .map(m -> Path.of(m.point()))
                .findFirst();
    }

    static void unmountUnder(Path folder) {
        for (String point : under(folder)) {
            if (!Command.of("umount", point).run().ok()) {
                Command.of("umount", "--lazy", point).check();
            }
        }
    }

    private static List<Mount> all() {
        List<Mount> mounts = new ArrayList<>();
        for (String line : Folders.read(Path.of("/proc/self/mountinfo")).lines().toList()) {
            String[] halves = line.split(" - ", 2);
            String[] left = halves[0].split(" ", -1);
            String[] right = halves[1].split(" ", -1);
            mounts.add(new Mount(unescape(left[4]), right[0], right[right.length - 1]));
        }
        return mounts;
    }

    private static String unescape(String text) {
        return text.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
    }
}
