package dev.promguard.digitalocean;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Answers.Droplet;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.digitalocean.internal.LostAnswerException;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CreateOrder;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Sends orders for droplets, so that none is made twice whatever becomes of the answers. Thread-safe. */
final class Ordering {
    private static final int LEAST_LOOKS = 3;

    private final Api api;
    private final Duration pollInterval;
    private final Duration listLag;

    Ordering(Api api, Duration pollInterval, Duration listLag) {
        this.api = api;
        this.pollInterval = pollInterval;
        this.listLag = listLag;
    }

    /** Sends a create call, and after a lost answer looks several times, since lists lag, before it sends once more. */
    List<CloudHost> send(CreateOrder order, Map<String, Object> body) {
        ProviderException lost = null;
        for (int attempt = 0; attempt < 2; attempt++) {
            boolean again;
            try {
                Answers.DropletsAnswer answer = api.http().post("/v2/droplets", body, Answers.DropletsAnswer.class);
                List<CloudHost> hosts = Objects.requireNonNullElse(answer.droplets(), List.<Droplet>of()).stream()
                        .map(Api::host)
                        .toList();
                if (isWhole(hosts, order)) {
                    return lost == null ? hosts : withoutDoubles(hosts, order);
                }
                lost = Api.incomplete("/v2/droplets");
                again = false;
            } catch (LostAnswerException e) {
                lost = e.failure();
                again = !e.accepted();
            } catch (ProviderException e) {
                if (lost == null) {
                    throw e;
                }
                // The second order may be refused because the first one was carried out after all.
                lost = e;
                again = false;
            }
            List<CloudHost> found = lookUp(order, lost);
            if (!found.isEmpty()) {
                return found;
            }
            if (!again) {
                break;
            }
        }
        throw unknown(order, Objects.requireNonNull(lost));
    }

    /** What an order made: all of it, or nothing that any list showed for as long as lists may lag. */
    private List<CloudHost> lookUp(CreateOrder order, ProviderException lost) {
        Deadline lag = Deadline.after(listLag);
        List<CloudHost> found = List.of();
        for (int look = 0; look < LEAST_LOOKS || !lag.isOver(); look++) {
            Http.pause(pollInterval);
            found = look(order);
            if (isWhole(found, order)) {
                return found;
            }
        }
        if (found.isEmpty()) {
            return found;
        }
        throw otherThanOrdered(found, order, lost);
    }

    private List<CloudHost> look(CreateOrder order) {
        try {
            return api.tagged(Marks.attempt(order.mesh(), order.attempt()), Deadline.never()).stream()
                    .map(Api::host)
                    .filter(host -> order.names().contains(host.name()))
                    .toList();
        } catch (ProviderException e) {
            throw unknown(order, e);
        }
    }

    /** After an order was sent twice: the first one may have been carried out after all. */
    private List<CloudHost> withoutDoubles(List<CloudHost> hosts, CreateOrder order) {
        Set<String> ids = new HashSet<>();
        hosts.forEach(host -> ids.add(host.id()));
        List<CloudHost> found = look(order);
        if (!found.stream().allMatch(host -> ids.contains(host.id()))) {
            throw otherThanOrdered(found, order, null);
        }
        return hosts;
    }

    private static ProviderException otherThanOrdered(
            List<CloudHost> found, CreateOrder order, @Nullable ProviderException cause) {
        List<String> made = found.stream()
                .map(host -> Names.quote(host.name()) + " (id " + host.id() + ")")
                .sorted()
                .toList();
        return new ProviderException(
                ErrorCode.CREATE_UNCERTAIN,
                "DigitalOcean created " + String.join(", ", made) + " where " + String.join(", ", order.names())
                        + " were ordered. Run apply again: it continues from what exists.",
                null,
                null,
                cause == null ? null : cause.requestId().orElse(null),
                true,
                cause);
    }

    private static boolean isWhole(List<CloudHost> hosts, CreateOrder order) {
        return hosts.stream()
                .map(CloudHost::name)
                .sorted()
                .toList()
                .equals(order.names().stream().sorted().toList());
    }

    /** Carries no status of a refusal: the engine would take it that nothing was made. */
    private static ProviderException unknown(CreateOrder order, ProviderException cause) {
        int status = cause.status().orElse(0);
        return new ProviderException(
                ErrorCode.CREATE_UNCERTAIN,
                "it is not known whether DigitalOcean created " + String.join(", ", order.names())
                        + ", because it gave no usable answer: " + cause.reason()
                        + " Run apply again: it finds them by their tag "
                        + Marks.attempt(order.mesh(), order.attempt()) + " and continues.",
                status >= 500 ? status : null,
                cause.providerCode().orElse(null),
                cause.requestId().orElse(null),
                true,
                cause);
    }
}
