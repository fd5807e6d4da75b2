package dev.promguard.ssh.internal;

import dev.promguard.host.Releases;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The tarballs of releases on this machine, for hosts that do not fetch them. Each is fetched once, however many hosts ask, and is sent
 * only if it has the SHA-256 that the release names. Thread-safe.
 */
public final class Tarballs {
    private static final int CHUNK = 64 * 1024;

    /** There is no such tarball on this machine. The message says why, and quotes nothing from elsewhere at length. */
    static final class UnavailableException extends IOException {
        private static final long serialVersionUID = 1L;

        private final String reason;

        UnavailableException(String reason) {
            super(reason);
            this.reason = reason;
        }

        UnavailableException(String reason, Throwable cause) {
            super(reason, cause);
            this.reason = reason;
        }

        String reason() {
            return reason;
        }
    }

    private record Verified(long size, FileTime modified) {}

    private final Path cache;
    private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();
    private final Map<String, Verified> verified = new ConcurrentHashMap<>();

    Tarballs(Path cache) {
        this.cache = cache;
    }

    /**
     * Where tarballs are kept unless somebody says otherwise: the user's folder for caches, by the XDG Base Directory Specification.
     *
     * @return the folder, which need not be there
     */
    public static Path usualCache() {
        String set = System.getenv("XDG_CACHE_HOME");
        Path caches = set != null && Path.of(set).isAbsolute()
                ? Path.of(set)
                : Path.of(System.getProperty("user.home"), ".cache");
        return caches.resolve("promguard");
    }

    /**
     * Sends the size of a tarball in a line and then the tarball, or a line that says {@code none}.
     *
     * @return why there is none, or an empty text if it was sent
     * @throws IOException if it cannot be sent
     */
    String send(Releases.Install install, OutputStream to) throws IOException {
        Path file;
        try {
            file = file(install);
        } catch (InterruptedIOException e) {
            throw e;
        } catch (UnavailableException e) {
            to.write("none\n".getBytes(StandardCharsets.US_ASCII));
            return e.reason();
        } catch (IOException e) {
            to.write("none\n".getBytes(StandardCharsets.US_ASCII));
            return SshConnector.reason(e);
        }
        long left = Files.size(file);
        to.write((left + "\n").getBytes(StandardCharsets.US_ASCII));
        byte[] chunk = new byte[CHUNK];
        try (InputStream in = Files.newInputStream(file)) {
            while (left > 0) {
                int count = in.read(chunk, 0, (int) Math.min(left, chunk.length));
                if (count < 0) {
                    throw new IOException(file + " became shorter while it was sent");
                }
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("interrupted while " + file + " was sent");
                }
                to.write(chunk, 0, count);
                left -= count;
            }
        }
        return "";
    }

    /** The tarball, fetched if it is not there yet. */
    private Path file(Releases.Install install) throws IOException {
        ReentrantLock lock = locks.computeIfAbsent(install.sha256(), sum -> new ReentrantLock());
        try {
            lock.lockInterruptibly();
        } catch (InterruptedException e) {
            throw interrupted(install, e);
        }
        try {
            URI uri = install.tarball();
            if (uri.getScheme().equals("file")) {
                Path file = Path.of(uri);
                if (!Files.isRegularFile(file)) {
                    throw new UnavailableException("there is no file " + file);
                }
                return verified(install, file, file.toString());
            }
            Path kept = cache.resolve(install.folder() + ".tar.gz");
            return Files.isRegularFile(kept) && sum(install, kept).equals(install.sha256())
                    ? kept
                    : fetched(install, kept);
        } finally {
            lock.unlock();
        }
    }

    private Path fetched(Releases.Install install, Path kept) throws IOException {
        Files.createDirectories(cache);
        Path part = Files.createTempFile(cache, install.folder() + '.', ".part");
        try {
            Download.to(part, install.tarball());
            verified(install, part, Download.withoutLogin(install.tarball()).toString());
            Files.move(part, kept, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return kept;
        } catch (InterruptedException e) {
            throw interrupted(install, e);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static InterruptedIOException interrupted(Releases.Install install, InterruptedException cause) {
        Thread.currentThread().interrupt();
        InterruptedIOException interrupted =
                new InterruptedIOException("interrupted while " + install.folder() + " was fetched");
        interrupted.initCause(cause);
        return interrupted;
    }

    private Path verified(Releases.Install install, Path file, String source) throws IOException {
        String sum = sum(install, file);
        if (!sum.equals(install.sha256())) {
            throw new UnavailableException("sha256 of " + source + " is " + sum + ", wanted " + install.sha256());
        }
        return file;
    }

    /** The file's sum. One with the sum that is wanted is read once only, as long as its size and time stay. */
    private String sum(Releases.Install install, Path file) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        Verified now = new Verified(attributes.size(), attributes.lastModifiedTime());
        if (now.equals(verified.get(install.sha256()))) {
            return install.sha256();
        }
        String sum = sum(file);
        if (sum.equals(install.sha256())) {
            verified.put(sum, now);
        }
        return sum;
    }

    private static String sum(Path file) throws IOException {
        try (DigestInputStream in =
                new DigestInputStream(Files.newInputStream(file), MessageDigest.getInstance("SHA-256"))) {
            in.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(in.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
