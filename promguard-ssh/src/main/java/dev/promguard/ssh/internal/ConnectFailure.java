package dev.promguard.ssh.internal;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostTarget;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import net.schmizz.sshj.common.DisconnectReason;
import net.schmizz.sshj.connection.channel.OpenFailException;
import net.schmizz.sshj.transport.TransportException;
import net.schmizz.sshj.userauth.UserAuthException;
import org.jspecify.annotations.Nullable;

/** Why an attempt to connect failed: at which server on the way, for what reason, and what can be done about it. */
final class ConnectFailure {
    /** Algorithms that are no older than those known here. */
    private static final Pattern NEWER = Pattern.compile("mlkem|sntrup|mldsa|ml-dsa");

    private static final Pattern TOO_MANY_LOGINS = Pattern.compile("Too many authentication failures");

    private static final Pattern NO_SETTLEMENT =
            Pattern.compile("Unable to reach a settlement of (\\w+?)Algorithms: \\[.*?] and \\[(.*)]", Pattern.DOTALL);

    private final HostTarget target;
    private final Connection connection;
    private final HostTarget server;
    private final PinnedKeys pinned;
    private final Exception failure;

    /**
     * A failure.
     *
     * @param target the host that was to be reached
     * @param connection the connection that failed, to the host or to a jump host on the way
     * @param failure what happened
     */
    ConnectFailure(HostTarget target, Connection connection, Exception failure) {
        this.target = target;
        this.connection = connection;
        this.server = connection.server();
        this.pinned = connection.pinned();
        this.failure = failure;
    }

    /** The failure in words. */
    HostException describe() {
        HostKeyFingerprint shown = pinned.refused();
        if (shown != null) {
            return hostKeyRefused(shown);
        }
        if (pinned.proven() == null && unproven(failure)) {
            return failed(ErrorCode.HOST_KEY_REFUSED, "check the host key", "of")
                    .because(
                            "the " + what() + " showed a key and did not prove that it has its private half",
                            "Nothing was sent to it. Somebody who knows the " + what()
                                    + "'s public key may intercept the connection.");
        }
        Optional<String> refusal = connection.login().stream()
                .map(LoginKey::refusal)
                .filter(words -> !words.isEmpty())
                .findFirst();
        if (pinned.proven() != null && refusal.isPresent()) {
            return failed(ErrorCode.AGENT_UNUSABLE, "log in", "to")
                    .because(
                            refusal.get(),
                            "Confirm the signature or touch the token when the agent asks for it, unlock the agent with"
                                    + " ssh-add -X, or add the key again with ssh-add.");
        }
        if (pinned.proven() != null
                && connection.login().size() > 1
                && TOO_MANY_LOGINS.matcher(messages()).find()) {
            return failed(ErrorCode.LOGIN_REFUSED, "log in", "to")
                    .because(
                            "the " + what() + " ended the connection before all "
                                    + connection.login().size() + " keys were tried",
                            "Say which key " + server.user() + " logs in with: agentKey(…) takes the line of its .pub"
                                    + " file.");
        }
        if (pinned.proven() != null
                && causedBy(failure, UserAuthException.class)
                && !causedBy(failure, TransportException.class)) {
            return loginRefused();
        }
        if (turnedAway()) {
            HostException.Builder failed =
                    failed(ErrorCode.LOGIN_REFUSED, "log in", "to").output(banner());
            return (EarlyEnd.passing(banner()) ? failed.retryable() : failed)
                    .because(
                            "the " + what() + " closed the connection during the login of " + server.user(),
                            "Follow what it says above, or log in as another user. On the " + what()
                                    + ", journalctl -u ssh names the reason.");
        }
        Matcher old = noSettlement(failure);
        if (old != null) {
            return outdated(Outdated.of(old.group(1)), old.group(2));
        }
        OpenFailException stopped = cause(failure, OpenFailException.class);
        Connection below = connection.below();
        return stopped != null && below != null ? notLetThrough(stopped, below.server()) : notConnected();
    }

