package dev.promguard.blueprint;

import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * What is known of a mesh, for a picture that shows it. Immutable.
 *
 * @param hosts what is known of the hosts, by name; others are drawn as what they are
 * @param tunnels what is known of the tunnels; others are drawn as good
 */
public record Overlay(Map<String, Mark> hosts, Map<Ends, State> tunnels) {
    /** Nothing is known: the picture shows what the spec says. */
    public static final Overlay NONE = new Overlay(Map.of(), Map.of());

    /**
     * Copies the maps.
     *
     * @throws NullPointerException if something is null
     */
    public Overlay {
        hosts = Map.copyOf(hosts);
        tunnels = Map.copyOf(tunnels);
    }

    /** How something is. */
    public enum State {
        /** As it should be. */
        GOOD("#2f7d5b"),
        /** Not as it should be. */
        BAD("#c62828"),
        /** Not known. */
        UNKNOWN("#8a6d00");

        private final String colour;

        State(String colour) {
            this.colour = colour;
        }

        String colour() {
            return colour;
        }

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * How a host is.
     *
     * @param state in a word
     * @param text in a few words, which need no escaping: letters, digits, spaces and points
     */
    public record Mark(State state, String text) {
        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public Mark {
            Objects.requireNonNull(state, "state");
            Objects.requireNonNull(text, "text");
        }
    }

    /**
     * The ends of a tunnel, in any order.
     *
     * @param one a host's name
     * @param other the other host's name
     */
    public record Ends(String one, String other) {
        /**
         * Puts them in the order of the alphabet.
         *
         * @throws NullPointerException if one is null
         */
        public Ends {
            if (one.compareTo(other) > 0) {
                String swapped = one;
                one = other;
                other = swapped;
            }
        }
    }

    State tunnel(Blueprint.Host one, Blueprint.Host other) {
        return tunnels.getOrDefault(new Ends(one.name(), other.name()), State.GOOD);
    }
}
