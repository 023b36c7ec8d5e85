"""Holding: one thing that is on this host while a virtual router is active, ready to be set and
removed."""

from dataclasses import dataclass, field
from enum import Enum

from fastvrrp.config.diagnostics import Span
from fastvrrp.loop.prepared import Frame

__all__ = ["Holding", "HoldingError", "Kind"]


class HoldingError(Exception):
    """It cannot be set as this host is now: an interface that is not there, a name that nobody
    knows. The text says what is missing."""


class Kind(Enum):
    """What it is."""

    ADDRESS = "address"
    ROUTE = "route"
    RULE = "rule"
    LINK = "interface"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """An address, a route or a rule, or that an interface with a virtual MAC address is up; made by
    `host.addresses`, `host.routes`, `host.rules` and `host.vmac`.

    `key` is what the kernel tells it by: the same function of a message of the kernel gives the
    same key. `install` and `remove` are one rtnetlink message each, with the sequence number 0.
    Setting it again is harmless. `links` are the (name, ifindex) that the messages name; when one
    of them is another interface now, the messages are void. `text` has it as ip(8) does, without
    the word for its kind. `track`: its removal by somebody else is mended, and in the end a fault.
    `frame` announces an address. Equal holdings need not be touched when one replaces the other.
    """

    kind: Kind
    key: tuple[object, ...]
    install: bytes
    remove: bytes
    text: str
    links: tuple[tuple[str, int], ...] = ()
    track: bool = True
    frame: Frame | None = None
    span: Span | None = field(default=None, compare=False, repr=False)
