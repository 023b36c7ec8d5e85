"""Expanded text to logical lines and braces: the terminals of `keepalived.lark`.

keepalived splits lines at braces outside quotes, so one line of text may be several logical lines.
Words are separated by blanks; a quote starts and ends one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastvrrp.config.diagnostics import Severity

if TYPE_CHECKING:
    from fastvrrp.config.diagnostics import Span
    from fastvrrp.config.expanded import Expanded
    from fastvrrp.config.source import Report

__all__ = ["CLOSE", "LINE", "MAX_WORDS", "OPEN", "Item", "Word", "lex"]

LINE, OPEN, CLOSE = "LINE", "_OPEN", "_CLOSE"

MAX_WORDS = 1_000_000
"""Words and braces of a configuration; a thousand instances take less than one tenth of it."""

_WORD = re.compile(r"[^ \t\f\v\r]+")
_ODD = re.compile(r"[{}\"#!\\]|[^\x00-\x7f]")
_TOKEN = re.compile(
    r"(?P<bare>(?:\\[#!]|\$\{[^{}\"]*\}|[^ \t\f\v\r\"#!{}])+)|\"(?P<quoted>[^\"]*)\""
    r"|(?P<unclosed>\".*)|(?P<brace>[{}])|(?P<comment>[#!])",
    re.DOTALL,
)
_LOOKALIKES = {
    "\N{NO-BREAK SPACE}": "a no-break space",
    "\N{NARROW NO-BREAK SPACE}": "a narrow no-break space",
    "\N{ZERO WIDTH SPACE}": "a zero-width space",
    "\N{ZERO WIDTH NO-BREAK SPACE}": "a zero-width space",
    "\N{LEFT DOUBLE QUOTATION MARK}": "a typographic quote",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "a typographic quote",
    "\N{DOUBLE LOW-9 QUOTATION MARK}": "a typographic quote",
}
"""What web pages make of blanks and quotes; keepalived takes them as letters."""


class Word:
    """One word, quotes and `\\#` escapes resolved, and where it stands with its quotes."""

    __slots__ = ("_length", "_source", "column", "line", "text")

    def __init__(self, text: str, source: Expanded, line: int, column: int, length: int) -> None:
        self.text = text
        self.line = line
        self.column = column
        self._source = source
        self._length = length

    def __repr__(self) -> str:
        return f"Word({self.text!r}, {self.span})"

    @property
    def span(self) -> Span:
        """The place in the file."""
        return self._source.span(self.line, self.column, self._length)

    def part(self, offset: int, length: int) -> Span:
        """Return the place of a part, `offset` characters behind the start."""
        return self._source.span(self.line, self.column + offset, length)

    @property
    def end(self) -> int:
        """The column behind it."""
        return self.column + self._length


class Item:
    """A logical line (`LINE`: its words, and its text from the first to the last), or a brace.

    `type` is what Lark calls it; `first` is true if nothing stands before it on its line.
    """

    __slots__ = ("first", "raw", "type", "words")

    def __init__(self, kind: str, words: tuple[Word, ...], raw: str, *, first: bool) -> None:
        self.type = kind
        self.words = words
        self.raw = raw
        self.first = first

    @property
    def head(self) -> Word:
        """The first word, or the brace."""
        return self.words[0]


def lex(source: Expanded, report: Report) -> list[Item]:
    """Return the logical lines and braces of a text, at most MAX_WORDS words of it."""
    items: list[Item] = []
    count = 0
    for number, text in enumerate(source.texts, 1):
        if _ODD.search(text):
            found = list(_odd_line(text, number, source, report))
            items += found
            count += sum(len(item.words) for item in found)
        else:
            words = tuple(
                [
                    Word(word[0], source, number, word.start() + 1, word.end() - word.start())
                    for word in _WORD.finditer(text)
                ]
            )
            if words:
                items.append(Item(LINE, words, text.strip(" \t\f\v\r"), first=True))
                count += len(words)
        if count > MAX_WORDS:
            message = f"the configuration has more than {MAX_WORDS} words; the rest is not read"
            report.error("FV002", message, source.span(number, 1, len(text)))
            break
    return items


def _odd_line(text: str, number: int, source: Expanded, report: Report) -> Iterator[Item]:
    """Yield what is on a line with comments, quotes, braces or odd characters."""
    words: list[Word] = []
    first = True
    told = text.isascii()
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        if kind == "comment":
            _check_comment(words, found, report)
            break
        word = Word(_resolved(found), source, number, found.start() + 1, len(found[0]))
        if not told and not found[0].isascii():
            told = _tell_characters(word, found, report)
        if kind == "brace":
            if words:
                yield _line(words, text, first=first)
                first = False
                words = []
            yield Item(OPEN if found[0] == "{" else CLOSE, (word,), found[0], first=first)
            first = False
            continue
        if kind == "unclosed":
            opens = _tell_unclosed(word, found[0], report)
            yield _line([*words, word], text, first=first)
            if opens:
                yield Item(OPEN, (word,), "{", first=False)
            return
        words.append(word)
    if words:
        if words[-1].text.endswith("\\"):
            _tell_backslash(words[-1], report)
        yield _line(words, text, first=first)


def _line(words: list[Word], text: str, *, first: bool) -> Item:
    return Item(LINE, tuple(words), text[words[0].column - 1 : words[-1].end - 1], first=first)


def _resolved(found: re.Match[str]) -> str:
    """Return what a word says."""
    text = found[0]
    if found["bare"] is not None:
        return text.replace("\\#", "#").replace("\\!", "!") if "\\" in text else text
    return text.strip('"')


def _tell_unclosed(word: Word, text: str, report: Report) -> bool:
    """Report a quote without end; tell if a brace at the end of its line opens a block."""
    report.warning(
        "FV005",
        "this quote is not closed on its line",
        word.span,
        hint='write the closing " at the end of the text that it encloses',
    )
    return text.rstrip().endswith("{")


def _check_comment(words: list[Word], found: re.Match[str], report: Report) -> None:
    """Report a comment that starts within what looks like one word."""
    behind = found.string[found.end() : found.end() + 1]
    if not words or words[-1].end != found.start() + 1 or not behind.strip():
        return
    word = words[-1]
    message = f"the word ends before this {found[0]}: a comment starts here"
    hint = f"quote the word if the {found[0]} belongs to it; if not, put a blank in front"
    report.aside(Severity.NOTE, "FV029", message, word.part(word.end - word.column, 1), hint)


def _tell_backslash(word: Word, report: Report) -> None:
    """Report what looks as if the line went on."""
    message = "a \\ at the end of a line does not continue it"
    hint = "write it as one line; only a definition, $NAME=value, goes on behind \\"
    report.aside(Severity.NOTE, "FV025", message, word.part(len(word.text) - 1, 1), hint)


def _tell_characters(word: Word, found: re.Match[str], report: Report) -> bool:
    """Report characters that do not belong in a configuration; tell if there are any."""
    before = report.count
    if "\N{REPLACEMENT CHARACTER}" in found[0]:
        report.warning(
            "FV004",
            "this word is not valid UTF-8; its odd bytes are replaced",
            word.span,
            hint="save the file as UTF-8",
        )
    odd = next((c for c in found[0] if c in _LOOKALIKES), None)
    if odd is not None and found["bare"] is not None:
        report.warning(
            "FV006",
            f"there is {_LOOKALIKES[odd]} in this word",
            word.part(found[0].index(odd), 1),
            hint='was it copied from a web page? Type plain blanks and plain " quotes',
        )
    return report.count > before
