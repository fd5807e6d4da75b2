package dev.promguard.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.HostileTexts;
import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Every text that the builders of this module take, found by reflection, so that a new one cannot be forgotten. */
class HostileHostsTest {
    private static final long SEED = 20_261_125;
    private static final String KEY = "SHA256:" + "A".repeat(43);

    @Test
    void builder_hostileText_isRefusedInPrintableWordsOrHasTheFormWanted() {
        Map<String, BiConsumer<ExistingHostsBuilder, String>> places = new TreeMap<>();
        places.put("ExistingHostsBuilder.host/3#0", (builder, text) -> builder.host(text, "root@203.0.113.9", KEY));
        places.put("ExistingHostsBuilder.host/3#1", (builder, text) -> builder.host("web-1", text, KEY));
        places.put("ExistingHostsBuilder.host/3#2", (builder, text) -> builder.host("web-1", "root@203.0.113.9", text));
        places.put("ExistingHostsBuilder.forget/1#0", ExistingHostsBuilder::forget);
        places.put(
                "ExistingHostsBuilder.identity/1#0", (builder, text) -> builder.identity(Path.of("/nowhere/" + text)));
        places.put("ExistingHostsBuilder.jumpHost/3#0", (builder, text) -> builder.jumpHost(text, "203.0.113.9", KEY));
        places.put("ExistingHostsBuilder.jumpHost/3#1", (builder, text) -> builder.jumpHost("bastion", text, KEY));
        places.put(
                "ExistingHostsBuilder.jumpHost/3#2",
                (builder, text) -> builder.jumpHost("bastion", "203.0.113.9", text));
        places.put(
                "Builder.jumpHost/3#0", (builder, text) -> SshApplier.builder().jumpHost(text, "203.0.113.9", KEY));
        places.put(
                "Builder.jumpHost/3#1", (builder, text) -> SshApplier.builder().jumpHost("bastion", text, KEY));
        places.put(
                "Builder.jumpHost/3#2",
                (builder, text) -> SshApplier.builder().jumpHost("bastion", "203.0.113.9", text));
        places.put("ExistingHostsBuilder.through/1#0", ExistingHostsBuilder::through);
        places.put(
                "ExistingHostsBuilder.certificate/1#0",
                (builder, text) -> builder.certificate(Path.of("/nowhere/" + text)));
        places.put(
                "HostAccess.certificate/1#0",
                (builder, text) -> access(builder, access -> access.certificate(Path.of("/nowhere/" + text))));
        places.put(
                "ExistingHostsBuilder.sshConfig/1#0",
                (builder, text) -> builder.sshConfig(Path.of("/nowhere/" + text)));
        places.put("ExistingHostsBuilder.agentKey/1#0", ExistingHostsBuilder::agentKey);
        places.put("ExistingHostsBuilder.agent/1#0", (builder, text) -> builder.agent(Path.of("/nowhere/" + text)));
        places.put("HostAccess.agentKey/1#0", (builder, text) -> access(builder, access -> access.agentKey(text)));
        places.put(
                "HostAccess.agent/1#0",
                (builder, text) -> access(builder, access -> access.agent(Path.of("/nowhere/" + text))));
        places.put("HostAccess.hostKeys/1#0", (builder, text) -> access(builder, access -> access.hostKeys(text)));
        places.put("ExistingHostsBuilder.hostCertificateAuthority/1#0", ExistingHostsBuilder::hostCertificateAuthority);
        places.put(
                "HostAccess.hostCertificateAuthority/1#0",
                (builder, text) -> access(builder, access -> access.hostCertificateAuthority(text)));
        places.put("HostAccess.through/1#0", (builder, text) -> access(builder, access -> access.through(text)));
        places.put(
                "HostAccess.identity/1#0",
                (builder, text) -> access(builder, access -> access.identity(Path.of("/nowhere/" + text))));
        assertThat(HostileTexts.places(ExistingHostsBuilder.class, HostAccess.class, SshApplier.Builder.class))
                .as("a folder of this machine may have any name")
                .filteredOn(place -> !place.equals("Builder.releaseCache/1#0"))
                .containsExactlyElementsOf(places.keySet());

        places.forEach((place, put) -> {
            int refused = 0;
            List<String> texts =
                    HostileTexts.texts(SEED + place.hashCode(), 200).toList();
            for (String text : texts) {
                String which = place + ", text " + Names.quote(text);
                try {
                    put.accept(ExistingHosts.builder(), text);
                    assertThat(text).as(which).matches("[A-Za-z0-9_.:@/+-]+");
                } catch (InvalidPathException e) {
                    refused++;
                } catch (InvalidSettingException e) {
                    refused++;
                    String message = String.valueOf(e.getMessage());
                    assertThat(HostileTexts.UNPRINTABLE.matcher(message).find())
                            .as("%s: %s", which, Names.quote(message))
                            .isFalse();
                    assertThat(message)
                            .as(which)
                            .hasSizeLessThan(600)
                            .containsAnyOf("use ", "give ", "wanted", "name a ");
                }
            }
            assertThat(refused).as(place).isGreaterThan(texts.size() / 2);
        });
    }

    private static void access(ExistingHostsBuilder builder, Consumer<HostAccess> settings) {
        builder.host("web-1", "root@203.0.113.9", settings);
    }
}
