package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.host.FactsQuery.ResourceCall;
import dev.promguard.host.HostsFile.Blocks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a host says of its /etc/hosts, believed as far as its form goes. */
class HostsFileTest {
    private static final String BLOCK = "# BEGIN PromGuard\n10.0.0.2 db-1.shop.mesh\n# END PromGuard\n";
    private static final String SUM = "sum\t" + Hashes.of(BLOCK);
    private static final String CONTENT = "content\t" + base64(BLOCK);

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    private static Blocks read(String... lines) throws MalformedFactsException {
        FactsQuery query = new FactsQuery.Builder()
                .resource(HostsFile.FACTS, "", ".shop.mesh")
                .build();
        FactsByResource.Collector collector = new FactsByResource.Collector(query);
        collector.lines(HostsFile.FACTS, Arrays.asList(lines));
        return collector.facts().of(HostsFile.FACTS);
    }

    @Test
    void facts_noLine_areOfAFileWithoutBlock() throws Exception {
        assertThat(read()).isEqualTo(Blocks.NONE);
        assertThat(FactsByResource.NONE.of(HostsFile.FACTS)).isEqualTo(Blocks.NONE);
    }

    @Test
    void facts_everyKindOfLine_areReadAndNotPrinted() throws Exception {
        Blocks blocks = read(
                "blocks\t1\t2",
                SUM,
                "content\t" + CONTENT.substring(8, 28),
                "content\t" + CONTENT.substring(28),
                "other\t192.0.2.7\tdb-1.shop.mesh",
                "other\tfd00::7\tdb-1.shop.mesh");

        assertThat(blocks)
                .isEqualTo(new Blocks(
                        1,
                        2,
                        Optional.of(Hashes.of(BLOCK)),
                        Optional.of(BLOCK),
                        Map.of("db-1.shop.mesh", List.of("192.0.2.7", "fd00::7"))));
        assertThat(blocks.toString()).doesNotContain("db-1");
    }

    @Test
    void facts_contentOfAnotherSum_isNotBelieved() throws Exception {
        assertThat(read("blocks\t1\t0", SUM, "content\t" + base64(BLOCK + "x")).content())
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "blocks",
                "blocks\t1",
                "blocks\t0\t0\t0",
                "blocks\t-1\t0",
                "blocks\t9999999999\t0",
                "blocks\t0\t-1",
                "blocks\t1\t0",
                "sum\tx",
                "sum\t0000000000000000000000000000000000000000000000000000000000000000",
                "content\t$(id)",
                "content\tYWJ=YWJj",
                "content",
                "other\tprinter\tdb-1.shop.mesh",
                "other\t192.0.2.7\tdb-1 .shop.mesh",
                "other\t192.0.2.7\t",
                "other\t192.0.2.7",
                "another\tx",
                "blocks\t\u001b[2J\t0"
            })
    void facts_impossibleLine_isRefusedInPrintableWords(String line) {
        assertThatThrownBy(() -> read(line))
                .isInstanceOf(MalformedFactsException.class)
                .hasMessageMatching("[\\x20-\\x7e]{1,200}");
    }

    @Test
    void facts_moreThanWasAskedFor_isRefused() {
        List<String> others = new ArrayList<>();
        for (int i = 0; i <= 50; i++) {
            others.add("other\t192.0.2.7\tdb-" + i + ".shop.mesh");
        }
        assertThatThrownBy(() -> read(others.toArray(String[]::new))).isInstanceOf(MalformedFactsException.class);
        assertThatThrownBy(() -> read("content\t" + "YWJj".repeat(21_847))).isInstanceOf(MalformedFactsException.class);
    }

    @Test
    void facts_ofAResourceThatWasNotAskedFor_areRefused() {
        FactsByResource.Collector collector = new FactsByResource.Collector(new FactsQuery.Builder().build());

        assertThatThrownBy(() -> collector.line("hosts-file\tblocks\t0\t0"))
                .isInstanceOf(MalformedFactsException.class);
        assertThatThrownBy(() -> collector.line("hosts-file")).isInstanceOf(MalformedFactsException.class);
        assertThatThrownBy(() -> collector.line("")).isInstanceOf(MalformedFactsException.class);
    }

    @Test
    void query_sameResourceTwice_isRefused() {
        ResourceCall call = new ResourceCall(HostsFile.FACTS, List.of());

        assertThatThrownBy(() -> new FactsQuery(
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        "wg0",
                        "/k",
                        Map.of(),
                        List.of(call, call)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Kill", "kill_switch", "-kill", "kill-", "a b", "a;b"})
    void resourceFacts_idThatIsNoFunction_isRefused(String id) {
        assertThatThrownBy(() -> ResourceFacts.of(id, String.class, "", () -> {
                    throw new AssertionError("no reader was to be made");
                }))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
