package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.internal.text.Columns;
import dev.promguard.spi.Price;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What a person reads of what was done. */
class ReportsTest {
    private static HostOutcome outcome(String name, Status status, String... changes) {
        return HostOutcome.builder(name, status)
                .region("tor1")
                .address("10.0.0.1")
                .publicAddress("203.0.113.1")
                .changes(Arrays.stream(changes).map(Samples::applied).toList())
                .build();
    }

    /** Names as the quickstart has them, the longest that a host can have, and what no terminal should obey. */
    private static final List<String> NAMES =
            List.of("promguard-quickstart-monitor-1", "a", "n".repeat(63), "多台主机多台主机-1", "evil\u001b[31m-1");

    @Test
    void reports_anyNames_alignAndKeepTo80Columns() {
        ApplyReport.Builder applied = ApplyReport.builder("shop").duration(Duration.ofSeconds(24));
        VerifyReport.Builder verified = VerifyReport.builder("shop", Instant.EPOCH, "1");
        for (String name : NAMES.subList(0, 2)) {
            applied.addHost(HostOutcome.builder(name, Status.CHANGED)
                    .region("tor1")
                    .publicAddress("203.0.113.101")
                    .address("10.0.0.1")
                    .changes(List.of(Samples.applied("a"), Samples.applied("b")))
                    .build());
            verified.addHost(HostHealth.builder(name, "tor1", "10.0.0.1")
                    .publicAddress("203.0.113.101")
                    .handshakeAge(Duration.ofSeconds(104))
                    .target("up")
                    .build());
        }

        assertThat(applied.build()).hasToString("""
                mesh shop: up to date, 4 changes on 2 hosts in 24.0 s
                  promguard-quickstart-monitor-1  tor1  203.0.113.101  10.0.0.1  2 changes
                  a                               tor1  203.0.113.101  10.0.0.1  2 changes""");
        assertThat(verified.build().table()).isEqualTo("""
                host                            public address  WireGuard  handshake  target
                promguard-quickstart-monitor-1  203.0.113.101   10.0.0.1   104 s ago  up
                a                               203.0.113.101   10.0.0.1   104 s ago  up""");
    }

    @Test
    void applyReport_namesOfAnyLengthAndScript_alignAndKeepTo80Columns() {
        ApplyReport.Builder applied = ApplyReport.builder("shop").duration(Duration.ofSeconds(24));
        NAMES.forEach(name -> applied.addHost(HostOutcome.builder(name, Status.CHANGED)
                .region("tor1")
                .publicAddress("203.0.113.101")
                .address("10.0.0.1")
                .changes(List.of(Samples.applied("a"), Samples.applied("b")))
                .build()));

        String text = applied.build().toString();

        assertThat(text.lines())
                .allSatisfy(line -> assertThat(Columns.width(line)).as(line).isLessThanOrEqualTo(Columns.LINE));
        assertThat(text.lines().filter(line -> line.contains("tor1")))
                .hasSize(NAMES.size())
                .allSatisfy(line -> assertThat(Columns.width(line.substring(0, line.indexOf("tor1"))))
                        .as(line)
                        .isEqualTo(67));
        assertThat(text).doesNotContain("\u001b");
    }

    @Test
    void wrapped_longSentences_goOnIndentedAndPathsStayWhole() {
        assertThat(Progress.wrapped("""
                mesh shop: 1 to change
                    ~ write /etc/prometheus/prometheus.yml: mode 0644 → 0640, because the file holds a password for remote write
                    (not changed: see https://example.org/a/path/that/is/so/long/that/it/does/not/fit/on/a/line/of/a/terminal)""")).isEqualTo("""
                mesh shop: 1 to change
                    ~ write /etc/prometheus/prometheus.yml: mode 0644 → 0640, because the file
                      holds a password for remote write
                    (not changed: see
                      https://example.org/a/path/that/is/so/long/that/it/does/not/fit/on/a/line/of/a/terminal)""");
    }

