package dev.promguard.digitalocean;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.spi.CreateOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What every droplet is created with beside its order.
 *
 * @param ipv6 whether it gets a public IPv6 address
 * @param monitoring whether DigitalOcean's agent is installed
 * @param sshKeys ids or fingerprints of the keys that it admits beside the mesh's own
 * @param tags its tags beside PromGuard's own
 * @param vpcs the networks to put it in
 */
record DropletOptions(boolean ipv6, boolean monitoring, List<String> sshKeys, List<String> tags, Vpcs vpcs) {
    private static final int LARGEST_USER_DATA = 64 * 1024;
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

    DropletOptions {
        sshKeys = List.copyOf(sshKeys);
        tags = List.copyOf(tags);
    }

    /** Calls something with the body of an order's create call, which holds the user data only meanwhile. */
    <T> T use(CreateOrder order, Function<Map<String, Object>, T> send) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("names", order.names());
        body.put("region", order.region());
        body.put("size", order.size());
        body.put("image", idOrWord(order.image()));
        body.put(
                "ssh_keys",
                Stream.concat(Stream.of(order.accessKey().id()), sshKeys.stream())
                        .map(DropletOptions::idOrWord)
                        .distinct()
                        .toList());
        body.put(
                "tags",
                Stream.concat(
                                Stream.of(
                                        Marks.ALL,
                                        Marks.mesh(order.mesh()),
                                        Marks.ROLE + order.role(),
                                        Marks.attempt(order.mesh(), order.attempt())),
                                tags.stream())
                        .distinct()
                        .toList());
        if (ipv6) {
            body.put("ipv6", true);
        }
        if (monitoring) {
            body.put("monitoring", true);
        }
        vpcs.in(order.region()).ifPresent(vpc -> body.put("vpc_uuid", vpc));
        return order.userData().use(bytes -> {
            if (bytes.length > LARGEST_USER_DATA) {
                throw new ProviderException(
                        ErrorCode.MISUSE,
                        "user data of " + bytes.length
                                + " bytes is more than the 64 KiB that DigitalOcean takes. Pass less.");
            }
            body.put("user_data", new String(bytes, StandardCharsets.UTF_8));
            return send.apply(body);
        });
    }

    /** The API tells ids from slugs and fingerprints by their type. */
    private static Object idOrWord(String text) {
        return NUMBER.matcher(text).matches() ? (Object) Long.valueOf(text) : text;
    }
}
