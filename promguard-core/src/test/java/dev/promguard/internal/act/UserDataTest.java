package dev.promguard.internal.act;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import java.security.SecureRandom;
import org.junit.jupiter.api.Test;

class UserDataTest {
    @Test
    void withHostKey_anyKey_isCloudConfigThatHoldsTheKeyWhole() throws Exception {
        try (SshKeyPair key = SshKeyPair.generate(new SecureRandom());
                Secret userData = UserData.withHostKey(key)) {
            String text = userData.useText(value -> value);
            assertThat(text).startsWith("#cloud-config\n").hasSizeLessThan(64 * 1024);

            JsonNode config = new ObjectMapper(new YAMLFactory()).readTree(text);
            assertThat(config.path("ssh_deletekeys").asBoolean()).isTrue();
            assertThat(config.path("ssh_pwauth").asBoolean(true)).isFalse();
            assertThat(config.path("ssh_keys").path("ed25519_private").asText())
                    .isEqualTo(key.privateKey().useText(value -> value));
            assertThat(config.path("ssh_keys").path("ed25519_public").asText())
                    .isEqualTo(key.publicKey().line() + " bootstrap");
        }
    }
}
