package dev.promguard.examples.localcloud;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The root file system that every droplet starts from, and the release tarballs made along with it: built once, kept in the cache
 * folder under a name that changes with the recipe.
 */
final class BaseImage {
    private static final List<String> PACKAGES = List.of(
            "systemd",
            "systemd-sysv",
            "openssh-server",
            "iproute2",
            "iptables",
            "wireguard-go",
            "ca-certificates",
            "curl",
            "dbus",
            "procps",
            "sudo",
            "cloud-init",
            "ifupdown");

    /** A lock on a file is the whole JVM's: between its own threads these stand in for it. */
    private static final Map<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();

    private final Path folder;

    private BaseImage(Path folder) {
        this.folder = folder;
    }

    /** The root file system, to be used read-only. */
    Path root() {
        return folder.resolve("root");
    }

    /**
     * The layers of a root file system that has more packages, the topmost first, to be used read-only. Two makers at once make one
     * layer.
     */
    List<Path> layers(List<String> packages) {
        if (packages.isEmpty()) {
            return List.of(root());
        }
        String list = String.join(" ", packages);
        Path layer = folder.resolve(
                "with-" + sha256(list.getBytes(StandardCharsets.UTF_8)).substring(0, 12));
        once(layer, folder.resolve("with.lock"), "install " + list + " in " + folder, () -> install(packages, layer));
        return List.of(layer, root());
    }

    private void install(List<String> packages, Path layer) throws IOException {
        Path work = folder.resolve("with.work");
        Mounts.unmountUnder(work);
        Folders.deleteTree(work);
        Path upper = Folders.make(work.resolve("upper"));
        Path merged = Folders.make(work.resolve("merged"));
        Mounts.overlay(List.of(root()), upper, Folders.make(work.resolve("work")), merged)
                .check();
        try {
            List<String> words = new ArrayList<>(List.of(
                    "chroot",
                    merged.toString(),
                    "env",
                    "DEBIAN_FRONTEND=noninteractive",
                    "apt-get",
                    "-qq",
                    "-y",
                    "--no-install-recommends",
                    "install"));
            words.addAll(packages);
            Command.of(words).timeout(Duration.ofMinutes(5)).check();
        } finally {
            Mounts.unmountUnder(work);
        }
        Files.move(upper, layer);
        Folders.deleteTree(work);
    }

    List<LocalRelease> releases() {
        return releases(folder.resolve("releases"));
    }

    private static List<LocalRelease> releases(Path folder) {
        return Folders.children(folder).stream()
                .filter(file -> file.toString().endsWith(".tar.gz"))
                .map(BaseImage::release)
                .toList();
    }

    /** Where releases are; the second folder is there once its releases were asked for. */
    List<Path> releaseFolders() {
        return List.of(folder.resolve("releases"), folder.resolve("next"));
    }

    /** The same programs under another version's name. Two makers at once make one folder. */
    List<LocalRelease> nextReleases() {
        Path next = folder.resolve("next");
        once(next, folder.resolve("next.lock"), "make releases in " + folder, () -> {
            Path work = folder.resolve("next.work");
            Folders.deleteTree(work);
            for (LocalRelease release : releases()) {
                rename(release, Folders.make(work.resolve("unpacked")), Folders.make(work.resolve("releases")));
            }
            Files.move(work.resolve("releases"), next);
            Folders.deleteTree(work);
        });
        return releases(next);
    }

    private void rename(LocalRelease release, Path unpacked, Path to) throws IOException {
        Path tarball = folder.resolve("releases").resolve(release.fileName());
        Command.of("tar", "-xzf", tarball.toString(), "-C", unpacked.toString())
                .timeout(Duration.ofMinutes(2))
                .check();
        String top = release.fileName().substring(0, release.fileName().length() - ".tar.gz".length());
        String renamed = release.name() + "-" + release.version() + "-next" + top.substring(top.lastIndexOf(".linux-"));
        Files.move(unpacked.resolve(top), unpacked.resolve(renamed));
        tar(unpacked, renamed, to);
    }

