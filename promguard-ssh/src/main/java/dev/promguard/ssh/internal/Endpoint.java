package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.schmizz.sshj.SSHClient;

/**
 * Where an SSH server is and who logs in.
 *
 * @param user the user's name
 * @param host an IPv4 address, an IPv6 address without brackets, or a host name
 * @param port the port, 1 to 65535
 */
public record Endpoint(String user, String host, int port) {
    static final Pattern TEXT = Pattern.compile(
            "(?:([^@]*)@)?(?:\\[([0-9A-Fa-f:.]+)\\]|([0-9A-Fa-f]*(?::[0-9A-Fa-f.]*){2,})|([^:@\\[\\]]+))(?::([0-9]{1,5}))?");
    private static final Pattern USER = Pattern.compile("[A-Za-z_][A-Za-z0-9_.-]{0,31}");
    private static final Pattern IPV4 = Pattern.compile("(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\\.(?!$)|$)){4}");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]{2,45}");
    private static final Pattern NAME = Pattern.compile("(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
            + "(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\\.?");
    private static final Pattern NUMBERS = Pattern.compile("[0-9.]+");

    /**
     * Reads {@code user@host:port}, of which the user and the port may be missing.
     *
     * @param text the text
     * @return the endpoint; the user is root and the port 22 where it does not say
     * @throws InvalidSettingException if it is malformed
     */
    public static Endpoint parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new InvalidSettingException(
                    "login " + Names.quote(text) + " is not one: use the form user@address or user@address:port");
        }
        String user = matcher.group(1) == null ? "root" : matcher.group(1);
        if (!USER.matcher(user).matches()) {
            throw new InvalidSettingException("user " + Names.quote(user) + " of login " + Names.quote(text)
                    + " cannot be a user's name: use letters, digits, dots, dashes and underscores");
        }
        int port = matcher.group(5) == null ? SSHClient.DEFAULT_PORT : Integer.parseInt(matcher.group(5));
        if (port < 1 || port > 65535) {
            throw new InvalidSettingException(
                    "port " + port + " of login " + Names.quote(text) + " is not one: use 1 to 65535");
        }
        String six = matcher.group(2) == null ? matcher.group(3) : matcher.group(2);
        String host = six == null ? matcher.group(4) : six;
        boolean good = six != null
                ? IPV6.matcher(six).matches() && Resolver.isLiteral(six)
                : NUMBERS.matcher(host).matches()
                        ? IPV4.matcher(host).matches()
                        : NAME.matcher(host).matches();
        if (!good) {
            throw new InvalidSettingException("address " + Names.quote(host) + " of login " + Names.quote(text)
                    + " is neither an IP address nor a host name: give one of the two");
        }
        return new Endpoint(user, host.toLowerCase(Locale.ROOT), port);
    }
}
