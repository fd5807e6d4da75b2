package dev.promguard.internal.observe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What each host is, by what is remembered and what the cloud shows. */
class HostIdentitiesTest {
    private static final HostKeyFingerprint KEY = key();

    private static HostKeyFingerprint key() {
        try (SshKeyPair pair = SshKeyPair.generate(new SecureRandom())) {
            return pair.publicKey().fingerprint();
        }
    }

    /**
     * The state as {@code name=id} and open create intents as {@code name@attempt}; the list of tagged hosts, and the hosts that were
     * looked up, as {@code id=name} or {@code id=name@attempt}, those without the tag in brackets.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        # state         | listed          | looked up      | expected
                        |                 |                |
        a=1             | 1=a             |                | managed a 1
        a=1             | 1=b             |                | managed a 1 renamed b
        a=1 b=2         | 1=b 2=a         |                | managed a 1 renamed b; managed b 2 renamed a
        a=1             |                 | (1=a)          | managed a 1 untagged
        a=1             |                 | (1=b)          | managed a 1 renamed b untagged
        a=1             |                 | 1=a            | managed a 1
        a=1             |                 |                | gone a
        a=1             | 2=a             |                | unmanaged a 2; gone a
        a=1             | 1=b 2=a         |                | managed a 1 renamed b; unmanaged a 2
        a=1             | 1=a 2=a         |                | managed a 1; unmanaged a 2
                        | 1=a             |                | unmanaged a 1
                        | 1=a@x           |                | unmanaged a 1
        a@x             | 1=a@x           |                | intended a 1
        a@x             | 1=a@y           |                | unmanaged a 1
        a@x             | 1=b@x           |                | unmanaged b 1
        a@x             | 1=a             |                | unmanaged a 1
        a@x             | 1=a@x 2=a@x     |                | intended a 1; duplicate a 2
        a@x             | 10=a@x 9=a@x    |                | intended a 9; duplicate a 10
        a=1 a@x         | 1=a 2=a@x       |                | managed a 1; duplicate a 2
        a=1 a@x         | 2=a@x           |                | intended a 2
        a=1 a@x         | 2=a@x           | (1=a)          | managed a 1 untagged; duplicate a 2
        a=1 b@x         | 1=b 2=b@x       |                | managed a 1 renamed b; intended b 2
        a@x b@y         | 1=a@x 2=b@y     |                | intended a 1; intended b 2
        a=1             |                 | (7=z)          | gone a
        """)
    void of_stateAndCloud_tellsWhatEachHostIs(
            @Nullable String state, @Nullable String listed, @Nullable String found, @Nullable String expected) {
        HostIdentities identities = HostIdentities.of(
                state(words(state)),
                words(listed).stream().map(HostIdentitiesTest::host).toList(),
                words(found).stream().map(HostIdentitiesTest::found).toList());

        assertThat(text(identities)).isEqualTo(expected == null ? "" : expected);
    }

    private static String text(HostIdentities identities) {
        List<String> texts = new ArrayList<>();
        identities
                .managed()
                .forEach((name, managed) -> texts.add((managed.intent().isPresent() ? "intended " : "managed ")
                        + name
                        + ' '
                        + managed.host().id()
                        + identities.renamed(name).map(to -> " renamed " + to).orElse("")
                        + (identities.hasLostItsTag(name) ? " untagged" : "")));
        identities.duplicates().forEach(host -> texts.add("duplicate " + host.name() + ' ' + host.id()));
        identities.unmanaged().forEach(host -> texts.add("unmanaged " + host.name() + ' ' + host.id()));
        identities.gone().forEach(name -> texts.add("gone " + name));
        return String.join("; ", texts);
    }

    private static List<String> words(@Nullable String text) {
        return text == null ? List.of() : Arrays.asList(text.split(" +", -1));
    }

    private static MeshState state(List<String> words) {
        MeshState state = MeshState.empty("shop");
        for (String word : new TreeSet<>(words)) {
            String[] parts = word.split("[=@]", -1);
            state = word.contains("@")
                    ? state.intending(new CreateIntent(parts[1], List.of(parts[0]), KEY))
                    : state.with(parts[0], HostState.created("10.0.0." + parts[1], parts[1], KEY));
        }
        return state;
    }

    private static CloudHost host(String word) {
        String[] parts = word.split("[=@]", -1);
        return new CloudHost(
                parts[0],
                parts[1],
                "tor1",
                "s-1vcpu-1gb",
                CloudHost.Status.ACTIVE,
                Optional.of("203.0.113.9"),
                parts.length > 2 ? Optional.of(parts[2]) : Optional.empty(),
                Optional.empty());
    }

    private static FoundHost found(String word) {
        return new FoundHost(host(word.replaceAll("[()]", "")), !word.startsWith("("));
    }
}
