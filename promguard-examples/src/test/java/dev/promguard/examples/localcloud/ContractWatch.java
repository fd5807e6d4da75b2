package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.digitalocean.Contract;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Watches a local cloud, and after each test insists that what it answered is what DigitalOcean's published contract knows, and,
 * where the library did the asking, that what it was asked is too. Does nothing where the contract is not there.
 */
public final class ContractWatch implements Consumer<Exchange>, AfterEachCallback, AfterAllCallback {
    private record Seen(String method, String url, String body, int status, String answer, boolean faulty) {}

    private final boolean requests;
    private final boolean answers;
    /** Most answers are those of a poll, and the same again and again. */
    private final Set<Seen> seen = ConcurrentHashMap.newKeySet();

    private ContractWatch(boolean requests, boolean answers) {
        this.requests = requests;
        this.answers = answers;
    }

    /** For tests that themselves ask, and ask what they should not. */
    public static ContractWatch ofAnswers() {
        return new ContractWatch(false, true);
    }

    /** For tests in which only the library asks. */
    public static ContractWatch ofAll() {
        return new ContractWatch(true, true);
    }

    /** For tests in which only the library asks, of which there are so many that the same answers are not checked in each. */
    public static ContractWatch ofRequests() {
        return new ContractWatch(true, false);
    }

    @Override
    public void accept(Exchange exchange) {
        RecordedRequest request = exchange.request();
        String query = request.query().isEmpty() ? "" : "?" + request.query();
        String url = encoded(request.path()) + query;
        seen.add(new Seen(
                request.method(), url, request.body(), request.status(), exchange.answer(), exchange.faulty()));
    }

    @Override
    public void afterEach(ExtensionContext context) {
        check();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        check();
    }

    /** Insists on it for all that was seen since it was last asked. */
    void check() {
        Contract.find().ifPresent(contract -> {
            List<String> faults = new ArrayList<>();
            seen.forEach(
                    exchange -> faults(contract, exchange).forEach(fault -> faults.add(fault + " in " + exchange)));
            seen.clear();
            assertThat(faults).isEmpty();
        });
    }

    private List<String> faults(Contract contract, Seen exchange) {
        List<String> faults = new ArrayList<>();
        if (requests && !cutShort(exchange)) {
            faults.addAll(contract.inRequest(exchange.method(), exchange.url(), exchange.body()));
        }
        if (answers && !exchange.faulty()) {
            List<String> found =
                    contract.inAnswer(exchange.method(), exchange.url(), exchange.status(), exchange.answer());
            boolean nowhere = exchange.status() == 404 && found.toString().contains("no such operation");
            faults.addAll(nowhere ? List.of() : found);
        }
        return faults;
    }

    /** Whether the connection was closed before the body was read. */
    private static boolean cutShort(Seen exchange) {
        return exchange.faulty() && exchange.status() == 0 && exchange.body().isEmpty();
    }

    private static String encoded(String path) {
        try {
            return new URI(null, null, path, null).getRawPath();
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(path, e);
        }
    }
}
