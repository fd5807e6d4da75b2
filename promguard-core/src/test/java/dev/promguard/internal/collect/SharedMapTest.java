package dev.promguard.internal.collect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SharedMapTest {
    private static Set<String> differences(Map<String, Integer> one, Map<String, Integer> other) {
        Set<String> keys = new TreeSet<>(one.keySet());
        keys.addAll(other.keySet());
        keys.removeIf(key -> Objects.equals(one.get(key), other.get(key)));
        return keys;
    }

    @Test
    void map_randomChanges_isAtEachTimeWhatATreeMapIs() {
        Random random = new Random(7);
        TreeMap<String, Integer> expected = new TreeMap<>();
        SharedMap<Integer> map = new SharedMap<>();
        List<TreeMap<String, Integer>> earlier = new ArrayList<>();
        List<SharedMap<Integer>> versions = new ArrayList<>();
        for (int change = 0; change < 3_000; change++) {
            // "Aa" and "BB" have the same hash.
            String key = (random.nextBoolean() ? "Aa" : "BB") + random.nextInt(120);
            if (random.nextInt(3) == 0) {
                expected.remove(key);
                map = map.without(key);
            } else {
                int value = random.nextInt(3);
                expected.put(key, value);
                map = map.with(key, value);
            }
            assertThat(map.get(key)).isEqualTo(expected.get(key));
            if (change % 100 == 0) {
                earlier.add(new TreeMap<>(expected));
                versions.add(map);
            }
        }
        for (int version = 0; version < versions.size(); version++) {
            SharedMap<Integer> then = versions.get(version);
            TreeMap<String, Integer> told = earlier.get(version);
            assertThat(new ArrayList<>(then.entrySet())).isEqualTo(new ArrayList<>(told.entrySet()));
            assertThat(then).hasSameSizeAs(told).isEqualTo(told);
            assertThat(told).isEqualTo(then).hasSameHashCodeAs(then);
            assertThat(then.differences(map)).isEqualTo(differences(told, expected));
            assertThat(map.differences(then)).isEqualTo(differences(told, expected));
            assertThat(then.equals(map)).isEqualTo(told.equals(expected));
        }
    }

    @Test
    void equals_sameEntriesInAnotherOrder_isTrue() {
        SharedMap<Integer> forth = new SharedMap<>();
        SharedMap<Integer> back = new SharedMap<>();
        for (int i = 0; i < 200; i++) {
            forth = forth.with("key-" + i, i);
            back = back.with("key-" + (199 - i), 199 - i).with("other-" + i, i);
        }
        for (int i = 0; i < 200; i++) {
            back = back.without("other-" + i);
        }

        assertThat(forth).isEqualTo(back).hasSameHashCodeAs(back);
        assertThat(forth.differences(back)).isEmpty();
        assertThat(forth.with("key-7", 8)).isNotEqualTo(back);
    }

    @Test
    void with_whatIsThere_isTheSameMap() {
        SharedMap<String> map = new SharedMap<String>().with("a", "1");

        assertThat(map.with("a", "1")).isSameAs(map);
        assertThat(map.without("b")).isSameAs(map);
    }

    @Test
    void map_everyChangeByOthers_isRefused() {
        SharedMap<String> map = new SharedMap<String>().with("a", "1");

        assertThatThrownBy(() -> map.put("b", "2")).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> map.remove("a")).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> map.entrySet().iterator().next().setValue("2"))
                .isInstanceOf(UnsupportedOperationException.class);
        assertThat(map.get(null)).isNull();
        assertThat(map.containsKey(null)).isFalse();
    }
}
