package dev.promguard.blueprint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.Golden;
import dev.promguard.InvalidSettingException;
import dev.promguard.Mesh;
import dev.promguard.SpecFile;
import java.awt.Rectangle;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class BlueprintTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/blueprint");

    static List<String> specs() {
        return GOLDEN.names();
    }

    private static Blueprint blueprint(String spec) {
        return SpecFile.parse(GOLDEN.read(spec + ".input")).blueprint();
    }

    @ParameterizedTest
    @MethodSource("specs")
    void toString_spec_isReadable(String spec) {
        GOLDEN.check(spec + ".expected", blueprint(spec) + "\n");
    }

    @ParameterizedTest
    @MethodSource("specs")
    void toMermaid_spec_isAFlowchart(String spec) {
        GOLDEN.check(spec + ".mmd", blueprint(spec).toMermaid());
    }

    @ParameterizedTest
    @MethodSource("specs")
    void toSvg_spec_isAPictureThatAParserTakes(String spec) throws Exception {
        String svg = blueprint(spec).toSvg();

        GOLDEN.check(spec + ".svg", svg);
        Element root = parse(svg).getDocumentElement();
        assertThat(root.getTagName()).isEqualTo("svg");
        assertThat(root.getElementsByTagName("rect").getLength())
                .isEqualTo(1
                        + blueprint(spec).hosts().size()
                        + blueprint(spec).viewers().size());
        int width = Integer.parseInt(root.getAttribute("width"));
        int height = Integer.parseInt(root.getAttribute("height"));
        for (int i = 1; i < root.getElementsByTagName("rect").getLength(); i++) {
            Element box = (Element) root.getElementsByTagName("rect").item(i);
            assertThat(number(box, "x") + number(box, "width")).isLessThanOrEqualTo(width);
            assertThat(number(box, "y") + number(box, "height")).isLessThanOrEqualTo(height);
            assertThat(number(box, "x")).isNotNegative();
        }
    }

    /** The lines are paths of horizontal and vertical steps, so that what they cross can be told. */
    @ParameterizedTest
    @MethodSource("specs")
    void toSvg_lines_runBehindNoBoxAndReachTheirHosts(String spec) throws Exception {
        Blueprint blueprint = blueprint(spec);
        Element root = parse(blueprint.toSvg()).getDocumentElement();
        List<Rectangle> boxes = new ArrayList<>();
        for (Element box : elements(root, "rect")) {
            if (box.getAttribute("class").equals("pg-box")) {
                boxes.add(
                        new Rectangle(number(box, "x"), number(box, "y"), number(box, "width"), number(box, "height")));
            }
        }
        int lines = 0;
        for (Element path : elements(root, "path")) {
            if (path.getAttribute("class").equals("pg-line")) {
                lines++;
                assertThat(crossed(path.getAttribute("d"), boxes))
                        .as(path.getAttribute("d"))
                        .isEmpty();
            }
        }

        assertThat(lines).isEqualTo(expectedLines(blueprint));
    }

    private static int expectedLines(Blueprint blueprint) {
        int monitors = blueprint.monitors().size();
        int ends = blueprint.nodes().size() > 10
                ? (int) blueprint.nodes().stream()
                        .map(node -> node.spec().region())
                        .distinct()
                        .count()
                : blueprint.nodes().size();
        return monitors * (monitors - 1) / 2
                + monitors * ends
                + monitors * blueprint.viewers().size();
    }

    private static List<Element> elements(Element root, String name) {
        NodeList found = root.getElementsByTagName(name);
        return IntStream.range(0, found.getLength())
                .mapToObj(i -> (Element) found.item(i))
                .toList();
    }

    /** The boxes whose inside a path goes through. */
    private static List<Rectangle> crossed(String path, List<Rectangle> boxes) {
        List<Rectangle> crossed = new ArrayList<>();
        Matcher step = Pattern.compile("([MHV])(-?[0-9]+)(?: (-?[0-9]+))?").matcher(path);
        int x = 0;
        int y = 0;
        while (step.find()) {
            int toX = step.group(1).equals("V") ? x : Integer.parseInt(step.group(2));
            int toY = step.group(1).equals("H")
                    ? y
                    : Integer.parseInt(step.group(1).equals("V") ? step.group(2) : step.group(3));
            if (!step.group(1).equals("M")) {
                Rectangle segment = new Rectangle(
                        Math.min(x, toX),
                        Math.min(y, toY),
                        Math.max(1, Math.abs(toX - x)),
                        Math.max(1, Math.abs(toY - y)));
                boxes.stream()
                        .filter(box ->
                                new Rectangle(box.x + 1, box.y + 1, box.width - 2, box.height - 2).intersects(segment))
                        .forEach(crossed::add);
            }
            x = toX;
            y = toY;
        }
        return crossed;
    }

    @Test
    void pictures_jobsWithoutRoom_areCountedAndNotCutInAWord() {
        assertThat(blueprint("three-monitors").toSvg())
                .contains(">node_exporter +4<")
                .doesNotContain("second");
        assertThat(blueprint("three-monitors").toMermaid()).contains("a-first-job-of-this-host, second +2\"]");
    }

    @Test
    void toMermaid_manyNodes_areGroupedByRegionWithOneLinkEach() {
        String chart = blueprint("many").toMermaid();

        assertThat(chart.lines().filter(line -> line.contains("subgraph")).toList())
                .containsExactly(
                        "  subgraph r0[\"lon1 · 4 nodes\"]",
                        "  subgraph r1[\"sfo3 · 4 nodes\"]",
                        "  subgraph r2[\"sgp1 · 4 nodes\"]");
        assertThat(chart.lines().filter(line -> line.contains("==>"))).hasSize(3);
    }

    private static int number(Element element, String attribute) {
        return Integer.parseInt(element.getAttribute(attribute));
    }

    private static Document parse(String xml) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ar-EG-u-nu-arab", "hi-IN-u-nu-deva", "tr-TR", "de-DE"})
    @ResourceLock(Resources.LOCALE)
    void allPrints_anyLocale_areTheSameByteForByte(String locale) {
        Blueprint blueprint = blueprint("demo");
        List<String> before = List.of(blueprint.toString(), blueprint.toMermaid(), blueprint.toSvg());
        Locale usual = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag(locale));
        try {
            Blueprint again = blueprint("demo");
            assertThat(List.of(again.toString(), again.toMermaid(), again.toSvg()))
                    .isEqualTo(before);
            assertThat(again).isEqualTo(blueprint);
        } finally {
            Locale.setDefault(usual);
        }
    }

    @Test
    void host_unknownName_isRefusedByName() {
        assertThat(blueprint("demo").contains("nobody")).isFalse();
        assertThatThrownBy(() -> blueprint("demo").host("nobody\n"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessage("mesh promguard has no host \"nobody?\" [PG-1002]");
    }

    @ParameterizedTest
    @CsvSource({"x86_64, AMD64", "aarch64, ARM64"})
    void ofMachine_knownMachine_isTheReleasesArchitecture(String machine, Architecture architecture) {
        assertThat(Architecture.ofMachine(machine)).contains(architecture);
        assertThat(architecture.machine()).isEqualTo(machine);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "i686", "armv7l", "riscv64", "x86_64\n"})
    void ofMachine_otherMachine_isNone(String machine) {
        assertThat(Architecture.ofMachine(machine)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "eth0;id", "wg0 ", "a/b", "interface-too-long"})
    void firewallRule_badInterface_isRefused(String name) {
        assertThatThrownBy(() -> new FirewallRule(
                        Optional.of(name), Optional.empty(), Optional.empty(), 1, FirewallRule.Protocol.TCP, "x"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("firewall rule: interface");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a'b", "a\nb", "a\"b", "$(id)", "ü"})
    void firewallRule_badComment_isRefused(String comment) {
        assertThatThrownBy(() -> FirewallRule.open(1, FirewallRule.Protocol.TCP, comment))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("firewall rule: comment");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "any", "10.0.0.1 ", "10.0.0.1;", "-j"})
    void firewallRule_badAddress_isRefused(String address) {
        assertThatThrownBy(() -> new FirewallRule(
                        Optional.empty(), Optional.of(address), Optional.empty(), 1, FirewallRule.Protocol.TCP, "x"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("firewall rule: source address");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 65536})
    void firewallRule_badPort_isRefused(int port) {
        assertThatThrownBy(() -> FirewallRule.open(port, FirewallRule.Protocol.UDP, "x"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessage("port " + port + " is not between 1 and 65535 [PG-1007]");
    }

    @Test
    void admitsSameAs_otherComment_isTheSameAndOtherScopeIsNot() {
        FirewallRule open = FirewallRule.open(9100, FirewallRule.Protocol.TCP, "one");
        assertThat(open.admitsSameAs(FirewallRule.open(9100, FirewallRule.Protocol.TCP, "two")))
                .isTrue();
        assertThat(open.admitsSameAs(FirewallRule.open(9100, FirewallRule.Protocol.UDP, "one")))
                .isFalse();
        assertThat(open.admitsSameAs(new FirewallRule(
                        Optional.of("wg0"),
                        Optional.empty(),
                        Optional.empty(),
                        9100,
                        FirewallRule.Protocol.TCP,
                        "one")))
                .isFalse();
    }

    /** A box has room for about 26 letters in bold, fewer of the wide ones, and for an address whatever stands before it. */
    @Test
    void toSvg_longNames_endInAnEllipsisAndLeaveTheAddress() {
        Blueprint blueprint = Mesh.builder()
                .namedMonitor("m".repeat(40))
                .node("n" + "x".repeat(40), host -> host.region("region-" + "r".repeat(50)))
                .build()
                .blueprint();

        assertThat(blueprint.toSvg())
                .contains(">" + "m".repeat(15) + "…<")
                .contains(">n" + "x".repeat(24) + "…<")
                .contains(">region-" + "r".repeat(13) + "… · 10.0.0.2<");
    }
}
