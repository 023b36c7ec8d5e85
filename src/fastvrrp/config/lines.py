"""Lines of text that know where each of their characters was written.

Preprocessing cuts lines up and puts them together again. A `Line` keeps, for each piece of its
text, the `Origin`: a place in a file and, if the text replaced something, the place of what it
replaced, which is where the operator used it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fastvrrp.config.diagnostics import Related, Span

if TYPE_CHECKING:
    from fastvrrp.config.source import Source

__all__ = ["Line", "Origin", "Reading", "join"]

_MAX_VIA = 8
"""Places that a diagnostic names at most; definitions may be nested deeper."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A file while it is read: its text, the directory that its includes start from.

    A file that is included twice is read twice; `via` says where it was included.
    """

    source: Source
    directory: Path
    via: tuple[Related, ...] = ()


class Origin(NamedTuple):
    """Where text was written. `length`: all of the text stands for that many columns.

    With length 0 the text was copied character by character. `outer` is the use that the text
    replaced, and `what` is what a diagnostic calls this place then.
    """

    reading: Reading
    line: int
    column: int
    length: int = 0
    outer: Origin | None = None
    what: str = ""

    def after(self, offset: int) -> Origin:
        """Return the origin of the character `offset` behind."""
        if self.length or not offset:
            return self
        return Origin(self.reading, self.line, self.column + offset, 0, self.outer, self.what)

    def chain(self) -> Iterator[Origin]:
        """Yield this place, what it replaced, and so on to what stands in a file unreplaced."""
        at: Origin | None = self
        while at is not None:
            yield at
            at = at.outer

    def inside(self, use: Origin, what: str) -> Origin:
        """Return this origin for text that replaces what stands at `use`."""
        if self.outer is not None:
            use, what = self.outer.inside(use, what), self.what
        return Origin(self.reading, self.line, self.column, self.length, use, what)


class Line:
    """A line, or a part of one; never changed. Each piece starts at an offset in `text`."""

    __slots__ = ("pieces", "text")

    def __init__(self, text: str, pieces: tuple[tuple[int, Origin], ...]) -> None:
        self.text = text
        self.pieces = pieces

    def cut(self, start: int, end: int | None = None) -> Line:
        """Return the part from `start` to `end`."""
        if start == 0 and (end is None or end == len(self.text)):
            return self
        text = self.text[start:end]
        stop = start + len(text)
        first = self._index(start)
        offset, origin = self.pieces[first]
        pieces = [(0, origin.after(start - offset))]
        for offset, origin in self.pieces[first + 1 :]:
            if offset >= stop:
                break
            pieces.append((offset - start, origin))
        return Line(text, tuple(pieces))

    def strip(self) -> Line:
        """Return the line without blanks at its ends."""
        text = self.text.rstrip(" \t\r")
        start = len(text) - len(text.lstrip(" \t"))
        return self if start == 0 and text == self.text else self.cut(start, len(text))

    def inside(self, use: Origin, what: str) -> Line:
        """Return the line as it replaces what stands at `use`."""
        pieces = tuple((offset, origin.inside(use, what)) for offset, origin in self.pieces)
        return Line(self.text, pieces)

    def place(self, start: int, end: int) -> Origin:
        """Return the place of the characters from `start` to `end` as one."""
        end = max(end, start + 1)
        first, last = self._index(start), self._index(end - 1)
        offset, origin = self.pieces[first]
        if first == last:
            return origin.after(start - offset)._replace(length=origin.length or end - start)
        begin = _outermost(origin.after(start - offset))
        offset, origin = self.pieces[last]
        stop = _outermost(origin.after(end - 1 - offset))
        length = begin.length or 1
        if (begin.reading, begin.line) == (stop.reading, stop.line):
            length = max(length, stop.column + (stop.length or 1) - begin.column)
        return begin._replace(length=length)

    def span(self, start: int, length: int) -> Span:
        """Return the place for a diagnostic: where it is used, and how it came there."""
        end = start + max(1, length)
        use = _outermost(self.place(start, end))
        source = use.reading.source
        via = self._via(start, end) + use.reading.via
        return Span(source.name, use.line, use.column, max(1, use.length), via)

    def _via(self, start: int, end: int) -> tuple[Related, ...]:
        """Return the places that a text came from, innermost first, each line of them once."""
        found: dict[tuple[Source, int, str], tuple[int, int, int]] = {}
        for offset, origin in self.pieces[self._index(start) :]:
            if offset >= end:
                break
            first = origin.after(max(0, start - offset))
            chain = [(at, at.length or 1) for at in first.chain() if at.outer is not None]
            if chain and not first.length:
                chain[0] = (first, self._end(offset, end) - max(start, offset))
            for depth, (at, length) in enumerate(reversed(chain)):
                key = (at.reading.source, at.line, at.what)
                known = found.get(key, (depth, at.column, 0))
                begin, stop = min(known[1], at.column), max(known[2], at.column + length)
                found[key] = (known[0], begin, stop)
        innermost = sorted(found.items(), key=lambda one: -one[1][0])
        return tuple(
            Related(what, Span(source.name, line, begin, stop - begin))
            for (source, line, what), (_, begin, stop) in innermost[:_MAX_VIA]
        )

    def _end(self, offset: int, end: int) -> int:
        """Return where the piece at `offset` ends, at most `end`."""
        behind = (other for other, _ in self.pieces if other > offset)
        return min(end, next(behind, end))

    def keep_secret(self) -> None:
        """Let no diagnostic show this line, nor anything that it was made of."""
        for _, origin in self.pieces:
            for place in origin.chain():
                place.reading.source.secret_lines.add(place.line)

    @property
    def outermost(self) -> Origin:
        """Where the line stands in a file, or where what became the line is used."""
        return _outermost(self.pieces[0][1])

    def _index(self, at: int) -> int:
        if len(self.pieces) == 1:
            return 0
        return max(0, bisect_right(self.pieces, at, key=itemgetter(0)) - 1)


def join(parts: Iterable[Line]) -> Line:
    """Return parts of lines as one line."""
    texts: list[str] = []
    pieces: list[tuple[int, Origin]] = []
    length = 0
    empty: tuple[tuple[int, Origin], ...] = ()
    for part in parts:
        if not part.text:
            empty = part.pieces
            continue
        texts.append(part.text)
        pieces += [(length + offset, origin) for offset, origin in part.pieces]
        length += len(part.text)
    return Line("".join(texts), tuple(pieces) or empty)


def _outermost(origin: Origin) -> Origin:
    while origin.outer is not None:
        origin = origin.outer
    return origin
