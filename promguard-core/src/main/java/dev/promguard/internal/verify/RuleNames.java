package dev.promguard.internal.verify;

import java.io.StringReader;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * The names of the rules in a file of alerting and recording rules. Reads the file's structure alone: nothing that the file names
 * is constructed, and aliases are followed, not copied. A pure function.
 *
 * @see <a href="https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/">Prometheus, rules</a>
 */
final class RuleNames {
    private static final int MOST_ALIASES = 1_000;

    private RuleNames() {}

    /**
     * Reads a file.
     *
     * @param text its content
     * @return the names as Prometheus shows them, sorted; empty if the file has no rules
     * @throws IllegalArgumentException if it is not YAML; the message says where
     */
    static Set<String> in(String text) {
        LoaderOptions options = new LoaderOptions();
        options.setMaxAliasesForCollections(MOST_ALIASES);
        options.setCodePointLimit(Math.max(options.getCodePointLimit(), text.length()));
        Set<String> names = new TreeSet<>();
        try {
            Iterator<Node> documents =
                    new Yaml(options).composeAll(new StringReader(text)).iterator();
            if (documents.hasNext()) {
                for (Node group : items(documents.next(), "groups")) {
                    for (Node rule : items(group, "rules")) {
                        name(rule, "alert").or(() -> name(rule, "record")).ifPresent(names::add);
                    }
                }
            }
        } catch (YAMLException e) {
            throw new IllegalArgumentException(
                    String.valueOf(e.getMessage()).lines().findFirst().orElse("not YAML"), e);
        }
        return names;
    }

    private static Optional<String> name(Node rule, String kind) {
        return value(rule, kind)
                .filter(ScalarNode.class::isInstance)
                .map(node -> ((ScalarNode) node).getValue())
                .filter(name -> !name.isEmpty());
    }

    private static List<Node> items(Node of, String key) {
        return value(of, key)
                .filter(SequenceNode.class::isInstance)
                .map(node -> ((SequenceNode) node).getValue())
                .orElse(List.of());
    }

    /** What a mapping holds under a key: its own value, or the first that a mapping has which it merges ({@code <<}). */
    private static Optional<Node> value(Node of, String key) {
        Set<Node> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Node> next = new ArrayDeque<>(List.of(of));
        while (!next.isEmpty()) {
            Node node = next.pop();
            if (!seen.add(node)) {
                continue;
            }
            if (node instanceof SequenceNode several && !node.equals(of)) {
                several.getValue().forEach(next::add);
            } else if (node instanceof MappingNode mapping) {
                Optional<Node> own = under(mapping, key);
                if (own.isPresent()) {
                    return own;
                }
                under(mapping, "<<").ifPresent(next::add);
            }
        }
        return Optional.empty();
    }

    private static Optional<Node> under(MappingNode mapping, String key) {
        return mapping.getValue().stream()
                .filter(tuple -> tuple.getKeyNode() instanceof ScalarNode name
                        && name.getValue().equals(key))
                .map(NodeTuple::getValueNode)
                .findFirst();
    }
}
