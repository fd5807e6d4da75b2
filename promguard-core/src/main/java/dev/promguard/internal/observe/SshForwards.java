package dev.promguard.internal.observe;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.spi.Login;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The way to Prometheus for somebody with an SSH client and without Java. */
public final class SshForwards {

    private SshForwards() {}

    /**
     * The command that forwards Prometheus' port from a machine with an SSH client, for each monitor that has an address.
     *
     * @param roster the hosts
     * @param addresses their public addresses by name, those of hosts that were just created included
     * @return such as {@code ssh -L 9090:127.0.0.1:9090 root@203.0.113.10}, in the order of the blueprint
     */
    public static List<String> commands(Roster roster, Map<String, String> addresses) {
        int prometheus = roster.blueprint().spec().prometheus().port();
        List<String> commands = new ArrayList<>();
        for (Blueprint.Host monitor : roster.blueprint().monitors()) {
            String address = addresses.get(monitor.name());
            if (address != null) {
                Optional<Login> login =
                        roster.inventory().map(inventory -> inventory.logins().get(monitor.name()));
                String hops = roster.jumpHosts(monitor.name()).stream()
                        .map(hop -> hop.login().user() + '@' + hop.endpoint())
                        .collect(Collectors.joining(","));
                int port = login.map(Login::port).orElse(Blueprint.SSH_PORT);
                commands.add("ssh -L " + prometheus + ":127.0.0.1:" + prometheus
                        + (hops.isEmpty() ? "" : " -J " + hops)
                        + (port == Blueprint.SSH_PORT ? "" : " -p " + port)
                        + ' ' + login.map(Login::user).orElse("root") + '@' + address);
            }
        }
        return List.copyOf(commands);
    }
}
