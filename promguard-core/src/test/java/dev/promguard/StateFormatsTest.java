package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.host.LastApplied;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.memory.States;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.StateStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The state as each earlier version of PromGuard wrote it. The samples' names say what they knew. */
class StateFormatsTest {
    private static final LastApplied LAST_APPLIED = new LastApplied(
            Set.of("ufw"),
            Set.of("prometheus"),
            Map.of("prometheus-3.13.2", "a".repeat(64)),
            Map.of("/etc/a", "b".repeat(64) + " 0644 root:root"),
            true,
            Optional.of(Set.of("22/tcp # OpenSSH")),
            Optional.of(new LastApplied.Tunnels(
                    States.KEY, 51820, "10.0.0.1/24", Map.of(States.KEY.base64(), "10.0.0.2/32"))),
            Set.of("a.service"));

    private final MemoryStateStore store = new MemoryStateStore();

    private static byte[] sample(String name) throws IOException {
        try (InputStream in = StateFormatsTest.class.getResourceAsStream("state-formats/" + name + ".json")) {
            return Objects.requireNonNull(in, name).readAllBytes();
        }
    }

    private void put(String document, byte[] content) {
        try (StateStore.Lock lock = store.lock("shop")) {
            lock.write(document, content, store.read("shop", document).map(StateStore.Document::version));
        }
    }

    /** What a sample says. */
    private static MeshState expected(String sample) {
        MeshState full = States.full("shop");
        Map<String, HostState> hosts = new HashMap<>(full.hosts());
        if (sample.contains("footprint") || sample.contains("last-applied")) {
            hosts.computeIfPresent("between", (name, host) -> host.with(LAST_APPLIED));
        }
        if (sample.contains("pinned-at")) {
            hosts.computeIfPresent("old", (name, host) -> host.pinnedAt(Instant.parse("2031-05-06T07:08:09Z")));
        }
        return new MeshState(
                "shop",
                hosts,
                full.resting(),
                full.intents(),
                full.accessKey(),
                sample.contains("jump-hosts") ? full.jumpHosts() : Map.of(),
                sample.contains("protected-hosts") ? full.protectedHosts() : Set.of());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1-first",
                "1-pinned-at",
                "1-footprint",
                "1-footprint-pinned-at",
                "1-last-applied-pinned-at",
                "1-last-applied-pinned-at-jump-hosts",
                "1-last-applied-pinned-at-jump-hosts-protected-hosts",
                "2-last-applied-pinned-at-jump-hosts-protected-hosts"
            })
    void load_sampleOfAnEarlierVersion_saysWhatItSaid(String sample) throws Exception {
        put("state.json", sample(sample));
        if (sample.startsWith("2")) {
            put("changes-00000007.json", sample("2-changes-7"));
            put("changes-00000008.json", sample("2-changes-8"));
        }

        assertThat(States.load(store, "shop")).contains(expected(sample));

        MeshState changed = expected(sample).without("old");
        States.save(store, changed);
        assertThat(States.load(store, "shop")).contains(changed);
        assertThat(store.names("shop")).containsExactly("state.json");
        assertThat(new String(store.read("shop", "state.json").orElseThrow().content(), StandardCharsets.UTF_8))
                .contains("\"version\" : 2");
    }

    @Test
    void load_changesThatAreMissingOrOfAnotherNumber_areDamage() throws Exception {
        put("state.json", sample("2-last-applied-pinned-at-jump-hosts-protected-hosts"));
        put("changes-00000008.json", sample("2-changes-8"));
        assertThatThrownBy(() -> States.load(store, "shop"))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STATE_DAMAGED))
                .hasMessageStartingWith("changes-00000007.json in memory of shop cannot be understood (it is missing)");

        put("changes-00000007.json", sample("2-changes-8"));
        assertThatThrownBy(() -> States.load(store, "shop"))
                .hasMessageStartingWith("changes-00000007.json in memory of shop cannot be understood. Restore all of");

        put(
                "changes-00000007.json",
                "{\"version\":3,\"changes\":7,\"mesh\":\"shop\"}".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> States.load(store, "shop"))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STATE_VERSION));
    }

    @Test
    void load_changesWithoutAState_areDamage() throws Exception {
        put("changes-00000001.json", sample("2-changes-8"));

        assertThatThrownBy(() -> States.load(store, "shop"))
                .hasMessageStartingWith("state.json in memory of shop cannot be understood (it is missing)");
    }

    @Test
    void load_changesThatTheStateIncludes_arePassedOverAndGoWithTheNextRun() throws Exception {
        put("state.json", sample("2-last-applied-pinned-at-jump-hosts-protected-hosts"));
        put("changes-00000006.json", sample("2-changes-8"));
        put("changes-00000007.json", sample("2-changes-7"));
        put("changes-00000008.json", sample("2-changes-8"));

        assertThat(States.load(store, "shop")).contains(expected("last-applied-pinned-at-jump-hosts-protected-hosts"));
        States.locked(store, "shop", states -> states.load("shop"));
        assertThat(store.names("shop")).containsExactly("state.json");
        assertThat(States.load(store, "shop")).contains(expected("last-applied-pinned-at-jump-hosts-protected-hosts"));
    }
}
