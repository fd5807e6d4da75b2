package dev.promguard.memory;

import dev.promguard.host.Change;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.HostApplierContract;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;

class MemoryHostsTest extends HostApplierContract {
    private final MemoryCloud cloud = new MemoryCloud();
    private final MemoryHosts hosts = new MemoryHosts(cloud);
    private final SshKeyPair login = SshKeyPair.generate(new SecureRandom());

    MemoryHostsTest() {
        AccessKey key = cloud.registerAccessKey("shop", login.publicKey());
        String line = login.publicKey().line();
        try (Secret userData = Secret.of("#cloud-config\nssh_keys:\n  ed25519_public: " + line + " bootstrap\n")) {
            cloud.create(new CreateOrder(
                    "shop", "a1", "node", List.of("a"), "tor1", "s-1vcpu-1gb", "debian-12-x64", key, userData));
        }
    }

    @AfterEach
    void clear() {
        login.close();
    }

    @Override
    protected HostApplier applier() {
        return hosts;
    }

    @Override
    protected HostTarget target() {
        MemoryMachine machine = cloud.machine("a");
        return HostTarget.of("a", machine.address())
                .accepting(Set.of(machine.hostKey()))
                .identity(Identity.ofKey(login.privateKey()))
                .timeout(Duration.ofSeconds(5))
                .build();
    }

    @Override
    protected void breakAt(Change change) {
        cloud.machine("a").failAt(change.describe());
    }

    @Override
    protected void rollBack() {
        cloud.machine("a").rollBack();
    }
}
