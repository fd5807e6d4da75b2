package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A host that was looked up in an SSH client's configuration. Immutable. */
public final class SshHost {
    private static final Pattern JUMP_URI = Pattern.compile("ssh://([^/]*)/?", Pattern.CASE_INSENSITIVE);
    private static final Pattern VARIABLE = Pattern.compile("\\$([A-Za-z_][A-Za-z0-9_]*)");
    private static final int MAX_JUMPS = 16;

    private final String alias;
    private final Endpoint endpoint;
    private final SshSettings settings;
    private final Path home;

    SshHost(String alias, Endpoint endpoint, SshSettings settings, Path home) {
        this.alias = alias;
        this.endpoint = endpoint;
        this.settings = settings;
        this.home = home;
    }

    /**
     * Where it is.
     *
     * @return user, address and port
     */
    public Endpoint endpoint() {
        return endpoint;
    }

    /**
     * The jump hosts on the way, as {@code ProxyJump} names them. Only the first one's own jump hosts are passed before it.
     *
     * @return logins to be looked up, in order; empty if it is reached from here
     * @throws InvalidSettingException if it is reached by a command, or there are too many
     */
    public List<String> jumps() {
        if (settings.proxy().isEmpty()) {
            return List.of();
        }
        SshSetting proxy = settings.proxy().get();
        if (proxy.key().equals("proxycommand")) {
            throw proxy.refused("ProxyCommand is not supported: use ProxyJump, or say through(…) for " + alias);
        }
        List<String> jumps = new ArrayList<>();
        for (String jump : SshSettings.raw(proxy).split(",", -1)) {
            Matcher uri = JUMP_URI.matcher(jump);
            jumps.add(uri.matches() ? uri.group(1) : jump);
        }
        if (jumps.size() > MAX_JUMPS) {
            throw proxy.refused("ProxyJump names more than " + MAX_JUMPS + " hosts: use fewer");
        }
        return List.copyOf(jumps);
    }

    /**
     * Where it says how it is reached.
     *
     * @return file and line, as the start of a message; empty if it does not say
     */
    public String jumpsFrom() {
        return settings.proxy().map(SshSetting::where).orElse("");
    }

    /**
     * Whether it says what to log in with. Nothing is read.
     *
     * @return true if there is a setting for that
     */
    public boolean hasIdentity() {
        return !settings.certificateFiles().isEmpty()
                || settings.identityFiles().stream()
                        .anyMatch(setting -> !setting.word().equalsIgnoreCase("none"))
                || settings.first("pkcs11provider")
                        .filter(setting -> !setting.word().equalsIgnoreCase("none"))
                        .isPresent()
                || settings.first("identityagent")
                        .filter(setting -> !setting.word().equalsIgnoreCase("none"))
                        .isPresent();
    }

    /**
     * Reads what to log in with: the private keys that are there, and the agent, if {@code IdentityAgent} names one. Of that those keys
     * alone whose public keys {@code IdentityFile} names, if it names any.
     *
     * @param passphrase for keys that are encrypted; null if there is none
     * @param agentKey the one key of the agent to use; null for all
     * @param certificate the one certificate to use; null for those of the file
     * @param environment the environment's variables
     * @return identities, in the order in which to try them; empty if the configuration names none
     * @throws InvalidSettingException if one cannot be used, or none of those that are named is there
     */
    public List<IdentityFile.Read> identities(
            @Nullable Secret passphrase,
            @Nullable SshPublicKey agentKey,
            @Nullable SshPublicKey certificate,
            Map<String, String> environment) {
        settings.first("pkcs11provider").ifPresent(this::refuseToken);
        Optional<Path> agent = settings.first("identityagent").flatMap(setting -> agent(setting, environment));
        List<SshSetting> named = settings.identityFiles().stream()
                .filter(setting -> !setting.word().equalsIgnoreCase("none"))
                .toList();
        List<IdentityFile.Read> keys = new ArrayList<>();
        List<IdentityFile.Read> agentKeys = new ArrayList<>();
        List<Path> files = new ArrayList<>();
        boolean done = false;
        try {
            for (SshSetting setting : named) {
                Path file = path(setting, setting.word());
                Path publicFile = file.resolveSibling(file.getFileName() + ".pub");
                if (agent.isPresent() && file.toString().endsWith(".pub") && Files.exists(file)) {
                    agentKeys.add(IdentityFile.agent(agent.get(), publicKey(setting, file)));
                } else if (agent.isPresent() && !Files.exists(file) && Files.exists(publicFile)) {
                    agentKeys.add(IdentityFile.agent(agent.get(), publicKey(setting, publicFile)));
                } else if (Files.exists(file)) {
                    keys.add(read(setting, file, passphrase));
                    files.add(file);
                }
            }
            if (agent.isPresent() && agentKeys.isEmpty() && (keys.isEmpty() || !isIdentitiesOnly())) {
                agentKeys.add(IdentityFile.agent(agent.get(), agentKey));
            }
            if (!named.isEmpty() && keys.isEmpty() && agentKeys.isEmpty()) {
                throw named.get(0)
                        .refused("no IdentityFile for " + alias + " is there: give one with identity(…), or name a file"
                                + " that you have");
            }
            certify(keys, files, certificate);
            List<IdentityFile.Read> all = new ArrayList<>(keys);
            all.addAll(agentKeys);
            done = true;
            return all;
        } finally {
            if (!done) {
                keys.forEach(read -> read.identity().key().ifPresent(Secret::close));
            }
        }
    }

    private void refuseToken(SshSetting setting) {
        if (!setting.word().equalsIgnoreCase("none")) {
            throw setting.refused("PKCS11Provider is not supported: use IdentityAgent, or say agent(…) for " + alias);
        }
    }

