package dev.promguard.host;

/** The packet filters of a host as a whole: read, and never changed. ufw's own rules for the mesh are {@link Firewall}'s. */
final class Rulesets implements Resource {
    static final Rulesets RESOURCE = new Rulesets();

    private Rulesets() {}

    @Override
    public String id() {
        return Ruleset.FACTS.id();
    }

    @Override
    public String shellFile() {
        return "ruleset.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.resource(Ruleset.FACTS);
    }
}
