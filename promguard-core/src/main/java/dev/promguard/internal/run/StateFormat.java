package dev.promguard.internal.run;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.deser.std.FromStringDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import dev.promguard.internal.collect.SharedMap;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * The state of a mesh as JSON: the whole of it, or what has changed since. Changes replace whole fields, but in {@code hosts}, where each
 * host replaces or, as null, removes the one of its name.
 *
 * <p>Format 1 was a whole state alone. Format 2, which is written, tells how many documents of changes a whole state includes.
 */
final class StateFormat {
    static final int VERSION = 2;

    private static final String FORMAT = "version";
    /** In a whole state: the number of the last changes that it includes. In changes: their own number. */
    private static final String CHANGES = "changes";

    private static final String MESH = "mesh";
    private static final String HOSTS = "hosts";

    /** Shared: a mapper learns each type when it first meets it, which takes longer than to read a small state. */
    private static final ObjectMapper JSON = JsonMapper.builder()
            .addModule(new Jdk8Module())
            .addModule(new SimpleModule()
                    .addSerializer(Instant.class, ToStringSerializer.instance)
                    .addDeserializer(Instant.class, new InstantReader()))
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private static final ObjectWriter INDENTED = JSON.writerWithDefaultPrettyPrinter();

    /** Reads a time as {@link Instant#toString} writes it. */
    private static final class InstantReader extends FromStringDeserializer<Instant> {
        private static final long serialVersionUID = 1L;

        InstantReader() {
            super(Instant.class);
        }

        @Override
        protected Instant _deserialize(String text, DeserializationContext context) {
            return Instant.parse(text);
        }
    }

    /** The document makes no sense. */
    static final class DamagedException extends Exception {
        private static final long serialVersionUID = 1L;

        DamagedException(JacksonException cause) {
            super(cause);
        }

        DamagedException() {
            super("it does not say which mesh, format or changes it is of");
        }
    }

    /** The document has a format that this PromGuard does not read. */
    static final class VersionException extends Exception {
        private static final long serialVersionUID = 1L;
        private final int found;

        VersionException(int found) {
            super("format " + found);
            this.found = found;
        }

        int found() {
            return found;
        }
    }

    /** A document that was read: its format, its number of changes and its fields. */
    record Parsed(int format, long changes, ObjectNode fields) {}

    /** Reads a whole state, in any format that there ever was, up to its fields. */
    Parsed parseState(String mesh, byte[] content) throws DamagedException, VersionException {
        ObjectNode tree = parse(mesh, content, 1);
        int format = tree.path(FORMAT).intValue();
        if (format == 1) {
            upgrade(tree);
            return parsed(format, 0, tree);
        }
        return parsed(format, number(tree), tree);
    }

    /** Reads changes. */
    Parsed parseChanges(String mesh, long number, byte[] content) throws DamagedException, VersionException {
        ObjectNode tree = parse(mesh, content, VERSION);
        if (number(tree) != number) {
            throw new DamagedException();
        }
        return parsed(VERSION, number, tree);
    }

    private static Parsed parsed(int format, long changes, ObjectNode tree) {
        tree.remove(FORMAT);
        tree.remove(CHANGES);
        return new Parsed(format, changes, tree);
    }

    private ObjectNode parse(String mesh, byte[] content, int oldest) throws DamagedException, VersionException {
        ObjectNode tree;
        try {
            tree = JSON.readValue(content, ObjectNode.class);
        } catch (JacksonException e) {
            throw new DamagedException(e);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("bytes in memory cannot be read", e);
        }
        if (tree == null || !tree.path(FORMAT).isInt()) {
            throw new DamagedException();
        }
        int version = tree.path(FORMAT).intValue();
        if (version < oldest || version > VERSION) {
            throw new VersionException(version);
        }
        if (!tree.path(MESH).asText().equals(mesh)) {
            throw new DamagedException();
        }
        return tree;
    }

