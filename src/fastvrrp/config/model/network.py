"""Addresses, routes and rules that are installed, and what is said about network interfaces.

Names of routing tables, protocols, scopes and the like that the kernel knows are numbers here;
names that only the host can resolve stay text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from fastvrrp.clock import Nanoseconds, seconds
from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model.base import Address, Interface
from fastvrrp.config.model.value import Value

__all__ = [
    "FOREVER",
    "ORIGIN",
    "Encap",
    "GarpGroup",
    "IlaEncap",
    "InterfaceDelay",
    "Ip6Encap",
    "IpEncap",
    "LinkbeatInterface",
    "LinkbeatMethod",
    "MplsEncap",
    "Network",
    "Nexthop",
    "Realms",
    "Route",
    "RouteMetrics",
    "RouteOrder",
    "RoutePreference",
    "RouteType",
    "Rule",
    "RuleAction",
    "VirtualAddress",
]

Network = IPv4Network | IPv6Network

FOREVER = seconds(2**32 - 1)
"""A lifetime without end, as the kernel has it."""

ORIGIN = 18
"""The protocol number that routes and rules of keepalived carry."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class VirtualAddress(Value):
    """One line of `virtual_ipaddress` or `static_ipaddress`: an address with its prefix, and where
    it goes.

    `interface` None means the instance's interface, for a static address that of `global_defs`;
    `broadcast` "+" and "-" are resolved when read. `scope` is an rtnetlink scope number,
    0 = global. `preferred` is how long an IPv6 address is used for new connections; None: 0 for
    a /128, FOREVER for any other. `dad`: duplicate address detection is done. `vmac`: it goes to
    the interface with the virtual MAC address. `track`: an address that is deleted counts as a
    fault. `track_group` names the instances that an absent interface of a static one is a fault of.
    """

    address: Interface
    interface: str | None = None
    label: str | None = None
    scope: int = 0
    broadcast: IPv4Address | None = None
    peer: Address | None = None
    preferred: Nanoseconds | None = None
    home: bool = False
    dad: bool = False
    mngtmpaddr: bool = False
    prefix_route: bool = True
    autojoin: bool = False
    vmac: bool = False
    track: bool = True
    track_group: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


class RouteType(Enum):
    """What a route does with packets."""

    UNICAST = "unicast"
    LOCAL = "local"
    BROADCAST = "broadcast"
    ANYCAST = "anycast"
    MULTICAST = "multicast"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"
    THROW = "throw"
    NAT = "nat"


class RouteOrder(Enum):
    """Where a route goes among those to the same destination; ADD: it must be the only one."""

    ADD = "add"
    PREPEND = "prepend"
    APPEND = "append"