    @Test
    void applyReport_mixedOutcomes_isReadable() {
        ApplyReport report = ApplyReport.builder("shop")
                .addHost(outcome("shop-monitor-1", Status.UNCHANGED))
                .addHost(outcome("shop-node-1", Status.CHANGED, "a", "b"))
                .addHost(HostOutcome.builder("shop-node-2-with-a-long-name", Status.FAILED)
                        .region("sgp1")
                        .address("fd00:44::3")
                        .changes(List.of(AppliedChange.builder("a").drift(true).build()))
                        .failure(new IllegalStateException())
                        .build())
                .removed(List.of("shop-node-3"))
                .cloud(List.of(Samples.applied("put firewall promguard-shop right")))
                .addFailedStep("ask for the time", new IllegalStateException("no answer\nfrom the cloud"))
                .duration(Duration.ofMillis(12_345))
                .build();

        assertThat(report.ok()).isFalse();
        assertThat(report.changes()).isEqualTo(4);
        assertThat(report).hasToString("""
                        mesh shop: 1 of 3 hosts failed, 1 step failed, 4 changes (1 of drift) on 3 hosts, removed shop-node-3 in 12.3 s
                          put firewall promguard-shop right
                          FAILED ask for the time: no answer
                            from the cloud
                          shop-monitor-1                tor1  203.0.113.1  10.0.0.1    unchanged
                          shop-node-1                   tor1  203.0.113.1  10.0.0.1    2 changes
                          shop-node-2-with-a-long-name  sgp1  -            fd00:44::3
                            FAILED after 1 change, 1 of them drift""");
    }

    @Test
    void applyReport_nothingDone_saysSo() {
        ApplyReport report = ApplyReport.builder("shop")
                .addHost(outcome("shop-monitor-1", Status.UNCHANGED))
                .duration(Duration.ofMillis(700))
                .build();

        assertThat(report.ok()).isTrue();
        assertThat(report.toString()).startsWith("mesh shop: up to date, 0 changes on 1 host in 0.7 s\n");
    }

    @Test
    void applyReport_callersLists_areCopied() {
        List<String> removed = new ArrayList<>(List.of("a"));
        ApplyReport.Builder builder = ApplyReport.builder("shop").removed(removed);
        ApplyReport report = builder.build();
        removed.clear();
        builder.addHost(outcome("a", Status.CHANGED, "x"));

        assertThat(report.removed()).containsExactly("a");
        assertThat(report.hosts()).isEmpty();
    }

    @Test
    void hostException_allThatIsKnown_isInTheMessageOnce() {
        HostException failure = HostException.of(
                        ErrorCode.INSTALL_FAILED, "shop-node-2", "198.51.100.7", "install node_exporter 1.12.1")
                .exitCode(4)
                .output("line one\nline\u001b[31m two\u009b\u202e\n")
                .retryable()
                .cause(new IllegalStateException("why"))
                .because("sha256 is 3c1f, wanted b51d", "Check the release mirror.");

        assertThat(failure).hasMessage("""
                        shop-node-2 (198.51.100.7): step "install node_exporter 1.12.1" failed: sha256 is 3c1f, wanted b51d [PG-5004]
                          line one
                          line?[31m two??
                          Check the release mirror.""").hasRootCauseMessage("why");
        assertThat(failure.host()).isEqualTo("shop-node-2");
        assertThat(failure.address()).isEqualTo("198.51.100.7");
        assertThat(failure.step()).isEqualTo("install node_exporter 1.12.1");
        assertThat(failure.exitCode()).hasValue(4);
        assertThat(failure.output()).isEqualTo("line one\nline?[31m two??");
        assertThat(failure.retryable()).isTrue();
    }

    @Test
    void hostException_littleKnown_leavesOutTheRest() {
        HostException failure =
                HostException.of(ErrorCode.CONNECT_FAILED, "a", "", "connect").because("no answer", "");

        assertThat(failure)
                .hasMessage("a: step \"connect\" failed: no answer [PG-4001]")
                .hasNoCause();
        assertThat(failure.exitCode()).isEmpty();
        assertThat(failure.retryable()).isFalse();
    }

