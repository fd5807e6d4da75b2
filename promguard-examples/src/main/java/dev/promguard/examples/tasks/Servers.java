package dev.promguard.examples.tasks;

import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Two servers that somebody made without PromGuard, {@code mon} and {@code db-1}: addresses, SSH host key and login key.
 *
 * @param addresses their addresses, by name
 * @param fingerprint of the SSH host key of both
 * @param privateKey the file of the private key that both admit
 */
public record Servers(Map<String, String> addresses, String fingerprint, Path privateKey) {
    private static final String OWNER = "others";
    private static final List<String> NAMES = List.of("mon", "db-1");

    /**
     * The address of one of them.
     *
     * @param name {@code mon} or {@code db-1}
     * @return an IPv4 address; empty for another name
     */
    public String address(String name) {
        return addresses.getOrDefault(name, "");
    }

    /**
     * Makes them on a local cloud.
     *
     * @param cloud where
     * @return the servers, which run and admit the login
     * @throws IOException if the file of the private key cannot be written
     */
    public static Servers start(LocalCloud cloud) throws IOException {
        CloudProvider account = DigitalOcean.builder()
                .endpoint(cloud.endpoint())
                .token(Secret.of(cloud.token()))
                .build();
        try (SshKeyPair login = SshKeyPair.generate(new SecureRandom());
                SshKeyPair host = SshKeyPair.generate(new SecureRandom());
                Secret userData = userData(host)) {
            Path file = Files.createFile(
                    cloud.folder().resolve("id_ed25519"),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            login.privateKey().use(bytes -> write(file, bytes));
            List<CloudHost> made = account.create(new CreateOrder(
                    OWNER,
                    "a1",
                    "node",
                    NAMES,
                    "lon1",
                    "s-1vcpu-1gb",
                    "debian-12-x64",
                    account.registerAccessKey(OWNER, login.publicKey()),
                    userData));
            account.await(
                    OWNER,
                    made.stream().map(CloudHost::id).collect(Collectors.toSet()),
                    Duration.ofMinutes(2),
                    ready -> {});
            Map<String, String> addresses = new TreeMap<>();
            for (String name : NAMES) {
                LocalDroplet droplet = cloud.droplet(name);
                droplet.exec("cloud-init", "status", "--wait").orThrow();
                addresses.put(name, droplet.publicAddress());
            }
            return new Servers(addresses, host.publicKey().fingerprint().text(), file);
        }
    }

    private static Path write(Path file, byte[] bytes) {
        try {
            return Files.write(file, bytes);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Secret userData(SshKeyPair host) {
        return host.privateKey()
                .useText(text -> Secret.of("#cloud-config\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n"
                        + text.lines().map(line -> "    " + line + "\n").collect(Collectors.joining())
                        + "  ed25519_public: " + host.publicKey().line() + " host\n"));
    }
}
