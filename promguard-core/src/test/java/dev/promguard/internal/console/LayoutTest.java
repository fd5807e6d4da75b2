package dev.promguard.internal.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.MeshEvent;
import dev.promguard.MeshEvent.Kind;
import dev.promguard.MeshEvent.State;
import dev.promguard.internal.text.Columns;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How runs are laid out in the lines of a terminal. */
class LayoutTest {
    private static final String LONG = "promguard-quickstart-of-a-team-with-a-long-name-node-1";

    private final List<RunView> views = new ArrayList<>();
    private final Story story = new Story("r", this::on);
    private long last;

    private void on(MeshEvent event) {
        if (event.kind() == Kind.RUN && event.state() == State.STARTED) {
            views.add(new RunView(event));
        }
        views.get(0).on(event);
    }

    private String live(int columns, int rows) {
        return text(Layout.live(views.get(0), story.instant(), columns, rows), columns);
    }

    private String recap(int columns) {
        return text(Layout.recap(views.get(0), columns), columns);
    }

    private static String text(List<Line> lines, int columns) {
        assertThat(lines)
                .allSatisfy(line ->
                        assertThat(Columns.width(line.text())).as(line.text()).isLessThanOrEqualTo(columns));
        return lines.stream().map(line -> line.text() + "\n").collect(Collectors.joining());
    }

    private void tellApply() {
        story.run("apply");
        long node = story.after(1.2).percent(25).begin(Kind.STEP, LONG, 1, "create the host and set it up");
        long other = story.begin(Kind.STEP, "db-1", 1, "create the host and set it up");
        story.after(2)
                .begin(
                        Kind.TASK,
                        LONG,
                        node,
                        "write /etc/prometheus/file_sd/node_exporter.yml, and reload what reads it");
        long install = story.after(1).begin(Kind.TASK, "db-1", other, "install ufw, wireguard-tools");
        story.after(3.1);
        story.end(Kind.TASK, State.FAILED, "db-1", install, other, "install ufw, wireguard-tools");
        story.end(Kind.STEP, State.FAILED, "db-1", other, 1, "create the host and set it up");
        long read = story.task("web-1", "read the host");
        story.after(0.4).done("web-1", read, "read the host");
        story.note("web-1", "nothing to change");
        last = story.task("多台主机-1", "wait until active");
        story.after(120);
    }

    @Test
    void live_at80Columns_clipsWhatIsSaidBeforeNames() {
        tellApply();

        assertThat(live(80, 24)).isEqualTo("""
                apply shop  2:07 min  25 %
                  db-1                                           6.1 s  FAILED: install ufw, …
                  promguard-quickstart-…h-a-long-name-node-1  2:04 min  write /etc/p…at reads it
                  web-1                                          0.4 s  nothing to change
                  多台主机-1                                  2:00 min  wait until active
                """);
    }

    @Test
    void live_at40Columns_showsNamesAndNotTheirBeginnings() {
        story.run("apply");
        story.task("shop-monitor-1", "install ufw, wireguard-tools");
        story.after(2);

        assertThat(live(40, 24)).isEqualTo("""
                apply shop  2.0 s
                  shop-monitor-1     2.0 s  install …
                """);
    }

    @Test
    void live_at40ColumnsWithLongNames_leavesOutTheTimes() {
        story.run("apply");
        story.task("promguard-quickstart-monitor-1", "install ufw, wireguard-tools");
        story.after(2);

        assertThat(live(40, 24)).isEqualTo("""
                apply shop  2.0 s
                  promguard-quickstart-monitor-1  ins…ls
                """);
    }

    @Test
    void live_at120Columns_showsNamesWhole() {
        tellApply();

        assertThat(live(120, 24)).isEqualTo("""
                apply shop  2:07 min  25 %
                  db-1                                                       6.1 s  FAILED: install ufw, wireguard-tools
                  promguard-quickstart-of-a-team-with-a-long-name-node-1  2:04 min  write /etc/prometheus/file_sd/node_exporter.yml, …
                  web-1                                                      0.4 s  nothing to change
                  多台主机-1                                              2:00 min  wait until active
                """);
    }

    @Test
    void live_moreHostsThanRows_showsTheActiveOnesAndACount() {
        story.run("apply");
        for (int i = 1; i <= 12; i++) {
            long id = story.task("node-" + i, "read the host");
            if (i % 3 == 0) {
                story.done("node-" + i, id, "read the host");
            } else if (i == 10) {
                story.failed("node-" + i, id, "read the host");
            }
        }

        assertThat(live(80, 6)).isEqualTo("""
                apply shop  0.0 s
                  node-1     0.0 s  read the host
                  node-2     0.0 s  read the host
                  node-4     0.0 s  read the host
                  node-5     0.0 s  read the host
                  … and 8 hosts more: 3 at work, 1 failed, 4 with nothing to do now
                """);
        assertThat(live(80, 13)).contains("node-12").doesNotContain("more");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 20, 33, 40, 60, 79, 80, 81, 120, 300})
    void live_anyWidth_fits(int columns) {
        tellApply();
        for (int rows = 1; rows < 8; rows++) {
            assertThat(live(columns, rows).lines().count()).isLessThanOrEqualTo(Math.max(2, rows));
        }
        story.over(State.FAILED, "apply");
        recap(columns);
    }

    @Test
    void recap_ofAFailedRun_saysWhatBecameOfEachHost() {
        tellApply();
        story.end(Kind.TASK, State.CANCELLED, LONG, 4, 2, "write");
        story.end(Kind.STEP, State.CANCELLED, LONG, 2, 1, "create the host and set it up");
        story.end(Kind.TASK, State.CANCELLED, "多台主机-1", last, 1, "wait until active");
        story.skipped("web-1", "write /etc/hosts");
        story.over(State.FAILED, "apply");

        assertThat(recap(80)).isEqualTo("""
                apply shop: FAILED after 2:07 min, 1 step not begun
                  db-1                                           6.1 s  FAILED at: install …
                  promguard-quickstart-…h-a-long-name-node-1  2:06 min  create …: not finished
                  web-1                                          0.4 s  nothing to change
                  多台主机-1                                  2:00 min  wait …: not finished
                """);
    }
}
