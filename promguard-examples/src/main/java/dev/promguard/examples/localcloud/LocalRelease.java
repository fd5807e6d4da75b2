package dev.promguard.examples.localcloud;

/**
 * A release tarball that the mirror of a local cloud serves, in the layout of upstream's.
 *
 * @param name {@code prometheus}, {@code node_exporter} or {@code blackbox_exporter}
 * @param version such as {@code 2.42.0}
 * @param arch {@code amd64} or {@code arm64}: what this machine is
 * @param fileName such as {@code prometheus-2.42.0.linux-amd64.tar.gz}
 * @param sha256 its SHA-256 in lower-case hexadecimal
 */
public record LocalRelease(String name, String version, String arch, String fileName, String sha256) {}
