package dev.promguard.blueprint;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The SHA-256 of a spec, from each value that it has. Values of which no order is defined are sorted. */
final class SpecHash {
    private static final String PREFIX = "sha256:";
    /** A spec without these has the hash that it had before there were any. */
    private static final Set<String> LATER = Set.of("viewers", "loginKeys");

    private SpecHash() {}

    static String of(MeshSpec spec) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(text(spec).getBytes(StandardCharsets.UTF_8));
            return PREFIX + HexFormat.of().formatHex(sum);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** A value as a text that no other value has. */
    private static String text(Object value) {
        if (value instanceof Record part) {
            return text(part);
        } else if (value instanceof Optional<?> optional) {
            return optional.map(SpecHash::text).orElse("none");
        } else if (value instanceof OptionalInt optional) {
            return optional.isPresent() ? text(optional.getAsInt()) : "none";
        } else if (value instanceof Map<?, ?> map) {
            Map<String, String> sorted = new TreeMap<>();
            map.forEach((key, each) -> sorted.put(text(key), text(each)));
            return text(sorted.entrySet().stream()
                    .map(entry -> entry.getKey() + '=' + entry.getValue())
                    .toList());
        } else if (value instanceof Set<?> set) {
            Set<String> sorted = new TreeSet<>();
            set.forEach(each -> sorted.add(text(each)));
            return text(sorted.stream().toList());
        } else if (value instanceof Collection<?> list) {
            StringBuilder text = new StringBuilder("[");
            list.forEach(each -> text.append(text(each)).append(','));
            return text.append(']').toString();
        } else if (value instanceof Enum<?> constant) {
            return constant.name();
        } else if (value instanceof String || value instanceof URI) {
            return value.toString().length() + "\"" + value + '"';
        } else if (value instanceof Integer
                || value instanceof Boolean
                || value instanceof Duration
                || value instanceof Instant) {
            return value.toString();
        }
        throw new IllegalStateException("a spec has no " + value.getClass());
    }

    private static String text(Record part) {
        StringBuilder text = new StringBuilder(part.getClass().getSimpleName()).append('{');
        for (RecordComponent component : part.getClass().getRecordComponents()) {
            try {
                Object value = component.getAccessor().invoke(part);
                if (!LATER.contains(component.getName()) || !List.of().equals(value)) {
                    text.append(component.getName())
                            .append('=')
                            .append(text(value))
                            .append(';');
                }
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalStateException(component + " cannot be read", e);
            }
        }
        return text.append('}').toString();
    }
}
