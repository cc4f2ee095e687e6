"""The little Markdown that text tiles may hold → HTML that cannot do harm.

Headings, paragraphs, lists, bold, emphasis, code and links. Everything else is shown as it
was typed. Text is escaped before anything is made of it, so no tag gets through.
"""

import re

from markupsafe import Markup, escape

INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w*])[*_]([^*_]+)[*_](?![\w*])"), r"<i>\1</i>"),
    (
        re.compile(r"\[([^\]]+)\]\(((?:https?://|/)[^\s)]+)\)"),
        r'<a href="\2" rel="noreferrer">\1</a>',
    ),
)


def html(text: str) -> Markup:
    """Return Markdown as HTML."""
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    return Markup("\n").join(_block(block) for block in blocks)


def _block(block: str) -> Markup:
    lines = block.strip().split("\n")
    heading = re.match(r"(#{1,3})\s+(.+)", lines[0])
    if heading and len(lines) == 1:
        return Markup("<h3>{}</h3>").format(_inline(heading[2]))
    if heading:
        rest = "\n".join(lines[1:])
        return Markup("<h3>{}</h3>\n{}").format(_inline(heading[2]), _block(rest))
    if all(re.match(r"\s*[-*]\s+", line) for line in lines):
        items = [re.sub(r"^\s*[-*]\s+", "", line) for line in lines]
        entries = Markup("").join(Markup("<li>{}</li>").format(_inline(i)) for i in items)
        return Markup("<ul>{}</ul>").format(entries)
    broken = Markup("<br>").join(_inline(line) for line in lines)
    return Markup("<p>{}</p>").format(broken)


def _inline(text: str) -> Markup:
    made = str(escape(text))
    for pattern, into in INLINE:
        made = pattern.sub(into, made)
    return Markup(made)  # noqa: S704  escaped above; only our own tags were added
