package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Probe;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script asks real servers of this machine's loopback interface for their host keys. */
@Timeout(60)
class HostKeyScanTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    private static Set<HostKeyFingerprint> scan(int port, String path) throws Exception {
        HostKeyScan scan = new HostKeyScan(new Probe("127.0.0.1", port), Duration.ofSeconds(1));
        try (Script script = scan.script(NONCE)) {
            Process shell = new ProcessBuilder("sh", "-s")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (OutputStream in = shell.getOutputStream()) {
                String text = script.text();
                in.write((path.isEmpty() ? text : text.replaceFirst("export PATH=.*", "export PATH=" + path))
                        .getBytes(UTF_8));
            }
            for (String line : new String(shell.getInputStream().readAllBytes(), UTF_8).split("\n", -1)) {
                if (line.startsWith(NONCE + '\t')) {
                    scan.line(line.substring(NONCE.length() + 1));
                }
            }
            assertThat(shell.waitFor()).isZero();
        }
        assertThat(scan.ended()).isTrue();
        return scan.keys();
    }

    @Test
    void keys_ofAnSshServer_areThoseThatItProves() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/ssh-keyscan")), "needs ssh-keyscan, of OpenSSH's client");
        try (TestServer server = new TestServer((in, out, err) -> 0).start()) {
            assertThat(scan(server.port(), "")).containsExactly(server.fingerprint());
        }
    }

    @Test
    void keys_ofWhateverAcceptsAndSaysNothing_areNone() throws Exception {
        try (ServerSocket gateway = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            assertThat(scan(gateway.getLocalPort(), "")).isEmpty();
        }
    }

    @Test
    void keys_hostWithoutTheProgram_areNone() throws Exception {
        assertThat(scan(22, "/nowhere")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "scanned",
                "scanned\tssh-ed25519",
                "scanned\tssh-ed25519\tnot-base64",
                "scanned\tssh-ed25519\tAAAAC3NzaC1lZDI1NTE5AAAA\tmore",
                "port\t0\topen"
            })
    void line_malformed_isRefused(String line) {
        HostKeyScan scan = new HostKeyScan(new Probe("127.0.0.1", 22), Duration.ofSeconds(1));

        assertThatThrownBy(() -> scan.line(line)).isInstanceOf(FactsParser.MalformedException.class);
    }

    @Test
    void line_afterTheEnd_isRefused() throws Exception {
        HostKeyScan scan = new HostKeyScan(new Probe("127.0.0.1", 22), Duration.ofSeconds(1));
        scan.line("end");

        assertThat(List.of(scan.keys(), Set.of())).containsOnly(Set.of());
        assertThatThrownBy(() -> scan.line("end")).isInstanceOf(FactsParser.MalformedException.class);
    }
}
