package dev.promguard;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

/** How often what happened in a soak. */
final class SoakCounts {
    private final Map<String, Integer> operations = new TreeMap<>();
    private final Map<SoakFault, Integer> faults = new EnumMap<>(SoakFault.class);
    private int late;
    private int drifts;
    private int ended;
    private int secondDone;
    private int secondRefused;

    void operation(String name) {
        operations.merge(name, 1, Integer::sum);
    }

    void fault(SoakFault fault, boolean happened) {
        if (happened) {
            faults.merge(fault, 1, Integer::sum);
        } else {
            late++;
        }
    }

    void drift() {
        drifts++;
    }

    /** A viewer's time was over when the spec was applied. */
    void ended() {
        ended++;
    }

    void second(boolean done) {
        if (done) {
            secondDone++;
        } else {
            secondRefused++;
        }
    }

    int operations() {
        return operations.values().stream().mapToInt(Integer::intValue).sum();
    }

    int faults() {
        return faults.values().stream().mapToInt(Integer::intValue).sum();
    }

    @Override
    public String toString() {
        return operations() + " operations " + operations + ", " + faults() + " faults " + faults + ", " + late
                + " more after the end of the run; " + drifts + " changes by hand; viewers' time was over " + ended
                + " times; a second program was done "
                + secondDone + " times and refused " + secondRefused + " times";
    }
}
