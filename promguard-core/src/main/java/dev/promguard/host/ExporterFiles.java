package dev.promguard.host;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Capability;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exporter.ConfigFile;
import dev.promguard.blueprint.Exporter.FromPackage;
import dev.promguard.blueprint.Exporter.FromRelease;
import dev.promguard.blueprint.Exporter.Probe;
import dev.promguard.blueprint.Exposure;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Renders the units and files of exporters, and the scrape jobs of all that is exposed beside node_exporter. */
final class ExporterFiles {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{(listen|address|port|folder)}");

    private final Templates templates;

    ExporterFiles(Templates templates) {
        this.templates = templates;
    }

    /** Where an exporter's program is on its host. */
    static String program(Exporter exporter) {
        if (exporter.source() instanceof FromPackage from) {
            return from.path();
        }
        return install((FromRelease) exporter.source()).path(((FromRelease) exporter.source()).program());
    }

    /** What has to be unpacked for a release's program. */
    static ReleaseInstall install(FromRelease from) {
        return new ReleaseInstall(from.release(), List.of(from.program()));
    }

    /** The exporter's own files: its configuration first, then its unit. */
    List<ManagedFile> files(Blueprint blueprint, Blueprint.Host host, Exporter exporter) {
        List<ManagedFile> files = new ArrayList<>();
        for (ConfigFile config : exporter.configFiles()) {
            ManagedFile file = new ManagedFile(
                    exporter.folder() + '/' + config.name(), config.content(), 0400, exporter.name(), List.of());
            if (!config.check().isEmpty()) {
                List<String> check = new ArrayList<>(List.of(program(exporter)));
                config.check().forEach(argument -> check.add(filled(argument, host, exporter)));
                file = file.checkedBy(check);
            }
            files.add(file);
        }
        List<String> arguments = new ArrayList<>();
        exporter.listen().forEach(argument -> arguments.add(filled(argument, host, exporter)));
        exporter.arguments().forEach(argument -> arguments.add(filled(argument, host, exporter)));
        files.add(ManagedFile.readable(
                "/etc/systemd/system/" + exporter.unit(),
                unit(
                        blueprint,
                        exporter.name(),
                        "",
                        program(exporter),
                        arguments,
                        exporter.reloads(),
                        exporter.capabilities(),
                        "")));
        return files;
    }

    /** The exporter's unit, as part of what a host should run. */
    static Unit unit(Exporter exporter, List<ManagedFile> files) {
        Set<String> restartWith = new HashSet<>();
        Set<String> reloadWith = new HashSet<>();
        for (ManagedFile file : files) {
            boolean config = file.path().startsWith(exporter.folder() + '/');
            (config && exporter.reloads() ? reloadWith : restartWith).add(file.path());
        }
        restartWith.add(exporter.name());
        if (exporter.source() instanceof FromRelease from) {
            restartWith.add(install(from).folder());
        }
        return new Unit(exporter.unit(), restartWith, reloadWith);
    }

    /**
     * The text of the unit of an exporter. One that speaks to nobody but who scrapes it is held to a network; others, which probe or
     * ask servers elsewhere, are given an empty text.
     */
    String unit(
            Blueprint blueprint,
            String name,
            String documentation,
            String program,
            List<String> arguments,
            boolean reloads,
            Set<Capability> capabilities,
            String network) {
        Map<String, Object> values = new HashMap<>();
        values.put("mesh", blueprint.mesh());
        values.put("name", name);
        values.put("documentation", documentation);
        values.put("killSwitchUnit", KillSwitch.UNIT);
        values.put("wireGuardUnit", WireGuardInterface.unit(blueprint.interfaceName()));
        values.put("user", name);
        values.put("binary", program);
        values.put("arguments", arguments);
        values.put("reloads", reloads);
        values.put("network", network);
        values.put(
                "capabilities",
                capabilities.stream().sorted().map(Capability::unitName).collect(Collectors.joining(" ")));
        return templates.render("exporter.service.j2", values);
    }

    private static String filled(String argument, Blueprint.Host host, Exporter exporter) {
        return PLACEHOLDER
                .matcher(argument)
                .replaceAll(found -> Matcher.quoteReplacement(
                        switch (found.group(1)) {
                            case "listen" -> Renderer.endpoint(host.address(), exporter.port());
                            case "address" -> host.address();
                            case "port" -> Integer.toString(exporter.port());
                            default -> exporter.folder();
                        }));
    }

    /** The scrape jobs beside Prometheus' own and node_exporter's, by name: each job's targets file, as all monitors have it. */
    Map<String, ManagedFile> jobs(Blueprint blueprint) {
        Map<String, List<Map<String, Object>>> targets = new TreeMap<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            for (Exposure exposure : host.spec().exposures()) {
                List<Map<String, String>> labels = labels(host);
                if (!exposure.metricsPath().equals(Exposure.METRICS)) {
                    labels.add(label("__metrics_path__", exposure.metricsPath()));
                }
                targets.computeIfAbsent(exposure.job(), job -> new ArrayList<>())
                        .add(target(host, exposure.port(), labels));
            }
            for (Exporter exporter : host.spec().exporters()) {
                for (Probe probe : exporter.probes()) {
                    List<Map<String, String>> labels = labels(host);
                    labels.add(label("instance", probe.target()));
                    labels.add(label("module", probe.module()));
                    labels.add(label("__metrics_path__", "/probe"));
                    labels.add(label("__param_target", probe.target()));
                    labels.add(label("__param_module", probe.module()));
                    targets.computeIfAbsent(exporter.probeJob(), job -> new ArrayList<>())
                            .add(target(host, exporter.port(), labels));
                }
            }
        }
        Map<String, ManagedFile> jobs = new TreeMap<>();
        targets.forEach((job, of) -> jobs.put(
                job,
                ManagedFile.readable(
                        "/etc/prometheus/targets/" + job + ".yml",
                        templates.render("job.yml.j2", Map.of("mesh", blueprint.mesh(), "targets", of)))));
        return jobs;
    }

    private static List<Map<String, String>> labels(Blueprint.Host host) {
        return new ArrayList<>(List.of(
                label("node", host.name()),
                label("region", host.spec().region()),
                label("role", host.role().id())));
    }

    private static Map<String, String> label(String name, String value) {
        return Map.of("name", name, "value", value);
    }

    private static Map<String, Object> target(Blueprint.Host host, int port, List<Map<String, String>> labels) {
        return Map.of("address", Renderer.endpoint(host.address(), port), "labels", labels);
    }
}
