"""The kinds of values that keywords take: how each is read, and how it is called in documentation.

`read` takes what it needs from `Args` and raises Rejected for what it cannot use. Rules that need
more than the statement itself (version, family, other keywords) are in `rules.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds
from fastvrrp.config.command import split_command, split_line
from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model import Address, Command
from fastvrrp.secret import Secret

if TYPE_CHECKING:
    from fastvrrp.config.reader import Statement, Word
    from fastvrrp.config.source import Report

__all__ = [
    "MAX_INTERFACE_NAME",
    "MAX_PASSWORD",
    "Args",
    "Boolean",
    "Choice",
    "CommandLine",
    "Flag",
    "Host",
    "Integer",
    "InterfaceName",
    "IpAddress",
    "Kind",
    "Name",
    "Password",
    "Rejected",
    "Seconds",
    "Text",
    "Unread",
    "UserGroup",
    "Weight",
    "WholeSeconds",
    "address",
    "in_range",
    "integer",
    "interface_name",
]

_DECIMAL = re.compile(r"[ ]*[+]?(\d*)(?:\.(\d*))?\Z", re.ASCII)
_INTEGER = re.compile(r"[ ]*([+-]?\d{1,18})\Z", re.ASCII)
MAX_INTERFACE_NAME = 15
MAX_PASSWORD = 8
"""Bytes of a VRRPv2 password (RFC 2338 §5.3.10)."""


class Rejected(Exception):
    """A value cannot be used; becomes an error diagnostic."""

    def __init__(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span
        self.hint = hint


class Args:
    """The words behind a keyword, taken one by one; `entry` is a line that has no keyword."""

    def __init__(
        self, statement: Statement, report: Report, context: str | None, *, entry: bool = False
    ) -> None:
        self.statement = statement
        self._report = report
        self._context = context
        self._next = 0 if entry else 1

    @property
    def keyword(self) -> str:
        """The first word of the statement."""
        return self.statement.keyword

    def take(self, what: str) -> Word:
        """Return the next word; `what` it is said to be if it is missing."""
        if self._next >= len(self.statement.words):
            last = self.statement.words[-1]
            raise Rejected("FV102", f"{what} is missing after {last.text}", last.span)
        self._next += 1
        return self.statement.words[self._next - 1]

    def peek(self) -> str | None:
        """Return the text of the next word, or None if there is none."""
        words = self.statement.words
        return words[self._next].text if self._next < len(words) else None

    def rest(self) -> tuple[Word, ...]:
        """Return the words that nobody took."""
        return self.statement.words[self._next :]

    def drop_rest(self) -> None:
        """Leave the remaining words alone without a word about them."""
        self._next = len(self.statement.words)

    def warn(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        """Report something that does not keep the value from being used."""
        self._report.warning(code, message, span, hint=hint, context=self._context)


T_co = TypeVar("T_co", covariant=True)


class Kind(Protocol[T_co]):
    """What all kinds of values have in common."""

    def read(self, args: Args) -> T_co:
        """Return the value, or raise Rejected."""

    def describe(self) -> str:
        """Return the form of the value for documentation."""


def integer(word: Word, what: str) -> int:
    """Return the whole number that a word is."""
    match = _INTEGER.match(word.text)
    if match is None:
        raise Rejected("FV103", f"{what} must be a whole number, not {word.text}", word.span)
    return int(match[1])


def in_range(word: Word, low: int, high: int, what: str, hint: str | None = None) -> int:
    """Return the whole number that a word is, if it lies in a range."""
    value = integer(word, what)
    if not low <= value <= high:
        message = f"{what} {word.text.strip()} is outside {low} to {high}"
        raise Rejected("FV104", message, word.span, hint)
    return value


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number in a range."""

    min: int
    max: int
    hint: str | None = None

    def read(self, args: Args) -> int:
        """Return the number."""
        word = args.take("a number")
        return in_range(word, self.min, self.max, args.keyword, self.hint)

    def describe(self) -> str:
        """Return the range."""
        return f"{self.min} to {self.max}"


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time in decimal seconds, kept in nanoseconds. `step` is the resolution, in ns."""

    min: str
    max: str
    step: int = 1000

    def read(self, args: Args) -> Nanoseconds:
        """Return nanoseconds."""
        word = args.take("a time in seconds")
        value = _nanoseconds(word.text)
        if value is None:
            message = f"{args.keyword} must be a time in seconds, not {word.text}"
            raise Rejected("FV103", message, word.span, 'write only digits and "."')
        if not _bound(self.min) <= value <= _bound(self.max):
            message = (
                f"{args.keyword} {word.text.strip()} is outside {self.min} to {self.max} seconds"
            )
            raise Rejected("FV104", message, word.span)
        rounded = (value + self.step // 2) // self.step * self.step
        if rounded != value:
            text = f"{rounded / NS_PER_SECOND:g}"
            message = f"{args.keyword} is rounded to {text} seconds"
            args.warn("FV216", message, word.span)
        return Nanoseconds(rounded)

    def describe(self) -> str:
        """Return the range and the resolution."""
        whole = ", whole" if self.step == NS_PER_SECOND else ""
        return f"{self.min} to {self.max} seconds{whole}"


@dataclass(frozen=True, slots=True)
class WholeSeconds:
    """A time in whole seconds; a fraction is refused."""

    min: int
    max: int

    def read(self, args: Args) -> Nanoseconds:
        """Return nanoseconds."""
        word = args.take("a time in seconds")
        value = in_range(word, self.min, self.max, args.keyword)
        return Nanoseconds(value * NS_PER_SECOND)

    def describe(self) -> str:
        """Return the range."""
        return f"{self.min} to {self.max} whole seconds"


def _bound(text: str) -> Nanoseconds:
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


@dataclass(frozen=True, slots=True)
class Flag:
    """A keyword that is true by standing there; keepalived ignores a word behind it, even `off`."""

    def read(self, args: Args) -> bool:
        """Return True."""
        word = args.peek()
        if word is not None and word in (*_TRUE, *_FALSE):
            extra = args.take("")
            message = f"{args.keyword} takes no value: it is set by standing here"
            hint = "remove the line to switch it off" if word in _FALSE else f"remove {word}"
            args.warn("FV105", message, extra.span, hint)
        return True

    def describe(self) -> str:
        """Return that there is no value."""
        return "no value"


_TRUE = ("on", "true", "yes")
_FALSE = ("off", "false", "no")


@dataclass(frozen=True, slots=True)
class Boolean:
    """`on`, `true`, `yes`, `off`, `false`, `no` in lower case; nothing means true."""

    def read(self, args: Args) -> bool:
        """Return the truth."""
        if args.peek() is None:
            return True
        word = args.take("")
        if word.text not in (*_TRUE, *_FALSE):
            message = f"{args.keyword} must be on or off, not {word.text}"
            raise Rejected("FV103", message, word.span, "lower case on, true, yes, off, false, no")
        return word.text in _TRUE

    def describe(self) -> str:
        """Return the words."""
        return "on or off, nothing means on"


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Choice(Generic[_T]):
    """One of some words; the message does not repeat what was written, which may be a secret."""

    words: Mapping[str, _T]

    def read(self, args: Args) -> _T:
        """Return what the word stands for."""
        word = args.take(self.describe())
        if word.text in self.words:
            return self.words[word.text]
        message = f"{args.keyword} must be {self.describe()}"
        hint = None
        if word.text.upper() in self.words:
            hint = f"write {word.text.upper()}: upper and lower case differ"
        raise Rejected("FV103", message, word.span, hint)

    def describe(self) -> str:
        """Return the words."""
        return " or ".join(self.words)


@dataclass(frozen=True, slots=True)
class Text:
    """Any word."""

    what: str = "text"

    def read(self, args: Args) -> str:
        """Return the word."""
        word = args.take(self.what)
        if not word.text:
            raise Rejected("FV103", f"{args.keyword} must not be empty", word.span)
        return word.text

    def describe(self) -> str:
        """Return what the word is."""
        return self.what


@dataclass(frozen=True, slots=True)
class Name:
    """A name that goes into logs and to scripts: printable."""

    what: str = "name"

    def read(self, args: Args) -> str:
        """Return the name."""
        word = args.take(f"a {self.what}")
        if not word.text or not word.text.isprintable():
            raise Rejected("FV103", f"this is no usable {self.what}", word.span)
        return word.text

    def describe(self) -> str:
        """Return what the word is."""
        return self.what


@dataclass(frozen=True, slots=True)
class InterfaceName:
    """The name of a network interface; whether it exists is asked later, by the host side."""

    def read(self, args: Args) -> str:
        """Return the name."""
        return interface_name(args.take("an interface"))

    def describe(self) -> str:
        """Return what the word is."""
        return "interface"


def interface_name(word: Word) -> str:
    """Return a name that the kernel can have given to an interface."""
    name = word.text
    if len(name.encode("utf-8", "replace")) > MAX_INTERFACE_NAME:
        message = f"an interface name has at most {MAX_INTERFACE_NAME} characters"
        raise Rejected("FV104", message, word.span)
    if name in ("", ".", "..") or not name.isprintable() or any(c in "/: " for c in name):
        raise Rejected("FV103", "this cannot be the name of an interface", word.span)
    return name


@dataclass(frozen=True, slots=True)
class IpAddress:
    """An IPv4 or IPv6 address without prefix length."""

    def read(self, args: Args) -> Address:
        """Return the address."""
        return address(args.take("an address"))

    def describe(self) -> str:
        """Return what the word is."""
        return "address"


def address(word: Word) -> Address:
    """Return the address that a word is."""
    if "/" in word.text:
        at = word.text.index("/")
        span = Span(word.span.file, word.span.line, word.span.column + at, len(word.text) - at)
        raise Rejected("FV103", "this address takes no prefix length", span, "remove it")
    try:
        found = ip_address(word.text) if "%" not in word.text else None
    except ValueError:
        found = None
    if found is None:
        raise Rejected("FV103", f"{word.text} is no IPv4 or IPv6 address", word.span)
    return found


@dataclass(frozen=True, slots=True)
class Host:
    """`smtp_server`: a host and an optional port."""

    def read(self, args: Args) -> tuple[str, int]:
        """Return host and port."""
        host = args.take("a host").text
        if args.peek() is None:
            return host, 25
        word = args.take("")
        return host, in_range(word, 1, 65535, "port")

    def describe(self) -> str:
        """Return the form."""
        return "host [port]"


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A user name and an optional group name."""

    def read(self, args: Args) -> tuple[str, str | None]:
        """Return user and group."""
        user = args.take("a user name").text
        return user, args.take("").text if args.peek() is not None else None

    def describe(self) -> str:
        """Return the form."""
        return "user [group]"


