package dev.promguard.ssh.internal;

import dev.promguard.CancelledException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import java.util.stream.Stream;

/** Finds the addresses of host names. */
public final class Resolver {
    private Resolver() {}

    /**
     * Asks the system's resolver. Of several addresses it gives the same each time, whatever their order: an IPv4 address if
     * there is one, and of these the first as a text. Ends at once when interrupted.
     *
     * @return for a host name or address its address, or empty if there is none
     */
    public static Function<String, Optional<String>> ofTheSystem() {
        return Resolver::address;
    }

    static boolean isLiteral(String address) {
        try {
            // A text with a colon is never looked up.
            return address.indexOf(':') >= 0 && InetAddress.getByName(address) != null;
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static Optional<String> address(String host) {
        FutureTask<Optional<String>> looking = new FutureTask<>(() -> lookUp(host));
        Thread thread = new Thread(looking, "promguard-resolve");
        thread.setDaemon(true);
        thread.start();
        try {
            return looking.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancelledException("interrupted while looking for the address of " + host, e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("the system's resolver failed for " + host, e.getCause());
        }
    }

    private static Optional<String> lookUp(String host) {
        try {
            return Stream.of(InetAddress.getAllByName(host))
                    .sorted(Comparator.comparing((InetAddress address) -> address instanceof Inet4Address ? 0 : 1)
                            .thenComparing(InetAddress::getHostAddress))
                    .map(InetAddress::getHostAddress)
                    .map(address -> address.replaceAll("%.*", ""))
                    .findFirst();
        } catch (UnknownHostException e) {
            return Optional.empty();
        }
    }
}
