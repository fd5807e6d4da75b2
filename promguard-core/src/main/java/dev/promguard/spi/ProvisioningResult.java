package dev.promguard.spi;

import java.util.List;
import java.util.Map;

/**
 * What came of waiting for hosts.
 *
 * @param ready the hosts that are active and have a public address
 * @param missing for the id of each other host, why it is not ready, and what to do
 */
public record ProvisioningResult(List<CloudHost> ready, Map<String, String> missing) {
    /** Copies both. */
    public ProvisioningResult {
        ready = List.copyOf(ready);
        missing = Map.copyOf(missing);
    }
}
