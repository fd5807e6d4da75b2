package dev.promguard.examples.localcloud;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Release;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Preflight;
import dev.promguard.spi.ProvisioningResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/**
 * A cloud of two kinds of hosts on one bridge: machines with a kernel of their own under QEMU, and for the image
 * {@link #SHARED_KERNEL} machines that share this machine's kernel, as a {@link LocalCloud} has them. It goes with its run, also
 * after a kill. Thread-safe.
 */
final class KernelCloud implements CloudProvider, AutoCloseable {
    /** The image whose hosts have a kernel of their own, with WireGuard in it. */
    static final String OWN_KERNEL = "own-kernel";
    /** The image whose hosts share this machine's kernel. */
    static final String SHARED_KERNEL = "shared-kernel";

    private static final int FIRST_HOST = 10;
    private static final int OUTSIDER = 200;
    private static final Duration INSTALLING = Duration.ofMinutes(5);

    private final ExecutorService servers = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "kernel-cloud");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<String, Host> hosts = new LinkedHashMap<>();
    private final Runs.Run run;
    private final Network network;
    private final BaseImage image;
    private final ReleaseMirror mirror;
    private final Path root;
    private String loginKey = "";
    private int made;

    /** What runs a host. */
    private record Host(CloudHost host, String mesh, AutoCloseable power) {}

    KernelCloud() {
        image = BaseImage.obtain(Path.of("/var/cache/promguard-local-cloud"), "bookworm", true, System.out::println);
        Network[] network = new Network[1];
        run = Runs.begin(4, begun -> network[0] = Network.make(begun, null));
        this.network = network[0];
        mirror = new ReleaseMirror(this.network.gateway(), image.releases()::folders, servers);
        root = withKernel();
    }

    /** Where the state of meshes can go that live no longer than this. */
    Path folder() {
        return run.folder();
    }

    /** The base image with Debian's own kernel, and without anything that could stand in for that kernel's WireGuard. */
    private Path withKernel() {
        Path folder = run.machines().resolve("kernel");
        Path merged = Folders.make(folder.resolve("root"));
        Mounts.overlay(
                        List.of(image.root()),
                        Folders.make(folder.resolve("upper")),
                        Folders.make(folder.resolve("work")),
                        merged)
                .check();
        copyResolver(merged);
        Command.of("mount", "-t", "proc", "proc", merged.resolve("proc").toString())
                .check();
        for (String script : List.of(
                "dpkg -P local-cloud-kernel wireguard-go",
                "apt-get -qq update",
                "apt-get -qq install -y --no-install-recommends linux-image-cloud-amd64")) {
            Command.of("chroot", merged.toString(), "sh", "-c", script)
                    .timeout(INSTALLING)
                    .check();
        }
        Command.of("umount", merged.resolve("proc").toString()).check();
        for (String masked :
                List.of("modprobe@.service", "systemd-modules-load.service", "systemd-remount-fs.service")) {
            Folders.delete(merged.resolve("etc/systemd/system").resolve(masked));
        }
        return merged;
    }

    private static void copyResolver(Path root) {
        Folders.delete(root.resolve("etc/resolv.conf"));
        Folders.write(root.resolve("etc/resolv.conf"), Folders.read(Path.of("/etc/resolv.conf")));
    }

    @Override
    public String name() {
        return "QEMU";
    }

    @Override
    public Preflight preflight(List<HostOrder> orders) {
        return new Preflight(List.of(), Map.of());
    }

    @Override
    public synchronized List<CloudHost> list(String mesh) {
        return hosts.values().stream()
                .filter(host -> host.mesh().equals(mesh))
                .map(Host::host)
                .sorted(Comparator.comparing(CloudHost::name).thenComparing(CloudHost::id))
                .toList();
    }

    @Override
    public synchronized AccessKey registerAccessKey(String mesh, SshPublicKey key) {
        loginKey = key.line();
        return new AccessKey("1", key.md5Fingerprint(), true);
    }

    @Override
    public int batchSize() {
        return 1;
    }

    @Override
    public synchronized List<CloudHost> create(CreateOrder order) {
        int number = ++made;
        String id = Integer.toString(number);
        String name = order.names().get(0);
        int address = FIRST_HOST + number;
        AutoCloseable power = order.userData()
                .useText(userData -> order.image().equals(OWN_KERNEL)
                        ? ownKernel(id, name, address, userData)
                        : sharedKernel(id, name, address, userData));
        CloudHost host = new CloudHost(
                id,
                name,
                order.region(),
                order.size(),
                CloudHost.Status.ACTIVE,
                Optional.of(network.publicAddress(address)),
                Optional.of(order.attempt()),
                Optional.empty());
        hosts.put(id, new Host(host, order.mesh(), power));
        return List.of(host);
    }

    private AutoCloseable sharedKernel(String id, String name, int address, String userData) {
        Machine machine = new Machine(
                run.name(),
                id,
                run.machines().resolve(id),
                network,
                new Machine.Spec(
                        number(id), name, address, image.layers(List.of()), List.of(loginKey), userData, false, false));
        machine.build();
        machine.powerOn();
        return machine::destroy;
    }

    private static long number(String id) {
        return Long.parseLong(id);
    }

    private AutoCloseable ownKernel(String id, String name, int address, String userData) {
        Path seed = root.resolve("var/lib/cloud/seed/nocloud");
        Folders.write(
                seed.resolve("meta-data"),
                "instance-id: " + id + "\nlocal-hostname: " + name + "\npublic-keys:\n  - " + loginKey + "\n");
        Folders.write(seed.resolve("user-data"), userData);
        Folders.write(
                root.resolve("etc/network/interfaces"),
                "auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet static\n  address "
                        + network.publicAddress(address) + "/24\n  gateway " + network.gateway() + "\n");
        Path folder = Folders.make(run.machines().resolve(id));
        Path disk = folder.resolve("disk");
        Command.of("mke2fs", "-q", "-t", "ext4", "-d", root.toString(), disk.toString(), "3G")
                .timeout(INSTALLING)
                .check();
        String tap = run.name() + "-q" + id;
        Command.of("ip", "tuntap", "add", "dev", tap, "mode", "tap").check();
        Command.of("ip", "link", "set", tap, "master", run.name(), "up").check();
        ControlGroup group = ControlGroup.named(run.name() + "/q" + id);
        group.make();
        StringBuilder join = new StringBuilder();
        group.entrances()
                .forEach(entrance -> join.append("echo $$ > ").append(entrance).append(" && "));
        List<String> words = List.of(
                "sh",
                "-c",
                join + "exec \"$@\"",
                "sh",
                "qemu-system-x86_64",
                "-accel",
                "kvm",
                "-accel",
                "tcg,thread=multi",
                "-cpu",
                "max",
                "-m",
                "700",
                "-display",
                "none",
                "-kernel",
                bootFile(folder, "vmlinuz"),
                "-initrd",
                bootFile(folder, "initrd.img"),
                "-append",
                "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet",
                "-drive",
                "file=" + disk + ",format=raw,if=virtio,cache=unsafe",
                "-netdev",
                "tap,id=net0,ifname=" + tap + ",script=no,downscript=no",
                "-device",
                String.format("virtio-net-pci,netdev=net0,mac=02:01:00:00:00:%02x", address),
                "-device",
                "virtio-rng-pci",
                "-serial",
                "file:" + folder.resolve("console.log"));
        try {
            Process process = Command.builder(words)
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("qemu.log").toFile())
                    .start();
            return () -> {
                group.destroy();
                process.waitFor();
                Command.of("ip", "link", "delete", tap).check();
                Folders.deleteTree(folder);
            };
        } catch (IOException e) {
            throw new LocalCloudException("cannot start QEMU: " + e.getMessage(), e);
        }
    }

    /** The kernel's file of that name, out of the image, since QEMU loads it before there is a disk. */
    private String bootFile(Path folder, String name) {
        Path inside = Folders.children(root.resolve("boot")).stream()
                .filter(file ->
                        Objects.requireNonNull(file.getFileName()).toString().startsWith(name + "-"))
                .findFirst()
                .orElseThrow();
        try {
            return Files.copy(inside, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING)
                    .toString();
        } catch (IOException e) {
            throw new LocalCloudException("cannot copy " + inside + ": " + e.getMessage(), e);
        }
    }

    @Override
    public synchronized ProvisioningResult await(
            String mesh, Set<String> ids, Duration timeout, Consumer<CloudHost> report) {
        List<CloudHost> ready = new ArrayList<>();
        Map<String, String> missing = new HashMap<>();
        for (String id : ids) {
            Host host = hosts.get(id);
            if (host == null) {
                missing.put(id, "there is no such host");
            } else {
                ready.add(host.host());
            }
        }
        ready.forEach(report);
        return new ProvisioningResult(ready, missing);
    }

    @Override
    public synchronized void delete(String mesh, Collection<String> ids, Duration timeout) {
        for (String id : ids) {
            Host host = hosts.remove(id);
            if (host != null) {
                end(host);
            }
        }
    }

    @Override
    public synchronized void deleteAttempts(String mesh, Collection<String> attempts, Duration timeout) {
        List<String> ids = list(mesh).stream()
                .filter(host -> host.attempt().filter(attempts::contains).isPresent())
                .map(CloudHost::id)
                .toList();
        delete(mesh, ids, timeout);
    }

    @Override
    public synchronized List<FoundHost> find(String mesh, Collection<String> ids) {
        return hosts.entrySet().stream()
                .filter(entry -> ids.contains(entry.getKey()))
                .map(entry -> new FoundHost(
                        entry.getValue().host(), entry.getValue().mesh().equals(mesh)))
                .sorted(Comparator.comparing(found -> found.host().id()))
                .toList();
    }

    @Override
    public void tag(String mesh, Collection<String> ids) {
        throw new ProviderException(ErrorCode.MISUSE, "hosts never lose their tag here");
    }

    private static void end(Host host) {
        try {
            host.power().close();
        } catch (Exception e) {
            throw new LocalCloudException("cannot end " + host.host().name() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void cleanUp(String mesh, Optional<AccessKey> key) {}

    @Override
    public List<Release> releases() {
        return image.releases().list().stream()
                .map(release -> new Release(
                        release.name(), release.version(), mirror.uri(), Map.of(Architecture.AMD64, release.sha256())))
                .toList();
    }

    /** A host on the same network that belongs to no mesh. */
    Outsider outsider() {
        return new Outsider(network, "o1", OUTSIDER, () -> {});
    }

    @Override
    public void close() {
        mirror.close();
        servers.shutdownNow();
        run.end();
    }
}
