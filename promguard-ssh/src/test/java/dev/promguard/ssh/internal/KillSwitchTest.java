package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.Mesh;
import dev.promguard.host.KillSwitch;
import dev.promguard.host.Renderer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The kill switch's shell in a network namespace of its own: this machine's kernel, routes and rules, and nothing of its network. */
@Timeout(180)
class KillSwitchTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    /** A host with a default route on eth0, and a mesh's interface. */
    private static final String HOST = """
            set -e
            ip link set lo up
            ip link add eth0 type veth peer name gateway
            ip address add 192.0.2.2/24 dev eth0
            ip address add 2001:db8::2/64 dev eth0 nodad
            ip link set eth0 up
            ip link set gateway up
            ip route add default via 192.0.2.1
            ip route add default via 2001:db8::1
            up() {
                ip link add wg0 type veth peer name tunnel
                ip address add 10.0.0.1/24 dev wg0
                ip address add fd00:77::1/64 dev wg0 nodad
                ip link set tunnel up
                ip link set wg0 up
            }
            up
            way() { ip route get "$1" 2>&1 | head -n 1 | sed -n -e 's/^RTNETLINK.*/nowhere/p' -e 's/.* dev \\([a-z0-9]*\\) .*/\\1/p'; }
            ways() { echo "$(way 10.0.0.2) $(way fd00:77::2) $(way 10.0.0.1)"; }
            arrives() {
                case $(ip route get "$1" from "$2" iif "$3" 2>&1) in
                    local*) echo taken ;;
                    *) echo dropped ;;
                esac
            }
            arrivals() {
                echo "$(arrives 10.0.0.1 203.0.113.9 eth0) $(arrives fd00:77::1 2001:db8:9::9 eth0)" \
                    "$(arrives 10.0.0.1 10.0.0.2 wg0) $(arrives fd00:77::1 fd00:77::2 wg0) $(arrives 192.0.2.2 203.0.113.9 eth0)"
            }
            script() { sh SCRIPT "$@"; }
            systemctl() {
                case $1 in
                    reload-or-restart) sh -c "$(sed -n 's/^ExecReload=//p' "$KILL_SWITCH_UNIT")" ;;
                esac
            }
            """;

    @TempDir
    Path folder;

    private Map<String, String> files = Map.of();

    @BeforeEach
    void render() throws Exception {
        Process namespace = new ProcessBuilder("unshare", "-n", "iptables", "-t", "raw", "-S").start();
        assumeTrue(namespace.waitFor() == 0, "needs root, for a network namespace, and iptables");
        files = Objects.requireNonNull(new Renderer()
                .preview(Mesh.builder().name("shop").monitor("tor1").nodes(1).blueprint())
                .get("shop-monitor-1"));
        Files.writeString(folder.resolve("kill-switch.sh"), here(Objects.requireNonNull(files.get(KillSwitch.SCRIPT))));
        Files.writeString(
                folder.resolve(KillSwitch.UNIT), here(Objects.requireNonNull(files.get(KillSwitch.UNIT_FILE))));
    }

    private String here(String text) {
        return text.replace(KillSwitch.SCRIPT, folder + "/kill-switch.sh")
                .replace(KillSwitch.UNIT_FILE, folder + "/" + KillSwitch.UNIT)
                .replace("sh SCRIPT", "sh " + folder + "/kill-switch.sh");
    }

    private String run(String shell) throws Exception {
        String text;
        try (Script script = Script.begin(NONCE)) {
            text = here(script.shell(HOST + shell).end().text());
        }
        Process process = new ProcessBuilder("unshare", "-n", "sh", "-s")
                .redirectErrorStream(true)
                .start();
        try (var in = process.getOutputStream()) {
            in.write(text.getBytes(UTF_8));
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return out.replace(NONCE + "\tfact\tkill-switch\t", "")
                .replace(NONCE + "\t", "")
                .replace('\t', ' ')
                .strip()
                .replaceFirst("\n?end$", "");
    }

    @Test
    void add_interfaceThere_leavesItsRoutesAlone() throws Exception {
        assertThat(run("script add 10.0.0.0/24 wg0 10.0.0.1; script add fd00:77::/64 wg0 fd00:77::1; ways"))
                .isEqualTo("wg0 wg0 lo");
    }

    @Test
    void add_interfaceDownGoneOrWithoutAddress_leadsNowhereAndBackAgain() throws Exception {
        assertThat(run("ip link set wg0 down; ways; ip link set wg0 up"))
                .as("without it")
                .isEqualTo("eth0 eth0 lo");
        assertThat(run("""
                        script add 10.0.0.0/24 wg0 10.0.0.1
                        script add fd00:77::/64 wg0 fd00:77::1
                        ip link set wg0 down; echo "$(way 10.0.0.2) $(way fd00:77::2)"
                        ip link set wg0 up; ip address flush dev wg0; ways
                        ip link delete wg0; ways
                        up; ways""")).isEqualTo("""
                        nowhere nowhere
                        nowhere nowhere nowhere
                        nowhere nowhere nowhere
                        wg0 wg0 lo""");
    }

    @Test
    void add_routeOfSomebodyElse_dropsWhatItWouldLeadElsewhere() throws Exception {
        String attempt = """
                ip route add 10.0.0.2/32 via 192.0.2.1
                way 10.0.0.2
                ip neighbor replace 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent
                iptables -t mangle -A POSTROUTING -d 10.0.0.2 -o eth0
                timeout 1 bash -c 'exec 3<>/dev/tcp/10.0.0.2/9100' 2>/dev/null || :
                iptables -t mangle -nvxL POSTROUTING | awk '/10[.]0[.]0[.]2/ { print $1 == 0 ? "silent" : "sent" }'
                """;
        assertThat(run(attempt)).as("without it").isEqualTo("eth0\nsent");
        assertThat(run("script add 10.0.0.0/24 wg0 10.0.0.1\n" + attempt)).isEqualTo("eth0\nsilent");
    }

    /** A default route leads the answers back: the address is one that anybody can route through the host's public one. */
    @Test
    void add_packetForTheAddressByAnotherInterface_isDroppedWithoutAnyPacketFilter() throws Exception {
        String add = "script add 10.0.0.0/24 wg0 10.0.0.1; script add fd00:77::/64 wg0 fd00:77::1\n";
        assertThat(run("arrivals")).as("without it").isEqualTo("taken taken taken taken taken");
        assertThat(run(add + add + """
                        iptables -F; iptables -t raw -F; ip6tables -t raw -F; arrivals
                        way 10.0.0.1
                        ip link delete wg0; up; arrivals
                        ip rule flush; ip -6 rule flush
                        ip rule add lookup main; ip -6 rule add lookup main; arrivals""")).isEqualTo("""
                        dropped dropped taken taken taken
                        lo
                        dropped dropped taken taken taken
                        dropped dropped taken taken taken""");
    }

    @Test
    void add_addressThatAnotherInterfaceHad_isTakenFromTheNewOneAlone() throws Exception {
        assertThat(run("""
                        script add 10.0.0.0/24 wg1 10.0.0.1
                        arrives 10.0.0.1 10.0.0.2 wg0
                        facts_kill_switch wg0
                        script add 10.0.0.0/24 wg0 10.0.0.1
                        arrives 10.0.0.1 10.0.0.2 wg0
                        facts_kill_switch wg0""")).isEqualTo("""
                        dropped
                        unreachable 10.0.0.0/24
                        taken
                        unreachable 10.0.0.0/24
                        dropped 10.0.0.0/24
                        guarded 10.0.0.1""");
    }

    @Test
    void add_localAddressesLookedUpFirstOrElsewhere_isToldOfAsItIs() throws Exception {
        assertThat(run("""
                        script add 10.0.0.0/24 wg0 10.0.0.1
                        ip rule delete priority 0 to 10.0.0.1 blackhole
                        ip rule add priority 0 to 10.0.0.1 blackhole
                        facts_kill_switch wg0
                        echo again
                        script add 10.0.0.0/24 wg0 10.0.0.1
                        facts_kill_switch wg0
                        script remove
                        ip rule add priority 100 lookup local
                        ip rule delete priority 0 lookup local
                        script add 10.0.0.0/24 wg0 10.0.0.1
                        arrives 10.0.0.1 203.0.113.9 eth0
                        ip rule | grep -c 'from all lookup local'""")).isEqualTo("""
                        unreachable 10.0.0.0/24
                        dropped 10.0.0.0/24
                        again
                        unreachable 10.0.0.0/24
                        dropped 10.0.0.0/24
                        guarded 10.0.0.1
                        dropped
                        1""");
    }

    /** As where the packet filter is switched off on a monitor: its peers are nodes and another monitor, which alone scrapes it. */
    @Test
    void add_portsThatMonitorsScrape_areClosedToOtherPeersWithoutAnyPacketFilter() throws Exception {
        String asked = """
                iptables -F; iptables -t raw -F
                asked() { case $(ip route get 10.0.0.1 from "$1" iif wg0 ipproto "$3" dport "$2" 2>&1) in local*) echo open ;; *) echo closed ;; esac; }
                all() { echo $(asked 10.0.0.9 9100 tcp) $(asked 10.0.0.9 9187 tcp) $(asked 10.0.0.5 9100 tcp) $(asked 10.0.0.5 9187 tcp) \
                    $(asked 10.0.0.9 8080 tcp) $(asked 10.0.0.9 9100 udp) $(arrives 10.0.0.1 203.0.113.9 eth0) $(way 10.0.0.1); }
                """;
        assertThat(run(asked + "script add 10.0.0.0/24 wg0 10.0.0.1 - -; all")).isEqualTo("""
                open open open open open open dropped lo""");
        assertThat(run(asked + """
                        for i in 1 2; do
                            script add 10.0.0.0/24 wg0 10.0.0.1 9100,9187 10.0.0.5,10.0.0.6; all
                        done
                        ip rule show | grep -c dport
                        script add 10.0.0.0/24 wg0 10.0.0.1 9187 -; all
                        facts_kill_switch wg0
                        script add 10.0.0.0/24 wg0 10.0.0.1 - -; all
                        ip rule show | grep -c dport""")).isEqualTo("""
                        closed closed open open open open dropped lo
                        closed closed open open open open dropped lo
                        6
                        open closed open closed open open dropped lo
                        unreachable 10.0.0.0/24
                        dropped 10.0.0.0/24
                        closed 10.0.0.1 9187
                        guarded 10.0.0.1
                        open open open open open open dropped lo
                        0""");
    }

    @Test
    void add_anotherAddressWithPorts_keepsThoseOfTheFirst() throws Exception {
        assertThat(portsAndAddresses("""
                        script add 10.0.0.0/24 wg0 10.0.0.10 9100 10.0.0.5
                        script add 10.44.0.0/16 wg0 10.44.0.1 9100 10.44.0.5
                        script add 10.0.0.0/24 wg0 10.0.0.1 9100 -
                        script add fd00:77::/64 wg0 fd00:77::1 9100,9187 fd00:77::5
                        facts_kill_switch wg0
                        echo then
                        script only fd00:77::/64 wg0 fd00:77::1 9100 fd00:77::5
                        facts_kill_switch wg0""")).isEqualTo("""
                        closed 10.0.0.1 9100
                        guarded 10.0.0.1
                        admitted 10.0.0.10 9100 10.0.0.5
                        closed 10.0.0.10 9100
                        guarded 10.0.0.10
                        admitted 10.44.0.1 9100 10.44.0.5
                        closed 10.44.0.1 9100
                        guarded 10.44.0.1
                        admitted fd00:77::1 9100 fd00:77::5
                        closed fd00:77::1 9100
                        admitted fd00:77::1 9187 fd00:77::5
                        closed fd00:77::1 9187
                        guarded fd00:77::1
                        then
                        admitted fd00:77::1 9100 fd00:77::5
                        closed fd00:77::1 9100
                        guarded fd00:77::1""");
    }

    @Test
    void add_portRulesDeletedOrBelowTheOthers_areToldOfAsTheyAreAndSetAgain() throws Exception {
        String add = "script add 10.0.0.0/24 wg0 10.0.0.1 9100 10.0.0.5\n";
        assertThat(portsAndAddresses(add + """
                        ports() { facts_kill_switch wg0; echo then; }
                        ip rule delete priority 0 from 10.0.0.5 to 10.0.0.1; ports
                        ADDports
                        ip rule delete priority 0 to 10.0.0.1 iif wg0 ipproto tcp dport 9100 blackhole; ports
                        ip rule add priority 0 protocol kernel to 10.0.0.1 iif wg0 ipproto tcp dport 9100 blackhole; ports
                        ADDports
                        script remove; ip rule show | grep 10.0.0 | wc -l; ADDundo_kill_switch; ip rule show | grep 10.0.0 | wc -l""".replace("ADD", add))).isEqualTo("""
                        closed 10.0.0.1 9100
                        guarded 10.0.0.1
                        then
                        admitted 10.0.0.1 9100 10.0.0.5
                        closed 10.0.0.1 9100
                        guarded 10.0.0.1
                        then
                        admitted 10.0.0.1 9100 10.0.0.5
                        guarded 10.0.0.1
                        then
                        admitted 10.0.0.1 9100 10.0.0.5
                        guarded 10.0.0.1
                        then
                        admitted 10.0.0.1 9100 10.0.0.5
                        closed 10.0.0.1 9100
                        guarded 10.0.0.1
                        then
                        0
                        0""");
    }

    private String portsAndAddresses(String shell) throws Exception {
        return run(shell)
                .lines()
                .filter(line -> !line.startsWith("unreachable") && !line.startsWith("dropped"))
                .collect(Collectors.joining("\n"));
    }

    /** What a viewer sends, as the kernel would route it on a monitor that also forwards packets for others and has no packet filter. */
    private static final String SENT = """
            iptables -F; iptables -t raw -F
            sent() {
                case $(ip route get "$1" from "$2" iif wg0 ipproto "$3" ${4:+dport $4} 2>&1) in
                    local*) echo taken ;;
                    *' dev eth0 '*) echo passed ;;
                    *) echo dropped ;;
                esac
            }
            sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv6.conf.all.forwarding=1
            ip route add 172.17.0.0/16 dev eth0
            all() {
                echo $(sent 10.0.0.1 "$1" tcp 9090) $(sent 10.0.0.1 "$1" tcp 22) $(sent 10.0.0.1 "$1" tcp 9100) $(sent 10.0.0.1 "$1" udp 9090) \
                    $(sent 10.0.0.1 "$1" icmp) $(sent 192.0.2.2 "$1" tcp 9090) $(sent 172.17.0.5 "$1" tcp 80)
            }
            """;

    @Test
    void add_viewers_reachPrometheusAloneAndNobodyElseDoes() throws Exception {
        assertThat(run(SENT + "script add 10.0.0.0/24 wg0 10.0.0.1 9100 10.0.0.5; all 10.0.0.254"))
                .as("without it")
                .isEqualTo("taken taken dropped taken taken taken passed");
        assertThat(run(SENT + """
                        for i in 1 2; do
                            script add 10.0.0.0/24 wg0 10.0.0.1 9100 10.0.0.5 9090 10.0.0.254,10.0.0.253
                            all 10.0.0.254; all 10.0.0.253; all 10.0.0.9; all 10.0.0.5
                        done
                        ways
                        ip rule show | grep -c 'iif wg0 blackhole'""")).isEqualTo("""
                        taken dropped dropped dropped dropped dropped dropped
                        taken dropped dropped dropped dropped dropped dropped
                        dropped taken dropped taken taken taken passed
                        dropped taken taken taken taken taken passed
                        taken dropped dropped dropped dropped dropped dropped
                        taken dropped dropped dropped dropped dropped dropped
                        dropped taken dropped taken taken taken passed
                        dropped taken taken taken taken taken passed
                        wg0 wg0 lo
                        2""");
    }

    @Test
    void add_viewersOfIpv6_reachPrometheusAlone() throws Exception {
        assertThat(run(SENT + """
                        script add fd00:77::/64 wg0 fd00:77::1 9100 - 9090 fd00:77::ff
                        echo $(sent fd00:77::1 fd00:77::ff tcp 9090) $(sent fd00:77::1 fd00:77::ff tcp 22) $(sent 2001:db8::2 fd00:77::ff tcp 9090) \
                            $(sent fd00:77::1 fd00:77::9 tcp 9090) $(sent fd00:77::1 fd00:77::9 tcp 22)
                        facts_kill_switch wg0""")).isEqualTo("""
                        taken dropped dropped dropped taken
                        unreachable fd00:77::/64
                        dropped fd00:77::/64
                        shut fd00:77::ff
                        closed fd00:77::1 9100
                        admitted fd00:77::1 9090 fd00:77::ff
                        closed fd00:77::1 9090
                        guarded fd00:77::1""");
    }

    /** Peers go after the kill switch is told, and may be there for a while. */
    @Test
    void add_withoutAFormerViewer_keepsItShutUntilTheOthersAreReleased() throws Exception {
        assertThat(run(SENT + """
                        script add 10.0.0.0/24 wg0 10.0.0.1 9100 - 9090 10.0.0.253,10.0.0.254
                        script add 10.0.0.0/24 wg0 10.0.0.1 9100 - 9090 10.0.0.253; all 10.0.0.254; all 10.0.0.253
                        script add 10.0.0.0/24 wg0 10.0.0.1 9100 -; all 10.0.0.254
                        facts_kill_switch wg0
                        script only 10.0.0.0/24 wg0 10.0.0.1 9100 - 9090 10.0.0.253
                        facts_kill_switch wg0
                        script only 10.0.0.0/24 wg0 10.0.0.1 9100 -
                        ip rule show | grep -e 9090 -e 10.0.0.25 | wc -l""")).isEqualTo("""
                        dropped dropped dropped dropped dropped dropped dropped
                        taken dropped dropped dropped dropped dropped dropped
                        dropped dropped dropped dropped dropped dropped dropped
                        unreachable 10.0.0.0/24
                        dropped 10.0.0.0/24
                        shut 10.0.0.253
                        shut 10.0.0.254
                        closed 10.0.0.1 9100
                        guarded 10.0.0.1
                        unreachable 10.0.0.0/24
                        dropped 10.0.0.0/24
                        shut 10.0.0.253
                        closed 10.0.0.1 9100
                        admitted 10.0.0.1 9090 10.0.0.253
                        closed 10.0.0.1 9090
                        guarded 10.0.0.1
                        0""");
    }

    @Test
    void add_viewersRulesDeletedOrWithoutEffect_areToldOfAsTheyAreAndSetAgain() throws Exception {
        String add = "script add 10.0.0.0/24 wg0 10.0.0.1 9100 - 9090 10.0.0.254\n";
        String whole = """
                shut 10.0.0.254
                closed 10.0.0.1 9100
                admitted 10.0.0.1 9090 10.0.0.254
                closed 10.0.0.1 9090
                guarded 10.0.0.1
                """;
        assertThat(portsAndAddresses(add + """
                        rules() { facts_kill_switch wg0; echo then; }
                        rules
                        ip rule delete priority 0 from 10.0.0.254 iif wg0 blackhole; rules
                        ip rule add priority 0 protocol kernel from 10.0.0.254 iif wg0 blackhole; rules
                        ADDrules
                        ip rule delete priority 0 from 10.0.0.254 to 10.0.0.1 iif wg0 ipproto tcp dport 9090 lookup local
                        ip rule add priority 0 protocol kernel from 10.0.0.254 to 10.0.0.1 iif wg0 ipproto tcp dport 9090 lookup local; rules
                        ADDrules
                        script remove; ip rule show | grep 10.0.0 | wc -l; ADDundo_kill_switch; ip rule show | grep 10.0.0 | wc -l""".replace("ADD", add))).isEqualTo(whole + """
                        then
                        closed 10.0.0.1 9100
                        admitted 10.0.0.1 9090 10.0.0.254
                        closed 10.0.0.1 9090
                        guarded 10.0.0.1
                        then
                        closed 10.0.0.1 9100
                        admitted 10.0.0.1 9090 10.0.0.254
                        closed 10.0.0.1 9090
                        guarded 10.0.0.1
                        then
                        """ + whole + """
                        then
                        shut 10.0.0.254
                        closed 10.0.0.1 9100
                        closed 10.0.0.1 9090
                        guarded 10.0.0.1
                        then
                        """ + whole + """
                        then
                        0
                        0""");
    }

    @Test
    void removeAndUndo_routingRules_leaveThoseOfOthersAsTheyWere() throws Exception {
        String rules = "; ip rule show; ip -6 rule show";
        String others = """
                ip rule add priority 0 to 203.0.113.0/24 lookup 77; ip rule add priority 5 from 192.0.2.9 lookup 77
                ip rule add priority 0 to 203.0.113.9 blackhole; ip rule add priority 0 from 203.0.113.7 iif wg0 blackhole
                ip rule add priority 0 from 203.0.113.8 to 203.0.113.0/24 iif eth0 lookup local
                """;
        String before = run(others + rules.substring(2));
        String add = "script add 10.0.0.0/24 wg0 10.0.0.1 - - 9090 10.0.0.9; script add fd00:77::/64 wg0 fd00:77::1; ";
        assertThat(run(others + add + "script remove" + rules).lines().sorted())
                .containsExactlyElementsOf(before.lines().sorted().toList());
        assertThat(run(others + add + "undo_kill_switch" + rules).lines().sorted())
                .containsExactlyElementsOf(before.lines().sorted().toList());
    }

    /** wg-quick is the real one, and a pair of Ethernet devices stands in for WireGuard. */
    @Test
    void add_interfaceUpByItsConfiguration_leadsThereByTheRouteOfItsAddressAlone() throws Exception {
        Path wgQuick = Path.of("/usr/bin/wg-quick");
        assumeTrue(Files.isExecutable(wgQuick), "needs wg-quick, of the package wireguard-tools");
        Path bin = Files.createDirectory(folder.resolve("bin"));
        Files.copy(wgQuick, bin.resolve("wg-quick"));
        Files.writeString(bin.resolve("wg"), """
                #!/bin/sh
                case $* in
                    'show interfaces') echo wg0 ;;
                    'show wg0 allowed-ips') echo 'peer 10.0.0.2/32' ;;
                esac
                """);
        Files.writeString(bin.resolve("ip"), """
                #!/bin/sh
                if [ "$*" = 'link add wg0 type wireguard' ]; then
                    set -- link add wg0 type veth peer name tunnel
                    /usr/sbin/ip "$@" && exec /usr/sbin/ip link set tunnel up
                fi
                exec /usr/sbin/ip "$@"
                """);
        for (String program : List.of("wg", "ip")) {
            Files.setPosixFilePermissions(bin.resolve(program), PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Files.writeString(
                folder.resolve("wg0.conf"),
                Objects.requireNonNull(files.get("/etc/wireguard/wg0.conf"))
                        .replaceAll("(?m)^#.*\n", "")
                        .replace("/etc/wireguard/", folder + "/"));

        assertThat(run("""
                        ip link delete wg0
                        script add 10.0.0.0/24 wg0 10.0.0.1
                        echo "$(way 10.0.0.2)"
                        FOLDER/bin/wg-quick up FOLDER/wg0.conf
                        echo "$(way 10.0.0.2)"
                        ip route show dev wg0
                        FOLDER/bin/wg-quick down FOLDER/wg0.conf
                        echo "$(way 10.0.0.2)"
                        """.replace("FOLDER", folder.toString()))
                        .lines()
                        .filter(line -> !line.matches("(\\[#]|Warning:) .*")))
                .containsExactly("nowhere", "wg0", "10.0.0.0/24 proto kernel scope link src 10.0.0.1 ", "nowhere");
    }

    @Test
    void facts_layerMissingOrWithoutEffect_isNotToldOf() throws Exception {
        String both = "unreachable 10.0.0.0/24\ndropped 10.0.0.0/24\nguarded 10.0.0.1";
        String add = "script add 10.0.0.0/24 wg0 10.0.0.1\n";
        assertThat(run("facts_kill_switch wg0")).isEmpty();
        assertThat(run(add + add + "facts_kill_switch wg0; iptables -t raw -S OUTPUT | wc -l"))
                .isEqualTo(both + "\n2");
        assertThat(run(add + "ip route flush type unreachable; facts_kill_switch wg0"))
                .isEqualTo("dropped 10.0.0.0/24\nguarded 10.0.0.1");
        assertThat(run(add + "iptables -t raw -F; facts_kill_switch wg0"))
                .isEqualTo("unreachable 10.0.0.0/24\nguarded 10.0.0.1");
        assertThat(run(add + "iptables -t raw -I OUTPUT -j ACCEPT; facts_kill_switch wg0; echo again; " + add
                        + "facts_kill_switch wg0"))
                .isEqualTo("unreachable 10.0.0.0/24\nguarded 10.0.0.1\nagain\n" + both);
        assertThat(run(add + "facts_kill_switch wg1")).isEqualTo("unreachable 10.0.0.0/24");
    }

    @Test
    void onlyAndRemove_severalNetworks_leaveTheOneOrNone() throws Exception {
        String three = """
                script add 10.0.0.0/24 wg0 10.0.0.1
                script add 10.44.0.0/16 wg0 10.44.0.1
                script add fd00:77::/64 wg0 fd00:77::1
                ip route add unreachable 203.0.113.0/24
                iptables -t raw -A OUTPUT -d 203.0.113.0/24 -j DROP
                """;
        String others = "\nunreachable 203.0.113.0/24 \n-A OUTPUT -d 203.0.113.0/24 -j DROP";
        String after = "; facts_kill_switch wg0; ip route show 203.0.113.0/24; iptables -t raw -S OUTPUT | grep 203";
        assertThat(run(three + "script only 10.44.0.0/16 wg0 10.44.0.1" + after))
                .isEqualTo("unreachable 10.44.0.0/16\ndropped 10.44.0.0/16\nguarded 10.44.0.1" + others);
        assertThat(run(three + "script only fd00:77::/64 wg0 fd00:77::1" + after))
                .isEqualTo("unreachable fd00:77::/64\ndropped fd00:77::/64\nguarded fd00:77::1" + others);
        assertThat(run(three + "script remove" + after)).isEqualTo(others.strip());
        assertThat(run(three + "undo_kill_switch" + after)).isEqualTo(others.strip());
    }

    @Test
    void undo_whereNoneWas_removesAll() throws Exception {
        assertThat(run("""
                        mkdir -p FOLDER/saved/kill-switch
                        script add 10.0.0.0/24 wg0 10.0.0.1
                        restore_kill_switch FOLDER/saved
                        facts_kill_switch wg0
                        ls FOLDER""".replace("FOLDER", folder.toString()))).isEqualTo("saved");
    }

    @Test
    void undo_ofAnotherNetwork_coversTheOldOneAgainAndTheNewOneStill() throws Exception {
        assertThat(run("""
                        mkdir FOLDER/saved
                        save_kill_switch FOLDER/saved
                        sed -i 's/10[.]0[.]0/10.44.0/' "$KILL_SWITCH_UNIT"
                        rm "$KILL_SWITCH_SCRIPT"
                        cp FOLDER/saved/kill-switch/kill-switch.sh "$KILL_SWITCH_SCRIPT"
                        script only 10.44.0.0/24 wg0 10.44.0.1
                        restore_kill_switch FOLDER/saved
                        facts_kill_switch wg0
                        grep -c 10.0.0.0/24 "$KILL_SWITCH_UNIT\"""".replace("FOLDER", folder.toString()))).isEqualTo("""
                        unreachable 10.0.0.0/24
                        unreachable 10.44.0.0/24
                        dropped 10.0.0.0/24
                        dropped 10.44.0.0/24
                        closed 10.0.0.1 9100
                        guarded 10.0.0.1
                        guarded 10.44.0.1
                        3""");
    }
}
