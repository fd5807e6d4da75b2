package dev.promguard.blueprint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the pictures of a blueprint have in common. */
final class Regions {
    /** With more nodes than this, a line for each is no picture any more. */
    private static final int MOST_APART = 10;

    private Regions() {}

    /** Whether nodes are drawn by region, with one line for all tunnels of a monitor to a region. */
    static boolean isGrouped(Blueprint blueprint) {
        return blueprint.nodes().size() > MOST_APART;
    }

    /** The nodes by region, in the order in which the blueprint has them. */
    static Map<String, List<Blueprint.Host>> of(Blueprint blueprint) {
        return blueprint.nodes().stream()
                .collect(Collectors.groupingBy(host -> host.spec().region(), LinkedHashMap::new, Collectors.toList()));
    }

    /** The title of a region. */
    static String title(Map.Entry<String, List<Blueprint.Host>> region) {
        int nodes = region.getValue().size();
        return (region.getKey().isEmpty() ? "without a region" : region.getKey()) + " · "
                + Names.counted(nodes, "node");
    }

    /** What runs on a host: these, and the names of its jobs, as many as there is room for and how many more there are. */
    static String services(Blueprint.Host host, List<String> first, int most) {
        List<String> all = Stream.concat(
                        first.stream(),
                        host.spec().exposures().stream().map(Exposure::job).distinct())
                .toList();
        List<String> shown = new ArrayList<>();
        for (String service : all) {
            String more = all.size() == shown.size() + 1 ? "" : " +" + (all.size() - shown.size() - 1);
            int length = String.join(", ", shown).length() + (shown.isEmpty() ? 0 : 2) + service.length();
            if (length + more.length() > most) {
                break;
            }
            shown.add(service);
        }
        int left = all.size() - shown.size();
        if (shown.isEmpty() && left > 0) {
            return all.get(0).substring(0, Math.min(most - 6, all.get(0).length())) + "…"
                    + (left > 1 ? " +" + (left - 1) : "");
        }
        return String.join(", ", shown) + (left > 0 ? " +" + left : "");
    }
}
