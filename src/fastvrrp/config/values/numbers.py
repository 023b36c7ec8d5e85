"""Numbers, times and weights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds
from fastvrrp.config.values.base import Args, Rejected

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = [
    "SECONDS_SCHEMA",
    "Integer",
    "OptionalInteger",
    "Seconds",
    "Weight",
    "WholeSeconds",
    "bound",
    "in_range",
    "integer",
    "seconds_text",
    "stray_end",
    "unquoted",
]

_DECIMAL = re.compile(r"[ ]*[+]?(\d*)(?:\.(\d*))?\Z", re.ASCII)
_INTEGER = re.compile(r"[ ]*([+-]?\d{1,18})\Z", re.ASCII)


def seconds_text(value: int) -> str:
    """Return nanoseconds as decimal seconds, exactly."""
    whole, rest = divmod(value, NS_PER_SECOND)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


SECONDS_SCHEMA: dict[str, object] = {"type": "integer", "description": "nanoseconds"}


def stray_end(word: Word) -> str | None:
    """Return the hint for a value that ends like a statement of other languages, else None."""
    end = word.text[-1:]
    return f"remove the {end} at the end: lines need none" if end in (";", ",") else None


def integer(word: Word, what: str) -> int:
    """Return the whole number that a word is."""
    match = _INTEGER.match(word.text)
    if match is None:
        message = f"{what} must be a whole number, not {word.text}"
        raise Rejected("FV103", message, word.span, stray_end(word))
    return int(match[1])


def in_range(word: Word, low: int, high: int, what: str, hint: str | None = None) -> int:
    """Return the whole number that a word is, if it lies in a range."""
    value = integer(word, what)
    if not low <= value <= high:
        message = f"{what} {word.text.strip()} is outside {low} to {high}"
        raise Rejected("FV104", message, word.span, hint)
    return value


def unquoted(word: Word, low: int, high: int, what: str) -> int:
    """Return the whole number that a word is; the message does not repeat a word that is none,
    which may be a secret in the wrong place.
    """
    try:
        return in_range(word, low, high, what)
    except Rejected as rejected:
        message = f"{what} must be a whole number, {low} to {high}"
        raise Rejected(rejected.code, message, word.span) from None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Integer:
    """A whole number in a range.

    `lift`: 0 is below it, and taken as the smallest one. `cap`: what is larger is in range, and
    taken as this.
    """

    min: int
    max: int
    hint: str | None = None
    lift: bool = False
    cap: int | None = None

    def read(self, args: Args) -> int:
        """Return the number."""
        word = args.take("a number")
        if self.lift and integer(word, args.keyword) == 0:
            args.warn("FV104", f"{args.keyword} 0 is taken as {self.min}", word.span)
            return self.min
        value = in_range(word, self.min, self.max, args.keyword, self.hint)
        if self.cap is None or value <= self.cap:
            return value
        args.note("FV104", f"{args.keyword} {value} is taken as {self.cap}", word.span)
        return self.cap

    def write(self, value: int) -> str | None:
        """Return the words."""
        return str(value)

    def describe(self) -> str:
        """Return the range."""
        return f"{self.min} to {self.max if self.cap is None else self.cap}"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        most = self.max if self.cap is None else self.cap
        return {"type": "integer", "minimum": self.min, "maximum": most}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OptionalInteger:
    """A whole number in a range; no word means `absent`."""

    min: int
    max: int
    absent: int

    def read(self, args: Args) -> int:
        """Return the number."""
        if args.peek() is None:
            return self.absent
        return in_range(args.take(""), self.min, self.max, args.keyword)

    def write(self, value: int) -> str | None:
        """Return the words."""
        return str(value)

    def describe(self) -> str:
        """Return the range."""
        return f"{self.min} to {self.max}, nothing means {self.absent}"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "integer", "minimum": self.min, "maximum": self.max}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Seconds:
    """A time in decimal seconds, kept in nanoseconds. `step` is the resolution, in ns."""

    min: str
    max: str
    step: int = 1000
    hint: str | None = None

    def read(self, args: Args) -> Nanoseconds:
        """Return nanoseconds."""
        word = args.take("a time in seconds")
        value = _nanoseconds(word.text)
        if value is None:
            message = f"{args.keyword} must be a time in seconds, not {word.text}"
            hint = stray_end(word) or 'write only digits and "."'
            raise Rejected("FV103", message, word.span, hint)
        if not bound(self.min) <= value <= bound(self.max):
            message = (
                f"{args.keyword} {word.text.strip()} is outside {self.min} to {self.max} seconds"
            )
            raise Rejected("FV104", message, word.span, self.hint)
        rounded = (value + self.step // 2) // self.step * self.step
        if rounded != value:
            text = f"{rounded / NS_PER_SECOND:g}"
            message = f"{args.keyword} is rounded to {text} seconds"
            args.warn("FV216", message, word.span)
        return Nanoseconds(rounded)

    def write(self, value: int) -> str | None:
        """Return the words."""
        return seconds_text(value)

    def describe(self) -> str:
        """Return the range and the resolution."""
        whole = ", whole" if self.step == NS_PER_SECOND else ""
        return f"{self.min} to {self.max} seconds{whole}"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {**SECONDS_SCHEMA, "minimum": bound(self.min), "maximum": bound(self.max)}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WholeSeconds:
    """A time in whole seconds; a fraction is refused."""

    min: int
    max: int

    def read(self, args: Args) -> Nanoseconds:
        """Return nanoseconds."""
        word = args.take("a time in seconds")
        value = in_range(word, self.min, self.max, args.keyword)
        return Nanoseconds(value * NS_PER_SECOND)

    def write(self, value: int) -> str | None:
        """Return the words."""
        return seconds_text(value)

    def describe(self) -> str:
        """Return the range."""
        return f"{self.min} to {self.max} whole seconds"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {
            **SECONDS_SCHEMA,
            "minimum": self.min * NS_PER_SECOND,
            "maximum": self.max * NS_PER_SECOND,
        }


def bound(text: str) -> Nanoseconds:
    """Return a limit of the schema in nanoseconds."""
    value = _nanoseconds(text)
    assert value is not None, "limits are written in the schema"
    return value


def _nanoseconds(text: str) -> Nanoseconds | None:
    """Return decimal seconds as nanoseconds without going through float; None if malformed."""
    match = _DECIMAL.match(text)
    if match is None or not (match[1] or match[2]) or len(match[1]) > 12:
        return None
    fraction = (match[2] or "")[:9].ljust(9, "0")
    return Nanoseconds(int(match[1] or 0) * NS_PER_SECOND + int(fraction))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Weight:
    """`weight` of what is tracked: a number up to `limit` either way, and optionally `reverse`.

    `clips`: the next larger number is taken as the limit.
    """

    limit: int = 253
    clips: bool = False

    def read(self, args: Args) -> tuple[int, bool]:
        """Return the weight and if it is reversed."""
        return self._weight(args), self._reverse(args)

    def _weight(self, args: Args) -> int:
        word, limit = args.take("a weight"), self.limit
        value = integer(word, "weight")
        if self.clips and abs(value) == limit + 1:
            clipped = limit if value > 0 else -limit
            args.warn("FV104", f"weight {value} is taken as {clipped}", word.span)
            return clipped
        return in_range(word, -limit, limit, "weight")

    def _reverse(self, args: Args) -> bool:
        if args.peek() is None:
            return False
        word = args.take("")
        if word.text not in ("reverse", "noreverse"):
            message = f"{word.text} is not used: only reverse can follow a weight"
            args.warn("FV105", message, word.span)
            args.drop_rest()
        return word.text == "reverse"

    def write(self, value: tuple[int, bool]) -> str | None:
        """Return the words."""
        weight, reverse = value
        return f"{weight} reverse" if reverse else str(weight)

    def describe(self) -> str:
        """Return the form."""
        return f"-{self.limit} to {self.limit} [reverse]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "integer", "minimum": -self.limit, "maximum": self.limit}
