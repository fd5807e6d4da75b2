package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.blueprint.Names;
import dev.promguard.spi.CloudHost;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever hosts and clouds say, what is printed of it obeys no command of a terminal and hides nothing. */
class HostileMessageTest {
    private static final String HOSTILE = "a\u001b[2J\u009b1mb\u202ec\u0000\ud800\r";

    static Stream<RuntimeException> failures() {
        IOException cause = new IOException("inner " + HOSTILE, new IOException("innermost " + HOSTILE));
        cause.addSuppressed(new IOException("beside " + HOSTILE));
        return Stream.of(
                HostException.of(ErrorCode.STEP_FAILED, "web-1", "203.0.113.9", "step " + HOSTILE)
                        .output(HOSTILE)
                        .cause(cause)
                        .because("what " + HOSTILE, "remedy " + HOSTILE),
                new ProviderException(ErrorCode.PROVIDER_REFUSED, "message " + HOSTILE, 500, null, null, true, cause),
                new StateException(ErrorCode.STATE_DAMAGED, "message " + HOSTILE, false, cause),
                new InvalidMeshException("shop", List.of("problem " + HOSTILE, "problem " + HOSTILE)),
                new CancelledException("message " + HOSTILE, new InterruptedException(HOSTILE)));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void printStackTrace_hostileWords_isPrintable(RuntimeException failure) {
        StringWriter printed = new StringWriter();
        failure.printStackTrace(new PrintWriter(printed, true));

        assertThat(printed.toString()).contains("a?[2J");
        assertThat(HostileTexts.UNPRINTABLE.matcher(printed.toString()).results())
                .as(printed.toString())
                .isEmpty();
    }

    @Test
    void getCause_printableWords_isTheVerySame() {
        IOException cause = new IOException("plain", new IOException("words"));

        assertThat(new StateException(ErrorCode.STATE_DAMAGED, "message", false, cause).getCause())
                .isSameAs(cause);
    }

    @Test
    void getCause_hostileWords_saysWhatItWasAndWhere() {
        IOException cause = new IOException(HOSTILE, new IllegalStateException("why"));

        Throwable shown =
                Objects.requireNonNull(new StateException(ErrorCode.STATE_DAMAGED, "message", false, cause).getCause());

        assertThat(shown).hasMessage("java.io.IOException: a?[2J?1mb?c???");
        assertThat(shown.getStackTrace()).isEqualTo(cause.getStackTrace());
        assertThat(shown.getCause()).hasMessage("java.lang.IllegalStateException: why");
    }

    @Test
    void problems_hostileWords_arePrintable() {
        assertThat(new InvalidMeshException("shop", List.of(HOSTILE)).problems())
                .allMatch(problem -> !HostileTexts.UNPRINTABLE.matcher(problem).find());
    }

    @Test
    void progress_hostileStep_isPrintable() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        MeshListener listener = Progress.to(new PrintStream(out, true, StandardCharsets.UTF_8));

        listener.on(MeshEvent.builder(MeshEvent.Kind.STEP, MeshEvent.State.DONE, "left " + HOSTILE)
                .host(HOSTILE)
                .build());

        String printed = out.toString(StandardCharsets.UTF_8);
        assertThat(printed).contains("left a?[2J");
        assertThat(HostileTexts.UNPRINTABLE.matcher(printed).find()).isFalse();
    }

    @Test
    void plan_hostileReason_isPrintable() {
        assertThat(PlannedChange.builder("file", ChangeAction.UPDATE, "/f", HOSTILE)
                        .build())
                .hasToString("~ a?[2J?1mb?c???");
    }

    @Test
    void verify_hostileSight_isPrintable() {
        assertThat(VerifyReport.Check.builder("web-1", CheckKind.HOST_EXISTS, "exists")
                        .observed(HOSTILE)
                        .build()
                        .observed())
                .isEqualTo("a?[2J?1mb?c???");
    }

    private static CloudHost host(String name, String region, String address) {
        return new CloudHost(
                "1",
                name,
                region,
                "size",
                CloudHost.Status.ACTIVE,
                Optional.of(address),
                Optional.empty(),
                Optional.empty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.0.1; rm -rf /",
                "::1%eth0",
                "10.0.0.1/32",
                "10.0.0.1\nPostUp = id",
                "host.example",
                "dead",
                "1",
                "010.0.0.1",
                "10.0.0.256",
                "1.2.3",
                ":::",
                "::1::",
                ""
            })
    void cloudHost_addressThatIsNone_isRefused(String address) {
        assertThat(Names.isAddress(address)).isFalse();
        assertThatThrownBy(() -> host("web-1", "lon1", address))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("publicAddress " + Names.quote(address))
                .hasMessageContaining("give one, or none");
    }

    @ParameterizedTest
    @ValueSource(strings = {"203.0.113.9", "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "::"})
    void isAddress_addresses_are(String address) {
        assertThat(Names.isAddress(address)).isTrue();
    }

    @Test
    void cloudHost_unprintableName_isRefused() {
        assertThatThrownBy(() -> host(HOSTILE, "lon1", "203.0.113.9"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("name \"a?[2J");
        assertThatThrownBy(() -> host("web-1", HOSTILE, "203.0.113.9")).hasMessageContaining("region \"a?[2J");
    }

    @Test
    void planToString_hostsWithoutRegionAndSize_isATableAllTheSame() {
        Plan plan = Plan.builder(Plan.Operation.APPLY, new Account().spec().blueprint())
                .addEntry(Plan.Entry.builder(Plan.Kind.REMOVE, "shop-node-9")
                        .publicAddress("203.0.113.9")
                        .build())
                .build();

        assertThat(plan.toString()).contains("- shop-node-9", "203.0.113.9");
    }
}
