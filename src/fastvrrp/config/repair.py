"""What the operator meant where braces do not match.

Indentation and keywords tell which brace, or which line that opens a block, is missing or surplus.
Each may mislead; so the text is read in several ways, and the way with the fewest mistakes counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product, takewhile
from typing import TYPE_CHECKING, NamedTuple

from fastvrrp.config.diagnostics import Related
from fastvrrp.config.lexer import CLOSE, LINE, OPEN, Item, Word
from fastvrrp.config.row import Block, Keyword
from fastvrrp.config.schema import ROOT, ROOT_ONLY

if TYPE_CHECKING:
    from fastvrrp.config.diagnostics import Span
    from fastvrrp.config.expanded import Expanded
    from fastvrrp.config.source import Report

__all__ = ["opens", "repair"]

_NEAR = 32
"""Blocks around a word, and lines behind it, that are looked at."""

_STEP = 4
"""Blanks that are no accident; fewer are where people are careless."""

_LIKE_A_KEYWORD = re.compile(r"[A-Za-z_-]+\Z")

_MAX_NAMES = 3
"""Blocks that a word is said to belong in."""

_ADDITIONS = ((True, False), (False, False), (True, True))
"""Whether { is added behind keywords, and lines that open blocks: never these without those."""


def repair(items: list[Item], source: Expanded, report: Report) -> list[Item]:
    """Return items whose braces match, and report what did not.

    A block whose first line is missing stands behind an item without text.
    """
    ways = [
        _Way(source, by_indent=by_indent, add_open=add_open, add_head=add_head).read(items)
        for (add_open, add_head), by_indent in product(_ADDITIONS, (True, False))
    ]
    best = min(ways, key=lambda way: way.cost)
    for problem in best.problems:
        _tell(problem, report)
    return best.out


def opens(items: list[Item], index: int) -> bool:
    """Tell if the item at `index` is followed by {."""
    return index + 1 < len(items) and items[index + 1].type == OPEN


class _Problem(NamedTuple):
    code: str
    message: str
    span: Span
    hint: str
    opener: Word | None = None


@dataclass(slots=True)
class _Opened:
    """A block that is open while items are walked; `block` None: nothing is known of its inside.

    `indent` is that of its first line, `seen` are the keywords that may stand in it only once.
    """

    head: Word
    title: str
    block: Block | None
    has_head: bool = True
    close_at: int = -1
    indent: int | None = None
    seen: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Way:
    """One way to read an unbalanced text: walks the items once and writes balanced ones to `out`.

    `shapeless` counts blocks without a first line that have no } either: there is no reason to see
    a block. `strays` counts keywords where they do not belong and those that are given again,
    `crooked` lines that are not indented as they should be.
    """

    source: Expanded
    by_indent: bool
    """A } that stands under the start of an outer block closes that block."""
    add_open: bool
    """A keyword that needs a block and has no { is given one."""
    add_head: bool
    """Words that belong in an inner block are in one whose first line is missing; if not, the }
    before them is surplus."""
    out: list[Item] = field(default_factory=list)
    problems: list[_Problem] = field(default_factory=list)
    shapeless: int = 0
    strays: int = 0
    crooked: int = 0
    _items: list[Item] = field(init=False)
    _root: _Opened = field(init=False)
    _stack: list[_Opened] = field(default_factory=list)
    _last: _Opened | None = None
    _head: Word | None = None
    _title: tuple[str, ...] = ()

    @property
    def cost(self) -> tuple[int, int, int]:
        """How much is wrong with the text if it is read in this way."""
        return self.shapeless, len(self.problems) + self.strays, self.crooked

    def read(self, items: list[Item]) -> _Way:
        """Walk the items and return self."""
        self._items = items
        if items:
            self._root = _Opened(items[0].head, "", ROOT)
        for index, item in enumerate(items):
            if item.type == OPEN:
                self._open(item)
            elif item.type == CLOSE:
                self._close(item)
            else:
                self._words(item, index)
        for opened in reversed(self._stack):
            self._missing_close(opened, None, "is never closed")
        return self

    @property
    def _top(self) -> _Opened:
        return self._stack[-1] if self._stack else self._root

    def _children(self) -> Mapping[str, Keyword | Block]:
        """Return the keywords of the innermost open block."""
        block = self._top.block
        return block.children if block is not None else {}

    def _open(self, item: Item) -> None:
        self.out.append(item)
        head = self._head or item.head
        block = self._children().get(head.text) if self._head else None
        title = " ".join(self._title) or "{"
        self._stack.append(_Opened(head, title, block if isinstance(block, Block) else None))
        self._head = None

    def _close(self, item: Item) -> None:
        self._head = None
        if not self._stack:
            message = "this } closes nothing"
            self.problems.append(_Problem("FV008", message, item.head.span, "remove it"))
            return
        if self.by_indent and item.first:
            self._close_deeper(item.head)
        self._last = self._stack.pop()
        self._last.close_at = len(self.out)
        if item.first:
            head, brace = self._last.head, item.head
            apart = abs(self.source.indent(head.line) - self.source.indent(brace.line))
            self.crooked += apart >= _STEP
        self.out.append(item)

    def _close_deeper(self, brace: Word) -> None:
        """Close inner blocks if the brace stands exactly under the start of an outer one."""
        indents = [self.source.indent(opened.head.line) for opened in self._stack[-_NEAR:]]
        wanted = self.source.indent(brace.line)
        if wanted == indents[-1] or wanted not in indents:
            return
        while indents.pop() != wanted:
            self._missing_close(self._stack.pop(), brace, "is not closed before this }")

    def _words(self, item: Item, index: int) -> None:
        word = item.head.text
        has_open = opens(self._items, index)
        if not self._stack and not self.add_head:
            self._reopen(word)
        for _ in range(self._levels_to_leave(word, opens=has_open)):
            self._missing_close(self._stack.pop(), item.head, f"is not closed before {word}")
        if not self._stack:
            self._last = None  # what stands in between keeps that block from being taken up again
        if self.add_head and self._lacks_head(item):
            self._missing_head(item, self._items[index : index + _NEAR])
        row = self._children().get(word)
        self._judge(item, row)
        self._head = item.head
        named = isinstance(row, Block) and row.named
        self._title = (word, *(other.text for other in item.words[1:2])) if named else (word,)
        self.out.append(item)
        if has_open or not isinstance(row, Block):
            return
        if not self.add_open:
            self.strays += 1
        else:
            last = item.words[-1]
            message = f"{word} needs a block, and its {{ is missing"
            self.problems.append(_Problem("FV009", message, last.span, "add { here"))
            self._open(Item(OPEN, (last,), "{", first=False))

    def _judge(self, item: Item, row: Keyword | Block | None) -> None:
        """Count a word that does not belong where it stands."""
        top = self._top
        self.crooked += self._is_deeper(item, by=_STEP)
        if item.first and top.indent is None:
            top.indent = self.source.indent(item.head.line)
        if top.block is None or top.block.entry is not None:
            return
        if row is None or row.name in top.seen:
            self.strays += 1
        elif not row.many:
            top.seen.add(row.name)

    def _is_deeper(self, item: Item, *, by: int = 1) -> bool:
        """Tell if an item is indented further than the first line of its block."""
        indent = self._top.indent
        if indent is None or not item.first:
            return False
        return self.source.indent(item.head.line) >= indent + by

    def _reopen(self, word: str) -> None:
        """Take back the } that closed a block too early, if `word` still belongs in it."""
        last = self._last
        if last is None or word in ROOT.children or last.block is None:
            return
        if word not in last.block.children:
            return
        brace = self.out[last.close_at].head
        del self.out[last.close_at]
        message = f"this }} closes {last.title} although {word} still belongs in it"
        self.problems.append(_Problem("FV008", message, brace.span, "remove it", last.head))
        self._stack.append(last)
        self._last = None

    def _levels_to_leave(self, word: str, *, opens: bool) -> int:
        """Return how many blocks must have ended for `word` to be where it belongs."""
        if not self._stack or word in self._children():
            return 0
        if self._stack[-1].block is not None:
            for levels, outer in enumerate(reversed(self._stack[-_NEAR:-1]), start=1):
                if outer.block is not None and word in outer.block.children:
                    return levels
        return len(self._stack) if opens and word in ROOT_ONLY else 0

    def _lacks_head(self, item: Item) -> bool:
        """Tell if the item starts the inside of a block."""
        top = self._top
        if top.block is None or top.block.entry is not None or item.head.text in ROOT_ONLY:
            return False
        word = item.head.text
        if self._inner_blocks(word):
            return self._is_deeper(item) or word not in top.block.children
        if word in top.block.children or not _has_entries(top.block):
            return False
        return self._is_deeper(item) or not _LIKE_A_KEYWORD.match(word)

    def _inner_blocks(self, word: str) -> list[Block]:
        """Return the blocks that may stand here and have `word` in them."""
        rows = self._children().values()
        return [row for row in rows if isinstance(row, Block) and word in row.children]

    def _missing_head(self, item: Item, following: list[Item]) -> None:
        """Open a block whose first line is missing."""
        word = item.head
        found = _most_fitting(self._inner_blocks(word.text), following)[:_MAX_NAMES]
        where = f": {word.text} belongs in {' or '.join(one.name for one in found)}"
        message = f"a line that opens a block is missing{where if found else ' above this one'}"
        start = "the keyword of the block and"
        if len(found) == 1:
            start = f"{found[0].name} NAME" if found[0].named else found[0].name
        hint = f"write {start} {{ above this line"
        self.problems.append(_Problem("FV026", message, word.span, hint))
        self.out.append(Item(LINE, (word,), "", first=False))
        self.out.append(Item(OPEN, (word,), "{", first=False))
        self._stack.append(_Opened(word, "the block", None, has_head=False))

    def _missing_close(self, opened: _Opened, following: Word | None, what: str) -> None:
        """Close a block that was left open, in front of a word; None: at the end."""
        self.shapeless += not opened.has_head
        message = f"}} is missing: {opened.title} {what}"
        span, hint = self._behind(opened, following)
        self.problems.append(_Problem("FV007", message, span, hint, opened.head))
        near = self.out[-1].words[-1]
        self.out.append(Item(CLOSE, (near,), "}", first=False))

    def _behind(self, opened: _Opened, following: Word | None) -> tuple[Span, str]:
        """Return the place behind a block that was left open, and what to do there."""
        word = self.out[-1].words[-1]
        if following is not None and following.line == word.line:
            return following.span, "add } before this"
        texts, outer = self.source.texts, self.source.indent(opened.head.line)
        last, end = word.line, len(texts) if following is None else following.line - 1
        for number in range(word.line + 1, min(end, word.line + _NEAR) + 1):
            if texts[number - 1].strip() and self.source.indent(number) > outer:
                last = number  # a comment that stands in the block
        if last == len(texts):
            return self.source.span(last, len(texts[-1].rstrip()) + 1, 1), "add } below this line"
        text = texts[last]
        if not text.strip():
            return self.source.span(last + 1, outer + 1, 1), "add } here"
        start = len(text) - len(text.lstrip()) + 1
        return self.source.span(last + 1, start, len(text.split()[0])), "add } above this line"


def _most_fitting(blocks: list[Block], items: list[Item]) -> list[Block]:
    """Return those that have most of the words up to the next }."""
    words = [item.head.text for item in takewhile(lambda item: item.type != CLOSE, items)]
    fitting = [sum(word in block.children for word in words) for block in blocks]
    best = max(fitting, default=0)
    return [block for block, count in zip(blocks, fitting, strict=True) if count == best]


def _has_entries(block: Block) -> bool:
    """Tell if there are blocks in this one whose lines start with any word."""
    return any(isinstance(row, Block) and row.entry is not None for row in block.rows)


def _tell(problem: _Problem, report: Report) -> None:
    related = None
    if problem.opener is not None:
        related = Related("it was opened", problem.opener.span)
    report.warning(problem.code, problem.message, problem.span, hint=problem.hint, related=related)