    private HostException hostKeyRefused(HostKeyFingerprint shown) {
        String accepted = server.acceptedHostKeys().stream()
                .map(HostKeyFingerprint::text)
                .sorted()
                .collect(Collectors.joining(" or "));
        HostException.Builder failed = failed(ErrorCode.HOST_KEY_REFUSED, "check the host key", "of");
        // The key of a jump host is not the host's: who decides on the latter must not see it.
        return (isJumpHost() ? failed : failed.refusedHostKey(shown))
                .because(
                        "the " + what() + " showed the " + pinned.refusedType() + " key " + shown
                                + (accepted.isEmpty() ? "" : ", accepted is " + accepted)
                                + (pinned.refusal().isEmpty() ? "" : ", and " + pinned.refusal()),
                        !pinned.refusal().isEmpty()
                                ? "Nothing was sent to it. Have the " + what()
                                        + " show a certificate that counts (HostCertificate in its /etc/ssh/sshd_config), for "
                                        + server.certificates().host()
                                        + ", or give its key's fingerprint; if it should have one, somebody may intercept the connection."
                                : "Nothing was sent to it. If you reinstalled the " + what()
                                        + " or changed its key, give the new fingerprint (on the " + what()
                                        + ": ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); if not, somebody may intercept"
                                        + " the connection.");
    }

    private HostException outdated(Outdated outdated, String offered) {
        boolean newer = NEWER.matcher(offered).find();
        return failed(ErrorCode.SSH_OUTDATED, "agree on algorithms", "with")
                .because(
                        (newer
                                        ? "PromGuard knows no " + outdated.what + " that the " + what()
                                                + "'s SSH server allows"
                                        : "the " + what() + "'s SSH server knows no " + outdated.what
                                                + " that is still safe")
                                + ": it offers " + FactsParser.shown(offered),
                        "Nothing was sent to it. " + (newer ? "Set" : "Update OpenSSH on the " + what() + ", or set")
                                + " \"" + outdated.setting
                                + "\" in its /etc/ssh/sshd_config and reload it, then run again.");
    }

    /** The jump host before this server is there and opens no way to it. */
    private HostException notLetThrough(OpenFailException stopped, HostTarget before) {
        String to = endpoint(server);
        if (stopped.getReason() == OpenFailException.Reason.CONNECT_FAILED) {
            return failed(ErrorCode.CONNECT_FAILED, "connect", "to")
                    .retryable()
                    .because(
                            title(before) + " has no connection to " + to + ": " + SshConnector.reason(stopped),
                            "Check that the " + what() + " is up, that its SSH server listens on that port, and that"
                                    + " jump host " + before.name() + " reaches it: the address is the one as seen"
                                    + " from there.");
        }
        return failed(ErrorCode.JUMP_REFUSED, "connect", "to")
                .because(
                        title(before) + " lets " + before.user() + " connect to no " + to + ": "
                                + SshConnector.reason(stopped),
                        "Set AllowTcpForwarding local for " + before.user() + " in the jump host's"
                                + " /etc/ssh/sshd_config, and PermitOpen, if it is set there, to " + to
                                + ", then reload it; a restrict or no-port-forwarding before the key in the"
                                + " ~/.ssh/authorized_keys of " + before.user() + " forbids it too.");
    }

    private HostException notConnected() {
        Connection below = connection.below();
        UnknownHostException unknown = cause(failure, UnknownHostException.class);
        return failed(ErrorCode.CONNECT_FAILED, "connect", "to")
                .retryable()
                .output(Tail.of(connection.heard() + '\n' + banner()))
                .because(
                        unknown != null
                                ? "no address was found for " + server.address()
                                : "no session with port " + server.port()
                                        + (below == null ? "" : " through " + title(below.server()))
                                        + " within " + target.timeout().toSeconds()
                                        + " s; the last attempt ended with " + SshConnector.reason(failure),
                        unknown != null
                                ? "Check the name and your resolver, or give an IP address."
                                : "Check that the " + what() + " is up, that its SSH server listens on that port, and"
                                        + " that no firewall blocks it, or limits new connections (ufw limit, -m recent).");
    }

