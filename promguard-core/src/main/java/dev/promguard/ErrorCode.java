package dev.promguard;

import java.util.Locale;
import java.util.Objects;

/**
 * The kinds of failures that PromGuard reports, each with an id that never changes its meaning. Two failures have the same code if
 * the reader has to do the same about them. Providers, appliers and state stores of others report theirs with these codes too. New codes
 * may be added, so a {@code switch} over them needs a default.
 *
 * <p>The thousands tell what a failure is about: 1 the spec and the settings, 2 the state and the identity of hosts, 3 the provider,
 * 4 reaching a host, 5 changing a host, 6 the outcome of a plan or a verification, 9 interruptions and errors of programming.
 * {@code docs/errors.md} in the source repository describes each code: what it means, why it happens and what to do.
 */
public enum ErrorCode {
    /** The spec of the mesh is not valid. */
    INVALID_SPEC(1001, "The spec of the mesh is not valid."),
    /** A call names a host or an id that it cannot apply to. */
    UNKNOWN_NAME(1002, "A call names a host or an id that it cannot apply to."),
    /** The mesh's network has no address left for a host. */
    NO_ADDRESS_LEFT(1003, "The mesh's network has no address left for a host."),
    /** The mesh's network overlaps a network of a host. */
    NETWORK_OVERLAP(1004, "The mesh's network overlaps a network of a host."),
    /** The SSH login key cannot be read. */
    INVALID_LOGIN_KEY(1005, "The SSH login key cannot be read."),
    /** The SSH agent cannot be used. */
    AGENT_UNUSABLE(1006, "The SSH agent cannot be used."),
    /** A value is malformed. */
    INVALID_VALUE(1007, "A value is malformed."),
    /** An environment variable is not set. */
    VARIABLE_MISSING(1008, "An environment variable is not set."),
    /** A file or a folder that was given cannot be read or written. */
    FILE_INACCESSIBLE(1009, "A file or a folder that was given cannot be read or written."),
    /** No provider or no applier was given, and none is on the class path. */
    SERVICE_MISSING(1010, "No provider or no applier was given, and none is on the class path."),
    /** A library that a call needs is not on the class path. */
    LIBRARY_MISSING(1011, "A library that a call needs is not on the class path."),

    /** Another program is changing the mesh. */
    STATE_LOCKED(2001, "Another program is changing the mesh."),
    /** The state cannot be read or written. */
    STATE_INACCESSIBLE(2002, "The state cannot be read or written."),
    /** The state is damaged. */
    STATE_DAMAGED(2003, "The state is damaged."),
    /** The state was written by another version of PromGuard. */
    STATE_VERSION(2004, "The state was written by another version of PromGuard."),
    /** The state holds nothing about the mesh. */
    UNKNOWN_MESH(2005, "The state holds nothing about the mesh."),
    /** The SSH login key of the mesh is missing from the state. */
    LOGIN_KEY_MISSING(2006, "The SSH login key of the mesh is missing from the state."),
    /** Hosts carry the mesh's tag, and its state does not know them. */
    UNMANAGED_HOSTS(2007, "Hosts carry the mesh's tag, and its state does not know them."),
    /** A host has parts of the mesh, and the inventory no longer names it. */
    HOST_NOT_IN_INVENTORY(2008, "A host has parts of the mesh, and the inventory no longer names it."),
    /** A host shows a WireGuard key that is not its own. */
    DUPLICATE_KEY(2009, "A host shows a WireGuard key that is not its own."),
    /** A host of the mesh does not exist yet. */
    HOST_NOT_CREATED(2010, "A host of the mesh does not exist yet."),
    /** A host has another size, region or image than its spec. */
    HOST_DIFFERS(2011, "A host has another size, region or image than its spec."),
    /** An apply would remove hosts, and nobody has agreed to that. */
    REMOVAL_NOT_ALLOWED(2012, "An apply would remove hosts, and nobody has agreed to that."),
    /** A run would remove or replace a host that is protected. */
    HOST_PROTECTED(2013, "A run would remove or replace a host that is protected."),
    /** A viewer was not applied yet, or its access has ended. */
    VIEWER_WITHOUT_ACCESS(2014, "A viewer was not applied yet, or its access has ended."),
    /** A recovery would replace a state that is there. */
    STATE_EXISTS(2015, "A recovery would replace a state that is there."),
    /** What exists does not tell what the state of the mesh was. */
    RECOVERY_AMBIGUOUS(2016, "What exists does not tell what the state of the mesh was."),
    /** Nothing exists from which the state of the mesh could be rebuilt. */
    NOTHING_TO_RECOVER(2017, "Nothing exists from which the state of the mesh could be rebuilt."),
    /** No SSH host key of a host is known. */
    HOST_KEY_UNKNOWN(2018, "No SSH host key of a host is known."),
    /** A host cannot be adopted. */
    NOT_ADOPTABLE(2019, "A host cannot be adopted."),
    /** Another program has changed the state during the run. */
    STATE_CONFLICT(2021, "Another program has changed the state during the run."),
    /** The state is encrypted with another key. */
    STATE_KEY(2022, "The state is encrypted with another key."),

