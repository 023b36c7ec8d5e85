"""What all parts of the model are made of: addresses, versions, commands, uses of names.

`span` fields say where a value stood and never take part in equality: a moved line is no change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

from fastvrrp.clock import Nanoseconds
from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model.value import Value
from fastvrrp.secret import Secret

__all__ = [
    "Address",
    "AntiReplay",
    "Auth",
    "AuthHmac",
    "AuthType",
    "Command",
    "HmacKey",
    "HmacMode",
    "Interface",
    "Reference",
    "ReferenceKind",
    "StaleAction",
    "TrackUse",
    "Version",
]

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface


class Version(IntEnum):
    """VRRP version of an instance."""

    V2 = 2
    V3 = 3


class AuthType(Enum):
    """VRRPv2 authentication (RFC 2338 §5.3.6)."""

    PASS = 1
    AH = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Auth(Value):
    """`authentication` of an instance; `password` is 1 to 8 bytes."""

    type: AuthType
    password: Secret


class AntiReplay(Enum):
    """What a receiver of authenticated trailers compares to recognise a repeated one."""

    TIME = "time"
    MONOTONIC = "monotonic"


class StaleAction(Enum):
    """What a backup does when authentic adverts of a better router are outside the time window.

    REJECT: nothing, and takes over. HOLD: it waits, since that router lives; whoever recorded its
    adverts can then keep the backup back.
    """

    REJECT = "reject"
    HOLD = "hold"


class HmacMode(Enum):
    """What happens to adverts without a valid trailer, and if own adverts carry one."""

    ENFORCE = "enforce"
    PERMISSIVE = "permissive"
    RECEIVE_ONLY = "receive-only"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HmacKey(Value):
    """One key of `auth_hmac`: `id` 1..255, and its 32..64 bytes or the `file` that holds them.

    Files are read where the key is used, never while the configuration is read.
    """

    id: int
    secret: Secret | None = None
    file: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AuthHmac(Value):
    """`auth_hmac` of an instance: a trailer with a keyed digest behind every advert.

    `active_key` is the key that own adverts are made with, one of `keys`. `time_window` is how old
    a trailer may be; None only until the instance gives it its value.
    """

    keys: tuple[HmacKey, ...] = ()
    active_key: int | None = None
    anti_replay: AntiReplay = AntiReplay.TIME
    time_window: Nanoseconds | None = None
    mode: HmacMode = HmacMode.ENFORCE
    stale_action: StaleAction = StaleAction.REJECT


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Command(Value):
    """A program to run: its words, and the account it runs as (None:
    `GlobalConfig.script_user`)."""

    argv: tuple[str, ...]
    user: str | None = None
    group: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TrackUse(Value):
    """One line of `track_script`, `track_interface` and the like.

    `weight` None: that of what is tracked, and its `reverse`; an interface has 0. `reverse` swaps
    good and bad.
    """

    name: str
    weight: int | None = None
    reverse: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


class ReferenceKind(Enum):
    """What a configuration can name that only the host can have."""

    INTERFACE = "interface"
    USER = "user"
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Reference(Value):
    """A name of something outside the configuration, and where it stands; `keyword` uses it."""

    kind: ReferenceKind
    name: str
    keyword: str
    span: Span
