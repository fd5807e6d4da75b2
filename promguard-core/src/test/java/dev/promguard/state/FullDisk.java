package dev.promguard.state;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.util.Set;

/** A disk that becomes full: from then on no file can be made, and of what is written only a part arrives. Thread-safe. */
public final class FullDisk extends Disk {
    private final int fullAt;
    private int needs;

    /** A disk on which so many things that need room succeed. */
    public FullDisk(int room) {
        this.fullAt = room;
    }

    /** A store on it. */
    public FileStateStore store(Path root) {
        return new FileStateStore(root, this);
    }

    /** How many things needed room so far. */
    public synchronized int needs() {
        return needs;
    }

    private synchronized boolean isFull() {
        return needs++ >= fullAt;
    }

    private static IOException full(Path path) {
        return new FileSystemException(path.toString(), null, "No space left on device");
    }

    @Override
    FileChannel open(Path file, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        if (options.contains(StandardOpenOption.CREATE_NEW) && isFull()) {
            throw full(file);
        }
        return super.open(file, options, attributes);
    }

    @Override
    void write(FileChannel channel, ByteBuffer source) throws IOException {
        if (isFull()) {
            ByteBuffer part = source.duplicate();
            part.limit(source.position() + source.remaining() / 2);
            super.write(channel, part);
            throw new IOException("No space left on device");
        }
        super.write(channel, source);
    }

    @Override
    void createFolder(Path folder, FileAttribute<?>... attributes) throws IOException {
        if (isFull()) {
            throw full(folder);
        }
        super.createFolder(folder, attributes);
    }
}
