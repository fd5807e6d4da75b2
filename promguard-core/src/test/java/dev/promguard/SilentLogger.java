package dev.promguard;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/** Keeps a logger quiet in a class whose tests have it say the same thing hundreds of times. */
final class SilentLogger implements BeforeAllCallback, AfterAllCallback {
    private final Logger logger;

    SilentLogger(String name) {
        logger = (Logger) LoggerFactory.getLogger(name);
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        logger.setLevel(Level.OFF);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        logger.setLevel(null);
    }
}