    @Test
    void providerException_parts_areKept() {
        ProviderException full =
                new ProviderException(ErrorCode.PROVIDER_REFUSED, "no", 422, "unprocessable", "req-1", true, null);
        assertThat(full.status()).hasValue(422);
        assertThat(full.providerCode()).contains("unprocessable");
        assertThat(full.id()).isEqualTo("PG-3005");
        assertThat(full.code()).isEqualTo(ErrorCode.PROVIDER_REFUSED);
        assertThat(full.reason()).isEqualTo("no");
        assertThat(full).hasMessage("no [PG-3005]");
        assertThat(full.requestId()).contains("req-1");
        assertThat(full.retryable()).isTrue();

        ProviderException bare = new ProviderException(ErrorCode.PROVIDER_REFUSED, "no");
        assertThat(bare.status()).isEmpty();
        assertThat(bare.providerCode()).isEmpty();
        assertThat(bare.requestId()).isEmpty();
        assertThat(bare.retryable()).isFalse();
    }

    @Test
    void progress_events_writesALineForEachThatAPersonWaitsFor() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            MeshListener progress = Progress.to(out);
            progress.on(MeshEvent.builder(MeshEvent.Kind.PHASE, MeshEvent.State.STARTED, "create 2 hosts")
                    .build());
            progress.on(MeshEvent.builder(MeshEvent.Kind.STEP, MeshEvent.State.STARTED, "install ufw")
                    .host("a")
                    .build());
            progress.on(MeshEvent.builder(MeshEvent.Kind.STEP, MeshEvent.State.DONE, "install ufw")
                    .host("a")
                    .build());
            progress.on(MeshEvent.builder(MeshEvent.Kind.STEP, MeshEvent.State.FAILED, "install ufw")
                    .host("b")
                    .build());
        }

        assertThat(bytes.toString(StandardCharsets.UTF_8).lines().map(line -> line.replaceFirst("^ +[0-9.]+ s", "T")))
                .containsExactly(
                        "T  mesh                    create 2 hosts ...",
                        "T  a                       install ufw",
                        "T  b                       FAILED install ufw");
    }

    @Test
    void progress_eventsInALog_haveTheLevelOfTheirState() {
        Logger logger = (Logger) LoggerFactory.getLogger("mesh of " + ReportsTest.class.getName());
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        logger.setAdditive(false);
        logger.setLevel(Level.DEBUG);
        MeshListener progress = Progress.toLog(logger.getName());

        progress.on(MeshEvent.builder(MeshEvent.Kind.PHASE, MeshEvent.State.STARTED, "create 2 hosts")
                .build());
        progress.on(MeshEvent.builder(MeshEvent.Kind.STEP, MeshEvent.State.DONE, "install ufw")
                .host("a")
                .build());
        progress.on(MeshEvent.builder(MeshEvent.Kind.STEP, MeshEvent.State.FAILED, "install ufw")
                .host("b")
                .build());

        assertThat(log.list)
                .extracting(event -> event.getLevel() + " " + event.getFormattedMessage())
                .containsExactly(
                        "DEBUG mesh: begin: create 2 hosts", "INFO a: install ufw", "WARN b: failed: install ufw");
    }

    @Test
    void price_sum_keepsEveryCent() {
        Price price = new Price(new BigDecimal("6.10"), new BigDecimal("0.00893"));

        assertThat(price.plus(price).plus(Price.ZERO).monthly()).isEqualByComparingTo("12.20");
        assertThat(price.plus(price).hourly()).isEqualByComparingTo("0.01786");
    }

    @Test
    void applyReport_details_showsEachChangeWithTheIdsOfItsSteps() {
        ApplyReport report = Samples.applyReport();

        assertThat(report.details()).isEqualTo(report + """


                in the cloud:
                  ~ put firewall promguard-shop right
                      mesh:shop/cloud-firewall:shop

                shop-monitor-1:
                  ! write /etc/prometheus/prometheus.yml
                      shop-monitor-1/file:/etc/prometheus/prometheus.yml
                  ~ turn ufw on
                      shop-monitor-1/firewall:8080/tcp#enable
                      shop-monitor-1/firewall:ufw#enable

                shop-node-1:
                  ~ create user node_exporter
                      shop-node-1/user:node_exporter

                removed:
                  - shop-node-9
                      shop-node-9/host""");
        assertThat(report.stepIds())
                .containsExactly(
                        "mesh:shop/cloud-firewall:shop",
                        "shop-monitor-1/file:/etc/prometheus/prometheus.yml",
                        "shop-monitor-1/firewall:8080/tcp#enable",
                        "shop-monitor-1/firewall:ufw#enable",
                        "shop-node-1/user:node_exporter",
                        "shop-node-9/host");
    }
}
