package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The shell that finds which ports are served, in a network namespace of its own: this machine's kernel, with sockets of real programs. */
@Timeout(60)
class ServedPortsTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    /** {@code serve PROTOCOL ADDRESS PORT [WORD…]} and {@code client ADDRESS PORT}, which is told of its port in no way that can be seen. */
    private static final String HOST = """
            # A new namespace takes this from the machine, and a machine with containers forwards.
            echo 0 >/proc/sys/net/ipv4/ip_forward
            ip link set lo up
            ip link add eth0 type veth peer name gateway
            ip address add 192.0.2.2/24 dev eth0
            ip address add 2001:db8::2/64 dev eth0 nodad
            ip link set eth0 up
            ip link set gateway up
            # An earlier call's programs are gone.
            rm -f FOLDER/ready* FOLDER/raw.*
            serve() {
                perl -MSocket -MIO::Socket::IP -e '
                    my %of = (Proto => $ARGV[0], LocalHost => $ARGV[1], LocalPort => $ARGV[2], V6Only => 1);
                    $of{Listen} = 5 if $ARGV[0] eq "tcp";
                    my $socket = IO::Socket::IP->new(%of) or die "$!";
                    open(my $ready, ">", "FOLDER/ready.$ARGV[2]"); close($ready);
                    sleep 30' "$@" >/dev/null 2>&1 3>&- &
                programs="$programs $!"
                until [ -e "FOLDER/ready.$3" ]; do sleep 0.05; done
            }
            client() {
                echo "$1 $2" >FOLDER/client
                perl -MIO::Socket::IP -e '
                    my ($at, $port) = split(/\\s/, <STDIN>);
                    my $socket = IO::Socket::IP->new(Proto => "udp", LocalHost => $at, LocalPort => $port) or die "$!";
                    open(my $ready, ">", "FOLDER/ready.$port"); close($ready);
                    sleep 30' <FOLDER/client >/dev/null 2>&1 3>&- &
                programs="$programs $!"
                until [ -e "FOLDER/ready.$2" ]; do sleep 0.05; done
            }
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void needNamespace() throws Exception {
        Process namespace = new ProcessBuilder("unshare", "-n", "iptables", "-t", "nat", "-S").start();
        assumeTrue(namespace.waitFor() == 0, "needs root, for a network namespace, and iptables");
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/perl")), "needs perl");
    }

    private List<String> facts(String shell) throws Exception {
        String text;
        try (Script script = Script.begin(NONCE)) {
            text = script.shell((HOST + shell + "\nfacts_served_ports\n[ -z \"$programs\" ] || kill $programs\n")
                            .replace("FOLDER", folder.toString()))
                    .end()
                    .text()
                    .replace("/etc/ufw/", folder + "/");
        }
        Process process = new ProcessBuilder("unshare", "-n", "sh", "-s").start();
        try (var in = process.getOutputStream()) {
            in.write(text.getBytes(UTF_8));
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return out.lines()
                .filter(line -> line.startsWith(NONCE + "\tfact\t"))
                .map(line -> line.substring((NONCE + "\tfact\tserved-ports\t").length())
                        .replace('\t', ' '))
                .toList();
    }

    @Test
    void facts_socketsOfEveryKind_areToldOfWithTheirProgramsButForThoseOfClients() throws Exception {
        assertThat(facts("""
                        serve tcp 0.0.0.0 80
                        serve tcp 192.0.2.2 8081
                        serve tcp :: 8443
                        serve udp 0.0.0.0 514
                        serve udp 0.0.0.0 41641
                        client 0.0.0.0 45000
                        client 192.0.2.2 60001
                        ip link add vxlan0 type vxlan id 7 dstport 4789 local 192.0.2.2 remote 192.0.2.9
                        ip link set vxlan0 up"""))
                .filteredOn(line -> line.startsWith("socket "))
                .contains(
                        "socket tcp 0.0.0.0 80 perl",
                        "socket tcp 192.0.2.2 8081 perl",
                        "socket tcp [::] 8443 perl",
                        "socket udp 0.0.0.0 514 perl",
                        "socket udp 0.0.0.0 41641 perl",
                        "socket udp 192.0.2.2 60001 perl",
                        "socket udp 0.0.0.0 4789 the kernel")
                .noneMatch(line -> line.contains("45000"));
    }

    /** ufw drops all of them. ICMP it admits, and a socket of number 255 gets nothing. */
    @Test
    void facts_protocolsWithoutPorts_areToldOfWithWhatTakesThem() throws Exception {
        assertThat(facts("""
                        raw() {
                            perl -MSocket -e '
                                socket(my $s, $ARGV[0] == 6 ? PF_INET6 : PF_INET, SOCK_RAW, $ARGV[1]) or die "$!";
                                open(my $ready, ">", "FOLDER/raw.$ARGV[1]"); close($ready);
                                sleep 30' "$@" >/dev/null 2>&1 3>&- &
                            programs="$programs $!"
                            until [ -e "FOLDER/raw.$2" ]; do sleep 0.05; done
                        }
                        for number in 1 6 17 89 112 201 255; do raw 4 "$number"; done
                        raw 6 58
                        raw 6 103
                        ip() {
                            case $* in
                                '-d -o link show up')
                                    echo '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue\\    link/loopback 00:00:00:00:00:00 promiscuity 0 '
                                    echo '4: gre@veth7: <UP,LOWER_UP> mtu 1500 qdisc noqueue master br0\\    link/ether 3a:1f:c5:19:7f:d3 promiscuity 1 \\    veth \\    bridge_slave state forwarding '
                                    echo '5: gre1@NONE: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1476 qdisc noqueue\\    link/gre 192.0.2.2 peer 192.0.2.9 promiscuity 0 \\    gre remote 192.0.2.9 local 192.0.2.2 ttl inherit '
                                    echo '6: tunnel-6@eth0: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1452\\    link/tunnel6 2001:db8::2 peer 2001:db8::9 promiscuity 0 \\    ip6tnl ip4ip6 remote 2001:db8::9 local 2001:db8::2 \\    alias to Sydney'
                                    echo '7: wg0: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1420\\    link/none promiscuity 0 \\    wireguard addrgenmode none \\    alias home' ;;
                                'xfrm state') printf 'src 2001:db8::9 dst 2001:db8::2\\n\\tproto esp spi 0x1 reqid 0 mode tunnel\\n' &&
                                    printf 'src 192.0.2.9 dst 192.0.2.2\\n\\tproto esp spi 0x2 mode tunnel\\n\\tencap type espinudp sport 4500\\n' &&
                                    printf 'src 192.0.2.9 dst 192.0.2.2\\n\\tproto ah spi 0x3 mode transport\\n' ;;
                                *) command ip "$@" ;;
                            esac
                        }"""))
                .filteredOn(line -> line.startsWith("protocol "))
                .containsExactlyInAnyOrder(
                        "protocol 89 ospf 4 perl",
                        "protocol 112 vrrp 4 perl",
                        "protocol 201 201 4 perl",
                        "protocol 103 pim 6 perl",
                        "protocol 47 gre 4 gre1",
                        "protocol 41 ipv6 6 tunnel-6",
                        "protocol 50 esp 6 IPsec",
                        "protocol 51 ah 4 IPsec");
    }

    @Test
    void facts_wayToLoopback_isToldOf() throws Exception {
        assertThat(facts("")).doesNotContain("reaches-loopback");
        assertThat(facts("echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet")).contains("reaches-loopback");
    }

    /** The port of a client is one that chance gave it: nobody told the program, and it has it once. */
    @Test
    void facts_udpPortOfTheRangeForClients_isAServiceWhereSomebodyChoseIt() throws Exception {
        Files.writeString(folder.resolve("server.conf"), "# port 45001\nproto udp\nport 45002\n");
        Files.writeString(folder.resolve("client.conf"), "remote a.example 145004 10.45004.0.1\n# 45004\n");
        assertThat(facts("""
                        bound() {
                            echo "$1" >FOLDER/list
                            shift
                            rm -f FOLDER/ready
                            perl -MIO::Socket::IP -e '
                                for (split(/\\s/, <STDIN>)) {
                                    my ($proto, $host, $port) = split(/,/);
                                    my %of = (Proto => $proto, LocalHost => $host, LocalPort => $port, V6Only => 1);
                                    $of{Listen} = 5 if $proto eq "tcp";
                                    push(@sockets, IO::Socket::IP->new(%of) || die "$!");
                                }
                                open(my $ready, ">", "FOLDER/ready"); close($ready);
                                sleep 30' -- "$@" <FOLDER/list >/dev/null 2>&1 3>&- &
                            programs="$programs $!"
                            until [ -e FOLDER/ready ]; do sleep 0.05; done
                        }
                        bound udp,0.0.0.0,45002 --config=FOLDER/server.conf
                        bound udp,0.0.0.0,45004 FOLDER/client.conf
                        bound "udp,0.0.0.0,45006 udp,::,45006"
                        bound "udp,0.0.0.0,45007 tcp,0.0.0.0,45007"
                        LISTEN=0.0.0.0:45008 bound udp,0.0.0.0,45008
                        bound "udp,0.0.0.0,45009 udp,0.0.0.0,45010"
                        """))
                .filteredOn(line -> line.startsWith("socket udp "))
                .containsExactlyInAnyOrder(
                        "socket udp 0.0.0.0 45002 perl",
                        "socket udp 0.0.0.0 45006 perl",
                        "socket udp [::] 45006 perl",
                        "socket udp 0.0.0.0 45007 perl",
                        "socket udp 0.0.0.0 45008 perl");
    }

    @Test
    void facts_firewallThatDropsWhatNoRuleAdmits_areNone() throws Exception {
        assertThat(facts("serve tcp 0.0.0.0 80; iptables -P INPUT DROP; ip6tables -P INPUT DROP"))
                .isEmpty();
        assertThat(facts("serve tcp 0.0.0.0 80; iptables -P INPUT DROP"))
                .as("IPv6 is open")
                .containsExactly("socket tcp 0.0.0.0 80 perl");
    }
}
