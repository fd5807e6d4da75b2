package dev.promguard.internal.decide;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.promguard.ErrorCode;
import dev.promguard.Golden;
import dev.promguard.HostException;
import dev.promguard.MeshEvent;
import dev.promguard.SpecFile;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.DesiredHost;
import dev.promguard.host.LastApplied;
import dev.promguard.host.Renderer;
import dev.promguard.host.Resources;
import dev.promguard.host.SymbolicKeys;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.HostObserver;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.MeshStates;
import dev.promguard.internal.run.PollIntervals;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostInventory;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Identity;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Login;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.MeshState.ViewerState;
import dev.promguard.spi.Preflight;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A spec, a state and an observation from a YAML file, which says only what is unusual. It is merged over a {@linkplain Form form} in which
 * the mesh is as an apply left it: a map is merged entry by entry, anything else replaces what is there, and null takes it away, which
 * fails where there is nothing to take away.
 *
 * <ul>
 *   <li>{@code spec} is the spec, in the words of {@link SpecFile}; without it, that of {@code shop.spec}.
 *   <li>{@code applied} is the spec of the last apply; without it, the same, and {@code nothing} where there was none. Hosts that it
 *       names exist, are in the state and are as that apply left them. Other hosts exist only where {@code existing} says that all hosts
 *       do, or where they have an entry {@code cloud}, and are fresh.
 *   <li>{@code base: fresh} has a host begin as its image brings it, {@code base: applied} as the last apply left it.
 *   <li>Keys are given by the names of the hosts that have them: {@code publicKey: shop-node-1}. Host keys are {@code own} or
 *       {@code bootstrap}, which all hosts were created with.
 * </ul>
 */
final class DecisionCase {
    /** When each case is decided. */
    private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");

    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Renderer RENDERER = new Renderer();
    private static final HostKeyFingerprint BOOTSTRAP = fingerprint("bootstrap host key");
    private static final String NOTHING = "nothing";
    private static final String STATE = "/home/me/.promguard/shop";

    private final SpecFile spec;
    private final Form form;
    private final Map<String, DesiredHost> applied;
    private final Map<String, Boolean> isProtected;
    private final Context context;

    /**
     * Everything that a case is made of.
     *
     * @param existing whether the hosts are in an inventory and not in a cloud
     * @param only the hosts that the run is about; empty for all
     * @param firewall what would be changed in the cloud's own firewall
     * @param refuses why the cloud would not create the missing hosts
     * @param gone hosts of an inventory that the user says are gone for good
     */
    record Form(
            @Nullable String spec,
            @Nullable String applied,
            boolean existing,
            boolean rotate,
            Set<String> keepingKeys,
            Set<String> only,
            List<String> firewall,
            List<String> refuses,
            Set<String> gone,
            Map<String, List<String>> attempts,
            Map<String, HostForm> hosts) {}

    /**
     * A host.
     *
     * @param hostKey the host key that it shows
     * @param login how to log in to it; null for a host that is not in the inventory
     * @param unreachable why it cannot be read; null if it can
     * @param awaited whether it exists and the run waits for it
     */
    record HostForm(
            String base,
            String hostKey,
            @Nullable StateForm state,
            @Nullable CloudForm cloud,
            @Nullable LoginForm login,
            @Nullable String unreachable,
            boolean awaited,
            FactsForm facts) {}

    /** What is remembered of a host; the host key that it is pinned to may be null, and so may its public key. */
    record StateForm(
            String address,
            String id,
            @Nullable String publicKey,
            @Nullable String hostKey,
            boolean lastApplied) {}

    /** A host as the cloud shows it. */
    record CloudForm(
            String id,
            String name,
            String region,
            String size,
            CloudHost.Status status,
            @Nullable String publicAddress,
            @Nullable String attempt,
            boolean tagged) {}

    /** What is known of a jump host's key before it is seen. */
    enum JumpForm {
        UNKNOWN,
        GIVEN,
        REMEMBERED
    }

    /**
     * How to log in to a host of an inventory: with a host key that the user gave, or whatever it shows first, and through which jump
     * hosts.
     */
    record LoginForm(int port, boolean pinned, Map<String, JumpForm> jumpHosts) {
        List<JumpHost> chain() {
            List<JumpHost> chain = new ArrayList<>();
            jumpHosts.forEach((name, known) -> chain.add(new JumpHost(
                    name,
                    name + ".example.com",
                    Login.of("jump")
                            .hostKeys(known == JumpForm.GIVEN ? Set.of(hostKey(name, "own")) : Set.of())
                            .trustOnFirstUse(known != JumpForm.GIVEN)
                            .build())));
            return chain;
        }

