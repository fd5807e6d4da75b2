package dev.promguard.digitalocean.internal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Http.Answer;
import java.io.IOException;
import java.util.Objects;
import okhttp3.HttpUrl;

/** Says what went wrong with a call, and what to do about it, without the token. Thread-safe. */
final class HttpErrors {
    static final int TIMED_OUT = 408;
    static final int TOO_MANY = 429;
    private static final int LARGEST_ERROR = 64 * 1024;

    private final ObjectMapper json;
    private final HttpUrl base;
    private final Token token;

    HttpErrors(ObjectMapper json, HttpUrl base, Token token) {
        this.json = json;
        this.base = base;
        this.token = token;
    }

    ProviderException refusal(String method, String path, Answer answer) {
        String id = null;
        String message = "";
        String requestId = answer.requestId() == null ? null : clean(answer.requestId());
        try {
            // An error is short. A tree takes many times the room of its text.
            JsonNode tree = answer.body().length() > LARGEST_ERROR
                    ? json.getNodeFactory().arrayNode()
                    : json.readTree(answer.body());
            if (tree != null && tree.isObject()) {
                id = tree.hasNonNull("id") ? clean(tree.get("id").asText()) : null;
                message = clean(tree.path("message").asText());
                if (tree.hasNonNull("request_id")) {
                    requestId = clean(tree.get("request_id").asText());
                }
            } else if (tree != null && !tree.isMissingNode()) {
                message = "an answer that is not an error's";
            }
        } catch (JsonProcessingException e) {
            message = "an answer that is not JSON";
        }
        return new ProviderException(
                code(answer.status()),
                "DigitalOcean refused " + method + " " + withoutQuery(path) + " with status " + answer.status()
                        + (message.isEmpty() ? "" : ": " + message)
                        + (requestId == null ? "" : " (request " + requestId + ")") + ". " + remedy(answer),
                answer.status(),
                id,
                requestId,
                answer.status() >= 500 || answer.status() == TOO_MANY || answer.status() == TIMED_OUT,
                null);
    }

    private static ErrorCode code(int status) {
        return switch (status) {
            case 401, 403 -> ErrorCode.PROVIDER_TOKEN;
            case TOO_MANY -> ErrorCode.PROVIDER_RATE_LIMIT;
            default ->
                status >= 500 || status == TIMED_OUT ? ErrorCode.PROVIDER_UNAVAILABLE : ErrorCode.PROVIDER_REFUSED;
        };
    }

    private static String remedy(Answer answer) {
        return switch (answer.status()) {
            case 401 -> "The token is wrong or has expired: create one under API, Tokens in the control panel.";
            case 403 -> "The token may not do this: create one that may read and write.";
            case 404 ->
                "Check that the endpoint is DigitalOcean's API, and that nobody has deleted the resource meanwhile.";
            case TOO_MANY ->
                "The rate limit is used up: run again in "
                        + (answer.retryAfter() == null
                                ? "some minutes."
                                : Math.max(1, answer.retryAfter().toSeconds()) + " s.");
            default ->
                answer.status() >= 500 || answer.status() == TIMED_OUT
                        ? "DigitalOcean has a problem: run again later."
                        : "Fix what it names, then run again.";
        };
    }

    ProviderException unreachable(String method, String path, IOException cause) {
        return new ProviderException(
                ErrorCode.PROVIDER_UNREACHABLE,
                "DigitalOcean cannot be reached at " + base.host() + ":" + base.port() + " (" + method + " "
                        + withoutQuery(path) + "): " + clean(said(cause))
                        + ". Check that this machine can connect to it, then run again.",
                null,
                null,
                null,
                true,
                holdsToken(cause) ? null : cause);
    }

    ProviderException notUnderstood(String method, String path, JsonProcessingException cause) {
        return new ProviderException(
                ErrorCode.PROVIDER_ANSWER,
                "DigitalOcean gave an answer to " + method + " " + withoutQuery(path)
                        + " that cannot be understood. Check that the endpoint " + base.host() + ":" + base.port()
                        + " is its API, then run again.",
                null,
                null,
                null,
                true,
                holdsToken(cause) ? null : cause);
    }

    static String withoutQuery(String path) {
        int query = path.indexOf('?');
        return query < 0 ? path : path.substring(0, query);
    }

    static String said(Throwable failure) {
        return Objects.requireNonNullElse(
                failure.getMessage(), failure.getClass().getSimpleName());
    }

    /** What the other side said, fit to be shown: short, on one line, and without the token should it have echoed it. */
    String clean(String text) {
        String shown = token.use(secret -> text.replace(secret, "***"));
        return Names.printable(shown.length() > 300 ? shown.substring(0, 300) + "…" : shown)
                .replaceAll("[\\n\\t]", " ");
    }

    private boolean holdsToken(Throwable failure) {
        return token.use(secret -> {
            for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
                if (said(cause).contains(secret)) {
                    return true;
                }
            }
            return false;
        });
    }
}
