package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.ApplyException;
import dev.promguard.ApplyReport;
import dev.promguard.DestroyReport;
import dev.promguard.InvalidMeshException;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.MeshProblem;
import dev.promguard.Plan;
import dev.promguard.Progress;
import dev.promguard.digitalocean.DigitalOcean;
import dev.promguard.examples.localcloud.ContractWatch;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.Outsider;
import dev.promguard.host.Change;
import dev.promguard.host.Manifest;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.HostCertificates;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.ssh.ExistingHosts;
import dev.promguard.ssh.ExistingHostsBuilder;
import dev.promguard.ssh.SshApplier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Servers that lived before the mesh and go on living after it: what they were, they are again. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Order(2)
class ExistingHostsIT {
    @RegisterExtension
    static final ContractWatch CONTRACT = ContractWatch.ofAll();

    @TempDir
    static Path state;

    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    /** sshd by its socket, sudo with a terminal of its own, the older iptables with rules from boot on, and no cloud-init. */
    private static final String DRESS = """
            set -e
            exec 2>&1
            export DEBIAN_FRONTEND=noninteractive
            apt-get -qq -y install needrestart unattended-upgrades >/dev/null
            apt-get -qq -y purge wireguard-tools >/dev/null
            echo 'Defaults use_pty' >/etc/sudoers.d/pty
            systemctl disable --now ssh.service
            systemctl enable --now ssh.socket
            systemctl mask cloud-init cloud-init-local cloud-config cloud-final
            ufw --force disable
            sed -i 's/^IPV6=.*/IPV6=no/' /etc/default/ufw
            for tables in iptables ip6tables; do
                $tables -F
                $tables -X
                update-alternatives --set "$tables" "/usr/sbin/$tables-legacy"
            done
            cat >/etc/owner.rules <<'RULES'
            *filter
            :INPUT DROP [0:0]
            :FORWARD ACCEPT [0:0]
            :OUTPUT ACCEPT [0:0]
            -A INPUT -i lo -j ACCEPT
            -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
            COMMIT
            RULES
            cat >/etc/systemd/system/owner-firewall.service <<'UNIT'
            [Unit]
            DefaultDependencies=no
            After=local-fs.target
            Before=network-pre.target ufw.service
            Wants=network-pre.target
            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/usr/sbin/iptables-restore /etc/owner.rules
            [Install]
            WantedBy=multi-user.target
            UNIT
            systemctl enable owner-firewall
            cat >/usr/local/bin/unattended-upgr <<'PROGRAM'
            #!/bin/sh
            # Keeps the lock until somebody has waited for it for a while.
            exec python3 - <<'CODE'
            import ctypes, fcntl, subprocess, time
            ctypes.CDLL(None).prctl(15, b'unattended-upgr', 0, 0, 0)
            lock = open('/var/lib/dpkg/lock-frontend', 'w')
            fcntl.lockf(lock, fcntl.LOCK_EX)
            while subprocess.call(['pgrep', '-f', 'apt-get -y -q --no-remove']):
                time.sleep(0.2)
            time.sleep(5)
            CODE
            PROGRAM
            chmod 755 /usr/local/bin/unattended-upgr
            """;

    private final SshKeyPair identity = SshKeyPair.generate(new SecureRandom());
    private final SshKeyPair hostKey = SshKeyPair.generate(new SecureRandom());
    private final Map<String, Map<String, String>> before = new TreeMap<>();
    private LocalCloud cloud;
    private Outsider outsider;

