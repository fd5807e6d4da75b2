package dev.promguard.spi;

import dev.promguard.InvalidSettingException;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A TCP port that is tried from a host.
 *
 * @param address an IPv4 or IPv6 address, without brackets
 * @param port the port, 1 to 65535
 * @param page the path of a page to be fetched from there over HTTP; empty to connect only, and send nothing
 */
public record Probe(String address, int port, Optional<String> page) {
    private static final Pattern ADDRESS =
            Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]{1,43}");
    private static final Pattern PAGE = Pattern.compile("/[A-Za-z0-9/_.-]{0,100}");

    /**
     * Checks the parts.
     *
     * @throws InvalidSettingException if the address is none, the port is out of range, or the path holds more than letters,
     *     digits, dots, dashes, underscores and slashes
     */
    public Probe {
        Objects.requireNonNull(page, "page");
        if (!ADDRESS.matcher(address).matches()) {
            throw new InvalidSettingException("port: \"" + address + "\" is not an address");
        }
        if (port < 1 || port > 65535) {
            throw new InvalidSettingException("port: port " + port + " is not between 1 and 65535");
        }
        page.filter(path -> !isPage(path)).ifPresent(path -> {
            throw new InvalidSettingException("port: \"" + path + "\" is not the path of a page");
        });
    }

    /**
     * A port to probe.
     *
     * @param address an IPv4 or IPv6 address, without brackets
     * @param port the port
     */
    public Probe(String address, int port) {
        this(address, port, Optional.empty());
    }

    /**
     * Whether a path can be that of a page.
     *
     * @param path any text
     * @return true if it begins with a slash, and the rest is at most 100 letters, digits, dots, dashes, underscores and slashes
     */
    public static boolean isPage(String path) {
        return PAGE.matcher(path).matches();
    }

    /**
     * The port as people write it.
     *
     * @return such as {@code 10.0.0.2:9100} or {@code [fd00::2]:9100}
     */
    @Override
    public String toString() {
        return (address.indexOf(':') < 0 ? address : '[' + address + ']') + ':' + port;
    }
}
