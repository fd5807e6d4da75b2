package dev.promguard.internal.verify;

import dev.promguard.CheckKind;
import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import java.util.Objects;

/**
 * What is checked, before it is known what comes of it. Checks that are due and checks that are made are compared by this.
 *
 * @param host the name of the host that it is about; empty for the mesh as a whole
 * @param kind the kind of check
 * @param description what should be true of the host; no two checks of one kind on one host have the same
 * @param subject what of the host it is about, such as a unit, where it has several checks of this kind; empty for the host as a whole
 */
public record CheckItem(String host, CheckKind kind, String description, String subject) {
    /** What is checked of a host as a whole. */
    public CheckItem(String host, CheckKind kind, String description) {
        this(host, kind, description, "");
    }

    /** What a check is about. */
    static CheckItem of(Check check) {
        return new CheckItem(check.host(), check.kind(), check.description(), check.subject());
    }

    /** The same about a part of the host. */
    CheckItem about(String part) {
        return new CheckItem(host, kind, description, part);
    }

    /** A check that was made; the remedy is for one that failed. */
    Check made(String method, String observed, boolean passed, String remedy) {
        return build(method, observed, passed ? Verdict.PASSED : Verdict.FAILED, passed ? "" : remedy);
    }

    /** A check that failed. */
    Check failed(String method, String observed, String remedy) {
        return build(method, observed, Verdict.FAILED, remedy);
    }

    /** A check that was due and could not be made, why, and what to do so that it can. */
    Check unchecked(String method, String why, String remedy) {
        return build(method, why, Verdict.UNCHECKED, remedy);
    }

    /** Informational: neither passed nor failed. */
    Check note(String method, String observed, String remedy) {
        return build(method, observed, Verdict.NOTE, remedy);
    }

    private Check build(String method, String observed, Verdict verdict, String remedy) {
        return Check.builder(host, kind, description)
                .subject(subject)
                .method(method)
                .observed(observed)
                .verdict(verdict)
                .remedy(remedy)
                .build();
    }

    /** The description tells checks apart; the subject only repeats a part of it. */
    @Override
    public boolean equals(Object other) {
        return other instanceof CheckItem that
                && host.equals(that.host)
                && kind == that.kind
                && description.equals(that.description);
    }

    @Override
    public int hashCode() {
        return Objects.hash(host, kind, description);
    }
}