@dataclass(frozen=True, slots=True)
class Weight:
    """`weight` of a script: a number and optionally `reverse`."""

    def read(self, args: Args) -> tuple[int, bool]:
        """Return the weight and if it is reversed."""
        return _weight(args), _reverse(args)

    def describe(self) -> str:
        """Return the form."""
        return "-253 to 253 [reverse]"


def _weight(args: Args) -> int:
    word = args.take("a weight")
    value = integer(word, "weight")
    if abs(value) == 254:
        args.warn("FV104", f"weight {value} is taken as {253 if value > 0 else -253}", word.span)
        return 253 if value > 0 else -253
    return in_range(word, -253, 253, "weight")


def _reverse(args: Args) -> bool:
    if args.peek() not in ("reverse", "noreverse"):
        return False
    return args.take("").text == "reverse"


@dataclass(frozen=True, slots=True)
class Password:
    """`auth_pass`: at most 8 bytes count. No message ever holds the text."""

    def read(self, args: Args) -> Secret:
        """Return the first 8 bytes."""
        word = args.take("a password")
        if "\N{REPLACEMENT CHARACTER}" in word.text or "\0" in word.text:
            raise Rejected("FV103", "the password is not valid UTF-8", word.span)
        data = word.text.encode("utf-8", "surrogateescape")
        if not data:
            raise Rejected("FV103", "the password is empty", word.span)
        if len(data) > MAX_PASSWORD:
            self._tell_cut(args, word, data)
        return Secret(data[:MAX_PASSWORD])

    def _tell_cut(self, args: Args, word: Word, data: bytes) -> None:
        kept = len(data[:MAX_PASSWORD].decode("utf-8", "ignore"))
        quote = 1 if word.span.length > len(word.text) else 0
        span = word.span
        marked = Span(span.file, span.line, span.column + quote + kept, len(word.text) - kept)
        args.warn(
            "FV204",
            f"the password has {len(data)} bytes and is cut to {MAX_PASSWORD}",
            marked,
            "keepalived cuts it at the same place, so peers agree; write only what counts",
        )

    def describe(self) -> str:
        """Return the form."""
        return "password, 1 to 8 bytes"


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A program with its arguments in one pair of quotes, then user and group where allowed."""

    with_user: bool = True

    def read(self, args: Args) -> Command:
        """Return the command."""
        statement = args.statement
        args.take("a program")
        args.drop_rest()
        (_, _), *words = split_line(_without_comment_escapes(statement.raw))
        spans = [self._span(statement, offset, text) for text, offset in words]
        argv = split_command(words[0][0]) if words else ()
        if not argv or not argv[0]:
            raise Rejected("FV103", f"{args.keyword} names no program", statement.words[1].span)
        if any("\0" in word for word in argv):
            raise Rejected("FV003", "there is a NUL byte in this command", spans[0])
        used = 3 if self.with_user else 1
        for word, span in zip(words[1:used], spans[1:used], strict=False):
            self._check_name(args, word[0], span)
        if len(words) > used:
            hint = f'quote the whole command: {args.keyword} "{argv[0]} …"'
            args.warn("FV105", "the words from here on are not used", spans[used], hint)
        user, group = [*[word for word, _ in words[1:used]], None, None][:2]
        return Command(argv=argv, user=user, group=group, span=spans[0])

    def _span(self, statement: Statement, offset: int, text: str) -> Span:
        start = statement.span
        return Span(start.file, start.line, start.column + offset, max(1, len(text)))

    def _check_name(self, args: Args, name: str, span: Span) -> None:
        """Warn where an argument was probably meant: it would be taken as a user name."""
        if not name or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*\$?", name):
            message = f"{name} is read as the user or group that runs the program"
            hint = "put the program and its arguments into one pair of quotes"
            args.warn("FV219", message, span, hint)

    def describe(self) -> str:
        """Return the form."""
        return '"program arguments" [user [group]]' if self.with_user else '"program arguments"'


def _without_comment_escapes(raw: str) -> str:
    r"""Resolve `\#` and `\!` outside double quotes, as the words of a statement have it."""
    if "\\#" not in raw and "\\!" not in raw:
        return raw
    parts = raw.split('"')
    parts[::2] = [part.replace("\\#", "#").replace("\\!", "!") for part in parts[::2]]
    return '"'.join(parts)


@dataclass(frozen=True, slots=True)
class Unread:
    """The words of a keyword that has no effect; nobody looks at them."""

    def read(self, args: Args) -> None:
        """Leave the words alone."""
        args.drop_rest()

    def describe(self) -> str:
        """Return nothing."""
        return ""
