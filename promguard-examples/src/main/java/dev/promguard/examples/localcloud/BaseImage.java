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

    /** The release tarballs that were made along with it. */
    Releases releases() {
        return new Releases(folder);
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

    interface Making {
        void make() throws IOException;
    }

    /**
     * Makes a folder unless it is there. Two makers at once, also in two programs, make one. A folder that is there is whole, for it is
     * moved there once it is, and so nobody waits for another that is being made.
     */
    static void once(Path made, Path lockFile, String what, Making making) {
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
            Releases.pack(deb, work);
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

    static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(digest().digest(bytes));
    }

    static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
