package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.examples.localcloud.ExecResult;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.Outsider;
import java.util.List;

/**
 * A machine that takes the place of a droplet's default gateway on the link, answers there for hosts of the mesh on port 9100 with forged
 * metrics, and counts the packets for the mesh's network that reach it.
 */
final class ForgedGateway implements AutoCloseable {
    private static final String COUNTER = "PREROUTING -d 10.0.0.0/24";
    private static final String ANSWER = "while read -r line; do case $line in ?) break ;; esac; done;"
            + " printf \"HTTP/1.0 200 OK\\r\\nContent-Type: text/plain; version=0.0.4\\r\\n\\r\\nforged_metric 1\\n\"";

    private final Outsider outsider;
    private final List<String> addresses;
    private final String server;

    ForgedGateway(Outsider outsider, List<String> addresses) {
        this.outsider = outsider;
        this.addresses = List.copyOf(addresses);
        addresses.forEach(address -> run("ip address add " + address + "/32 dev lo"));
        run("iptables -w -t raw -A " + COUNTER);
        server = run("systemd-socket-activate -l 9100 --inetd -a sh -c '" + ANSWER + "' >/dev/null 2>&1 & echo $!");
    }

    /** From now on what a droplet sends by its default route comes here. */
    void takeThePlaceOfTheGateway(LocalDroplet of) {
        Clouds.run(of, "ip route replace default via " + outsider.address());
    }

    /** How many packets for the mesh's network have come here since the last call. */
    long packets() {
        return Long.parseLong(run(
                "iptables -w -t raw -nvxZ -L PREROUTING | awk '$8 == \"10.0.0.0/24\" { count = $1 } $7 == \"10.0.0.0/24\""
                        + " { count = $1 } END { print count + 0 }'"));
    }

    private String run(String script) {
        ExecResult result = outsider.exec("sh", "-c", script);
        assertThat(result.ok()).as("%s: %s", script, result.stderr()).isTrue();
        return result.stdout().strip();
    }

    @Override
    public void close() {
        run("kill " + server);
        run("iptables -w -t raw -D " + COUNTER);
        addresses.forEach(address -> run("ip address delete " + address + "/32 dev lo"));
    }
}
