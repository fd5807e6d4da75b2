package dev.promguard.spi;

import java.util.AbstractSet;
import java.util.Collections;
import java.util.Iterator;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Names of hosts that were checked, immutable and in order. */
final class CheckedNames extends AbstractSet<String> {
    private final Set<String> names;

    private CheckedNames(Set<String> names) {
        this.names = Collections.unmodifiableSet(new TreeSet<>(Set.copyOf(names)));
        this.names.forEach(MeshState::requireHostName);
    }

    static CheckedNames of(Set<String> names) {
        return names instanceof CheckedNames known ? known : new CheckedNames(names);
    }

    @Override
    public boolean contains(@Nullable Object name) {
        return name != null && names.contains(name);
    }

    @Override
    public Iterator<String> iterator() {
        return names.iterator();
    }

    @Override
    public int size() {
        return names.size();
    }
}
