package dev.promguard.examples.localcloud;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Release tarballs in the layout of upstream's, made of the packages of a Debian suite and kept in a folder. */
final class Releases {
    /** The suite with Prometheus 3: Debian's next. */
    static final String CURRENT = "forky";

    private static final List<String> PACKAGES = List.of(
            "prometheus",
            "promtool",
            "prometheus-node-exporter",
            "prometheus-blackbox-exporter",
            "prometheus-alertmanager");

    private final Path folder;

    Releases(Path folder) {
        this.folder = folder;
    }

    /**
     * Those of Debian's next suite, downloaded once and kept in the cache. Its programs run on the suites of droplets too.
     *
     * @return the releases; empty, and said so, if they cannot be downloaded here
     */
    static Optional<Releases> current(Path cache, Consumer<String> say) {
        return current(cache, AptSources.forNext(CURRENT), say);
    }

    static Optional<Releases> current(Path cache, String sources, Consumer<String> say) {
        if (sources.isEmpty()) {
            say.accept(
                    "this machine has no package sources of Debian, so droplets get the releases of their own suite");
            return Optional.empty();
        }
        Path folder = cache.resolve("releases-" + CURRENT + "-"
                + BaseImage.sha256((sources + PACKAGES).getBytes(StandardCharsets.UTF_8))
                        .substring(0, 12));
        try {
            BaseImage.once(
                    folder,
                    Folders.make(cache).resolve("lock-releases"),
                    "lock the cache folder " + cache,
                    () -> download(cache.resolve("releases.work"), folder, sources, say));
            return Optional.of(new Releases(folder));
        } catch (LocalCloudException e) {
            say.accept("Prometheus 3 of Debian " + CURRENT
                    + " cannot be had here, so droplets get the releases of their own suite: "
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
            return Optional.empty();
        }
    }

    private static void download(Path work, Path folder, String sources, Consumer<String> say) throws IOException {
        say.accept(
                "making release tarballs from Debian " + CURRENT + "'s prometheus, alertmanager and exporters (once)");
        Folders.deleteTree(work);
        Path debs = Folders.make(work.resolve("debs"));
        Folders.make(work.resolve("lists/partial"));
        Folders.make(work.resolve("apt/archives/partial"));
        Folders.write(work.resolve("debian.sources"), sources);
        apt(work, debs, List.of("update"));
        List<String> words = new ArrayList<>(List.of("download"));
        words.addAll(PACKAGES);
        apt(work, debs, words);
        Folders.make(work.resolve("releases"));
        for (Path deb : Folders.children(debs)) {
            pack(deb, work);
        }
        Path made = Folders.make(work.resolve("made"));
        Files.move(work.resolve("releases"), made.resolve("releases"));
        Files.move(made, folder);
        Folders.deleteTree(work);
    }

    /** Runs apt-get with lists of its own. An archive whose index is past its date is still what it says. */
    private static void apt(Path work, Path in, List<String> words) {
        List<String> all = new ArrayList<>(List.of(
                "env",
                "-C",
                in.toString(),
                "apt-get",
                "-qq",
                "-o",
                "Dir::Etc::SourceParts=/dev/null",
                "-o",
                "Dir::Etc::SourceList=" + work.resolve("debian.sources"),
                "-o",
                "Dir::State::Lists=" + work.resolve("lists"),
                "-o",
                "Dir::State::Status=/dev/null",
                "-o",
                "Dir::Cache=" + work.resolve("apt"),
                "-o",
                "Acquire::Check-Valid-Until=false",
                "-o",
                "Acquire::Languages=none",
                "-o",
                "APT::Update::Error-Mode=any",
                "-o",
                "APT::Sandbox::User=root"));
        all.addAll(words);
        Command.of(all).timeout(Duration.ofMinutes(5)).check();
    }

    List<LocalRelease> list() {
        return in(folder.resolve("releases"));
    }

    private static List<LocalRelease> in(Path folder) {
        return Folders.children(folder).stream()
                .filter(file -> file.toString().endsWith(".tar.gz"))
                .map(Releases::release)
                .toList();
    }

    /** Where they are; the second folder is there once its releases were asked for. */
    List<Path> folders() {
        return List.of(folder.resolve("releases"), folder.resolve("next"));
    }

    /** The same programs under another version's name. Two makers at once make one folder. */
    List<LocalRelease> next() {
        Path next = folder.resolve("next");
        BaseImage.once(next, folder.resolve("next.lock"), "make releases in " + folder, () -> {
            Path work = folder.resolve("next.work");
            Folders.deleteTree(work);
            for (LocalRelease release : list()) {
                rename(release, Folders.make(work.resolve("unpacked")), Folders.make(work.resolve("releases")));
            }
            Files.move(work.resolve("releases"), next);
            Folders.deleteTree(work);
        });
        return in(next);
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

    /** Turns a Debian package into a tarball as upstream would have made it. */
    static void pack(Path deb, Path work) throws IOException {
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
            if (name.equals("alertmanager")) {
                Files.move(tree.resolve("usr/bin/amtool"), folder.resolve("amtool"));
            }
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

    private static String sha256(Path file) throws IOException {
        MessageDigest digest = BaseImage.digest();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
