package dev.promguard.examples.localcloud;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** Serves the release tarballs to the machines, at the bridge's address. */
final class ReleaseMirror implements AutoCloseable {
    private static final Pattern TARBALL = Pattern.compile("[a-z][A-Za-z0-9_.-]*\\.tar\\.gz");

    private final HttpServer server;
    private final URI uri;

    ReleaseMirror(String address, Supplier<List<Path>> folders, Executor executor) {
        try {
            server = HttpServer.create(new InetSocketAddress(address, 0), 0);
        } catch (IOException e) {
            throw new LocalCloudException("cannot serve releases at " + address + ": " + e.getMessage(), e);
        }
        server.setExecutor(executor);
        server.createContext("/", exchange -> {
            try (exchange) {
                String wanted = exchange.getRequestURI().getPath().substring(1);
                Optional<Path> known = TARBALL.matcher(wanted).matches()
                        ? folders.get().stream()
                                .map(folder -> folder.resolve(wanted))
                                .filter(Files::isRegularFile)
                                .findFirst()
                        : Optional.empty();
                boolean get = exchange.getRequestMethod().equals("GET");
                if (known.isEmpty() || !(get || exchange.getRequestMethod().equals("HEAD"))) {
                    exchange.sendResponseHeaders(known.isPresent() ? 405 : 404, -1);
                    return;
                }
                Path file = known.get();
                exchange.getResponseHeaders().set("content-type", "application/gzip");
                if (!get) {
                    exchange.getResponseHeaders().set("content-length", Long.toString(Files.size(file)));
                    exchange.sendResponseHeaders(200, -1);
                    return;
                }
                exchange.sendResponseHeaders(200, Files.size(file));
                try (OutputStream out = exchange.getResponseBody()) {
                    Files.copy(file, out);
                }
            }
        });
        server.start();
        uri = URI.create("http://" + address + ":" + server.getAddress().getPort() + "/");
    }

    URI uri() {
        return uri;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
