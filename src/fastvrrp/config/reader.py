"""Text to statements: words with their places, and blocks.

Tokens come from the lexer of `keepalived.lark`; `braces` makes them well-formed, reporting what was
not; then the grammar cannot fail. Whatever rewrites lines (definitions, conditional lines,
includes) belongs between the lexer and `braces`, where a token still knows its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from fastvrrp.config import braces
from fastvrrp.config.diagnostics import Span

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

    from fastvrrp.config.source import Report, Source

__all__ = ["MAX_TOKENS", "Statement", "Word", "read"]

MAX_TOKENS = 1_000_000
"""Words, braces and lines of one file; a thousand instances take less than one tenth of it."""

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


@dataclass(frozen=True, slots=True)
class Word:
    """One word, quotes and `\\#` escapes resolved, and where it stands with its quotes."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Statement:
    """A keyword with its words, or one entry of a value block; `block` None: no braces follow.

    `raw` is the line as written from the keyword to the last word, for command words.
    """

    words: tuple[Word, ...]
    raw: str
    block: tuple[Statement, ...] | None = None

    @property
    def keyword(self) -> str:
        """The first word."""
        return self.words[0].text

    @property
    def span(self) -> Span:
        """Where the first word stands."""
        return self.words[0].span


def read(source: Source, report: Report) -> tuple[Statement, ...]:
    """Return the statements of a text; what is malformed is reported and left out."""
    tokens = list(_checked(_tokens(source, report), source, report))
    parser = _grammar().parse_interactive("")
    for token in braces.balance(tokens, source, report):
        parser.feed_token(token)
    tree: Tree[Token] = parser.feed_eof()  # type: ignore[no-untyped-call]  # lark's is not typed
    return _statements(tree, source)


@cache
def _grammar() -> Lark:
    """Return the compiled grammar; Lark is imported here, for who never reads a text."""
    from lark import Lark  # noqa: PLC0415

    text = Path(__file__).with_name("keepalived.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic")


def _tokens(source: Source, report: Report) -> Iterator[Token]:
    """Yield the tokens of a text, at most MAX_TOKENS."""
    for count, token in enumerate(_grammar().lex(source.text)):
        if count == MAX_TOKENS:
            report.error(
                "FV002",
                f"the configuration has more than {MAX_TOKENS} words; the rest is not read",
                span_of(token, source),
            )
            return
        yield token


def _checked(tokens: Iterator[Token], source: Source, report: Report) -> Iterator[Token]:
    """Yield tokens, reporting characters that do not belong into a configuration."""
    told_line = 0
    for token in tokens:
        if token.type == "UNCLOSED":
            yield from _unclosed(token, source, report)
            continue
        if (not token.isascii() or "\0" in token) and token.line != told_line:
            told_line = _check_characters(token, source, report)
        yield token


def _unclosed(token: Token, source: Source, report: Report) -> Iterator[Token]:
    """Report a quote without end; a brace at the end of its line still opens a block."""
    report.error(
        "FV005",
        "this quote is not closed on its line",
        span_of(token, source),
        hint='write the closing " at the end of the text that it encloses',
    )
    yield token
    if token.rstrip().endswith("{"):
        yield token.update(type="_OPEN", value="{")


def _check_characters(token: Token, source: Source, report: Report) -> int:
    """Report characters that do not belong here; return the line, or 0 if there are none."""
    before = report.count
    span = span_of(token, source)
    if "\0" in token:
        report.error("FV003", "there is a NUL byte in this word", span, hint="is this a text file?")
    if "\N{REPLACEMENT CHARACTER}" in token:
        report.warning(
            "FV004",
            "this word is not valid UTF-8; its odd bytes are replaced",
            span,
            hint="save the file as UTF-8",
        )
    odd = next((c for c in token if c in _LOOKALIKES), None)
    if odd is not None and token.type == "BARE":
        report.error(
            "FV006",
            f"there is {_LOOKALIKES[odd]} in this word",
            Span(span.file, span.line, span.column + token.index(odd), 1),
            hint='was it copied from a web page? Type plain blanks and plain " quotes',
        )
    return span.line if report.count > before else 0


def span_of(token: Token, source: Source) -> Span:
    """Return the place of a token."""
    return Span(source.name, token.line or 1, token.column or 1, len(token))


def _statements(tree: Tree[Token], source: Source) -> tuple[Statement, ...]:
    """Return the statements of a block, or of the whole text."""
    return tuple(_statement(cast("Tree[Token]", child), source) for child in tree.children)


def _statement(tree: Tree[Token], source: Source) -> Statement:
    """Return the statement of a parse tree: tokens, and perhaps a block behind them."""
    last = tree.children[-1]
    has_block = hasattr(last, "children")
    block = _statements(cast("Tree[Token]", last), source) if has_block else None
    tokens = cast("list[Token]", tree.children if block is None else tree.children[:-1])
    raw = source.text[tokens[0].start_pos : tokens[-1].end_pos]
    return Statement(tuple(_word(token, source) for token in tokens), raw, block)


def _word(token: Token, source: Source) -> Word:
    if token.type == "BARE":
        text = token.replace("\\#", "#").replace("\\!", "!") if "\\" in token else str(token)
    else:
        text = token.strip('"')
    return Word(text, span_of(token, source))
