package dev.promguard.ssh;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.Release;
import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.Firewall;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostKey;
import dev.promguard.host.ManagedFile;
import dev.promguard.host.ManagedFiles;
import dev.promguard.host.NewKeys;
import dev.promguard.host.Packages;
import dev.promguard.host.ReleaseInstall;
import dev.promguard.host.Releases;
import dev.promguard.host.SystemUser;
import dev.promguard.host.Units;
import dev.promguard.host.Users;
import dev.promguard.host.WireGuard;
import dev.promguard.host.WireGuardInterface;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Takes a fresh Debian machine through facts, all kinds of changes, and facts again, and prints what each exchange took. Run
 * by hand, with the address, the host key's fingerprint, the login key's file, the mirror's URI and the tarball's SHA-256.
 */
final class MachineTrial {
    private static final PrintStream OUT = System.out;

    private MachineTrial() {}

    public static void main(String[] args) throws Exception {
        SshApplier applier = SshApplier.builder().build();
        Secret login = Secret.of(Files.readAllBytes(Path.of(args[2])));
        HostKeyFingerprint[] pin = {new HostKeyFingerprint(args[1])};
        Release release =
                new Release("node_exporter", "1.12.1", URI.create(args[3]), Map.of(Architecture.AMD64, args[4]));
        ReleaseInstall install = new ReleaseInstall(release, List.of("node_exporter"));
        FactsQuery query = new FactsQuery(
                List.of("ufw", "wireguard-tools", "curl"),
                List.of("node_exporter", "root"),
                List.of("/etc/wireguard/wg0.conf", "/etc/systemd/system/node_exporter.service"),
                List.of("node_exporter.service", "wg-quick@wg0.service", "ssh.service"),
                List.of(install),
                "wg0",
                "/etc/wireguard/wg0.key",
                Map.of());
        WireGuardKeyPair pair = KeySource.random().generate();
        WireGuardKeyPair peer = KeySource.random().generate();
        ManagedFile config = new ManagedFile(
                "/etc/wireguard/wg0.conf",
                "[Interface]\nAddress = 10.0.0.2/24\nListenPort = 51820\nPostUp = wg set %i private-key /etc/wireguard/wg0.key\n\n[Peer]\nPublicKey = "
                        + peer.publicKey() + "\nAllowedIPs = 10.0.0.1/32\nEndpoint = 198.18.77.1:51820\n",
                0600,
                "root",
                List.of());
        WireGuardInterface wg = new WireGuardInterface(
                "wg0",
                "10.0.0.2/24",
                51820,
                OptionalInt.empty(),
                pair.publicKey(),
                List.of(new WireGuardInterface.Peer(
                        "mon", peer.publicKey(), Optional.empty(), List.of("10.0.0.1/32"), Optional.empty())),
                config);
        ManagedFile unit = ManagedFile.readable(
                "/etc/systemd/system/node_exporter.service",
                "[Unit]\nRequires=wg-quick@wg0.service\nAfter=wg-quick@wg0.service\n[Service]\nUser=node_exporter\n"
                        + "ExecStart=" + install.path("node_exporter")
                        + " --web.listen-address=10.0.0.2:9100\nRestart=always\nRestartSec=5\n"
                        + "[Install]\nWantedBy=multi-user.target\n");
        Firewall.Allow scrape = new Firewall.Allow(new FirewallRule(
                Optional.of("wg0"),
                Optional.of("10.0.0.1"),
                Optional.of("10.0.0.2"),
                9100,
                Protocol.TCP,
                "mon WireGuard node-exporter scraper"));
        List<Change> first = List.of(
                new Packages.Install(List.of("ufw", "wireguard-tools", "curl")),
                new Users.Create(new SystemUser("node_exporter")),
                new Releases.Install(
                        install, release.tarball(Architecture.AMD64), release.folder(Architecture.AMD64), args[4]),
                new Firewall.Allow(FirewallRule.open(22, Protocol.TCP, "OpenSSH")),
                new Firewall.Allow(FirewallRule.open(51820, Protocol.UDP, "WireGuard")),
                scrape,
                new Firewall.Enable(),
                new WireGuard.WriteKey("/etc/wireguard/wg0.key", pair.publicKey()),
                new ManagedFiles.Write(config),
                new WireGuard.Configure(wg, WireGuard.InterfaceAction.START),
                new ManagedFiles.Write(unit),
                new Units.Apply("node_exporter.service", Units.UnitAction.START),
                new HostKey.Replace());
        List<Change> second = List.of(
                new Firewall.Disallow(scrape.rule()),
                scrape,
                new WireGuard.Configure(wg, WireGuard.InterfaceAction.SYNC),
                new WireGuard.Configure(wg, WireGuard.InterfaceAction.RESTART),
                new Units.Apply("node_exporter.service", Units.UnitAction.RESTART));
        facts(applier, args[0], pin, login, query);
        apply(applier, args[0], pin, login, first, new NewKeys(Optional.of(pair), Map.of()));
        facts(applier, args[0], pin, login, query);
        apply(applier, args[0], pin, login, second, NewKeys.NONE);
        for (int i = 0; i < 3; i++) {
            facts(applier, args[0], pin, login, query);
        }
    }

    private static void facts(
            SshApplier applier, String address, HostKeyFingerprint[] pin, Secret login, FactsQuery query) {
        long begin = System.nanoTime();
        try (HostSession session = applier.open(target(address, pin, login))) {
            long open = System.nanoTime();
            HostFacts facts = session.facts(query, Duration.ofMinutes(2));
            long end = System.nanoTime();
            OUT.println(facts);
            OUT.printf("open %d ms, facts %d ms%n", (open - begin) / 1_000_000, (end - open) / 1_000_000);
        }
    }

    private static void apply(
            SshApplier applier,
            String address,
            HostKeyFingerprint[] pin,
            Secret login,
            List<Change> changes,
            NewKeys keys) {
        HostKeyFingerprint[] fresh = {pin[0]};
        long begin = System.nanoTime();
        boolean armed;
        try (HostSession session = applier.open(target(address, pin, login))) {
            armed = session.apply(changes, keys, new HostSession.Progress() {
                private long since = System.nanoTime();

                @Override
                public void started(Change change) {
                    since = System.nanoTime();
                }

                @Override
                public void done(Change change) {
                    OUT.printf("%6d ms  %s%n", (System.nanoTime() - since) / 1_000_000, change.describe());
                }

                @Override
                public void newHostKey(HostKeyFingerprint fingerprint) {
                    OUT.println("new host key " + fingerprint);
                    fresh[0] = fingerprint;
                }
            });
        }
        pin[0] = fresh[0];
        long applied = System.nanoTime();
        OUT.printf("apply %d ms, armed %s%n", (applied - begin) / 1_000_000, armed);
        if (armed) {
            try (HostSession session = applier.open(target(address, pin, login))) {
                session.confirm();
            }
            OUT.printf("open and confirm %d ms%n", (System.nanoTime() - applied) / 1_000_000);
        }
    }

    private static HostTarget target(String address, HostKeyFingerprint[] pin, Secret login) {
        return HostTarget.of("a", address)
                .accepting(Set.of(pin[0]))
                .identity(Identity.ofKey(login))
                .timeout(Duration.ofSeconds(60))
                .build();
    }
}
