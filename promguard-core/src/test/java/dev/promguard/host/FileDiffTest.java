package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileDiffTest {
    private static final Pattern HUNK = Pattern.compile("@@ -([0-9]+),([0-9]+) \\+([0-9]+),([0-9]+) @@");
    private static final String HIDDEN = "hunter2XYZ";

    @Test
    void unified_aLineChanged_isAUnifiedDiffWithItsSurroundings() {
        String before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        FileDiff diff = FileDiff.between(before, before.replace("5\n", "five\n"));

        assertThat(diff.added()).isEqualTo(1);
        assertThat(diff.removed()).isEqualTo(1);
        assertThat(diff.unified("/etc/x").lines())
                .containsExactly(
                        "--- /etc/x (on the host)",
                        "+++ /etc/x (desired)",
                        "@@ -2,7 +2,7 @@",
                        " 2",
                        " 3",
                        " 4",
                        "-5",
                        "+five",
                        " 6",
                        " 7",
                        " 8");
    }

    @Test
    void unified_anyTwoTexts_leadsFromOneToTheOther() {
        Random random = new Random(20_261_123);
        for (int round = 0; round < 500; round++) {
            String before = text(random);
            String after = random.nextInt(4) == 0 ? text(random) : edited(before, random);
            if (before.equals(after)) {
                continue;
            }
            FileDiff diff = FileDiff.between(before, after);

            assertThat(patched(before, diff.unified("/x")))
                    .as("%s -> %s", before, after)
                    .isEqualTo(after);
            assertThat(diff.added() - diff.removed())
                    .isEqualTo((int) (after.lines().count() - before.lines().count()));
        }
    }

    private static String text(Random random) {
        return IntStream.range(0, random.nextInt(30))
                .mapToObj(i -> random.nextInt(5) + "\n")
                .collect(Collectors.joining());
    }

    private static String edited(String text, Random random) {
        List<String> lines = new ArrayList<>(text.lines().toList());
        for (int edits = random.nextInt(3); edits >= 0; edits--) {
            if (!lines.isEmpty() && random.nextBoolean()) {
                lines.remove(random.nextInt(lines.size()));
            } else {
                lines.add(random.nextInt(lines.size() + 1), "new " + random.nextInt(3));
            }
        }
        return lines.stream().map(line -> line + '\n').collect(Collectors.joining());
    }

    /** What a text becomes by a unified diff, every number of which has to be right. */
    private static String patched(String before, String diff) {
        List<String> old = before.lines().toList();
        List<String> fresh = new ArrayList<>();
        List<String> lines = diff.lines().toList();
        int at = 0;
        for (int i = 2; i < lines.size(); ) {
            Matcher hunk = HUNK.matcher(lines.get(i));
            assertThat(hunk.matches()).as(lines.get(i)).isTrue();
            int count = Integer.parseInt(hunk.group(2));
            int begin = Integer.parseInt(hunk.group(1)) - (count == 0 ? 0 : 1);
            fresh.addAll(old.subList(at, begin));
            at = begin;
            int freshBefore = fresh.size();
            for (i++; i < lines.size() && !lines.get(i).startsWith("@@"); i++) {
                String line = lines.get(i);
                if (line.charAt(0) != '+') {
                    assertThat(old.get(at)).isEqualTo(line.substring(1));
                    at++;
                }
                if (line.charAt(0) != '-') {
                    fresh.add(line.substring(1));
                }
            }
            assertThat(at - begin).isEqualTo(count);
            assertThat(fresh.size() - freshBefore).isEqualTo(Integer.parseInt(hunk.group(4)));
        }
        fresh.addAll(old.subList(at, old.size()));
        return fresh.stream().map(line -> line + '\n').collect(Collectors.joining());
    }

    @Test
    void unified_onlyTheLastLineEndMissing_saysSo() {
        assertThat(FileDiff.between("a", "a\n").unified("/x")).contains("-\\ No newline at end of file\n");
    }

    @Test
    void unified_bytesThatAreNoText_saysSo() {
        assertThat(FileDiff.between("\ufffd\n", "\ufffd\n").unified("/x")).contains("not text");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PrivateKey = @",
                "PresharedKey=@",
                "  password: @",
                "password: '@'",
                "    basic_auth: {username: me, password: @}",
                "  \"password\": \"@\",",
                "bearer_token: @",
                "  credentials: @",
                "Authorization: Bearer @",
                "Environment=\"DB_PASSWORD=@\"",
                "ExecStart=/bin/x --web.token=@ --more",
                "ExecStart=/bin/x --password @",
                "aws_secret_access_key=@",
                "api-key: @",
                "url: https://me:@@mimir.example/push",
                "url: https://@@mimir.example/push",
                "curl -H 'x: bearer @'",
                "password: |\n  @",
                "credentials:\n  - @\n  - @",
                "password_file: /etc/x\npassword: @",
                "-----BEGIN OPENSSH PRIVATE KEY-----\n@\n@\n-----END OPENSSH PRIVATE KEY-----",
            })
    void unified_secretPutInByHand_isMasked(String template) {
        String before = template.replaceAll("@(?!mimir)", HIDDEN);
        String diff = FileDiff.between(before + "\nplain: 1\n", "plain: 1\n").unified("/x");

        assertThat(diff).doesNotContain(HIDDEN).contains("•••").contains("plain: 1");
        assertThat(FileDiff.between("plain: 1\n", before + "\nplain: 1\n").unified("/x"))
                .doesNotContain(HIDDEN);
        assertThat(FileDiff.between(before + "\nplain: 1\n", before + "\nplain: 2\n")
                        .unified("/x"))
                .as("as a line beside a difference")
                .doesNotContain(HIDDEN);
    }

    @Test
    void unified_secretThatChanged_showsThatALineChanged() {
        FileDiff diff = FileDiff.between("password: one\n", "password: two\n");

        assertThat(diff.unified("/x")).contains("-password: •••\n").contains("+password: •••\n");
    }

    @Test
    void unified_keysOfWireGuard_onlyPublicOnesAreShown() {
        String key = "umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=";
        String diff = FileDiff.between(
                        "# old " + key + "\n",
                        "PublicKey = " + key + "\n# PresharedKeyFile = /etc/wireguard/wg0.psk/a\n")
                .unified("/x");

        assertThat(diff)
                .contains("-# old •••\n")
                .contains("+PublicKey = " + key + "\n")
                .contains("+# PresharedKeyFile = /etc/wireguard/wg0.psk/a\n");
    }

    @Test
    void unified_whatATerminalMightObey_isEscaped() {
        String diff = FileDiff.between(
                        "a\u001b]0;title\u0007\u001b[2J\u009b31m\r\u202e\u2028\ud800\ufeff\ue000\0\n", "b\tc\n")
                .unified("/x");

        assertThat(diff)
                .contains(
                        "-a\\x1b]0;title\\x07\\x1b[2J\\x9b31m\\x0d\\u{202e}\\u{2028}\\u{d800}\\u{feff}\\u{e000}\\x00\n")
                .contains("+b\tc\n");
        assertThat(diff.chars()).allMatch(c -> c >= ' ' || c == '\n' || c == '\t');
    }

    @Test
    @Timeout(10)
    void unified_contentMadeToTakeLong_isBoundedInTimeAndLength() {
        String desired =
                IntStream.range(0, 3000).mapToObj(i -> "line " + i + "\n").collect(Collectors.joining());
        List<String> hostile = List.of(
                "x\n".repeat(32_768),
                "\n".repeat(65_536),
                "x".repeat(65_536),
                "password".repeat(8_192),
                "-".repeat(65_536),
                "a=b ".repeat(16_384),
                "A".repeat(43 * 1_500) + "=",
                "--password ".repeat(5_000),
                ("A".repeat(43) + "= ").repeat(1_450),
                "://".repeat(20_000),
                "\u001b".repeat(65_536),
                IntStream.range(0, 6_000)
                        .mapToObj(i -> "line " + (i % 2 == 0 ? i : -i) + "\n")
                        .collect(Collectors.joining()));
        long begin = System.nanoTime();
        for (String content : hostile) {
            String diff = FileDiff.between(content, desired).unified("/x");
            assertThat(diff.lines().count()).isLessThan(310);
            assertThat(Arrays.stream(diff.split("\n"))
                            .mapToInt(String::length)
                            .max()
                            .orElse(0))
                    .isLessThan(1_500);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));
    }

    private static final String LONG = "x".repeat(1_000);

    @ParameterizedTest
    @ValueSource(ints = {0, 100, 199, 200, 201, 999, 5_000})
    void unified_longLineThatDiffersAnywhere_showsTheDifference(int at) {
        String begin = "y".repeat(at);
        FileDiff diff = FileDiff.between(begin + "OLD" + LONG + "\n", begin + "NEW" + LONG + "\n");

        assertThat(diff.unified("/x").lines())
                .anyMatch(line -> line.startsWith("-") && line.contains("OLD"))
                .anyMatch(line -> line.startsWith("+") && line.contains("NEW"))
                .allMatch(line -> line.length() < 210);
    }

    @Test
    void unified_longLineBesideANewOne_isComparedWithTheLineItCameFrom() {
        String diff = FileDiff.between(LONG + "OLD\n", "another line\n" + LONG + "NEW\n")
                .unified("/x");

        assertThat(diff).contains("OLD", "NEW", "+another line\n");
    }

    @Test
    void unified_longLineThatOnlyGoesOn_showsItsEnd() {
        assertThat(FileDiff.between(LONG + "\n", LONG + " and more\n").unified("/x"))
                .contains("x and more\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a  ", "a\t", " a", "\ta", "a\u00a0"})
    void unified_onlyWhiteSpaceDiffers_isToBeSeen(String line) {
        List<String> shown =
                FileDiff.between(line + "\n", "a\n").unified("/x").lines().toList();

        assertThat(shown.get(shown.size() - 2).strip().substring(1))
                .isNotEqualTo(shown.get(shown.size() - 1).strip().substring(1));
    }

    @Test
    void unified_onlyWhatIsMaskedDiffers_saysSo() {
        assertThat(FileDiff.between("password: one\n", "password: two\n").unified("/x"))
                .endsWith("+password: •••\n… lines that look the same here differ in what is masked\n");
        assertThat(FileDiff.between("a\n", "b\n").unified("/x")).doesNotContain("masked");
    }

    @Test
    void unified_smallChangeAfterALargeOne_isStillShown() {
        String middle = "same\n".repeat(20);
        FileDiff diff = FileDiff.between(
                "old\n".repeat(1_000) + middle + "last: 1\n", "new\n".repeat(1_000) + middle + "last: 2\n");

        List<String> lines = diff.unified("/x").lines().toList();

        assertThat(lines).hasSizeLessThanOrEqualTo(301);
        assertThat(lines).contains("-old", "+new", "-last: 1", "+last: 2");
        assertThat(lines)
                .filteredOn(line -> line.matches("… [0-9]+ more lines"))
                .hasSize(2);
    }

    @Test
    void unified_moreChangesThanLines_saysHowManyAreLeft() {
        String before = IntStream.range(0, 1_400).mapToObj(i -> i + "\n").collect(Collectors.joining());
        String after = IntStream.range(0, 1_400)
                .mapToObj(i -> (i % 10 == 0 ? "changed " : "") + i + "\n")
                .collect(Collectors.joining());

        List<String> lines =
                FileDiff.between(before, after).unified("/x").lines().toList();

        assertThat(lines).hasSizeBetween(290, 302);
        assertThat(lines.get(lines.size() - 1)).matches("… [0-9]+ more lines");
    }

    @Test
    void unified_moreLinesThanAPersonReads_saysHowManyAreLeft() {
        String diff = FileDiff.between("x\n".repeat(1000), "").unified("/x");

        assertThat(diff).endsWith("… 703 more lines\n");
    }
}
