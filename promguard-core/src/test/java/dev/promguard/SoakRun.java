package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.host.Leftovers;
import dev.promguard.keys.PublicKey;
import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Death;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.spi.StateStore;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Random operations on one mesh: each is broken once or several times, and then run again in peace. After that there is exactly what the
 * spec says, or nothing. All that happens follows from the seed.
 */
final class SoakRun {
    private static final int[] LAGS = {0, 0, 0, 3, 8, 20, 60};
    private static final List<SoakFault> FAULTS = List.of(SoakFault.values());
    private static final Set<String> FILES = Set.of(
            "/etc/systemd/system/node_exporter.service",
            "/etc/wireguard/wg0.conf",
            "/etc/prometheus/prometheus.yml",
            "/etc/prometheus/targets/node.json");
    /** What is on the hosts of meshes that nothing has ever happened to, by what their spec says. */
    private static final Map<String, Map<String, List<String>>> UNDISTURBED = new ConcurrentHashMap<>();

    private final Random random;
    private final boolean cloud;
    private final World world;
    private final SoakCounts counts;
    private final Map<String, Integer> calls = new HashMap<>();
    private final List<String> history = new ArrayList<>();
    private final ControllerClock clock = new ControllerClock();
    private final Map<String, String> renamed = new TreeMap<>();
    private int port = 51_820;
    private boolean gone;
    /** A second program has destroyed the mesh, which is to be there. */
    private boolean destroyed;

