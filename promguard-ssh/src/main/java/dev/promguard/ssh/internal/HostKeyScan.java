package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.Probe;
import dev.promguard.ssh.internal.FactsParser.MalformedException;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;

/** Writes the script that asks an SSH server for its host keys, and reads what it prints. Not thread-safe. */
final class HostKeyScan {
    private static final int MOST_KEYS = 16;
    private static final int MOST_TIMES = 4;

    private final Probe server;
    private final long seconds;
    private final Set<HostKeyFingerprint> keys = new LinkedHashSet<>();
    private boolean ended;

    HostKeyScan(Probe server, Duration timeout) {
        this.server = server;
        this.seconds = Math.max(1, timeout.toSeconds());
    }

    /** The script. */
    Script script(String nonce) {
        return Script.begin(nonce)
                .call("scan_host_keys", String.valueOf(seconds), server.address(), String.valueOf(server.port()))
                .end();
    }

    /** How long it takes at most: a connection for each type of key. */
    Duration longest() {
        return Duration.ofSeconds(MOST_TIMES * seconds);
    }

    /** Takes one line without the nonce. */
    void line(String line) throws MalformedException {
        String[] fields = line.split("\t", -1);
        if (ended) {
            throw new MalformedException("something follows the end");
        } else if (line.equals("end")) {
            ended = true;
        } else if (fields.length == 3 && fields[0].equals("scanned") && keys.size() < MOST_KEYS) {
            keys.add(fingerprint(fields[1], fields[2]));
        } else {
            throw new MalformedException(FactsParser.shown(line));
        }
    }

    private static HostKeyFingerprint fingerprint(String type, String key) throws MalformedException {
        try {
            return new SshPublicKey(type, key).fingerprint();
        } catch (InvalidSettingException e) {
            MalformedException malformed = new MalformedException("a host key: " + FactsParser.shown(key));
            malformed.initCause(e);
            throw malformed;
        }
    }

    /** Whether the end was seen. */
    boolean ended() {
        return ended;
    }

    /** What the server proved. */
    Set<HostKeyFingerprint> keys() {
        return Set.copyOf(keys);
    }
}