        /** The keys of some of the jump hosts, by their paths. */
        Map<String, HostKeyFingerprint> keys(Set<JumpForm> which) {
            Map<String, HostKeyFingerprint> keys = new TreeMap<>();
            List<JumpHost> chain = chain();
            for (int i = 0; i < chain.size(); i++) {
                String name = chain.get(i).name();
                if (which.contains(jumpHosts.get(name))) {
                    keys.put(JumpHost.paths(chain).get(i), hostKey(name, "own"));
                }
            }
            return keys;
        }
    }

    private DecisionCase(SpecFile spec, Form form, Map<String, DesiredHost> applied, Map<String, Boolean> isProtected) {
        this.isProtected = isProtected;
        this.spec = spec;
        this.form = form;
        this.applied = applied;
        this.context = new Context(
                spec.spec(),
                new FormCloud(form),
                new MemoryHosts(new MemoryCloud()),
                new MeshStates(new MemoryStateStore()),
                new Events(event -> {}, spec.spec().name(), MeshEvent.Verb.PLAN),
                KeySource.random(),
                new SecureRandom(),
                RENDERER.withSecrets(spec.secrets()),
                1,
                Duration.ofSeconds(1),
                new PollIntervals(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO),
                false,
                Map.of(),
                NOW);
    }

    /** Reads a case. */
    static DecisionCase read(Golden golden, String name) {
        try {
            JsonNode input = YAML.readTree(golden.read(name + ".input"));
            String usual = golden.read("shop.spec");
            String specText = input.path("spec").asText(usual);
            String appliedText = input.path("applied").asText(specText);
            SpecFile spec = SpecFile.parse(specText);
            Base base = new Base(spec, appliedText.equals(NOTHING) ? null : SpecFile.parse(appliedText), input);
            ObjectNode merged = YAML.valueToTree(base.form());
            merge(merged, (ObjectNode) input, name);
            return new DecisionCase(spec, YAML.treeToValue(merged, Form.class), base.desired, base.isProtected());
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(name + ".input: " + e.getMessage(), e);
        }
    }

    private static void merge(ObjectNode into, ObjectNode changes, String at) {
        changes.properties().forEach(entry -> {
            String key = entry.getKey();
            JsonNode value = entry.getValue();
            JsonNode old = into.path(key);
            if (value.isNull()) {
                if (old.isNull() || old.isMissingNode()) {
                    throw new IllegalArgumentException(at + ": there is no " + key + " to take away");
                }
                into.remove(key);
            } else if (value instanceof ObjectNode more) {
                merge(old instanceof ObjectNode known ? known : into.putObject(key), more, at + '.' + key);
            } else if (value.equals(old)) {
                throw new IllegalArgumentException(at + ": " + key + " is " + value + " without being said");
            } else {
                into.set(key, value);
            }
        });
    }

    /** What an input is merged over. */
    private static final class Base {
        private final boolean existing;
        private final JsonNode hosts;
        private final @Nullable Blueprint before;
        private final Map<String, DesiredHost> desired = new LinkedHashMap<>();
        private final Map<String, CloudForm> clouds = new LinkedHashMap<>();

        /** Whether the last apply protected a host. */
        Map<String, Boolean> isProtected() {
            return before == null
                    ? Map.of()
                    : before.hosts().stream()
                            .collect(Collectors.toMap(
                                    Blueprint.Host::name, host -> host.spec().isProtected()));
        }

        Base(SpecFile spec, @Nullable SpecFile applied, JsonNode input) {
            existing = input.path("existing").asBoolean();
            hosts = input.path("hosts");
            before = applied == null ? null : applied.blueprint();
            Set<String> names = new LinkedHashSet<>();
            if (before != null) {
                before.hosts().forEach(host -> names.add(host.name()));
            }
            spec.blueprint().hosts().forEach(host -> names.add(host.name()));
            hosts.fieldNames().forEachRemaining(names::add);
            names.forEach(name -> clouds.put(name, cloud(name, clouds.size())));
            if (applied != null && before != null) {
                Map<String, String> addresses = new TreeMap<>();
                before.hosts().forEach(host -> addresses.put(host.name(), address(host.name())));
                Renderer renderer = RENDERER.withSecrets(applied.secrets());
                before.hosts()
                        .forEach(host -> desired.put(
                                host.name(), renderer.render(before, host.name(), addresses, applied.publicKeys())));
            }
        }

        private CloudForm cloud(String name, int number) {
            return new CloudForm(
                    existing ? name : String.valueOf(101 + number),
                    name,
                    existing ? "existing" : "tor1",
                    existing ? "existing" : "s-1vcpu-1gb",
                    CloudHost.Status.ACTIVE,
                    "203.0.113." + (11 + number),
                    null,
                    true);
        }

