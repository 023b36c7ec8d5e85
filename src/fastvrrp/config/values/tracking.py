"""Kinds of values of what decides about instances from outside: trackers, and lines that use them.

What keepalived leaves out of a line with a report is left out here; a weight that cannot be used
leaves the one of the tracker.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastvrrp.clock import Nanoseconds, milliseconds
from fastvrrp.config.model import ParamMatch, ProcessDelays, TrackUse
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.modelled import schema_of
from fastvrrp.config.values.network import take_interface
from fastvrrp.config.values.numbers import SECONDS_SCHEMA, Seconds, Weight, in_range, stray_end
from fastvrrp.config.values.words import Name

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = [
    "BfdName",
    "BothDelays",
    "FileInit",
    "InterfaceLine",
    "MaxHops",
    "Milliseconds",
    "ParamMatchMode",
    "ProcessWords",
    "TrackLine",
]

_NUMBER = re.compile(r"[+-]?\d+\Z", re.ASCII)
_DECIMAL = re.compile(r"[ ]*(\d{1,12})(?:\.(\d*))?\Z", re.ASCII)

_NS_PER_MS = 1_000_000
_NS_PER_US = 1_000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TrackLine:
    """One line of `track_script` and the like; `what` is the keyword of the block that it names."""

    what: str
    weight: Weight

    def read(self, args: Args) -> TrackUse:
        """Return the use of a tracker."""
        word = self._name(args)
        weight, reverse = self._weight(word, args)
        return TrackUse(name=word.text, weight=weight, reverse=reverse, span=word.span)

    def _name(self, args: Args) -> Word:
        return args.take(f"the name of a {self.what}")

    def _weight(self, name: Word, args: Args) -> tuple[int | None, bool]:
        if args.peek() is None:
            return None, False
        option = args.take("")
        if option.text != "weight":
            message = f"{option.text} cannot follow {name.text} here; the line is left out"
            raise Rejected("FV103", message, option.span, self._instead(name.text, option.text))
        if args.peek() is None:
            message = f"the weight of {name.text} has no value; the line is left out"
            raise Rejected("FV103", message, option.span, f"write {name.text} weight NUMBER")
        try:
            return self.weight.read(args)
        except Rejected as rejected:
            args.drop_rest()
            message = f"{rejected.message}; {self._fallback()}"
            args.warn(rejected.code, message, rejected.span, rejected.hint)
        return None, False

    def _instead(self, name: str, option: str) -> str:
        """Return what to write instead of a line with this option."""
        if _NUMBER.match(option):
            return f"write {name} weight {option}"
        if option == "reverse":
            return f"write {name} weight NUMBER reverse"
        return f"write one {self.what} a line, with no more behind it than: weight NUMBER reverse"

    def _fallback(self) -> str:
        return f"that of the {self.what} counts"

    def write(self, value: TrackUse) -> str | None:
        """Return the words."""
        name = quoted(value.name)
        if value.weight is not None:
            return f"{name} weight {self.weight.write((value.weight, value.reverse))}"
        if value.reverse:
            raise ValueError("reverse needs a weight before it")
        return name

    def describe(self) -> str:
        """Return the form."""
        low, high = -self.weight.limit, self.weight.limit
        return f"{self.what} [weight {low} to {high} [reverse]]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(TrackUse)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InterfaceLine(TrackLine):
    """One line of `track_interface`; the host must have the interface."""

    def _name(self, args: Args) -> Word:
        word = args.statement.words[0]
        take_interface(args)
        return word

    def _weight(self, name: Word, args: Args) -> tuple[int | None, bool]:
        last = args.statement.words[-1]
        if last.text == "noreverse" and args.rest():
            message = "noreverse is not used: an interface takes only reverse"
            args.warn("FV105", message, last.span, "remove it")
        return TrackLine._weight(self, name, args)

    def _fallback(self) -> str:
        return "it has none"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FileInit:
    """`init_file`: what a file is created with, 0 if nothing is said, and if it is overwritten."""

    def read(self, args: Args) -> tuple[int, bool]:
        """Return the number and if the file is overwritten."""
        value, overwrites = 0, False
        while args.peek() is not None:
            word = args.take("")
            if word.text == "overwrite":
                overwrites = True
            elif _NUMBER.match(word.text):
                value = self._number(word, args)
            else:
                message = f"{word.text} is not used: init_file takes a number and overwrite"
                args.warn("FV103", message, word.span, stray_end(word))
        return value, overwrites

    def _number(self, word: Word, args: Args) -> int:
        value = in_range(word, -(2**31), 2**31 - 1, "init_file")
        if abs(value) > Weight(254).limit:
            message = f"init_file {value} changes the priority by more than there is"
            args.warn("FV104", message, word.span, "write -254 to 254")
        return value

    def write(self, value: tuple[int | None, bool]) -> str | None:
        """Return the words."""
        number, overwrites = value
        if number is None:
            return None
        return f"{number} overwrite" if overwrites else str(number)

    def describe(self) -> str:
        """Return the form."""
        return "[number] [overwrite]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ProcessWords:
    """A program and the parameters that it runs with, each a word."""

    def read(self, args: Args) -> tuple[str, ...]:
        """Return the words."""
        words = (args.take("the name of a program"), *args.rest())
        args.drop_rest()
        return tuple(word.text for word in words)

    def write(self, value: tuple[str, ...]) -> str | None:
        """Return the words."""
        return " ".join(map(quoted, value))

    def describe(self) -> str:
        """Return the form."""
        return "program [parameter …]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "array", "items": {"type": "string"}}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ParamMatchMode:
    """`param_match`; nothing behind it means all parameters, as they are."""

    def read(self, args: Args) -> ParamMatch:
        """Return how parameters are compared."""
        if args.peek() is None:
            return ParamMatch.EXACT
        word = args.take("")
        if word.text not in ("initial", "partial"):
            message = f"param_match is initial or partial, not {word.text}"
            raise Rejected("FV103", message, word.span, stray_end(word))
        return ParamMatch(word.text)

    def write(self, value: ParamMatch) -> str | None:
        """Return the words."""
        return "" if value is ParamMatch.EXACT else value.value

    def describe(self) -> str:
        """Return the words."""
        return "initial or partial, nothing means exact"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"enum": [one.name for one in ParamMatch]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BothDelays:
    """One time for both delays of a process."""

    kind: Seconds

    def read(self, args: Args) -> ProcessDelays:
        """Return the delays."""
        value = self.kind.read(args)
        return ProcessDelays(terminate=value, fork=value)

    def write(self, value: ProcessDelays) -> str | None:
        """Return the words; two different delays have keywords of their own."""
        return self.kind.write(value.fork) if value.fork == value.terminate else None

    def describe(self) -> str:
        """Return the range."""
        return self.kind.describe()

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(ProcessDelays)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Milliseconds:
    """A time in decimal milliseconds, kept in nanoseconds, with a resolution of a microsecond."""

    min: int
    max: int = 4_294_967
    long: int = 10_000

    def read(self, args: Args) -> Nanoseconds:
        """Return nanoseconds."""
        word = args.take("a time in milliseconds")
        match = _DECIMAL.match(word.text)
        if match is None:
            message = f"{args.keyword} must be a time in milliseconds, not {word.text}"
            hint = stray_end(word) or 'write only digits and "."'
            raise Rejected("FV103", message, word.span, hint)
        value = int(match[1]) * _NS_PER_MS + int((match[2] or "")[:6].ljust(6, "0"))
        if not milliseconds(self.min) <= value <= milliseconds(self.max):
            message = f"{args.keyword} {word.text} is outside {self.min} to {self.max} milliseconds"
            raise Rejected("FV104", message, word.span)
        return self._rounded(value, word, args)

    def _rounded(self, value: int, word: Word, args: Args) -> Nanoseconds:
        rounded = Nanoseconds((value + _NS_PER_US // 2) // _NS_PER_US * _NS_PER_US)
        if rounded != value:
            text = f"{args.keyword} is rounded to {self.write(rounded)} milliseconds"
            args.warn("FV216", text, word.span)
        if rounded > milliseconds(self.long):
            message = f"{args.keyword} is {rounded // milliseconds(1000)} seconds"
            args.note("FV104", message, word.span, "the unit is milliseconds")
        return rounded

    def write(self, value: int) -> str | None:
        """Return the words."""
        whole, rest = divmod(value, _NS_PER_MS)
        return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")

    def describe(self) -> str:
        """Return the range."""
        return f"{self.min} to {self.max} milliseconds"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        low, high = milliseconds(self.min), milliseconds(self.max)
        return {**SECONDS_SCHEMA, "minimum": low, "maximum": high}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BfdName(Name):
    """The name of a `bfd_instance`, which has a limit."""

    what: str = "name for a bfd_instance"
    limit: int = 31

    def read(self, args: Args) -> str:
        """Return the name."""
        word = args.rest()[:1]
        name = Name.read(self, args)
        if len(name.encode("utf-8", "replace")) > self.limit:
            message = f"the {self.what} has at most {self.limit} characters; it is left out"
            raise Rejected("FV104", message, word[0].span)
        return name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MaxHops:
    """`max_hops`: -1 is another way to write 255, which stands for any number."""

    def read(self, args: Args) -> int:
        """Return the number, 0 to 255."""
        return in_range(args.take("a number"), -1, 255, args.keyword) & 255

    def write(self, value: int) -> str | None:
        """Return the words."""
        return str(value)

    def describe(self) -> str:
        """Return the range."""
        return "0 to 255"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "integer", "minimum": 0, "maximum": 255}
