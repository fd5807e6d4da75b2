package dev.promguard.state;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
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
import org.jspecify.annotations.Nullable;

/**
 * A disk whose power can be cut: what was not synced is then there, or not, or in part, as the seed has it. The worst that POSIX allows:
 * what files contain and which names folders have are kept apart. Thread-safe.
 */
public final class LossyDisk extends Disk {
    private final Map<Path, Map<String, Node>> now = new HashMap<>();
    private final Map<Path, Map<String, Node>> kept = new HashMap<>();
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
        FileChannel real = super.open(file, options, attributes);
        if (!options.contains(StandardOpenOption.CREATE_NEW)) {
            return new Watched(real, null, file);
        }
        Node node = new Node(false);
        names(parent(file)).put(file.getFileName().toString(), node);
        return new Watched(real, node, file);
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

    /** A channel whose writes and syncs are seen. */
    private final class Watched extends FileChannel {
        private final FileChannel real;
        private final @Nullable Node node;
        private final Path path;

        Watched(FileChannel real, @Nullable Node node, Path path) {
            this.real = real;
            this.node = node;
            this.path = path;
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            if (node != null) {
                written(node, source);
            }
            return real.write(source);
        }

        @Override
        public void force(boolean metaData) throws IOException {
            if (!real.isOpen() || Thread.currentThread().isInterrupted()) {
                real.close();
                throw new java.nio.channels.ClosedByInterruptException();
            }
            synced(node, path);
        }

        @Override
        protected void implCloseChannel() throws IOException {
            real.close();
        }

        @Override
        public int read(ByteBuffer target) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long read(ByteBuffer[] targets, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long position() {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileChannel position(long to) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long size() {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileChannel truncate(long size) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long transferTo(long from, long count, WritableByteChannel target) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long transferFrom(ReadableByteChannel source, long from, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(ByteBuffer target, long from) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int write(ByteBuffer source, long from) {
            throw new UnsupportedOperationException();
        }

        @Override
        public MappedByteBuffer map(MapMode mode, long from, long size) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock lock(long from, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock tryLock(long from, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }
    }
}
