package dev.promguard.examples.localcloud;

import java.time.Instant;

/**
 * A call that reached the API.
 *
 * @param at when
 * @param method such as {@code POST}
 * @param path such as {@code /v2/droplets}
 * @param query what follows the question mark, still encoded; empty if nothing does
 * @param body the body as sent; empty if there is none
 * @param status the status answered; 0 if the connection was closed in place of an answer
 */
public record RecordedRequest(Instant at, String method, String path, String query, String body, int status) {}