    private boolean isIdentitiesOnly() {
        return settings.first("identitiesonly")
                .map(setting -> setting.word().toLowerCase(Locale.ROOT))
                .filter(word -> word.equals("yes") || word.equals("true"))
                .isPresent();
    }

    private static IdentityFile.Read read(SshSetting setting, Path file, @Nullable Secret passphrase) {
        try {
            IdentityFile.Read read = IdentityFile.read(file);
            return read.isLocked() ? read.with(passphrase) : read;
        } catch (InvalidSettingException e) {
            throw e.in(setting.where());
        }
    }

    private static SshPublicKey publicKey(SshSetting setting, Path file) {
        try {
            return SshPublicKey.parse(Files.readString(file));
        } catch (IOException | InvalidSettingException e) {
            throw new InvalidSettingException(
                    setting.where() + "public key " + Names.quote(file.toString())
                            + " cannot be read: name a .pub file that you may read",
                    e);
        }
    }

    /** Gives each certificate to the key that it is for: the only one, or the one beside whose file that public key lies. */
    private void certify(List<IdentityFile.Read> keys, List<Path> files, @Nullable SshPublicKey certificate) {
        if (certificate != null) {
            int key = keys.size() == 1 ? 0 : keyOf(certificate, files);
            if (key < 0) {
                throw new InvalidSettingException("no IdentityFile for " + alias
                        + " is known to be that of the certificate: give the key too, with identity(…)");
            }
            keys.set(key, keys.get(key).certified(certificate));
            return;
        }
        for (SshSetting setting : settings.certificateFiles()) {
            SshPublicKey line;
            Path file = path(setting, setting.word());
            try {
                line = IdentityFile.certificate(file);
            } catch (InvalidSettingException e) {
                throw e.in(setting.where());
            }
            int key = keys.size() == 1 ? 0 : keyOf(line, files);
            if (key < 0) {
                throw setting.refused("no IdentityFile for " + alias + " is known to be that of CertificateFile "
                        + Names.quote(file.toString()) + ": give both with identity(…) and certificate(…)");
            }
            keys.set(key, keys.get(key).certified(line));
        }
    }

    private static int keyOf(SshPublicKey certificate, List<Path> files) {
        Certificate parsed = Certificate.parse(certificate.line());
        for (int i = 0; i < files.size(); i++) {
            Path beside = files.get(i).resolveSibling(files.get(i).getFileName() + ".pub");
            try {
                if (Files.exists(beside)
                        && parsed.isFor(Base64.getDecoder()
                                .decode(SshPublicKey.parse(Files.readString(beside))
                                        .line()
                                        .split(" ", -1)[1]))) {
                    return i;
                }
            } catch (IOException e) {
                throw new InvalidSettingException(
                        "public key " + Names.quote(beside.toString())
                                + " cannot be read: name a file that you may read",
                        e);
            }
        }
        return -1;
    }

    private Optional<Path> agent(SshSetting setting, Map<String, String> environment) {
        String word = setting.word();
        if (word.equalsIgnoreCase("none")) {
            return Optional.empty();
        }
        Matcher variable = VARIABLE.matcher(word.equals("SSH_AUTH_SOCK") ? "$SSH_AUTH_SOCK" : word);
        String place = word;
        if (variable.matches()) {
            place = environment.getOrDefault(variable.group(1), "");
            if (place.isEmpty()) {
                throw setting.refused("IdentityAgent is the value of " + variable.group(1)
                        + ", which is not set: give the agent with agent(…)");
            }
        }
        Path socket = variable.matches() ? Path.of(place) : path(setting, place);
        try {
            IdentityFile.checkAgent(socket);
        } catch (InvalidSettingException e) {
            throw e.in(setting.where());
        }
        return Optional.of(socket);
    }

    private Path path(SshSetting setting, String value) {
        if (value.contains("${") || (value.startsWith("~") && !value.startsWith("~/"))) {
            throw setting.refused(setting.keyword() + ' ' + Names.quote(value) + " is not supported: give a path");
        }
        String place = expanded(setting, value, this::token);
        try {
            Path path = Path.of(place.startsWith("~/") ? home + place.substring(1) : place);
            if (path.getFileName() != null) {
                return path;
            }
        } catch (InvalidPathException e) {
            throw new InvalidSettingException(
                    setting.where() + setting.keyword() + ' ' + Names.quote(value) + " is no path: give one", e);
        }
        throw setting.refused(setting.keyword() + ' ' + Names.quote(value) + " is no file: give one");
    }

    private @Nullable String token(char token) {
        return switch (token) {
            case 'd' -> home.toString();
            case 'h' -> endpoint.host();
            case 'n' -> alias;
            case 'p' -> String.valueOf(endpoint.port());
            case 'r' -> endpoint.user();
            case 'u' -> System.getProperty("user.name");
            default -> null;
        };
    }

    /** The value with what its percent signs stand for. */
    static String expanded(SshSetting setting, String value, Function<Character, @Nullable String> tokens) {
        StringBuilder text = new StringBuilder();
        int at = 0;
        while (at < value.length()) {
            char c = value.charAt(at);
            at++;
            if (c != '%') {
                text.append(c);
                continue;
            }
            char token = at < value.length() ? value.charAt(at) : 0;
            at++;
            String meaning = token == '%' ? "%" : tokens.apply(token);
            if (meaning == null) {
                throw setting.refused(setting.keyword() + ' ' + Names.quote(value)
                        + " has a percent sign that is not supported: give the value itself");
            }
            text.append(meaning);
        }
        return text.toString();
    }
}
