package dev.promguard.spi;

import java.util.List;
import java.util.Map;

/**
 * What a cloud says of an order beforehand.
 *
 * @param problems all problems, each naming the field, the value and the remedy; empty if nothing does
 * @param prices the price of each host whose price is known, by the host's name
 */
public record Preflight(List<String> problems, Map<String, Price> prices) {
    /** Copies both. */
    public Preflight {
        problems = List.copyOf(problems);
        prices = Map.copyOf(prices);
    }
}
