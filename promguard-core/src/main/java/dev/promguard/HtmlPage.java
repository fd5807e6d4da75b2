package dev.promguard;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** An HTML page that needs nothing beside itself. Every text that it is given is escaped. Not thread-safe. */
final class HtmlPage {
    private static final String STYLE = "report.css";

    private final StringBuilder html = new StringBuilder(32 * 1024);

    HtmlPage(String title) {
        html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                // Should a text ever get through as markup, it can still load and run nothing.
                .append(
                        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n")
                .append("<title>")
                .append(Html.text(title))
                .append("</title>\n<style>\n")
                .append(style())
                .append("</style>\n</head>\n<body>\n");
    }

    /**
     * A line of a list.
     *
     * @param type the class of the first text; empty for none
     * @param text what it says
     * @param more what it says further, maybe empty
     */
    record Item(String type, String text, String more) {
        Item(String type, String text) {
            this(type, text, "");
        }
    }

    private static String style() {
        try (InputStream in = Objects.requireNonNull(
                HtmlPage.class.getResourceAsStream(STYLE), "the style is a part of the library")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("the style cannot be read", e);
        }
    }

    void element(String tag, String text) {
        element(tag, "", text);
    }

    void element(String tag, String type, String text) {
        html.append('<')
                .append(tag)
                .append(ofType(type))
                .append('>')
                .append(Html.text(text))
                .append("</")
                .append(tag)
                .append(">\n");
    }

    private static String ofType(String type) {
        return type.isEmpty() ? "" : " class=\"" + type + '"';
    }

    void section(String id, String title) {
        html.append("<h2 id=\"")
                .append(id)
                .append("\">")
                .append(Html.text(title))
                .append("</h2>\n");
    }

    void open(String tag) {
        html.append('<').append(tag).append(">\n");
    }

    void close(String tag) {
        html.append("</").append(tag).append(">\n");
    }

    void link(String to, String text) {
        html.append("<a href=\"")
                .append(to)
                .append("\">")
                .append(Html.text(text))
                .append("</a>\n");
    }

    void details(String summary) {
        html.append("<details><summary>").append(Html.text(summary)).append("</summary>\n");
    }

    /** A drawing of the library's own. */
    void picture(String svg) {
        html.append("<div class=\"picture\">\n").append(svg).append("</div>\n");
    }

    void list(List<Item> items) {
        if (items.isEmpty()) {
            return;
        }
        html.append("<ul>\n");
        for (Item item : items) {
            html.append("<li><span")
                    .append(ofType(item.type()))
                    .append('>')
                    .append(Html.text(item.text()))
                    .append("</span>");
            if (!item.more().isEmpty()) {
                html.append("<br>").append(Html.text(item.more()));
            }
            html.append("</li>\n");
        }
        html.append("</ul>\n");
    }

    /** A table; on a narrow screen each cell is a line that begins with its heading. */
    void table(List<String> headings, List<List<String>> rows) {
        html.append("<table>\n<thead><tr>");
        headings.forEach(
                heading -> html.append("<th>").append(Html.text(heading)).append("</th>"));
        html.append("</tr></thead>\n<tbody>\n");
        for (List<String> row : rows) {
            html.append("<tr>");
            for (int i = 0; i < row.size(); i++) {
                html.append("<td data-label=\"")
                        .append(Html.text(headings.get(i)))
                        .append("\">")
                        .append(Html.text(row.get(i)))
                        .append("</td>");
            }
            html.append("</tr>\n");
        }
        html.append("</tbody>\n</table>\n");
    }

    /** A unified diff, with added and removed lines marked. */
    void diff(String unified) {
        html.append("<pre>");
        unified.lines().forEach(line -> {
            String type = line.startsWith("+") && !line.startsWith("+++")
                    ? "add"
                    : line.startsWith("-") && !line.startsWith("---") ? "del" : "";
            html.append("<span")
                    .append(ofType(type))
                    .append('>')
                    .append(Html.text(line.isEmpty() ? " " : line))
                    .append("</span>");
        });
        html.append("</pre>\n");
    }

    @Override
    public String toString() {
        return html + "</body>\n</html>\n";
    }
}
