package dev.promguard.ssh.internal;

import net.schmizz.sshj.userauth.method.AuthMethod;

/** A key to log in with. */
interface LoginKey {
    /** A login with it. */
    AuthMethod method();

    /** What messages call it. */
    String title();

    /** Why the last login with it did not come as far as the server's answer, in a sentence; empty if it did. */
    default String refusal() {
        return "";
    }
}
