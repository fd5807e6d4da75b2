package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What machines need of this kernel, and what is said where it has too little. */
class KernelLimitsTest {
    private static final KernelLimits.Limit INSTANCES = KernelLimits.RAISED.get(0);

    @Test
    void needed_fiftyMachines_isFarMoreThanTheKernelsUsual128() {
        assertThat(INSTANCES.key()).isEqualTo("fs.inotify.max_user_instances");
        assertThat(INSTANCES.needed(50)).isGreaterThan(50 * 8);
        assertThat(INSTANCES.needed(4)).isLessThanOrEqualTo(128);
    }

    @Test
    void refusal_limitThatCannotBeRaised_saysWhatToSetAndHowManyFit() {
        assertThat(INSTANCES.refusal(128, 50, "Read-only file system"))
                .isEqualTo(
                        "50 machines need fs.inotify.max_user_instances to be 864. It is 128, and cannot be raised here"
                                + " (Read-only file system). Run sysctl -w fs.inotify.max_user_instances=864 on the host, or start with"
                                + " dropletLimit(4).");
    }

    /** A kernel's number that is read byte by byte is its first digit. */
    @Test
    void number_aLimitOfThisKernel_isTheWholeOfIt() {
        Path file = Path.of("/proc/sys/kernel/pid_max");
        assumeTrue(Files.isReadable(file), "needs Linux");

        assertThat(KernelLimits.number(file)).isGreaterThan(300);
    }

    @Test
    void insufficient_tooLittleMemory_saysHowManyFit() {
        long mebibyte = 1024 * 1024;

        assertThat(KernelLimits.insufficient(1000 * mebibyte, 25, 64 * mebibyte, mebibyte, "MiB of free memory"))
                .contains("25 machines need about 1600 MiB of free memory, and 1000 are left here."
                        + " Start with dropletLimit(15).");
        assertThat(KernelLimits.insufficient(1600 * mebibyte, 25, 64 * mebibyte, mebibyte, "MiB of free memory"))
                .isEmpty();
    }
}
