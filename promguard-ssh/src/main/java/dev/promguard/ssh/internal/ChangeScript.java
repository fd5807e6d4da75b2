package dev.promguard.ssh.internal;

import dev.promguard.blueprint.FirewallRule;
import dev.promguard.change.Change;
import dev.promguard.change.Change.ApplyUnit;
import dev.promguard.change.Change.ApplyWireGuard;
import dev.promguard.change.Change.WriteFile;
import dev.promguard.change.Change.WriteKey;
import dev.promguard.keys.Secret;
import dev.promguard.render.ManagedFile;
import dev.promguard.render.SecretFile;
import dev.promguard.render.WireGuardInterface;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** The script that makes changes one after the other, and reports each. */
final class ChangeScript implements Change.Visitor<Script> {
    /** The number under which the script reports what is none of the caller's changes. */
    static final String PREPARE = "prepare";

    /** The number under which the script reports the arming of the rollback. */
    static final String ARM = "arm";

    private static final Pattern UNIT = Pattern.compile("[A-Za-z0-9_@:][A-Za-z0-9_@:.-]{0,199}\\.[a-z]{4,10}");
    private static final Pattern PACKAGE = Pattern.compile("[a-z0-9][a-z0-9+.-]{0,100}");

    private static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9_@.+-]+)+");
    private static final Pattern HOST = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

    private final Script script;
    private int number;

    private ChangeScript(Script script) {
        this.script = script;
    }

    /** Writes the script. The caller closes it: it may hold a key. */
    static Script of(String nonce, List<Change> changes, Duration rollbackAfter) {
        Script script = Script.begin(nonce);
        ChangeScript visitor = new ChangeScript(script);
        try {
            script.call("step", PREPARE, "alone");
            List<String> owed = owed(changes);
            if (!owed.isEmpty()) {
                script.call("step", all(List.of(PREPARE, "expect_pending"), owed));
            }
            int armBefore = firstToSave(changes);
            for (Change change : changes) {
                if (visitor.number == armBefore) {
                    visitor.arm(changes, rollbackAfter);
                }
                change.accept(visitor);
                visitor.number++;
            }
            return script.end();
        } catch (IllegalArgumentException | IllegalStateException e) {
            script.close();
            throw e;
        }
    }

    /** What the run owes its units, so that the next one knows if this one is cut off. */
    private static List<String> owed(List<Change> changes) {
        List<String> owed = new ArrayList<>();
        for (Change change : changes) {
            if (change instanceof ApplyUnit apply
                    && apply.action() != Change.UnitAction.ENABLE
                    && apply.action() != Change.UnitAction.STOP) {
                owed.add(unit(apply.unit()) + ' ' + apply.action().name());
            }
        }
        return owed;
    }

    private static List<String> all(List<String> first, List<String> then) {
        List<String> all = new ArrayList<>(first);
        all.addAll(then);
        return all;
    }

    /** The first change before which the host's state must be saved, or -1 if none is risky. */
    static int firstToSave(List<Change> changes) {
        if (changes.stream().noneMatch(Change::risky)) {
            return -1;
        }
        for (int i = 0; i < changes.size(); i++) {
            Change change = changes.get(i);
            if (change.risky()
                    || change instanceof WriteKey
                    || (change instanceof WriteFile write && write.file().path().startsWith("/etc/wireguard/"))) {
                return i;
            }
        }
        throw new IllegalStateException("a risky change was seen and is gone");
    }

    private void arm(List<Change> changes, Duration rollbackAfter) {
        String interfaceName = "wg0";
        List<String> units = new ArrayList<>();
        for (Change change : changes) {
            if (change instanceof ApplyWireGuard apply) {
                interfaceName = apply.wireGuard().name();
            } else if (change instanceof ApplyUnit apply && !apply.unit().startsWith("wg-quick@")) {
                units.add(unit(apply.unit()));
            }
        }
        List<String> arguments = new ArrayList<>(
                List.of(ARM, "arm", Long.toString(Math.max(1, rollbackAfter.toSeconds())), interfaceName));
        units.stream().distinct().forEach(arguments::add);
        script.feed(Script.rollback().getBytes(StandardCharsets.UTF_8), "step", arguments);
    }

    private Script step(String function, List<String> arguments) {
        return script.call("step", arguments(function, arguments));
    }

    private Script step(String function, String... arguments) {
        return step(function, List.of(arguments));
    }

    private List<String> arguments(String function, List<String> arguments) {
        List<String> all = new ArrayList<>(List.of(Integer.toString(number), function));
        all.addAll(arguments);
        return all;
    }

    @Override
    public Script installPackages(Change.InstallPackages change) {
        for (String name : change.packages()) {
            if (!PACKAGE.matcher(name).matches()) {
                throw new IllegalArgumentException("package \"" + name + "\" is not a Debian package's name");
            }
        }
        return step("apply_packages", change.packages());
    }

    @Override
    public Script createUser(Change.CreateUser change) {
        return step("apply_user", change.user().name());
    }

    @Override
    public Script installRelease(Change.InstallRelease change) {
        String uri = change.tarball().toString();
        if (!uri.matches("https?://[^\"\\\\\\p{Cntrl} ]+")) {
            throw new IllegalArgumentException("a release can be fetched over http and https only: " + uri);
        }
        if (!change.folder().matches("[A-Za-z0-9][A-Za-z0-9._+-]*")) {
            throw new IllegalArgumentException("folder \"" + change.folder() + "\" in a tarball is not a plain name");
        }
        List<String> arguments =
                new ArrayList<>(List.of(FactsScript.key(change.install()), uri, change.folder(), change.sha256()));
        arguments.addAll(change.install().binaries());
        return step("apply_release", arguments);
    }

    @Override
    public Script writeFile(WriteFile change) {
        ManagedFile file = change.file();
        if (!file.owner().matches("[a-z_][a-z0-9_-]{0,30}")) {
            throw new IllegalArgumentException(file.path() + ": owner \"" + file.owner() + "\" is not a user's name");
        }
        List<String> arguments =
                new ArrayList<>(List.of(file.path(), String.format("%04o", file.mode()), file.owner()));
        arguments.addAll(file.check());
        return script.feed(file.content().getBytes(StandardCharsets.UTF_8), "step", arguments("apply_file", arguments));
    }

    @Override
    public Script removeDropIns(Change.RemoveDropIns change) {
        List<String> known = FactsScript.dropInFolders(unit(change.unit()));
        for (String folder : change.folders()) {
            if (!known.contains(folder)) {
                throw new IllegalArgumentException(
                        "folder \"" + folder + "\" is not one that holds drop-ins of " + change.unit());
            }
        }
        return step("undo_drop_ins", change.folders());
    }

    @Override
    public Script writeSecret(Change.WriteSecret change) {
        SecretFile file = change.file();
        return script.feed(
                file.content(),
                "step",
                arguments("apply_secret", List.of(file.path(), String.format("%04o", SecretFile.MODE), file.group())));
    }

    @Override
    public Script writeKey(WriteKey change) {
        if (!PATH.matcher(change.path()).matches()) {
            throw new IllegalArgumentException("key path \"" + change.path() + "\" is not a plain absolute path");
        }
        return script.feed(
                change.privateKey(),
                "step",
                arguments("apply_key", List.of(change.path(), change.publicKey().base64())));
    }

    @Override
    public Script writePresharedKeys(Change.WritePresharedKeys change) {
        if (!PATH.matcher(change.folder()).matches()) {
            throw new IllegalArgumentException("key folder \"" + change.folder() + "\" is not a plain absolute path");
        }
        List<String> arguments = new ArrayList<>(List.of(change.folder()));
        byte[] lines = new byte[0];
        try {
            for (Map.Entry<String, Secret> key : change.keys().entrySet()) {
                if (!HOST.matcher(key.getKey()).matches()) {
                    throw new IllegalArgumentException("peer \"" + key.getKey() + "\" is not a host's name");
                }
                arguments.add(key.getKey());
                lines = withLine(lines, key.getKey(), key.getValue());
            }
            return script.feed(lines, "step", arguments("apply_preshared_keys", arguments));
        } finally {
            Arrays.fill(lines, (byte) 0);
        }
    }

    /** The lines and one more; clears the lines given. */
    private static byte[] withLine(byte[] lines, String peer, Secret key) {
        byte[] start = (peer + ' ').getBytes(StandardCharsets.UTF_8);
        return key.use(value -> {
            byte[] all = Arrays.copyOf(lines, lines.length + start.length + value.length + 1);
            System.arraycopy(start, 0, all, lines.length, start.length);
            System.arraycopy(value, 0, all, lines.length + start.length, value.length);
            all[all.length - 1] = '\n';
            Arrays.fill(lines, (byte) 0);
            return all;
        });
    }

    @Override
    public Script allow(Change.Allow change) {
        List<String> words = words(change.rule());
        words.addAll(List.of("comment", change.rule().comment()));
        return step("apply_rule", words);
    }

    @Override
    public Script disallow(Change.Disallow change) {
        List<String> words = words(change.rule());
        words.add(0, "delete");
        return step("apply_rule", words);
    }

    private static List<String> words(FirewallRule rule) {
        List<String> words = new ArrayList<>();
        words.add("allow");
        rule.networkInterface().ifPresent(name -> words.addAll(List.of("in", "on", name)));
        words.addAll(List.of(
                "proto",
                rule.protocol().word(),
                "from",
                rule.from().orElse("any"),
                "to",
                rule.to().orElse("any"),
                "port",
                Integer.toString(rule.port())));
        return words;
    }

    @Override
    public Script enableFirewall(Change.EnableFirewall change) {
        return step("apply_firewall");
    }

    @Override
    public Script wireGuard(ApplyWireGuard change) {
        WireGuardInterface wireGuard = change.wireGuard();
        if (!wireGuard.name().matches("[A-Za-z0-9_=+.-]{1,15}")) {
            throw new IllegalArgumentException("interface \"" + wireGuard.name() + "\" is not an interface's name");
        }
        return step(
                "apply_wireguard",
                change.action().name(),
                wireGuard.name(),
                wireGuard.keyPath(),
                wireGuard.publicKey().base64(),
                wireGuard.address());
    }

    @Override
    public Script unit(ApplyUnit change) {
        return step("apply_unit", change.action().name(), unit(change.unit()));
    }

    @Override
    public Script maskUnit(Change.MaskUnit change) {
        return step("apply_mask", unit(change.unit()));
    }

    @Override
    public Script removeUnit(Change.RemoveUnit change) {
        return step("undo_unit", unit(change.unit()));
    }

    @Override
    public Script removeFile(Change.RemoveFile change) {
        if (!change.path().matches("(/[A-Za-z0-9_@+-][A-Za-z0-9_@.+-]*){3,}")) {
            throw new IllegalArgumentException("path \"" + change.path() + "\" is not one that PromGuard writes");
        }
        return step("undo_file", change.path());
    }

    @Override
    public Script replaceHostKey(Change.ReplaceHostKey change) {
        return step("apply_host_key", Integer.toString(number));
    }

    @Override
    public Script remember(Change.Remember change) {
        return step("apply_manifest", change.mesh());
    }

    @Override
    public Script takeOff(Change.TakeOff change) {
        return step("undo_" + change.part().name().toLowerCase(Locale.ROOT));
    }

    private static String unit(String name) {
        if (!UNIT.matcher(name).matches()) {
            throw new IllegalArgumentException("unit \"" + name + "\" is not a systemd unit's name");
        }
        return name;
    }
}
