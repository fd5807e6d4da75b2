package dev.promguard.ssh.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.HostileTexts;
import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read of an SSH client's configuration, compared with what {@code ssh -G} says. */
class SshConfigTest {
    private static final long SEED = 20_261_129;
    private static final List<String> ALIASES = List.of("db-1", "db-2", "web", "bast");
    private static final List<String> PATTERNS = List.of(
            "db-1", "db-2", "web", "bast", "*", "db-?", "d*", "!db-1", "!web", "w*b", "*-*", "\"web\"", "?b*", "**1");
    private static final List<String> SETTINGS = List.of(
            "HostName %h.example.com",
            "HostName 203.0.113.7",
            "HOSTNAME=10.0.0.1",
            "HostName \"10.0.0.2\" # why",
            "User admin",
            "user = \"op\"",
            "User\t'me'",
            "Port 2222",
            "port=22",
            "Port 0022",
            "IdentityFile ~/.ssh/one",
            "IdentityFile \"/keys/a b\"",
            "IdentityFile /keys/a\\ b",
            "IdentityFile %d/%r/%h",
            "IdentityFile none",
            "IdentityFile /keys/c#d #e",
            "ProxyJump hop",
            "ProxyJump u@hop:2200,web-9 # c",
            "ProxyJump=[2001:db8::1]:22,db-9",
            "ProxyJump none",
            "ProxyCommand none",
            "ForwardAgent yes",
            "ServerAliveInterval 30",
            "IgnoreUnknown Use*,Foo",
            "Match all",
            "# a comment",
            "",
            "   ");

    @TempDir
    Path folder;

    @Test
    void find_tableOfConfigurations_agreesWithSsh() throws Exception {
        for (String text : List.of(
                "Host db-1 web\n  HostName 203.0.113.1\n  User a\nHost *\n  User b\n  Port 2022\n",
                "User first\nHost db-*\nUser second\nHost * !db-1\nPort 77\n",
                "Host *\r\n\tHostName=%h.example.com  \r\n\tPort = 23\r\n",
                "Host !db-1\nUser never\nHost web !db-1 *\nUser some\n",
                "Host db-1\nProxyCommand none\nProxyJump late\nHost *\nProxyJump a,b@[2001:db8::1]:2,c:3\n",
                "Host db-1\nProxyJump none\nMatch all\nProxyJump x\nPort 9\nHost web\nUser w\n",
                "Host d\\b-1 \"db-2\"\nUser quoted\nIdentityFile a\nIdentityFile b\nIdentityFile a\n",
                "IgnoreUnknown Foo,Us?K*\nFoo bar\nUsXK yes\nHost web\nUser \"w\"\n",
                "Match host *\n ForwardAgent yes\nHost *\n Port 5\n",
                "Host db-1\n User a  # comment\n IdentityFile x#y\n",
                "")) {
            compare(text);
        }
    }

    @Test
    void find_generatedConfigurations_agreesWithSsh() throws Exception {
        Random random = new Random(SEED);
        for (int i = 0; i < 30; i++) {
            StringBuilder text = new StringBuilder();
            for (int lines = random.nextInt(14); lines > 0; lines--) {
                if (random.nextInt(3) == 0) {
                    text.append(random.nextBoolean() ? "Host " : "host=").append(pick(random, PATTERNS));
                    for (int more = random.nextInt(3); more > 0; more--) {
                        text.append(' ').append(pick(random, PATTERNS));
                    }
                } else {
                    text.append(random.nextBoolean() ? "  " : "").append(pick(random, SETTINGS));
                }
                text.append('\n');
            }
            compare(text.toString());
        }
    }

    @Test
    void find_includedFiles_agreesWithSsh() throws Exception {
        Path parts = Files.createDirectory(folder.resolve("conf.d"));
        write(parts.resolve("10-a.conf"), "Port 10\nHost db-1\nUser ten\n");
        write(parts.resolve("20-b.conf"), "Port 20\nHost web\nUser twenty\nInclude " + parts + "/deep\n");
        write(parts.resolve(".hidden.conf"), "Port 30\n");
        write(parts.resolve("deep"), "HostName 10.0.0.9\nHost *\nIdentityFile deep\n");
        Files.createDirectory(parts.resolve("folder.conf"));
        for (String text : List.of(
                "Include " + parts + "/*.conf\nUser after\n",
                "Host db-1\nInclude " + parts + "/?0-*.conf\nUser after\nHost *\nPort 9\n",
                "Host db-*\nInclude \"" + parts + "/20-b.conf\" " + parts + "/deep\nUser x\n",
                "Include " + parts + "/nothing*\nInclude /nowhere/at/all\nUser x\n")) {
            compare(text);
        }
    }

