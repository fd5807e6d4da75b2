package dev.promguard.ssh.internal;

import dev.promguard.ErrorCode;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Why a host ended a session before it ran anything of a script, as far as its own words tell.
 *
 * @param code what kind of failure it is
 * @param what what went wrong, in a few words without a full stop
 * @param remedy what to do about it
 */
record EarlyEnd(ErrorCode code, String what, String remedy) {
    private static final Pattern PASSWORD_EXPIRED =
            words("password (?:has )?expired", "password change required", "required to change your password");
    private static final Pattern ACCOUNT_CLOSED = words(
            "account is (?:currently )?not available",
            "account has expired",
            "account is locked",
            "account validation failure",
            "account management error");
    private static final Pattern BOOT = words("system is booting", "system is going down", "shutting down");
    private static final Pattern OTHER_USER =
            words("please log ?in as (?:the )?(?:user|[a-z_\"'])", "rather than the user");
    private static final Pattern FILES_ONLY = words("sftp connections only", "sftp.?only", "scp.?only");
    private static final Pattern TERMINAL = words("must have a tty", "you must have a terminal");
    private static final Pattern NO_PRIVILEGES = words("no new privileges");
    private static final Pattern NO_SUDO =
            words("sudo: (?:command )?not found", "sudo: no such file", "unknown command:? sudo");
    private static final Pattern SUDO =
            words("^sudo: (?!unable to resolve host)", "not in the sudoers file", "not allowed to (?:execute|run)");

    /** What a program that ended well after it read the script ends with. */
    private static final String SUCCESS = "exit code 0";
    /** Words of the script itself, or of a shell that got only a part of it. */
    private static final Pattern SCRIPT =
            words("main\\(\\) \\{", "^main; exit \\$\\?", "^sh: \\d+: Syntax error", "sh: line \\d+: syntax error");

    private static Pattern words(String... patterns) {
        return Pattern.compile(String.join("|", List.of(patterns)), Pattern.CASE_INSENSITIVE | Pattern.MULTILINE);
    }

    /** Whether a host says that it is on its way up or down, so that it may let the user in later. */
    static boolean passing(String words) {
        return BOOT.matcher(words).find();
    }

    /**
     * Judges the words.
     *
     * @param words what the host said, without control characters
     * @param user the login
     * @param how how it ended, such as {@code exit code 1}
     */
    static EarlyEnd of(String words, String user, String how) {
        if (PASSWORD_EXPIRED.matcher(words).find()) {
            return new EarlyEnd(
                    ErrorCode.LOGIN_REFUSED,
                    "the password of " + user + " has expired, so the host runs no command",
                    "Log in with a terminal and change it, or as root on the host run: chage -d \"$(date +%F)\" " + user
                            + '.');
        } else if (ACCOUNT_CLOSED.matcher(words).find()) {
            return new EarlyEnd(
                    ErrorCode.LOGIN_REFUSED,
                    "the account " + user + " is closed on the host",
                    "Log in as another user, or open the account as root on the host: usermod -s /bin/bash -e '' "
                            + user + '.');
        } else if (FILES_ONLY.matcher(words).find()) {
            return new EarlyEnd(
                    ErrorCode.LOGIN_REFUSED,
                    "the host lets " + user + " transfer files only",
                    "Log in as a user whose key has no command=\"…\" in ~/.ssh/authorized_keys and for whom"
                            + " /etc/ssh/sshd_config sets no ForceCommand.");
        } else if (OTHER_USER.matcher(words).find()) {
            return new EarlyEnd(
                    ErrorCode.LOGIN_REFUSED,
                    "the host wants another user than " + user,
                    "Log in as the user that it names, or remove command=\"…\" before the key in the"
                            + " ~/.ssh/authorized_keys of " + user + '.');
        } else if (!user.equals("root")) {
            EarlyEnd sudo = sudo(words, user);
            if (sudo != null) {
                return sudo;
            }
        }
        if (how.equals(SUCCESS) || SCRIPT.matcher(words).find()) {
            return new EarlyEnd(
                    ErrorCode.BAD_ANSWER,
                    "something else read the script or a part of it, so that the host did not run it but ended with "
                            + how,
                    startUpFile(user));
        }
        return new EarlyEnd(
                ErrorCode.BAD_ANSWER,
                "the host did not run the script, but ended with " + how,
                "Check on the host that the login shell of " + user + " runs "
                        + (user.equals("root") ? "sh" : "sudo -n sh") + ", and that neither command=\"…\" in its"
                        + " ~/.ssh/authorized_keys nor ForceCommand in /etc/ssh/sshd_config runs something else.");
    }

    /**
     * A host that ran nothing of a script and does not end.
     *
     * @param late whether its time is over; if not, it sent more than is ever read
     * @param reason the same in words
     * @param user the login
     */
    static EarlyEnd silent(boolean late, String reason, String user) {
        String overloaded = "If the host is overloaded, run it again. Else something keeps the script from it. ";
        return new EarlyEnd(
                late ? ErrorCode.CONNECTION_LOST : ErrorCode.BAD_ANSWER,
                reason + ", and ran nothing of the script",
                (late ? overloaded : "") + startUpFile(user));
    }

    /**
     * What to do where a start-up file of the login shell is the likely cause: shells run one also where they run a command alone.
     *
     * @param user the login
     */
    static String startUpFile(String user) {
        return "Most likely a start-up file of the login shell is to blame (~/.bashrc, ~/.zshenv or ~/.profile of "
                + user
                + ", or what these run, such as a prompt for a password or a terminal's multiplexer). Have it end at its beginning where"
                + " there is no terminal: [ -t 0 ] || return. If it is none of these, see that the login shell of "
                + user
                + " runs sh, and that neither command=\"…\" in its ~/.ssh/authorized_keys nor ForceCommand in /etc/ssh/sshd_config"
                + " runs something else.";
    }

    private static @Nullable EarlyEnd sudo(String words, String user) {
        // sudo passes over files with a dot in their names.
        String file = "/etc/sudoers.d/" + user.replace('.', '_');
        if (TERMINAL.matcher(words).find()) {
            return new EarlyEnd(
                    ErrorCode.NOT_ROOT,
                    "sudo on the host wants a terminal (requiretty)",
                    "Log in as root, or as root on the host run: echo 'Defaults:" + user + " !requiretty' >>" + file
                            + '.');
        } else if (NO_PRIVILEGES.matcher(words).find()) {
            return new EarlyEnd(
                    ErrorCode.NOT_ROOT,
                    "processes of " + user + " may not gain privileges, so sudo does not work",
                    "Log in as root, or take NoNewPrivileges off the host's SSH server or container.");
        } else if (NO_SUDO.matcher(words).find() || SUDO.matcher(words).find()) {
            return new EarlyEnd(
                    ErrorCode.NOT_ROOT,
                    user + " may not run commands as root",
                    "Log in as root, or let " + user + " use sudo without a password: as root on the host, "
                            + (NO_SUDO.matcher(words).find() ? "apt-get install sudo, then " : "") + "echo '" + user
                            + " ALL=(ALL) NOPASSWD: ALL' >" + file + '.');
        }
        return null;
    }
}
