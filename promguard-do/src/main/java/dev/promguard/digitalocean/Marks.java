package dev.promguard.digitalocean;

/** The tags that droplets carry, and the names of what else PromGuard makes in an account. */
final class Marks {
    /** Every droplet of PromGuard's. */
    static final String ALL = "promguard";
    /** How the tag of a role begins. */
    static final String ROLE = "promguard:role:";
    /** How the tag of an attempt begins. */
    static final String ATTEMPT = "promguard:attempt:";

    private Marks() {}

    /** Every droplet of a mesh. */
    static String mesh(String mesh) {
        return ALL + ":mesh:" + mesh;
    }

    /** Every droplet that one apply ordered. */
    static String attempt(String mesh, String attempt) {
        return ATTEMPT + mesh + ":" + attempt;
    }

    /** The name of a mesh's SSH key and of its firewall. */
    static String name(String mesh) {
        return ALL + "-" + mesh;
    }
}
