package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.SpecFile;
import dev.promguard.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Prometheus says of viewers whose access ends, judged by promtool. */
class ViewerRulesTest {
    private static final String MESH = "monitor mon tor1\nnode db lon1\n";
    /** A week after promtool's time begins, in seconds since 1970. */
    private static final String SPEC =
            MESH + "viewer anna 1970-01-08T00:00:00Z\nviewer carl\nviewer bob 1970-02-01T00:00:00Z\n";

    @TempDir
    private Path folder;

    private static String rules(String spec) {
        SpecFile file = SpecFile.parse(spec);
        return new Renderer()
                .render(file.blueprint(), "mon", Map.of(), file.publicKeys()).files().stream()
                        .filter(each -> each.path().equals("/etc/prometheus/rules/promguard.yml"))
                        .findFirst()
                        .orElseThrow()
                        .content();
    }

    private void judge(String rules, String interval, String cases) throws IOException, InterruptedException {
        Tool promtool = Tool.orSkip("promtool", "prometheus");
        Files.writeString(folder.resolve("promguard.yml"), rules);
        Path file = Files.writeString(
                folder.resolve("cases.yml"),
                "rule_files: [promguard.yml]\nevaluation_interval: " + interval + "\n" + cases);
        Tool.Answer answer = promtool.run("", "test", "rules", file.toString());
        assertThat(answer.exitCode()).as(answer.output()).isZero();
        assertThat(promtool.run(
                                "",
                                "check",
                                "rules",
                                folder.resolve("promguard.yml").toString())
                        .exitCode())
                .isZero();
    }

    @Test
    void expiry_beforeNearAndAfter_isAMetricAndAlertsInTime() throws Exception {
        judge(rules(SPEC), "1h", """
                tests:
                  - interval: 1h
                    input_series: [{series: up, values: '1x800'}]
                    promql_expr_test:
                      - expr: promguard_viewer_expires_timestamp_seconds
                        eval_time: 1h
                        exp_samples:
                          - {labels: 'promguard_viewer_expires_timestamp_seconds{viewer="anna"}', value: 604800}
                          - {labels: 'promguard_viewer_expires_timestamp_seconds{viewer="bob"}', value: 2678400}
                      - expr: ALERTS{alertname=~"Viewer.*"}
                        eval_time: 95h
                      - expr: count by (alertname, viewer) (ALERTS{alertname=~"Viewer.*",alertstate="firing"})
                        eval_time: 98h
                        exp_samples: [{labels: '{alertname="ViewerExpiresSoon",viewer="anna"}', value: 1}]
                      - expr: count by (alertname, viewer) (ALERTS{alertname=~"Viewer.*",alertstate="firing"})
                        eval_time: 169h
                        exp_samples: [{labels: '{alertname="ViewerExpired",viewer="anna"}', value: 1}]
                """);
    }

    /** It sends to a laptop that sleeps, and to a node that does not answer. */
    @Test
    void staleHandshake_ofAViewer_neverFires() throws Exception {
        String cases = """
                tests:
                  - interval: 1m
                    input_series:
                      - {series: 'promguard_wireguard_latest_handshake_seconds{node="mon",peer="anna"}', values: '0x60'}
                      - {series: 'promguard_wireguard_sent_bytes_total{node="mon",peer="anna"}', values: '0+100x60'}
                      - {series: 'promguard_wireguard_latest_handshake_seconds{node="mon",peer="db"}', values: '0x60'}
                      - {series: 'promguard_wireguard_sent_bytes_total{node="mon",peer="db"}', values: '0+100x60'}
                    promql_expr_test:
                      - expr: count by (peer) (ALERTS{alertname="WireGuardHandshakeStale",alertstate="firing"})
                        eval_time: 60m
                        exp_samples: [PEERS{labels: '{peer="db"}', value: 1}]
                """;

        judge(rules(SPEC), "1m", cases.replace("PEERS", ""));
        judge(rules(MESH), "1m", cases.replace("PEERS", "{labels: '{peer=\"anna\"}', value: 1}, "));
    }

    @Test
    void rules_withoutViewersThatExpire_sayNothingOfThem() {
        assertThat(rules(MESH)).doesNotContain("viewer");
        assertThat(rules(MESH + "viewer anna\n")).contains("{peer!~\"anna\"}").doesNotContain("promguard-viewers");
    }
}
