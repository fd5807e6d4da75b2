package dev.promguard.internal.console;

import dev.promguard.internal.console.Line.Style;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp.Capability;

/** A screen that JLine draws. */
final class JLineScreen implements Screen {
    private static final int USUAL_COLUMNS = 80;
    private static final int USUAL_ROWS = 24;

    private final Terminal terminal;
    private final boolean colour;
    private final AtomicBoolean resized = new AtomicBoolean();
    private List<AttributedString> drawn = List.of();
    private Display display;
    private int columns = USUAL_COLUMNS;
    private int rows = USUAL_ROWS;

    /**
     * A screen on a terminal.
     *
     * @param terminal the terminal, which is closed with this
     * @param colour whether lines have looks
     */
    JLineScreen(Terminal terminal, boolean colour) {
        this.terminal = terminal;
        this.colour = colour;
        terminal.handle(Terminal.Signal.WINCH, signal -> resized.set(true));
        measure();
        this.display = display();
    }

    /**
     * A screen on the terminal that the standard output is.
     *
     * @throws IOException if it is none that can be drawn on
     */
    static JLineScreen ofProcess(boolean colour) throws IOException {
        Terminal terminal = TerminalBuilder.builder()
                .system(true)
                .systemOutput(TerminalBuilder.SystemOutput.SysOut)
                .dumb(false)
                // To find out, it would ask the terminal, whose late answer would pass for something that somebody has
                // typed.
                .graphemeCluster(false)
                .build();
        if (terminal.getType().startsWith(Terminal.TYPE_DUMB)) {
            terminal.close();
            throw new IOException("the terminal is dumb");
        }
        return new JLineScreen(terminal, colour);
    }

    private void measure() {
        Size size = terminal.getSize();
        columns = size.getColumns() > 0 ? size.getColumns() : USUAL_COLUMNS;
        rows = size.getRows() > 0 ? size.getRows() : USUAL_ROWS;
    }

    private Display display() {
        Display fresh = new Display(terminal, false);
        fresh.resize(Size.of(columns, rows));
        return fresh;
    }

    /** Clears what was drawn, which the terminal has wrapped anew, and begins in its place. */
    private void resize() {
        if (!resized.getAndSet(false)) {
            return;
        }
        measure();
        int above = drawn.stream()
                .mapToInt(line -> Math.max(1, (line.columnLength() + columns - 1) / columns))
                .sum();
        terminal.puts(Capability.carriage_return);
        if (above > 0) {
            terminal.puts(Capability.parm_up_cursor, Math.min(above, rows - 1));
        }
        terminal.puts(Capability.clr_eos);
        drawn = List.of();
        display = display();
    }

    @Override
    public int columns() {
        resize();
        return columns;
    }

    @Override
    public int rows() {
        resize();
        return rows;
    }

    @Override
    public void draw(List<Line> lines) {
        drawn = lines.stream()
                .map(line -> styled(line).columnSubSequence(0, columns))
                .toList();
        List<AttributedString> shown = drawn.stream()
                .map(line ->
                        new AttributedStringBuilder().append(line).append('\n').toAttributedString())
                .toList();
        // The cursor waits below, where what others print does least harm.
        display.update(shown, lines.size() * (columns + 1));
    }

    @Override
    public void print(List<Line> lines) {
        display.update(List.of(), 0);
        lines.forEach(line -> terminal.writer().println(styled(line).toAnsi(terminal)));
        terminal.flush();
        drawn = List.of();
        display = display();
    }

    private AttributedString styled(Line line) {
        AttributedStringBuilder text = new AttributedStringBuilder();
        line.spans().forEach(span -> text.append(span.text(), colour ? style(span.style()) : AttributedStyle.DEFAULT));
        return text.toAttributedString();
    }

    private static AttributedStyle style(Style style) {
        return switch (style) {
            case PLAIN -> AttributedStyle.DEFAULT;
            case STRONG -> AttributedStyle.BOLD;
            case FAINT -> AttributedStyle.DEFAULT.faint();
            case GOOD -> AttributedStyle.DEFAULT.foreground(AttributedStyle.GREEN);
            case BAD -> AttributedStyle.BOLD.foreground(AttributedStyle.RED);
        };
    }

    @Override
    public void close() {
        display.update(List.of(), 0);
        terminal.handle(Terminal.Signal.WINCH, Terminal.SignalHandler.SIG_DFL);
        try {
            terminal.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot leave the terminal as it was", e);
        }
    }
}
