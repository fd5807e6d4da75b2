package dev.promguard;

import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The cloud-init user data of a new host: the throwaway host key, so that the very first connection can be trusted. */
final class UserData {
    private UserData() {}

    /**
     * Has cloud-init install a host key in the place of those it would make.
     *
     * @see <a href="https://docs.cloud-init.io/en/latest/reference/modules.html#ssh">cloud-init, module SSH</a>
     */
    static Secret withHostKey(SshKeyPair hostKey) {
        return hostKey.privateKey().use(key -> {
            ByteArrayOutputStream text = new ByteArrayOutputStream(1024);
            write(text, "#cloud-config\nssh_deletekeys: true\nssh_pwauth: false\nssh_keys:\n  ed25519_private: |\n");
            int start = 0;
            for (int i = 0; i < key.length; i++) {
                if (key[i] == '\n') {
                    write(text, "    ");
                    text.write(key, start, i - start + 1);
                    start = i + 1;
                }
            }
            write(text, "  ed25519_public: " + hostKey.publicKey().line() + " throwaway\n");
            byte[] bytes = text.toByteArray();
            try {
                return Secret.of(bytes);
            } finally {
                Arrays.fill(bytes, (byte) 0);
            }
        });
    }

    private static void write(ByteArrayOutputStream out, String text) {
        out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }
}
