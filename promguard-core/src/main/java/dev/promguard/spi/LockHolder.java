package dev.promguard.spi;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Who holds a mesh's lock, and since when. Immutable and thread-safe. */
public final class LockHolder {
    private static final int LONGEST = 64;
    private static final Pattern TEXT =
            Pattern.compile("(.{1,64}) on (.{1,64}), process ([0-9]{1,19}), (.{1,64}) since ([0-9TZ:.+-]{1,40})");
    private static final Path KERNEL_NAME = Path.of("/proc/sys/kernel/hostname");

    private final String user;
    private final String host;
    private final long process;
    private final String verb;
    private final Instant since;

    private LockHolder(String user, String host, long process, String verb, Instant since) {
        this.user = user;
        this.host = host;
        this.process = process;
        this.verb = verb;
        this.since = since;
    }

    /**
     * This program, from now on.
     *
     * @param verb what it does, such as {@code apply}
     * @return the holder, with the user's and the host's name as the system has them
     * @throws InvalidSettingException if the verb is empty or cannot be printed
     */
    public static LockHolder ofThisProcess(String verb) {
        return of(
                clean(System.getProperty("user.name", "")),
                hostName(),
                ProcessHandle.current().pid(),
                verb,
                Instant.now());
    }

    /**
     * A holder.
     *
     * @param user the name of the user
     * @param host the name of the host that the program runs on
     * @param process the program's process id
     * @param verb what it does, such as {@code apply}
     * @param since since when; kept to the second
     * @return the holder
     * @throws InvalidSettingException if a text is empty, longer than 64 characters or cannot be printed in a line, or the id is negative
     */
    public static LockHolder of(String user, String host, long process, String verb, Instant since) {
        require("user", user);
        require("host", host);
        require("verb", verb);
        if (process < 0) {
            throw new InvalidSettingException("process id " + process + " is negative");
        }
        return new LockHolder(user, host, process, verb, since.truncatedTo(ChronoUnit.SECONDS));
    }

    /**
     * Reads what {@link #toString()} wrote, for stores that keep it as text.
     *
     * @param text the text
     * @return the holder, or empty if it is another text
     */
    public static Optional<LockHolder> parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(of(
                    parts.group(1),
                    parts.group(2),
                    Long.parseLong(parts.group(3)),
                    parts.group(4),
                    Instant.parse(parts.group(5))));
        } catch (DateTimeException | NumberFormatException | InvalidSettingException e) {
            return Optional.empty();
        }
    }

    private static void require(String what, String text) {
        if (text.isBlank() || text.length() > LONGEST || !Names.isPrintable(text)) {
            throw new InvalidSettingException("lock holder's " + what + ' ' + Names.quote(text)
                    + " is no printable text of 1 to " + LONGEST + " characters");
        }
    }

    private static String hostName() {
        String kernel = "";
        try {
            if (Files.isReadable(KERNEL_NAME)) {
                kernel = Files.readString(KERNEL_NAME);
            }
        } catch (IOException e) {
            kernel = "";
        }
        return clean(Stream.of(kernel, System.getenv("HOSTNAME"), System.getenv("COMPUTERNAME"))
                .filter(name -> name != null && !name.isBlank())
                .findFirst()
                .orElse(""));
    }

    /** A name of the system's, as far as it can be shown. */
    private static String clean(String name) {
        String stripped = name.strip();
        String cut = stripped.substring(0, Math.min(stripped.length(), LONGEST));
        return cut.isBlank() || !Names.isPrintable(cut) ? "unknown" : cut;
    }

    /**
     * The name of the user.
     *
     * @return such as {@code anna}; {@code unknown} where the system has none
     */
    public String user() {
        return user;
    }

    /**
     * The name of the host that the program runs on.
     *
     * @return such as {@code build-7}; {@code unknown} where the system has none
     */
    public String host() {
        return host;
    }

    /**
     * The program's process id on that host.
     *
     * @return the id
     */
    public long process() {
        return process;
    }

    /**
     * What the program does.
     *
     * @return such as {@code apply}
     */
    public String verb() {
        return verb;
    }

    /**
     * Since when it holds the lock.
     *
     * @return a time by the program's clock, to the second
     */
    public Instant since() {
        return since;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LockHolder that
                && user.equals(that.user)
                && host.equals(that.host)
                && process == that.process
                && verb.equals(that.verb)
                && since.equals(that.since);
    }

    @Override
    public int hashCode() {
        return Objects.hash(user, host, process, verb, since);
    }

    /**
     * All of it in a line, which {@link #parse} reads.
     *
     * @return such as {@code anna on build-7, process 4711, apply since 2031-05-06T07:08:09Z}
     */
    @Override
    public String toString() {
        return user + " on " + host + ", process " + process + ", " + verb + " since " + since;
    }
}
