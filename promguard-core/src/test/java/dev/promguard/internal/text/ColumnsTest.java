package dev.promguard.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jline.utils.WCWidth;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Text by the columns that it takes. */
class ColumnsTest {
    /** Two characters are marks for this Java and none for JLine. */
    private static final int OTHER_VERSIONS_OF_UNICODE = 20;

    @Test
    void width_everyCharacter_isWhatJLineSays() {
        List<String> different = new ArrayList<>();
        for (int codePoint = ' '; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
            int type = Character.getType(codePoint);
            boolean shown = type != Character.UNASSIGNED
                    && type != Character.SURROGATE
                    && type != Character.PRIVATE_USE
                    && type != Character.CONTROL
                    && type != Character.FORMAT;
            if (shown && Columns.width(codePoint) != WCWidth.wcwidth(codePoint)) {
                different.add(Integer.toHexString(codePoint));
            }
        }
        assertThat(different).hasSizeLessThan(OTHER_VERSIONS_OF_UNICODE);
    }

    @ParameterizedTest
    @CsvSource({
        "a-long-name-node-1, 18, a-long-name-node-1",
        "a-long-name-node-1, 17, a-long-n…e-node-1",
        "a-long-name-node-1, 8, a-lo…e-1",
        "a-long-name-node-1, 2, a…",
        "a-long-name-node-1, 1, …",
        "多台主机多台, 12, 多台主机多台",
        "多台主机多台, 11, 多台…机多台",
        "多台主机多台, 10, 多台…多台",
        "多台主机多台, 2, …",
        "🎉🎉🎉, 5, 🎉…🎉",
    })
    void clip_tooLong_leavesOutTheMiddle(String text, int columns, String clipped) {
        assertThat(Columns.clip(text, columns)).isEqualTo(clipped);
    }

    @ParameterizedTest
    @CsvSource({
        "nothing to change, 17, nothing to change",
        "nothing to change, 16, nothing to …",
        "nothing to change, 12, nothing to …",
        "nothing to change, 11, nothing …",
        "nothing to change, 9, nothing …",
        "nothing to change, 8, noth…nge",
        "'ufw: deny what no rule admits, and enable', 33, 'ufw: deny what no rule admits, …'",
        "write /etc/prometheus/prometheus.yml, 24, write /etc/p…metheus.yml",
        "多台 主机 多台, 11, 多台 主机 …",
        "ab, 1, …",
        "ab, 0, ''"
    })
    void clipWords_tooLong_leavesOutTheLastWords(String text, int columns, String clipped) {
        assertThat(Columns.clipWords(text, columns)).isEqualTo(clipped);
    }

    @Test
    void clip_anyTextAndWidth_fits() {
        Random random = new Random(5);
        String characters = "ab-多机🎉e\u0301 ";
        for (int i = 0; i < 2000; i++) {
            StringBuilder text = new StringBuilder();
            int[] all = characters.codePoints().toArray();
            for (int length = random.nextInt(30); length > 0; length--) {
                text.appendCodePoint(all[random.nextInt(all.length)]);
            }
            int columns = random.nextInt(30);
            String clipped = Columns.clip(text.toString(), columns);
            assertThat(Columns.width(clipped)).as("%s in %d", text, columns).isLessThanOrEqualTo(columns);
            assertThat(Columns.width(Columns.clipWords(text.toString(), columns)))
                    .as("words of %s in %d", text, columns)
                    .isLessThanOrEqualTo(columns);
            assertThat(Columns.width(clipped))
                    .as("%s in %d", text, columns)
                    .isGreaterThanOrEqualTo(Math.min(Columns.width(text.toString()), columns) - 2);
        }
    }

    @Test
    void pad_wideCharacters_alignWithOthers() {
        assertThat(Columns.pad("多台", 6) + "|").isEqualTo("多台  |");
        assertThat(Columns.pad("e\u0301", 3) + "|").isEqualTo("e\u0301  |");
        assertThat(Columns.pad("longer", 3)).isEqualTo("longer");
    }

    @Test
    void wrap_sentence_breaksBetweenWordsAndKeepsLongOnesWhole() {
        assertThat(Columns.wrap("fix what is named above, then run apply again", 20))
                .containsExactly("fix what is named", "above, then run", "apply again");
        assertThat(Columns.wrap("see https://example.org/a/very/long/path for more", 12))
                .containsExactly("see", "https://example.org/a/very/long/path", "for more");
        assertThat(Columns.wrap("  an indent of\n\n  its own", 10))
                .containsExactly("  an", "  indent", "  of", "", "  its own");
        assertThat(Columns.wrap("多台主机 多台主机", 10)).containsExactly("多台主机", "多台主机");
    }

    @Test
    void table_anyNames_aligns() {
        TextTable table = new TextTable()
                .add("多台主机", "fra1", "x")
                .add("a", "region-with-a-long-name", "y")
                .add("b", "", "");

        assertThat(table.lines())
                .containsExactly("多台主机  fra1                     x", "a         region-with-a-long-name  y", "b");
    }
}
