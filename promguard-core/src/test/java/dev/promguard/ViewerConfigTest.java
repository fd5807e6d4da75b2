package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.zxing.common.BitMatrix;
import com.google.zxing.qrcode.decoder.Decoder;
import dev.promguard.keys.WireGuardKeyPair;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a viewer's machine gets: as text, in a file, and to be scanned. */
class ViewerConfigTest {
    private static final int MARGIN = 4;

    @TempDir
    private Path folder;

    private final WireGuardKeyPair keys = WireGuardKeyPair.generate();

    @AfterEach
    void clear() {
        keys.close();
    }

    private ViewerConfig config(int monitors) {
        return new ViewerConfig(
                "shop",
                "anna-laptop",
                keys.publicKey(),
                "fd00:77::ffff/128",
                OptionalInt.of(1280),
                java.util.stream.IntStream.rangeClosed(1, monitors)
                        .mapToObj(number -> new ViewerConfig.Monitor(
                                "shop-monitor-" + number,
                                SpecFile.publicKey("shop-monitor-" + number),
                                "[2001:db8::7]:51820",
                                "fd00:77::" + number + "/128",
                                URI.create("http://[fd00:77::" + number + "]:9090/")))
                        .toList(),
                Optional.empty());
    }

    private ViewerConfig whole(int monitors) {
        return config(monitors).withPrivateKey(keys.privateKey());
    }

    @Test
    void text_withAndWithoutAKey_isTakenByWgQuick() throws Exception {
        Tool wgQuick = Tool.orSkip("wg-quick", "wireguard-tools");
        for (ViewerConfig each : List.of(config(2), whole(2))) {
            Path file = folder.resolve("wg" + each.text().length() + ".conf");
            Files.writeString(file, each.text());
            Tool.Answer answer = wgQuick.run("", "strip", file.toString());

            assertThat(answer.exitCode()).as(answer.output()).isZero();
            assertThat(answer.output()).contains("AllowedIPs = fd00:77::1/128").doesNotContain("Address", "MTU");
        }
        assertThat(config(1).text()).contains("\nMTU = 1280\n");
        assertThat(config(2).prometheus())
                .containsExactly(URI.create("http://[fd00:77::1]:9090/"), URI.create("http://[fd00:77::2]:9090/"));
    }

    @Test
    void writeTo_newFile_isItsOwnersAndNeverReplacesAnother() throws Exception {
        Path file = whole(1).writeTo(folder.resolve("shop.conf"));

        assertThat(file).hasContent(whole(1).text());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        Files.writeString(file, "another");
        assertThatThrownBy(() -> whole(1).writeTo(file))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("is there already and was left as it is")
                .hasMessageContaining("[PG-1009]");
        assertThat(file).hasContent("another");
        assertThatThrownBy(() -> whole(1).writeTo(folder.resolve("missing/shop.conf")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("cannot be written");
    }

    /** As a camera sees it: a module is dark where the terminal shows a block. */
    @Test
    void toQrText_configuration_isReadFromTheTerminal() throws Exception {
        String text = whole(1).toQrText();

        List<String> lines = text.lines()
                .map(line -> line.replaceAll("\u001b\\[[0-9;]*m", ""))
                .toList();
        assertThat(text.lines()).allMatch(line -> line.startsWith("\u001b[30;107m") && line.endsWith("\u001b[0m"));
        int size = lines.get(0).length();
        assertThat(size).isLessThanOrEqualTo(80);
        BitMatrix matrix = new BitMatrix(size - 2 * MARGIN);
        for (int y = MARGIN; y < size - MARGIN; y++) {
            for (int x = MARGIN; x < size - MARGIN; x++) {
                char shown = lines.get(y / 2).charAt(x);
                if (shown == '█' || shown == (y % 2 == 0 ? '▀' : '▄')) {
                    matrix.set(x - MARGIN, y - MARGIN);
                }
            }
        }
        assertThat(lines.get(0)).isBlank();
        assertThat(new Decoder().decode(matrix).getText()).isEqualTo(withoutComments(whole(1).text()));
    }

    @Test
    void toQrSvg_configuration_isReadFromThePicture() throws Exception {
        String svg = whole(3).toQrSvg();

        Matcher size = Pattern.compile("viewBox=\"0 0 ([0-9]+) ").matcher(svg);
        assertThat(size.find()).isTrue();
        BitMatrix matrix = new BitMatrix(Integer.parseInt(size.group(1)) - 2 * MARGIN);
        Matcher module = Pattern.compile("M([0-9]+) ([0-9]+)h1v1h-1z").matcher(svg);
        while (module.find()) {
            matrix.set(Integer.parseInt(module.group(1)) - MARGIN, Integer.parseInt(module.group(2)) - MARGIN);
        }
        assertThat(new Decoder().decode(matrix).getText()).isEqualTo(withoutComments(whole(3).text()));
        assertThat(svg).contains("fill=\"#ffffff\"", "fill=\"#000000\"");
    }

    private static String withoutComments(String text) {
        return text.replaceAll("(?m)^#.*\n", "");
    }

    @Test
    void toQrText_moreThanACodeHolds_saysSoWithoutTheKey() {
        assertThatThrownBy(whole(40)::toQrText)
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("too long for a QR code")
                .hasNoCause();
    }
}
