package dev.promguard.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Looks for secrets in whatever is shown to it, in each form that they could have leaked in, and notes where each was found. */
final class SecretSearch {
    /** One form of a secret. */
    private static final class Needle {
        private final String secret;
        private final byte[] form;

        Needle(String secret, byte[] form) {
            this.secret = secret;
            this.form = form;
        }

        boolean at(byte[] bytes, int at, int length) {
            return at + form.length <= length && Arrays.equals(bytes, at, at + form.length, form, 0, form.length);
        }
    }

    private static final int BLOCK = 1 << 20;

    private final Map<Integer, List<Needle>> byBegin = new HashMap<>();
    private final Map<String, Set<String>> found = new TreeMap<>();
    private final BitSet begins = new BitSet(1 << 24);
    private int longest;
    private long searched;

    /** Looks for a text: as it is, in base64 as a script carries it, and in hex. */
    SecretSearch text(String name, String secret) {
        byte[] bytes = secret.getBytes(UTF_8);
        form(name, bytes);
        bytes(name, bytes);
        return this;
    }

    /** Looks for a key of 32 bytes that is written in base64: also for its bytes. */
    SecretSearch key(String name, String base64) {
        byte[] raw = Base64.getDecoder().decode(base64);
        form(name, raw);
        form(name, base64.substring(0, 43).replace('+', '-').replace('/', '_').getBytes(UTF_8));
        bytes(name, raw);
        return text(name, base64);
    }

    /** Looks for the part of an OpenSSH private key file that is secret: the seed of 32 bytes. */
    SecretSearch sshKey(String name, String file) {
        String body = file.replaceAll("-----[^-]+-----", "").replaceAll("\\s", "");
        byte[] decoded = Base64.getDecoder().decode(body);
        byte[] begin = Arrays.copyOfRange(decoded, 62, 94);
        int seed = -1;
        for (int at = 94; at + 64 <= decoded.length; at++) {
            if (Arrays.equals(decoded, at + 32, at + 64, begin, 0, 32)) {
                seed = at;
            }
        }
        if (seed < 0) {
            throw new IllegalArgumentException("not an unencrypted ed25519 key as ssh-keygen writes it");
        }
        byte[] raw = Arrays.copyOfRange(decoded, seed, seed + 32);
        form(name, raw);
        bytes(name, raw);
        // The file's lines are of 70 characters: each piece of the seed that stands on one line is looked for.
        int from = (seed * 8 + 5) / 6;
        int to = (seed + 32) * 8 / 6;
        for (int at = from; at < to; ) {
            int end = Math.min(to, (at / 70 + 1) * 70);
            if (end - at >= 12) {
                form(name, body.substring(at, end).getBytes(UTF_8));
            }
            at = end;
        }
        return this;
    }

    private void bytes(String name, byte[] bytes) {
        form(name, HexFormat.of().formatHex(bytes).getBytes(UTF_8));
        form(name, HexFormat.of().formatHex(bytes).toUpperCase(Locale.ROOT).getBytes(UTF_8));
        for (int shift = 0; shift < 3; shift++) {
            byte[] shifted = new byte[shift + bytes.length];
            System.arraycopy(bytes, 0, shifted, shift, bytes.length);
            String encoded = Base64.getEncoder().withoutPadding().encodeToString(shifted);
            // Only what does not depend on the bytes before and after.
            form(
                    name,
                    encoded.substring(shift == 0 ? 0 : 4, encoded.length() - 2).getBytes(UTF_8));
        }
    }

    /** A form, and the same as it stands in a dump of packets: each byte in hex, with a space between them. */
    private void form(String name, byte[] form) {
        exactly(name, form);
        exactly(name, HexFormat.ofDelimiter(" ").formatHex(form).getBytes(UTF_8));
    }

    private void exactly(String name, byte[] form) {
        if (form.length < 8) {
            throw new IllegalArgumentException("too short to look for: " + name);
        }
        begins.set(begin(form, 0));
        byBegin.computeIfAbsent(begin(form, 0), key -> new ArrayList<>()).add(new Needle(name, form));
        found.computeIfAbsent(name, key -> new TreeSet<>());
        longest = Math.max(longest, form.length);
    }

    private static int begin(byte[] bytes, int at) {
        return ((bytes[at] & 0xff) << 16) | ((bytes[at + 1] & 0xff) << 8) | (bytes[at + 2] & 0xff);
    }

    void in(String place, String text) {
        byte[] bytes = text.getBytes(UTF_8);
        in(place, bytes, bytes.length);
    }

    void in(String place, byte[] bytes, int length) {
        searched += length;
        for (int at = 0; at + 3 <= length; at++) {
            int begin = begin(bytes, at);
            if (!begins.get(begin)) {
                continue;
            }
            for (Needle needle : byBegin.getOrDefault(begin, List.of())) {
                if (needle.at(bytes, at, length)) {
                    found(needle.secret).add(place);
                }
            }
        }
    }

    private Set<String> found(String secret) {
        return found.computeIfAbsent(secret, key -> new TreeSet<>());
    }

    /** Looks through all that comes. */
    void in(String place, InputStream stream) throws IOException {
        byte[] block = new byte[BLOCK];
        int kept = 0;
        for (int count = stream.readNBytes(block, kept, BLOCK - kept);
                count > 0;
                count = stream.readNBytes(block, kept, BLOCK - kept)) {
            int length = kept + count;
            in(place, block, length);
            kept = Math.min(longest, length);
            System.arraycopy(block, length - kept, block, 0, kept);
        }
    }

    /** Looks through every plain file below a folder, and through every file's name. */
    int inFiles(String place, Path folder) throws IOException {
        int files = 0;
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) walk::iterator) {
                String name = folder.relativize(file).toString();
                in(place + "the name of a file", name);
                if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                    files++;
                    try (InputStream stream = Files.newInputStream(file)) {
                        in(place + name, stream);
                    } catch (NoSuchFileException e) {
                        // Gone since the folder was listed: there is nothing left to leak.
                        files--;
                    }
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return files;
    }

    /** Where a secret was found. */
    Set<String> places(String secret) {
        Set<String> places = found.get(secret);
        if (places == null) {
            throw new IllegalArgumentException("never looked for: " + secret);
        }
        return places;
    }

    Set<String> secrets() {
        return found.keySet();
    }

    /** How much was looked through, in bytes. */
    long searched() {
        return searched;
    }
}