    private static long number(ObjectNode tree) throws DamagedException {
        JsonNode number = tree.path(CHANGES);
        if (!number.isIntegralNumber() || !number.canConvertToLong() || number.longValue() < 0) {
            throw new DamagedException();
        }
        return number.longValue();
    }

    /** The first releases had other names for two fields. */
    private static void upgrade(ObjectNode tree) {
        tree.path(HOSTS).forEach(host -> {
            rename(host, "throwaway", "bootstrapKey");
            rename(host, "footprint", "lastApplied");
        });
        tree.path("intents").forEach(intent -> rename(intent, "throwaway", "bootstrapKey"));
    }

    private static void rename(JsonNode holder, String from, String to) {
        if (holder instanceof ObjectNode fields && fields.has(from)) {
            fields.set(to, fields.remove(from));
        }
    }

    /** The state that some fields are of. */
    MeshState state(ObjectNode fields) throws DamagedException {
        try {
            return JSON.treeToValue(fields, MeshState.class);
        } catch (JsonProcessingException e) {
            throw new DamagedException(e);
        }
    }

    /** Puts changes into the fields of a whole state. */
    static void apply(ObjectNode changes, ObjectNode fields) throws DamagedException {
        for (Map.Entry<String, JsonNode> change : changes.properties()) {
            if (!change.getKey().equals(HOSTS)) {
                fields.set(change.getKey(), change.getValue());
            } else if (change.getValue() instanceof ObjectNode changed
                    && fields.get(HOSTS) instanceof ObjectNode hosts) {
                changed.properties().forEach(host -> {
                    if (host.getValue().isNull()) {
                        hosts.remove(host.getKey());
                    } else {
                        hosts.set(host.getKey(), host.getValue());
                    }
                });
            } else {
                throw new DamagedException();
            }
        }
    }

    /** A whole state that includes some changes. */
    byte[] write(MeshState state, long changes) {
        ObjectNode tree = JSON.createObjectNode();
        tree.put(FORMAT, VERSION);
        tree.put(CHANGES, changes);
        tree.setAll((ObjectNode) JSON.valueToTree(state));
        return bytes(INDENTED, tree);
    }

    /** What turns a state into another one of the same mesh. */
    byte[] writeChanges(long number, MeshState before, MeshState after) {
        ObjectNode tree = JSON.createObjectNode();
        tree.put(FORMAT, VERSION);
        tree.put(CHANGES, number);
        tree.put(MESH, after.mesh());
        for (RecordComponent field : MeshState.class.getRecordComponents()) {
            Object now = value(field, after);
            if (field.getName().equals(HOSTS)) {
                ObjectNode hosts = changedHosts(before.hosts(), after.hosts());
                if (!hosts.isEmpty()) {
                    tree.set(HOSTS, hosts);
                }
            } else if (!now.equals(value(field, before))) {
                tree.set(field.getName(), JSON.valueToTree(now));
            }
        }
        return bytes(JSON.writer(), tree);
    }

    private ObjectNode changedHosts(Map<String, HostState> before, Map<String, HostState> after) {
        ObjectNode changed = JSON.createObjectNode();
        differences(before, after).forEach(name -> {
            HostState host = after.get(name);
            if (host == null) {
                changed.putNull(name);
            } else {
                changed.set(name, JSON.valueToTree(host));
            }
        });
        return changed;
    }

    /** States share what did not change from one to the next. */
    private static Set<String> differences(Map<String, HostState> before, Map<String, HostState> after) {
        if (before instanceof SharedMap<HostState> earlier && after instanceof SharedMap<HostState> later) {
            return earlier.differences(later);
        }
        Set<String> names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        names.removeIf(name -> Objects.equals(before.get(name), after.get(name)));
        return names;
    }

    private static Object value(RecordComponent field, MeshState state) {
        try {
            return Objects.requireNonNull(field.getAccessor().invoke(state), field.getName());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the field " + field.getName() + " of a state cannot be read", e);
        }
    }

    private static byte[] bytes(ObjectWriter writer, ObjectNode tree) {
        try {
            return writer.writeValueAsBytes(tree);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a state cannot be written as JSON", e);
        }
    }
}
