package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.host.Renderer;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The WireGuard configuration of a viewer's machine: its address, and each monitor as a peer. Nothing else goes through the tunnel.
 *
 * <p>PromGuard does not know the viewer's private key, unless {@link #withPrivateKey} was told it; then {@link #text()} and what follows
 * from it hold the key, and nothing else does. Without it, the person puts it where the text says: a line {@code PrivateKey = …} below
 * {@code [Interface]}. Immutable and thread-safe.
 *
 * <pre>{@code
 * try (WireGuardKeyPair keys = WireGuardKeyPair.generate()) {
 *     Mesh mesh = Mesh.builder().name("shop").monitor("tor1").nodes(3).viewer("anna-laptop", keys.publicKey()).build();
 *     mesh.apply();
 *     System.out.print(mesh.viewerConfig("anna-laptop").withPrivateKey(keys.privateKey()).toQrText());
 * }
 * }</pre>
 *
 * @see Mesh#viewerConfig(String)
 */
public final class ViewerConfig {
    /** Shorter than any NAT forgets a UDP mapping that was used both ways. */
    private final String mesh;

    private final String viewer;
    private final PublicKey publicKey;
    private final String allowedIp;
    private final OptionalInt mtu;
    private final List<Monitor> monitors;
    private final Optional<Secret> privateKey;

    /** A peer of the viewer, and where its Prometheus answers inside the tunnel. */
    record Monitor(String name, PublicKey publicKey, String endpoint, String allowedIp, URI prometheus) {}

    ViewerConfig(
            String mesh,
            String viewer,
            PublicKey publicKey,
            String allowedIp,
            OptionalInt mtu,
            List<Monitor> monitors,
            Optional<Secret> privateKey) {
        this.mesh = mesh;
        this.viewer = viewer;
        this.publicKey = publicKey;
        this.allowedIp = allowedIp;
        this.mtu = mtu;
        this.monitors = List.copyOf(monitors);
        this.privateKey = privateKey;
    }

    /**
     * Where Prometheus answers the viewer once the tunnel is up.
     *
     * @return a URI for each monitor, the first monitor's first
     */
    public List<URI> prometheus() {
        return monitors.stream().map(Monitor::prometheus).toList();
    }

    /**
     * The same configuration with the viewer's private key in it.
     *
     * @param key the private key as {@code wg genkey} writes it; copied, so the caller may close it
     * @return a copy; who has it has the key
     * @throws InvalidSettingException if it is no private key, or not the one that belongs to the viewer's public key
     * @throws NullPointerException if it is null
     */
    public ViewerConfig withPrivateKey(Secret key) {
        WireGuardKeyPair pair = WireGuardKeyPair.of(Objects.requireNonNull(key, "key"));
        if (!pair.publicKey().equals(publicKey)) {
            pair.close();
            throw new InvalidSettingException(
                    "the private key does not belong to viewer " + viewer + ", whose public key is " + publicKey
                            + ": give the other half of that key, or apply with the public key of this one");
        }
        return new ViewerConfig(mesh, viewer, publicKey, allowedIp, mtu, monitors, Optional.of(pair.privateKey()));
    }

    /**
     * The configuration for {@code wg-quick} and WireGuard's apps.
     *
     * @return the text, ending in a line end; without a private key it says where that belongs
     */
    public String text() {
        StringBuilder text = new StringBuilder(512);
        text.append("# ")
                .append(viewer)
                .append(" as a viewer of mesh ")
                .append(mesh)
                .append(", by PromGuard. Once the tunnel is up, Prometheus answers at\n");
        prometheus().forEach(uri -> text.append("# ").append(uri).append('\n'));
        return text.append(sections(true)).toString();
    }

    private String sections(boolean forPeople) {
        StringBuilder text = new StringBuilder(512);
        text.append("[Interface]\n");
        if (privateKey.isPresent()) {
            privateKey
                    .get()
                    .useText(key -> text.append("PrivateKey = ").append(key).append('\n'));
        } else {
            text.append(
                            "# The private key of this machine belongs in the next line, without the #. It stays here: nobody else needs it.\n")
                    .append("# PrivateKey =\n");
        }
        text.append("Address = ").append(allowedIp).append('\n');
        mtu.ifPresent(bytes -> text.append("MTU = ").append(bytes).append('\n'));
        for (Monitor monitor : monitors) {
            text.append("\n[Peer]\n");
            if (forPeople) {
                text.append("# ").append(monitor.name()).append('\n');
            }
            text.append("PublicKey = ")
                    .append(monitor.publicKey())
                    .append("\nEndpoint = ")
                    .append(monitor.endpoint())
                    .append("\nAllowedIPs = ")
                    .append(monitor.allowedIp())
                    .append("\nPersistentKeepalive = ")
                    .append(Renderer.KEEPALIVE_SECONDS)
                    .append('\n');
        }
        return text.toString();
    }

    /**
     * Writes {@link #text()} to a new file that its owner alone may read, where the file system has such modes.
     *
     * @param file the file, whose name without {@code .conf} is the interface's name for {@code wg-quick}; its folder must be there
     * @return the file
     * @throws InvalidSettingException if there is such a file already, which stays as it is, or it cannot be written
     * @throws NullPointerException if it is null
     */
    public Path writeTo(Path file) {
        Objects.requireNonNull(file, "file");
        boolean posix = file.getFileSystem().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] ownerOnly = posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
        try (SeekableByteChannel channel = Files.newByteChannel(
                file, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), ownerOnly)) {
            ByteBuffer bytes = ByteBuffer.wrap(text().getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            return file;
        } catch (FileAlreadyExistsException e) {
            throw new InvalidSettingException(
                    ErrorCode.FILE_INACCESSIBLE,
                    Names.quote(file.toString())
                            + " is there already and was left as it is: give another name, or remove it",
                    e);
        } catch (IOException e) {
            throw new InvalidSettingException(
                    ErrorCode.FILE_INACCESSIBLE,
                    Names.quote(file.toString()) + " cannot be written: give a file in a folder that you may write",
                    e);
        }
    }

    /**
     * The configuration as a QR code for a terminal, for WireGuard's app on a phone to scan. It brings its own black and white (ANSI
     * escapes), so that it can be read on dark and light terminals. One monitor takes about 65 columns.
     *
     * @return lines of half blocks, ending in a line end
     * @throws InvalidSettingException if there is no private key in it, which the app asks for; if it is too long for a QR code; or if {@code
     *     com.google.zxing:core} is not on the class path
     */
    public String toQrText() {
        return QrCode.of(scanned()).toText();
    }

    /**
     * The configuration as a QR code in SVG, black on white.
     *
     * @return a whole SVG document, ending in a line end
     * @throws InvalidSettingException as {@link #toQrText()}
     */
    public String toQrSvg() {
        return QrCode.of(scanned()).toSvg();
    }

    /** What is scanned has no comments, so that the code is small. */
    private String scanned() {
        if (privateKey.isEmpty()) {
            throw new InvalidSettingException(
                    "a QR code of viewer " + viewer + " needs its private key: call withPrivateKey(…) first");
        }
        return sections(false);
    }

    /**
     * Whose configuration it is, without keys.
     *
     * @return such as {@code ViewerConfig[anna-laptop in mesh shop, without a private key]}
     */
    @Override
    public String toString() {
        return "ViewerConfig[" + viewer + " in mesh " + mesh + ", "
                + (privateKey.isPresent() ? "with its" : "without a") + " private key]";
    }
}
