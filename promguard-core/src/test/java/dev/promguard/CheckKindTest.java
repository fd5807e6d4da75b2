package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.VerifyReport.Check;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CheckKindTest {
    /** Programs rely on these: a line may be added, but none may change or go. */
    @Test
    void id_everyKind_staysWhatItIs() {
        assertThat(CheckKind.values())
                .extracting(CheckKind::id)
                .containsExactlyInAnyOrder(
                        "host-exists",
                        "host-in-state",
                        "host-in-spec",
                        "mesh-can-be-applied",
                        "cloud-firewall-up-to-date",
                        "host-observable",
                        "host-key-pinned",
                        "wireguard-key-unique",
                        "wireguard-key-protected",
                        "host-up-to-date",
                        "changes-confirmed",
                        "firewall-denies-by-default",
                        "guarded-ports-on-wireguard-only",
                        "foreign-firewall-rules",
                        "mesh-traffic-passes",
                        "ports-published",
                        "kill-switch-on",
                        "exporter-listens-on-wireguard-only",
                        "prometheus-listens-on-loopback-only",
                        "no-other-listener-reachable",
                        "unit-runs",
                        "wireguard-peers",
                        "preshared-keys",
                        "handshake-fresh",
                        "port-closed-to-outside",
                        "address-not-probed",
                        "can-probe-others",
                        "ports-closed-to-other-hosts",
                        "large-page-passes",
                        "prometheus-answers",
                        "target-up",
                        "probe-targets-up",
                        "rules-loaded",
                        "credentials-unencrypted");
    }

    @Test
    void id_everyKind_isUniqueAndShortWordsWithHyphens() {
        assertThat(Arrays.stream(CheckKind.values()).map(CheckKind::id))
                .doesNotHaveDuplicates()
                .allMatch(id -> id.matches("[a-z]+(-[a-z]+)+") && id.length() <= 40);
    }

    @Test
    void checkId_anyKind_isThatOfTheKind() {
        for (CheckKind kind : CheckKind.values()) {
            assertThat(Check.builder("shop-node-1", kind, "text").build().id()).isEqualTo(kind.id());
        }
    }
}
