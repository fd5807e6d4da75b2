package dev.promguard.examples.localcloud;

/** An answer of the API that is not what the caller hoped for. */
final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String id;

    Refusal(int status, String id, String message) {
        super(message);
        this.status = status;
        this.id = id;
    }

    static Refusal notFound() {
        return new Refusal(404, "not_found", "The resource you were accessing could not be found.");
    }

    static Refusal unprocessable(String message) {
        return new Refusal(422, "unprocessable_entity", message);
    }

    int status() {
        return status;
    }

    String id() {
        return id;
    }

    String said() {
        return String.valueOf(getMessage());
    }
}
