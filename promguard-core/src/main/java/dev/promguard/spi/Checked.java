package dev.promguard.spi;

import dev.promguard.internal.collect.SharedMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** An immutable map that was checked, so that a changed copy of the state that has it need not check it again. */
final class Checked<V> extends SharedMap<V> {
    private Checked(SharedMap<V> map) {
        super(map);
    }

    static <V> Checked<V> of(Map<String, V> map, BiConsumer<String, V> check) {
        if (map instanceof Checked<V> known) {
            return known;
        }
        SharedMap<V> checked = new SharedMap<>();
        for (Map.Entry<String, V> entry : new TreeMap<>(Map.copyOf(map)).entrySet()) {
            check.accept(entry.getKey(), entry.getValue());
            checked = checked.with(entry.getKey(), entry.getValue());
        }
        return new Checked<>(checked);
    }
}