        private String address(String name) {
            return Objects.requireNonNull(
                    Objects.requireNonNull(clouds.get(name), name).publicAddress(), name);
        }

        Form form() {
            Map<String, HostForm> forms = new LinkedHashMap<>();
            clouds.keySet().forEach(name -> forms.put(name, host(name)));
            return new Form(
                    null, null, false, false, Set.of(), Set.of(), List.of(), List.of(), Set.of(), Map.of(), forms);
        }

        private HostForm host(String name) {
            CloudForm cloud = Objects.requireNonNull(clouds.get(name));
            DesiredHost left = desired.get(name);
            boolean isFresh = hosts.path(name).path("base").asText().equals("fresh");
            String address = address(name);
            StateForm state = null;
            if (left != null && before != null) {
                state = new StateForm(before.host(name).address(), cloud.id(), name, "own", true);
            }
            return new HostForm(
                    left == null ? "fresh" : "applied",
                    "own",
                    state,
                    existing || left != null || hosts.path(name).has("cloud") ? cloud : null,
                    existing ? new LoginForm(22, true, Map.of()) : null,
                    null,
                    false,
                    left == null || isFresh || before == null
                            ? FactsForm.fresh(address)
                            : FactsForm.applied(left, address, existing ? before.mesh() : null));
        }
    }

    /** The cloud or the inventory of a form. */
    private static final class FormCloud extends MemoryCloud {
        private final Form form;

        FormCloud(Form form) {
            this.form = form;
        }

        @Override
        public Optional<HostInventory> inventory() {
            if (!form.existing()) {
                return Optional.empty();
            }
            Map<String, Login> logins = new TreeMap<>();
            form.hosts().forEach((name, host) -> {
                if (host.login() != null) {
                    Set<HostKeyFingerprint> keys =
                            host.login().pinned() ? Set.of(DecisionCase.hostKey(name, "own")) : Set.of();
                    logins.put(
                            name,
                            Login.of("root")
                                    .port(host.login().port())
                                    .hostKeys(keys)
                                    .trustOnFirstUse(keys.isEmpty())
                                    .jumpHosts(host.login().chain())
                                    .build());
                }
            });
            return Optional.of(HostInventory.of(logins, Identity.ofKey(Secret.of("not used")))
                    .withGone(form.gone()));
        }

        @Override
        public synchronized List<CloudHost> list(String mesh) {
            return found().stream()
                    .filter(FoundHost::tagged)
                    .map(FoundHost::host)
                    .sorted(Comparator.comparing(CloudHost::name).thenComparing(CloudHost::id))
                    .toList();
        }

        @Override
        public synchronized List<FoundHost> find(String mesh, Collection<String> ids) {
            return found().stream()
                    .filter(host -> ids.contains(host.host().id()))
                    .toList();
        }

        private List<FoundHost> found() {
            List<FoundHost> found = new ArrayList<>();
            form.hosts().forEach((name, host) -> {
                CloudForm cloud = host.cloud();
                if (cloud != null && (!form.existing() || host.login() != null)) {
                    found.add(new FoundHost(
                            new CloudHost(
                                    cloud.id(),
                                    cloud.name(),
                                    cloud.region(),
                                    cloud.size(),
                                    cloud.status(),
                                    Optional.ofNullable(cloud.publicAddress()),
                                    Optional.ofNullable(cloud.attempt()),
                                    form.existing() ? Optional.empty() : Optional.of(price(name))),
                            cloud.tagged()));
                }
            });
            return found;
        }

        private dev.promguard.spi.Price price(String name) {
            HostOrder order = new HostOrder(name, "tor1", "s-1vcpu-1gb", "debian-12-x64");
            return Objects.requireNonNull(
                    super.preflight(List.of(order)).prices().get(name));
        }

        @Override
        public synchronized Preflight preflight(List<HostOrder> wanted) {
            return new Preflight(
                    form.refuses(),
                    form.existing() ? Map.of() : super.preflight(wanted).prices());
        }
    }

    /** What is asked for. */
    Request request() {
        return new Request(form.rotate(), form.keepingKeys());
    }

    /** The decider, with the secrets of the spec. */
    Decider decider() {
        return new Decider(context.renderer(), STATE);
    }

