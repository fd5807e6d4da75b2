package dev.promguard.memory;

import dev.promguard.ApplyReport;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.Progress;
import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.HostFacts;
import dev.promguard.host.NewKeys;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;

/** The way to the machines of a {@link MemoryCloud}. Thread-safe. */
public final class MemoryHosts implements HostApplier {
    private final Function<String, Optional<MemoryMachine>> machines;
    private final Supplier<List<MemoryMachine>> network;
    private final Queue<Duration> bootTimeouts = new ConcurrentLinkedQueue<>();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger opened = new AtomicInteger();
    private final Set<String> muteNames = new HashSet<>();
    private volatile Function<String, HostKeyFingerprint> jumpHosts = name -> {
        throw new IllegalStateException("no jump host " + name);
    };
    private volatile List<JumpHost> way = List.of();
    private volatile Duration rollbackAfter = Duration.ofMillis(1);

    /** The way to every machine of a cloud. */
    public MemoryHosts(MemoryCloud cloud) {
        machines = cloud::machineAt;
        network = cloud::machines;
    }

    /** The way to every machine that was there before. */
    public MemoryHosts(MemoryInventory inventory) {
        machines = inventory::machineAt;
        network = inventory::machines;
    }

    /** How many sessions are open. */
    public int open() {
        return open.get();
    }

    /** How many sessions were ever opened. */
    public int opened() {
        return opened.get();
    }

    /** Says what key a jump host shows, each time that it is passed, by its name. */
    public void jumpHosts(Function<String, HostKeyFingerprint> keys) {
        jumpHosts = keys;
    }

    /** Leads to every host of a cloud through some jump hosts. */
    public void lead(JumpHost... through) {
        way = List.of(through);
    }

    @Override
    public List<JumpHost> jumpHosts() {
        return way;
    }

    /** Gives confirmations this much time. */
    public void rollbackAfter(Duration time) {
        rollbackAfter = time;
    }

    /** Machines roll back when they are told to: there is nothing to wait for, unless said otherwise. */
    @Override
    public Duration rollbackAfter() {
        return rollbackAfter;
    }

    /** Keeps who connects to a host of this name waiting, until {@link #answer()}. */
    public synchronized void mute(String name) {
        muteNames.add(name);
    }

    /** Has every host answer again. */
    public synchronized void answer() {
        muteNames.clear();
        notifyAll();
    }

    private synchronized void awaitAnswer(String name) {
        while (muteNames.contains(name)) {
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    @Override
    public HostSession open(HostTarget target) {
        awaitAnswer(target.name());
        if (Thread.currentThread().isInterrupted()) {
            throw failed(ErrorCode.CANCELLED, target).retryable().because("interrupted", "Run it again.");
        }
        MemoryMachine machine = machines.apply(target.address())
                .filter(found -> !found.isDown())
                .orElseThrow(() -> failed(ErrorCode.CONNECT_FAILED, target)
                        .retryable()
                        .because("no answer in " + target.timeout().toSeconds() + " s", "See that it is up."));
        List<HostKeyFingerprint> jumpKeys = new ArrayList<>();
        for (HostTarget hop : target.jumpHosts()) {
            HostKeyFingerprint key = jumpHosts.apply(hop.name());
            if (!hop.acceptedHostKeys().contains(key)
                    && !(hop.trustOnFirstUse() && hop.acceptedHostKeys().isEmpty())) {
                throw failed(ErrorCode.HOST_KEY_REFUSED, target)
                        .because("jump host " + hop.name() + " showed " + key, "Nothing was sent.");
            }
            jumpKeys.add(key);
        }
        HostKeyFingerprint shown = machine.hostKey();
        boolean firstUse = target.trustOnFirstUse() && target.acceptedHostKeys().isEmpty();
        boolean certified = machine.certificate()
                .filter(target.certificates().authorities()::contains)
                .isPresent();
        if (!firstUse && !certified && !target.acceptedHostKeys().contains(shown)) {
            throw failed(ErrorCode.HOST_KEY_REFUSED, target)
                    .refusedHostKey(shown)
                    .because(
                            "it showed host key " + shown + ", and only " + target.acceptedHostKeys() + " is accepted",
                            "Nothing was sent.");
        }
        if (target.identities().stream()
                .flatMap(identity -> identity.key().stream())
                .noneMatch(machine::admits)) {
            throw failed(ErrorCode.LOGIN_REFUSED, target).because("the login was refused", "Put back the login key.");
        }
        opened.incrementAndGet();
        open.incrementAndGet();
        return new MemorySession(target, machine, shown, jumpKeys);
    }

    private static HostException.Builder failed(ErrorCode code, HostTarget target) {
        return HostException.of(code, target.name(), target.address(), "connect");
    }

    /** How long the first boot was waited for, each time that facts were read. */
    public List<Duration> bootTimeouts() {
        return List.copyOf(bootTimeouts);
    }

    private final class MemorySession implements HostSession {
        private final HostTarget target;
        private final MemoryMachine machine;
        private final HostKeyFingerprint shown;
        private final List<HostKeyFingerprint> jumpKeys;
        private final AtomicBoolean closed = new AtomicBoolean();

        MemorySession(
                HostTarget target, MemoryMachine machine, HostKeyFingerprint shown, List<HostKeyFingerprint> jumpKeys) {
            this.jumpKeys = jumpKeys;
            this.target = target;
            this.machine = machine;
            this.shown = shown;
        }

        private HostException.Builder failed(ErrorCode code, String step) {
            return HostException.of(code, target.name(), target.address(), step);
        }

        private void check(String step) {
            if (closed.get()) {
                throw failed(ErrorCode.MISUSE, step).because("the session is closed", "Open a new one.");
            }
            if (Thread.currentThread().isInterrupted()) {
                throw failed(ErrorCode.CANCELLED, step).retryable().because("interrupted", "Run it again.");
            }
            if (machine.isDown()) {
                throw failed(ErrorCode.CONNECTION_LOST, step)
                        .retryable()
                        .status(machine.armedBy(this) ? ApplyReport.Status.UNKNOWN : ApplyReport.Status.FAILED)
                        .because("the connection was lost", "See that it is up.");
            }
        }

        @Override
        public HostKeyFingerprint hostKey() {
            return shown;
        }

        @Override
        public List<HostKeyFingerprint> jumpHostKeys() {
            return jumpKeys;
        }

        @Override
        public HostFacts facts(FactsQuery query, Duration bootTimeout) {
            check("read facts");
            bootTimeouts.add(bootTimeout);
            return machine.facts(query, this);
        }

        @Override
        public boolean apply(List<Change> changes, NewKeys keys, Progress progress) {
            for (Change change : changes) {
                check(change.describe());
                machine.begin(change, keys, this, progress);
            }
            return machine.armedBy(this);
        }

        @Override
        public void confirm() {
            check("confirm the changes");
            machine.confirm(this);
        }

        @Override
        public void rollBack() {
            check("roll back");
            machine.rollBack();
        }

        @Override
        public List<ProbeResult> probe(List<Probe> probes, Duration timeout) {
            check("probe at ports");
            return machine.probe(probes, network.get());
        }

        @Override
        public Set<HostKeyFingerprint> hostKeys(Probe server, Duration timeout) {
            check("ask for host keys");
            return machine.hostKeys(server, network.get());
        }

        @Override
        public int forward(String address, int port) {
            check("forward a port");
            return machine.forward(port);
        }

        @Override
        public void close() {
            if (!closed.getAndSet(true)) {
                open.decrementAndGet();
            }
        }
    }
}
