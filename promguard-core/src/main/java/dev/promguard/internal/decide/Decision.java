package dev.promguard.internal.decide;

import dev.promguard.InvalidMeshException;
import dev.promguard.blueprint.Names;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.run.RunStep;
import dev.promguard.internal.text.StableIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * What a run is going to do: final, and the same for the same observation. A plan is a view of it, an apply carries it out.
 *
 * @param request what was asked for
 * @param observed what it was made from
 * @param keys which keys are made
 * @param hosts what is to happen to each host that the run is about, in the order of the blueprint
 * @param problems all problems in a fixed order: first those of the mesh as a whole, then host by host
 */
public record Decision(
        Request request, Observed observed, KeyDecision keys, List<HostDecision> hosts, List<Problem> problems) {
    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public Decision {
        Objects.requireNonNull(request, "request");
        Objects.requireNonNull(observed, "observed");
        Objects.requireNonNull(keys, "keys");
        hosts = List.copyOf(hosts);
        problems = List.copyOf(problems);
    }

    /**
     * The problems because of which nothing at all is done.
     *
     * @return maybe none
     */
    public List<Problem> blocking() {
        return problems.stream().filter(problem -> problem.kind().blocking()).toList();
    }

    /**
     * Insists that something can be done.
     *
     * @return this decision
     * @throws InvalidMeshException if a problem blocks the run; it names all of those
     */
    public Decision orThrow() {
        List<Problem> blocking = blocking();
        if (!blocking.isEmpty()) {
            throw Problem.refusal(observed.roster().blueprint().mesh(), blocking);
        }
        return this;
    }

    /**
     * The steps that carrying it out takes: those that the plan lists.
     *
     * @return those in the cloud, then those of each host, then one for each host that is removed
     */
    public List<RunStep> steps() {
        List<RunStep> steps = new ArrayList<>(cloudSteps());
        hosts.forEach(host -> steps.addAll(host.steps()));
        observed.roster().orphaned().forEach(host -> steps.add(removal(host.name())));
        return List.copyOf(steps);
    }

    /**
     * The steps in the cloud beside the hosts.
     *
     * @return one for each line of the cloud's firewall
     */
    public List<RunStep> cloudSteps() {
        String owner = StableIds.ofMesh(observed.roster().blueprint().mesh());
        String id = StableIds.of(
                owner, "cloud-firewall", observed.roster().blueprint().mesh());
        List<String> lines = observed.firewall();
        List<String> ids = StableIds.distinct(lines.stream()
                .map(line -> new StableIds.Candidate(id, Names.printable(line)))
                .toList());
        return IntStream.range(0, lines.size())
                .mapToObj(number -> RunStep.of(null, ids.get(number), lines.get(number)))
                .toList();
    }

    /**
     * The step that takes a host out of the mesh.
     *
     * @param name the host's name
     * @return the step
     */
    public static RunStep removal(String name) {
        return RunStep.of(name, StableIds.ofHost(name), "remove the host");
    }

    /**
     * What is to happen to a host.
     *
     * @param name the name of a host that the run is about
     * @return the decision about it
     * @throws IllegalArgumentException if the run is not about it
     */
    public HostDecision host(String name) {
        return hosts.stream()
                .filter(host -> host.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("nothing was decided about " + name));
    }

    /**
     * Checks that a later decision of the same run does to the hosts that this one was about nothing else: only their peers may
     * differ, since hosts that were created in between have addresses now.
     *
     * @param later the later decision
     * @throws IllegalStateException if it would do something else to a host
     */
    public void requireSameApartFromPeers(Decision later) {
        for (HostDecision before : hosts) {
            HostDecision after = later.host(before.name());
            boolean read = before.desired().isPresent() && after.desired().isPresent();
            if (read && !before.apartFromPeers().equals(after.apartFromPeers())) {
                throw new IllegalStateException("for " + before.name() + " it was decided to do "
                        + before.apartFromPeers() + ", and now " + after.apartFromPeers());
            }
        }
    }

    /**
     * Whether there is nothing to do and nothing in the way.
     *
     * @return true if every host is up to date
     */
    public boolean isEmpty() {
        return problems.isEmpty()
                && observed.firewall().isEmpty()
                && observed.roster().orphaned().isEmpty()
                && hosts.stream().allMatch(host -> host.kind() == HostDecision.Kind.KEEP);
    }
}
