"""`$NAME=value` and its uses, `$NAME` and `${NAME}`, and the names that are always defined.

A use may stand anywhere, also in quotes and in keywords. Without braces it is one only if a blank,
a comma, a closing parenthesis or nothing follows; any other `$` stays as it is written, as does a
name that nobody defined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from fastvrrp.config.lines import Line, Origin, Reading, join

if TYPE_CHECKING:
    from random import Random

__all__ = ["PREDEFINED", "Definitions", "Left", "Why"]

PREDEFINED = ("_PWD", "_INSTANCE", "_RANDOM", "_ENV", "_HASH", "_BANG")

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_START = re.compile(rf"\$({_NAME})=[ \t]*")
_USE = re.compile(rf"\$(?:\{{({_NAME})([ \t][^{{}}\"$]*)?\}}|({_NAME})(?=[ \t,)]|\Z))")
_LEFT = re.compile(rf"\$(?:\{{({_NAME})[^{{}}\"$]*\}}|({_NAME}))")
_RANDOM_MAX = 32767
_MAX_ARGUMENTS = 2


class Why(Enum):
    """Why something that looks like a use is none."""

    UNDEFINED = 0
    FOLLOWED = 1
    """Another character than may follow a name without braces."""
    ARGUMENTS = 2
    """Words behind a name that takes none, or none behind `_ENV`."""
    NOT_LAST = 3
    """Several lines, and not at the end of a line."""


class Left(NamedTuple):
    """What looks like a use, and stays as it is written."""

    start: int
    end: int
    name: str
    why: Why


class Definitions:
    """What is defined, in the order of reading.

    `on_use` is called for each use; `on_random` is told why arguments of `${_RANDOM}` are wrong.
    """

    def __init__(
        self,
        config_id: str,
        environ: Mapping[str, str],
        on_use: Callable[[], None],
        on_random: Callable[[Line, int, int, str], None],
    ) -> None:
        self.config_id = config_id
        self._environ = environ
        self._on_use = on_use
        self._on_random = on_random
        self._known: dict[str, tuple[Line, ...]] = {}
        self._open: tuple[str, Line, list[Line]] | None = None

    @cached_property
    def random(self) -> Random:
        """Where `${_RANDOM}` takes its numbers from; few texts do."""
        from random import Random  # noqa: PLC0415

        return Random()

    @property
    def names(self) -> tuple[str, ...]:
        """All names that have a value."""
        return (*self._known, *PREDEFINED)

    @property
    def is_open(self) -> bool:
        """True while the last definition goes on."""
        return self._open is not None

    def set(self, name: str, value: Line) -> None:
        """Define a name as a text of one line."""
        self._known[name] = (value,)

    def start(self, line: Line) -> bool:
        """Take a line that is a definition, or the first line of one; tell if it is."""
        found = _START.match(line.text)
        if found is None:
            return False
        value = line.cut(found.end())
        if value.text.endswith("\\"):
            self._open = (found[1], line, [])
            self.go_on(value)
        else:
            self.set(found[1], value)
        return True

    def go_on(self, line: Line) -> None:
        """Take one more line of the definition that is open; it ends it if no `\\` is last."""
        assert self._open is not None, "only an open definition goes on"
        name, _, lines = self._open
        more = line.text.endswith("\\")
        part = line.cut(0, len(line.text) - 1).strip() if more else line
        if part.text:
            lines.append(part)
        if not more:
            self._known[name] = tuple(lines)
            self._open = None

    def close(self) -> Line | None:
        """End a definition that the end of a file cut off; return its first line."""
        if self._open is None:
            return None
        name, first, lines = self._open
        self._known[name] = tuple(lines)
        self._open = None
        return first

    def replace(self, line: Line, reading: Reading) -> list[Line] | None:
        """Return the lines that a line becomes when its uses are replaced once; None: it has none.

        Only a definition of several lines, used at the end, makes more than one line.
        """
        parts: list[Line] = []
        done = 0
        more: tuple[Line, ...] = ()
        for found in _USE.finditer(line.text):
            value = self._value(found, line, reading)
            if value is None:
                continue
            self._on_use()
            parts += [line.cut(done, found.start()), *value[:1]]
            more = value[1:]
            done = found.end()
        if not done:
            return None
        return [join((*parts, line.cut(done))), *more]

    def left(self, line: Line) -> Iterator[Left]:
        """Yield what looks like a use in a line in which all uses are replaced."""
        for found in _LEFT.finditer(line.text):
            name = found[1] or found[2]
            yield Left(*found.span(), name, self._why(name, braced=bool(found[1])))

    def _why(self, name: str, *, braced: bool) -> Why:
        if name not in self._known and name not in PREDEFINED:
            return Why.UNDEFINED
        if len(self._known.get(name, ())) > 1:
            return Why.NOT_LAST
        is_environ = name == "_ENV" and name not in self._known
        return Why.ARGUMENTS if braced or is_environ else Why.FOLLOWED

    def _value(self, found: re.Match[str], line: Line, reading: Reading) -> tuple[Line, ...] | None:
        """Return what replaces a use, None if it is none."""
        name = found[1] or found[3]
        arguments = found[2]
        known = self._known.get(name)
        if known is None:
            text = self._predefined(name, arguments, found, line, reading)
            return None if text is None else (_at(text, line.place(*found.span())),)
        if arguments is not None or (len(known) > 1 and found.end() < len(line.text)):
            return None
        use = line.place(*found.span())
        return tuple(one.inside(use, f"{name} is defined") for one in known if one.text)

    def _predefined(
        self, name: str, arguments: str | None, found: re.Match[str], line: Line, reading: Reading
    ) -> str | None:
        if name == "_ENV" and arguments:
            return self._environ.get(arguments.strip(), "")
        if name == "_RANDOM":
            low, high = self._bounds(arguments or "", found, line)
            return str(self.random.randint(low, high))
        if arguments is not None:
            return None
        if name == "_PWD":
            return str(reading.directory.resolve())
        return {"_INSTANCE": self.config_id, "_HASH": "#", "_BANG": "!"}.get(name)

    def _bounds(self, arguments: str, found: re.Match[str], line: Line) -> tuple[int, int]:
        """Return the limits of a random number."""
        words = arguments.split()
        if len(words) > _MAX_ARGUMENTS or not all(re.fullmatch(r"-?[0-9]{1,9}", w) for w in words):
            self._on_random(line, *found.span(), "takes two whole numbers, the limits")
            return 0, _RANDOM_MAX
        low, high = [*map(int, words), *(0, _RANDOM_MAX)[len(words) :]]
        if low > high:
            self._on_random(line, *found.span(), "has its limits in the wrong order")
        return low, max(low, high)


def _at(text: str, origin: Origin) -> Line:
    """Return a text that was computed for a use."""
    return Line(text, ((0, origin),))
