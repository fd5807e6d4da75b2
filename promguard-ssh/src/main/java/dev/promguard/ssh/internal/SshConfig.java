package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An SSH client's configuration, as {@code ~/.ssh/config}. Immutable. */
public final class SshConfig {
    private static final Pattern ALIAS = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.+-]{0,252}");

    private final Path home;
    private final List<SshSetting> settings;

    private SshConfig(Path home, List<SshSetting> settings) {
        this.home = home;
        this.settings = settings;
    }

    /**
     * Reads a file and what it includes.
     *
     * @param file the file
     * @param home the user's home folder, in whose {@code .ssh} included files are looked for, and which {@code ~} means
     * @return the configuration
     * @throws InvalidSettingException if a file cannot be read, is too large or malformed, or others may write to it; the message says
     *     which, and where
     */
    public static SshConfig read(Path file, Path home) {
        return new SshConfig(home, SshConfigReader.read(file, home));
    }

    /**
     * Looks a host up.
     *
     * @param login {@code user@alias:port}, of which the user and the port may be missing; an address may stand for the alias
     * @return where it is, and the settings for it. What the login says of user and port wins
     * @throws InvalidSettingException if the login or a value of the file is malformed, or a setting is not supported
     */
    public SshHost find(String login) {
        Matcher matcher = Endpoint.TEXT.matcher(login);
        if (!matcher.matches()) {
            throw new InvalidSettingException(
                    "login " + Names.quote(login) + " is not one: use the form user@alias or user@alias:port");
        }
        String six = matcher.group(2) == null ? matcher.group(3) : matcher.group(2);
        String alias = six == null ? matcher.group(4) : six;
        if (six == null && !ALIAS.matcher(alias).matches()) {
            throw new InvalidSettingException("alias " + Names.quote(alias) + " of login " + Names.quote(login)
                    + " cannot be one: use letters, digits, dots, dashes and underscores");
        }
        SshSettings found = SshSettings.of(settings, alias);
        String host = found.first("hostname")
                .map(setting -> checked(setting, "root@", hostName(setting, alias), ""))
                .orElse(alias);
        String user = matcher.group(1) != null
                ? matcher.group(1)
                : found.first("user")
                        .map(setting -> checked(setting, "", setting.word(), "@localhost"))
                        .orElse("root");
        String port = matcher.group(5) != null
                ? matcher.group(5)
                : found.first("port")
                        .map(setting -> checked(setting, "root@localhost:", setting.word(), ""))
                        .orElse("22");
        Endpoint endpoint = Endpoint.parse(user + '@' + (host.contains(":") ? '[' + host + ']' : host) + ':' + port);
        return new SshHost(alias, endpoint, found, home);
    }

    /** The value, once it is one that a login may have. */
    private static String checked(SshSetting setting, String before, String value, String after) {
        Endpoint endpoint;
        try {
            endpoint = Endpoint.parse(before + value + after);
        } catch (InvalidSettingException e) {
            throw e.in(setting.where() + setting.keyword() + ": ");
        }
        boolean alone = before.equals("root@")
                ? endpoint.host().equalsIgnoreCase(value) && endpoint.port() == 22
                : !after.isEmpty() || endpoint.host().equals("localhost");
        if (!alone) {
            throw setting.refused(setting.keyword() + ' ' + Names.quote(value) + " is no address: give that alone");
        }
        return value;
    }

    private static String hostName(SshSetting setting, String alias) {
        return SshHost.expanded(setting, setting.word(), token -> token == 'h' ? alias : null);
    }
}