    @BeforeAll
    void haveServers() {
        cloud = Clouds.startBare(CONTRACT);
        outsider = cloud.outsider();
        CloudProvider account = DigitalOcean.builder()
                .endpoint(cloud.endpoint())
                .token(Secret.of(cloud.token()))
                .ipv6(cloud.ipv6ReleaseMirror().isPresent())
                .build();
        AccessKey key = account.registerAccessKey("others", identity.publicKey());
        List<CloudHost> made;
        try (Secret userData = userData()) {
            made = account.create(new CreateOrder(
                    "others",
                    "a1",
                    "node",
                    List.of("mon", "db-1"),
                    "lon1",
                    "s-1vcpu-1gb",
                    "debian-12-x64",
                    key,
                    userData));
        }
        account.await("others", made.stream().map(CloudHost::id).collect(Collectors.toSet()), TIMEOUT);
        for (LocalDroplet host : hosts()) {
            Clouds.run(host, "cloud-init status --wait >/dev/null");
        }
        Clouds.run(
                database(),
                "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install ufw >/dev/null 2>&1"
                        + " && useradd -m -s /bin/bash admin && mkdir -m 700 /home/admin/.ssh"
                        + " && cp /root/.ssh/authorized_keys /home/admin/.ssh/ && chown -R admin: /home/admin/.ssh"
                        + " && echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin"
                        + " && ufw allow in on eth0 to any port 22 proto tcp && ufw limit 2222/tcp"
                        + " && ufw allow 8080/tcp comment theirs && ufw --force enable");
        Clouds.run(
                database(),
                "mkdir /etc/prometheus && echo mine >/etc/prometheus/notes && useradd --system prometheus"
                        + " && printf '[Service]\\nExecStart=/bin/bash -c \"while :; do sleep 60; done\"\\n"
                        + "[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/theirs.service"
                        + " && printf '[Socket]\\nListenStream=8080\\n[Install]\\nWantedBy=sockets.target\\n'"
                        + " >/etc/systemd/system/theirs.socket && systemctl enable --now theirs.socket 2>&1");
        hosts().forEach(host -> before.put(host.name(), snapshot(host)));
    }

    @AfterAll
    void takeDown() {
        identity.close();
        hostKey.close();
        if (cloud != null) {
            cloud.close();
        }
    }

    private Secret userData() {
        return hostKey.privateKey()
                .useText(text -> Secret.of("#cloud-config\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n"
                        + text.lines().map(line -> "    " + line + "\n").collect(Collectors.joining())
                        + "  ed25519_public: " + hostKey.publicKey().line() + " host\n"));
    }

    private LocalDroplet monitor() {
        return cloud.droplet("mon");
    }

    private LocalDroplet database() {
        return cloud.droplet("db-1");
    }

    private List<LocalDroplet> hosts() {
        return List.of(monitor(), database());
    }

    private ExistingHostsBuilder servers() {
        return ExistingHosts.builder().identity(identity.privateKey());
    }

    private ExistingHostsBuilder known() {
        String fingerprint = hostKey.publicKey().fingerprint().text();
        return servers()
                .host("mon", monitor().publicAddress(), fingerprint)
                .host("db-1", "admin@" + database().publicAddress() + ":22", fingerprint);
    }

    private MeshBuilder spec(ExistingHosts provider) {
        var releases = cloud.provider().releases();
        return Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .node("db-1", host -> host.region("rack-7").openPorts(8080))
                .hostsFile(true)
                .nodeExporter(releases.stream()
                        .filter(release -> release.name().equals("node_exporter"))
                        .findFirst()
                        .orElseThrow())
                .prometheus(prometheus -> prometheus
                        .scrapeInterval(Duration.ofSeconds(3))
                        .release(releases.stream()
                                .filter(release -> release.name().equals("prometheus"))
                                .findFirst()
                                .orElseThrow()))
                .provider(provider)
                .state(state)
                .listener(Progress.console());
    }

    /** What a host is, as far as its own tools tell. */
    private static Map<String, String> snapshot(LocalDroplet host) {
        Map<String, String> snapshot = new TreeMap<>();
        snapshot.put("firewall", Clouds.run(host, "ufw status verbose 2>/dev/null || echo no ufw"));
        snapshot.put(
                "tables",
                Clouds.run(
                        host,
                        "for tables in iptables ip6tables; do $tables -S | sort; $tables -t raw -S | sort; done"));
        snapshot.put("packages", Clouds.run(host, "dpkg-query -W -f '${Package} ${db:Status-Status}\\n'"));
        snapshot.put("units", Clouds.run(host, "systemctl list-unit-files --no-legend --no-pager"));
        snapshot.put(
                "running",
                Clouds.run(
                        host,
                        "systemctl list-units --no-legend --no-pager --plain --type=service,socket,timer --state=active"
                                + " | cut -d' ' -f1 | grep -v -e ^user -e ^apt-daily -e ^systemd-tmpfiles -e ^dpkg-db -e ^systemd-timedated | sort"));
        snapshot.put("sockets", Clouds.run(host, "ss -Hltun | tr -s ' ' | cut -d' ' -f1,5 | sort"));
        snapshot.put("links", Clouds.run(host, "ip -brief link | cut -d' ' -f1 | cut -d@ -f1"));
        snapshot.put("accounts", Clouds.run(host, "cut -d: -f1 /etc/passwd /etc/group | sort"));
        snapshot.put(
                "etc",
                Clouds.run(
                        host,
                        "cd /etc && find . -type f ! -name 'passwd*' ! -name 'shadow*' ! -name 'group*' ! -name 'gshadow*'"
                                + " ! -name ld.so.cache ! -path './ssl/*' -printf '%M %u %p\\n' -exec sha256sum {} + | sort;"
                                + " find . -type l -printf '%p %l\\n' | sort;"
                                + " find . -type d | sort"));
        snapshot.put(
                "ours", Clouds.run(host, "ls -d /opt/* /var/lib/promguard* /var/lib/prometheus* 2>/dev/null || :"));
        return snapshot;
    }

