"""Text to statements: words with their places, and blocks.

`expand` includes and expands, `lexer` finds lines and braces, `braces` makes them well-formed,
reporting what was not; then the grammar of `keepalived.lark` cannot fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fastvrrp.config import braces
from fastvrrp.config.expand import Around, expand
from fastvrrp.config.lexer import Item, Word, lex

if TYPE_CHECKING:
    from lark import Lark, Token

    from fastvrrp.config.diagnostics import Span
    from fastvrrp.config.source import Report, Source

__all__ = ["Statement", "Word", "read"]


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A keyword with its words, or one entry of a value block; `block` None: no braces follow.

    `raw` is the line from the keyword to the last word, for command words. It is empty if that
    line is missing, which was reported: the word is the first one of the block then.
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

    def span_at(self, offset: int, length: int) -> Span:
        """Return the place of a part of `raw`."""
        return self.words[0].part(offset, length)


def read(
    sources: Iterable[tuple[Source, Path]], around: Around, report: Report
) -> tuple[Statement, ...]:
    """Return the statements of files, each with the directory that its includes start from.

    What is malformed is reported and left out.
    """
    text, leftovers = expand(sources, around, report)
    parser = _grammar().parse_interactive("").parser_state
    for item in braces.balance(lex(text, report), text, report):
        parser.feed_token(cast("Token", item))
    if leftovers is not None:
        leftovers.tell(report)
    return cast("tuple[Statement, ...]", parser.feed_token(_end(), is_end=True))


@cache
def _grammar() -> Lark:
    """Return the compiled grammar; Lark is imported here, for who never reads a text."""
    from lark import Lark, Transformer  # noqa: PLC0415

    class Statements(Transformer[Any, Any]):
        """Makes statements of what the rules match."""

        def start(self, statements: list[Statement]) -> tuple[Statement, ...]:
            return tuple(statements)

        def statement(self, parts: list[Any]) -> Statement:
            item: Item = parts[0]
            return Statement(item.words, item.raw, parts[1] if len(parts) > 1 else None)

        def block(self, statements: list[Statement]) -> tuple[Statement, ...]:
            return tuple(statements)

    text = Path(__file__).with_name("keepalived.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic", transformer=Statements())


def _end() -> Token:
    from lark import Token  # noqa: PLC0415

    return Token("$END", "")
