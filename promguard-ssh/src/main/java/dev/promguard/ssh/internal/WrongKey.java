package dev.promguard.ssh.internal;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Why a file is no private key to log in with, where it is something else that lies beside private keys.
 *
 * @param what what it is, in a few words without a full stop
 * @param remedy what to give instead
 */
record WrongKey(String what, String remedy) {
    private static final Pattern CERTIFICATE =
            Pattern.compile("[a-z0-9@.-]+-cert-v01@openssh\\.com +AAAA.*", Pattern.DOTALL);
    private static final Pattern PUBLIC = Pattern.compile(
            "(?:(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+ +AAAA|-{4,5} ?BEGIN [A-Z0-9 ]*PUBLIC KEY).*", Pattern.DOTALL);
    private static final Pattern X509 = Pattern.compile("-----BEGIN CERTIFICATE.*", Pattern.DOTALL);
    private static final Pattern OLD = Pattern.compile("SSH PRIVATE KEY FILE FORMAT 1\\.1.*", Pattern.DOTALL);
    private static final Pattern KNOWN_HOSTS =
            Pattern.compile("\\S+ +(?:ssh|ecdsa)-[a-z0-9@.-]+ +AAAA.*", Pattern.DOTALL);
    private static final Pattern ENCRYPTED = Pattern.compile(
            "\\A-----BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: *4,ENCRYPTED|\\APuTTY-User-Key-File-\\d.*^Encryption: *(?!none)\\w",
            Pattern.MULTILINE | Pattern.DOTALL);
    /** The magic word, and "none" for the cipher with its length before it. */
    private static final String UNENCRYPTED = "openssh-key-v1\0\0\0\0\4none";

    private static final String BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----";
    private static final String END = "-----END OPENSSH PRIVATE KEY-----";

    /** What a file is, by its text, or null if it may be a private key. */
    static @Nullable WrongKey of(String text) {
        String start = text.strip();
        if (CERTIFICATE.matcher(start).matches()) {
            return new WrongKey(
                    "it is a certificate and not a private key",
                    "Give the private key that it was made for: the file of the same name without -cert.pub.");
        } else if (PUBLIC.matcher(start).matches()) {
            return new WrongKey("it is a public key", "Give the private key: the file of the same name without .pub.");
        } else if (X509.matcher(start).matches()) {
            return new WrongKey("it is an X.509 certificate", "Give an OpenSSH or PEM private key.");
        } else if (OLD.matcher(start).matches()) {
            return new WrongKey(
                    "it is a key for version 1 of the SSH protocol", "Give a key that ssh-keygen -t ed25519 makes.");
        } else if (KNOWN_HOSTS.matcher(start).matches()) {
            return new WrongKey("it lists public keys of hosts or users", "Give an OpenSSH or PEM private key.");
        } else if (start.startsWith(BEGIN) && start.endsWith(END) && isOnToken(start)) {
            return new WrongKey(
                    "its private half is on a hardware token (a key of a type that begins with sk-)",
                    "Add it to an SSH agent with ssh-add, which asks the token, and say agent() instead of this file.");
        }
        return null;
    }

    /** Whether a private key is encrypted, by what stands before the part that would be. */
    static boolean isEncrypted(String text) {
        String start = text.strip();
        return (start.startsWith(BEGIN) && start.endsWith(END))
                ? !head(start).isEmpty() && !head(start).startsWith(UNENCRYPTED)
                : ENCRYPTED.matcher(start).find();
    }

    private static boolean isOnToken(String text) {
        // The type of the public key stands before the part that may be encrypted.
        return head(text).contains("sk-ssh-ed25519@openssh.com")
                || head(text).contains("sk-ecdsa-sha2-nistp256@openssh.com");
    }

    /** The first bytes of an OpenSSH private key, one character each. */
    private static String head(String text) {
        try {
            byte[] bytes = Base64.getMimeDecoder().decode(text.substring(BEGIN.length(), text.length() - END.length()));
            return new String(bytes, 0, Math.min(bytes.length, 256), StandardCharsets.ISO_8859_1);
        } catch (IllegalArgumentException e) {
            // Damaged: its reader says how.
            return "";
        }
    }
}