    @Test
    @Order(1)
    void apply_wrongFingerprint_isRefusedAndNothingIsSent() {
        HostKeyFingerprint wrong = new HostKeyFingerprint("SHA256:" + "x".repeat(43));
        ExistingHosts provider = servers()
                .host("mon", monitor().publicAddress(), wrong.text())
                .host("db-1", "admin@" + database().publicAddress(), wrong.text())
                .build();

        ApplyException refused = catchThrowableOfType(
                ApplyException.class, () -> spec(provider).name("refused").apply());

        assertThat(refused)
                .hasMessageContaining(hostKey.publicKey().fingerprint().text());
        assertThat(refused).hasMessageContaining("Nothing was sent to it");
        assertThat(Clouds.run(monitor(), "journalctl -u ssh --no-pager | grep -c Accepted || :"))
                .isEqualTo("0");
        spec(servers().forget("mon").forget("db-1").build())
                .name("refused")
                .build()
                .destroy();
    }

    @Test
    @Order(2)
    void apply_hostsThatNobodyNamed_areRefusedBeforeAnything() {
        assertThatThrownBy(() -> spec(known().build()).node("web-1", host -> {}).apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("the mesh has web-1, and ExistingHosts names db-1, mon");
    }

    @Test
    @Order(3)
    void apply_userWithoutSudo_saysWhatToDo() {
        Clouds.run(database(), "mv /etc/sudoers.d/admin /root/admin.sudo");
        String fingerprint = hostKey.publicKey().fingerprint().text();
        MeshBuilder alone = Mesh.builder()
                .name("refused")
                .namedMonitor("db-1")
                .provider(servers()
                        .host("db-1", "admin@" + database().publicAddress(), fingerprint)
                        .build())
                .state(state);
        ApplyException refused = catchThrowableOfType(ApplyException.class, alone::apply);
        Clouds.run(database(), "mv /root/admin.sudo /etc/sudoers.d/admin");

        assertThat(refused)
                .hasMessageContaining("admin may not run commands as root")
                .hasMessageContaining("NOPASSWD");
        alone.build().destroy();
        assertThat(difference(database())).isEqualTo(List.of());
    }

    @Test
    @Order(4)
    void apply_exporterOfOthers_isRefusedOnEveryHost() {
        Clouds.run(
                database(),
                "systemd-run --quiet --unit=their-exporter --socket-property=ListenStream=9100 sleep infinity");

        assertThatThrownBy(() -> spec(known().build()).apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("db-1: another program listens on *:9100/tcp");

        Clouds.run(database(), "systemctl stop their-exporter.socket");
        assertThat(difference(monitor())).isEqualTo(List.of());
        assertThat(difference(database())).isEqualTo(List.of());
    }

    @Test
    @Order(10)
    void applyVerifyAndApplyAgain_serversOfOnesOwn_areAMesh() {
        Mesh mesh = spec(known().build()).build();
        Plan plan = mesh.plan();
        System.out.println(plan);
        assertThat(plan.entries()).extracting(Plan.Entry::region).containsExactly("existing", "rack-7");

        ApplyReport report = mesh.apply(plan);

        System.out.println("first apply: " + report);
        assertThat(mesh.verify().failures()).isEmpty();
        assertThat(mesh.plan().isEmpty()).isTrue();
        ApplyReport again = mesh.apply();
        System.out.println("second apply: " + again);
        assertThat(again.changes()).isZero();
        assertThat(Clouds.run(monitor(), "getent hosts db-1.shop.mesh"))
                .matches("10\\.0\\.0\\.2\\s+db-1\\.shop\\.mesh");
        assertThat(Clouds.run(database(), "getent hosts mon.shop.mesh")).matches("10\\.0\\.0\\.1\\s+mon\\.shop\\.mesh");
        assertThat(Clouds.open(outsider, hosts(), 9100, 9090)).isEmpty();
        assertThat(Clouds.run(database(), "ufw status")).contains("theirs");
        assertThat(Clouds.run(database(), "cat /home/admin/.ssh/authorized_keys"))
                .isEqualTo(Clouds.run(database(), "cat /root/.ssh/authorized_keys"));
    }

    @Test
    @Tag("long")
    @Order(15)
    void takeOff_nobodyComesBackToConfirm_theHostClosesAgainAndIsStillTheMeshs() {
        SshApplier hasty =
                SshApplier.builder().rollbackAfter(Duration.ofSeconds(15)).build();
        HostTarget target = HostTarget.of("mon", monitor().publicAddress())
                .accepting(Set.of(hostKey.publicKey().fingerprint()))
                .identity(Identity.ofKey(identity.privateKey()))
                .timeout(TIMEOUT)
                .build();
        try (HostSession session = hasty.open(target)) {
            assertThat(session.apply(Manifest.uninstall(), new Silence())).isTrue();
        }
        Clouds.await(
                "the rollback",
                TIMEOUT,
                () -> monitor()
                        .exec("test", "-e", "/var/lib/promguard/rolled-back")
                        .ok());
        assertThat(Clouds.run(monitor(), "ufw status")).contains("Status: active");
        assertThat(Clouds.run(monitor(), "wg show wg0 listen-port")).isEqualTo("51820");
        assertThat(Clouds.open(outsider, hosts(), 9100, 9090)).isEmpty();

        Mesh mesh = spec(known().build()).build();
        assertThat(mesh.apply().ok()).isTrue();
        assertThat(mesh.verify().failures()).isEmpty();
    }

    private static final class Silence implements HostSession.Progress {
        @Override
        public void started(Change change) {}

        @Override
        public void done(Change change) {}

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {
            throw new AssertionError("no host key was to be replaced");
        }
    }

    /** The database lets nobody in from here; the configuration of the user's SSH client says which way leads there. */
    @Test
    @Order(16)
    void planAndApply_hostBehindAJumpHostOfTheSshConfiguration_findTheSameMesh(@TempDir Path client) {
        Path key = client.resolve("id_ed25519");
        identity.privateKey().useText(text -> write(key, text));
        Path config = write(client.resolve("config"), """
                Host edge
                    HostName %s
                Host inner
                    HostName %s
                    User admin
                    ProxyJump edge
                Host *
                    IdentityFile %s
                """.formatted(
                        monitor().publicAddress(), database().publicAddress(), key));
        Clouds.run(
                database(),
                "echo 'DenyUsers *@" + cloud.gateway() + "' >/etc/ssh/sshd_config.d/edge.conf && systemctl reload ssh");
        String fingerprint = hostKey.publicKey().fingerprint().text();
        ExistingHosts provider = ExistingHosts.builder()
                .sshConfig(config)
                .host("mon", "edge", fingerprint)
                .host("db-1", "inner", fingerprint)
                .build();

        assertThat(spec(known().build()).build().plan().problems())
                .as("the straight way")
                .extracting(MeshProblem::host)
                .containsExactly(Optional.of("db-1"));
        Mesh mesh = spec(provider).build();
        mesh.plan().requireEmpty();
        assertThat(mesh.apply().changes()).isZero();

        Clouds.run(database(), "rm /etc/ssh/sshd_config.d/edge.conf && systemctl reload ssh");
    }

    @Test
    @Order(16)
    void open_hostWithACertificate_isProvenByItsAuthority() {
        String address = monitor().publicAddress();
        String authority = Clouds.run(
                monitor(),
                "ssh-keygen -q -t ed25519 -N '' -f /root/ca"
                        + " && ssh-keygen -q -s /root/ca -I mon -h -n " + address + " /etc/ssh/ssh_host_ed25519_key.pub"
                        + " && echo HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub >/etc/ssh/sshd_config.d/ca.conf"
                        + " && systemctl reload ssh && cat /root/ca.pub");
        HostTarget target = HostTarget.of("mon", address)
                .certificates(new HostCertificates(
                        Set.of(SshPublicKey.parse(authority).fingerprint()), address))
                .identity(Identity.ofKey(identity.privateKey()))
                .timeout(TIMEOUT)
                .build();

        try (HostSession session = new SshApplier().open(target)) {
            assertThat(session.hostKey()).isEqualTo(hostKey.publicKey().fingerprint());
        }

        Clouds.run(
                monitor(),
                "rm /root/ca /root/ca.pub /etc/ssh/sshd_config.d/ca.conf /etc/ssh/ssh_host_ed25519_key-cert.pub"
                        + " && systemctl reload ssh");
    }

    /** Whoever goes on trying soon is refused for as long as that lasts. */
    @Test
    @Tag("long")
    @Order(17)
    void apply_hostThatLimitsConnections_isLetInAfterAWhile() throws IOException {
        String limit = "limit proto tcp from " + cloud.gateway() + " to any port 22";
        Clouds.run(database(), "ufw insert 1 " + limit);
        int refused = 0;
        for (int i = 0; i < 7; i++) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(database().publicAddress(), 22), 5_000);
            } catch (ConnectException e) {
                refused++;
            }
        }
        assertThat(refused).isPositive();

