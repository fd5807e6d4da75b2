package dev.promguard.state;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.util.Set;

/**
 * All that a store changes on a disk. What a file contains is durable when its channel was forced, and which names a folder has when the
 * folder's channel was forced; until then a power cut may keep any of it or none.
 */
class Disk {
    FileChannel open(Path file, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        return FileChannel.open(file, options, attributes);
    }

    void write(FileChannel channel, ByteBuffer source) throws IOException {
        channel.write(source);
    }

    void force(FileChannel channel) throws IOException {
        channel.force(true);
    }

    void createFolder(Path folder, FileAttribute<?>... attributes) throws IOException {
        Files.createDirectory(folder, attributes);
    }

    void move(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    boolean delete(Path file) throws IOException {
        return Files.deleteIfExists(file);
    }
}
