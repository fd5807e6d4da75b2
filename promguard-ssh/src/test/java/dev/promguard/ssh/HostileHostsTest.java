package dev.promguard.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.HostileTexts;
import dev.promguard.blueprint.Names;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** Every text that the builders of this module take, found by reflection, so that a new one cannot be forgotten. */
class HostileHostsTest {
    private static final long SEED = 20_261_125;
    private static final String KEY = "SHA256:" + "A".repeat(43);

    @Test
    void builder_hostileText_isRefusedInPrintableWordsOrHasTheFormWanted() {
        Map<String, BiConsumer<ExistingHosts.Builder, String>> places = new TreeMap<>();
        places.put("Builder.host/3#0", (builder, text) -> builder.host(text, "root@203.0.113.9", KEY));
        places.put("Builder.host/3#1", (builder, text) -> builder.host("web-1", text, KEY));
        places.put("Builder.host/3#2", (builder, text) -> builder.host("web-1", "root@203.0.113.9", text));
        places.put("Builder.forget/1#0", ExistingHosts.Builder::forget);
        places.put("Builder.identity/1#0", (builder, text) -> builder.identity(Path.of("/nowhere/" + text)));
        assertThat(HostileTexts.places(ExistingHosts.Builder.class, SshApplier.Builder.class))
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
                } catch (IllegalArgumentException e) {
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
}
