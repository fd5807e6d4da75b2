package dev.promguard.examples.localcloud;

/**
 * A call and what was answered.
 *
 * @param request the call
 * @param answer the body of the answer as it was sent; empty if there was none
 * @param faulty whether the answer is one of {@link Faults} that the API's contract does not know: HTML, a part of the body, or
 *     nothing at all
 */
public record Exchange(RecordedRequest request, String answer, boolean faulty) {}
