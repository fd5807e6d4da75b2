package dev.promguard.ssh.internal;

import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import dev.promguard.spi.ProbeResult.Result;
import dev.promguard.ssh.internal.FactsParser.MalformedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Writes the script that probes ports, and reads what it prints, as strictly as facts are read. Not thread-safe. */
final class ProbeScript {
    private static final int AT_ONCE = 32;
    private static final int MOST_TIMES = 3;
    private static final int SECOND_ROUND = 1;
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,6}");
    private static final Pattern SEEN = Pattern.compile("([0-9]{1,3}) ([0-9]{1,12}) ([0-9]{1,4}[.][0-9]{1,9})");
    private static final Map<String, Result> WORDS = Map.of(
            "open",
            Result.OPEN,
            "refused",
            Result.REFUSED,
            "silent",
            Result.SILENT,
            "noway",
            Result.NO_WAY,
            "failed",
            Result.NOT_TRIED);
    private static final int CURL_REFUSED = 7;
    private static final int CURL_TIME_IS_UP = 28;
    private static final List<Integer> CURL_BROKE_OFF = List.of(18, 52, 55, 56);

    private final List<Probe> ports;
    private final long seconds;
    private final @Nullable ProbeResult[] answers;
    private boolean ended;

    ProbeScript(List<Probe> ports, Duration timeout) {
        this.ports = List.copyOf(ports);
        this.seconds = Math.max(1, timeout.toSeconds());
        this.answers = new ProbeResult[ports.size()];
    }

    /** The script. */
    Script script(String nonce) {
        List<String> bare = new ArrayList<>();
        List<String> pages = new ArrayList<>();
        for (int i = 0; i < ports.size(); i++) {
            Probe port = ports.get(i);
            List<String> words = port.page().isEmpty() ? bare : pages;
            words.addAll(List.of(String.valueOf(i), port.address(), String.valueOf(port.port())));
            port.page().ifPresent(words::add);
        }
        List<String> words = new ArrayList<>(List.of(String.valueOf(seconds), String.valueOf(bare.size() / 3)));
        words.addAll(bare);
        words.addAll(pages);
        return Script.begin(nonce).call("probe", words).end();
    }

    /** How long it takes at most where nobody answers. */
    Duration longest() {
        return Duration.ofSeconds((ports.size() / AT_ONCE + 1 + SECOND_ROUND) * seconds * MOST_TIMES);
    }

    /** Takes one line without the nonce. */
    void line(String line) throws MalformedException {
        String[] fields = line.split("\t", -1);
        if (ended) {
            throw new MalformedException("something follows the end");
        } else if (line.equals("end")) {
            ended = true;
        } else if (fields.length == 3 && fields[0].equals("port") && WORDS.containsKey(fields[2])) {
            put(fields[1], false, new ProbeResult(WORDS.getOrDefault(fields[2], Result.NOT_TRIED)), line);
        } else if (fields.length == 4
                && fields[0].equals("page")
                && NUMBER.matcher(fields[2]).matches()) {
            put(fields[1], true, page(Integer.parseInt(fields[2]), fields[3]), line);
        } else {
            throw new MalformedException(FactsParser.shown(line));
        }
    }

    private void put(String number, boolean page, ProbeResult answer, String line) throws MalformedException {
        int index = NUMBER.matcher(number).matches() ? Integer.parseInt(number) : answers.length;
        if (index >= answers.length
                || answers[index] != null
                || ports.get(index).page().isPresent() != page) {
            throw new MalformedException("an answer for a port that was not asked for: " + FactsParser.shown(line));
        }
        answers[index] = answer;
    }

    /** What curl's exit code and its words mean; a page that broke off, or came with an error, came over an open connection. */
    private static ProbeResult page(int code, String words) {
        Matcher seen = SEEN.matcher(words);
        if (!seen.matches()) {
            return new ProbeResult(Result.NOT_TRIED);
        }
        long bytes = Long.parseLong(seen.group(2));
        boolean connected = Double.parseDouble(seen.group(3)) > 0;
        if (code == 0) {
            return new ProbeResult(Result.OPEN, bytes, seen.group(1).equals("200"));
        } else if (CURL_BROKE_OFF.contains(code) || (code == CURL_TIME_IS_UP && connected)) {
            return new ProbeResult(Result.OPEN, bytes, false);
        } else if (code == CURL_TIME_IS_UP) {
            return new ProbeResult(Result.SILENT);
        }
        return new ProbeResult(code == CURL_REFUSED ? Result.REFUSED : Result.NOT_TRIED);
    }

    /** Whether the end was seen. */
    boolean ended() {
        return ended;
    }

    /** The result of each probe, once the end was seen. */
    List<ProbeResult> answers() throws MalformedException {
        List<ProbeResult> all = new ArrayList<>();
        for (@Nullable ProbeResult answer : Arrays.asList(answers)) {
            if (answer == null) {
                throw new MalformedException("port " + (all.size() + 1) + " of the list has no answer");
            }
            all.add(answer);
        }
        return List.copyOf(all);
    }
}
