package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What is decided when packages are installed on a host that has something broken. The stand-ins for apt and dpkg say what the real ones
 * said in the same situation on Debian 12.
 */
@Timeout(60)
class PackagesTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    /** Installs where the file of that name says so. */
    private static final String APT = """
            printf '%s\\n' "$*" >>FOLDER/calls
            for word do last=$word; done
            if [ "$last" = update ]; then
                [ ! -e FOLDER/update ] || { cat FOLDER/update; exit 100; }
                touch FOLDER/lists/x_Packages
                exit 0
            fi
            parts=FOLDER/etc/apt/sources.list.d
            if [ -n "$APT_CONFIG" ]; then
                echo set-aside >>FOLDER/calls
                parts=$(sed -n 's/^Dir::Etc::SourceParts "\\(.*\\)";/\\1/p' "$APT_CONFIG")
                cat "$parts"/* >FOLDER/used
            fi
            if [ -e FOLDER/malformed ] && [ -e "$parts/bad.list" ]; then
                echo "E: Malformed entry 1 in list file $parts/bad.list (Suite)"
                echo 'E: The list of sources could not be read.'
                exit 100
            fi
            if [ -e FOLDER/dead-offers ] && grep -q dead.invalid "$parts"/*; then
                echo "E: Failed to fetch http://dead.invalid/debian/pool/ufw_99_all.deb  Could not resolve 'dead.invalid'"
                exit 100
            fi
            [ ! -e FOLDER/install ] || { cat FOLDER/install; [ ! -e FOLDER/all-the-same ] || touch FOLDER/installed; exit 100; }
            [ ! -e FOLDER/waits ] || cat FOLDER/waits
            touch FOLDER/installed
            """;

    private static final String DPKG = """
            printf 'dpkg %s\\n' "$*" >>FOLDER/calls
            case $1 in
                --set-selections) rm FOLDER/updates/0001 ;;
                --configure) [ ! -e FOLDER/settles ] || touch FOLDER/installed; exit 1 ;;
            esac
            """;

    private static final String QUERY = """
            case $3 in
                *Want*) cat FOLDER/held 2>/dev/null ;;
                *binary*) printf 'installed curl\\n'; cat FOLDER/unfinished 2>/dev/null ;;
                *) [ ! -e FOLDER/installed ] || echo installed ;;
            esac
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void install() throws Exception {
        Files.createDirectory(folder.resolve("bin"));
        Files.createDirectories(folder.resolve("etc/apt/sources.list.d"));
        Files.createDirectory(folder.resolve("lists"));
        Files.createDirectory(folder.resolve("updates"));
        write("lists/deb.example_Packages", "");
        write("etc/apt/sources.list.d/debian.sources", """
                Types: deb
                URIs: http://deb.example/debian
                Suites: bookworm

                Types: deb
                URIs:
                 http://dead.invalid/extra
                Suites: stable
                """);
        write("etc/apt/sources.list.d/dead.list", "deb [trusted=yes] http://dead.invalid/debian stable main\n");
        program("apt-get", APT);
        program("dpkg", DPKG);
        program("dpkg-query", QUERY);
        program("sleep", "");
    }

    private void write(String file, String text) throws Exception {
        Files.writeString(folder.resolve(file), text);
    }

    private void program(String name, String code) throws Exception {
        Path file = folder.resolve("bin/" + name);
        Files.writeString(file, "#!/bin/sh\n" + code.replace("FOLDER", folder.toString()));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private List<String> run() throws Exception {
        return run("apply_packages ufw; say result $? \"$WHY\"");
    }

    private List<String> run(String call) throws Exception {
        byte[] text;
        try (Script script = Script.begin(NONCE)) {
            script.shell("PATH=" + Script.quote(folder.resolve("bin").toString()) + ":$PATH MANIFEST=/none");
            text = script.shell(call)
                    .end()
                    .text()
                    .replace("/etc/apt/", folder + "/etc/apt/")
                    .replace("\\/etc\\/apt\\/", "\\/etc\\/apt\\/")
                    .replace("/var/lib/apt/lists", folder + "/lists")
                    .replace("/var/lib/dpkg/updates", folder + "/updates")
                    .replace("/run/promguard.XXXXXX", folder + "/aside.XXXXXX")
                    .getBytes(UTF_8);
        }
        Process process =
                new ProcessBuilder("sh", "-s").redirectErrorStream(true).start();
        try (var in = process.getOutputStream()) {
            in.write(text);
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return out.lines()
                .filter(line -> line.startsWith(NONCE) && !line.endsWith("\tend"))
                .map(line ->
                        line.substring(NONCE.length() + 1).replace('\t', ' ').replace(folder.toString(), ""))
                .toList();
    }

    private List<String> calls() throws Exception {
        return Files.readAllLines(folder.resolve("calls"));
    }

    @Test
    void apply_nothingBroken_installsAtOnceAndSaysNothing() throws Exception {
        assertThat(run()).containsExactly("result 0 ");
        assertThat(calls()).singleElement().asString().endsWith(" install ufw");
    }

    @Test
    void apply_deadSource_installsFromTheOthersAndNamesIt() throws Exception {
        Files.delete(folder.resolve("lists/deb.example_Packages"));
        write("update", "E: Failed to fetch http://dead.invalid/debian/dists/stable/InRelease  Could not resolve\n");

        assertThat(run())
                .containsExactly(
                        "note the package source http://dead.invalid/debian (/etc/apt/sources.list.d/dead.list) did not answer or was"
                                + " refused by apt: the packages came from the other sources",
                        "result 0 ");
        assertThat(calls()).hasSize(2);
    }

    @Test
    void apply_deadSourceOffersTheNewestVersion_isSetAsideForThisRunAlone() throws Exception {
        write("dead-offers", "");
        write("update", """
                E: Failed to fetch http://dead.invalid/debian/dists/stable/InRelease  Could not resolve
                E: The repository 'http://dead.invalid/extra stable Release' does not have a Release file.
                """);

        assertThat(run())
                .hasSize(3)
                .last()
                .isEqualTo("result 0 "
                        + why("no package source has them all, and these did not answer or"
                                + " were refused by apt: http://dead.invalid/debian http://dead.invalid/extra"));
        assertThat(folder.resolve("used")).content().contains("deb.example").doesNotContain("dead.invalid");
        assertThat(folder.resolve("etc/apt/sources.list.d/dead.list")).content().contains("dead.invalid");
        assertThat(folder.toFile().list((in, name) -> name.startsWith("aside"))).isEmpty();
    }

    private static String why(String more) {
        return "apt-get could not install ufw: " + more;
    }

    @Test
    void apply_compactDisc_isNotAskedForAndNamed() throws Exception {
        write("etc/apt/sources.list", """
                deb cdrom:[Debian 12.4.0 _Bookworm_ - DVD-1]/ bookworm main
                # deb cdrom:[x]/ y z
                deb http://mirror.example/debian bookworm main
                """);

        assertThat(run())
                .containsExactly(
                        "note /etc/apt/sources.list names a CD as a package source: it was not used", "result 0 ");
        assertThat(folder.resolve("used")).content().contains("mirror.example").doesNotContain("DVD-1");
    }

    @Test
    void apply_sourceThatAptCannotRead_isSetAsideAndNamed() throws Exception {
        write("malformed", "");
        write("etc/apt/sources.list.d/bad.list", "deb http://x\n");

        assertThat(run())
                .containsExactly(
                        "note apt cannot read /etc/apt/sources.list.d/bad.list: the packages came from the other sources",
                        "result 0 ");
        assertThat(folder.resolve("etc/apt/sources.list.d/bad.list")).exists();
    }

    @Test
    void apply_unrelatedPackageFailsToConfigure_isDoneAndNamesIt() throws Exception {
        write("unfinished", "half-configured broken-thing\n");
        write("install", "Errors were encountered while processing:\n broken-thing\n");
        write("all-the-same", "");

        assertThat(run())
                .containsExactly(
                        "note the package broken-thing is half-configured and stays so: dpkg --configure broken-thing on the host"
                                + " says why",
                        "result 0 ");
        assertThat(calls()).as("nothing is repaired").hasSize(1);
    }

    @Test
    void apply_unrelatedFailureKeptOursUnfinished_configuresThatAlone() throws Exception {
        write("unfinished", "half-configured broken-thing\n");
        program("dpkg-query", QUERY + "[ -e FOLDER/calls ] && case $3 in *binary*) echo 'unpacked ufw' ;; esac\n");
        write("install", "Errors were encountered while processing:\n broken-thing\n");
        write("settles", "");

        assertThat(run()).last().asString().startsWith("result 0");
        assertThat(calls()).last().isEqualTo("dpkg --configure ufw");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "half-installed halfway | E: The package halfway needs to be reinstalled, but I can't find an archive for it."
                        + " | dpkg has not finished halfway (half-installed)",
                "unpacked needy | E: Unmet dependencies. Try 'apt --fix-broken install' with no packages"
                        + " | dpkg has not finished needy (unpacked)"
            })
    void apply_aptRefusesBecauseOfAnotherPackage_namesItAndTriesOnce(String state, String said, String why)
            throws Exception {
        write("unfinished", state + "\n");
        write("install", said + "\n");

        assertThat(run()).containsExactly("result 1 " + why(why));
        assertThat(calls().stream().filter(call -> call.contains("update"))).isEmpty();
    }

    @Test
    void apply_needsOfAnInstalledPackageAreGone_namesIt() throws Exception {
        write("install", """
                The following packages have unmet dependencies:
                 needy : Depends: no-such-thing but it is not installable
                E: Unmet dependencies. Try 'apt --fix-broken install' with no packages (or specify a solution).
                """);

        assertThat(run()).singleElement().asString().contains(why("what these need is not installed: needy"));
    }

    @Test
    void apply_lockIsHeld_namesWhoHoldsIt() throws Exception {
        write(
                "install",
                "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 77 (unattended-upgr)\n");

        assertThat(run())
                .containsExactly("result 1 " + why("process 77 (unattended-upgr) holds the lock of dpkg or apt"));
    }

    @Test
    void apply_lockIsHeldForAWhile_saysForWhomAptWaited() throws Exception {
        String line =
                "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 833 (unattended-upgr)...\n";
        write("waits", line + line);

        assertThat(run())
                .containsExactly(
                        "note apt waited for process 833 (unattended-upgr), which held the lock of dpkg or apt",
                        "result 0 ");
    }

    @Test
    void apply_interruptedJournal_isMergedAndNoPackageConfigured() throws Exception {
        write("updates/0001", "Package: x\n");

        assertThat(run()).containsExactly("result 0 ");
        assertThat(calls()).first().isEqualTo("dpkg --set-selections");
        assertThat(calls()).noneMatch(call -> call.contains("--configure"));
    }

    @Test
    void facts_packageMissing_namesWhatDpkgHasNotFinished() throws Exception {
        write("unfinished", "half-configured broken-thing\nunpacked needy:amd64\n");

        assertThat(run("facts_dpkg ufw"))
                .containsExactly(
                        "fact dpkg unfinished half-configured broken-thing",
                        "fact dpkg unfinished unpacked needy:amd64");
        write(
                "held",
                "hold not-installed ufw\nhold config-files wireguard-tools\nhold installed curl\ninstall not-installed dbus\n");
        assertThat(run("facts_dpkg ufw wireguard-tools curl dbus"))
                .endsWith("fact dpkg held ufw", "fact dpkg held wireguard-tools")
                .hasSize(4);
        write("installed", "");
        assertThat(run("facts_dpkg ufw")).as("nothing is to be installed").isEmpty();
    }

    /** As apt-cache policy prints it. The preferences alone tell apart a package that no source has, and one that is wanted in no version. */
    private static final String POLICY = """
            cat <<END
            ufw:
              Installed: (none)
              Candidate: (none)
              Version table:
                 0.36.2-1 -1
                    500 http://deb.example/debian bookworm/main amd64 Packages
                 0.36.1-4 -1
                    -1 http://deb.example/debian bookworm-backports/main amd64 Packages
            curl:
              Installed: 7.88.1-10
              Candidate: (none)
              Version table:
             *** 7.88.1-10 -5
                    100 /var/lib/dpkg/status
            jq:
              Installed: (none)
              Candidate: 1.6-2.1
              Version table:
                 1.7-1 -1
                    500 http://deb.example/debian trixie/main amd64 Packages
                 1.6-2.1 500
                    500 http://deb.example/debian bookworm/main amd64 Packages
            wireguard-tools:
              Installed: (none)
              Candidate: (none)
              Version table:
            END
            """;

    @ParameterizedTest
    @CsvSource({"'Pin-Priority: -1', true", "'Pin-Priority: 990', false"})
    void facts_packageRuledOutByPreferences_isNamed(String priority, boolean named) throws Exception {
        program("apt-cache", POLICY);
        Files.createDirectories(folder.resolve("etc/apt/preferences.d"));
        write("etc/apt/preferences.d/mine", "Package: ufw\nPin: release *\n" + priority + "\n");

        assertThat(run("facts_dpkg ufw curl jq wireguard-tools"))
                .isEqualTo(named ? List.of("fact dpkg pinned ufw") : List.of());
    }

    @Test
    void apply_packageRuledOutByPreferences_isSaidInsteadOfTheMirror() throws Exception {
        program("apt-cache", POLICY);
        program("apt-get", "echo 'E: Unable to locate package ufw'; exit 100\n");
        write("etc/apt/preferences", "Package: ufw\nPin: release *\nPin-Priority: -1\n");

        assertThat(run()).last().asString().endsWith(": apt's preferences rule out every version of ufw");
    }
}
