package dev.promguard.host;

import java.util.Objects;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * The facts of a kind of resource that defines its own: the shell function that reads them on a host, and how the lines are read that
 * it prints. Whatever brings the lines from a host passes them on by the resource's id and knows no more of them. Also the key by which
 * {@link HostFacts#of} finds what was read. Immutable.
 *
 * @param <T> the facts; immutable
 */
public final class ResourceFacts<T> {
    private static final Pattern ID = Pattern.compile("[a-z]+(-[a-z]+)*");

    private final String id;
    private final Class<T> type;
    private final T none;
    private final Supplier<? extends Reader<T>> readers;

    private ResourceFacts(String id, Class<T> type, T none, Supplier<? extends Reader<T>> readers) {
        this.id = id;
        this.type = Objects.requireNonNull(type, "type");
        this.none = Objects.requireNonNull(none, "none");
        this.readers = Objects.requireNonNull(readers, "readers");
    }

    /**
     * Reads the lines of one host. The host may have made them to do harm: what is kept of them must be bounded. Not thread-safe.
     *
     * @param <T> the facts
     */
    public interface Reader<T> {
        /**
         * Takes a line.
         *
         * @param line the line
         * @throws MalformedFactsException if it makes no sense
         */
        void line(FactLine line) throws MalformedFactsException;

        /**
         * What all lines say together, once there are no more.
         *
         * @return the facts
         * @throws MalformedFactsException if they make no sense together
         */
        T facts() throws MalformedFactsException;
    }

    /**
     * The facts of a resource.
     *
     * @param <T> the facts
     * @param id the resource's {@link Resource#id() id}; the shell function is {@code facts_} and this, with underscores for dashes
     * @param type the facts' type
     * @param none what is known where nothing was asked for
     * @param readers makes a reader for each host
     * @return the key
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the id is not lower-case words with dashes between them
     */
    public static <T> ResourceFacts<T> of(String id, Class<T> type, T none, Supplier<? extends Reader<T>> readers) {
        if (!ID.matcher(id).matches()) {
            throw new IllegalArgumentException("id " + id + " is not lower-case words with dashes between them");
        }
        return new ResourceFacts<>(id, type, none, readers);
    }

    /**
     * The resource's id, which its lines carry.
     *
     * @return such as {@code kill-switch}
     */
    public String id() {
        return id;
    }

    /**
     * The shell function that reads the facts.
     *
     * @return such as {@code facts_kill_switch}
     */
    public String function() {
        return "facts_" + id.replace('-', '_');
    }

    T none() {
        return none;
    }

    T cast(Object facts) {
        return type.cast(facts);
    }

    Reader<T> reader() {
        return readers.get();
    }

    @Override
    public String toString() {
        return id;
    }
}
