package dev.promguard.blueprint;

import dev.promguard.InvalidSettingException;
import java.net.URI;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A release of Prometheus or an exporter: a tarball for each architecture, each known by its SHA-256 before it is fetched.
 *
 * @param name the program's name, such as {@code node_exporter}
 * @param version the version without a leading v, such as {@code 1.12.1}
 * @param base the folder that holds the tarballs: an http or https URI, or a file URI for a folder on the machine that runs PromGuard,
 *     which then sends the tarballs to the hosts; the file name is appended
 * @param sha256 for each architecture offered, the SHA-256 of its tarball in lower-case hex
 */
public record Release(String name, String version, URI base, Map<Architecture, String> sha256) {
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_-]{0,62}");
    private static final Pattern VERSION = Pattern.compile("[0-9][0-9A-Za-z.+_-]{0,62}");
    private static final Pattern SUM = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern BASE = Pattern.compile("(https?://|file:///)[A-Za-z0-9._~:/@\\[\\]%+-]+");

    /**
     * Checks and copies.
     *
     * @throws NullPointerException if something is null
     * @throws InvalidSettingException if a part is malformed; the message names it, its value and what is allowed
     */
    public Release {
        require(NAME, name, "release name", "lower-case letters, digits, dashes and underscores");
        require(VERSION, version, "release version", "digits, letters, dots and dashes, without a leading v");
        Objects.requireNonNull(base, "base");
        Objects.requireNonNull(sha256, "sha256");
        require(
                BASE,
                base.toString(),
                "release URI",
                "an http, https or file URI without query, fragment or shell characters");
        if (sha256.isEmpty()) {
            throw new InvalidSettingException(
                    "release " + name + " has no SHA-256: give one for at least one architecture");
        }
        sha256.values().forEach(sum -> require(SUM, sum, "SHA-256 of " + name, "64 lower-case hex digits"));
        sha256 = Collections.unmodifiableMap(new EnumMap<>(sha256));
    }

    /**
     * Prometheus 3.13.2, of the long-term line that is maintained to July 2027. The sums are those of the project's own
     * {@code sha256sums.txt}.
     *
     * @return the release
     */
    public static Release prometheus() {
        return upstream(
                "prometheus",
                "3.13.2",
                "0e8c4d46101bd025ea8265e377d2caabc57f488fc1be1c367f37db69ea41be6f",
                "7cecb17a6f41d59814e1a0581a1f81f79051ad5973d1ecf39e23a9f747d6572a");
    }

    /**
     * node_exporter 1.12.1. The sums are those of the project's own {@code sha256sums.txt}.
     *
     * @return the release
     */
    public static Release nodeExporter() {
        return upstream(
                "node_exporter",
                "1.12.1",
                "b51d8a76aa2a9156a55d501aca6276fae09e262259a5e4e831d2c2222f084e63",
                "ad35b605f9954b9f1ffddf5ba054bdc5a98d790b9eae5291e1eeb83f1ecbd0e7");
    }

    /**
     * blackbox_exporter 0.28.0. The sums are those of the project's own {@code sha256sums.txt}.
     *
     * @return the release
     */
    public static Release blackboxExporter() {
        return upstream(
                "blackbox_exporter",
                "0.28.0",
                "caf5d242fb1cf6d5cb678f3f799f22703d4fafea26b03dcbbd7e1f1825e06329",
                "63312be0983d85e5109710a7dc93df3051157ae581853fa3655d171cc1b2806e");
    }

    /**
     * A release from where the Prometheus project publishes it.
     *
     * @param name the program's name, which is also its repository's, such as {@code node_exporter}
     * @param version the version without a leading v
     * @param amd64 the SHA-256 of the amd64 tarball
     * @param arm64 the SHA-256 of the arm64 tarball
     * @return the release
     * @throws InvalidSettingException if a part is malformed
     */
    public static Release upstream(String name, String version, String amd64, String arm64) {
        require(NAME, name, "release name", "lower-case letters, digits, dashes and underscores");
        require(VERSION, version, "release version", "digits, letters, dots and dashes, without a leading v");
        Map<Architecture, String> sums = new EnumMap<>(Architecture.class);
        sums.put(Architecture.AMD64, amd64);
        sums.put(Architecture.ARM64, arm64);
        return new Release(
                name,
                version,
                URI.create("https://github.com/prometheus/" + name + "/releases/download/v" + version),
                sums);
    }

    /**
     * The same release, fetched from a mirror, or sent from a folder on the machine that runs PromGuard:
     * {@code release.from(Path.of("/srv/releases").toUri())}. The folder's tarball is checked against its SHA-256 before it is sent over
     * the SSH session, and again on the host.
     *
     * @param mirror the folder that holds the tarballs under their upstream names
     * @return a copy with another base
     */
    public Release from(URI mirror) {
        return new Release(name, version, mirror, sha256);
    }

    /**
     * The folder inside the tarball, which is also the tarball's name without its ending.
     *
     * @param architecture the architecture
     * @return such as {@code node_exporter-1.12.1.linux-amd64}
     */
    public String folder(Architecture architecture) {
        return name + '-' + version + ".linux-" + architecture.releaseName();
    }

    /**
     * Where the tarball is.
     *
     * @param architecture the architecture
     * @return the tarball's URI
     */
    public URI tarball(Architecture architecture) {
        String folder = base.toString();
        return URI.create((folder.endsWith("/") ? folder : folder + '/') + folder(architecture) + ".tar.gz");
    }

    /**
     * The tarball's SHA-256.
     *
     * @param architecture the architecture
     * @return 64 lower-case hex digits, or empty if the release is not offered for the architecture
     */
    public Optional<String> sum(Architecture architecture) {
        return Optional.ofNullable(sha256.get(architecture));
    }

    private static void require(Pattern pattern, String value, String field, String form) {
        Objects.requireNonNull(value, field);
        if (!pattern.matcher(value).matches()) {
            throw new InvalidSettingException(field + " " + Names.quote(value) + " is not valid: use " + form);
        }
    }
}
