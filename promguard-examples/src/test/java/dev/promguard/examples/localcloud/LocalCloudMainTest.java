package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocalCloudMainTest {
    @ParameterizedTest
    @ValueSource(strings = {"--help", "clean", "--clean --install", "--clean --all", "--install --instal"})
    void unknownArguments_areRefusedWithTheUsage(String arguments) throws IOException {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        int status = LocalCloudMain.run(
                List.of(arguments.split(" ", -1)),
                InputStream.nullInputStream(),
                new PrintStream(printed, true, StandardCharsets.UTF_8));

        assertThat(status).isEqualTo(LocalCloudMain.USAGE);
        assertThat(printed.toString(StandardCharsets.UTF_8))
                .startsWith("usage: ")
                .contains("--install", "--clean", "exit status");
    }
}
