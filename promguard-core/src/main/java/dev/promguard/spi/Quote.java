package dev.promguard.spi;

import java.util.List;
import java.util.Map;

/**
 * What a cloud says of an order beforehand.
 *
 * @param faults everything that stands in the way, each naming the field, the value and the mend; empty if nothing does
 * @param prices the price of each host whose price is known, by the host's name
 */
public record Quote(List<String> faults, Map<String, Price> prices) {
    /** Copies both. */
    public Quote {
        faults = List.copyOf(faults);
        prices = Map.copyOf(prices);
    }
}
