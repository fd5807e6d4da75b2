package dev.promguard.digitalocean;

import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Deadline;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The VPC networks to put droplets in, and the region of each. Thread-safe. */
final class Vpcs {
    private final Api api;
    private final List<String> vpcs;
    private final Map<String, String> regions = new ConcurrentHashMap<>();

    Vpcs(Api api, List<String> vpcs) {
        this.api = api;
        this.vpcs = List.copyOf(vpcs);
    }

    /** The VPC for droplets of a region; empty if none of these is there. */
    Optional<String> in(String region) {
        return vpcs.stream().filter(vpc -> region.equals(regionOf(vpc))).findFirst();
    }

    /** Adds what is wrong with them. */
    void check(List<String> problems) {
        Map<String, String> taken = new HashMap<>();
        for (String vpc : vpcs) {
            String region = regionOf(vpc);
            if (region == null) {
                problems.add("vpc " + Names.quote(vpc)
                        + " is no VPC of the account: take an id from the control panel, Networking, VPC");
            } else if (taken.putIfAbsent(region, vpc) != null) {
                problems.add("vpc " + Names.quote(vpc) + " is in " + region + ", as " + taken.get(region)
                        + " is: give one for each region");
            }
        }
    }

    /** Where a VPC is; null if there is no such VPC. A VPC never moves. */
    private @Nullable String regionOf(String vpc) {
        String known = regions.get(vpc);
        if (known != null) {
            return known;
        }
        Answers.VpcAnswer answer = api.http().find("/v2/vpcs/" + vpc, Answers.VpcAnswer.class, Deadline.never());
        if (answer == null) {
            return null;
        }
        if (answer.vpc() == null
                || answer.vpc().region() == null
                || !Names.isWord(answer.vpc().region())) {
            throw Api.incomplete("/v2/vpcs/" + vpc);
        }
        regions.put(vpc, answer.vpc().region());
        return answer.vpc().region();
    }
}