class RoutePreference(Enum):
    """IPv6 router preference (RFC 4191 §2.1)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Realms(Value):
    """`realms`: marks for the traffic filter, 0..255 or names of the host."""

    source: int | str
    destination: int | str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MplsEncap(Value):
    """A stack of MPLS labels, outermost first."""

    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class IpEncap(Value):
    """A tunnel over IPv4; fields that are None are left to the tunnel."""

    id: int | None = None
    destination: IPv4Address | None = None
    source: IPv4Address | None = None
    tos: int | str | None = None
    ttl: int | None = None
    flags: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Ip6Encap(Value):
    """A tunnel over IPv6; fields that are None are left to the tunnel."""

    id: int | None = None
    destination: IPv6Address | None = None
    source: IPv6Address | None = None
    traffic_class: int | str | None = None
    hop_limit: int | None = None
    flags: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class IlaEncap(Value):
    """Identifier-locator addressing: the upper 64 bits of the destination become `locator`."""

    locator: int


Encap = MplsEncap | IpEncap | Ip6Encap | IlaEncap
"""What a packet is wrapped into."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Nexthop(Value):
    """One of several next hops of a route; `weight` 1..256."""

    via: Address | None = None
    interface: str | None = None
    weight: int = 1
    onlink: bool = False
    realms: Realms | None = None
    encap: Encap | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RouteMetrics(Value):
    """What connections over a route start with; None: the kernel decides.

    `locked` names the fields that the kernel must not change, in the order of the fields.
    """

    mtu: int | None = None
    advmss: int | None = None
    rtt: Nanoseconds | None = None
    rttvar: Nanoseconds | None = None
    rto_min: Nanoseconds | None = None
    reordering: int | None = None
    window: int | None = None
    cwnd: int | None = None
    ssthresh: int | None = None
    initcwnd: int | None = None
    initrwnd: int | None = None
    congctl: str | None = None
    hoplimit: int | None = None
    quickack: bool | None = None
    fastopen_no_cookie: bool | None = None
    ecn: bool = False
    locked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Route(Value):
    """One line of `virtual_routes` or `static_routes`.

    `source` is the address that packets are sent from, `from_network` that which they come from
    (IPv6). `table` None: main, or that of `vrf`. `protocol` says who made the route. `track`: a
    route that is deleted from outside counts. `track_group` names the instances that an absent
    interface of a static one is a fault of.
    """

    destination: Network
    type: RouteType = RouteType.UNICAST
    from_network: IPv6Network | None = None
    via: Address | None = None
    interface: str | None = None
    source: Address | None = None
    table: int | str | None = None
    vrf: str | None = None
    metric: int | None = None
    scope: int | str | None = None
    protocol: int | str = ORIGIN
    tos: int | str = 0
    onlink: bool = False
    realms: Realms | None = None
    preference: RoutePreference | None = None
    expires: Nanoseconds | None = None
    ttl_propagate: bool | None = None
    metrics: RouteMetrics = RouteMetrics()
    encap: Encap | None = None
    order: RouteOrder = RouteOrder.PREPEND
    nexthops: tuple[Nexthop, ...] = ()
    track: bool = True
    track_group: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


class RuleAction(Enum):
    """What a rule does with packets that it selects."""

    TABLE = "table"
    GOTO = "goto"
    NOP = "nop"
    BLACKHOLE = "blackhole"
    PROHIBIT = "prohibit"
    UNREACHABLE = "unreachable"
    L3MDEV = "l3mdev"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Rule(Value):
    """One line of `virtual_rules` or `static_rules`.

    `version` 4 or 6. `priority` None only until the configuration as a whole gives it one.
    Selectors that are None select everything; `invert` selects what the others do not. `table`
    belongs to the action TABLE, `goto` (a priority) to GOTO.
    """

    version: int = 4
    priority: int | None = None
    invert: bool = False
    source: Network | None = None
    destination: Network | None = None
    iif: str | None = None
    oif: str | None = None
    fwmark: int | None = None
    fwmask: int | None = None
    tos: int | str = 0
    tunnel_id: int | None = None
    uids: tuple[int, int] | None = None
    ip_protocol: int | str | None = None
    source_ports: tuple[int, int] | None = None
    destination_ports: tuple[int, int] | None = None
    action: RuleAction = RuleAction.TABLE
    table: int | str | None = None
    goto: int | None = None
    realms: Realms | None = None
    suppress_prefixlength: int | None = None
    suppress_ifgroup: int | str | None = None
    protocol: int = ORIGIN
    track: bool = True
    track_group: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class InterfaceDelay(Value):
    """How long an interface must have been down or up before that counts, 0 to 255 s each."""

    interface: str
    down: Nanoseconds = Nanoseconds(0)
    up: Nanoseconds = Nanoseconds(0)
    span: Span | None = field(default=None, compare=False, repr=False)


class LinkbeatMethod(Enum):
    """How the state of a link is asked for."""

    MII = "MII"
    ETHTOOL = "ETHTOOL"
    IOCTL = "IOCTL"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LinkbeatInterface(Value):
    """An interface whose link is asked for its state; `method` None: the best that it knows."""

    interface: str
    method: LinkbeatMethod | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GarpGroup(Value):
    """Interfaces that share the least time between two announcements: gratuitous ARP, and
    unsolicited neighbour advertisements. None: no limit."""

    garp_interval: Nanoseconds | None = None
    gna_interval: Nanoseconds | None = None
    interfaces: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)
