"""The configuration as frozen dataclasses: times in nanoseconds, addresses parsed, secrets hidden.

What is written here is what the engine runs; how it was written is the business of `reader` and
`build`. `span` fields say where a value stood and never take part in equality, so that a moved
line is no change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

from fastvrrp.clock import Nanoseconds, seconds
from fastvrrp.config.diagnostics import Diagnostic, Span
from fastvrrp.secret import Secret

__all__ = [
    "Address",
    "Auth",
    "AuthType",
    "Command",
    "Config",
    "GarpConfig",
    "GlobalConfig",
    "InstanceConfig",
    "Interface",
    "NotifyConfig",
    "Peer",
    "ScriptConfig",
    "ScriptUse",
    "Version",
    "VirtualAddress",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """`authentication` of an instance; `password` is 1 to 8 bytes."""

    type: AuthType
    password: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run: its words, and the account it runs as (None:
    `GlobalConfig.script_user`)."""

    argv: tuple[str, ...]
    user: str | None = None
    group: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualAddress:
    """One line of `virtual_ipaddress`: the address with its prefix, and where it goes.

    `interface` None means the instance's interface; `broadcast` "+" and "-" are resolved when
    read. `scope` is an rtnetlink scope number, 0 = global.
    """

    address: Interface
    interface: str | None = None
    label: str | None = None
    scope: int = 0
    broadcast: IPv4Address | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One `unicast_peer`."""

    address: Address
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GarpConfig:
    """When gratuitous ARP and unsolicited neighbour advertisements are sent.

    `repeat` per address at once, the same again after `delay` (0: never), `refresh_repeat` every
    `refresh` (0: never). After a lower-priority advert: `lower_prio_repeat`, again after
    `lower_prio_delay`.
    """

    delay: Nanoseconds = seconds(5)
    repeat: int = 5
    refresh: Nanoseconds = Nanoseconds(0)
    refresh_repeat: int = 1
    lower_prio_delay: Nanoseconds = seconds(5)
    lower_prio_repeat: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyConfig:
    """Programs run at state changes of one instance; `always` is keepalived's `notify`."""

    master: Command | None = None
    backup: Command | None = None
    fault: Command | None = None
    stop: Command | None = None
    always: Command | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptUse:
    """One line of `track_script`. `weight` None: the script's own; `reverse` swaps good and
    bad."""

    name: str
    weight: int | None = None
    reverse: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptConfig:
    """One `vrrp_script`. `weight` -253..253, 0: failure is a FAULT. `timeout` None: `interval`."""

    name: str
    command: Command
    interval: Nanoseconds = seconds(1)
    timeout: Nanoseconds | None = None
    weight: int = 0
    reverse: bool = False
    rise: int = 1
    fall: int = 1
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceConfig:
    """One `vrrp_instance`.

    `addresses` are advertised, in this order, all of one family; `excluded` are held but not
    advertised. `source` None: the interface's first address that is no virtual one (IPv6: its
    link-local address). A non-empty `peers` makes the instance unicast. `initial_active` is `state
    MASTER`: it only decides whether priority 255 takes over at once.
    """

    name: str
    interface: str
    vrid: int
    version: Version = Version.V2
    priority: int = 100
    advert_interval: Nanoseconds = seconds(1)
    initial_active: bool = False
    preempt: bool = True
    preempt_delay: Nanoseconds = Nanoseconds(0)
    addresses: tuple[VirtualAddress, ...] = ()
    excluded: tuple[VirtualAddress, ...] = ()
    source: Address | None = None
    peers: tuple[Peer, ...] = ()
    auth: Auth | None = None
    garp: GarpConfig = GarpConfig()
    scripts: tuple[ScriptUse, ...] = ()
    notify: NotifyConfig = NotifyConfig()
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def family(self) -> int:
        """4 or 6: that of the advertised addresses, else of the source, else 4."""
        for candidate in self.addresses:
            return candidate.address.version
        return self.source.version if self.source is not None else 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalConfig:
    """`global_defs`. Mail settings are read and kept; nothing sends mail yet."""

    router_id: str | None = None
    notification_email: tuple[str, ...] = ()
    notification_email_from: str | None = None
    smtp_server: str | None = None
    smtp_port: int = 25
    smtp_connect_timeout: Nanoseconds = seconds(30)
    smtp_helo_name: str | None = None
    vrrp_version: Version = Version.V2
    garp: GarpConfig = GarpConfig()
    script_user: str | None = None
    script_group: str | None = None
    enable_script_security: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that the engine runs."""

    global_defs: GlobalConfig = GlobalConfig()
    scripts: tuple[ScriptConfig, ...] = ()
    instances: tuple[InstanceConfig, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = field(default=(), compare=False, repr=False)
    """Warnings found while reading, in source order."""
