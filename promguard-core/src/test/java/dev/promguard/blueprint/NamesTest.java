package dev.promguard.blueprint;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamesTest {
    @ParameterizedTest
    @CsvSource({"plain, '\"plain\"'", "'a b', '\"a b\"'", "Zürich, '\"Zürich\"'", "'', '\"\"'"})
    void quote_printableText_isShownAsItIs(String value, String shown) {
        assertThat(Names.quote(value)).isEqualTo(shown);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\n", "\r", "\t", "\u0000", "\u001b", "\u007f", "\u0085", "\u009b", "\u00ad", "\u200b", "\u200e",
                "\u202e", "\u2028", "\u2029", "\u2066", "\ufeff", "\ud800", "\ue000"
            })
    void quote_whatATerminalMightObeyOrHide_isReplaced(String character) {
        assertThat(Names.quote("a" + character + "b")).isEqualTo("\"a?b\"");
    }

    @ParameterizedTest
    @ValueSource(ints = {60, 61, 5000})
    void quote_longText_isCutAtSixtyCharacters(int length) {
        String shown = Names.quote("x".repeat(length));

        assertThat(shown).isEqualTo('"' + "x".repeat(60) + (length > 60 ? "…" : "") + '"');
    }

    @ParameterizedTest
    @ValueSource(ints = {58, 59, 60})
    void quote_cutInsideAPair_leavesNoHalfCharacter(int before) {
        String shown = Names.quote("x".repeat(before) + "𝄞𝄞");

        assertThat(shown.chars().filter(c -> Character.isSurrogate((char) c)).count() % 2)
                .isZero();
    }
}
