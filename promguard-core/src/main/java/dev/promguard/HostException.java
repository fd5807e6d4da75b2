package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.keys.HostKeyFingerprint;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Work on one host failed. Other hosts are not touched by it. */
public final class HostException extends PromGuardException {
    private static final long serialVersionUID = 1L;
    /** The name of the host. */
    private final String host;
    /** The address, or the empty text. */
    private final String address;
    /** What was being done. */
    private final String step;
    /** The exit code, if a command ended. */
    private final @Nullable Integer exitCode;
    /** The last lines of output. */
    private final String output;
    /** Whether to try again may help. */
    private final boolean retryable;
    /** The host key that was refused, if that is what failed. */
    private final @Nullable HostKeyFingerprint refusedHostKey;
    /** What came of the host. */
    private final ApplyReport.Status status;

    private HostException(Builder builder, String message) {
        super(builder.code, message, builder.cause);
        this.host = builder.host;
        this.address = builder.address;
        this.step = builder.step;
        this.exitCode = builder.exitCode;
        this.output = builder.output;
        this.retryable = builder.retryable;
        this.refusedHostKey = builder.refusedHostKey;
        this.status = builder.status;
    }

    /**
     * Starts the description of a failure.
     *
     * @param code what kind of failure it is
     * @param host the host's name in the mesh
     * @param address where it was reached, or would have been
     * @param step what was being done, such as {@code connect} or {@code install node_exporter 1.12.1}
     * @return a builder
     */
    public static Builder of(ErrorCode code, String host, String address, String step) {
        return new Builder(code, host, address, step);
    }

    /**
     * The host's name.
     *
     * @return the name in the mesh
     */
    public String host() {
        return host;
    }

    /**
     * Where the host was reached.
     *
     * @return the address
     */
    public String address() {
        return address;
    }

    /**
     * What was being done.
     *
     * @return the step
     */
    public String step() {
        return step;
    }

    /**
     * How the step ended on the host.
     *
     * @return the exit code, or empty if the step did not get as far as an exit
     */
    public OptionalInt exitCode() {
        return exitCode == null ? OptionalInt.empty() : OptionalInt.of(exitCode);
    }

    /**
     * The last of what the step printed.
     *
     * @return some lines without control characters, or an empty text
     */
    public String output() {
        return output;
    }

    /**
     * The host key that the host showed and that was not accepted.
     *
     * @return the key, or empty if something else failed
     */
    public Optional<HostKeyFingerprint> refusedHostKey() {
        return Optional.ofNullable(refusedHostKey);
    }

    /**
     * The outcome of the changes that were under way, if there were any.
     *
     * @return {@link ApplyReport.Status#ROLLED_BACK} if the host undid its changes, {@link ApplyReport.Status#UNKNOWN} if it may
     *     have undone them or may still do so, and {@link ApplyReport.Status#FAILED} otherwise
     */
    public ApplyReport.Status status() {
        return status;
    }

    @Override
    public boolean retryable() {
        return retryable;
    }

    /** Collects what is known of a failure. Not thread-safe. */
    public static final class Builder {
        private final ErrorCode code;
        private final String host;
        private final String address;
        private final String step;
        private @Nullable Integer exitCode;
        private String output = "";
        private boolean retryable;
        private @Nullable HostKeyFingerprint refusedHostKey;
        private ApplyReport.Status status = ApplyReport.Status.FAILED;
        private @Nullable Throwable cause;

        private Builder(ErrorCode code, String host, String address, String step) {
            this.code = Objects.requireNonNull(code, "code");
            this.host = Objects.requireNonNull(host, "host");
            this.address = Objects.requireNonNull(address, "address");
            this.step = Objects.requireNonNull(step, "step");
        }

        /**
         * Adds the exit code.
         *
         * @param code the exit code of the step
         * @return this builder
         */
        public Builder exitCode(int code) {
            this.exitCode = code;
            return this;
        }

        /**
         * Adds what the step printed.
         *
         * @param text the last lines; what a terminal might obey is replaced, but for line ends and tabs
         * @return this builder
         */
        public Builder output(String text) {
            this.output = Names.printable(text).strip();
            return this;
        }

        /**
         * Says that the same call may succeed later.
         *
         * @return this builder
         */
        public Builder retryable() {
            this.retryable = true;
            return this;
        }

        /**
         * Says that the host showed a key that is not accepted.
         *
         * @param key the key that it showed
         * @return this builder
         */
        public Builder refusedHostKey(HostKeyFingerprint key) {
            this.refusedHostKey = key;
            return this;
        }

        /**
         * Sets the outcome of the changes that were under way; {@link ApplyReport.Status#FAILED} by default.
         *
         * @param outcome one of those that are not {@link ApplyReport.Status#ok() ok}
         * @return this builder
         * @throws InvalidSettingException if it is one that is
         */
        public Builder status(ApplyReport.Status outcome) {
            if (outcome.ok()) {
                throw new InvalidSettingException("a host that is " + outcome + " has not failed");
            }
            this.status = outcome;
            return this;
        }

        /**
         * Adds the cause.
         *
         * @param throwable what brought the failure about
         * @return this builder
         */
        public Builder cause(@Nullable Throwable throwable) {
            this.cause = throwable;
            return this;
        }

        /**
         * Ends the description.
         *
         * @param what what went wrong, in a few words without a full stop
         * @param remedy what the reader can do about it, as a sentence
         * @return the exception, whose message names host, address, step, what and remedy
         */
        public HostException because(String what, String remedy) {
            StringBuilder message = new StringBuilder(160);
            message.append(host);
            if (!address.isEmpty()) {
                message.append(" (").append(address).append(')');
            }
            message.append(": step \"").append(step).append("\" failed: ").append(what);
            if (!output.isEmpty()) {
                message.append("\n  ").append(output.replace("\n", "\n  "));
            }
            if (!remedy.isEmpty()) {
                message.append("\n  ").append(remedy);
            }
            return new HostException(this, message.toString());
        }
    }
}
