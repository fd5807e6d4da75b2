package dev.promguard.host;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What to look at on a host. What a query does not name is not read.
 *
 * @param packages Debian packages whose versions matter
 * @param users users whose existence matters
 * @param files absolute paths whose content, mode and owner matter
 * @param units systemd units whose state matters
 * @param releases releases whose folder matters
 * @param wireGuardInterface the WireGuard interface to look at; an empty text for none
 * @param keyPath where the interface's private key should be; an empty text for none
 * @param expected the SHA-256 in lower-case hex that is expected of some of the files, by path. The content of such a file is sent
 *     where its sum is another. Content of other files is never sent: one that holds a secret must not stand here
 * @param resources the resources with facts of their own that are asked for, at most once each
 */
public record FactsQuery(
        List<String> packages,
        List<String> users,
        List<String> files,
        List<String> units,
        List<ReleaseInstall> releases,
        String wireGuardInterface,
        String keyPath,
        Map<String, String> expected,
        List<ResourceCall> resources) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     * @throws IllegalArgumentException if a sum is expected of a file that is not asked for, or a resource is asked for twice
     */
    public FactsQuery {
        packages = List.copyOf(packages);
        users = List.copyOf(users);
        files = List.copyOf(files);
        units = List.copyOf(units);
        releases = List.copyOf(releases);
        Objects.requireNonNull(wireGuardInterface, "wireGuardInterface");
        Objects.requireNonNull(keyPath, "keyPath");
        expected = Map.copyOf(expected);
        resources = List.copyOf(resources);
        if (resources.stream().map(call -> call.facts().id()).distinct().count() != resources.size()) {
            throw new IllegalArgumentException("the facts of a resource are asked for twice");
        }
        if (!files.containsAll(expected.keySet())) {
            throw new IllegalArgumentException("a sum is expected of a file that is not asked for");
        }
    }

    /**
     * A query without resources that have facts of their own.
     *
     * @param packages Debian packages whose versions matter
     * @param users users whose existence matters
     * @param files absolute paths whose content, mode and owner matter
     * @param units systemd units whose state matters
     * @param releases releases whose folder matters
     * @param wireGuardInterface the WireGuard interface to look at
     * @param keyPath where the interface's private key should be
     * @param expected the SHA-256 that is expected of some of the files, by path
     * @throws NullPointerException if something is null
     * @throws IllegalArgumentException if a sum is expected of a file that is not asked for
     */
    public FactsQuery(
            List<String> packages,
            List<String> users,
            List<String> files,
            List<String> units,
            List<ReleaseInstall> releases,
            String wireGuardInterface,
            String keyPath,
            Map<String, String> expected) {
        this(packages, users, files, units, releases, wireGuardInterface, keyPath, expected, List.of());
    }

    /**
     * Leaves out a resource that defines its own facts. The answer has what it has where the host says nothing of it.
     *
     * @param facts the facts not to ask for
     * @return a query without them
     */
    public FactsQuery without(ResourceFacts<?> facts) {
        return new FactsQuery(
                packages,
                users,
                files,
                units,
                releases,
                wireGuardInterface,
                keyPath,
                expected,
                resources.stream()
                        .filter(call -> !call.facts().id().equals(facts.id()))
                        .toList());
    }

    /**
     * Asks for the facts of a resource that defines its own.
     *
     * @param facts whose facts
     * @param arguments the arguments of the shell function that reads them; data, which are quoted for the shell
     */
    public record ResourceCall(ResourceFacts<?> facts, List<String> arguments) {
        /**
         * Copies the arguments.
         *
         * @throws NullPointerException if something is null
         */
        public ResourceCall {
            Objects.requireNonNull(facts, "facts");
            arguments = List.copyOf(arguments);
        }
    }

    /** Collects what to ask for. Not thread-safe. */
    static final class Builder {
        private final List<String> packages = new ArrayList<>();
        private final List<String> users = new ArrayList<>();
        private final List<String> files = new ArrayList<>();
        private final List<String> units = new ArrayList<>();
        private final List<ReleaseInstall> releases = new ArrayList<>();
        private final Map<String, String> expected = new HashMap<>();
        private final List<ResourceCall> resources = new ArrayList<>();
        private String wireGuardInterface = "";
        private String keyPath = "";

        Builder packages(List<String> names) {
            packages.addAll(names);
            return this;
        }

        Builder users(List<String> names) {
            users.addAll(names);
            return this;
        }

        /** Files whose content is never sent. */
        Builder files(List<String> paths) {
            files.addAll(paths);
            return this;
        }

        /** A file whose content is sent where its sum is another. */
        Builder file(String path, String sha256) {
            files.add(path);
            expected.put(path, sha256);
            return this;
        }

        Builder units(List<String> names) {
            names.stream().filter(name -> !units.contains(name)).forEach(units::add);
            return this;
        }

        Builder releases(List<ReleaseInstall> wanted) {
            releases.addAll(wanted);
            return this;
        }

        Builder wireGuard(String interfaceName, String path) {
            wireGuardInterface = interfaceName;
            keyPath = path;
            return this;
        }

        /** The facts of a resource that defines its own. */
        Builder resource(ResourceFacts<?> facts, String... arguments) {
            resources.add(new ResourceCall(facts, List.of(arguments)));
            return this;
        }

        FactsQuery build() {
            return new FactsQuery(
                    packages, users, files, units, releases, wireGuardInterface, keyPath, expected, resources);
        }
    }
}
