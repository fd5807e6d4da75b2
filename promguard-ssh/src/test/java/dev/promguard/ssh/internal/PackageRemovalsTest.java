package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The shell that installs packages, with an apt that would remove others. */
@Timeout(60)
class PackageRemovalsTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    private static final String HOST = """
            MANIFEST=/nowhere
            dpkg() { :; }
            find() { echo lists; }
            dpkg-query() { case $* in *curl) printf installed ;; *) return 1 ;; esac; }
            removes='Remv iptables-persistent [1.0.20]
            Remv netfilter-persistent [1.0.20] [ufw:amd64 ]'
            apt-get() {
                case $* in
                    *' update') ;;
                    *-s*) printf 'Inst ufw (0.36)\n%s\n' "$removes" ;;
                    *--no-remove*) [ -z "$removes" ] ;;
                    *) echo 'removed something' >&3 ;;
                esac
            }
            """;

    private static String run(String shell) throws Exception {
        String text;
        try (Script script = Script.begin(NONCE)) {
            text = script.shell(HOST + shell).end().text();
        }
        Process process = new ProcessBuilder("bash", "-s").start();
        try (var in = process.getOutputStream()) {
            in.write(text.getBytes(UTF_8));
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return out.replace(NONCE + "\t", "").replace('\t', ' ').strip().replaceFirst("\n?end$", "");
    }

    @Test
    void facts_packageThatExcludesOthers_nameThoseThatAptWouldRemove() throws Exception {
        assertThat(run("facts_package_removals curl ufw"))
                .isEqualTo("fact package-removals removes iptables-persistent\n"
                        + "fact package-removals removes netfilter-persistent");
        assertThat(run("facts_package_removals curl")).as("nothing is missing").isEmpty();
        assertThat(run("removes=; facts_package_removals ufw")).isEmpty();
    }

    @Test
    void apply_packageThatExcludesOthers_failsAndNamesThem() throws Exception {
        assertThat(run("apply_packages ufw || echo \"$WHY\" >&3"))
                .isEqualTo(
                        "apt would remove iptables-persistent netfilter-persistent to install ufw, and PromGuard removes"
                                + " nothing");
    }

    @Test
    void apply_packageThatExcludesNone_isInstalled() throws Exception {
        assertThat(run("removes=; apply_packages ufw && echo done >&3")).isEqualTo("done");
    }
}
