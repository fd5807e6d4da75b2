package dev.promguard.ssh.internal;

/** The connection ended before a run of changes did. */
final class ConnectionLostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ConnectionLostException(String reason, Throwable cause) {
        super(reason, cause);
    }

    String reason() {
        String message = getMessage();
        return message == null ? "" : message;
    }
}
