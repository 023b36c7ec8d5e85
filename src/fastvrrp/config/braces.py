"""Where blocks begin and end, and what the operator meant when braces do not match.

keepalived splits lines at braces outside quotes, so braces may stand anywhere. A balanced file is
taken as it is, however it is indented. Only in an unbalanced one do indentation and keywords tell
which brace is missing or surplus: of several readings, the one with the fewest mistakes counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from fastvrrp.config.diagnostics import Related, Span
from fastvrrp.config.row import Block, Keyword
from fastvrrp.config.schema import ROOT, ROOT_ONLY

if TYPE_CHECKING:
    from lark import Token

    from fastvrrp.config.source import Report, Source

__all__ = ["MAX_DEPTH", "balance"]

MAX_DEPTH = 32
"""Blocks within blocks; keepalived's language needs five."""


class _Kind(Enum):
    WORDS = 0
    OPEN = 1
    CLOSE = 2


class _Item(NamedTuple):
    """One logical line, or one brace. `first` is true if nothing stands before it on its line."""

    kind: _Kind
    tokens: tuple[Token, ...]
    first: bool

    @property
    def word(self) -> str:
        return str(self.tokens[0])


class _Problem(NamedTuple):
    code: str
    message: str
    token: Token
    hint: str
    opener: Token | None = None


@dataclass(slots=True)
class _Opened:
    """A block that is open while items are walked."""

    head: Token
    title: str
    block: Block | None
    close_at: int = -1


def balance(tokens: Iterable[Token], source: Source, report: Report) -> Iterator[Token]:
    """Yield the tokens as the grammar expects them: one _END per line, braces matched."""
    items = _items(tokens)
    if not _is_sound(items):
        attempts = [
            _Repair(source, by_indent=by_indent, add_open=add_open).run(items)
            for by_indent, add_open in product((True, False), repeat=2)
        ]
        best = min(attempts, key=lambda attempt: len(attempt.problems))
        items = best.out
        for problem in best.problems:
            _tell(problem, source, report)
    _find_secrets(items, source)
    return _emit(items, source, report)


def _items(tokens: Iterable[Token]) -> list[_Item]:
    """Group tokens into logical lines and braces."""
    items: list[_Item] = []
    words: list[Token] = []
    line_is_empty = words_are_first = True
    for token in tokens:
        if token.type in ("BARE", "QUOTED", "UNCLOSED"):
            if not words:
                words_are_first = line_is_empty
            words.append(token)
        else:
            if words:
                items.append(_Item(_Kind.WORDS, tuple(words), words_are_first))
                words = []
            if token.type != "_END":
                kind = _Kind.OPEN if token.type == "_OPEN" else _Kind.CLOSE
                items.append(_Item(kind, (token,), line_is_empty))
        line_is_empty = token.type == "_END"
    if words:
        items.append(_Item(_Kind.WORDS, tuple(words), words_are_first))
    return items


def _opens(items: list[_Item], index: int) -> bool:
    """Tell if the item at `index` is followed by {."""
    return index + 1 < len(items) and items[index + 1].kind is _Kind.OPEN


def _is_sound(items: list[_Item]) -> bool:
    """Tell if braces match and nothing that belongs to the outermost level stands in a block."""
    depth = 0
    for index, item in enumerate(items):
        if item.kind is _Kind.OPEN:
            depth += 1
        elif item.kind is _Kind.CLOSE:
            depth -= 1
            if depth < 0:
                return False
        elif depth and item.word in ROOT_ONLY and _opens(items, index):
            return False
    return depth == 0


