package dev.promguard.internal.verify;

import dev.promguard.internal.verify.PrometheusApi.Rule;
import dev.promguard.internal.verify.PrometheusApi.Target;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** What one monitor's Prometheus said. A value. */
sealed interface PrometheusAnswer {
    /**
     * It named its targets.
     *
     * @param targets its active targets
     * @param rules the rules that it has loaded; none where it was not asked, since the mesh has no rules
     * @param rulesFailure why it did not name its rules; empty if it did, or was not asked
     */
    record Answered(List<Target> targets, List<Rule> rules, Optional<String> rulesFailure) implements PrometheusAnswer {
        /**
         * Copies the lists.
         *
         * @throws NullPointerException if something is null
         */
        public Answered {
            targets = List.copyOf(targets);
            rules = List.copyOf(rules);
            Objects.requireNonNull(rulesFailure, "rulesFailure");
        }
    }

    /**
     * It did not answer, or not in a way that can be understood.
     *
     * @param why what went wrong
     */
    record Silent(String why) implements PrometheusAnswer {
        /**
         * Checks that the reason is there.
         *
         * @throws NullPointerException if it is null
         */
        public Silent {
            Objects.requireNonNull(why, "why");
        }
    }
}
