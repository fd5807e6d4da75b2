package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.MeshEvent.Kind;
import dev.promguard.MeshEvent.State;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/** A listener that keeps the events, and insists on what the Javadoc of {@link MeshEvent} says of the events of a run. */
final class EventLog implements MeshListener {
    private final List<MeshEvent> events = new CopyOnWriteArrayList<>();

    @Override
    public void on(MeshEvent event) {
        events.add(event);
    }

    List<MeshEvent> events() {
        return List.copyOf(events);
    }

    /** The events of each run, in the order in which the runs began. */
    List<List<MeshEvent>> runs() {
        Map<String, List<MeshEvent>> runs = new LinkedHashMap<>();
        events.forEach(event ->
                runs.computeIfAbsent(event.run(), run -> new ArrayList<>()).add(event));
        return List.copyOf(runs.values());
    }

    List<MeshEvent> lastRun() {
        List<List<MeshEvent>> runs = runs();
        return runs.get(runs.size() - 1);
    }

    State outcome() {
        List<MeshEvent> run = lastRun();
        return run.get(run.size() - 1).state();
    }

    /** The ids of the steps of the last run, each once. */
    List<String> stepIds() {
        return lastRun().stream()
                .filter(event -> event.kind() == Kind.STEP && event.state() != State.STARTED)
                .sorted(Comparator.comparingInt(event -> event.index().orElseThrow()))
                .map(event -> event.stepId().orElseThrow())
                .toList();
    }

    void assertWellFormed(String moment) {
        for (List<MeshEvent> run : runs()) {
            assertWellFormed(run, moment + "\n" + text(run));
        }
    }

    private static String text(List<MeshEvent> run) {
        StringBuilder text = new StringBuilder();
        run.forEach(event -> text.append(event.id())
                .append(" in ")
                .append(event.parent())
                .append(' ')
                .append(event.kind())
                .append(' ')
                .append(event)
                .append('\n'));
        return text.toString();
    }

    private static void assertWellFormed(List<MeshEvent> run, String moment) {
        Map<Long, MeshEvent> open = new LinkedHashMap<>();
        Set<Long> used = new HashSet<>();
        Set<String> steps = new HashSet<>();
        Set<Integer> indexes = new HashSet<>();
        OptionalInt total = OptionalInt.empty();
        int percent = 0;
        for (MeshEvent event : run) {
            String what = event + "\n" + moment;
            MeshEvent start = open.get(event.id());
            if (event.state().isEnd()) {
                assertThat(start).as("started before %s", what).isNotNull();
                assertThat(event.parent()).as(what).isEqualTo(start.parent());
                assertThat(event.step()).as(what).isEqualTo(start.step());
                assertThat(event.stepId()).as(what).isEqualTo(start.stepId());
                assertThat(event.host()).as(what).isEqualTo(start.host());
                assertThat(event.duration()).as(what).isPresent();
                assertThat(event.time()).as(what).isAfterOrEqualTo(start.time());
                open.remove(event.id());
                assertThat(open.values())
                        .as("parts that are open at the end of %s", what)
                        .noneMatch(other -> other.parent().equals(OptionalLong.of(event.id())));
            } else {
                assertThat(used.add(event.id())).as("a new id in %s", what).isTrue();
                assertThat(event.duration()).as(what).isEmpty();
                if (event.kind() == Kind.RUN) {
                    assertThat(event.parent()).as(what).isEmpty();
                } else {
                    assertThat(open)
                            .as("parent of %s", what)
                            .containsKey(event.parent().orElseThrow());
                }
            }
            if (event.state() == State.STARTED) {
                open.put(event.id(), event);
            }
            assertThat(event.state() == State.NOTED).as(what).isEqualTo(event.kind() == Kind.NOTE);
            assertThat(event.kind() == Kind.STEP)
                    .as(what)
                    .isEqualTo(event.index().isPresent());
            assertThat(event.host().isPresent() && (event.kind() == Kind.RUN || event.kind() == Kind.PHASE))
                    .as(what)
                    .isFalse();
            if (event.kind() == Kind.STEP && !event.state().isEnd()) {
                assertThat(steps.add(event.stepId().orElseThrow()))
                        .as("once: %s", what)
                        .isTrue();
                assertThat(indexes.add(event.index().orElseThrow()))
                        .as("once: %s", what)
                        .isTrue();
                assertThat(event.index().orElseThrow())
                        .as(what)
                        .isBetween(1, event.total().orElseThrow());
            }
            if (total.isPresent()) {
                assertThat(event.total()).as(what).isEqualTo(total);
            }
            total = event.total();
            assertThat(event.percent().isPresent()).as(what).isEqualTo(total.isPresent());
            if (event.percent().isPresent()) {
                assertThat(event.percent().getAsInt()).as(what).isBetween(percent, 100);
                percent = event.percent().getAsInt();
            }
        }
        assertThat(open).as("what has not ended, %s", moment).isEmpty();
        assertThat(run.get(0).kind()).as(moment).isEqualTo(Kind.RUN);
        assertThat(run.get(0).id()).as(moment).isEqualTo(1);
        assertThat(run.get(run.size() - 1).id()).as(moment).isEqualTo(1);
        assertThat(run.get(run.size() - 1).state().isEnd()).as(moment).isTrue();
        if (total.isPresent()) {
            assertThat(steps).as(moment).hasSize(total.getAsInt());
            boolean all = run.stream()
                    .filter(event -> event.kind() == Kind.STEP && event.state() != State.STARTED)
                    .allMatch(event -> event.state() == State.DONE);
            assertThat(percent == 100).as(moment).isEqualTo(all);
        }
    }
}
