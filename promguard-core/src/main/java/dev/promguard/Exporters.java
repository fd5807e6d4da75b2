package dev.promguard;

import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exporter.ConfigFile;
import dev.promguard.blueprint.Release;
import java.util.List;

/** Exporters that PromGuard knows how to run. Others are made with {@link Exporter}. */
public final class Exporters {
    private static final String BLACKBOX_CONFIG = """
            modules:
              http_2xx:
                prober: http
              tcp_connect:
                prober: tcp
              icmp:
                prober: icmp
            """;

    private Exporters() {}

    /**
     * Probes over HTTP, TCP and ICMP from its host: blackbox_exporter on port 9115, with the modules {@code http_2xx},
     * {@code tcp_connect} and {@code icmp}.
     *
     * <pre>{@code
     * Mesh.builder()
     *         .monitor("tor1")
     *         .node("web-1", host -> host.addExporter(Exporters.blackbox().addProbe("https://example.org", "http_2xx")));
     * }</pre>
     *
     * <p>For {@code icmp} the kernel may require {@link Exporter#addCapability addCapability}({@link
     * dev.promguard.blueprint.Capability#NET_RAW NET_RAW}).
     *
     * @return the exporter, from {@link Release#blackboxExporter()}
     */
    public static Exporter blackbox() {
        return blackbox(BLACKBOX_CONFIG);
    }

    /**
     * Probes from its host with your own modules: blackbox_exporter on port 9115.
     *
     * @param config the text of {@code blackbox.yml}; blackbox_exporter itself checks it on the host before it is put in place.
     *     Shown in previews and plans: never holds a secret
     * @return the exporter, from {@link Release#blackboxExporter()}
     * @throws InvalidSettingException if the text has control characters
     */
    public static Exporter blackbox(String config) {
        return Exporter.fromRelease(Release.blackboxExporter(), 9115)
                .addConfigFile(new ConfigFile("blackbox.yml", config, List.of("--config.check", "--config.file")))
                .addArguments("--config.file={folder}/blackbox.yml")
                .withReload();
    }
}