    private static <T> T pick(Random random, List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    private void compare(String text) throws Exception {
        Path file = write(folder.resolve("config"), text);
        for (String alias : ALIASES) {
            List<String> said = sshSays(file, alias);
            String named = alias + " of\n" + text;
            SshSettings settings = SshSettings.of(SshConfigReader.read(file, folder), alias);
            SshHost found = SshConfig.read(file, folder).find(alias);
            assertThat(found.endpoint().host()).as(named).isEqualTo(only(said, "hostname"));
            assertThat(String.valueOf(found.endpoint().port())).as(named).isEqualTo(only(said, "port"));
            assertThat(settings.first("user").map(SshSetting::word).orElse(System.getProperty("user.name")))
                    .as(named)
                    .isEqualTo(only(said, "user"));
            List<String> files =
                    settings.identityFiles().stream().map(SshSetting::word).toList();
            assertThat(files.isEmpty() ? List.of("~/.ssh/id_rsa") : files)
                    .as(named)
                    .isEqualTo(all(said, "identityfile").stream()
                            .limit(files.isEmpty() ? 1 : Long.MAX_VALUE)
                            .toList());
            assertThat(String.join(",", found.jumps()))
                    .as(named)
                    .isEqualTo(String.join(",", all(said, "proxyjump")).replace("ssh://", ""));
        }
    }

    private static String only(List<String> said, String key) {
        assertThat(all(said, key)).as(key).hasSize(1);
        return all(said, key).get(0);
    }

    private static List<String> all(List<String> said, String key) {
        return said.stream()
                .filter(line -> line.startsWith(key + ' '))
                .map(line -> line.substring(key.length() + 1))
                .toList();
    }

    private static List<String> sshSays(Path file, String alias) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/ssh")), "ssh is not installed");
        Process ssh = new ProcessBuilder("/usr/bin/ssh", "-T", "-G", "-F", file.toString(), alias)
                .redirectErrorStream(true)
                .start();
        String output = new String(ssh.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(ssh.waitFor())
                .as("%s of%n%s%n%s", alias, Files.readString(file), output)
                .isZero();
        return output.lines().collect(Collectors.toList());
    }

    private static Path write(Path file, String text) throws Exception {
        Files.write(file, text.getBytes(StandardCharsets.UTF_8));
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }

    private SshHost find(String text, String alias) throws Exception {
        return SshConfig.read(write(folder.resolve("config"), text), folder).find(alias);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HostName \"10.0.0.1",
                "HostName",
                "Host",
                "= x",
                "Include ~other/x",
                "Include ${HOME}/x",
                "HostName a b",
                "HostName %h.%p",
                "HostName fe80::1%%eth0",
                "HostName [::1]",
                "HostName 10.0.0.1:22",
                "HostName a@b",
                "HostName -x",
                "HostName \"\"",
                "User a@b",
                "User $(id)",
                "User %r",
                "User \u001b[2J",
                "Port 0",
                "Port 65536",
                "Port ssh",
                "Port 22:22",
                "Unknown x",
                "AddressFamily inet6",
                "BindAddress 10.0.0.1",
                "BindInterface eth0",
                "CanonicalizeHostname yes",
                "RevokedHostKeys /etc/revoked",
                "\ufeffUser x"
            })
    void find_whatIsBadOrNotSupported_isRefusedByNameWithFileAndLine(String line) {
        assertThatThrownBy(() -> find("# first\n" + line + '\n', "db-1"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith(Names.quote(folder.resolve("config").toString()) + " line 2: ")
                .message()
                .doesNotContainPattern(HostileTexts.UNPRINTABLE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Match host db-1\nPort 5",
                "Match user root\nIdentityFile x",
                "Match exec \"true\"\nProxyJump x",
                "Match all\nMatch originalhost x\nHostName x",
                "Match final\nUser x",
                "Match exec true\nForwardAgent yes\nPort 6"
            })
    void find_conditionThatMatters_isRefusedNamingTheMatch(String text) {
        assertThatThrownBy(() -> find(text + "\nHost db-1\nUser y\n", "db-1"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("Match with conditions is not supported")
                .hasMessageContaining(text.startsWith("Match all") ? " line 2: " : " line 1: ");
    }

    @Test
    void find_whatIsRefused_countsOnlyWhereItApplies() throws Exception {
        String text = """
                Host db-1
                User x
                Host web
                BindAddress 10.0.0.1
                Match host x
                Host web
                Port 99999
                AddressFamily inet6
                Host db-1
                AddressFamily inet
                AddressFamily inet6
                """;
        assertThat(find(text, "db-1").endpoint()).isEqualTo(new Endpoint("x", "db-1", 22));
    }

    @Test
    void find_whatTheLoginSays_winsOverTheFile() throws Exception {
        String text = "HostName 10.0.0.1\nUser x\nPort 1\n";
        assertThat(find(text, "y@db_1.+x:2").endpoint()).isEqualTo(new Endpoint("y", "10.0.0.1", 2));
        assertThat(find("", "DB-1").endpoint()).isEqualTo(new Endpoint("root", "db-1", 22));
        assertThat(find("Host 2001:*\nUser six\n", "[2001:db8::1]:23").endpoint())
                .isEqualTo(new Endpoint("six", "2001:db8::1", 23));
        for (String login : List.of("-oProxyCommand=x", "a b", "a/b", "x@", "root@$(id)", "a:0", "db_1.+x\n")) {
            assertThatThrownBy(() -> find("Host *\nHostName 10.0.0.1\n", login))
                    .as(login)
                    .isInstanceOf(InvalidSettingException.class);
        }
    }

    @Test
    void read_filesWithoutEndOrThatOthersWrite_areRefused() throws Exception {
        Path file = folder.resolve("config");
        Files.createDirectories(folder.resolve(".ssh/more"));
        write(folder.resolve(".ssh/more/loop"), "Include more/*\n");
        assertThatThrownBy(() -> find("Include more/loop\n", "a")).hasMessageContaining("16 deep, or in a circle");
        write(folder.resolve(".ssh/more/loop"), "Host a\nUser relative\n");
        assertThat(find("Include more/l??p\n", "a").endpoint().user()).isEqualTo("relative");
        for (int i = 0; i < 300; i++) {
            write(folder.resolve(".ssh/more/f" + i), "");
        }
        assertThatThrownBy(() -> find("Include more/*\n", "a")).hasMessageContaining("use at most 256");
        assertThatThrownBy(() -> find("#".repeat(1 << 20) + "\n", "a")).hasMessageContaining("is larger than");
        assertThatThrownBy(() -> find("Include /dev/zero\n", "a")).hasMessageContaining("name a file");
        assertThatThrownBy(() -> SshConfig.read(folder.resolve("none"), folder)).hasMessageContaining("name a file");
        write(file, "");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-r--"));
        assertThatThrownBy(() -> SshConfig.read(file, folder)).hasMessageContaining("chmod go-w");
    }

    @Test
    void find_patternWithManyAsterisks_isFast() throws Exception {
        String text = "Host " + "*a".repeat(30) + "b\nUser x\n";
        assertThat(find(text, "a".repeat(60)).endpoint().user()).isEqualTo("root");
    }

    @Test
    void find_hostileValues_areRefusedInPrintableWordsOrHaveTheFormWanted() throws Exception {
        List<String> failures = new ArrayList<>();
        for (String keyword : List.of("HostName", "User", "Port", "ProxyJump", "Include", "Host", "Match", "")) {
            for (String text :
                    HostileTexts.texts(SEED + keyword.hashCode(), 100).toList()) {
                try {
                    SshHost found = find("Host *\n" + keyword + ' ' + text + "\nPort 22\n", "db-1");
                    assertThat(found.jumps()).allMatch(Names::isPrintable);
                    assertThat(found.endpoint().user()).matches("[A-Za-z0-9_.-]+");
                    assertThat(found.endpoint().host()).matches("[A-Za-z0-9_.:-]+");
                } catch (InvalidSettingException e) {
                    String message = String.valueOf(e.getMessage());
                    if (HostileTexts.UNPRINTABLE.matcher(message).find()
                            || message.length() > 900
                            || !message.matches(".*(?:[Uu]se |[Gg]ive |wanted|name a ).*")) {
                        failures.add(keyword + ' ' + Names.quote(text) + ": " + Names.quote(message));
                    }
                }
            }
        }
        assertThat(failures).isEmpty();
    }
}
