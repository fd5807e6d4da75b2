package dev.promguard;

import com.google.zxing.WriterException;
import com.google.zxing.qrcode.decoder.ErrorCorrectionLevel;
import com.google.zxing.qrcode.encoder.ByteMatrix;
import com.google.zxing.qrcode.encoder.Encoder;
import java.util.Locale;

/** A text as a QR code, by ZXing, which a program that wants one has on its class path. */
final class QrCode {
    /** The white margin that readers need, in modules. */
    private static final int MARGIN = 4;

    private static final String BLACK_ON_WHITE = "\u001b[30;107m";
    private static final String RESET = "\u001b[0m";

    private final boolean[][] dark;

    private QrCode(boolean[][] dark) {
        this.dark = dark;
    }

    /**
     * Encodes a text.
     *
     * @throws InvalidSettingException if it is too long, or ZXing is missing
     */
    static QrCode of(String text) {
        try {
            return new QrCode(modules(text));
        } catch (WriterException e) {
            // The cause may quote the text.
            throw new InvalidSettingException("the configuration is too long for a QR code: hand it over as a file");
        } catch (LinkageError e) {
            throw new InvalidSettingException(
                    ErrorCode.LIBRARY_MISSING,
                    "a QR code needs com.google.zxing:core, which is not on the class path: add it to your dependencies",
                    e);
        }
    }

    private static boolean[][] modules(String text) throws WriterException {
        ByteMatrix matrix = Encoder.encode(text, ErrorCorrectionLevel.L).getMatrix();
        int size = matrix.getWidth() + 2 * MARGIN;
        boolean[][] dark = new boolean[size][size];
        for (int y = 0; y < matrix.getHeight(); y++) {
            for (int x = 0; x < matrix.getWidth(); x++) {
                dark[y + MARGIN][x + MARGIN] = matrix.get(x, y) == 1;
            }
        }
        return dark;
    }

    /** Two modules in a character, one above the other. */
    String toText() {
        StringBuilder text = new StringBuilder(dark.length * dark.length);
        for (int y = 0; y < dark.length; y += 2) {
            text.append(BLACK_ON_WHITE);
            for (int x = 0; x < dark.length; x++) {
                boolean upper = dark[y][x];
                boolean lower = y + 1 < dark.length && dark[y + 1][x];
                text.append(upper ? lower ? '█' : '▀' : lower ? '▄' : ' ');
            }
            text.append(RESET).append('\n');
        }
        return text.toString();
    }

    String toSvg() {
        StringBuilder path = new StringBuilder(dark.length * dark.length);
        for (int y = 0; y < dark.length; y++) {
            for (int x = 0; x < dark.length; x++) {
                if (dark[y][x]) {
                    path.append('M').append(x).append(' ').append(y).append("h1v1h-1z");
                }
            }
        }
        return String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%1$d\" height=\"%1$d\" viewBox=\"0 0 %2$d %2$d\""
                        + " shape-rendering=\"crispEdges\">\n  <rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
                        + "  <path d=\"%3$s\" fill=\"#000000\"/>\n</svg>\n",
                dark.length * 5,
                dark.length,
                path);
    }
}
