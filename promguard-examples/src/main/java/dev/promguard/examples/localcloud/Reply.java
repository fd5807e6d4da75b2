package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/** An answer of the API: a status and, but for 204, a body. */
record Reply(int status, @Nullable JsonNode body) {
    static Reply ok(JsonNode body) {
        return new Reply(200, body);
    }

    static Reply created(JsonNode body) {
        return new Reply(201, body);
    }

    static Reply accepted(JsonNode body) {
        return new Reply(202, body);
    }

    static Reply none() {
        return new Reply(204, null);
    }
}
