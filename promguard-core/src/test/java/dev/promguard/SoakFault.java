package dev.promguard;

import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Problem;
import java.util.Random;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What goes wrong at a moment of a run. */
enum SoakFault {
    DIES_BEFORE {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            program.breakAt(moment, Problem.DIES_BEFORE);
        }
    },
    DIES_AFTER {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            program.breakAt(moment, Problem.DIES_AFTER);
        }
    },
    LOSES_ANSWER {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            program.breakAt(moment, Problem.LOSES_ANSWER);
        }
    },
    /** The calling thread is interrupted, which interrupts the one that makes the call. */
    INTERRUPTED {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            Thread caller = Thread.currentThread();
            boolean fails = random.nextBoolean();
            program.before(moment, () -> {
                caller.interrupt();
                SoakRun.awaitInterruption();
            });
            if (fails) {
                program.breakAt(moment, Problem.FAILS);
            }
        }
    },
    API_UNAVAILABLE {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            api(program, moment, times(random), () -> refusal(ErrorCode.PROVIDER_UNAVAILABLE, 503, true));
        }
    },
    API_TIMES_OUT {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            api(program, moment, times(random), () -> refusal(ErrorCode.PROVIDER_UNREACHABLE, null, true));
        }
    },
    API_RATE_LIMIT {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            api(program, moment, times(random), () -> refusal(ErrorCode.PROVIDER_RATE_LIMIT, 429, true));
        }
    },
    /** Until the next run, which has another. */
    TOKEN_REVOKED {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            api(program, moment, Integer.MAX_VALUE, () -> refusal(ErrorCode.PROVIDER_TOKEN, 401, false));
        }
    },
    /** One host or all of them do not answer, for a few calls or until the run ends. */
    SSH_CUT {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            boolean all = random.nextBoolean();
            int which = random.nextInt(5);
            program.before(moment, () -> run.cut(all, which));
            program.before(moment + 1 + random.nextInt(20), run::join);
        }
    },
    CONTROLLER_DISK_FULL {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            program.failFrom(
                    moment,
                    times(random),
                    "StateStore.",
                    () -> new StateException(
                            ErrorCode.STATE_INACCESSIBLE, "cannot write: No space left on device", true, null));
        }
    },
    HOST_DISK_FULL {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            program.failFrom(
                    moment,
                    times(random),
                    random.nextBoolean() ? "Progress.started" : "Progress.done",
                    () -> HostException.of(ErrorCode.STEP_FAILED, "host", "", "write a file")
                            .exitCode(1)
                            .because("No space left on device", "Make room."));
        }
    },
    /** The controller's clock jumps by an hour. */
    CLOCK_JUMPS {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            boolean ahead = random.nextBoolean();
            program.before(moment, () -> run.jump(ahead));
        }
    },
    /** Another program works on the same mesh with the same state. */
    SECOND_PROGRAM {
        @Override
        void happen(Calls program, int moment, Random random, SoakRun run) {
            int verb = random.nextInt(4);
            program.before(moment, () -> run.secondProgram(verb));
        }
    };

    /** Has it happen at one of the calls to come. */
    abstract void happen(Calls program, int moment, Random random, SoakRun run);

    private static int times(Random random) {
        return random.nextInt(3) == 0 ? Integer.MAX_VALUE : 1 + random.nextInt(4);
    }

    private static void api(Calls program, int moment, int times, Supplier<RuntimeException> how) {
        program.failFrom(moment, times, "CloudProvider.", how);
    }

    private static ProviderException refusal(ErrorCode code, @Nullable Integer status, boolean retryable) {
        return new ProviderException(code, "told to fail", status, null, null, retryable, null);
    }
}
