package dev.promguard.ssh.internal;

import dev.promguard.host.Change;
import dev.promguard.host.NewKeys;
import dev.promguard.host.ShellCall;
import dev.promguard.host.Units;
import dev.promguard.host.WireGuard;
import dev.promguard.keys.Secret;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The script that makes changes one after the other, and reports each. Each change says which shell function makes it. */
final class ChangeScript {
    /** The number under which the script reports what is none of the caller's changes. */
    static final String PREPARE = "prepare";
    /** The number under which the script reports the arming of the rollback. */
    static final String ARM = "arm";

    private static final String STEP = "step";

    private ChangeScript() {}

    /** Writes the script for a host that fetches releases itself. The caller closes it: it may hold a key. */
    static Script of(String nonce, List<Change> changes, NewKeys keys, Duration rollbackAfter) {
        return of(nonce, changes, keys, rollbackAfter, false);
    }

    /** Writes the script. The caller closes it: it may hold a key. */
    static Script of(String nonce, List<Change> changes, NewKeys keys, Duration rollbackAfter, boolean pushReleases) {
        Script script = Script.begin(nonce);
        try {
            script.call(STEP, PREPARE, "alone");
            if (pushReleases) {
                script.call("push_releases");
            }
            List<String> pending = pending(changes);
            if (!pending.isEmpty()) {
                script.call(STEP, all(List.of(PREPARE, "expect_pending"), pending));
            }
            int armBefore = firstToSave(changes);
            for (int number = 0; number < changes.size(); number++) {
                if (number == armBefore) {
                    arm(script, changes, rollbackAfter);
                }
                step(script, number, changes.get(number).call(keys));
            }
            return script.end();
        } catch (RuntimeException e) {
            script.close();
            throw e;
        }
    }

    private static void step(Script script, int number, ShellCall call) {
        List<String> arguments = all(List.of(Integer.toString(number), call.function()), call.arguments());
        if (call.input() instanceof ShellCall.Input.Text text) {
            script.feed(text.text().getBytes(StandardCharsets.UTF_8), STEP, arguments);
        } else if (call.input() instanceof ShellCall.Input.SecretLine line) {
            script.feed(line.secret(), STEP, arguments);
        } else if (call.input() instanceof ShellCall.Input.SecretLines lines) {
            feed(script, lines, arguments);
        } else {
            script.call(STEP, arguments);
        }
    }

    private static void feed(Script script, ShellCall.Input.SecretLines input, List<String> arguments) {
        byte[] lines = new byte[0];
        try {
            for (Map.Entry<String, Secret> secret : input.secrets().entrySet()) {
                lines = withLine(lines, secret.getKey(), secret.getValue());
            }
            script.feed(lines, STEP, arguments);
        } finally {
            Arrays.fill(lines, (byte) 0);
        }
    }

    /** What the run does with units, so that the next one knows if this one is cut off. */
    private static List<String> pending(List<Change> changes) {
        List<String> pending = new ArrayList<>();
        for (Change change : changes) {
            if (change instanceof Units.Apply apply
                    && apply.does() != Units.UnitAction.ENABLE
                    && apply.does() != Units.UnitAction.STOP) {
                pending.add(apply.unit() + ' ' + apply.does().name());
            }
        }
        return pending;
    }

    private static List<String> all(List<String> first, List<String> then) {
        List<String> all = new ArrayList<>(first);
        all.addAll(then);
        return all;
    }

    /** The first change before which the host's state must be saved, or -1 if none is risky. */
    static int firstToSave(List<Change> changes) {
        for (int i = 0; i < changes.size(); i++) {
            if (changes.get(i).risky()) {
                return i;
            }
        }
        return -1;
    }

    private static void arm(Script script, List<Change> changes, Duration rollbackAfter) {
        // Without a name, the host knows the interface that PromGuard has there, if any.
        String interfaceName = "";
        List<String> units = new ArrayList<>();
        for (Change change : changes) {
            if (change instanceof WireGuard.Configure configure) {
                interfaceName = configure.wireGuard().name();
            } else if (change instanceof WireGuard.WriteKey write) {
                // Its file is NAME.key.
                interfaceName = write.path().replaceAll("^.*/|\\.key$", "");
            } else if (change instanceof Units.Apply apply && !apply.unit().startsWith("wg-quick@")) {
                units.add(apply.unit());
            }
        }
        List<String> arguments = new ArrayList<>(
                List.of(ARM, "arm", Long.toString(Math.max(1, rollbackAfter.toSeconds())), interfaceName));
        units.stream().distinct().forEach(arguments::add);
        script.feed(Script.rollback().getBytes(StandardCharsets.UTF_8), STEP, arguments);
    }

    /** The lines and one more; clears the lines given. */
    private static byte[] withLine(byte[] lines, String name, Secret secret) {
        byte[] start = (name + ' ').getBytes(StandardCharsets.UTF_8);
        return secret.use(value -> {
            byte[] all = Arrays.copyOf(lines, lines.length + start.length + value.length + 1);
            System.arraycopy(start, 0, all, lines.length, start.length);
            System.arraycopy(value, 0, all, lines.length + start.length, value.length);
            all[all.length - 1] = '\n';
            Arrays.fill(lines, (byte) 0);
            return all;
        });
    }
}
