package dev.promguard.spi;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * An SSH server on the way to a host. It connects through to the host, and nothing is run, read or changed on it.
 *
 * @param name what messages call it
 * @param address its IPv4 address, its IPv6 address without brackets, or its name, as seen from where the connection to it is made:
 *     from here, or from the jump host before it
 * @param login how to log in to it; has no jump hosts of its own
 */
public record JumpHost(String name, String address, Login login) {
    /**
     * Checks the values.
     *
     * @throws NullPointerException if one is null
     * @throws InvalidSettingException if the name or the address cannot be shown, or the login has jump hosts
     */
    public JumpHost {
        Objects.requireNonNull(login, "login");
        if (!Names.isPrintable(name) || !Names.isPrintable(address)) {
            throw new InvalidSettingException("jump host " + Names.quote(name) + " at " + Names.quote(address)
                    + " cannot be shown: use printable characters");
        }
        if (!login.jumpHosts().isEmpty()) {
            throw new InvalidSettingException(
                    "jump host " + name + " has jump hosts of its own: list all of them with the host, in order");
        }
    }

    /**
     * Where it is.
     *
     * @return address and port, such as {@code 203.0.113.1:22} or {@code [2001:db8::1]:22}
     */
    public String endpoint() {
        return (address.indexOf(':') < 0 ? address : '[' + address + ']') + ':' + login.port();
    }

    /**
     * What messages call it.
     *
     * @return such as {@code jump host bastion (203.0.113.1:22)}
     */
    public String title() {
        return "jump host " + name + " (" + endpoint() + ')';
    }

    /**
     * What tells the jump hosts of a chain from all others. An address behind a jump host is another machine than the same address
     * elsewhere.
     *
     * @param chain jump hosts, in the order in which they are passed
     * @return for each the endpoints on the way to it, and its own, with slashes in between
     */
    public static List<String> paths(List<JumpHost> chain) {
        List<String> paths = new ArrayList<>();
        chain.forEach(hop -> paths.add((paths.isEmpty() ? "" : paths.get(paths.size() - 1) + '/') + hop.endpoint()));
        return List.copyOf(paths);
    }
}
