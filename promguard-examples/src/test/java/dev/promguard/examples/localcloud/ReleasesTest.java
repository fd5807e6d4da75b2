package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReleasesTest {
    @Test
    void current_archiveThatCannotBeReached_saysSoAndLeavesNothing(@TempDir Path cache) {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/apt-get")), "apt-get is not there");
        List<String> said = new ArrayList<>();
        String sources = AptSources.forNext(
                "forky", List.of("Types: deb\nURIs: http://127.0.0.1:9/debian\nSuites: bookworm\nComponents: main\n"));

        assertThat(Releases.current(cache, sources, said::add)).isEmpty();

        assertThat(said).last().asString().contains("cannot be had here", "releases of their own suite");
        assertThat(Folders.children(cache))
                .noneMatch(path -> String.valueOf(path.getFileName()).startsWith("releases-"));
    }
}
