package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.host.Change;
import dev.promguard.host.HostKey;
import dev.promguard.host.Releases;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.HostSession.Progress;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Follows a run of changes by what its script reports. */
final class ChangeRun implements Exec.Lines {
    /**
     * How a change failed.
     *
     * @param exitCode its exit code
     * @param why what the script says of it, or an empty text
     */
    record Failure(int exitCode, String why) {}

    private final List<Change> changes;
    private final Progress progress;
    private final String nonce;
    private final Tarballs tarballs;
    private int next;
    private boolean under;
    private String preparing = "send the changes";
    private boolean armed;
    private boolean rolledBack;
    private boolean ended;
    private @Nullable Failure failure;
    private int tarballSent = -1;
    private volatile String notSent = "";

    ChangeRun(List<Change> changes, Progress progress, String nonce, Tarballs tarballs) {
        this.changes = changes;
        this.progress = progress;
        this.nonce = nonce;
        this.tarballs = tarballs;
    }

    /** Whether the script waits for answers while it makes these changes. */
    static boolean answers(List<Change> changes) {
        return changes.stream()
                .anyMatch(change -> change instanceof HostKey.Replace || change instanceof Releases.Install);
    }

    /** Why a tarball that the host asked for was not sent, to be put behind what the host says, or an empty text. */
    String notSent() {
        return notSent;
    }

    boolean armed() {
        return armed;
    }

    boolean rolledBack() {
        return rolledBack;
    }

    boolean ended() {
        return ended;
    }

    @Nullable
    Failure failure() {
        return failure;
    }

    /** The change under way, or null before the first and between two. */
    @Nullable
    Change current() {
        return under ? changes.get(next) : null;
    }

    /** What is under way, in words. */
    String step() {
        Change current = current();
        return current == null ? preparing : current.describe();
    }

    @Override
    public void line(String line, Exec.Answer answer) throws FactsParser.MalformedException, IOException {
        String[] fields = line.split("\t", -1);
        if (failure != null || ended) {
            throw new FactsParser.MalformedException("something follows the end");
        }
        switch (fields[0]) {
            case "begin" -> begin(fields);
            case "done" -> done(fields);
            case "failed" -> {
                if (fields.length != 4 || !fields[2].matches("[0-9]{1,3}")) {
                    throw new FactsParser.MalformedException(FactsParser.shown(line));
                }
                failure = new Failure(Integer.parseInt(fields[2]), fields[3].replaceAll("\\p{Cntrl}", "?"));
            }
            case "armed" -> armed = true;
            case "rolled-back" -> rolledBack = true;
            case "leftover" -> progress.left(leftover(fields));
            case "note" -> progress.noted(leftover(fields));
            case "hostkey" -> hostKey(fields, answer);
            case "tarball" -> tarball(fields, answer);
            case "end" -> {
                if (next != changes.size()) {
                    throw new FactsParser.MalformedException("the end came too early");
                }
                ended = true;
            }
            default -> throw new FactsParser.MalformedException(FactsParser.shown(line));
        }
    }

    /** What stays on the host, or a note. */
    private static String leftover(String[] fields) throws FactsParser.MalformedException {
        String what = fields.length == 2 ? fields[1].replaceAll("[^\\x20-\\x7e]", "?") : "";
        if (what.isBlank()) {
            throw new FactsParser.MalformedException(
                    "what is left on the host, or a note: " + FactsParser.shown(String.join(" ", fields)));
        }
        return what;
    }

    private void begin(String[] fields) throws FactsParser.MalformedException {
        String number = fields.length == 2 ? fields[1] : "";
        if (number.equals(ChangeScript.PREPARE)) {
            preparing = "take the host's lock";
        } else if (number.equals(ChangeScript.ARM)) {
            preparing = "arm the rollback";
        } else if (!under && next < changes.size() && number.equals(Integer.toString(next))) {
            under = true;
            progress.started(changes.get(next));
        } else {
            throw new FactsParser.MalformedException("the change begun is " + FactsParser.shown(number));
        }
    }

    private void done(String[] fields) throws FactsParser.MalformedException {
        String number = fields.length == 2 ? fields[1] : "";
        if (under && number.equals(Integer.toString(next))) {
            under = false;
            progress.done(changes.get(next));
            next++;
        } else if (under || (!number.equals(ChangeScript.PREPARE) && !number.equals(ChangeScript.ARM))) {
            throw new FactsParser.MalformedException("the change done is " + FactsParser.shown(number));
        }
    }

    private void hostKey(String[] fields, Exec.Answer answer) throws FactsParser.MalformedException, IOException {
        if (!(current() instanceof HostKey.Replace) || fields.length != 4) {
            throw new FactsParser.MalformedException("a host key that was not asked for");
        }
        HostKeyFingerprint fingerprint;
        try {
            fingerprint = new SshPublicKey(fields[2], fields[3]).fingerprint();
        } catch (InvalidSettingException e) {
            FactsParser.MalformedException malformed = new FactsParser.MalformedException("a host key");
            malformed.initCause(e);
            throw malformed;
        }
        progress.newHostKey(fingerprint);
        answer.send("go " + nonce);
    }

    /** Sends the tarball of the release that is being installed, once. */
    private void tarball(String[] fields, Exec.Answer answer) throws FactsParser.MalformedException, IOException {
        if (!(current() instanceof Releases.Install install)
                || fields.length != 2
                || !fields[1].equals(Integer.toString(next))
                || tarballSent == next) {
            throw new FactsParser.MalformedException("a tarball that is not to be sent");
        }
        tarballSent = next;
        answer.send(input -> {
            String problem = tarballs.send(install, input);
            notSent = problem.isEmpty() ? "" : ": " + problem;
        });
    }
}
