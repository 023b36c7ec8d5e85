"""Interfaces and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model import Address, ReferenceKind
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.numbers import stray_end

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = [
    "MAX_INTERFACE_NAME",
    "InterfaceName",
    "IpAddress",
    "MulticastGroup",
    "address",
    "bare_address",
    "interface_name",
    "is_link_group",
    "take_interface",
]

MAX_INTERFACE_NAME = 15


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InterfaceName:
    """The name of a network interface; whether it exists is asked later, by the host side."""

    def read(self, args: Args) -> str:
        """Return the name."""
        return take_interface(args)

    def write(self, value: str) -> str | None:
        """Return the words."""
        return quoted(value)

    def describe(self) -> str:
        """Return what the word is."""
        return "interface"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string"}


def take_interface(args: Args) -> str:
    """Return the interface that the next word names; the host must have it."""
    word = args.take("an interface")
    name = interface_name(word)
    if hint := stray_end(word):
        message = f"{name[-1]} is taken as a part of the name of the interface"
        args.note("FV330", message, word.span, hint)
    args.refer(ReferenceKind.INTERFACE, name, word.span)
    return name


def interface_name(word: Word) -> str:
    """Return a name that the kernel can have given to an interface."""
    name = word.text
    if len(name.encode("utf-8", "replace")) > MAX_INTERFACE_NAME:
        message = f"an interface name has at most {MAX_INTERFACE_NAME} characters"
        raise Rejected("FV104", message, word.span)
    if name in ("", ".", "..") or not name.isprintable() or any(c in "/: " for c in name):
        hint = stray_end(word)
        raise Rejected("FV103", "this cannot be the name of an interface", word.span, hint)
    return name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IpAddress:
    """An IPv4 or IPv6 address; a prefix length is not used."""

    def read(self, args: Args) -> Address:
        """Return the address."""
        return bare_address(args)

    def write(self, value: Address) -> str | None:
        """Return the words."""
        return str(value)

    def describe(self) -> str:
        """Return what the word is."""
        return "address"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MulticastGroup:
    """A multicast address; for IPv6 one of the link."""

    def read(self, args: Args) -> Address:
        """Return the address."""
        word = args.take("a multicast address")
        found = address(word)
        if found.version == 4 and not found.is_multicast:
            hint = "write an address such as 224.0.0.18"
            raise Rejected("FV104", f"{found} is no multicast address", word.span, hint)
        if found.version == 6 and not is_link_group(found):
            hint = "write an address such as ff02::12"
            message = f"{found} is no link-local multicast address"
            raise Rejected("FV104", message, word.span, hint)
        return found

    def write(self, value: Address) -> str | None:
        """Return the words."""
        return str(value)

    def describe(self) -> str:
        """Return what the word is."""
        return "multicast address"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}


def is_link_group(found: Address) -> bool:
    """Tell if the scope of an IPv6 multicast address is the link (RFC 4291 §2.7)."""
    return found.packed[0] == 0xFF and found.packed[1] & 0x0F == 0x02


def bare_address(args: Args) -> Address:
    """Return the address that the next word is, without the prefix length that it may have."""
    word = args.take("an address")
    host, slash, _ = word.text.partition("/")
    if slash:
        message = f"the prefix length behind {host} is not used"
        args.note("FV105", message, word.span, "write the address alone")
    return _parsed(host, word)


def address(word: Word) -> Address:
    """Return the address that a word is."""
    if "/" in word.text:
        at = word.text.index("/")
        span = Span(word.span.file, word.span.line, word.span.column + at, len(word.text) - at)
        raise Rejected("FV103", "this address takes no prefix length", span, "remove it")
    return _parsed(word.text, word)


def _parsed(host: str, word: Word) -> Address:
    try:
        found = ip_address(host) if "%" not in host else None
    except ValueError:
        found = None
    if found is None:
        message = f"{host} is no IPv4 or IPv6 address"
        raise Rejected("FV103", message, word.span, stray_end(word))
    return found
