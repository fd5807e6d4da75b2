package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Release;
import dev.promguard.host.HostFacts.ReleaseFact;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Programs from release tarballs, each known by the SHA-256 of its tarball. */
public final class Releases implements Resource {
    static final Releases RESOURCE = new Releases();
    private static final Pattern URL = Pattern.compile("(https?|file)://[^\"\\\\\\p{Cntrl} ]+");
    private static final Pattern FOLDER = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]*");

    private Releases() {}

    /**
     * Fetches a release's tarball, checks it, and unpacks its programs.
     *
     * @param install the release and its programs
     * @param tarball where to fetch it
     * @param folder the folder inside the tarball
     * @param sha256 the SHA-256 it must have
     */
    public record Install(ReleaseInstall install, URI tarball, String folder, String sha256) implements Change {
        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.CREATE;
        }

        @Override
        public String subject() {
            Release release = install.release();
            return release.name() + ' ' + release.version();
        }

        @Override
        public String describe() {
            return "install " + subject();
        }

        @Override
        public ShellCall call(NewKeys keys) {
            Forms.require(URL, tarball.toString(), "release", "at an http, https or file URI");
            Forms.require(FOLDER, folder, "folder", "a plain name in a tarball");
            List<String> arguments = new ArrayList<>(List.of(key(install), tarball.toString(), folder, sha256));
            arguments.addAll(install.binaries());
            return ShellCall.of("apply_release", arguments);
        }
    }

    /**
     * The name of a release's folder on hosts.
     *
     * @param install the release
     * @return such as {@code node_exporter-1.12.1}
     */
    public static String key(ReleaseInstall install) {
        return install.release().name() + '-' + install.release().version();
    }

    @Override
    public String id() {
        return "release";
    }

    @Override
    public String shellFile() {
        return "releases.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.releases(desired.releases());
    }

    static void install(Comparison comparison) {
        Architecture architecture =
                Architecture.ofMachine(comparison.facts().machine()).orElseThrow();
        for (ReleaseInstall install : comparison.desired().releases()) {
            String sum = install.release().sum(architecture).orElseThrow();
            ReleaseFact fact = comparison.facts().releases().get(key(install));
            if (fact == null || !fact.intact() || !fact.sha256().equals(sum)) {
                comparison.add(
                        new Install(
                                install,
                                install.release().tarball(architecture),
                                install.release().folder(architecture),
                                sum),
                        install.folder());
            }
        }
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        Install install = (Install) change;
        return install.sha256().equals(drift.left().releases().get(key(install.install())));
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        Install install = (Install) change;
        ReleaseFact fact = explanation.facts().releases().get(key(install.install()));
        String what = fact == null
                ? " is gone"
                : fact.intact()
                        ? " comes from " + Hashes.shown(fact.sha256()) + " instead of " + Hashes.shown(install.sha256())
                        : " is not as it was unpacked";
        String before = fact == null
                ? ExplainedChange.ABSENT
                : Hashes.shown(fact.sha256()) + (fact.intact() ? "" : ", altered");
        return List.of(explanation
                .explained(change, change.subject() + what, Explanation.PUT_BACK)
                .between(before, Hashes.shown(install.sha256())));
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        return known.toBuilder()
                .withoutRelease(key(((Install) change).install()))
                .build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        for (ReleaseInstall install : desired.releases()) {
            install.release().sum(architecture).ifPresent(sum -> left.release(key(install), sum));
        }
    }
}