    /** The provider cannot be reached. */
    PROVIDER_UNREACHABLE(3001, "The provider cannot be reached."),
    /** The provider's token is missing, wrong or lacks a permission. */
    PROVIDER_TOKEN(3002, "The provider's token is missing, wrong or lacks a permission."),
    /** The provider's rate limit is used up. */
    PROVIDER_RATE_LIMIT(3003, "The provider's rate limit is used up."),
    /** The provider has a problem of its own. */
    PROVIDER_UNAVAILABLE(3004, "The provider has a problem of its own."),
    /** The provider refused a call. */
    PROVIDER_REFUSED(3005, "The provider refused a call."),
    /** The provider gave an answer that cannot be used. */
    PROVIDER_ANSWER(3006, "The provider gave an answer that cannot be used."),
    /** The provider cannot create the hosts that the spec describes. */
    CANNOT_CREATE(3007, "The provider cannot create the hosts that the spec describes."),
    /** It is not certain which hosts the provider created. */
    CREATE_UNCERTAIN(3008, "It is not certain which hosts the provider created."),
    /** A host did not become ready. */
    HOST_NOT_READY(3009, "A host did not become ready."),
    /** Hosts that were to be deleted still exist. */
    DELETE_UNFINISHED(3010, "Hosts that were to be deleted still exist."),
    /** A host cannot get the size that its spec says. */
    CANNOT_RESIZE(3011, "A host cannot get the size that its spec says."),

    /** No SSH session with a host could be opened. */
    CONNECT_FAILED(4001, "No SSH session with a host could be opened."),
    /** A host showed an SSH host key that is not accepted. */
    HOST_KEY_REFUSED(4002, "A host showed an SSH host key that is not accepted."),
    /** A host shows its bootstrap host key again. */
    BOOTSTRAP_KEY_SHOWN(4003, "A host shows its bootstrap host key again."),
    /** A host refused the SSH login. */
    LOGIN_REFUSED(4004, "A host refused the SSH login."),
    /** A host's SSH server offers only outdated algorithms. */
    SSH_OUTDATED(4005, "A host's SSH server offers only outdated algorithms."),
    /** The login of a host may not run commands as root. */
    NOT_ROOT(4006, "The login of a host may not run commands as root."),
    /** The connection to a host was lost, or the host took too long. */
    CONNECTION_LOST(4007, "The connection to a host was lost, or the host took too long."),
    /** A host's answer is incomplete or makes no sense. */
    BAD_ANSWER(4008, "A host's answer is incomplete or makes no sense."),
    /** The address of a host is not known. */
    ADDRESS_UNKNOWN(4009, "The address of a host is not known."),
    /** A port could not be forwarded to a host. */
    FORWARD_FAILED(4010, "A port could not be forwarded to a host."),
    /** A jump host does not let its user connect to a host. */
    JUMP_REFUSED(4011, "A jump host does not let its user connect to a host."),

