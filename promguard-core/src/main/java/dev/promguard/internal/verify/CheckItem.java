package dev.promguard.internal.verify;

import dev.promguard.CheckKind;
import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;

/**
 * What is checked, before it is known what comes of it. Checks that are due and checks that are made are compared by this.
 *
 * @param host the name of the host that it is about; empty for the mesh as a whole
 * @param kind the kind of check
 * @param description what should be true of the host
 */
public record CheckItem(String host, CheckKind kind, String description) {
    /** What a check is about. */
    static CheckItem of(Check check) {
        return new CheckItem(check.host(), check.kind(), check.description());
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
                .method(method)
                .observed(observed)
                .verdict(verdict)
                .remedy(remedy)
                .build();
    }
}