        ApplyReport report = spec(known().build()).build().apply();

        System.out.println("behind a firewall that limits connections: " + report);
        assertThat(report.changes()).isZero();
        Clouds.run(database(), "ufw delete " + limit);
    }

    @Test
    @Order(20)
    void destroy_serversOfOnesOwn_areWhatTheyWere() {
        long begin = System.nanoTime();
        DestroyReport report;
        try (Watcher watcher = new Watcher(cloud)) {
            report = spec(known().build()).build().destroy();
            assertThat(watcher.opened()).isEmpty();
        }
        System.out.println("destroy: " + (System.nanoTime() - begin) / 1_000_000 + " ms: " + report);

        assertThat(report.removed()).containsExactly("db-1", "mon");
        assertThat(report.leftovers())
                .isEqualTo(Map.of(
                        "mon",
                        List.of("packages that PromGuard installed: ufw wireguard-tools"),
                        "db-1",
                        List.of("packages that PromGuard installed: wireguard-tools")));
        assertThat(difference(monitor())).isEqualTo(List.of());
        assertThat(difference(database())).isEqualTo(List.of());
        hosts().forEach(host ->
                assertThat(Clouds.run(host, "cat /etc/hosts")).doesNotContain("PromGuard", ".shop.mesh"));
        assertThat(state).isEmptyDirectory();
    }

    @Test
    @Tag("long")
    @Order(30)
    void apply_trustOnFirstUseAndRulesAddedMeanwhile_keepsTheFirewallOnAndSshOpen() {
        ExistingHosts provider = servers()
                .trustOnFirstUse()
                .host("mon", monitor().publicAddress())
                .host("db-1", "admin@" + database().publicAddress())
                .build();
        spec(provider).apply();
        Clouds.run(monitor(), "ufw allow 4242/tcp");

        DestroyReport report = spec(provider).build().destroy();

        assertThat(report.leftovers().get("mon")).anyMatch(left -> left.contains("ufw stays on"));
        assertThat(Clouds.run(monitor(), "ufw status"))
                .contains("Status: active", "22/tcp", "4242/tcp")
                .doesNotContain("51820", "9100");
        assertThat(Clouds.open(outsider, List.of(monitor()), 22)).hasSize(1);
        assertThat(difference(database())).isEqualTo(List.of());
    }

    /** A Debian with the habits of other systems and of owners, and a reboot between, after which its own firewall is loaded first. */
    @Test
    @Tag("long")
    @Order(35)
    void applyVerifyRebootAndDestroy_hostDressedAsOthers_isAMeshAndThenWhatItWas() {
        LocalDroplet host = database();
        Clouds.run(host, DRESS);
        reboot(host);
        assertThat(Clouds.open(outsider, List.of(host), 22))
                .as("the socket starts sshd")
                .hasSize(1);
        before.put(host.name(), snapshot(host));
        Clouds.run(
                host,
                "mount -o remount,hidepid=2 /proc && systemd-run --quiet --unit=busy sh -c"
                        + " 'while :; do flock /run/xtables.lock sleep 0.7; sleep 0.3; done' && systemd-run --quiet"
                        + " --unit=upgrade /usr/local/bin/unattended-upgr");
        Mesh mesh = spec(known().build())
                .editHost("db-1", node -> node.closeOtherPorts(true))
                .build();

        ApplyReport report = mesh.apply();

        System.out.println("dressed: " + report);
        assertThat(report.toString()).containsPattern("apt waited for process [0-9]+ \\(unattended-upgr\\)");
        assertThat(Clouds.run(
                        host, "iptables -V; systemctl is-active ssh.socket; systemctl is-enabled ssh.service || true"))
                .isEqualTo("iptables v1.8.9 (legacy)\nactive\ndisabled");
        assertThat(mesh.verify().failures()).isEmpty();
        assertThat(mesh.apply().changes()).isZero();
        assertThat(Clouds.open(outsider, hosts(), 9100, 9090)).isEmpty();

        reboot(host);
        mesh.plan().requireEmpty();
        DestroyReport destroyed = mesh.destroy();

        assertThat(destroyed.leftovers().get(host.name()))
                .containsExactly("packages that PromGuard installed: wireguard-tools");
        assertThat(difference(host)).isEqualTo(List.of());
        Clouds.run(
                host,
                "systemctl disable --now owner-firewall; iptables -P INPUT ACCEPT; iptables -F;"
                        + " rm /etc/systemd/system/owner-firewall.service; systemctl daemon-reload;"
                        + " sed -i 's/^IPV6=.*/IPV6=yes/' /etc/default/ufw");
        before.put(host.name(), snapshot(host));
    }

    private static Path write(Path file, String text) {
        try {
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void reboot(LocalDroplet host) {
        host.reboot();
        Clouds.await(
                "the boot",
                TIMEOUT,
                () -> host.exec("systemctl", "is-system-running")
                        .stdout()
                        .strip()
                        .matches("running|degraded"));
    }

    @Test
    @Tag("long")
    @Order(40)
    void apply_hostsWithoutIpv4_areAMeshOverIpv6Alone() {
        URI mirror = cloud.ipv6ReleaseMirror().orElse(null);
        assumeTrue(mirror != null, "this machine has no IPv6");
        hosts().forEach(host -> Clouds.run(host, "for leg in eth0 eth1; do ip -4 address flush dev $leg; done"));
        ExistingHostsBuilder servers = servers();
        List<String> addresses = new ArrayList<>();
        for (LocalDroplet host : hosts()) {
            String address = host.ipv6Address().orElseThrow();
            addresses.add(address);
            servers.host(
                    host.name(),
                    "root@[" + address + "]:22",
                    hostKey.publicKey().fingerprint().text());
        }
        Mesh mesh = spec(servers.build())
                .network("fd07:1::/64")
                .prometheus(prometheus -> prometheus.release(
                        Clouds.release(cloud.releases(), "prometheus").from(mirror)))
                .build();

        ApplyReport report = mesh.apply();
        System.out.println("over IPv6 alone: " + report);

        assertThat(report.toString())
                .as("a mirror that has IPv4 alone")
                .contains("could not fetch from the release mirror", "the release came over the SSH session");
        assertThat(mesh.verify().failures()).isEmpty();
        assertThat(mesh.plan().isEmpty()).isTrue();
        assertThat(Clouds.run(database(), "wg show wg0 endpoints")).contains("[" + addresses.get(0) + "]:51820");
        assertThat(Clouds.open(Clouds.from(outsider), addresses, List.of(22))).hasSize(2);
        assertThat(Clouds.open(Clouds.from(outsider), addresses, List.of(9100, 9090)))
                .isEmpty();
        mesh.destroy();
        assertThat(difference(database())).isEqualTo(List.of());
    }

    /** What is other than at first, but for the packages that stay and what came with them. */
    private List<String> difference(LocalDroplet host) {
        Map<String, String> then = before.getOrDefault(host.name(), Map.of());
        List<String> different = new ArrayList<>();
        snapshot(host).forEach((what, now) -> {
            List<String> lines = new ArrayList<>(now.lines().toList());
            List<String> earlier = then.getOrDefault(what, "").lines().toList();
            lines.removeAll(earlier);
            lines.removeIf(line -> isOfPackages(what, line));
            lines.forEach(line -> different.add(what + ": + " + line));
            List<String> missing = new ArrayList<>(earlier);
            missing.removeAll(now.lines().toList());
            missing.removeIf(line -> line.equals("no ufw"));
            missing.forEach(line -> different.add(what + ": - " + line));
        });
        return different;
    }

    private static boolean isOfPackages(String what, String line) {
        return switch (what) {
            case "firewall" -> line.equals("Status: inactive");
            case "packages" -> line.endsWith(" installed");
            case "units" -> line.matches("(ufw|wg-quick@|wg-quick)\\.(service|target) .*");
            case "running" -> line.equals("ufw.service");
            case "etc" -> line.matches(".*(ufw|wireguard|python3|rsyslog\\.d).*");
            default -> false;
        };
    }
}
