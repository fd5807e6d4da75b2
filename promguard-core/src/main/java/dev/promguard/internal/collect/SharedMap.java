package dev.promguard.internal.collect;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * An immutable map, in the order of its keys. A changed copy shares with the original all but a few entries, so that to make one and to
 * compare the two takes little time however large they are. Holds no null.
 *
 * @param <V> the type of the values
 */
public class SharedMap<V> extends AbstractMap<String, V> {
    private final @Nullable Node<V> root;
    private final int size;

    /** A map of nothing. */
    public SharedMap() {
        this(null, 0);
    }

    /**
     * The same map as another.
     *
     * @param other the other
     */
    protected SharedMap(SharedMap<V> other) {
        this(other.root, other.size);
    }

    private SharedMap(@Nullable Node<V> root, int size) {
        this.root = root;
        this.size = size;
    }

    /**
     * Keys to the left are less, keys to the right are greater, and no node below has a higher rank. The rank follows from the key, so
     * that the same keys always make the same tree.
     */
    private static final class Node<V> {
        private final String key;
        private final V value;
        private final int rank;
        private final @Nullable Node<V> left;
        private final @Nullable Node<V> right;

        Node(String key, V value, int rank, @Nullable Node<V> left, @Nullable Node<V> right) {
            this.key = key;
            this.value = value;
            this.rank = rank;
            this.left = left;
            this.right = right;
        }

        static <V> Node<V> of(String key, V value) {
            return new Node<>(key, value, rank(key), null, null);
        }

        private static int rank(String key) {
            int hash = key.hashCode() * 0x9E3779B9;
            hash = (hash ^ (hash >>> 15)) * 0x85EBCA6B;
            return hash ^ (hash >>> 13);
        }

        boolean isAbove(Node<V> other) {
            return rank != other.rank ? rank > other.rank : key.compareTo(other.key) < 0;
        }

        Node<V> withValue(V to) {
            return new Node<>(key, to, rank, left, right);
        }

        Node<V> with(@Nullable Node<V> newLeft, @Nullable Node<V> newRight) {
            return newLeft == left && newRight == right ? this : new Node<>(key, value, rank, newLeft, newRight);
        }
    }

    /** What is less than a key, what is greater, and what the key itself has. */
    private record Split<V>(
            @Nullable Node<V> less,
            @Nullable Node<V> equal,
            @Nullable Node<V> greater) {}

    /**
     * The same map with an entry put in or replaced.
     *
     * @param key the key
     * @param value the value
     * @return a copy
     */
    public SharedMap<V> with(String key, V value) {
        Objects.requireNonNull(value, "value");
        Node<V> found = find(key);
        if (found == null) {
            return new SharedMap<>(inserted(root, Node.of(key, value)), size + 1);
        }
        return found.value.equals(value) ? this : new SharedMap<>(replaced(root, key, value), size);
    }

    /**
     * The same map without an entry.
     *
     * @param key the key; one that is not there changes nothing
     * @return a copy
     */
    public SharedMap<V> without(String key) {
        return find(key) == null ? this : new SharedMap<>(removed(root, key), size - 1);
    }

    /**
     * Where this map and another differ.
     *
     * @param other the other
     * @return the keys, sorted, that have another value there or are in one of the two alone
     */
    public Set<String> differences(SharedMap<V> other) {
        Set<String> differences = new TreeSet<>();
        compare(root, other.root, differences);
        return differences;
    }

    private static <V> Node<V> inserted(@Nullable Node<V> tree, Node<V> fresh) {
        if (tree == null) {
            return fresh;
        } else if (fresh.isAbove(tree)) {
            Split<V> split = split(tree, fresh.key);
            return fresh.with(split.less(), split.greater());
        }
        return fresh.key.compareTo(tree.key) < 0
                ? tree.with(inserted(tree.left, fresh), tree.right)
                : tree.with(tree.left, inserted(tree.right, fresh));
    }

    private static <V> Node<V> replaced(@Nullable Node<V> tree, String key, V value) {
        Node<V> node = Objects.requireNonNull(tree, key);
        int order = key.compareTo(node.key);
        if (order == 0) {
            return node.withValue(value);
        }
        return order < 0
                ? node.with(replaced(node.left, key, value), node.right)
                : node.with(node.left, replaced(node.right, key, value));
    }

