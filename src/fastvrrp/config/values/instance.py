"""Values that only virtual routers have: peers, keys, switches with a meaning of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastvrrp.clock import NS_PER_SECOND, Nanoseconds
from fastvrrp.config.model import Command, ExtraGarp, HmacKey, OldChecksum, Peer
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.commands import CommandLine
from fastvrrp.config.values.network import bare_address
from fastvrrp.config.values.numbers import in_range, seconds_text, unquoted
from fastvrrp.config.values.words import Boolean
from fastvrrp.secret import Secret

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = [
    "ExtraGarpTime",
    "HmacKeyLine",
    "HmacNumber",
    "NotedBoolean",
    "OldChecksumMode",
    "OptionalCommand",
    "PeerLine",
]

_MAX_TTL = 255
_KEY_BYTES = (32, 64)
"""Least and most bytes of a key of `auth_hmac`."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PeerLine:
    """One line of `unicast_peer`: an address, and what TTL its adverts may arrive with."""

    def read(self, args: Args) -> Peer:
        """Return the peer; a bad option ends the line."""
        first = args.statement.words[0]
        found = bare_address(args)
        limits: dict[str, int] = {}
        while args.peek() is not None:
            if not self._limit(args, limits):
                args.drop_rest()
        peer = Peer(address=found, span=first.span, **limits)
        if peer.min_ttl > peer.max_ttl:
            message = f"min_ttl is above max_ttl: no advert of {found} is accepted"
            args.warn("FV104", message, first.span)
        return peer

    def _limit(self, args: Args, limits: dict[str, int]) -> bool:
        """Read an option; tell if it could be used, and report if not."""
        option = args.take("")
        if option.text not in ("min_ttl", "max_ttl"):
            message = f"{option.text} is no option of a unicast peer"
            hint = "min_ttl and max_ttl are; write one peer a line"
            args.warn("FV103", message, option.span, hint)
            return False
        if args.peek() is None:
            args.warn("FV103", f"{option.text} has no value", option.span, "write a number")
            return False
        try:
            limits[option.text] = in_range(args.take(""), 0, _MAX_TTL, option.text)
        except Rejected as rejected:
            args.warn(rejected.code, rejected.message, rejected.span, rejected.hint)
            return False
        return True

    def write(self, value: Peer) -> str | None:
        """Return the words."""
        low = f" min_ttl {value.min_ttl}" if value.min_ttl else ""
        high = f" max_ttl {value.max_ttl}" if value.max_ttl != _MAX_TTL else ""
        return f"{value.address}{low}{high}"

    def describe(self) -> str:
        """Return the form."""
        return "address [min_ttl 0 to 255] [max_ttl 0 to 255]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        ttl = {"type": "integer", "minimum": 0, "maximum": _MAX_TTL}
        address = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
        properties = {"address": address, "min_ttl": ttl, "max_ttl": ttl}
        return {"type": "object", "properties": properties}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NotedBoolean(Boolean):
    """`skip_check_adv_addr`: on or off; keepalived takes every word for on, which a note tells."""

    def read(self, args: Args) -> bool:
        """Return the truth."""
        span = args.statement.words[-1].span
        is_on = Boolean.read(self, args)
        if not is_on:
            message = f"{args.keyword} is off here; keepalived takes this word for on as well"
            args.note("FV103", message, span, "remove the line to switch it off everywhere")
        return is_on


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OldChecksumMode:
    """`old_unicast_checksum`: `never`, or nothing for always."""

    def read(self, args: Args) -> OldChecksum:
        """Return the mode."""
        if args.peek() is None:
            return OldChecksum.ALWAYS
        word = args.take("")
        if word.text != "never":
            raise Rejected("FV103", f"{args.keyword} takes never or no value", word.span)
        return OldChecksum.NEVER

    def write(self, value: OldChecksum) -> str | None:
        """Return the words; AUTO is what no keyword says."""
        return {OldChecksum.ALWAYS: "", OldChecksum.NEVER: "never"}.get(value)

    def describe(self) -> str:
        """Return the form."""
        return "[never]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"enum": [mode.name for mode in OldChecksum]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ExtraGarpTime:
    """`[all] SECONDS`: where and how often interfaces without adverts announce their addresses."""

    min: int = 0
    max: int = 86400

    def read(self, args: Args) -> ExtraGarp:
        """Return the interval and if it holds for all interfaces."""
        everywhere = args.peek() == "all"
        if everywhere:
            args.take("")
        if args.peek() is None:
            last = args.statement.words[-1]
            raise Rejected("FV103", f"{args.keyword} has no time", last.span, "write seconds")
        value = in_range(args.take(""), self.min, self.max, args.keyword)
        return ExtraGarp(interval=Nanoseconds(value * NS_PER_SECOND), everywhere=everywhere)

    def write(self, value: ExtraGarp) -> str | None:
        """Return the words."""
        return f"{'all ' if value.everywhere else ''}{seconds_text(value.interval)}"

    def describe(self) -> str:
        """Return the form."""
        return f"[all] {self.min} to {self.max} whole seconds"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        limits = {"minimum": self.min * NS_PER_SECOND, "maximum": self.max * NS_PER_SECOND}
        return {
            "type": "object",
            "properties": {
                "interval": {"type": "integer", **limits},
                "everywhere": {"type": "boolean"},
            },
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OptionalCommand:
    """`notify_deleted`: a program may follow; that the keyword is there says something, too."""

    def read(self, args: Args) -> tuple[bool, Command | None]:
        """Return that the keyword is there, and the program."""
        return True, None if args.peek() is None else CommandLine().read(args)

    def write(self, value: tuple[bool, Command | None]) -> str | None:
        """Return the words."""
        is_there, command = value
        if not is_there:
            return None
        return "" if command is None else CommandLine().write(command)

    def describe(self) -> str:
        """Return the form."""
        return f"[{CommandLine().describe()}]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        items = [{"type": "boolean"}, CommandLine().schema()]
        return {"type": "array", "prefixItems": items}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HmacKeyLine:
    """`key ID VALUE` of `auth_hmac`. No message ever holds the value."""

    def read(self, args: Args) -> HmacKey:
        """Return the key."""
        number = unquoted(args.take("the number of the key"), 1, 255, "the number of a key")
        word = args.take("the key, hex:DIGITS or file:PATH")
        if word.text.startswith("file:"):
            path = word.text.removeprefix("file:")
            if not path:
                raise Rejected("FV103", "file: names no file", word.span, "write file:/path")
            return HmacKey(id=number, file=path, span=word.span)
        return HmacKey(id=number, secret=Secret(_key_bytes(word)), span=word.span)

    def write(self, value: HmacKey) -> str | None:
        """Return the words."""
        if value.file is not None:
            return f"{value.id} {quoted(f'file:{value.file}')}"
        data = b"" if value.secret is None else value.secret.reveal()
        return f"{value.id} hex:{data.hex()}"

    def describe(self) -> str:
        """Return the form."""
        return "1 to 255, then 32 to 64 bytes as text, hex:DIGITS or file:PATH"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {
            "type": "object",
            "properties": {
                "id": {"type": "integer", "minimum": 1, "maximum": 255},
                "secret": {"type": ["string", "null"], "writeOnly": True},
                "file": {"type": ["string", "null"]},
            },
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HmacNumber:
    """A whole number of `auth_hmac`, where a key may stand by mistake: it is never repeated.

    `unit` is what one of them is in the model.
    """

    min: int
    max: int
    unit: int = 1

    def read(self, args: Args) -> int:
        """Return the number in the unit of the model."""
        return unquoted(args.take("a number"), self.min, self.max, args.keyword) * self.unit

    def write(self, value: int) -> str | None:
        """Return the words."""
        return str(value // self.unit)

    def describe(self) -> str:
        """Return the range."""
        return f"{self.min} to {self.max}{'' if self.unit == 1 else ' whole seconds'}"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        limits = {"minimum": self.min * self.unit, "maximum": self.max * self.unit}
        return {"type": "integer", **limits}


def _key_bytes(word: Word) -> bytes:
    """Return the bytes of a key that is written in the configuration."""
    text = word.text
    if text.startswith("hex:"):
        digits = re.sub(r"[ \t]", "", text.removeprefix("hex:"))
        if len(digits) % 2 or not re.fullmatch("[0-9A-Fa-f]*", digits):
            hint = "write hex: and two digits for each byte"
            raise Rejected("FV103", "this key is no hexadecimal number", word.span, hint)
        data = bytes.fromhex(digits)
    elif text.isascii():
        data = text.encode()
    else:
        hint = "write other bytes as hex:DIGITS"
        raise Rejected("FV103", "a key that is written as text is ASCII", word.span, hint)
    low, high = _KEY_BYTES
    if not low <= len(data) <= high:
        message = f"a key has {low} to {high} bytes, this one {len(data)}; it is not used"
        hint = 'make one: echo "hex:$(openssl rand -hex 32)"'
        raise Rejected("FV104", message, word.span, hint)
    return data
