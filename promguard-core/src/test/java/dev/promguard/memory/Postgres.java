package dev.promguard.memory;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** A PostgreSQL server in a temporary folder, from the Debian package's programs. */
public final class Postgres {
    private static final Path VERSIONS = Path.of("/usr/lib/postgresql");
    private static final String USER = "promguard";

    private final Path folder;
    private final Process server;
    private final PGSimpleDataSource database = new PGSimpleDataSource();

    private Postgres(Path folder, Process server, int port, String password) {
        this.folder = folder;
        this.server = server;
        database.setServerNames(new String[] {"127.0.0.1"});
        database.setPortNumbers(new int[] {port});
        database.setDatabaseName("postgres");
        database.setUser(USER);
        database.setPassword(password);
    }

    /** Where the programs are; empty if the package postgresql is not installed. */
    public static Optional<Path> programs() throws IOException {
        if (!Files.isDirectory(VERSIONS)) {
            return Optional.empty();
        }
        try (Stream<Path> versions = Files.list(VERSIONS)) {
            return versions.map(version -> version.resolve("bin"))
                    .filter(bin ->
                            Files.isExecutable(bin.resolve("initdb")) && Files.isExecutable(bin.resolve("postgres")))
                    .max(Comparator.naturalOrder());
        }
    }

    /** Starts a server, which does not run as root. */
    public static Postgres start(Path programs) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("promguard-postgres");
        Path passwordFile = folder.resolve("password");
        String password = UUID.randomUUID().toString();
        Files.writeString(passwordFile, password + '\n');
        List<String> user = List.of();
        if ("root".equals(System.getProperty("user.name"))) {
            user = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--");
            run(List.of("chown", "-R", "65534:65534", folder.toString()));
        }
        Path data = folder.resolve("data");
        run(with(
                user,
                programs.resolve("initdb").toString(),
                "--pgdata=" + data,
                "--username=" + USER,
                // Each call connects anew, and the rounds of SCRAM would take longer than all else in these tests.
                "--auth=md5",
                "--pwfile=" + passwordFile,
                "--encoding=UTF8",
                "--no-sync"));
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Process server = new ProcessBuilder(with(
                        user,
                        programs.resolve("postgres").toString(),
                        "-D",
                        data.toString(),
                        "-p",
                        Integer.toString(port),
                        "-k",
                        folder.toString(),
                        "-c",
                        "listen_addresses=127.0.0.1",
                        "-c",
                        "fsync=off"))
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        awaitReady(server);
        return new Postgres(folder, server, port, password);
    }

    private static void awaitReady(Process server) throws IOException {
        StringBuilder said = new StringBuilder();
        BufferedReader output =
                new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            said.append(line).append('\n');
            if (line.contains("database system is ready to accept connections")) {
                Thread drain = new Thread(() -> output.lines().forEach(more -> {}), "postgres output");
                drain.setDaemon(true);
                drain.start();
                return;
            }
        }
        throw new IOException("postgres ended: " + said);
    }

    private static List<String> with(List<String> prefix, String... command) {
        List<String> all = new ArrayList<>(prefix);
        all.addAll(List.of(command));
        return all;
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(Path.of("/").toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command + " failed: " + output);
        }
    }

    /** A data source of the server's. */
    public DataSource database() {
        return database;
    }

    /** Ends the server and deletes its folder. */
    public void stop() throws IOException, InterruptedException {
        // As the manual says: SIGINT ends it at once and in order; a process of Java's is sent SIGTERM, which waits for
        // clients.
        run(List.of("kill", "-INT", Long.toString(server.pid())));
        if (!server.waitFor(30, TimeUnit.SECONDS)) {
            server.destroyForcibly();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
