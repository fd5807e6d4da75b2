package dev.promguard.host;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.SshPublicKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The SSH login keys that root's {@code authorized_keys} admits on a host that PromGuard created. The lines that PromGuard wrote end in a
 * comment of its own, by which it knows them: others stay as they are, among them the key that the cloud put there when it created the host.
 */
public final class AuthorizedKeys implements Resource {
    static final AuthorizedKeys RESOURCE = new AuthorizedKeys();
    /** What is asked of a host about them. */
    public static final ResourceFacts<KeysFact> FACTS =
            ResourceFacts.of("authorized-keys", KeysFact.class, KeysFact.NONE, Reader::new);

    private static final String PATH = "/root/.ssh/authorized_keys";
    private static final Pattern TYPE = Pattern.compile("[a-z0-9@.-]{1,64}");
    private static final Pattern BLOB = Pattern.compile("[A-Za-z0-9+/]{16,16384}={0,2}");
    private static final Pattern WHOSE = Pattern.compile("login|other");
    private static final int MOST_KEYS = 1_000;

    private AuthorizedKeys() {}

    /**
     * The keys that a host admits.
     *
     * @param login the additional login keys that PromGuard wrote
     * @param all every key that is admitted without options, those of PromGuard's among them
     */
    public record KeysFact(Set<SshPublicKey> login, Set<SshPublicKey> all) {
        /** None. */
        public static final KeysFact NONE = new KeysFact(Set.of(), Set.of());

        /**
         * Copies the sets.
         *
         * @throws NullPointerException if something is null
         */
        public KeysFact {
            login = Set.copyOf(login);
            all = Set.copyOf(all);
        }
    }

    private static final class Reader implements ResourceFacts.Reader<KeysFact> {
        private final Set<SshPublicKey> login = new HashSet<>();
        private final Set<SshPublicKey> all = new HashSet<>();

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            if (!line.kind().equals("key")) {
                throw line.unknown();
            }
            String whose = line.fields(3).field(1, WHOSE);
            SshPublicKey key;
            try {
                key = new SshPublicKey(line.field(2, TYPE), line.field(3, BLOB));
            } catch (InvalidSettingException e) {
                // Somebody else's line that is no key admits nobody.
                return;
            }
            all.add(key);
            if (whose.equals("login")) {
                login.add(key);
            }
            if (all.size() > MOST_KEYS) {
                throw new MalformedFactsException("keys in " + PATH, "more than " + MOST_KEYS);
            }
        }

        @Override
        public KeysFact facts() {
            return new KeysFact(login, all);
        }
    }

    /**
     * Makes the additional login keys those of the spec.
     *
     * @param keys the keys, which may be none
     * @param added how many of them are not there yet
     * @param removed how many others of PromGuard's are there
     */
    public record Write(List<SshPublicKey> keys, int added, int removed) implements Change {
        /**
         * Copies the list.
         *
         * @throws NullPointerException if something is null
         */
        public Write {
            keys = List.copyOf(keys);
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.UPDATE;
        }

        @Override
        public String subject() {
            return PATH;
        }

        @Override
        public String describe() {
            List<String> parts = new ArrayList<>();
            if (added > 0) {
                parts.add("admit " + inWords(added) + " more");
            }
            if (removed > 0) {
                parts.add("no longer admit " + inWords(removed));
            }
            return String.join(", ", parts) + " (loginKeys)";
        }

        @Override
        public ShellCall call(NewKeys none) {
            return ShellCall.of("apply_login_keys")
                    .reading(new ShellCall.Input.Text(lines(keys, "promguard-login-key")));
        }
    }

    /**
     * Admits the mesh's own login key, where the cloud did not put it there.
     *
     * @param key the public key
     */
    public record AdmitMesh(SshPublicKey key) implements Change {
        /**
         * Checks that the key is there.
         *
         * @throws NullPointerException if it is null
         */
        public AdmitMesh {
            Objects.requireNonNull(key, "key");
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.UPDATE;
        }

        @Override
        public String subject() {
            return PATH;
        }

        @Override
        public String describe() {
            return "admit the mesh's own SSH login key";
        }

        @Override
        public ShellCall call(NewKeys none) {
            return ShellCall.of("apply_mesh_key")
                    .reading(new ShellCall.Input.Text(lines(List.of(key), "promguard-mesh-key")));
        }
    }

    private static String inWords(int keys) {
        return Names.counted(keys, "additional login key");
    }

    private static String lines(List<SshPublicKey> keys, String comment) {
        return keys.stream().map(key -> key.line() + ' ' + comment + '\n').collect(Collectors.joining());
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "authorizedkeys.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.resource(FACTS);
    }

    private static List<SshPublicKey> wanted(DesiredHost desired) {
        return desired.blueprint().spec().loginKeys().stream()
                .map(SshPublicKey::parse)
                .toList();
    }

    /** What tells whether the keys are those of an earlier apply, in whatever order they are. */
    private static String sum(Collection<SshPublicKey> keys) {
        return Hashes.of(keys.stream().map(SshPublicKey::line).sorted().collect(Collectors.joining("\n")));
    }

    static void write(Comparison comparison) {
        List<SshPublicKey> wanted = wanted(comparison.desired());
        Set<SshPublicKey> there = comparison.facts().of(FACTS).login();
        if (!there.equals(Set.copyOf(wanted))) {
            int kept = (int) wanted.stream().filter(there::contains).count();
            comparison.add(new Write(wanted, wanted.size() - kept, there.size() - kept));
        }
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        String left = drift.left().files().get(PATH);
        return change instanceof Write
                && left != null
                && !left.equals(sum(drift.facts().of(FACTS).login()));
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        return change instanceof Write ? known.toBuilder().withoutFile(PATH).build() : known;
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        List<SshPublicKey> wanted = wanted(desired);
        if (!wanted.isEmpty()) {
            left.partOfFile(PATH, sum(wanted));
        }
    }
}
