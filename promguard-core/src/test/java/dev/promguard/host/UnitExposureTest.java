package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Golden;
import dev.promguard.SpecFile;
import dev.promguard.Tool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How exposed each service is that is ever rendered, by systemd's own measure, from 0 (not at all) to 10; and as whom it runs. */
class UnitExposureTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/host/render");
    /** In tenths: under 3.0. */
    private static final String MOST = "29";

    @TempDir
    private Path folder;

    static List<String> specs() {
        return GOLDEN.names();
    }

    private Tool.Answer exposure(String name, String unit) throws Exception {
        Path file = Files.writeString(folder.resolve(name), unit);
        return Tool.orSkip("systemd-analyze", "systemd")
                .run("", "security", "--offline=true", "--no-pager", "--threshold=" + MOST, file.toString());
    }

    @ParameterizedTest
    @MethodSource("specs")
    void service_ofAnySpec_isHardlyExposedAndRootOnlyWhereItMust(String spec) throws Exception {
        SpecFile file = SpecFile.parse(GOLDEN.read(spec + ".input"));
        DesiredHost host = new Renderer()
                .withSecrets(file.secrets())
                .render(file.blueprint(), file.host(), file.publicAddresses(), file.publicKeys());
        List<ManagedFile> services = host.files().stream()
                .filter(each -> each.path().endsWith(".service"))
                .toList();

        assertThat(services).hasSizeGreaterThanOrEqualTo(2);
        for (ManagedFile service : services) {
            String name = service.path().substring(service.path().lastIndexOf('/') + 1);
            Tool.Answer answer = exposure(name, service.content());
            assertThat(answer.exitCode()).as("%s: %s", name, answer).isZero();
            if (name.equals("promguard-wireguard-metrics.service")) {
                // wireguard-go opens its socket to root alone, so that no other user could ask it.
                assertThat(service.content())
                        .contains("CapabilityBoundingSet=CAP_NET_ADMIN\n", "TemporaryFileSystem=/etc/wireguard:ro\n");
            } else {
                assertThat(service.content())
                        .as(name)
                        .containsPattern("(?m)^(User=[a-z_]+|DynamicUser=yes)$")
                        .doesNotContain("User=root");
            }
        }
    }

    @Test
    void measure_serviceThatMayAll_isOverTheLimit() throws Exception {
        assertThat(exposure("open.service", "[Service]\nExecStart=/bin/true\n").exitCode())
                .isPositive();
    }
}
