"""Interfaces that a virtual router makes for itself: macvlan and ipvlan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import TYPE_CHECKING

from fastvrrp.config.model import Interface, Ipvlan, IpvlanMode, Vmac
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.network import interface_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.reader import Word

__all__ = ["IpvlanWords", "VmacWords"]

_OCTETS = (5, 6)
"""Of a MAC address; to one of 5 the VRID is appended."""

_STANDARD = (b"\x00\x00\x5e\x00\x01", b"\x00\x00\x5e\x00\x02")
"""How the virtual router MAC addresses of RFC 9568 §7.3 begin; they follow from the VRID."""

_MODES = {mode.value: mode for mode in IpvlanMode}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VmacWords:
    """`use_vmac`: name of the interface, MAC address and options in any order."""

    def read(self, args: Args) -> Vmac:
        """Return what the words say; a bad one is reported and not used."""
        said = _Said(args)
        while args.peek() is not None:
            word = args.take("")
            if word.text == "netlink_notify_msg":
                said.put(word, "netlink_notify", value=True)
            elif _looks_like_mac(word.text):
                said.read(word, "mac", _mac)
            else:
                said.common(word)
        return Vmac(**said.values)  # type: ignore[arg-type]  # see above

    def write(self, value: Vmac) -> str | None:
        """Return the words."""
        words = [] if value.mac is None else [value.mac.hex(":")]
        words += ["netlink_notify_msg"] if value.netlink_notify else []
        return " ".join([*_name(value.interface), *words, *_group(value.group)])

    def describe(self) -> str:
        """Return the form."""
        return "[[name] interface] [MAC address] [netlink_notify_msg] [group number]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        flag = {"type": "boolean"}
        properties = {"interface": _TEXT, "mac": _TEXT, "netlink_notify": flag, "group": _TEXT}
        return {"type": "object", "properties": properties}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IpvlanWords:
    """`use_ipvlan`: name of the interface, its address and its mode in any order."""

    def read(self, args: Args) -> Ipvlan:
        """Return what the words say; a bad one is reported and not used."""
        said = _Said(args)
        while args.peek() is not None:
            word = args.take("")
            if word.text in _MODES:
                said.put(word, "mode", value=_MODES[word.text])
            elif (found := _address(word)) is not None:
                said.put(word, "address", value=found)
            else:
                said.common(word)
        return Ipvlan(**said.values)  # type: ignore[arg-type]  # see above

    def write(self, value: Ipvlan) -> str | None:
        """Return the words."""
        words = [] if value.address is None else [str(value.address)]
        words += [] if value.mode is None else [value.mode.value]
        return " ".join([*_name(value.interface), *words, *_group(value.group)])

    def describe(self) -> str:
        """Return the form."""
        return "[[name] interface] [address] [bridge|private|vepa] [group number]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        mode = {"enum": [None, *(mode.name for mode in IpvlanMode)]}
        properties = {"interface": _TEXT, "address": _TEXT, "mode": mode, "group": _TEXT}
        return {"type": "object", "properties": properties}


_TEXT = {"type": ["string", "null"]}


class _Said:
    """What the words of one line have said so far; the first of two counts."""

    def __init__(self, args: Args) -> None:
        self.values: dict[str, object] = {}
        self._args = args

    def put(self, word: Word, key: str, *, value: object) -> None:
        """Take a value, unless there is one."""
        if key in self.values:
            message = f"{self._args.keyword} has {_CALLED[key]} already; {word.text} is not used"
            self._args.warn("FV106", message, word.span)
            return
        self.values[key] = value

    def read(self, word: Word, key: str, kind: Callable[[Word], object]) -> None:
        """Read and take a value; one that cannot be used is reported."""
        try:
            value = kind(word)
        except Rejected as rejected:
            self._args.warn(rejected.code, rejected.message, rejected.span, rejected.hint)
            return
        self.put(word, key, value=value)

    def common(self, word: Word) -> None:
        """Read what both kinds of interfaces have: a name and a group."""
        keys = {"name": "interface", "group": "group"}
        key = keys.get(word.text, "interface")
        if word.text not in keys:
            self.read(word, key, interface_name)
        elif self._args.peek() is None:
            self._args.warn("FV103", f"{word.text} has no value", word.span)
        else:
            kind = interface_name if key == "interface" else _text
            self.read(self._args.take(""), key, kind)


_CALLED = {
    "interface": "a name",
    "group": "a group",
    "mac": "a MAC address",
    "netlink_notify": "netlink_notify_msg",
    "mode": "a mode",
    "address": "an address",
}


def _looks_like_mac(text: str) -> bool:
    return ":" in text and re.fullmatch("[0-9A-Fa-f:]+", text) is not None


def _mac(word: Word) -> bytes:
    parts = word.text.split(":")
    if len(parts) not in _OCTETS or not all(1 <= len(part) <= 2 for part in parts):
        hint = "write 6 numbers such as 02:00:5e:00:01:33, or 5 for the VRID to be appended"
        raise Rejected("FV103", f"{word.text} is no MAC address", word.span, hint)
    mac = bytes(int(part, 16) for part in parts)
    if mac[0] & 1:
        message = f"{word.text} is a multicast MAC address; it is not used"
        raise Rejected("FV104", message, word.span, "the second digit must be even")
    if mac.startswith(_STANDARD):
        message = f"{word.text} belongs to the addresses that follow from a VRID; it is not used"
        raise Rejected("FV104", message, word.span, "remove it to have the one of this VRID")
    return mac


def _address(word: Word) -> Interface | None:
    try:
        return ip_interface(word.text) if "%" not in word.text else None
    except ValueError:
        return None


def _text(word: Word) -> str:
    if not word.text:
        raise Rejected("FV103", "the group must not be empty", word.span)
    return word.text


def _name(interface: str | None) -> list[str]:
    """Return the words for a name; some must be announced to be none of the other words."""
    if interface is None:
        return []
    other = {"name", "group", "netlink_notify_msg", *_MODES}
    return ["name"] * (interface in other) + [quoted(interface)]


def _group(group: str | None) -> list[str]:
    return [] if group is None else ["group", quoted(group)]