@dataclass(slots=True)
class _Repair:
    """One reading of an unbalanced file: walks the items once and writes balanced ones to `out`."""

    source: Source
    by_indent: bool
    """A } that stands under the start of an outer block closes that block."""
    add_open: bool
    """A keyword that needs a block and has no { is given one."""
    out: list[_Item] = field(default_factory=list)
    problems: list[_Problem] = field(default_factory=list)
    _stack: list[_Opened] = field(default_factory=list)
    _last: _Opened | None = None
    _head: Token | None = None
    _title: tuple[str, ...] = ()

    def run(self, items: list[_Item]) -> _Repair:
        """Walk the items and return self."""
        for index, item in enumerate(items):
            if item.kind is _Kind.OPEN:
                self._open(item)
            elif item.kind is _Kind.CLOSE:
                self._close(item)
            else:
                self._words(item, opens=_opens(items, index))
        for opened in reversed(self._stack):
            self._missing_close(opened, opened.head, "is never closed", at_head=True)
            self._put_close(opened.head)
        return self

    def _open(self, item: _Item) -> None:
        self.out.append(item)
        head = self._head or item.tokens[0]
        block = self._children().get(str(head)) if self._head else None
        title = " ".join(self._title) or "{"
        self._stack.append(_Opened(head, title, block if isinstance(block, Block) else None))
        self._head = None

    def _close(self, item: _Item) -> None:
        self._head = None
        if not self._stack:
            message = "this } closes nothing"
            self.problems.append(_Problem("FV008", message, item.tokens[0], "remove it"))
            return
        if self.by_indent and item.first:
            self._close_deeper(item.tokens[0])
        self._last = self._stack.pop()
        self._last.close_at = len(self.out)
        self.out.append(item)

    def _close_deeper(self, brace: Token) -> None:
        """Close inner blocks if the brace stands exactly under the start of an outer one."""
        indents = [self.source.indent(opened.head.line or 1) for opened in self._stack]
        wanted = self.source.indent(brace.line or 1)
        if wanted == indents[-1] or wanted not in indents:
            return
        while indents.pop() != wanted:
            opened = self._stack.pop()
            self._missing_close(opened, brace, "is not closed before this }")
            self._put_close(brace)

    def _words(self, item: _Item, *, opens: bool) -> None:
        word = item.word
        if not self._stack:
            self._reopen(word)
        for _ in range(self._levels_to_leave(word, opens=opens)):
            opened = self._stack.pop()
            self._missing_close(opened, item.tokens[0], f"is not closed before {word}")
            self._put_close(item.tokens[0])
        if not self._stack:
            self._last = None  # what stands in between keeps that block from being taken up again
        self._head = item.tokens[0]
        row = self._children().get(word)
        named = isinstance(row, Block) and row.named
        self._title = (word, *map(str, item.tokens[1:2])) if named else (word,)
        self.out.append(item)
        if self.add_open and isinstance(row, Block) and not opens:
            last = item.tokens[-1]
            self.problems.append(
                _Problem(
                    "FV009", f"{word} needs a block, and its {{ is missing", last, "add { here"
                )
            )
            self._open(_Item(_Kind.OPEN, (last.update(type="_OPEN", value="{"),), False))

    def _reopen(self, word: str) -> None:
        """Take back the } that closed a block too early, if `word` still belongs into it."""
        last = self._last
        if last is None or word in ROOT.children or last.block is None:
            return
        if word not in last.block.children:
            return
        brace = self.out[last.close_at].tokens[0]
        del self.out[last.close_at]
        message = f"this }} closes {last.title} although {word} still belongs into it"
        self.problems.append(_Problem("FV008", message, brace, "remove it", last.head))
        self._stack.append(last)
        self._last = None

    def _levels_to_leave(self, word: str, *, opens: bool) -> int:
        """Return how many blocks must have ended for `word` to be where it belongs."""
        if not self._stack or word in self._children():
            return 0
        if self._stack[-1].block is not None:
            for levels, outer in enumerate(reversed(self._stack[:-1]), start=1):
                if outer.block is not None and word in outer.block.children:
                    return levels
        return len(self._stack) if opens and word in ROOT_ONLY else 0

    def _children(self) -> Mapping[str, Keyword | Block]:
        """Return the keywords of the innermost open block."""
        block = self._stack[-1].block if self._stack else ROOT
        return block.children if block is not None else {}

    def _missing_close(
        self, opened: _Opened, token: Token, what: str, *, at_head: bool = False
    ) -> None:
        message = f"}} is missing: {opened.title} {what}"
        hint = f"add }} at the end of the {opened.title} block"
        opener = None if at_head else opened.head
        self.problems.append(_Problem("FV007", message, token, hint, opener))

    def _put_close(self, near: Token) -> None:
        brace = near.update(type="_CLOSE", value="}")
        self.out.append(_Item(_Kind.CLOSE, (brace,), False))


def _tell(problem: _Problem, source: Source, report: Report) -> None:
    related = None
    if problem.opener is not None:
        related = Related("it was opened", _span(problem.opener, source))
    span = _span(problem.token, source)
    report.error(problem.code, problem.message, span, hint=problem.hint, related=related)


def _find_secrets(items: list[_Item], source: Source) -> None:
    """Remember the lines of authentication blocks, so that nothing shows them in clear."""
    depth = 0
    for index, item in enumerate(items):
        if depth or item.word.startswith("auth"):
            source.secret_lines.add(item.tokens[0].line or 1)
        if item.kind is _Kind.OPEN and (depth or items[index - 1].word.startswith("auth")):
            depth += 1
        elif item.kind is _Kind.CLOSE and depth:
            depth -= 1


def _emit(items: list[_Item], source: Source, report: Report) -> Iterator[Token]:
    """Yield tokens for the grammar, leaving out blocks without a head and blocks too deep."""
    depth = skipping = 0
    headed = False
    for index, item in enumerate(items):
        token = item.tokens[0]
        if skipping:
            skipping += (item.kind is _Kind.OPEN) - (item.kind is _Kind.CLOSE)
        elif item.kind is _Kind.WORDS:
            yield from item.tokens
            headed = _opens(items, index) and depth < MAX_DEPTH
            if not headed:
                yield item.tokens[-1].update(type="_END", value="\n")
        elif item.kind is _Kind.CLOSE:
            depth -= 1
            yield token
        elif headed:
            depth += 1
            headed = False
            yield token
        else:
            skipping = 1
            _tell_skipped(token, source, report, too_deep=depth >= MAX_DEPTH)


def _tell_skipped(token: Token, source: Source, report: Report, *, too_deep: bool) -> None:
    span = _span(token, source)
    if too_deep:
        report.error("FV002", f"blocks are nested more than {MAX_DEPTH} deep", span)
    else:
        hint = "write the keyword of the block before it, or remove the block"
        report.error(
            "FV010", "no keyword stands before this {; its block is skipped", span, hint=hint
        )


def _span(token: Token, source: Source) -> Span:
    return Span(source.name, token.line or 1, token.column or 1, len(token))
