package dev.promguard.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Settings of ufw that are the owner's and that PromGuard leaves alone, as far as they decide what a change of the firewall would cut. */
public final class UfwSettings implements Resource {
    static final UfwSettings RESOURCE = new UfwSettings();
    /** What is asked of a host about them. */
    public static final ResourceFacts<UfwSettingsFact> FACTS =
            ResourceFacts.of("ufw-settings", UfwSettingsFact.class, UfwSettingsFact.USUAL, Reader::new);

    private static final Pattern ADDRESS = Pattern.compile("[0-9a-fA-F.:]{2,45}");
    private static final Pattern FILE = Pattern.compile("/etc/[A-Za-z0-9._/-]{1,100}");
    private static final int MOST_FILES = 20;
    private static final String SETTING = "IPV6=no in /etc/default/ufw";

    private UfwSettings() {}

    /**
     * The settings, and what depends on them.
     *
     * @param dropsIpv6 whether ufw drops all IPv6 but on loopback while it is on, also where the rules admit it
     * @param loginOverIpv6 whether the facts were read over IPv6; false where it does not matter
     * @param loginFrom the address that the facts were read from; empty where ufw is on, and where it is not known
     * @param masked whether ufw's unit is masked, so that ufw does not come up at boot
     * @param carriageReturns its files with lines that end in CR LF, which its own start does not read
     */
    public record UfwSettingsFact(
            boolean dropsIpv6,
            boolean loginOverIpv6,
            Optional<String> loginFrom,
            boolean masked,
            List<String> carriageReturns) {
        /** ufw filters IPv6 as it does IPv4. */
        public static final UfwSettingsFact USUAL =
                new UfwSettingsFact(false, false, Optional.empty(), false, List.of());

        /**
         * Copies the list.
         *
         * @throws NullPointerException if something is null
         */
        public UfwSettingsFact {
            Objects.requireNonNull(loginFrom, "loginFrom");
            carriageReturns = List.copyOf(carriageReturns);
        }
    }

    /** Reads a line for each file, and at most one of each other kind. */
    private static final class Reader implements ResourceFacts.Reader<UfwSettingsFact> {
        private boolean dropsIpv6;
        private boolean loginOverIpv6;
        private Optional<String> loginFrom = Optional.empty();
        private boolean masked;
        private final List<String> carriageReturns = new ArrayList<>();

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            switch (line.kind()) {
                case "drops-ipv-six" -> {
                    line.fields(0);
                    dropsIpv6 = true;
                }
                case "login-over-ipv-six" -> {
                    line.fields(0);
                    loginOverIpv6 = true;
                }
                case "login-from" -> loginFrom = Optional.of(line.fields(1).field(1, ADDRESS));
                case "masked" -> {
                    line.fields(0);
                    masked = true;
                }
                case "carriage-return" -> {
                    if (carriageReturns.size() >= MOST_FILES) {
                        throw line.unknown();
                    }
                    carriageReturns.add(line.fields(1).field(1, FILE));
                }
                default -> throw line.unknown();
            }
        }

        @Override
        public UfwSettingsFact facts() {
            return new UfwSettingsFact(dropsIpv6, loginOverIpv6, loginFrom, masked, carriageReturns);
        }
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "firewall.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.resource(FACTS);
    }

    static List<HostProblem> problems(DesiredHost desired, HostFacts facts) {
        UfwSettingsFact settings = facts.of(FACTS);
        return Stream.of(unreadable(settings), cutOverIpv6(desired, settings))
                .flatMap(Optional::stream)
                .toList();
    }

    /** ufw itself reads such files, and its start does not: it stays without rules, then and at each boot. */
    private static Optional<HostProblem> unreadable(UfwSettingsFact settings) {
        if (settings.carriageReturns().isEmpty()) {
            return Optional.empty();
        }
        String files = String.join(", ", settings.carriageReturns());
        return Optional.of(new HostProblem(
                "ufw cannot start, for lines in " + files + " end in CR LF",
                "Take the carriage returns out (sed -i 's/\\r$//' " + files.replace(",", "")
                        + "), then run apply again."));
    }

    private static Optional<HostProblem> cutOverIpv6(DesiredHost desired, UfwSettingsFact settings) {
        if (!settings.dropsIpv6()) {
            return Optional.empty();
        }
        List<String> cut = new ArrayList<>();
        if (settings.loginOverIpv6()) {
            cut.add("the SSH login");
        }
        if (desired.killSwitch().network().contains(":")) {
            cut.add("the mesh's network " + desired.killSwitch().network());
        }
        if (desired.wireGuard().config().content().contains("Endpoint = [")) {
            cut.add("the way to a peer's endpoint");
        }
        return cut.isEmpty()
                ? Optional.empty()
                : Optional.of(new HostProblem(
                        SETTING + " makes ufw drop all IPv6, and " + String.join(" and ", cut)
                                + (cut.size() == 1 ? " is" : " are") + " IPv6",
                        "Set IPV6=yes there (and run ufw reload, where ufw is on), then run again."));
    }

    @Override
    public List<String> notes(HostFacts facts) {
        boolean hasIpv6 = facts.addresses().stream().anyMatch(address -> address.contains(":"));
        return facts.of(FACTS).dropsIpv6() && hasIpv6
                ? List.of(SETTING + ": while ufw is on, nothing reaches the host over IPv6, whatever the rules admit")
                : List.of();
    }
}
