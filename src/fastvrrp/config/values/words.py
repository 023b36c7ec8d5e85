"""Words: flags, choices, names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from fastvrrp.config.diagnostics import Span
from fastvrrp.config.jsonform import to_json
from fastvrrp.config.model import ReferenceKind
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.numbers import in_range, stray_end
from fastvrrp.secret import Secret

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = [
    "MAX_PASSWORD",
    "Boolean",
    "Choice",
    "Flag",
    "Host",
    "Name",
    "Password",
    "Text",
    "UserGroup",
]

MAX_PASSWORD = 8
"""Bytes of a VRRPv2 password (RFC 2338 §5.3.10)."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Flag:
    """A keyword that says `value` by standing there; keepalived ignores a word behind it, even
    `off`."""

    value: bool = True

    def read(self, args: Args) -> bool:
        """Return what standing there says."""
        word = args.peek()
        if word is not None and word in (*_TRUE, *_FALSE):
            extra = args.take("")
            message = f"{args.keyword} takes no value: it is set by standing here"
            hint = "remove the line to switch it off" if word in _FALSE else f"remove {word}"
            args.note("FV105", message, extra.span, hint)
        return self.value

    def write(self, value: bool) -> str | None:
        """Return no words, if this is what the keyword says."""
        return "" if value is self.value else None

    def describe(self) -> str:
        """Return that there is no value."""
        return "no value"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "boolean"}


_TRUE = ("on", "true", "yes")
_FALSE = ("off", "false", "no")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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

    def write(self, value: bool) -> str | None:
        """Return the words."""
        return "on" if value else "off"

    def describe(self) -> str:
        """Return the words."""
        return "on or off, nothing means on"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "boolean"}


_T = TypeVar("_T")

_FEW = 3
"""Words that read well with "or" between them."""


def _nearest(text: str, words: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - needed for mistakes only

    near = get_close_matches(text, words, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Choice(Generic[_T]):
    """One of some words; the message does not repeat what was written, which may be a secret."""

    words: Mapping[str, _T]

    def read(self, args: Args) -> _T:
        """Return what the word stands for."""
        word = args.take(self.describe())
        if word.text in self.words:
            return self.words[word.text]
        message = f"{args.keyword} must be {self.describe()}"
        hint = stray_end(word)
        for spelling in (word.text.upper(), word.text.lower()):
            if spelling in self.words:
                hint = f"write {spelling}: upper and lower case differ"
        if hint is None and len(self.words) > _FEW:
            hint = _nearest(word.text, self.words)
        raise Rejected("FV103", message, word.span, hint)

    def write(self, value: _T) -> str | None:
        """Return the words."""
        return next((word for word, said in self.words.items() if said == value), None)

    def describe(self) -> str:
        """Return the words."""
        few = len(self.words) <= _FEW
        return " or ".join(self.words) if few else f"one of {', '.join(self.words)}"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"enum": [to_json(value) for value in self.words.values()]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Text:
    """Any word."""

    what: str = "text"

    def read(self, args: Args) -> str:
        """Return the word."""
        word = args.take(self.what)
        if not word.text:
            raise Rejected("FV103", f"{args.keyword} must not be empty", word.span)
        return word.text

    def write(self, value: str) -> str | None:
        """Return the words."""
        return quoted(value)

    def describe(self) -> str:
        """Return what the word is."""
        return self.what

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Name:
    """A name that goes into logs and to scripts: printable.

    `alone`: a name that is missing, or of several words, costs no more than its block.
    """

    what: str = "name"
    alone: bool = False

    def read(self, args: Args) -> str:
        """Return the name."""
        if self.alone and args.peek() is None:
            hint = f"write {args.keyword} NAME {{ … }}"
            message = f"{args.keyword} has no name; it is skipped"
            raise Rejected("FV103", message, args.statement.words[0].span, hint)
        word = args.take(f"a {self.what}")
        if self.alone and args.peek() is not None:
            hint = f'put the name into quotes: {args.keyword} "{word.text} …"'
            message = f"a {self.what} is one word; this {args.keyword} is skipped"
            raise Rejected("FV103", message, args.take("").span, hint)
        if not word.text or not word.text.isprintable():
            raise Rejected("FV103", f"this is no usable {self.what}", word.span)
        return word.text

    def write(self, value: str) -> str | None:
        """Return the words."""
        return quoted(value)

    def describe(self) -> str:
        """Return what the word is."""
        return self.what

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Host:
    """`smtp_server`: a host and an optional port."""

    def read(self, args: Args) -> tuple[str, int]:
        """Return host and port."""
        first = args.take("a host")
        host = first.text
        name, colon, port = host.rpartition(":")
        if colon and ":" not in name and port.isdecimal():
            hint = f"write a blank instead of the colon: {args.keyword} {name} {port}"
            raise Rejected("FV103", f"{host} is no host", first.span, hint)
        if args.peek() is None:
            return host, 25
        word = args.take("")
        return host, in_range(word, 1, 65535, "port")

    def write(self, value: tuple[str | None, int]) -> str | None:
        """Return the words; without a host no line says it."""
        host, port = value
        return None if host is None else f"{quoted(host)} {port}"

    def describe(self) -> str:
        """Return the form."""
        return "host [port]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UserGroup:
    """A user name and an optional group name."""

    def read(self, args: Args) -> tuple[str, str | None]:
        """Return user and group."""
        user = args.take("a user name")
        args.refer(ReferenceKind.USER, user.text, user.span)
        if args.peek() is None:
            return user.text, None
        group = args.take("")
        args.refer(ReferenceKind.GROUP, group.text, group.span)
        return user.text, group.text

    def write(self, value: tuple[str, str | None]) -> str | None:
        """Return the words."""
        return " ".join(quoted(name) for name in value if name is not None)

    def describe(self) -> str:
        """Return the form."""
        return "user [group]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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
        if args.peek() is not None:
            hint = "put a password with blanks into quotes; peers with keepalived use this word"
            args.note("FV105", "the password is only the first word", args.take("").span, hint)
            args.drop_rest()
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

    def write(self, value: Secret) -> str | None:
        """Return the words."""
        return quoted(value.reveal().decode("utf-8", "surrogateescape"))

    def describe(self) -> str:
        """Return the form."""
        return "password, 1 to 8 bytes"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string", "writeOnly": True}
