package dev.promguard.memory;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.ProviderException;
import dev.promguard.StateException;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.StateStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Counts every call of every port of one program, and can break one of them: what a bad network, a full disk, a kill or an
 * interruption does to a program at that moment. Thread-safe.
 */
public final class Calls {
    /** Calls that no effect hangs on, or that must not fail by their contract. */
    private static final Set<String> UNCOUNTED = Set.of(
            "name",
            "describe",
            "batchSize",
            "releases",
            "listLag",
            "hostKey",
            "inventory",
            "jumpHosts",
            "close",
            "toString",
            "hashCode",
            "equals");

    private final List<String> made = new ArrayList<>();
    private final CountDownLatch blocked = new CountDownLatch(1);
    private boolean countsSteps;
    private int breakAt;
    private @Nullable Problem problem;
    private @Nullable String outage;
    private int outageLasts = Integer.MAX_VALUE;
    private @Nullable Supplier<? extends RuntimeException> failing;
    private final Map<Integer, Runnable> hooks = new HashMap<>();
    private boolean dead;

    /** What happens at the call that breaks. */
    public enum Problem {
        /** It fails and has had no effect. */
        FAILS,
        /** It has its effect, and then fails: the answer is lost. */
        LOSES_ANSWER,
        /** The program is killed before the call. */
        DIES_BEFORE,
        /** The program is killed when the call has had its effect. */
        DIES_AFTER,
        /** It does not return until its thread is interrupted, and then fails. */
        BLOCKS
    }

    /** The program is dead; nothing that it does has any effect. */
    public static final class Death extends Error {
        private static final long serialVersionUID = 1L;

        Death() {
            super("killed", null, false, false);
        }
    }

    /** Breaks one of the calls to come. */
    public synchronized void breakAt(int number, Problem how) {
        breakAt = made.size() + number;
        problem = how;
    }

    /** From a call on, every call of a port fails and has no effect, such as {@code CloudProvider}; its name may be cut short. */
    public synchronized void failFrom(int number, String port) {
        breakAt = made.size() + number;
        outage = port;
    }

    /** From a call on, so many calls of a port fail with this and have no effect. */
    public synchronized void failFrom(int number, int calls, String port, Supplier<? extends RuntimeException> how) {
        failFrom(number, port);
        outageLasts = calls;
        failing = how;
    }

    /** Does something just before one of the calls to come is made. */
    public synchronized void before(int number, Runnable what) {
        hooks.put(made.size() + number, what);
    }

    /** Counts the begin and the end of each change on a host too, so that a program can break between two of them. */
    public synchronized Calls countingSteps() {
        countsSteps = true;
        return this;
    }

    /** The calls so far, such as {@code CloudProvider.list}. */
    public synchronized List<String> made() {
        return List.copyOf(made);
    }

    /** How many calls of one kind there were. */
    public synchronized long made(String call) {
        return made.stream().filter(call::equals).count();
    }

    /** PollIntervals until a call blocks. */
    public void awaitBlocked() throws InterruptedException {
        blocked.await();
    }

    /** Whether a call has blocked. */
    public boolean isBlocked() {
        return blocked.getCount() == 0;
    }

    /** A provider whose calls are counted. */
    public CloudProvider watch(CloudProvider port) {
        return watch(CloudProvider.class, port);
    }

    /** An applier whose calls, and its sessions' calls, are counted. */
    public HostApplier watch(HostApplier port) {
        return watch(HostApplier.class, port);
    }

    /** A store whose calls are counted, by what the engine does with them: {@code StateStore.load}, {@code StateStore.save} and so on. */
    public StateStore watch(StateStore port) {
        return watch(StateStore.class, port);
    }

