package dev.promguard.internal.console;

import dev.promguard.MeshEvent.State;
import dev.promguard.Progress;

/** A program that shows a run on its console, for tests that give it a terminal. */
final class ConsoleMain {
    private ConsoleMain() {}

    public static void main(String[] args) {
        Story story = new Story("r", Progress.console());
        story.run("apply");
        long read = story.after(1).task("shop-node-1", "read the host");
        story.after(1.5).done("shop-node-1", read, "read the host");
        story.over(State.DONE, "apply");
    }
}
