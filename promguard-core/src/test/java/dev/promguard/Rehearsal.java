package dev.promguard;

import dev.promguard.memory.Calls;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** A verb that went well once, so that it is known which calls it makes in which order with one worker. */
record Rehearsal(List<String> calls) {
    Rehearsal(Supplier<Account> before, UnaryOperator<MeshBuilder> spec) {
        this(before, spec, Mesh::apply);
    }

    Rehearsal(Supplier<Account> before, UnaryOperator<MeshBuilder> spec, Function<Mesh, ?> verb) {
        this(rehearse(before, spec, verb));
    }

    private static List<String> rehearse(
            Supplier<Account> before, UnaryOperator<MeshBuilder> spec, Function<Mesh, ?> verb) {
        Account account = before.get();
        Calls calls = new Calls();
        Object outcome =
                verb.apply(spec.apply(account.spec(calls)).parallelism(1).build());
        if (outcome instanceof Tunnel tunnel) {
            tunnel.close();
        }
        return calls.made();
    }

    /** The place of the first call of a kind, counted from 1. */
    int position(String call) {
        int found = calls.indexOf(call);
        if (found < 0) {
            throw new IllegalArgumentException(call + " is none of " + calls);
        }
        return found + 1;
    }
}
