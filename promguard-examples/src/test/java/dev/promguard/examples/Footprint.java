package dev.promguard.examples;

import dev.promguard.examples.localcloud.LocalDroplet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;

/** What is touched on hosts from a moment on, as their kernels and systemd tell it: every file, every link, every service. */
final class Footprint {
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    /** Where running programs write by themselves. */
    private static final List<String> LIVELY = List.of("/var/lib/prometheus", "/var/log", "/var/tmp", "/tmp");

    /** Comes when somebody asks systemd whether the clock is synchronized, and goes when nobody does any more. */
    private static final String ON_DEMAND = "systemd-timedated.service";

    private final Map<String, Map<String, String>> services = new LinkedHashMap<>();
    private final String stamp = "/run/footprint-" + NUMBERS.incrementAndGet();

    /** Begins now. */
    Footprint(List<LocalDroplet> hosts) {
        for (LocalDroplet host : hosts) {
            services.put(host.name(), services(host, "touch " + stamp + "; "));
        }
    }

    /** The files and links that were written, renamed, or given another mode or owner; folders are passed over. */
    Set<String> files(LocalDroplet host) {
        String prune = String.join(" -o -path ", LIVELY);
        String found = Clouds.run(
                host, "find / -xdev \\( -path " + prune + " \\) -prune -o ! -type d -cnewer " + stamp + " -print");
        return new TreeSet<>(found.lines().toList());
    }

    /** The services that run, or ran, and did not start when they had. */
    Set<String> services(LocalDroplet host) {
        Map<String, String> before = Objects.requireNonNull(services.get(host.name()), host.name());
        Map<String, String> now = services(host, "");
        Set<String> all = new TreeSet<>(before.keySet());
        all.addAll(now.keySet());
        all.removeIf(name -> Objects.equals(before.get(name), now.get(name)));
        return all;
    }

    /** When each active service became so, and as which process. */
    private static Map<String, String> services(LocalDroplet host, String first) {
        String shown = Clouds.run(
                host, first + "systemctl show -p Id,ActiveState,ActiveEnterTimestampMonotonic,MainPID '*.service'");
        Map<String, String> services = new TreeMap<>();
        for (String block : shown.split("\n\n", -1)) {
            Map<String, String> properties = new TreeMap<>();
            block.lines().forEach(line -> {
                int equals = line.indexOf('=');
                properties.put(line.substring(0, equals), line.substring(equals + 1));
            });
            if ("active".equals(properties.get("ActiveState")) && !ON_DEMAND.equals(properties.get("Id"))) {
                services.put(
                        String.valueOf(properties.get("Id")),
                        properties.get("ActiveEnterTimestampMonotonic") + " " + properties.get("MainPID"));
            }
        }
        return services;
    }
}
