"""Kinds of values of checkers, and those of load balancing that are plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastvrrp.config.jsonform import to_json
from fastvrrp.config.model import ReplyPattern, StatusRange
from fastvrrp.config.values.base import Args, Kind, Rejected, quoted
from fastvrrp.config.values.modelled import schema_of
from fastvrrp.config.values.network import interface_name
from fastvrrp.config.values.numbers import in_range, stray_end
from fastvrrp.secret import Secret

__all__ = [
    "AnyCase",
    "BindInterface",
    "Digest",
    "DnsName",
    "FileWeight",
    "Hex",
    "HexPattern",
    "Lenient",
    "NeverTaken",
    "SecretText",
    "StackSize",
    "StatusCodes",
    "Words",
]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Lenient:
    """A value that may be missing: then the keyword is ignored, and the program runs."""

    kind: Kind
    what: str

    def read(self, args: Args) -> object:
        """Return the value."""
        if args.peek() is None:
            message = f"{self.what} is missing after {args.keyword}"
            raise Rejected("FV103", message, args.statement.words[0].span)
        return self.kind.read(args)

    def write(self, value: object) -> str | None:
        """Return the words."""
        return self.kind.write(value)

    def describe(self) -> str:
        """Return the form of the value."""
        return self.kind.describe()

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return self.kind.schema()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NeverTaken:
    """A word that is known, and that keepalived does not take here; `hint` says what to write."""

    message: str
    hint: str

    def read(self, args: Args) -> object:
        """Raise Rejected."""
        hint = self.hint.format(value=args.peek() or "N")
        raise Rejected("FV419", f"{args.keyword} {self.message}", args.statement.span, hint)

    def write(self, value: object) -> str | None:
        """Return that no words say it."""
        return None

    def describe(self) -> str:
        """Return that there is no use in writing it."""
        return "not used"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AnyCase(Generic[_T]):
    """One of some words, in upper or lower case."""

    words: Mapping[str, _T]

    def read(self, args: Args) -> _T:
        """Return what the word stands for."""
        word = args.take(self.describe())
        found = self.words.get(word.text.upper())
        if found is None:
            message = f"{args.keyword} must be {self.describe()}, not {word.text}"
            raise Rejected("FV103", message, word.span, stray_end(word))
        return found

    def write(self, value: _T) -> str | None:
        """Return the words."""
        return next((word for word, said in self.words.items() if said == value), None)

    def describe(self) -> str:
        """Return the words."""
        return " or ".join(self.words)

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"enum": [to_json(value) for value in self.words.values()]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BindInterface:
    """The interface that a checker uses; the host need not have it yet."""

    def read(self, args: Args) -> str:
        """Return the name."""
        return interface_name(args.take("an interface"))

    def write(self, value: str | None) -> str | None:
        """Return the words."""
        return None if value is None else quoted(value)

    def describe(self) -> str:
        """Return what the word is."""
        return "interface"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string", "maxLength": 15}


_STATUS = re.compile(r"([1-5]\d\d)(?:-([1-5]\d\d))?\Z", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StatusCodes:
    """HTTP status codes and ranges of them, any number on a line; `write` makes one line of one."""

    def read(self, args: Args) -> tuple[StatusRange, ...]:
        """Return the ranges of the line; what is no code is reported and left out."""
        found = []
        while args.peek() is not None:
            word = args.take("")
            match = _STATUS.match(word.text)
            if match is None or int(match[2] or match[1]) < int(match[1]):
                message = f"{word.text} is no HTTP status code"
                hint = "write codes from 100 to 599, such as: status_code 200 301-302"
                args.warn("FV104", message, word.span, hint)
                continue
            found.append(StatusRange(first=int(match[1]), last=int(match[2] or match[1])))
        return tuple(found)

    def write(self, value: StatusRange) -> str | None:
        """Return the words."""
        same = value.first == value.last
        return str(value.first) if same else f"{value.first}-{value.last}"

    def describe(self) -> str:
        """Return the form."""
        return "codes and ranges of codes, 100 to 599"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(StatusRange)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Digest:
    """An MD5 digest in hexadecimal."""

    def read(self, args: Args) -> bytes:
        """Return its 16 bytes."""
        word = args.take("a digest")
        if re.fullmatch(r"[0-9A-Fa-f]{32}", word.text) is None:
            message = f"a digest has 32 hexadecimal digits; this is {word.text}"
            hint = "genhash prints it: the MD5 of the whole body"
            raise Rejected("FV103", message, word.span, hint)
        return bytes.fromhex(word.text)

    def write(self, value: bytes | None) -> str | None:
        """Return the words."""
        return None if value is None else value.hex()

    def describe(self) -> str:
        """Return the form."""
        return "32 hexadecimal digits"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string", "pattern": "^[0-9a-f]{32}$"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StackSize:
    """Two numbers of bytes: what the stack of a regular expression starts with, and its limit."""

    def read(self, args: Args) -> tuple[int, int]:
        """Return both."""
        start = in_range(args.take("a number"), 1, 2**31 - 1, args.keyword)
        return start, in_range(args.take("a second number"), 1, 2**31 - 1, args.keyword)

    def write(self, value: tuple[int, int] | None) -> str | None:
        """Return the words."""
        return None if value is None else f"{value[0]} {value[1]}"

    def describe(self) -> str:
        """Return the form."""
        return "start and limit in bytes"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "array", "items": {"type": "integer"}}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Words:
    """All words of the line."""

    what: str

    def read(self, args: Args) -> tuple[str, ...]:
        """Return the words."""
        first = args.take(self.what)
        rest = args.rest()
        args.drop_rest()
        return tuple(word.text for word in (first, *rest))

    def write(self, value: tuple[str, ...]) -> str | None:
        """Return the words."""
        return " ".join(map(quoted, value)) or None

    def describe(self) -> str:
        """Return what the words are."""
        return self.what

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "array", "items": {"type": "string"}}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DnsName:
    """A name of the DNS; `.` is the root."""

    def read(self, args: Args) -> str:
        """Return the name."""
        word = args.take("a name")
        if word.text != "." and not all(word.text.removesuffix(".").split(".")):
            message = f"{word.text or 'this name'} has an empty part"
            raise Rejected("FV103", message, word.span, "one dot between two parts")
        return word.text

    def write(self, value: str) -> str | None:
        """Return the words."""
        return quoted(value)

    def describe(self) -> str:
        """Return what the word is."""
        return "name"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Hex:
    """Bytes in hexadecimal: pairs of digits, with blanks between them or not."""

    def read(self, args: Args) -> bytes:
        """Return the bytes."""
        return bytes(_nibbles(args, "0123456789abcdef")[0])

    def write(self, value: bytes | None) -> str | None:
        """Return the words."""
        return None if value is None else quoted(value.hex())

    def describe(self) -> str:
        """Return the form."""
        return "bytes in hexadecimal"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string", "pattern": "^([0-9a-f]{2})*$"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HexPattern:
    """Bytes in hexadecimal with `x` for a digit that may be any; nothing: any answer."""

    def read(self, args: Args) -> ReplyPattern:
        """Return the pattern."""
        if args.peek() is None:
            return ReplyPattern()
        data, mask = _nibbles(args, "0123456789abcdefx")
        return ReplyPattern(data=bytes(data), mask=bytes(mask))

    def write(self, value: ReplyPattern | None) -> str | None:
        """Return the words."""
        if value is None:
            return None
        digits = zip(value.data.hex(), value.mask.hex(), strict=True)
        return "".join(digit if known == "f" else "x" for digit, known in digits)

    def describe(self) -> str:
        """Return the form."""
        return "bytes in hexadecimal, x for any digit; nothing means any answer"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(ReplyPattern)


def _nibbles(args: Args, digits: str) -> tuple[list[int], list[int]]:
    """Return bytes and the masks of what is known of them; a digit alone is a byte."""
    first = args.take("hexadecimal digits")
    words = (first, *args.rest())
    args.drop_rest()
    data, mask = [], []
    for word in words:
        for part in word.text.lower().split():
            if not all(digit in digits for digit in part):
                hint = "write pairs of the digits 0 to 9 and a to f"
                message = f"{args.keyword} must be hexadecimal digits, not {word.text}"
                raise Rejected("FV103", message, word.span, hint)
            for at in range(0, len(part), 2):
                pair = part[at : at + 2].rjust(2, "0")
                data.append(int(pair.replace("x", "0"), 16))
                mask.append(int("".join("0" if digit == "x" else "f" for digit in pair), 16))
    return data, mask


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FileWeight:
    """`weight` of a FILE_CHECK."""

    def read(self, args: Args) -> tuple[int, bool]:
        """Return the weight and if it is reversed."""
        weight = in_range(args.take("a weight"), 1 - 2**31, 2**31 - 1, "weight")
        if args.peek() is None:
            return weight, False
        word = args.take("")
        if word.text not in ("reverse", "noreverse"):
            args.warn(
                "FV103", f"{word.text} is not used here", word.span, "write reverse, or nothing"
            )
        return weight, word.text == "reverse"

    def write(self, value: tuple[int | None, bool]) -> str | None:
        """Return the words."""
        weight, reverse = value
        return None if weight is None else f"{weight}{' reverse' if reverse else ''}"

    def describe(self) -> str:
        """Return the form."""
        return "-2147483647 to 2147483647 [reverse]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "integer", "minimum": 1 - 2**31, "maximum": 2**31 - 1}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SecretText:
    """A password of any length. No message ever holds the text."""

    def read(self, args: Args) -> Secret:
        """Return its bytes."""
        word = args.take("a password")
        return Secret(word.text.encode("utf-8", "surrogateescape"))

    def write(self, value: Secret | None) -> str | None:
        """Return the words."""
        if value is None:
            return None
        return quoted(value.reveal().decode("utf-8", "surrogateescape"))

    def describe(self) -> str:
        """Return what the word is."""
        return "password"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string", "writeOnly": True}
