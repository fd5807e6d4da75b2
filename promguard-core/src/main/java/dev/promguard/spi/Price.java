package dev.promguard.spi;

import java.math.BigDecimal;
import java.util.Objects;

/**
 * What a host costs, in US dollars.
 *
 * @param monthly the price of a month
 * @param hourly the price of an hour
 */
public record Price(BigDecimal monthly, BigDecimal hourly) {
    /** Nothing. */
    public static final Price ZERO = new Price(BigDecimal.ZERO, BigDecimal.ZERO);

    /**
     * Checks that both are there.
     *
     * @throws NullPointerException if one is null
     */
    public Price {
        Objects.requireNonNull(monthly, "monthly");
        Objects.requireNonNull(hourly, "hourly");
    }

    /**
     * The sum of two prices.
     *
     * @param other what to add
     * @return the sum
     */
    public Price plus(Price other) {
        return new Price(monthly.add(other.monthly), hourly.add(other.hourly));
    }

    /**
     * The difference of two prices.
     *
     * @param other what to take away
     * @return the difference; negative where {@code other} is the higher one
     */
    public Price minus(Price other) {
        return new Price(monthly.subtract(other.monthly), hourly.subtract(other.hourly));
    }
}
