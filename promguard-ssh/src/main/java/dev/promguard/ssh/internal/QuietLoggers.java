package dev.promguard.ssh.internal;

import net.schmizz.sshj.common.LoggerFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/**
 * Loggers for sshj, two steps quieter than it is. What it says at TRACE is never logged: it would be every packet, and with it the keys
 * inside. What it says at DEBUG and INFO, more than fifty lines a session, is logged at TRACE; warnings and errors at DEBUG, for a failure is
 * thrown to the caller, not logged.
 */
final class QuietLoggers implements LoggerFactory {
    @Override
    public Logger getLogger(String name) {
        return new Quiet(org.slf4j.LoggerFactory.getLogger(name));
    }

    @Override
    public Logger getLogger(Class<?> type) {
        return getLogger(type.getName());
    }

    private static final class Quiet extends LegacyAbstractLogger {
        private static final long serialVersionUID = 1L;

        private final transient Logger logger;

        Quiet(Logger logger) {
            this.logger = logger;
            this.name = logger.getName();
        }

        @Override
        public boolean isTraceEnabled() {
            return false;
        }

        @Override
        public boolean isDebugEnabled() {
            return logger.isTraceEnabled();
        }

        @Override
        public boolean isInfoEnabled() {
            return logger.isTraceEnabled();
        }

        @Override
        public boolean isWarnEnabled() {
            return logger.isDebugEnabled();
        }

        @Override
        public boolean isErrorEnabled() {
            return logger.isDebugEnabled();
        }

        @Override
        protected @Nullable String getFullyQualifiedCallerName() {
            return null;
        }

        @Override
        protected void handleNormalizedLoggingCall(
                Level level,
                @Nullable Marker marker,
                String message,
                Object @Nullable [] arguments,
                @Nullable Throwable throwable) {
            if (level == Level.DEBUG || level == Level.INFO) {
                logger.trace(MessageFormatter.basicArrayFormat(message, arguments), throwable);
            } else if (level != Level.TRACE) {
                logger.debug(MessageFormatter.basicArrayFormat(message, arguments), throwable);
            }
        }
    }
}