    /** The controller's clock. */
    private static final class ControllerClock extends Clock {
        private volatile Duration offset = Duration.ZERO;

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return Instant.now().plus(offset);
        }
    }

    /** A verb, and the one that is run when it was broken. */
    private record Operation(String name, Consumer<MeshBuilder> verb, Consumer<MeshBuilder> again) {
        Operation(String name, Consumer<MeshBuilder> verb) {
            this(name, verb, verb);
        }
    }

    SoakRun(long seed, SoakCounts counts) {
        this.random = new Random(seed * 0x9E3779B97F4A7C15L);
        this.counts = counts;
        random.nextInt();
        cloud = random.nextInt(3) > 0;
        world = fresh();
        world.nodes().add("node-1");
        gone(true);
    }

    /** What has happened so far. */
    List<String> history() {
        return List.copyOf(history);
    }

    /** Does one operation. */
    void step() {
        Operation operation = next();
        note(operation.name());
        counts.operation(operation.name().replaceAll(" .*", ""));
        int broken = random.nextInt(6) == 0 ? 0 : 1 + random.nextInt(4) / 2;
        for (int time = 0; time < broken; time++) {
            world.lag(LAGS[random.nextInt(LAGS.length)]);
            broken(operation);
            between();
        }
        world.lag(0);
        if (destroyed && !gone) {
            spec(new Calls()).apply();
        }
        destroyed = false;
        Set<PublicKey> before = keys();
        world.viewers()
                .replaceAll((name, viewer) -> new World.Viewer(
                        viewer.key(), viewer.until(), !viewer.until().isAfter(clock.instant())));
        world.viewers().values().stream().filter(World.Viewer::ended).forEach(viewer -> counts.ended());
        operation.again().accept(spec(new Calls()));
        renameBack();
        world.check();
        if (!gone) {
            undisturbed().forEach((name, expected) -> {
                List<String> found = new ArrayList<>(snapshots().getOrDefault(name, List.of()));
                List<String> lacking = new ArrayList<>(expected);
                found.forEach(lacking::remove);
                expected.forEach(found::remove);
                assertThat(lacking)
                        .as("what %s lacks; more than expected: %s", name, found)
                        .isEmpty();
                assertThat(found).as("what %s has more than expected", name).isEmpty();
            });
        }
        if (operation.name().equals("rotate")) {
            // Before it there may be none: a host alone that booted has no interface until the next run.
            assertThat(keys()).as("keys after a rotation").isNotEmpty().noneMatch(before::contains);
        }
    }

    /** Gives hosts their names back that are there still. */
    private void renameBack() {
        renamed.forEach((to, name) -> {
            if (account().cloud.names().contains(to)) {
                account().cloud.rename(to, name);
            }
        });
        renamed.clear();
    }

    private void note(String what) {
        history.add(what);
    }

    private Operation next() {
        if (gone) {
            if (random.nextInt(4) == 0) {
                return new Operation(
                        "first-apply, then destroy",
                        MeshBuilder::apply,
                        mesh -> mesh.build().destroy());
            }
            gone(false);
            return new Operation("first-apply", MeshBuilder::apply);
        }
        int choice = random.nextInt(14);
        switch (choice) {
            case 0, 1 -> {
                String name = "node-" + (1 + random.nextInt(4));
                boolean added = world.nodes().add(name);
                events();
                return new Operation(added ? "add " + name : "apply", MeshBuilder::apply);
            }
            case 2, 3 -> {
                String name = any(world.nodes()).orElse("node-1");
                boolean removed = world.nodes().remove(name);
                events();
                return new Operation(removed ? "remove " + name : "apply", MeshBuilder::apply);
            }
            case 4, 5 -> {
                drifts();
                return new Operation("rotate", mesh -> mesh.build().rotateKeys());
            }
            case 6 -> {
                port(51_000 + random.nextInt(4));
                events();
                return new Operation("port " + port, MeshBuilder::apply);
            }
            case 7 -> {
                Optional<String> node = any(world.nodes());
                if (!cloud || node.isEmpty()) {
                    events();
                    return new Operation("apply", MeshBuilder::apply);
                }
                drifts();
                return new Operation(
                        "replace " + node.get(), mesh -> mesh.build().replace(node.get()), MeshBuilder::apply);
            }
            case 8 -> {
                events();
                gone(true);
                return new Operation("destroy", mesh -> mesh.build().destroy());
            }
            case 12, 13 -> {
                String name = List.of("anna", "bob").get(random.nextInt(2));
                Instant until = clock.instant().plus(Duration.ofMinutes(random.nextBoolean() ? 30 : 90));
                boolean added = world.viewers().remove(name) == null;
                if (added) {
                    world.viewers().put(name, new World.Viewer(SpecFile.publicKey(name), until, false));
                }
                events();
                return new Operation((added ? "admit " : "expel ") + name, MeshBuilder::apply);
            }
            case 9 -> {
                events();
                return new Operation("plan", MeshBuilder::plan, MeshBuilder::apply);
            }
            default -> {
                events();
                return new Operation("apply", MeshBuilder::apply);
            }
        }
    }

    private Optional<String> any(Set<String> names) {
        return names.isEmpty()
                ? Optional.empty()
                : Optional.of(List.copyOf(new TreeSet<>(names)).get(random.nextInt(names.size())));
    }

    /** Up to three things that somebody does by hand, on hosts or in the cloud. */
    private void events() {
        for (int event = random.nextInt(4); event > 0; event--) {
            if (cloud && random.nextBoolean()) {
                inTheCloud();
            } else {
                drift();
            }
        }
    }

    private void drifts() {
        for (int event = random.nextInt(3); event > 0; event--) {
            drift();
        }
    }

    private void inTheCloud() {
        Optional<String> host = any(Set.copyOf(account().cloud.names()));
        if (host.isEmpty() || renamed.containsKey(host.get())) {
            return;
        }
        switch (random.nextInt(4)) {
            case 0 -> {
                note("(" + host.get() + " is rebuilt)");
                account().cloud.rebuild(host.get());
            }
            case 1 -> {
                String to = "web-" + renamed.size();
                note("(" + host.get() + " is renamed to " + to + ")");
                account().cloud.rename(host.get(), to);
                renamed.put(to, host.get());
            }
            case 2 -> {
                note("(" + host.get() + " loses its tag)");
                account().cloud.untag(host.get());
            }
            default -> {
                note("(" + host.get() + " is deleted)");
                account().cloud.vanish(host.get());
            }
        }
    }

    private void drift() {
        Map<String, MemoryMachine> hosts = world.hosts();
        Optional<String> host = any(hosts.keySet());
        if (host.isEmpty()) {
            return;
        }
        MemoryMachine machine = Objects.requireNonNull(hosts.get(host.get()));
        int kind = random.nextInt(15);
        note("(drift " + kind + " on " + host.get() + ")");
        counts.drift();
        switch (kind) {
            case 0 -> machine.disableFirewall();
            case 1 -> existing(machine).ifPresent(path -> machine.edit(path, text -> text + " \n"));
            case 2 -> existing(machine).ifPresent(machine::remove);
            case 3 -> machine.removeRules(port);
            case 4 -> machine.dropPeers();
            case 5 -> machine.befriend(new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k="), "10.0.0.77/32");
            case 6 -> machine.loosenPresharedKeys();
            case 7 -> machine.loseKey();
            case 8 -> machine.loosenKey();
            case 9 -> {
                if (machine.parts().contains("prometheus.service")) {
                    machine.stop("prometheus.service");
                }
            }
            case 10 -> machine.says(Leftovers.FACTS, "path\t/etc/prometheus/.promguard.aB3xYz.yml");
            case 11 -> machine.deleteRoutingRules();
            case 12 -> machine.deletePortRules();
            case 13 -> machine.reboot();
            default -> {
                if (machine.parts().contains("node_exporter.service")) {
                    machine.stop("node_exporter.service");
                }
            }
        }
    }

    private Optional<String> existing(MemoryMachine machine) {
        return any(FILES.stream().filter(machine::has).collect(Collectors.toSet()));
    }

    /** What happens between a run that broke and the next one. */
    private void between() {
        for (MemoryMachine machine : world.machines()) {
            if (machine.armed() && random.nextBoolean()) {
                note("(rolls back: " + machine.address() + ")");
                machine.rollBack();
            } else if (random.nextInt(10) == 0) {
                note("(boots: " + machine.address() + ")");
                machine.reboot();
            }
        }
        if (random.nextInt(5) == 0) {
            drift();
        }
    }

    /** Runs an operation that something happens to. */
    private void broken(Operation operation) {
        Calls program = new Calls().countingSteps();
        SoakFault fault = FAULTS.get(random.nextInt(FAULTS.size()));
        int moment = 1 + random.nextInt(calls.getOrDefault(key(operation), 40));
        boolean throwing = random.nextInt(4) == 0;
        fault.happen(program, moment, random, this);
        MeshBuilder spec = spec(program);
        if (throwing) {
            spec.listener(event -> {
                throw new IllegalStateException("told to throw");
            });
        }
        String ended = "is done";
        try {
            operation.verb().accept(spec);
        } catch (PromGuardException | Death e) {
            assertThat(e).hasMessageNotContaining("told to throw");
            ended = e instanceof PromGuardException failure ? failure.code().name() : "killed";
        } catch (IllegalStateException e) {
            assertThat(e).as("an abnormal end").hasRootCauseInstanceOf(Death.class);
            ended = "killed";
        } finally {
            boolean unused = Thread.interrupted();
            join();
        }
        List<String> made = program.made();
        boolean happened = made.size() >= moment;
        note(fault + " at " + moment + (happened ? ", " + made.get(moment - 1) : ", which was not reached")
                + (throwing ? ", throwing listener" : "") + ": " + ended);
        counts.fault(fault, happened);
        if (fault == SoakFault.INTERRUPTED && happened) {
            assertThat(ended).as("how an interrupted run ends").isIn("CANCELLED", "is done");
        }
        calls.merge(key(operation), made.size(), Math::max);
        assertThat(openSessions()).as("open sessions").isZero();
        WorldChecks.assertUnlocked(store());
    }

    private static String key(Operation operation) {
        return operation.name().replaceAll(" .*", "");
    }

    private MeshBuilder spec(Calls program) {
        return world.spec(program).allowRemoval().clock(clock);
    }

    private Account account() {
        return ((CloudWorld) world).account;
    }

    private StateStore store() {
        return cloud ? account().store : ((InventoryWorld) world).store;
    }

    private int openSessions() {
        return cloud ? account().hosts.open() : ((InventoryWorld) world).hosts.open();
    }

    private Set<PublicKey> keys() {
        Set<PublicKey> keys = new HashSet<>();
        world.hosts().values().forEach(machine -> machine.publicKey().ifPresent(keys::add));
        return keys;
    }

    private void gone(boolean is) {
        gone = is;
        world.gone(is);
    }

    private void port(int to) {
        port = to;
        world.port(to);
    }

    private Map<String, List<String>> snapshots() {
        return WorldChecks.snapshots(world.hosts());
    }

    private Map<String, List<String>> undisturbed() {
        return UNDISTURBED.computeIfAbsent(cloud + " " + port + world.nodes() + world.viewers(), none -> {
            World other = fresh().port(port);
            other.nodes().addAll(world.nodes());
            other.viewers().putAll(world.viewers());
            other.spec(new Calls()).clock(clock).apply();
            return WorldChecks.snapshots(other.hosts());
        });
    }

    private World fresh() {
        return cloud ? new CloudWorld(0) : new InventoryWorld(List.of("node-1", "node-2", "node-3", "node-4"));
    }

    /** Hosts do not answer on SSH. */
    void cut(boolean all, int which) {
        List<MemoryMachine> machines = world.machines();
        for (int i = 0; i < machines.size(); i++) {
            machines.get(i).down(all || i == which % machines.size());
        }
    }

    /** They answer again. */
    void join() {
        world.machines().forEach(machine -> machine.down(false));
    }

    void jump(boolean ahead) {
        clock.offset = clock.offset.plus(Duration.ofHours(ahead ? 1 : -1));
    }

    /** Another program runs a verb meanwhile: it is done, the state is locked, or it is to rotate the keys of hosts that are not there yet. */
    void secondProgram(int verb) {
        MeshBuilder other = spec(new Calls());
        try {
            switch (verb) {
                case 0 -> other.plan();
                case 1 -> other.build().rotateKeys();
                case 2 -> {
                    other.build().destroy();
                    destroyed = true;
                }
                default -> other.apply();
            }
            counts.second(true);
        } catch (PromGuardException e) {
            assertThat(e.code()).as("a second program: %s", e).isIn(ErrorCode.STATE_LOCKED, ErrorCode.HOST_NOT_CREATED);
            counts.second(false);
        }
    }

    /** Waits until this thread is interrupted. */
    static void awaitInterruption() {
        try {
            if (!new CountDownLatch(1).await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("not interrupted, although the calling thread was");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