    /**
     * Finds it in the cache, or builds it there. Two builders at once make one image.
     *
     * @param withReleases whether to make release tarballs from the suite's packages too
     */
    static BaseImage obtain(Path cache, String suite, boolean withReleases, Consumer<String> say) {
        String sources = AptSources.forSuite(suite);
        List<String> options = AptSources.options();
        String script = script();
        String recipe = String.join("\n", suite, sources, options.toString(), script, PACKAGES.toString(), "5")
                + (withReleases ? "" : "\nwithout releases");
        Path folder = cache.resolve("base-" + suite + "-"
                + sha256(recipe.getBytes(StandardCharsets.UTF_8)).substring(0, 12));
        once(folder, Folders.make(cache).resolve("lock-" + suite), "lock the cache folder " + cache, () -> {
            discardOld(cache, suite);
            build(cache, folder, suite, withReleases, sources, options, script, say);
        });
        return new BaseImage(folder);
    }

    private interface Making {
        void make() throws IOException;
    }

    /**
     * Makes a folder unless it is there. Two makers at once, also in two programs, make one. A folder that is there is whole, for it is
     * moved there once it is, and so nobody waits for another that is being made.
     */
    private static void once(Path made, Path lockFile, String what, Making making) {
        if (Files.isDirectory(made)) {
            return;
        }
        ReentrantLock here = LOCKS.computeIfAbsent(lockFile, file -> new ReentrantLock());
        here.lock();
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            if (lock.isValid() && !Files.isDirectory(made)) {
                making.make();
            }
        } catch (IOException e) {
            throw new LocalCloudException("cannot " + what + ": " + e.getMessage(), e);
        } finally {
            here.unlock();
        }
    }

    private static void build(
            Path cache,
            Path folder,
            String suite,
            boolean withReleases,
            String sources,
            List<String> options,
            String script,
            Consumer<String> say)
            throws IOException {
        say.accept("building the base image, Debian " + suite + " (about a minute, once; kept in " + cache + ")");
        Path work = Folders.make(cache.resolve("building-" + suite));
        Mounts.unmountUnder(work);
        Folders.deleteTree(work);
        Folders.make(work.resolve("debs"));
        Path customize = work.resolve("customize.sh");
        Folders.write(customize, script);
        List<String> words = new ArrayList<>(List.of(
                "mmdebstrap",
                "--variant=minbase",
                "--include=" + String.join(",", PACKAGES),
                "--skip=cleanup/apt",
                "--customize-hook=sh " + customize + " \"$1\" " + (withReleases ? work.resolve("debs") : "")));
        for (String option : options) {
            words.add("--aptopt=" + option.substring(0, option.length() - 1));
        }
        words.add(suite);
        words.add(work.resolve("root").toString());
        if (!sources.isEmpty()) {
            Folders.write(work.resolve("debian.sources"), sources);
            words.add(work.resolve("debian.sources").toString());
        }
        Command.of(words).timeout(Duration.ofMinutes(15)).check();
        carryCertificates(work.resolve("root"));
        if (withReleases) {
            say.accept("making release tarballs from Debian's own prometheus and its exporters");
        }
        Folders.make(work.resolve("releases"));
        for (Path deb : Folders.children(work.resolve("debs"))) {
            pack(deb, work);
        }
        Mounts.unmountUnder(work);
        Folders.deleteTree(work.resolve("debs"));
        Folders.deleteTree(work.resolve("unpacked"));
        Files.move(work, folder);
    }

    /** Certificates that the administrator of this machine added, where its sources need them. */
    private static void carryCertificates(Path root) throws IOException {
        boolean any = false;
        for (Path certificate : Folders.children(Path.of("/usr/local/share/ca-certificates"))) {
            if (certificate.toString().endsWith(".crt")) {
                Path to = Folders.make(root.resolve("usr/local/share/ca-certificates"));
                Files.copy(certificate, to.resolve(String.valueOf(certificate.getFileName())));
                any = true;
            }
        }
        if (any) {
            Command.of("chroot", root.toString(), "update-ca-certificates")
                    .timeout(Duration.ofMinutes(5))
                    .check();
        }
    }

    /** Turns a Debian package into a tarball as upstream would have made it. */
    private static void pack(Path deb, Path work) throws IOException {
        String packageName = field(deb, "Package");
        if (packageName.equals("promtool")) {
            return;
        }
        String arch = field(deb, "Architecture");
        String version = field(deb, "Version").replaceFirst("^\\d+:", "").replaceFirst("[-+~].*$", "");
        String name = packageName.replaceFirst("^prometheus-", "").replace('-', '_');
        Path tree = work.resolve("unpacked").resolve(packageName);
        Command.of("dpkg-deb", "-x", deb.toString(), Folders.make(tree).toString())
                .timeout(Duration.ofMinutes(2))
                .check();
        String top = name + "-" + version + ".linux-" + arch;
        Path folder = Folders.make(work.resolve("unpacked").resolve(top));
        if (name.equals("prometheus")) {
            Files.move(tree.resolve("usr/bin/prometheus"), folder.resolve("prometheus"));
            Files.move(promtool(tree, work), folder.resolve("promtool"));
            Files.move(tree.resolve("etc/prometheus/prometheus.yml"), folder.resolve("prometheus.yml"));
        } else {
            Files.move(tree.resolve("usr/bin").resolve(packageName), folder.resolve(name));
        }
        Files.move(tree.resolve("usr/share/doc/" + packageName + "/copyright"), folder.resolve("LICENSE"));
        tar(work.resolve("unpacked"), top, work.resolve("releases"));
    }

    /** Makes the same tarball of the same folder every time. */
    private static void tar(Path parent, String top, Path to) throws IOException {
        Path tarball = to.resolve(top + ".tar.gz");
        Command.of(
                        "tar",
                        "-C",
                        parent.toString(),
                        "--sort=name",
                        "--mtime=@0",
                        "--owner=0",
                        "--group=0",
                        "--numeric-owner",
                        "-I",
                        "gzip -1 -n",
                        "-cf",
                        tarball.toString(),
                        top)
                .timeout(Duration.ofMinutes(3))
                .check();
        Folders.write(Path.of(tarball + ".sha256"), sha256(tarball));
    }

    /** Where Prometheus' tool is: in its own package, or since Debian 13 in another. */
    private static Path promtool(Path prometheus, Path work) {
        Path tool = prometheus.resolve("usr/bin/promtool");
        for (Path deb : Folders.children(work.resolve("debs"))) {
            if (field(deb, "Package").equals("promtool")) {
                Command.of("dpkg-deb", "-x", deb.toString(), prometheus.toString())
                        .timeout(Duration.ofMinutes(2))
                        .check();
            }
        }
        return tool;
    }

    private static String field(Path deb, String name) {
        return Command.of("dpkg-deb", "-f", deb.toString(), name)
                .check()
                .stdout()
                .strip();
    }

    private static LocalRelease release(Path tarball) {
        String fileName = String.valueOf(tarball.getFileName());
        String stem = fileName.substring(0, fileName.length() - ".tar.gz".length());
        int dash = stem.indexOf('-');
        int linux = stem.indexOf(".linux-");
        return new LocalRelease(
                stem.substring(0, dash),
                stem.substring(dash + 1, linux),
                stem.substring(linux + ".linux-".length()),
                fileName,
                Folders.read(Path.of(tarball + ".sha256")).strip());
    }

    /** Images of older recipes go, unless a machine still stands on one. */
    private static void discardOld(Path cache, String suite) {
        String mounts = Folders.read(Path.of("/proc/self/mountinfo"));
        for (Path old : Folders.children(cache)) {
            if (String.valueOf(old.getFileName()).startsWith("base-" + suite + "-")
                    && !mounts.contains(old.toString())) {
                Folders.deleteTree(old);
            }
        }
    }

    private static String script() {
        try (InputStream in = BaseImage.class.getResourceAsStream("customize.sh")) {
            if (in == null) {
                throw new LocalCloudException("customize.sh is missing from the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new LocalCloudException("cannot read customize.sh: " + e.getMessage(), e);
        }
    }

    private static String sha256(Path file) throws IOException {
        MessageDigest digest = digest();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(digest().digest(bytes));
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