    private static <V> @Nullable Node<V> removed(@Nullable Node<V> tree, String key) {
        Node<V> node = Objects.requireNonNull(tree, key);
        int order = key.compareTo(node.key);
        if (order == 0) {
            return joined(node.left, node.right);
        }
        return order < 0
                ? node.with(removed(node.left, key), node.right)
                : node.with(node.left, removed(node.right, key));
    }

    private static <V> @Nullable Node<V> joined(@Nullable Node<V> less, @Nullable Node<V> greater) {
        if (less == null || greater == null) {
            return less == null ? greater : less;
        }
        return less.isAbove(greater)
                ? less.with(less.left, joined(less.right, greater))
                : greater.with(joined(less, greater.left), greater.right);
    }

    private static <V> Split<V> split(@Nullable Node<V> tree, String key) {
        if (tree == null) {
            return new Split<>(null, null, null);
        }
        int order = key.compareTo(tree.key);
        if (order == 0) {
            return new Split<>(tree.left, tree, tree.right);
        } else if (order < 0) {
            Split<V> split = split(tree.left, key);
            return new Split<>(split.less(), split.equal(), tree.with(split.greater(), tree.right));
        }
        Split<V> split = split(tree.right, key);
        return new Split<>(tree.with(tree.left, split.less()), split.equal(), split.greater());
    }

    private static <V> void compare(@Nullable Node<V> one, @Nullable Node<V> other, Set<String> differences) {
        if (one == other) {
            return;
        } else if (one == null || other == null) {
            addKeys(one == null ? other : one, differences);
            return;
        }
        boolean oneIsAbove = one.key.equals(other.key) || one.isAbove(other);
        Node<V> above = oneIsAbove ? one : other;
        Split<V> below = split(oneIsAbove ? other : one, above.key);
        compare(above.left, below.less(), differences);
        Node<V> equal = below.equal();
        if (equal == null || !equal.value.equals(above.value)) {
            differences.add(above.key);
        }
        compare(above.right, below.greater(), differences);
    }

    private static <V> void addKeys(@Nullable Node<V> tree, Set<String> keys) {
        if (tree != null) {
            addKeys(tree.left, keys);
            keys.add(tree.key);
            addKeys(tree.right, keys);
        }
    }

    private @Nullable Node<V> find(@Nullable Object key) {
        Node<V> at = root;
        while (at != null && key instanceof String wanted) {
            int order = wanted.compareTo(at.key);
            if (order == 0) {
                return at;
            }
            at = order < 0 ? at.left : at.right;
        }
        return null;
    }

    @Override
    public @Nullable V get(@Nullable Object key) {
        Node<V> found = find(key);
        return found == null ? null : found.value;
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return find(key) != null;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SharedMap<?> map ? size == map.size && isSame(root, map.root) : super.equals(other);
    }

    /** As {@link #compare} does, up to the first difference; the same keys make the same tree. */
    private static boolean isSame(@Nullable Node<?> one, @Nullable Node<?> other) {
        return one == other
                || (one != null
                        && other != null
                        && one.key.equals(other.key)
                        && one.value.equals(other.value)
                        && isSame(one.left, other.left)
                        && isSame(one.right, other.right));
    }

    @Override
    public int hashCode() {
        return super.hashCode();
    }

    @Override
    public Set<Map.Entry<String, V>> entrySet() {
        return new AbstractSet<>() {
            @Override
            public Iterator<Map.Entry<String, V>> iterator() {
                return new Entries<>(root);
            }

            @Override
            public int size() {
                return size;
            }
        };
    }

    /** From the least key to the greatest. */
    private static final class Entries<V> implements Iterator<Map.Entry<String, V>> {
        private final Deque<Node<V>> open = new ArrayDeque<>();

        Entries(@Nullable Node<V> root) {
            descend(root);
        }

        private void descend(@Nullable Node<V> from) {
            for (Node<V> at = from; at != null; at = at.left) {
                open.push(at);
            }
        }

        @Override
        public boolean hasNext() {
            return !open.isEmpty();
        }

        @Override
        public Map.Entry<String, V> next() {
            Node<V> node = open.poll();
            if (node == null) {
                throw new NoSuchElementException();
            }
            descend(node.right);
            return Map.entry(node.key, node.value);
        }
    }
}
