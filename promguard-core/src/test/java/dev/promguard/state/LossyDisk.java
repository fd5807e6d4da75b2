package dev.promguard.state;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A disk whose power can be cut: what was not synced is then there, or not, or in part, as the seed has it. The worst that POSIX allows:
 * what files contain and which names folders have are kept apart. Thread-safe.
 */
public final class LossyDisk extends Disk {
    private final Map<Path, Map<String, Node>> now = new HashMap<>();
    private final Map<Path, Map<String, Node>> kept = new HashMap<>();
    private final Map<FileChannel, Opened> open = new WeakHashMap<>();
    private final int cutAt;
    private int operations;
    private int syncs;
    private long bytes;

    /** A file or a folder, whatever its name. */
    private static final class Node {
        private final boolean isFolder;
        private byte[] now = new byte[0];
        private byte[] kept = new byte[0];

        Node(boolean isFolder) {
            this.isFolder = isFolder;
        }
    }

    /** What a channel was opened for: a new file, or a folder. */
    private record Opened(@Nullable Node node, Path path) {}

    /** The power is off. */
    public static final class PowerCut extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** A disk whose power is cut before an operation, which counts from 1; never for 0. */
    public LossyDisk(int cutAt) {
        this.cutAt = cutAt;
    }

    /** A store on this disk. */
    public FileStateStore store(Path root) {
        return new FileStateStore(root, this);
    }

    /** How many operations there were. */
    public synchronized int operations() {
        return operations;
    }

    /** How often something was synced. */
    public synchronized int syncs() {
        return syncs;
    }

    /** How many bytes were written. */
    public synchronized long bytes() {
        return bytes;
    }

    private void step() {
        if (cutAt > 0 && operations + 1 >= cutAt) {
            throw new PowerCut();
        }
        operations++;
    }

    private Map<String, Node> names(Path folder) {
        return now.computeIfAbsent(folder.toAbsolutePath(), path -> new TreeMap<>());
    }

    private static Path parent(Path file) {
        return Objects.requireNonNull(file.toAbsolutePath().getParent(), "a file has a folder");
    }

    @Override
    synchronized FileChannel open(Path file, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        step();
        FileChannel channel = super.open(file, options, attributes);
        Node node = null;
        if (options.contains(StandardOpenOption.CREATE_NEW)) {
            node = new Node(false);
            names(parent(file)).put(file.getFileName().toString(), node);
        }
        open.put(channel, new Opened(node, file));
        return channel;
    }

    @Override
    void write(FileChannel channel, ByteBuffer source) throws IOException {
        Node node = opened(channel).node();
        if (node != null) {
            written(node, source);
        }
        super.write(channel, source);
    }

    /** Does not bother the real disk. */
    @Override
    void force(FileChannel channel) throws IOException {
        if (!channel.isOpen() || Thread.currentThread().isInterrupted()) {
            channel.close();
            throw new ClosedByInterruptException();
        }
        Opened opened = opened(channel);
        synced(opened.node(), opened.path());
    }

    private synchronized Opened opened(FileChannel channel) {
        return Objects.requireNonNull(open.get(channel), "a channel of this disk");
    }

    @Override
    synchronized void createFolder(Path folder, FileAttribute<?>... attributes) throws IOException {
        step();
        super.createFolder(folder, attributes);
        names(parent(folder)).put(folder.getFileName().toString(), new Node(true));
    }

    @Override
    synchronized void move(Path from, Path to) throws IOException {
        step();
        super.move(from, to);
        Node moved = names(parent(from)).remove(from.getFileName().toString());
        if (moved != null) {
            names(parent(to)).put(to.getFileName().toString(), moved);
        }
    }

    @Override
    synchronized boolean delete(Path file) throws IOException {
        step();
        names(parent(file)).remove(file.getFileName().toString());
        return super.delete(file);
    }

    private synchronized void written(Node node, ByteBuffer written) {
        step();
        byte[] more = new byte[written.remaining()];
        written.duplicate().get(more);
        bytes += more.length;
        byte[] all = Arrays.copyOf(node.now, node.now.length + more.length);
        System.arraycopy(more, 0, all, node.now.length, more.length);
        node.now = all;
    }

    private synchronized void synced(@Nullable Node node, Path path) {
        step();
        syncs++;
        if (node == null) {
            kept.put(path.toAbsolutePath(), new TreeMap<>(names(path)));
        } else {
            node.kept = node.now;
        }
    }

    /** What a power cut leaves of a folder, put into another one. Without a random source: nothing but what is certain. */
    public synchronized void leave(Path folder, Path into, @Nullable Random random) throws IOException {
        Files.createDirectories(into);
        Map<String, Node> before = kept.getOrDefault(folder.toAbsolutePath(), Map.of());
        Map<String, Node> after = now.getOrDefault(folder.toAbsolutePath(), Map.of());
        Set<String> names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        for (String name : names) {
            Node node = (random == null || random.nextBoolean() ? before : after).get(name);
            if (node != null && node.isFolder) {
                leave(folder.resolve(name), into.resolve(name), random);
            } else if (node != null) {
                Files.write(into.resolve(name), content(node, random));
            }
        }
    }

    private static byte[] content(Node node, @Nullable Random random) {
        int choice = random == null ? 0 : random.nextInt(3);
        return switch (choice) {
            case 0 -> node.kept;
            case 1 -> node.now;
            default -> node.kept.length == node.now.length ? node.kept : Arrays.copyOf(node.now, node.now.length / 2);
        };
    }
}
