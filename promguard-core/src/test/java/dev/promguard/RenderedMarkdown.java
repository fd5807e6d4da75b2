package dev.promguard;

import java.util.ArrayList;
import java.util.List;
import org.commonmark.Extension;
import org.commonmark.ext.autolink.AutolinkExtension;
import org.commonmark.ext.gfm.strikethrough.Strikethrough;
import org.commonmark.ext.gfm.strikethrough.StrikethroughExtension;
import org.commonmark.ext.gfm.tables.TableCell;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Code;
import org.commonmark.node.CustomNode;
import org.commonmark.node.Emphasis;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.HardLineBreak;
import org.commonmark.node.Heading;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.HtmlInline;
import org.commonmark.node.Image;
import org.commonmark.node.Link;
import org.commonmark.node.ListItem;
import org.commonmark.node.SoftLineBreak;
import org.commonmark.node.StrongEmphasis;
import org.commonmark.node.Text;
import org.commonmark.parser.Parser;

/** A Markdown document as a reader sees it, with the extensions that GitHub has. */
final class RenderedMarkdown {
    private static final List<Extension> EXTENSIONS =
            List.of(TablesExtension.create(), AutolinkExtension.create(), StrikethroughExtension.create());

    /** What is seen, with the marks of code left out. */
    final StringBuilder text = new StringBuilder();

    /** What is not plain text, with what it holds. */
    final List<String> active = new ArrayList<>();

    /** The text that stands outside of code, where GitHub would mention people and link numbers. */
    final StringBuilder outsideCode = new StringBuilder();

    final List<String> html = new ArrayList<>();
    int headings;
    int items;
    int cells;

    RenderedMarkdown(String source) {
        Parser.builder().extensions(EXTENSIONS).build().parse(source).accept(new Reader());
    }

    private final class Reader extends AbstractVisitor {
        @Override
        public void visit(Text node) {
            text.append(node.getLiteral());
            outsideCode.append(node.getLiteral());
        }

        @Override
        public void visit(Code node) {
            text.append(node.getLiteral());
            outsideCode.append(' ');
        }

        @Override
        public void visit(FencedCodeBlock node) {
            text.append(node.getLiteral());
        }

        @Override
        public void visit(SoftLineBreak node) {
            text.append('\n');
        }

        @Override
        public void visit(HardLineBreak node) {
            text.append('\n');
        }

        @Override
        public void visit(Heading node) {
            headings++;
            visitChildren(node);
        }

        @Override
        public void visit(ListItem node) {
            items++;
            visitChildren(node);
        }

        @Override
        public void visit(Link node) {
            active.add("link " + node.getDestination());
            visitChildren(node);
        }

        @Override
        public void visit(Image node) {
            active.add("image " + node.getDestination());
        }

        @Override
        public void visit(Emphasis node) {
            active.add("emphasis");
            visitChildren(node);
        }

        @Override
        public void visit(StrongEmphasis node) {
            text.append("**");
            visitChildren(node);
            text.append("**");
        }

        @Override
        public void visit(HtmlInline node) {
            active.add("html " + node.getLiteral());
        }

        @Override
        public void visit(HtmlBlock node) {
            html.add(node.getLiteral());
        }

        @Override
        public void visit(CustomNode node) {
            if (node instanceof TableCell) {
                cells++;
                text.append('\n');
            } else if (node instanceof Strikethrough) {
                active.add("strikethrough");
            }
            visitChildren(node);
        }
    }
}
