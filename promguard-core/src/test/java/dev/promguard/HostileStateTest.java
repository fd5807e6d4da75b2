package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.promguard.blueprint.Names;
import dev.promguard.memory.Calls;
import dev.promguard.memory.States;
import dev.promguard.state.FileStateStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A state file that somebody has altered: refused before any host or cloud is changed, or nothing but data. */
class HostileStateTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MONITOR = "shop-monitor-1";
    private static final String NODE = "shop-node-1";

    private final Account account = new Account();

    @TempDir
    private Path root;

    private FileStateStore store;
    private Path file = Path.of("");
    private String good = "";

    private static final Map<String, BiConsumer<ObjectNode, String>> FIELDS = fields();

    /** Puts a text into a field, by the field. */
    private static Map<String, BiConsumer<ObjectNode, String>> fields() {
        Map<String, BiConsumer<ObjectNode, String>> all = new TreeMap<>();
        all.put("MESH", (state, text) -> state.put("mesh", text));
        all.put(
                "HOST_NAME",
                (state, text) -> hosts(state).set(text, hosts(state).remove(NODE)));
        all.put("ADDRESS", (state, text) -> host(state).put("address", text));
        all.put("PROVIDER_ID", (state, text) -> host(state).put("providerId", text));
        all.put("PUBLIC_KEY", (state, text) -> ((ObjectNode) host(state).get("publicKey")).put("base64", text));
        all.put(
                "HOST_KEY",
                (state, text) -> ((ObjectNode) host(state).get("hostKeys").get(0)).put("text", text));
        all.put("BOOTSTRAP_KEY", (state, text) -> ((ObjectNode) host(state).get("bootstrapKey")).put("text", text));
        all.put("PINNED_AT", (state, text) -> host(state).put("pinnedAt", text));
        all.put("RESTING_NAME", (state, text) -> ((ObjectNode) state.get("resting")).put(text, "10.0.0.9"));
        all.put("RESTING_ADDRESS", (state, text) -> ((ObjectNode) state.get("resting")).put("shop-node-9", text));
        all.put("INTENT_ATTEMPT", (state, text) -> intent(state, text, NODE));
        all.put("INTENT_NAME", (state, text) -> intent(state, "0123456789abcdef", text));
        all.put("ACCESS_KEY_ID", (state, text) -> ((ObjectNode) state.get("accessKey")).put("id", text));
        all.put(
                "LAST_APPLIED_FILE",
                (state, text) -> ((ObjectNode) host(state).get("lastApplied").get("files")).put(text, text));
        all.put(
                "LAST_APPLIED_UNIT",
                (state, text) -> ((ArrayNode) host(state).get("lastApplied").get("units")).add(text));
        return all;
    }

    static Set<String> fieldNames() {
        return FIELDS.keySet();
    }

    private static void put(String field, ObjectNode into, String text) {
        Objects.requireNonNull(FIELDS.get(field), field).accept(into, text);
    }

    private static ObjectNode hosts(ObjectNode state) {
        return (ObjectNode) state.get("hosts");
    }

    private static ObjectNode host(ObjectNode state) {
        return (ObjectNode) hosts(state).get(NODE);
    }

    private static void intent(ObjectNode state, String attempt, String name) {
        ObjectNode intent = JSON.createObjectNode();
        intent.put("attempt", attempt);
        intent.putArray("names").add(name);
        intent.set("bootstrapKey", host(state).get("bootstrapKey"));
        ((ArrayNode) state.get("intents")).add(intent);
    }

    @BeforeEach
    void apply() throws IOException {
        store = new FileStateStore(root);
        spec(new Calls()).apply();
        file = root.resolve("shop").resolve("state.json");
        good = Files.readString(file);
    }

    private MeshBuilder spec(Calls calls) {
        return Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(1, "lon1")
                .provider(calls.watch(account.cloud))
                .applier(calls.watch(account.hosts))
                .state(store)
                .waits(Account.NO_WAITS);
    }

    @ParameterizedTest
    @MethodSource("fieldNames")
    void plan_alteredField_isRefusedBeforeAnyCallOrIsData(String field) throws IOException {
        long seed = 20_261_125L + field.hashCode();
        String config = account.cloud.machine(MONITOR).config();
        List<String> texts = new ArrayList<>(HostileTexts.texts(seed, 60).toList());
        Collections.shuffle(texts, new Random(seed));
        for (String text : texts.subList(0, 40)) {
            String which = field + ", seed " + seed + ", text " + Names.quote(text);
            ObjectNode state = (ObjectNode) JSON.readTree(good);
            put(field, state, text);
            Files.write(file, JSON.writeValueAsBytes(state));
            Calls calls = new Calls();
            try {
                String plan = spec(calls).plan().details();
                assertThat(HostileTexts.UNPRINTABLE.matcher(plan).find())
                        .as(which)
                        .isFalse();
                assertThat(States.load(store, "shop").orElseThrow().hosts().values())
                        .as(which)
                        .allMatch(host -> Names.isAddress(host.address()));
            } catch (StateException e) {
                assertThat(e)
                        .as(which)
                        .hasMessageStartingWith(file + " cannot be understood")
                        .hasMessageContaining("Restore it from a backup");
                assertThat(HostileTexts.UNPRINTABLE
                                .matcher(String.valueOf(e.getMessage()))
                                .find())
                        .as(which)
                        .isFalse();
                assertThat(calls.made()).as(which).isEmpty();
            } catch (InvalidMeshException e) {
                assertThat(HostileTexts.UNPRINTABLE
                                .matcher(String.valueOf(e.getMessage()))
                                .find())
                        .as(which)
                        .isFalse();
            }
        }
        assertThat(account.cloud.machine(MONITOR).config()).isEqualTo(config);
        assertThat(account.cloud.list("shop")).hasSize(2);
    }

    static Stream<String> addresses() {
        return Stream.of(
                "10.0.0.2\nPostUp = id",
                "10.0.0.2; rm -rf /",
                "10.0.0.2/24",
                "10.0.0.02",
                "10.0.0.1-9",
                "10.0.0.*",
                "10.2",
                "167772162",
                "0x0a000002",
                "fd00::2%eth0",
                "localhost",
                "",
                "*");
    }

    @ParameterizedTest
    @MethodSource("addresses")
    void load_addressThatIsNone_isRefusedWithItsFieldAndValue(String address) throws IOException {
        ObjectNode state = (ObjectNode) JSON.readTree(good);
        put("ADDRESS", state, address);
        Files.write(file, JSON.writeValueAsBytes(state));

        assertThat(catchThrowableOfType(StateException.class, () -> States.load(store, "shop")))
                .hasMessageContaining("(address " + Names.quote(address) + " is not one that PromGuard writes down)");
    }

    @Test
    void load_oneAddressOfTwoHosts_isRefused() throws IOException {
        ObjectNode state = (ObjectNode) JSON.readTree(good);
        put("ADDRESS", state, "10.0.0.1");
        Files.write(file, JSON.writeValueAsBytes(state));

        assertThat(catchThrowableOfType(StateException.class, () -> States.load(store, "shop")))
                .hasMessageContaining("address of two hosts \"10.0.0.1\"");
    }

    @Test
    void load_deepNesting_isRefused() throws IOException {
        Files.writeString(file, "{\"version\":1,\"x\":" + "[".repeat(100_000));

        assertThat(catchThrowableOfType(StateException.class, () -> States.load(store, "shop")))
                .hasMessageContaining("cannot be understood");
    }

    @Test
    void load_longerThanAnyState_isRefusedUnread() throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[1]), 65L * 1024 * 1024);
        }

        assertThat(catchThrowableOfType(StateException.class, () -> States.load(store, "shop")))
                .hasMessageContaining("cannot be understood (it is longer than 64 MiB)");
    }
}
