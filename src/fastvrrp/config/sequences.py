"""`~SEQ` and `~LST`: a line that is written once for each number or value.

    ~SEQ(var, last) text     ~SEQ(var, first, last) text     ~SEQ(var, first, step, last) text
    ~LST(var, a, b) text     ~LST({x,y}, {1,2}, {3,4}) text

`~SEQx` writes hexadecimal numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fastvrrp.config.lines import Line

__all__ = ["Malformed", "Sequence", "is_sequence", "sequence"]

_SEQ = re.compile(r"~SEQ(x?)[ \t]*\(([^()]*)\)[ \t]*")
_LST = re.compile(r"~LST[ \t]*\(")
_ITEM = re.compile(r"[ \t]*(\{[^{}]*\}|[^ \t,(){}]*)[ \t]*([,)])")
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]{1,15}|[0-9]{1,18})\Z")
_VARIABLE = re.compile(r"[A-Za-z0-9_]+\Z")


class Malformed(Exception):
    """A sequence cannot be used; what is wrong, where in the line, and what to write."""

    def __init__(self, message: str, start: int, end: int, hint: str) -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Sequence:
    """The text to repeat, and what is defined for each repetition."""

    text: Line
    rounds: Iterator[tuple[tuple[str, Line], ...]]


def is_sequence(text: str) -> bool:
    """Tell if a line is meant to be a sequence; any other line with `~` is an ordinary one."""
    return text.startswith(("~SEQ", "~LST"))


def sequence(line: Line, expand: Callable[[Line], Line]) -> Sequence:
    """Return the sequence that a line is, or raise Malformed. `expand` replaces definitions."""
    return _numbers(line, expand) if line.text.startswith("~SEQ") else _values(line)


def _numbers(line: Line, expand: Callable[[Line], Line]) -> Sequence:
    found = _SEQ.match(line.text)
    if found is None:
        raise Malformed("~SEQ is not complete", 0, len(line.text), _SEQ_HINT)
    start, end = found.span(2)
    variable, *limits = [part.strip(" \t") for part in expand(line.cut(start, end)).text.split(",")]
    if not _VARIABLE.match(variable):
        raise Malformed("~SEQ names no variable", start, end, _SEQ_HINT)
    if not 1 <= len(limits) <= 3 or not all(map(_NUMBER.match, limits)):
        raise Malformed("~SEQ takes one to three whole numbers", start, end, _SEQ_HINT)
    numbers = _range([_number(limit) for limit in limits])
    if numbers is None:
        message = "~SEQ never gets from the first number to the last with this step"
        raise Malformed(
            message, start, end, "a step is positive to count up, negative to count down"
        )
    if found[1] and min(numbers[0], numbers[-1]) < 0:
        raise Malformed("~SEQx has a negative number", start, end, "use ~SEQ for these")
    form = "x" if found[1] else "d"
    origin = line.place(0, end + 1)

    def rounds() -> Iterator[tuple[tuple[str, Line], ...]]:
        for number in numbers:
            what = format(number, form)
            yield ((variable, Line(what, ((0, origin),))),)

    return Sequence(line.cut(found.end()), rounds())


_SEQ_HINT = "write ~SEQ(name, last), (name, first, last) or (name, first, step, last)"
_LST_HINT = "write ~LST(name, value, value) or ~LST({a,b}, {1,2}, {3,4}); no value holds a blank"


def _number(text: str) -> int:
    digits = text.lstrip("+-")
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits.startswith("0") else 10
    try:
        value = int(digits, base)
    except ValueError:  # 08: what is read is the 0
        value = 0
    return -value if text.startswith("-") else value


def _range(limits: list[int]) -> range | None:
    """Return the numbers; None if there are none."""
    last = limits[-1]
    if len(limits) == 1:
        first, step = (1, 1) if last >= 1 else (-1, -1) if last < 0 else (1, -1)
    else:
        first = limits[0]
        step = limits[1] if len(limits) > 2 else 1 if last >= first else -1
    if step == 0 or (last - first) * step < 0:
        return None
    return range(first, last + (1 if step > 0 else -1), step)


def _values(line: Line) -> Sequence:
    found = _LST.match(line.text)
    if found is None:
        raise Malformed("~LST is not complete", 0, len(line.text), _LST_HINT)
    items, end = _items(line, found.end())
    names = tuple(part.text for part in items[0])
    if not all(map(_VARIABLE.match, names)):
        raise Malformed("~LST names no variable", 0, end, _LST_HINT)
    if len(items) == 1:
        raise Malformed("~LST has no values", 0, end, _LST_HINT)
    if any(len(values) > len(names) for values in items[1:]):
        message = f"~LST has more values in a set than its {len(names)} names"
        raise Malformed(message, 0, end, "name one variable for each value: ~LST({a,b}, {1,2})")

    def rounds() -> Iterator[tuple[tuple[str, Line], ...]]:
        for values in items[1:]:
            missing = (line.cut(end, end),) * (len(names) - len(values))
            yield tuple(zip(names, (*values, *missing), strict=True))

    return Sequence(line.cut(end).strip(), rounds())


def _items(line: Line, at: int) -> tuple[list[list[Line]], int]:
    """Return the items in the parentheses, each a set, and the offset behind them."""
    items: list[list[Line]] = []
    while True:
        found = _ITEM.match(line.text, at)
        if found is None:
            raise Malformed("~LST is not complete", 0, len(line.text), _LST_HINT)
        items.append(_set(line, *found.span(1)))
        at = found.end()
        if found[2] == ")":
            return items, at


def _set(line: Line, start: int, end: int) -> list[Line]:
    if not line.text.startswith("{", start):
        return [line.cut(start, end)]
    values = []
    for part in line.text[start + 1 : end - 1].split(","):
        start += 1
        values.append(line.cut(start, start + len(part)).strip())
        start += len(part)
    if any(blank in value.text for value in values for blank in " \t"):
        raise Malformed("a value of ~LST holds a blank", 0, end, _LST_HINT)
    return values
