package dev.promguard.host;

import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * How the boot of a host went as far as cloud-init carries it out. A run waits for it on hosts that PromGuard created, so that there is
 * nothing to say of those; on others it is a note, for it is no part of what PromGuard sets up.
 */
public final class FirstBoot implements Resource {
    static final FirstBoot RESOURCE = new FirstBoot();
    /** What is asked of a host about it. */
    public static final ResourceFacts<FirstBootFact> FACTS =
            ResourceFacts.of("first-boot", FirstBootFact.class, FirstBootFact.DONE, Reader::new);

    private static final Pattern DETAIL = Pattern.compile(".{0,4000}");
    private static final int LONGEST_DETAIL = 200;

    private FirstBoot() {}

    /** How far cloud-init is. */
    public enum Stage {
        /** It is done, or the host has none that is to run. */
        DONE,
        /** It is at work. */
        RUNNING,
        /** It is installed and enabled, and did not run since the host booted, as where its units are masked. */
        NOT_RUN,
        /** It is done, and something in it failed. */
        FAILED
    }

    /**
     * What cloud-init says.
     *
     * @param stage how far it is
     * @param detail the errors that it names, as the host wrote them; empty unless it failed
     */
    public record FirstBootFact(Stage stage, String detail) {
        /** There is nothing to say. */
        public static final FirstBootFact DONE = new FirstBootFact(Stage.DONE, "");

        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public FirstBootFact {
            Objects.requireNonNull(stage, "stage");
            Objects.requireNonNull(detail, "detail");
        }
    }

    /** Reads at most one line. */
    private static final class Reader implements ResourceFacts.Reader<FirstBootFact> {
        private FirstBootFact fact = FirstBootFact.DONE;

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            fact = switch (line.kind()) {
                case "running" -> new FirstBootFact(Stage.RUNNING, "");
                case "not-run" -> new FirstBootFact(Stage.NOT_RUN, "");
                case "failed" -> new FirstBootFact(Stage.FAILED, line.fields(1).field(1, DETAIL));
                default -> throw line.unknown();
            };
        }

        @Override
        public FirstBootFact facts() {
            return fact;
        }
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "system.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.resource(FACTS);
    }

    @Override
    public List<String> notes(HostFacts facts) {
        FirstBootFact boot = facts.of(FACTS);
        return switch (boot.stage()) {
            case DONE -> List.of();
            case RUNNING ->
                List.of(
                        "cloud-init is still at work on it: apply does not wait for that on a host that was there before");
            case NOT_RUN ->
                List.of("cloud-init is installed and did not run at the last boot, as where its units are masked:"
                        + " apply does not wait for it");
            case FAILED ->
                List.of("cloud-init reported errors at the last boot, which do not stop apply: "
                        + Printable.line(boot.detail(), LONGEST_DETAIL)
                        + " (on the host: cloud-init status --long)");
        };
    }
}
