package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.host.FactsByResource;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostFacts.FileFact;
import dev.promguard.host.HostFacts.ManifestFact;
import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.host.HostFacts.PresharedKeyFact;
import dev.promguard.host.HostFacts.ReleaseFact;
import dev.promguard.host.HostFacts.SocketFact;
import dev.promguard.host.HostFacts.UnitFact;
import dev.promguard.host.HostFacts.WireGuardFact;
import dev.promguard.host.MalformedFactsException;
import dev.promguard.host.Releases;
import dev.promguard.host.Units;
import dev.promguard.host.Units.UnitAction;
import dev.promguard.keys.PublicKey;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Parses the output of the facts script. It is strict: an unknown line, a malformed field or a missing end is an error, because
 * such a host cannot be trusted. The class is long because it parses every fact that no resource defines itself. Not thread-safe.
 */
final class FactsParser {
    /** A line that makes no sense. */
    static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException(String message) {
            super(message);
        }

        MalformedException(MalformedFactsException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /**
     * The first boot is not over, or ended in an error.
     *
     * @param late whether it is not over
     * @param detail what cloud-init said, or an empty text
     */
    record BootProblem(boolean late, String detail) {}

    private static final Pattern MACHINE = Pattern.compile("[A-Za-z0-9_.-]{1,32}");
    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9._+~-]{0,64}");
    private static final Pattern SUM = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/]*={0,2}");
    /** A monitor of 5,000 peers needs some 25,000. */
    static final int MOST_LINES = 100_000;

    private static final int LONGEST_CONTENT = (FileFact.LARGEST_CONTENT + 2) / 3 * 4;
    private static final Pattern NETWORK = Pattern.compile("[0-9a-fA-F.:]{2,45}(/[0-9]{1,3})?");
    private static final Pattern ENDPOINT = Pattern.compile("[0-9a-zA-Z.:%\\[\\]-]{3,80}");

    /** An interface's name may hold any character but a slash and a space. */
    private static final Pattern SOCKET = Pattern.compile(
            "(tcp|udp)\t((?:\\*|[0-9a-fA-F.:]{1,45}|\\[[0-9a-fA-F.:]{1,45}])(?:%[\\x21-\\x7e]{1,15})?):([0-9]{1,5})");

    /** The paths that PromGuard manages and may remove. */
    private static final Pattern MANAGED =
            Pattern.compile("/etc/systemd/system/[A-Za-z0-9_@:][A-Za-z0-9_@:.-]*\\.(service|socket)"
                    + "|/etc/prometheus/([A-Za-z0-9_-]+/)?[A-Za-z0-9_][A-Za-z0-9_.-]*\\.yml"
                    + "|/etc/promguard/[A-Za-z0-9_-]+/[A-Za-z0-9_][A-Za-z0-9_.-]*"
                    + "|/opt/promguard/[A-Za-z0-9_][A-Za-z0-9_.+-]*");

    private final FactsQuery query;
    private final Map<String, String> packages = new HashMap<>();
    private final Set<String> users = new HashSet<>();
    private final Map<String, String[]> stats = new LinkedHashMap<>();
    private final Map<String, String> sums = new HashMap<>();
    private final Map<String, StringBuilder> contents = new HashMap<>();
    private final List<Map<String, String>> units = new ArrayList<>();
    private final Map<String, List<String>> dropIns = new HashMap<>();
    private final Map<String, ReleaseFact> releases = new HashMap<>();
    private final Map<String, Map<PublicKey, String>> peers = new HashMap<>();
    private final Map<String, UnitAction> pending = new HashMap<>();
    private final List<String> wireGuardAddresses = new ArrayList<>();
    private final Set<String> antiSpoofing = new HashSet<>();
    private boolean rollbackPending;
    private final FactsByResource.Collector resources;
    private final List<String> addresses = new ArrayList<>();
    private final Set<String> things = new HashSet<>();
    private final List<SocketFact> sockets = new ArrayList<>();
    private @Nullable String manifest;
    private final List<String> managed = new ArrayList<>();
    private final FirewallParser firewall = new FirewallParser();
    private String @Nullable [] system;
    private @Nullable String wireGuardKey;
    private int listenPort;
    private int lines;
    private @Nullable Boolean clock;
    private @Nullable PublicKey keyFile;
    private boolean keyFileSafe;
    private @Nullable BootProblem bootProblem;
    private boolean unitEnded = true;
    private boolean busy;
    private boolean ended;

    FactsParser(FactsQuery query) {
        this.query = query;
        this.resources = new FactsByResource.Collector(query);
    }

    /** Takes one line without the nonce. */
    void line(String line) throws MalformedException {
        if (ended) {
            throw new MalformedException("something follows the end");
        }
        if (++lines > MOST_LINES) {
            throw new MalformedException("more than " + MOST_LINES + " lines");
        }
        int tab = line.indexOf('\t');
        String key = tab < 0 ? line : line.substring(0, tab);
        String rest = tab < 0 ? "" : line.substring(tab + 1);
        switch (key) {
            case "boot" -> {
                String[] fields = fields(key, rest, 2);
                bootProblem = new BootProblem("late".equals(fields[0]), fields[1]);
            }
            case "system" -> system(fields(key, rest, 4));
            case "package" -> {
                String[] fields = fields(key, rest, 3);
                if (fields[1].equals("installed")) {
                    packages.put(asked(query.packages(), fields[0], key), fields[2]);
                }
            }
            case "user" -> users.add(asked(query.users(), rest, key));
            case "file" -> {
                String[] fields = fields(key, rest, 4);
                stats.put(asked(query.files(), fields[3], key), fields);
            }
            case "sum" -> {
                String[] words = rest.split(" [ *]", 2);
                if (words.length != 2 || !SUM.matcher(words[0]).matches()) {
                    throw new MalformedException("sum of a file: " + shown(rest));
                }
                sums.put(asked(query.files(), words[1], key), words[0]);
            }
            case "content" -> content(fields(key, rest, 2));
            case "clock" -> {
                if (!rest.isEmpty()) {
                    clock = rest.equals("yes");
                }
            }
            case "unit" -> unit(rest);
            case "dropins" -> {
                String[] fields = fields(key, rest, 2);
                String unit = asked(FactsScript.units(query), fields[0], key);
                dropIns.computeIfAbsent(unit, none -> new ArrayList<>())
                        .add(asked(Units.dropInFolders(unit), fields[1], key));
            }
            case "pending" -> pending(fields(key, rest, 2));
            case "managed" -> {
                if (!MANAGED.matcher(rest).matches()) {
                    throw new MalformedException("what PromGuard is to have put there: " + shown(rest));
                }
                managed.add(rest);
            }
            case "release" -> release(fields(key, rest, 3));
            case "wg" -> {
                String[] fields = fields(key, rest, 2);
                wireGuardKey = fields[0];
                listenPort = (int) number(fields[1], 0xffff);
            }
            case "peer-endpoints",
                    "peer-allowed-ips",
                    "peer-latest-handshakes",
                    "peer-transfer",
                    "peer-preshared-key" -> {
                String[] fields = fields(key, rest, 2);
                peers.computeIfAbsent(key, none -> new LinkedHashMap<>()).put(publicKey(fields[0]), fields[1]);
            }
            case "key" -> keyFile = publicKey(rest);
            case "keyfile" -> {
                String[] fields = fields(key, rest, 3);
                keyFileSafe = fields[0].equals("600") && fields[1].equals("0:0") && fields[2].startsWith("regular ");
            }
            case "address" -> addresses.add(network(rest));
            case "wg-address" -> wireGuardAddresses.add(network(rest));
            case "anti-spoofing" -> antiSpoofing.add(network(rest));
            case "rollback-pending" -> rollbackPending = true;
            case "fact" -> fact(rest);
            case "manifest" -> {
                if (!Names.isMesh(rest)) {
                    throw new MalformedException("a mesh's name: " + shown(rest));
                }
                manifest = rest;
            }
            case "thing" -> things.add(rest);
            case "socket" -> socket(rest);
            case "busy" -> busy = true;
            case "end" -> ended = true;
            default -> {
                if (!firewall.line(key, rest)) {
                    throw new MalformedException("a line of an unknown kind: " + shown(key));
                }
            }
        }
    }

    /** What stopped the script before it read more, if anything did. */
    Optional<BootProblem> bootProblem() {
        return Optional.ofNullable(bootProblem);
    }

    /** Whether a run was at work when this connection was made, so that nothing was read. */
    boolean busy() {
        return busy;
    }

    /** Whether the end was seen. */
    boolean ended() {
        return ended;
    }

    /** All facts, once the end was seen. */
    HostFacts facts() throws MalformedException {
        String[] described = system;
        if (!ended || described == null) {
            throw new MalformedException("the end is missing");
        }
        long now = number(described[1], Long.MAX_VALUE);
        List<String> askedUnits = FactsScript.units(query);
        if (units.size() != askedUnits.size()) {
            throw new MalformedException(units.size() + " units instead of " + askedUnits.size()
                    + ": systemd does not run here, or did not answer");
        }
        Map<String, UnitFact> unitFacts = new HashMap<>();
        boolean ufwAtBoot = false;
        for (int i = 0; i < units.size(); i++) {
            Map<String, String> unit = units.get(i);
            String enabled = unit.getOrDefault("UnitFileState", "");
            if (i == units.size() - 1) {
                ufwAtBoot = enabled.equals("enabled");
            }
            if (i < query.units().size()
                    && !unit.getOrDefault("LoadState", "not-found").equals("not-found")) {
                unitFacts.put(
                        askedUnits.get(i),
                        new UnitFact(
                                unit.getOrDefault("ActiveState", ""),
                                enabled,
                                unit.getOrDefault("NeedDaemonReload", "no").equals("yes"),
                                unit.getOrDefault("ActiveEnterTimestamp", ""),
                                dropIns.getOrDefault(askedUnits.get(i), List.of())));
            }
        }
        Map<String, FileFact> files = new HashMap<>();
        for (Map.Entry<String, String[]> stat : stats.entrySet()) {
            files.put(
                    stat.getKey(),
                    new FileFact(
                            sums.getOrDefault(stat.getKey(), ""),
                            mode(stat.getValue()[0]),
                            stat.getValue()[1],
                            content(stat.getKey())));
        }
        return new HostFacts(
                described[2],
                described[3],
                described[0],
                packages,
                users,
                files,
                unitFacts,
                releases,
                wireGuard(now),
                byResource(),
                Optional.ofNullable(keyFile),
                keyFileSafe,
                firewall.fact(ufwAtBoot),
                pending,
                addresses,
                Optional.ofNullable(clock),
                Optional.ofNullable(manifest).map(mesh -> new ManifestFact(mesh, things)),
                sockets,
                managed,
                rollbackPending);
    }

    private void fact(String line) throws MalformedException {
        try {
            resources.line(line);
        } catch (MalformedFactsException e) {
            throw new MalformedException(e);
        }
    }

    private FactsByResource byResource() throws MalformedException {
        try {
            return resources.facts();
        } catch (MalformedFactsException e) {
            throw new MalformedException(e);
        }
    }

    private void socket(String line) throws MalformedException {
        Matcher matcher = SOCKET.matcher(line);
        if (!matcher.matches()) {
            throw new MalformedException("a socket: " + shown(line));
        }
        sockets.add(new SocketFact(matcher.group(1), matcher.group(2), (int) number(matcher.group(3), 0xffff)));
    }

    private void content(String[] fields) throws MalformedException {
        StringBuilder encoded = contents.computeIfAbsent(
                asked(query.expected().keySet(), fields[0], "content"), path -> new StringBuilder());
        encoded.append(fields[1]);
        if (encoded.length() > LONGEST_CONTENT || !BASE64.matcher(fields[1]).matches()) {
            throw new MalformedException("what is in a file: " + shown(fields[1]));
        }
    }

    /** What is in a file; empty if the host did not send it, or it was changed between its sum and its being sent. */
    private Optional<String> content(String path) throws MalformedException {
        StringBuilder encoded = contents.get(path);
        if (encoded == null) {
            return Optional.empty();
        }
        try {
            byte[] content = Base64.getDecoder().decode(encoded.toString());
            String sum = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(content));
            return sum.equals(sums.get(path))
                    ? Optional.of(new String(content, StandardCharsets.UTF_8))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            MalformedException malformed = new MalformedException("what is in " + path + " is not base64");
            malformed.initCause(e);
            throw malformed;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private void pending(String[] fields) throws MalformedException {
        for (UnitAction action : UnitAction.values()) {
            if (action.name().equals(fields[1])) {
                if (query.units().contains(fields[0])) {
                    pending.put(fields[0], action);
                }
                return;
            }
        }
        throw new MalformedException("an action pending on a unit: " + shown(fields[1]));
    }

    private void system(String[] fields) throws MalformedException {
        if (!MACHINE.matcher(fields[0]).matches()
                || !WORD.matcher(fields[2]).matches()
                || !WORD.matcher(fields[3]).matches()) {
            throw new MalformedException("the system's name: " + shown(String.join(" ", fields)));
        }
        number(fields[1], Long.MAX_VALUE / 2);
        system = fields;
    }

    private void unit(String line) throws MalformedException {
        if (line.isEmpty()) {
            unitEnded = true;
            return;
        }
        int equals = line.indexOf('=');
        if (equals < 1) {
            throw new MalformedException("a unit's property: " + shown(line));
        }
        if (unitEnded) {
            units.add(new HashMap<>());
            unitEnded = false;
        }
        units.get(units.size() - 1).put(line.substring(0, equals), line.substring(equals + 1));
    }

    private void release(String[] fields) throws MalformedException {
        List<String> names = query.releases().stream().map(Releases::key).toList();
        String sum = SUM.matcher(fields[2]).matches() ? fields[2] : "";
        releases.put(asked(names, fields[0], "release"), new ReleaseFact(sum, fields[1].equals("yes")));
    }

    private Optional<WireGuardFact> wireGuard(long now) throws MalformedException {
        String key = wireGuardKey;
        if (key == null) {
            return Optional.empty();
        }
        List<PeerFact> facts = new ArrayList<>();
        for (Map.Entry<PublicKey, String> peer : of("peer-allowed-ips").entrySet()) {
            String endpoint = of("peer-endpoints").getOrDefault(peer.getKey(), "(none)");
            long handshake = number(of("peer-latest-handshakes").getOrDefault(peer.getKey(), "0"), Long.MAX_VALUE / 2);
            String[] transfer =
                    of("peer-transfer").getOrDefault(peer.getKey(), "0\t0").split("\t", -1);
            if (transfer.length != 2
                    || (!endpoint.equals("(none)")
                            && !ENDPOINT.matcher(endpoint).matches())) {
                throw new MalformedException("a peer: " + shown(endpoint));
            }
            List<String> allowed = new ArrayList<>();
            if (!peer.getValue().equals("(none)")) {
                for (String address : peer.getValue().split(" ", -1)) {
                    allowed.add(network(address));
                }
            }
            facts.add(new PeerFact(
                    peer.getKey(),
                    endpoint.equals("(none)") ? Optional.empty() : Optional.of(endpoint),
                    allowed,
                    handshake == 0 ? Optional.empty() : Optional.of(Instant.ofEpochSecond(handshake)),
                    handshake == 0 ? Optional.empty() : Optional.of(Duration.ofSeconds(Math.max(0, now - handshake))),
                    number(transfer[0], Long.MAX_VALUE),
                    number(transfer[1], Long.MAX_VALUE),
                    presharedKey(of("peer-preshared-key").getOrDefault(peer.getKey(), ""))));
        }
        Optional<PublicKey> own = key.equals("(none)") ? Optional.empty() : Optional.of(publicKey(key));
        return Optional.of(new WireGuardFact(own, listenPort, wireGuardAddresses, hasAntiSpoofingRules(), facts));
    }

    /** Whether each of the interface's addresses is protected by an anti-spoofing rule. */
    private boolean hasAntiSpoofingRules() throws MalformedException {
        for (String address : wireGuardAddresses) {
            if (!antiSpoofing.contains(network(address.substring(0, address.indexOf('/'))))) {
                return false;
            }
        }
        return true;
    }

    private static PresharedKeyFact presharedKey(String verdict) throws MalformedException {
        return switch (verdict) {
            case "none" -> PresharedKeyFact.NONE;
            case "filed" -> PresharedKeyFact.AS_FILED;
            case "other" -> PresharedKeyFact.OTHER;
            default -> throw new MalformedException("a word about a preshared key: " + shown(verdict));
        };
    }

    private Map<PublicKey, String> of(String kind) {
        return peers.getOrDefault(kind, Map.of());
    }

    private static String[] fields(String key, String rest, int count) throws MalformedException {
        String[] fields = rest.split("\t", count);
        if (fields.length != count) {
            throw new MalformedException("a line with too few fields: " + shown(key));
        }
        return fields;
    }

    private static String asked(Collection<String> names, String name, String kind) throws MalformedException {
        if (!names.contains(name)) {
            throw new MalformedException("a " + kind + " that was not asked for: " + shown(name));
        }
        return name;
    }

    private static String network(String text) throws MalformedException {
        if (!NETWORK.matcher(text).matches()) {
            throw new MalformedException("an address: " + shown(text));
        }
        return text.contains("/") ? text : text + (text.contains(":") ? "/128" : "/32");
    }

    private static PublicKey publicKey(String text) throws MalformedException {
        try {
            return new PublicKey(text);
        } catch (InvalidSettingException e) {
            MalformedException malformed = new MalformedException("a public key: " + shown(text));
            malformed.initCause(e);
            throw malformed;
        }
    }

    private static int mode(String text) throws MalformedException {
        if (!text.matches("[0-7]{1,4}")) {
            throw new MalformedException("a file's mode: " + shown(text));
        }
        return Integer.parseInt(text, 8);
    }

    private static long number(String text, long most) throws MalformedException {
        if (!text.matches("[0-9]{1,18}") || Long.parseLong(text) > most) {
            throw new MalformedException("a number: " + shown(text));
        }
        return Long.parseLong(text);
    }

    static String shown(String text) {
        String cut = text.length() > 80 ? text.substring(0, 80) + "…" : text;
        return '"' + cut.replaceAll("[^\\x20-\\x7e…]", "?") + '"';
    }
}
