package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import java.util.List;

/** System users that services run as. They are created, and removed only when PromGuard is uninstalled. */
public final class Users implements Resource {
    static final Users RESOURCE = new Users();

    private Users() {}

    /**
     * Creates a system user and its group.
     *
     * @param user the user
     */
    public record Create(SystemUser user) implements Change {
        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.CREATE;
        }

        @Override
        public String subject() {
            return user.name();
        }

        @Override
        public String describe() {
            return "create user " + user.name();
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("apply_user", user.name());
        }
    }

    @Override
    public String id() {
        return "user";
    }

    @Override
    public String shellFile() {
        return "users.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.users(desired.users().stream().map(SystemUser::name).toList());
    }

    static void create(Comparison comparison) {
        for (SystemUser user : comparison.desired().users()) {
            if (!comparison.facts().users().contains(user.name())) {
                comparison.add(new Create(user), user.name());
            }
        }
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        return drift.left().users().contains(change.subject());
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        return List.of(explanation
                .explained(change, "user " + change.subject() + " is gone", Explanation.PUT_BACK)
                .between(ExplainedChange.ABSENT, "present"));
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        return known.toBuilder().withoutUser(change.subject()).build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        left.users(desired.users().stream().map(SystemUser::name).toList());
    }
}
