package dev.promguard.host;

import dev.promguard.blueprint.Names;
import java.util.Objects;
import java.util.Optional;

/**
 * A change with what people are told of it. Immutable.
 *
 * @param resource the stable name of the kind of resource, such as {@code package}
 * @param action what is done
 * @param subject what it is done to, such as a path or the name of a unit
 * @param before what is there now, in a few words; empty where that is not known
 * @param after what will be there, in a few words; empty where that is not known
 * @param drift whether somebody changed this since the last apply
 * @param text the change in a line
 * @param diff for a file, the unified diff, ending in a line end; empty for what is no file, and where the content on the host is not
 *     known
 */
public record ExplainedChange(
        String resource,
        Change.Action action,
        String subject,
        Optional<String> before,
        Optional<String> after,
        boolean drift,
        String text,
        Optional<String> diff) {
    /** What is there of something that does not exist. */
    static final String ABSENT = "absent";

    /** What will be there of something that is made up only while it is applied. */
    static final String KNOWN_AFTER_APPLY = "known after apply";

    /**
     * Checks that all are there, and replaces in the texts what a terminal might obey or hide.
     *
     * @throws NullPointerException if one is null
     */
    public ExplainedChange {
        Objects.requireNonNull(resource, "resource");
        Objects.requireNonNull(action, "action");
        subject = Names.printable(subject);
        before = before.map(Names::printable);
        after = after.map(Names::printable);
        text = Names.printable(text);
        Objects.requireNonNull(diff, "diff");
    }

    /**
     * A change of something that is no change of a host's resource.
     *
     * @param resource the stable name of the kind of thing
     * @param action what is done
     * @param subject what it is done to
     * @param drift whether somebody changed this since the last apply
     * @param text the change in a line
     * @return a change of which neither what is there nor what will be there is known
     */
    public static ExplainedChange of(
            String resource, Change.Action action, String subject, boolean drift, String text) {
        return new ExplainedChange(
                resource, action, subject, Optional.empty(), Optional.empty(), drift, text, Optional.empty());
    }

    static ExplainedChange of(Change change, boolean drift, String text) {
        return of(change.resource().id(), change.action(), change.subject(), drift, text);
    }

    /**
     * The same change from something to something else.
     *
     * @param there what is there now
     * @param then what will be there
     * @return a copy
     */
    public ExplainedChange between(String there, String then) {
        return new ExplainedChange(resource, action, subject, Optional.of(there), Optional.of(then), drift, text, diff);
    }

    ExplainedChange withAction(Change.Action does) {
        return new ExplainedChange(resource, does, subject, before, after, drift, text, diff);
    }

    ExplainedChange withDiff(Optional<String> difference) {
        return new ExplainedChange(resource, action, subject, before, after, drift, text, difference);
    }

    /**
     * The change as a plan shows it.
     *
     * @return the text behind {@code !} where it is drift and {@code ~} where it is not
     */
    @Override
    public String toString() {
        return (drift ? "! " : "~ ") + text;
    }
}
