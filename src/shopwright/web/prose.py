"""Descriptions as safe HTML: a handful of tags without attributes, balanced; all else becomes text or
nothing.

Products cleans what it stores; this holds even if another service, or an older release, did not.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from markupsafe import Markup, escape

_BLOCKS = frozenset({"p", "ul", "ol", "li", "h3", "h4", "blockquote"})
_INLINE = frozenset({"strong", "em", "b", "i"})
_RENAMED = {"h1": "h3", "h2": "h3", "h5": "h4", "h6": "h4", "div": "p"}
_DROPPED = frozenset({"script", "style", "template", "iframe", "object", "svg", "math", "textarea", "title"})
NESTING_MAX = 12  # deeper is no description


def clean(text: str) -> Markup:
    """`text`, HTML or plain with empty lines between paragraphs, as HTML that can do nothing."""
    if "<" not in text:
        blocks = [block.strip() for block in re.split(r"\n\s*\n", text)]
        return Markup("\n").join(Markup("<p>%s</p>") % block for block in blocks if block)
    writer = _Writer()
    writer.feed(text)
    writer.close()
    return Markup(writer.html())  # noqa: S704 - written tag by tag from the lists above, all text escaped


def plain(text: str) -> str:
    """The words of a description in one line, for summaries and structured data; not yet escaped."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return " ".join(" ".join(reader.words).split())


class _Reader(HTMLParser):
    """Collects words, leaving out what no person reads."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._dropping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._dropping += tag in _DROPPED

    def handle_endtag(self, tag: str) -> None:
        self._dropping = max(0, self._dropping - (tag in _DROPPED))

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self.words.append(data)


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._dropping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        name = _RENAMED.get(tag, tag)
        if tag in _DROPPED:
            self._dropping += 1
        elif self._dropping:
            return
        elif name == "br":
            self._parts.append("<br>")
        elif name in _BLOCKS | _INLINE and len(self._open) < NESTING_MAX:
            if name in _BLOCKS and "p" in self._open:
                self._end("p")
            if name == "li" and self._open[-1:] == ["li"]:
                self._end("li")
            self._open.append(name)
            self._parts.append(f"<{name}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._dropping = max(0, self._dropping - 1)
        elif not self._dropping:
            self._end(_RENAMED.get(tag, tag))

    def handle_data(self, data: str) -> None:
        if self._dropping:
            return
        if not self._open and data.strip():
            self._open.append("p")
            self._parts.append("<p>")
        self._parts.append(str(escape(data)))

    def html(self) -> str:
        while self._open:
            self._parts.append(f"</{self._open.pop()}>")
        return re.sub(r"<(p|li|h3|h4)>\s*</\1>", "", "".join(self._parts)).strip()

    def _end(self, name: str) -> None:
        if name in self._open:
            while True:
                ended = self._open.pop()
                self._parts.append(f"</{ended}>")
                if ended == name:
                    return
