package dev.promguard.host;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The facts of the resources that define their own. Immutable. */
public final class FactsByResource {
    /** Nothing was asked for. */
    public static final FactsByResource NONE = new FactsByResource(Map.of());

    private final Map<ResourceFacts<?>, Object> facts;

    private FactsByResource(Map<ResourceFacts<?>, Object> facts) {
        this.facts = Map.copyOf(facts);
    }

    /**
     * The same with the facts of a resource, in the place of those that were there.
     *
     * @param <T> the facts' type
     * @param resource whose facts
     * @param read the facts
     * @return a copy
     * @throws NullPointerException if an argument is null
     */
    public <T> FactsByResource with(ResourceFacts<T> resource, T read) {
        Map<ResourceFacts<?>, Object> all = new HashMap<>(facts);
        all.put(resource, resource.cast(Objects.requireNonNull(read, "read")));
        return new FactsByResource(all);
    }

    /**
     * The facts of a resource.
     *
     * @param <T> the facts' type
     * @param resource whose facts
     * @return the facts; what the resource has for none where they were not asked for
     */
    public <T> T of(ResourceFacts<T> resource) {
        Object read = facts.get(resource);
        return read == null ? resource.none() : resource.cast(read);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof FactsByResource same && facts.equals(same.facts);
    }

    @Override
    public int hashCode() {
        return facts.hashCode();
    }

    @Override
    public String toString() {
        return facts.toString();
    }

    /** Takes the lines of one host for the resources that a query asks for. Not thread-safe. */
    public static final class Collector {
        private final Map<String, ResourceFacts<?>> asked = new HashMap<>();
        private final Map<ResourceFacts<?>, ResourceFacts.Reader<?>> readers = new LinkedHashMap<>();

        /**
         * A collector.
         *
         * @param query what was asked for
         */
        public Collector(FactsQuery query) {
            for (FactsQuery.ResourceCall call : query.resources()) {
                asked.put(call.facts().id(), call.facts());
                readers.put(call.facts(), call.facts().reader());
            }
        }

        /**
         * Takes a line.
         *
         * @param text the resource's id, the line's kind and its fields, with tabs between them
         * @throws MalformedFactsException if it makes no sense, or the resource was not asked for
         */
        public void line(String text) throws MalformedFactsException {
            int tab = text.indexOf('\t');
            String id = tab < 0 ? text : text.substring(0, tab);
            ResourceFacts<?> resource = asked.get(id);
            if (tab < 0 || resource == null) {
                throw new MalformedFactsException("a fact about a resource that was not asked for", id);
            }
            Objects.requireNonNull(readers.get(resource), id).line(new FactLine(id, text.substring(tab + 1)));
        }

        /**
         * Takes lines.
         *
         * @param resource what they are about
         * @param lines each line's kind and its fields, with tabs between them
         * @throws MalformedFactsException if one makes no sense, or the resource was not asked for
         */
        public void lines(ResourceFacts<?> resource, List<String> lines) throws MalformedFactsException {
            for (String line : lines) {
                line(resource.id() + '\t' + line);
            }
        }

        /**
         * All facts, once there are no more lines.
         *
         * @return the facts of each resource that was asked for
         * @throws MalformedFactsException if the lines of one make no sense together
         */
        public FactsByResource facts() throws MalformedFactsException {
            FactsByResource all = NONE;
            for (Map.Entry<ResourceFacts<?>, ResourceFacts.Reader<?>> entry : readers.entrySet()) {
                all = all.withAny(entry.getKey(), entry.getValue().facts());
            }
            return all;
        }
    }

    private <T> FactsByResource withAny(ResourceFacts<T> resource, Object read) {
        return with(resource, resource.cast(read));
    }
}
