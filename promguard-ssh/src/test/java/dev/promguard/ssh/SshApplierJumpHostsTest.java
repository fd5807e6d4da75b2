package dev.promguard.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.InvalidSettingException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.JumpHost;
import java.security.SecureRandom;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The jump hosts that an applier is given for the hosts of a cloud. */
class SshApplierJumpHostsTest {
    private static final String KEY = "SHA256:" + "x".repeat(43);

    private static void assertRefused(Consumer<SshApplier.Builder> call, String... words) {
        assertThatThrownBy(() -> call.accept(SshApplier.builder()))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContainingAll(words);
    }

    @Test
    void jumpHosts_ofTheDefault_areNone() {
        try (SshApplier applier = new SshApplier()) {
            assertThat(applier.jumpHosts()).isEmpty();
        }
    }

    @Test
    void jumpHosts_several_arePassedInTheOrderInWhichTheyAreNamed() {
        try (SshKeyPair key = SshKeyPair.generate(new SecureRandom());
                SshApplier applier = SshApplier.builder()
                        .jumpHost("outer", "jump@bastion.example:2222", KEY)
                        .jumpHost(
                                "inner",
                                "[2001:db8::1]",
                                access -> access.hostKeys(KEY).identity(key.privateKey()))
                        .build()) {
            List<JumpHost> chain = applier.jumpHosts();

            assertThat(chain)
                    .extracting(JumpHost::title)
                    .containsExactly("jump host outer (bastion.example:2222)", "jump host inner ([2001:db8::1]:22)");
            assertThat(chain).extracting(hop -> hop.login().user()).containsExactly("jump", "root");
            assertThat(chain).allSatisfy(hop -> {
                assertThat(hop.login().hostKeys()).containsExactly(new HostKeyFingerprint(KEY));
                assertThat(hop.login().trustOnFirstUse()).isFalse();
            });
            assertThat(chain.get(0).login().identities()).as("that of the mesh").isEmpty();
            assertThat(chain.get(1).login().identities()).hasSize(1);
        }
    }

    @Test
    void jumpHost_ofACertificateAuthority_needsNoFingerprint() {
        try (SshApplier applier = SshApplier.builder()
                .jumpHost("bastion", "jump@203.0.113.1", access -> access.hostCertificateAuthority(KEY))
                .build()) {
            assertThat(applier.jumpHosts().get(0).login().certificates().areAccepted())
                    .isTrue();
        }
    }

    @Test
    void jumpHost_malformed_isRefusedWithItsName() {
        assertRefused(builder -> builder.jumpHost("bastion", "jump@203.0.113.1"), "jump host bastion", "fingerprint");
        assertRefused(builder -> builder.jumpHost("bastion", "jump@203.0.113.1", "MD5:1"), "jump host bastion");
        assertRefused(builder -> builder.jumpHost("bastion", "jump@:22:22", KEY), "jump host bastion");
        assertRefused(builder -> builder.jumpHost("Bastion!", "203.0.113.1", KEY), "Bastion!");
        assertRefused(
                builder -> builder.jumpHost("bastion", "203.0.113.1", KEY).jumpHost("bastion", "203.0.113.2", KEY),
                "jump host bastion",
                "twice");
        assertRefused(
                builder -> builder.jumpHost(
                        "bastion", "203.0.113.1", access -> access.hostKeys(KEY).through("other")),
                "jump host bastion",
                "through(…)");
    }
}
