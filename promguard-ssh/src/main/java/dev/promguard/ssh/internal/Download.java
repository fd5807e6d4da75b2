package dev.promguard.ssh.internal;

import java.io.IOException;
import java.net.Authenticator;
import java.net.PasswordAuthentication;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Fetches a file over HTTP, through the proxy that Java is set to use. */
final class Download {
    private static final Duration CONNECT = Duration.ofSeconds(15);
    private static final Duration WHOLE = Duration.ofMinutes(15);
    /** More than any release has, in bytes. */
    private static final long LIMIT = 1024L * 1024 * 1024;

    private Download() {}

    /**
     * Writes what is found at an address into a file.
     *
     * @throws Tarballs.UnavailableException if it could not be fetched
     */
    static void to(Path file, URI uri) throws Tarballs.UnavailableException, InterruptedException {
        HttpClient client = HttpClient.newBuilder()
                .connectTimeout(CONNECT)
                .followRedirects(HttpClient.Redirect.NORMAL)
                .proxy(ProxySelector.getDefault())
                .authenticator(new MirrorLogin(uri))
                .build();
        HttpRequest request = HttpRequest.newBuilder(withoutLogin(uri)).build();
        CompletableFuture<HttpResponse<Path>> answer = client.sendAsync(
                request,
                status -> status.statusCode() == 200
                        ? new Limited(BodySubscribers.ofFile(file))
                        : BodySubscribers.replacing(file));
        try {
            int status = answer.get(WHOLE.toSeconds(), TimeUnit.SECONDS).statusCode();
            if (status != 200) {
                throw new Tarballs.UnavailableException(withoutLogin(uri) + " answered with status " + status);
            }
        } catch (ExecutionException e) {
            throw new Tarballs.UnavailableException(
                    withoutLogin(uri) + " could not be fetched: "
                            + SshConnector.reason(Objects.requireNonNullElse(e.getCause(), e)),
                    e);
        } catch (TimeoutException e) {
            throw new Tarballs.UnavailableException(
                    withoutLogin(uri) + " was not there within " + WHOLE.toMinutes() + " minutes", e);
        } finally {
            answer.cancel(true);
        }
    }

    /** The address without a name and password in it, as it may be shown. */
    static URI withoutLogin(URI uri) {
        return uri.getRawUserInfo() == null ? uri : URI.create(uri.toString().replace(uri.getRawUserInfo() + '@', ""));
    }

    /** Gives the name and password in a mirror's address to that mirror, and to no other server that it redirects to. */
    private static final class MirrorLogin extends Authenticator {
        private final URI mirror;

        MirrorLogin(URI mirror) {
            this.mirror = mirror;
        }

        @Override
        protected @Nullable PasswordAuthentication getPasswordAuthentication() {
            String login = mirror.getUserInfo();
            if (login == null
                    || getRequestorType() != RequestorType.SERVER
                    || !mirror.getHost().equalsIgnoreCase(getRequestingHost())
                    || !mirror.getScheme().equalsIgnoreCase(getRequestingProtocol())) {
                return null;
            }
            int colon = login.indexOf(':');
            String password = colon < 0 ? "" : login.substring(colon + 1);
            return new PasswordAuthentication(colon < 0 ? login : login.substring(0, colon), password.toCharArray());
        }
    }

    /** Ends what goes on for too long. */
    private static final class Limited implements BodySubscriber<Path> {
        private final BodySubscriber<Path> file;
        private Flow.@Nullable Subscription subscription;
        private long received;

        Limited(BodySubscriber<Path> file) {
            this.file = file;
        }

        @Override
        public CompletionStage<Path> getBody() {
            return file.getBody();
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            file.onSubscribe(given);
        }

        @Override
        public void onNext(List<ByteBuffer> buffers) {
            received += buffers.stream().mapToLong(ByteBuffer::remaining).sum();
            if (received <= LIMIT) {
                file.onNext(buffers);
            } else if (subscription != null) {
                subscription.cancel();
                file.onError(new IOException("it is longer than " + LIMIT / (1024 * 1024) + " MiB"));
            }
        }

        @Override
        public void onError(Throwable failure) {
            file.onError(failure);
        }

        @Override
        public void onComplete() {
            file.onComplete();
        }
    }
}
