package dev.promguard.examples.localcloud;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

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

    /**
     * The command that lays a writable layer over others.
     *
     * @param lower the layers to be used read-only, the topmost first
     * @param upper where what is written goes
     * @param work a folder for the kernel, on the same disk as {@code upper}
     * @param merged where all of it is to be seen
     * @param options more options of the mount
     */
    static Command overlay(List<Path> lower, Path upper, Path work, Path merged, String... options) {
        List<String> all = new ArrayList<>();
        all.add("lowerdir=" + lower.stream().map(Path::toString).collect(Collectors.joining(":")));
        all.add("upperdir=" + upper);
        all.add("workdir=" + work);
        all.addAll(List.of(options));
        return Command.of("mount", "-t", "overlay", "overlay", "-o", String.join(",", all), merged.toString());
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
