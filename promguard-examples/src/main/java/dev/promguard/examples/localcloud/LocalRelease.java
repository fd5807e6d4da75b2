package dev.promguard.examples.localcloud;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Release;
import java.net.URI;
import java.util.Map;

/**
 * A release tarball that the mirror of a local cloud serves, in the layout of upstream's.
 *
 * @param name {@code prometheus}, {@code alertmanager}, {@code node_exporter} or {@code blackbox_exporter}
 * @param version such as {@code 3.5.3}
 * @param arch {@code amd64} or {@code arm64}: what this machine is
 * @param fileName such as {@code prometheus-3.5.3.linux-amd64.tar.gz}
 * @param sha256 its SHA-256 in lower-case hexadecimal
 */
public record LocalRelease(String name, String version, String arch, String fileName, String sha256) {
    /**
     * The release as a mesh's builder takes it.
     *
     * @param mirror where it is served: {@link LocalCloud#releaseMirror()}
     * @return the release
     */
    public Release from(URI mirror) {
        return new Release(
                name, version, mirror, Map.of(arch.equals("arm64") ? Architecture.ARM64 : Architecture.AMD64, sha256));
    }
}
