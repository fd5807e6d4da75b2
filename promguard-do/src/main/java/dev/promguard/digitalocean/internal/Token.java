package dev.promguard.digitalocean.internal;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.keys.Secret;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;

/** The API's token: one that was given and stays its owner's, or one that is read each time it is needed and cleared after that. Thread-safe. */
public final class Token {
    private static final List<String> VARIABLES = List.of("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN");

    private final Supplier<Secret> source;
    private final boolean own;

    private Token(Supplier<Secret> source, boolean own) {
        this.source = Objects.requireNonNull(source, "source");
        this.own = own;
    }

    /** A token that its owner closes. */
    public static Token given(Secret token) {
        Objects.requireNonNull(token, "token");
        return new Token(() -> token, false);
    }

    /** A token that is read when it is needed. Each secret that the source makes is closed right after its use. */
    public static Token readFrom(Supplier<Secret> source) {
        return new Token(source, true);
    }

    /** The token in the environment, read each time that it is needed. */
    public static Token fromEnvironment() {
        return readFrom(Token::environment);
    }

    private static Secret environment() {
        for (String variable : VARIABLES) {
            String value = System.getenv(variable);
            if (value != null && !value.isBlank()) {
                return Secret.of(value.strip());
            }
        }
        throw new ProviderException(
                ErrorCode.PROVIDER_TOKEN,
                "no DigitalOcean token was given. Set " + String.join(" or ", VARIABLES)
                        + " to a token that may read and write (control panel, API, Tokens), or call"
                        + " DigitalOcean.builder().token(…).");
    }

    /** Shows the token to a function, which must not keep it. */
    <R> R use(Function<String, R> function) {
        Secret secret = source.get();
        try {
            return secret.useText(function);
        } finally {
            if (own) {
                secret.close();
            }
        }
    }
}