    /** An apply did not finish on every host. */
    APPLY_INCOMPLETE(5001, "An apply did not finish on every host."),
    /** A destroy did not remove everything. */
    DESTROY_INCOMPLETE(5002, "A destroy did not remove everything."),
    /** A step on a host failed. */
    STEP_FAILED(5003, "A step on a host failed."),
    /** Software could not be installed on a host. */
    INSTALL_FAILED(5004, "Software could not be installed on a host."),
    /** A host rolled its changes back. */
    ROLLED_BACK(5005, "A host rolled its changes back."),
    /** It is not known whether a host kept its changes. */
    OUTCOME_UNKNOWN(5006, "It is not known whether a host kept its changes."),
    /** Another run is at work on a host. */
    HOST_BUSY(5007, "Another run is at work on a host."),
    /** A host's first boot is not done or has failed. */
    BOOT_FAILED(5008, "A host's first boot is not done or has failed."),
    /** A host's system is not supported. */
    UNSUPPORTED_SYSTEM(5009, "A host's system is not supported."),
    /** A host has something in a place that PromGuard needs. */
    CONFLICT(5010, "A host has something in a place that PromGuard needs."),
    /** Keys were not replaced, because some hosts could not take part. */
    KEYS_HELD_BACK(5011, "Keys were not replaced, because some hosts could not take part."),
    /** Enabling a host's firewall would close ports that answer now. */
    PORTS_IN_USE(5021, "Enabling a host's firewall would close ports that answer now."),
    /** Rules of others on a host drop or redirect what the mesh needs. */
    TRAFFIC_BLOCKED(5022, "Rules of others on a host drop or redirect what the mesh needs."),
    /** Installing packages on a host would remove others. */
    PACKAGES_REMOVED(5023, "Installing packages on a host would remove others."),

    /** Some check of the mesh failed or could not be made. */
    VERIFY_FAILED(6001, "Some check of the mesh failed or could not be made."),
    /** The plan was required to be empty and is not. */
    PLAN_NOT_EMPTY(6002, "The plan was required to be empty and is not."),
    /** The mesh has changed since the plan was made. */
    PLAN_OUTDATED(6003, "The mesh has changed since the plan was made."),

    /** The calling thread was interrupted. */
    CANCELLED(9001, "The calling thread was interrupted."),
    /** A program used PromGuard in a way that its contract forbids. */
    MISUSE(9002, "A program used PromGuard in a way that its contract forbids.");

    private final String id;
    private final String title;

    ErrorCode(int number, String title) {
        this.id = String.format(Locale.ROOT, "PG-%04d", number);
        this.title = title;
    }

    /**
     * The id, which is never given to another kind of failure.
     *
     * @return such as {@code PG-4001}
     */
    public String id() {
        return id;
    }

    /**
     * What happened, in general.
     *
     * @return one sentence
     */
    public String title() {
        return title;
    }

    /**
     * A message with this id in brackets at the end of its first line, before a colon there. This is how every message of a
     * {@link PromGuardException} shows its id.
     *
     * @param message a message without an id, of one or more lines
     * @return such as {@code no answer [PG-4001]}
     * @throws NullPointerException if {@code message} is null
     */
    public String appendedTo(String message) {
        Objects.requireNonNull(message, "message");
        int end = message.indexOf('\n');
        if (end < 0) {
            end = message.length();
        }
        if (end > 0 && message.charAt(end - 1) == ':') {
            end--;
        }
        String first = message.substring(0, end);
        return (first.isEmpty() ? first : first + ' ') + '[' + id + ']' + message.substring(end);
    }
}
