package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** What an SSH client's configuration says of one host: of each setting the first value, and all identities. */
final class SshSettings {
    private static final Set<String> SUPPORTED = Set.of(
            "hostname",
            "user",
            "port",
            "identityfile",
            "certificatefile",
            "identityagent",
            "identitiesonly",
            "pkcs11provider",
            "proxyjump",
            "proxycommand");

    /** What would have the connection made otherwise, with the values at which it does not. */
    private static final Map<String, Set<String>> REFUSED = Map.of(
            "addressfamily", Set.of("any", "inet"),
            "bindaddress", Set.of(),
            "bindinterface", Set.of(),
            "canonicalizehostname", Set.of("no", "false"),
            "revokedhostkeys", Set.of("none"));

    /** What is ignored, as the Javadoc of {@code ExistingHostsBuilder.sshConfig} lists it. */
    private static final Set<String> IGNORED = Set.of(("addkeystoagent batchmode canonicaldomains"
                    + " canonicalizefallbacklocal canonicalizemaxdots canonicalizepermittedcnames casignaturealgorithms"
                    + " challengeresponseauthentication channeltimeout checkhostip ciphers clearallforwardings compression"
                    + " connectionattempts connecttimeout controlmaster controlpath controlpersist dynamicforward"
                    + " enableescapecommandline enablesshkeysign escapechar exitonforwardfailure fingerprinthash"
                    + " forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted gatewayports"
                    + " globalknownhostsfile gssapiauthentication gssapidelegatecredentials hashknownhosts"
                    + " hostbasedacceptedalgorithms hostbasedauthentication hostbasedkeytypes hostkeyalgorithms hostkeyalias"
                    + " ignoreunknown ipqos kbdinteractiveauthentication kbdinteractivedevices kexalgorithms"
                    + " knownhostscommand localcommand localforward loglevel logverbose macs nohostauthenticationforlocalhost"
                    + " numberofpasswordprompts obscurekeystroketiming passwordauthentication permitlocalcommand"
                    + " permitremoteopen preferredauthentications proxyusefdpass pubkeyacceptedalgorithms"
                    + " pubkeyacceptedkeytypes pubkeyauthentication rekeylimit remotecommand remoteforward requesttty"
                    + " requiredrsasize securitykeyprovider sendenv serveralivecountmax serveraliveinterval sessiontype"
                    + " setenv stdinnull streamlocalbindmask streamlocalbindunlink stricthostkeychecking syslogfacility tag"
                    + " tcpkeepalive tunnel tunneldevice updatehostkeys usekeychain userknownhostsfile verifyhostkeydns"
                    + " visualhostkey warnweakcrypto xauthlocation"
                    // Of Debian, and of old versions.
                    + " gssapiclientidentity gssapikexalgorithms gssapikeyexchange gssapirenewalforcesrekey"
                    + " gssapiserveridentity gssapitrustdns cipher compressionlevel dsaauthentication keepalive protocol"
                    + " rhostsrsaauthentication rsaauthentication useprivilegedport useroaming")
            .split(" ", -1));

    private static final Pattern COMMENT = Pattern.compile("[ \\t]*#.*");

    private final Map<String, SshSetting> first = new HashMap<>();
    private final List<SshSetting> identityFiles = new ArrayList<>();
    private final List<SshSetting> certificateFiles = new ArrayList<>();
    private Optional<SshSetting> proxy = Optional.empty();

    /** Whether a block applies. {@code UNKNOWN}: what decides that is not evaluated here. */
    private enum Applies {
        YES,
        NO,
        UNKNOWN
    }

    private SshSettings() {}

    /**
     * Evaluates a configuration.
     *
     * @param settings its lines
     * @param alias the host as it is called
     * @return what applies to it
     * @throws InvalidSettingException if something applies that is not supported
     */
    static SshSettings of(List<SshSetting> settings, String alias) {
        SshSettings result = new SshSettings();
        result.collect(settings, alias, Applies.YES, Optional.empty());
        return result;
    }