    private String messages() {
        StringBuilder messages = new StringBuilder();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            messages.append(cause.getMessage()).append('\n');
        }
        return messages.toString();
    }

    /** What the server said while it decided on the login. */
    private String banner() {
        return pinned.proven() == null
                ? ""
                : Tail.of(String.valueOf(connection.client().getUserAuth().getBanner()));
    }

    /** Whether the server went away in the middle of the login and said something first, as PAM does for a closed account. */
    boolean turnedAway() {
        return pinned.proven() != null
                && !connection.client().isAuthenticated()
                && !banner().isEmpty()
                && causedBy(failure, TransportException.class)
                && !causedBy(failure, TimeoutException.class);
    }

    /** Whether a server, or a firewall before it, refused the connection. */
    boolean refused() {
        return failure instanceof ConnectException;
    }

    private HostException loginRefused() {
        String user = server.user();
        HostException.Builder failed =
                failed(ErrorCode.LOGIN_REFUSED, "log in", "to").output(banner());
        String methods = connection.client().getUserAuth().getAllowedMethods().stream()
                .filter(method -> !method.isBlank())
                .map(FactsParser::shown)
                .collect(Collectors.joining(", "));
        if (connection.client().getUserAuth().hadPartialSuccess()) {
            return failed.because(
                    "the " + what() + " took the key of " + user + " and wants " + methods + " besides",
                    "PromGuard answers no second question. Exempt " + user + " in the " + what()
                            + "'s /etc/ssh/sshd_config: Match User " + user
                            + ", and below it AuthenticationMethods publickey.");
        }
        if (!methods.isEmpty() && !methods.contains("\"publickey\"")) {
            return failed.because(
                    "the " + what() + " takes no key from " + user + ", only " + methods,
                    "Set PubkeyAuthentication yes for " + user + " in the " + what()
                            + "'s /etc/ssh/sshd_config, and AuthenticationMethods, if it is set there, to publickey.");
        }
        return failed.because(
                "the " + what() + " refused the login of " + user + " with "
                        + connection.login().stream().map(LoginKey::title).collect(Collectors.joining(", ")),
                "Check the user's name, that the key's public half is in that user's ~/.ssh/authorized_keys, and in the "
                        + what() + "'s /etc/ssh/sshd_config "
                        + (user.equals("root")
                                ? "PermitRootLogin, AllowUsers and AllowGroups"
                                : "AllowUsers and AllowGroups")
                        + ". On the " + what() + ", journalctl -u ssh names the reason.");
    }

    private boolean isJumpHost() {
        return server != target;
    }

    private String what() {
        return isJumpHost() ? "jump host" : "host";
    }

    static String endpoint(HostTarget server) {
        return (server.address().indexOf(':') < 0 ? server.address() : '[' + server.address() + ']')
                + ':'
                + server.port();
    }

    private static String title(HostTarget jumpHost) {
        return "jump host " + jumpHost.name() + " (" + endpoint(jumpHost) + ')';
    }

    private HostException.Builder failed(ErrorCode code, String step, String preposition) {
        return HostException.of(
                        code,
                        target.name(),
                        target.address(),
                        isJumpHost() ? step + ' ' + preposition + ' ' + title(server) : step)
                .cause(failure);
    }

    /** What a server and this client have no modern algorithm in common for, and what sshd's configuration calls it. */
    private enum Outdated {
        KEY_EXCHANGE("way to exchange keys", "KexAlgorithms +curve25519-sha256"),
        HOST_KEY("kind of host key", "HostKey /etc/ssh/ssh_host_ed25519_key"),
        CIPHER("cipher", "Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com"),
        MAC("message authentication code", "MACs hmac-sha2-256-etm@openssh.com"),
        COMPRESSION("way to leave out compression", "Compression no");

        private final String what;
        private final String setting;

        Outdated(String what, String setting) {
            this.what = what;
            this.setting = setting;
        }

        /** By the name that sshj gives it. */
        static Outdated of(String name) {
            return switch (name) {
                case "KeyExchange" -> KEY_EXCHANGE;
                case "HostKey" -> HOST_KEY;
                case "Client2ServerCipher", "Server2ClientCipher" -> CIPHER;
                case "Client2ServerMAC", "Server2ClientMAC" -> MAC;
                default -> COMPRESSION;
            };
        }
    }

    /** What sshj says of a server that has no algorithm in common with it, or null if the failure is another. */
    private static @Nullable Matcher noSettlement(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            Matcher matcher = NO_SETTLEMENT.matcher(String.valueOf(cause.getMessage()));
            if (cause instanceof TransportException && matcher.matches()) {
                return matcher;
            }
        }
        return null;
    }

    /** Whether an exchange of keys ended because the host's signature over it is wrong. sshj tells it by the words alone. */
    private static boolean unproven(@Nullable Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof TransportException exchange
                    && exchange.getDisconnectReason() == DisconnectReason.KEY_EXCHANGE_FAILED
                    && String.valueOf(exchange.getMessage()).contains("signature verification failed")) {
                return true;
            }
        }
        return false;
    }

    private static boolean causedBy(Throwable failure, Class<? extends Throwable> type) {
        return cause(failure, type) != null;
    }

    private static <T extends Throwable> @Nullable T cause(Throwable failure, Class<T> type) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return type.cast(cause);
            }
        }
        return null;
    }
}
