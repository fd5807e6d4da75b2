package dev.promguard.host;

import java.util.List;

/** The host's SSH host key: its bootstrap key is replaced by one that the host makes itself. */
public final class HostKey implements Resource {
    static final HostKey RESOURCE = new HostKey();

    private HostKey() {}

    /** Has the host make itself a new SSH host key and use that alone. Always the last change. */
    public record Replace() implements Change {
        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.UPDATE;
        }

        @Override
        public String subject() {
            return "SSH host key";
        }

        @Override
        public String describe() {
            return "replace the bootstrap SSH host key";
        }

        @Override
        public boolean risky() {
            return true;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("apply_host_key");
        }
    }

    @Override
    public String id() {
        return "host-key";
    }

    @Override
    public String shellFile() {
        return "hostkey.sh";
    }

    static void replace(Comparison comparison) {
        if (comparison.replacesHostKey()) {
            comparison.add(new Replace());
        }
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        return List.of(ExplainedChange.of(change, false, change.describe())
                .between("bootstrap host key", ExplainedChange.KNOWN_AFTER_APPLY));
    }
}