    private void collect(List<SshSetting> settings, String alias, Applies outer, Optional<SshSetting> outerMatch) {
        Applies applies = outer;
        Optional<SshSetting> match = outerMatch;
        for (SshSetting setting : settings) {
            switch (setting.key()) {
                case "host" -> {
                    applies = isFor(setting, alias) ? outer : Applies.NO;
                    match = outerMatch;
                }
                case "match" -> {
                    boolean all = setting.words().size() == 1
                            && setting.words().get(0).equalsIgnoreCase("all");
                    applies = all || outer == Applies.NO ? outer : Applies.UNKNOWN;
                    match = all ? outerMatch : Optional.of(setting);
                }
                case "include" -> {
                    if (applies != Applies.NO) {
                        for (List<SshSetting> file : setting.included()) {
                            collect(file, alias, applies, match);
                        }
                    }
                }
                default -> {
                    if (applies == Applies.YES) {
                        add(setting);
                    } else if (applies == Applies.UNKNOWN && !isIgnored(setting)) {
                        throw match.orElse(setting)
                                .refused("Match with conditions is not supported, and " + setting.keyword()
                                        + " of line " + setting.line()
                                        + " depends on it: use Host, or give host(…) an address");
                    }
                }
            }
        }
    }

    private void add(SshSetting setting) {
        switch (setting.key()) {
            case "identityfile" -> addNew(identityFiles, setting);
            case "certificatefile" -> addNew(certificateFiles, setting);
            case "proxyjump", "proxycommand" -> proxy = proxy.or(() -> Optional.of(setting));
            default -> {
                if (!isIgnored(setting) && !SUPPORTED.contains(setting.key())) {
                    refuse(setting);
                }
                first.putIfAbsent(setting.key(), setting);
            }
        }
    }

    private static void addNew(List<SshSetting> to, SshSetting setting) {
        String word = setting.word();
        if (to.stream().noneMatch(other -> other.word().equals(word))) {
            to.add(setting);
        }
    }

    private void refuse(SshSetting setting) {
        Set<String> harmless = REFUSED.get(setting.key());
        if (harmless == null) {
            throw setting.refused(Names.quote(setting.keyword()) + " is no known keyword: use one of ssh_config, or"
                    + " IgnoreUnknown before it");
        }
        if (!first.containsKey(setting.key())
                && !harmless.contains(setting.word().toLowerCase(Locale.ROOT))) {
            throw setting.refused(setting.keyword() + " is not supported: give host(…) an address instead of an alias,"
                    + " or name a file without it");
        }
    }

    private boolean isIgnored(SshSetting setting) {
        SshSetting unknown = first.get("ignoreunknown");
        if (IGNORED.contains(setting.key())) {
            return true;
        }
        return unknown != null
                && !SUPPORTED.contains(setting.key())
                && !REFUSED.containsKey(setting.key())
                && isIn(List.of(unknown.word().toLowerCase(Locale.ROOT).split(",", -1)), setting.key());
    }

    private static boolean isFor(SshSetting host, String alias) {
        if (host.words().contains("")) {
            throw host.refused("a pattern is empty: give each a value");
        }
        return isIn(host.words(), alias);
    }

    /** Whether a pattern matches and none after an exclamation mark does. */
    private static boolean isIn(List<String> patterns, String text) {
        boolean in = false;
        for (String pattern : patterns) {
            boolean negated = pattern.startsWith("!");
            if (wildcard(negated ? pattern.substring(1) : pattern, text)) {
                if (negated) {
                    return false;
                }
                in = true;
            }
        }
        return in;
    }

    /** Goes back to the last asterisk alone, so that no pattern takes long. */
    private static boolean wildcard(String pattern, String text) {
        int p = 0;
        int t = 0;
        int star = -1;
        int from = 0;
        while (t < text.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                star = p++;
                from = t;
            } else if (p < pattern.length() && (pattern.charAt(p) == '?' || pattern.charAt(p) == text.charAt(t))) {
                p++;
                t++;
            } else if (star >= 0) {
                p = star + 1;
                t = ++from;
            } else {
                return false;
            }
        }
        return pattern.substring(p).chars().allMatch(c -> c == '*');
    }

    /** The first value of a setting that has one. */
    Optional<SshSetting> first(String key) {
        return Optional.ofNullable(first.get(key));
    }

    /** The first of {@code ProxyJump} and {@code ProxyCommand}. */
    Optional<SshSetting> proxy() {
        return proxy.filter(setting -> !raw(setting).equalsIgnoreCase("none"));
    }

    /** The value as those settings have it: without a comment, but quotes are part of it. */
    static String raw(SshSetting setting) {
        String value = setting.rest().replaceFirst("^[ \\t=]+", "");
        return setting.key().equals("proxyjump") ? COMMENT.matcher(value).replaceFirst("") : value;
    }

    /** The private keys, in order. */
    List<SshSetting> identityFiles() {
        return List.copyOf(identityFiles);
    }

    /** The certificates, in order. */
    List<SshSetting> certificateFiles() {
        return List.copyOf(certificateFiles);
    }
}
