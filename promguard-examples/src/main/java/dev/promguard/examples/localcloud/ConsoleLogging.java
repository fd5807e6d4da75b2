package dev.promguard.examples.localcloud;

/**
 * How the programs of this module log: errors only, to standard error, or what the environment variable {@code PROMGUARD_LOG} says, a
 * level such as {@code DEBUG}. Programs that only use this module's classes have their own logging, and are left alone.
 */
public final class ConsoleLogging {
    private static final String PROPERTY = "logback.configurationFile";

    private ConsoleLogging() {}

    /**
     * Names Logback's configuration, unless the system property {@code logback.configurationFile} names one. For a program's first
     * line: it has no effect on a Logback that is already in use.
     */
    public static void configure() {
        if (System.getProperty(PROPERTY) == null) {
            System.setProperty(PROPERTY, "dev/promguard/examples/localcloud/console-logback.xml");
        }
    }
}
