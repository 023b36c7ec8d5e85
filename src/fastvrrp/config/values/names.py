"""Numbers that routes and rules may also give by a name.

What the kernel itself defines is a number here. All other names come from files of the host, which
only the host can read; they stay text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fastvrrp.config.values.base import Rejected, quoted
from fastvrrp.config.values.numbers import stray_end

if TYPE_CHECKING:
    from fastvrrp.config.reader import Word

__all__ = [
    "GROUPS",
    "PROTOCOLS",
    "SCOPES",
    "TABLES",
    "any_base",
    "name_of",
    "numbered",
    "take_numbered",
]

TABLES = {253: "default", 254: "main", 255: "local"}
"""Routing tables (rtnetlink(7))."""

SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
"""How far an address or a route reaches (rtnetlink(7))."""

PROTOCOLS = {
    0: "unspec",
    1: "redirect",
    2: "kernel",
    3: "boot",
    4: "static",
    8: "gated",
    9: "ra",
    10: "mrt",
    11: "zebra",
    12: "bird",
    13: "dnrouted",
    14: "xorp",
    15: "ntk",
    16: "dhcp",
    18: "keepalived",
    42: "babel",
    99: "openr",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    192: "eigrp",
}
"""Who made a route."""

GROUPS = {0: "default"}
"""Groups of interfaces."""

_NUMBER = re.compile(r"[ ]*(?:0[xX]([0-9A-Fa-f]{1,16})|(0[0-7]{0,22})|([1-9]\d{0,19}))\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][\w.+-]*\Z", re.ASCII)


def any_base(text: str) -> int | None:
    """Return a number in decimal, 0x or leading-zero notation; None if it is none."""
    match = _NUMBER.match(text)
    if match is None:
        return None
    if match[1]:
        return int(match[1], 16)
    return int(match[2], 8) if match[2] else int(match[3])


def numbered(text: str, names: Mapping[int, str], high: int) -> int | str | None:
    """Return the number that a text is or stands for, or the name if only the host knows it.

    None: it is neither, or above `high`.
    """
    number = any_base(text)
    if number is not None:
        return number if number <= high else None
    if not _NAME.match(text):
        return None
    return next((known for known, name in names.items() if name == text), text)


def take_numbered(word: Word, names: Mapping[int, str], high: int, what: str) -> int | str:
    """Return the same of a word, or raise Rejected."""
    found = numbered(word.text, names, high)
    if found is None:
        message = f"{what} must be a number of 0 to {high} or a name, not {word.text}"
        raise Rejected("FV103", message, word.span, stray_end(word))
    return found


def name_of(value: int | str, names: Mapping[int, str]) -> str:
    """Return the word that `numbered` makes this value of."""
    return quoted(value) if isinstance(value, str) else names.get(value, str(value))
