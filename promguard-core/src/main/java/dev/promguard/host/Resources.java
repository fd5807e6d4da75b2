package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import java.util.List;
import java.util.function.Consumer;

/**
 * Every kind of resource, and the order in which a host is changed across them. What an earlier run left goes first, since a rollback
 * of its may be among it. The order keeps a host closed at every step: units
 * that packages bring are masked before these are installed; packages, users and releases come first; then the kill switch,
 * before any file names an address of the mesh's network; then files, which open nothing; then the firewall, SSH's rule before anything is denied; then what would configure the interface, and WireGuard; then the services, those that are no longer desired
 * before those that are, and then the files that nothing reads any more and the names in {@code /etc/hosts};
 * then the additional login keys; the SSH host key last.
 */
public final class Resources {
    /** All kinds. */
    static final List<Resource> ALL = List.of(
            Packages.RESOURCE,
            Users.RESOURCE,
            Releases.RESOURCE,
            KillSwitches.RESOURCE,
            SecretFiles.RESOURCE,
            ManagedFiles.RESOURCE,
            Firewall.RESOURCE,
            Rulesets.RESOURCE,
            ServedPorts.RESOURCE,
            WireGuard.RESOURCE,
            Interfaces.RESOURCE,
            NetworkManagers.RESOURCE,
            Units.RESOURCE,
            HostsFile.RESOURCE,
            HostKey.RESOURCE,
            Manifest.RESOURCE,
            StateFolders.RESOURCE,
            Leftovers.RESOURCE,
            FirstBoot.RESOURCE,
            Kernel.RESOURCE,
            UfwSettings.RESOURCE,
            AuthorizedKeys.RESOURCE,
            Membership.RESOURCE);

    /** The steps in which a host is compared, and so the order of its changes. */
    static final List<Consumer<Comparison>> ORDER = List.of(
            Leftovers::remove,
            Units::mask,
            Packages::install,
            Users::create,
            Releases::install,
            KillSwitches::cover,
            SecretFiles::write,
            ManagedFiles::write,
            Units::removeDropIns,
            Firewall::configure,
            NetworkManagers::keepOut,
            WireGuard::configure,
            Units::remove,
            Units::apply,
            ManagedFiles::remove,
            KillSwitches::release,
            HostsFile::write,
            AuthorizedKeys::write,
            HostKey::replace);

    private Resources() {}

    /**
     * What to ask a host for before it can be compared. The content of a file that may be shown to a person is sent where its sum is
     * another than expected.
     *
     * @param desired what the host should be
     * @return the query
     */
    public static FactsQuery query(DesiredHost desired) {
        FactsQuery.Builder query = new FactsQuery.Builder();
        ALL.forEach(resource -> resource.ask(desired, query));
        return query.build();
    }

    /**
     * The files of the resources' shell functions.
     *
     * @return their names, each once, in the order of the resources
     */
    public static List<String> shellFiles() {
        return ALL.stream().map(Resource::shellFile).distinct().toList();
    }

    /**
     * What somebody who reads a plan or a report should know of a host and no change is made for.
     *
     * @param facts what the host is
     * @return the notes of all resources, each in a line; empty if there are none
     */
    public static List<String> notes(HostFacts facts) {
        return ALL.stream().flatMap(resource -> resource.notes(facts).stream()).toList();
    }

    /** What is on a host once it is as it should be. */
    static LastApplied left(DesiredHost desired, Architecture architecture) {
        LastApplied.Builder left = LastApplied.NONE.toBuilder();
        ALL.forEach(resource -> resource.note(desired, architecture, left));
        return left.build();
    }
}
