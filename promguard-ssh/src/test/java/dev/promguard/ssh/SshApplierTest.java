package dev.promguard.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.InvalidSettingException;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SshApplierTest {
    static Stream<Named<BiFunction<SshApplier.Builder, Duration, SshApplier.Builder>>> setters() {
        return Stream.of(
                Named.of("connectTimeout", SshApplier.Builder::connectTimeout),
                Named.of("keepAlive", SshApplier.Builder::keepAlive),
                Named.of("factsTimeout", SshApplier.Builder::factsTimeout),
                Named.of("applyTimeout", SshApplier.Builder::applyTimeout),
                Named.of("rollbackAfter", SshApplier.Builder::rollbackAfter));
    }

    @ParameterizedTest
    @MethodSource("setters")
    void setter_durationOutOfRange_isRefusedAtOnce(
            BiFunction<SshApplier.Builder, Duration, SshApplier.Builder> setter) {
        SshApplier.Builder builder = SshApplier.builder();
        for (Duration wrong : new Duration[] {Duration.ZERO, Duration.ofSeconds(-1), Duration.ofDays(2)}) {
            assertThatThrownBy(() -> setter.apply(builder, wrong))
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageContaining(wrong + " is out of range: use ");
        }
        assertThat(setter.apply(builder, Duration.ofSeconds(7))).isSameAs(builder);
    }

    @Test
    void build_defaults_makesAnApplierEachTime() {
        SshApplier.Builder builder = SshApplier.builder();
        assertThat(builder.build()).isNotSameAs(builder.build());
    }

    @Test
    void toString_applierAndItsBuilder_sayHowLongARollbackWaits() {
        SshApplier.Builder builder = SshApplier.builder().rollbackAfter(Duration.ofSeconds(90));

        assertThat(builder).hasToString("SshApplier.Builder[rollback after 90 s]");
        assertThat(builder.build()).hasToString("SshApplier[rollback after 90 s]");
    }
}