    /** What was observed: the cloud with the code that does so, the hosts as the form says. */
    Observed observed() {
        Roster roster = new CloudObserver(context).observe(state(), form.only());
        Map<String, HostObservation> hosts = new LinkedHashMap<>();
        Map<String, DesiredHost> expected = new LinkedHashMap<>();
        for (Blueprint.Host selected : roster.selected()) {
            String name = selected.name();
            HostForm host = Objects.requireNonNull(form.hosts().get(name), name);
            CloudHost present = roster.present().get(name);
            if (present == null) {
                hosts.put(name, new HostObservation.Absent());
                continue;
            }
            DesiredHost wanted = new HostObserver(context).expected(roster, name);
            hosts.put(name, observation(name, host, present, wanted));
            expected.put(name, wanted);
        }
        Preflight preflight = roster.missing().isEmpty()
                ? new Preflight(List.of(), Map.of())
                : context.provider().preflight(roster.missing());
        return new Observed(roster, preflight, form.firewall(), expected, hosts);
    }

    private static HostObservation observation(String name, HostForm host, CloudHost present, DesiredHost expected) {
        if (present.publicAddress().isEmpty()) {
            return new HostObservation.Unreachable(HostObserver.withoutAddress(name));
        } else if (host.unreachable() != null) {
            return new HostObservation.Unreachable(HostException.of(
                            ErrorCode.CONNECT_FAILED,
                            name,
                            present.publicAddress().get(),
                            "connect")
                    .because(host.unreachable(), "Look after it."));
        } else if (host.awaited()) {
            return new HostObservation.Awaited();
        }
        return new HostObservation.Seen(
                host.facts().facts(Resources.query(expected)),
                DecisionCase.hostKey(name, host.hostKey()),
                host.login() == null ? Map.of() : host.login().keys(EnumSet.allOf(JumpForm.class)));
    }

    private MeshState state() {
        MeshState state = MeshState.empty(spec.spec().name());
        for (Map.Entry<String, HostForm> entry : form.hosts().entrySet()) {
            StateForm known = entry.getValue().state();
            LoginForm login = entry.getValue().login();
            if (login != null) {
                state = state.withJumpHosts(login.keys(Set.of(JumpForm.REMEMBERED)));
            }
            if (known != null) {
                state = state.with(entry.getKey(), state(entry.getKey(), known));
            }
        }
        for (Map.Entry<String, List<String>> attempt : form.attempts().entrySet()) {
            state = state.intending(new CreateIntent(attempt.getKey(), attempt.getValue(), BOOTSTRAP));
        }
        Map<String, ViewerState> viewers = new TreeMap<>();
        applied.values().stream()
                .flatMap(host -> host.blueprint().viewers().stream())
                .forEach(viewer -> viewers.put(
                        viewer.name(),
                        new ViewerState(
                                viewer.address(), new PublicKey(viewer.spec().publicKey()))));
        return state.protecting(isProtected).withViewers(viewers);
    }

    private HostState state(String name, StateForm known) {
        return new HostState(
                known.address(),
                Optional.of(known.id()),
                Optional.ofNullable(known.publicKey()).map(SpecFile::publicKey),
                known.hostKey() == null ? Set.of() : Set.of(hostKey(name, known.hostKey())),
                form.existing() ? Optional.empty() : Optional.of(BOOTSTRAP),
                known.lastApplied()
                        ? Optional.of(LastApplied.of(Objects.requireNonNull(applied.get(name)), Architecture.AMD64))
                        : Optional.empty(),
                Optional.empty());
    }

    private static HostKeyFingerprint hostKey(String name, String which) {
        return which.equals("bootstrap") ? BOOTSTRAP : fingerprint(which + " host key of " + name);
    }

    private static HostKeyFingerprint fingerprint(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
            return new HostKeyFingerprint(
                    "SHA256:" + Base64.getEncoder().encodeToString(digest).substring(0, 43));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A text in which keys are named by who has them. */
    String named(String text) {
        Set<String> holders = new LinkedHashSet<>(form.hosts().keySet());
        form.hosts().values().forEach(host -> {
            FactsForm facts = host.facts();
            if (host.login() != null) {
                holders.addAll(host.login().jumpHosts().keySet());
            }
            if (facts.keyFile() != null) {
                holders.add(facts.keyFile().key());
            }
            if (facts.wireGuard() != null) {
                holders.addAll(facts.wireGuard().peers().keySet());
                Optional.ofNullable(facts.wireGuard().key()).ifPresent(holders::add);
            }
        });
        String named = text;
        for (String holder : holders) {
            named = named.replace(SpecFile.publicKey(holder).base64(), "{key of " + holder + '}')
                    .replace(SymbolicKeys.of(holder).base64(), "{new key of " + holder + '}');
            named = named.replace(hostKey(holder, "own").text(), "{own host key of " + holder + '}');
        }
        return named;
    }
}