    /** What a call of a store is to the engine; empty for one that only belongs to another. */
    private static Optional<String> name(Class<?> port, Method method, Object @Nullable [] arguments) {
        if (port != StateStore.class && port != StateStore.Lock.class) {
            return Optional.of(port.getSimpleName() + '.' + method.getName());
        }
        String document =
                arguments == null ? "" : String.valueOf(arguments[port == StateStore.class ? arguments.length - 1 : 0]);
        Optional<String> call = switch (method.getName()) {
            case "read" ->
                switch (document) {
                    case "state.json" -> Optional.of("load");
                    case "id_ed25519" -> Optional.of("loadLoginKey");
                    default -> Optional.empty();
                };
            case "write" ->
                switch (document) {
                    case "id_ed25519" -> Optional.of("saveLoginKey");
                    case "state.json" ->
                        Optional.of(arguments != null && Optional.empty().equals(arguments[2]) ? "save" : "merge");
                    default -> document.startsWith("changes-") ? Optional.of("save") : Optional.empty();
                };
            case "delete" -> document.contains("state.json") ? Optional.of("delete") : Optional.empty();
            case "names" -> Optional.empty();
            default -> Optional.of(method.getName());
        };
        return call.map("StateStore."::concat);
    }

    private <T> T watch(Class<T> port, T real) {
        return port.cast(Proxy.newProxyInstance(
                port.getClassLoader(),
                new Class<?>[] {port},
                (proxy, method, arguments) -> call(port, real, method, arguments)));
    }

    private @Nullable Object call(Class<?> port, Object real, Method method, Object @Nullable [] arguments)
            throws Throwable {
        if (UNCOUNTED.contains(method.getName())) {
            return invoke(real, method, arguments);
        }
        Optional<String> name = name(port, method, arguments);
        if (name.isPresent()) {
            hookAtNext().ifPresent(Runnable::run);
        }
        Problem now = name.isPresent() ? next(name.get()) : deadOrFine();
        if (now == Problem.DIES_BEFORE) {
            throw new Death();
        } else if (now == Problem.FAILS) {
            throw failure(port);
        } else if (now == Problem.BLOCKS) {
            block();
            throw failure(port);
        }
        Object answer = invoke(real, method, stepping(method, arguments));
        if (now == Problem.DIES_AFTER) {
            if (answer instanceof AutoCloseable opened) {
                opened.close();
            }
            throw new Death();
        } else if (now == Problem.LOSES_ANSWER) {
            if (answer instanceof AutoCloseable opened) {
                opened.close();
            }
            throw failure(port);
        }
        if (answer instanceof StateStore.Lock lock) {
            return watch(StateStore.Lock.class, lock);
        }
        return answer instanceof HostSession session ? watch(HostSession.class, session) : answer;
    }

    /** The arguments of a call, with progress that counts as calls where steps do. */
    private Object @Nullable [] stepping(Method method, Object @Nullable [] arguments) {
        synchronized (this) {
            if (!countsSteps || arguments == null || !method.getName().equals("apply")) {
                return arguments;
            }
        }
        Object[] changed = arguments.clone();
        for (int i = 0; i < changed.length; i++) {
            if (changed[i] instanceof HostSession.Progress progress) {
                changed[i] = watch(HostSession.Progress.class, progress);
            }
        }
        return changed;
    }

    private synchronized Optional<Runnable> hookAtNext() {
        return Optional.ofNullable(hooks.remove(made.size() + 1));
    }

    private synchronized @Nullable Problem deadOrFine() {
        if (dead) {
            throw new Death();
        }
        return null;
    }

    private synchronized @Nullable Problem next(String call) {
        if (dead) {
            throw new Death();
        }
        made.add(call);
        if (outage != null && made.size() >= breakAt) {
            return call.startsWith(outage) && outageLasts-- > 0 ? Problem.FAILS : null;
        }
        if (made.size() != breakAt) {
            return null;
        }
        dead = problem == Problem.DIES_BEFORE || problem == Problem.DIES_AFTER;
        return problem;
    }

    private void block() {
        blocked.countDown();
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private RuntimeException failure(Class<?> port) {
        Supplier<? extends RuntimeException> how = failing;
        if (how != null) {
            return how.get();
        } else if (port == CloudProvider.class) {
            return new ProviderException(ErrorCode.PROVIDER_UNAVAILABLE, "told to fail", null, null, null, true, null);
        } else if (port == StateStore.class || port == StateStore.Lock.class) {
            return new StateException(ErrorCode.STATE_INACCESSIBLE, "told to fail", true, null);
        }
        return HostException.of(ErrorCode.STEP_FAILED, "host", "", "told").because("told to fail", "");
    }

    private static @Nullable Object invoke(Object real, Method method, Object @Nullable [] arguments) throws Throwable {
        try {
            return method.invoke(real, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
