package dev.promguard.ssh.internal;

import dev.promguard.host.FactsQuery;
import dev.promguard.host.ReleaseInstall;
import dev.promguard.host.Releases;
import dev.promguard.keys.HostKeyFingerprint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The script that reads a host's facts in one pass. */
final class FactsScript {
    private static final Pattern PACKAGE = Pattern.compile("[a-z0-9][a-z0-9+.-]{0,100}");
    private static final Pattern USER = Pattern.compile("[a-z_][a-z0-9_-]{0,30}");
    private static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9_@.+-]+)+");
    private static final Pattern SUM = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern UNIT = Pattern.compile("[A-Za-z0-9_@:.-]{1,200}\\.[a-z]{4,10}");
    private static final Pattern INTERFACE = Pattern.compile("[A-Za-z0-9_.-]{1,15}");

    /** The unit of ufw, whose state is always read too. */
    static final String UFW_UNIT = "ufw.service";

    private FactsScript() {}

    /**
     * Writes the script.
     *
     * @param bootTimeout how long to wait for the first boot; zero does without
     * @param others whether a rollback that is armed is that of another session
     * @param shown the host key of this connection, where one from before a rollback that changed the key is not to be used
     * @throws IllegalArgumentException if the query names something that cannot exist
     */
    static Script of(
            String nonce, FactsQuery query, Duration bootTimeout, boolean others, Optional<HostKeyFingerprint> shown) {
        require(PACKAGE, query.packages(), "package");
        require(USER, query.users(), "user");
        require(PATH, query.files(), "path");
        require(UNIT, query.units(), "unit");
        if (!query.wireGuardInterface().isEmpty()) {
            require(PATH, List.of(query.keyPath()), "path");
            require(INTERFACE, List.of(query.wireGuardInterface()), "interface");
        }
        Script script = Script.begin(nonce);
        if (!bootTimeout.isZero()) {
            script.shell("first_boot " + Math.max(1, bootTimeout.toSeconds()) + " || { say end; return; }");
        }
        if (others) {
            script.shell("facts_rollback || [ $? -ne 2 ] || { say busy; say end; return; }");
        }
        if (shown.isPresent()) {
            script.call("facts_outdated_key", shown.get().text());
            script.shell("[ $? -ne 0 ] || { say busy; say end; return; }");
        }
        script.call("facts_system");
        script.call("facts_clock");
        if (!query.packages().isEmpty()) {
            script.call("facts_packages", query.packages());
        }
        if (!query.users().isEmpty()) {
            script.call("facts_users", query.users());
        }
        if (!query.files().isEmpty()) {
            script.call("facts_files", query.files());
        }
        if (!query.expected().isEmpty()) {
            script.call("facts_contents", expected(query));
        }
        script.call("facts_units", units(query));
        script.call("facts_pending");
        script.call("facts_managed");
        for (ReleaseInstall install : query.releases()) {
            List<String> arguments = new ArrayList<>();
            arguments.add(Releases.key(install));
            arguments.addAll(install.binaries());
            script.call("facts_release", arguments);
        }
        if (!query.wireGuardInterface().isEmpty()) {
            script.call("facts_wireguard", query.wireGuardInterface(), query.keyPath());
        }
        script.call("facts_addresses", query.wireGuardInterface());
        script.call("facts_firewall");
        script.call("facts_manifest");
        script.call("facts_listening");
        query.resources().forEach(call -> script.call(call.facts().function(), call.arguments()));
        return script.end();
    }

    /** The files whose contents may be sent, each behind the sum that makes that needless. */
    private static List<String> expected(FactsQuery query) {
        List<String> words = new ArrayList<>();
        new TreeMap<>(query.expected()).forEach((path, sum) -> {
            words.add(sum);
            words.add(path);
        });
        require(SUM, query.expected().values(), "sum");
        return words;
    }

    /** The units in the order in which they are asked for. */
    static List<String> units(FactsQuery query) {
        List<String> units = new ArrayList<>(query.units());
        units.add(UFW_UNIT);
        return units;
    }

    private static void require(Pattern pattern, Collection<String> values, String what) {
        for (String value : values) {
            if (!pattern.matcher(value).matches()) {
                throw new IllegalArgumentException(
                        what + " \"" + value.replaceAll("\\p{Cntrl}", "?") + "\" is not one that a host can have");
            }
        }
    }
}
