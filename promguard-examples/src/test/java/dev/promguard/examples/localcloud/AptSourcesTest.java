package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class AptSourcesTest {
    private static final String DEB822 = """
            Types: deb
            # a comment
            URIs: http://mirror.example/debian
            Suites: bookworm bookworm-updates bookworm-backports
            Components: main non-free
            Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

            Types: deb
            URIs: https://other.example/node
            Suites: bookworm
            Components: main
            Signed-By: /usr/share/keyrings/other.gpg
            """;

    @Test
    void forSuite_deb822_keepsDebianAlone() {
        assertThat(AptSources.forSuite("bookworm", List.of(DEB822))).isEqualTo("""
                        Types: deb
                        URIs: http://mirror.example/debian
                        Suites: bookworm bookworm-updates
                        Components: main
                        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

                        """);
    }

    @Test
    void forNext_anySources_areOneSuiteOfTheSameMirror() {
        assertThat(AptSources.forNext("forky", List.of(DEB822)))
                .contains("URIs: http://mirror.example/debian\n", "Suites: forky\n");
        assertThat(AptSources.forNext("forky", List.of())).isEmpty();
    }

    @Test
    void forSuite_otherSuite_isAskedOfTheSameMirror() {
        assertThat(AptSources.forSuite("trixie", List.of(DEB822))).contains("Suites: trixie trixie-updates\n");
    }

    @Test
    void forSuite_oneLineStyle_keepsDebianAlone() {
        String list = """
                # deb http://off.example/debian bookworm main
                deb http://mirror.example/debian-security bookworm-security main contrib
                deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] https://x.example/apt bookworm main
                deb-src http://mirror.example/debian bookworm main
                deb https://docker.example/linux/debian bookworm stable
                """;
        assertThat(AptSources.forSuite("bookworm", List.of(list)))
                .contains("URIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main\n")
                .doesNotContain("x.example", "off.example", "docker.example")
                .containsOnlyOnce("Types:");
    }

    @Test
    void forSuite_disabledOrForeign_nothing() {
        assertThat(AptSources.forSuite(
                        "bookworm", List.of(DEB822.replace("Types: deb\n#", "Enabled: no\nTypes: deb\n#"))))
                .isEmpty();
        assertThat(AptSources.forSuite("bookworm", List.of("deb http://u.example/ubuntu noble main")))
                .isEmpty();
    }
}
