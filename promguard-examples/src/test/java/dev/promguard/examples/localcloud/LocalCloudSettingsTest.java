package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.promguard.InvalidSettingException;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A setting of the local cloud that cannot be used is refused at once, as those of a mesh are. */
class LocalCloudSettingsTest {
    private static Arguments refused(String start, ThrowingCallable call) {
        return arguments(start, call);
    }

    private static Stream<Arguments> unusable() {
        LocalCloud.Builder builder = LocalCloud.builder();
        Faults faults = new Faults();
        String endless = "a".repeat(5000);
        return Stream.of(
                refused("page size 0 is out of range", () -> faults.pageSize(0)),
                refused("droplet limit -1 is out of range", () -> faults.dropletLimit(-1)),
                refused("status 500 is not one", () -> faults.refuseDeleteWhileNew(500)),
                refused("droplet limit -1 is out of range", () -> builder.dropletLimit(-1)),
                refused("hourly limit 0 is out of range", () -> builder.hourlyLimit(0)),
                refused("minute limit 0 is out of range", () -> builder.minuteLimit(0)),
                refused("package \"-o=Dir::Etc=/tmp\" is not", () -> builder.installed("ufw", "-o=Dir::Etc=/tmp")),
                refused("suite \"sid\" is not", () -> builder.ready("trixie", "sid")),
                refused("suite \"a?b\" is not", () -> builder.suite("a\nb")),
                refused("suite \"aaa", () -> builder.suite(endless)),
                refused("subnet \"10.0.0.0/8\" is not", () -> builder.subnet("10.0.0.0/8")),
                refused("subnet \"300.0.0.0/24\" is not", () -> builder.subnet("300.0.0.0/24")),
                refused("catalog is not a JSON object", () -> builder.catalog("")),
                refused("catalog is not a JSON object", () -> builder.catalog("-1")),
                refused("catalog is not a JSON object", () -> builder.catalog(endless)));
    }

    @ParameterizedTest
    @MethodSource("unusable")
    void setting_unusable_isRefusedInWordsThatSayWhatToUse(String start, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith(start)
                .hasMessageContaining(": use ")
                .satisfies(failure -> assertThat(failure.getMessage()).hasSizeLessThan(400));
    }

    @SuppressWarnings("NullAway") // what a caller without NullAway might pass
    private static Stream<ThrowingCallable> nothing() {
        LocalCloud.Builder builder = LocalCloud.builder();
        return Stream.of(
                () -> builder.catalog(null),
                () -> builder.progress(null),
                () -> builder.observer(null),
                () -> builder.cache(null),
                () -> builder.suite(null),
                () -> builder.subnet(null));
    }

    @ParameterizedTest
    @MethodSource("nothing")
    void setting_null_isRefusedAtOnce(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(NullPointerException.class);
    }

    @Test
    void toString_builder_saysWhatItStarts() {
        assertThat(LocalCloud.builder().dropletLimit(7))
                .hasToString("LocalCloud.Builder[bookworm, at most 7 droplets]");
    }
}
