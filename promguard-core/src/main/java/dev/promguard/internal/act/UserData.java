package dev.promguard.internal.act;

import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The cloud-init user data of a new host: the bootstrap host key, by which the very first connection can be trusted. */
final class UserData {
    private static final String BEFORE_KEY =
            "#cloud-config\nssh_deletekeys: true\nssh_pwauth: false\nssh_keys:\n  ed25519_private: |\n";
    private static final byte[] INDENT = "    ".getBytes(StandardCharsets.UTF_8);

    private UserData() {}

    /**
     * Has cloud-init install a host key in the place of those it would make.
     *
     * @see <a href="https://docs.cloud-init.io/en/latest/reference/modules.html#ssh">cloud-init, module SSH</a>
     */
    static Secret withHostKey(SshKeyPair hostKey) {
        return hostKey.privateKey().use(key -> {
            byte[] head = BEFORE_KEY.getBytes(StandardCharsets.UTF_8);
            byte[] tail = ("  ed25519_public: " + hostKey.publicKey().line() + " bootstrap\n")
                    .getBytes(StandardCharsets.UTF_8);
            int lines = 0;
            for (byte each : key) {
                lines += each == '\n' ? 1 : 0;
            }
            // All of it at once: a buffer that grows would leave copies behind.
            ByteBuffer text = ByteBuffer.allocate(head.length + key.length + lines * INDENT.length + tail.length);
            try {
                text.put(head);
                int start = 0;
                for (int i = 0; i < key.length; i++) {
                    if (key[i] == '\n') {
                        text.put(INDENT).put(key, start, i - start + 1);
                        start = i + 1;
                    }
                }
                text.put(tail);
                return Secret.of(text.array());
            } finally {
                Arrays.fill(text.array(), (byte) 0);
            }
        });
    }
}
