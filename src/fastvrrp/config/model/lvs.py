"""Load balancing as it is configured: virtual servers and their real servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from fastvrrp.clock import Nanoseconds, seconds
from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model.base import Address, Command
from fastvrrp.config.model.checkers import Check
from fastvrrp.config.model.value import Value
from fastvrrp.secret import Secret

__all__ = [
    "AddressService",
    "Forwarding",
    "ForwardingKind",
    "FwmarkService",
    "GroupAddresses",
    "GroupEntry",
    "GroupFwmark",
    "GroupNetwork",
    "GroupService",
    "Protocol",
    "RealServer",
    "Scheduler",
    "ServerAddress",
    "Service",
    "Ssl",
    "Tunnel",
    "TunnelChecksum",
    "TunnelType",
    "VirtualServer",
    "VirtualServerGroup",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ServerAddress(Value):
    """Address and port of a real server; `port` None: that of the virtual server."""

    address: Address
    port: int | None = None

    def __str__(self) -> str:
        return f"{self.address} {self.port}" if self.port else str(self.address)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AddressService(Value):
    """A virtual server by address; `port` None: all ports."""

    address: Address
    port: int | None = None

    def __str__(self) -> str:
        return f"{self.address} {self.port}" if self.port else str(self.address)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FwmarkService(Value):
    """A virtual server by the mark that the firewall gives to packets, 1..2**32-1."""

    mark: int

    def __str__(self) -> str:
        return f"fwmark {self.mark}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GroupService(Value):
    """A virtual server for all that a `virtual_server_group` lists."""

    name: str

    def __str__(self) -> str:
        return f"group {self.name}"


Service = AddressService | FwmarkService | GroupService
"""What a virtual server is reached by."""


class Scheduler(Enum):
    """How IPVS chooses the real server of a connection."""

    RR = "rr"
    WRR = "wrr"
    LC = "lc"
    WLC = "wlc"
    LBLC = "lblc"
    LBLCR = "lblcr"
    SH = "sh"
    MH = "mh"
    DH = "dh"
    FO = "fo"
    OVF = "ovf"
    SED = "sed"
    NQ = "nq"
    TWOS = "twos"


class Protocol(Enum):
    """Transport protocol of a virtual server."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


class ForwardingKind(Enum):
    """How packets get to a real server."""

    NAT = "NAT"
    DR = "DR"
    TUN = "TUN"


class TunnelType(Enum):
    """Encapsulation of `TUN`."""

    IPIP = "ipip"
    GUE = "gue"
    GRE = "gre"


class TunnelChecksum(Enum):
    """Checksum of the encapsulation."""

    NONE = "nocsum"
    NORMAL = "csum"
    REMOTE = "remcsum"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Tunnel(Value):
    """What `TUN` wraps packets in; only `gue` has a port."""

    type: TunnelType = TunnelType.IPIP
    port: int | None = None
    checksum: TunnelChecksum = TunnelChecksum.NONE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Forwarding(Value):
    """`lvs_method`; `tunnel` is there for TUN only."""

    kind: ForwardingKind
    tunnel: Tunnel | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RealServer(Value):
    """One `real_server`. What is None is as the virtual server says.

    `upper_threshold` connections overload it until they are fewer than `lower_threshold`; 0: never,
    and three quarters. Without a checker it is always up.
    """

    server: ServerAddress
    weight: int | None = None
    forwarding: Forwarding | None = None
    upper_threshold: int = 0
    lower_threshold: int = 0
    inhibit: bool | None = None
    notify_up: Command | None = None
    notify_down: Command | None = None
    alpha: bool | None = None
    retries: int | None = None
    retry_delay: Nanoseconds | None = None
    warmup: Nanoseconds | None = None
    connect_timeout: Nanoseconds | None = None
    interval: Nanoseconds | None = None
    host: str | None = None
    smtp_alert: bool | None = None
    snmp_name: str | None = None
    checkers: tuple[Check, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class VirtualServer(Value):
    """One `virtual_server`.

    `protocol` is None for firewall marks only. `persistence_granularity` is an IPv4 netmask or an
    IPv6 prefix length. `inhibit`: a real server that fails keeps its place, with weight 0. `weight`
    is that of real servers which name none. The sum of weights that `quorum` asks for must be
    exceeded, or fallen below, by `hysteresis`. `retries` and `retry_delay` None: as the kind of
    checker has it; `warmup` None: the interval. `family` None: as the addresses tell; `smtp_alert`
    None: as `global_defs` says.
    """

    service: Service
    scheduler: Scheduler
    forwarding: Forwarding
    protocol: Protocol | None = None
    interval: Nanoseconds = seconds(60)
    connect_timeout: Nanoseconds = seconds(5)
    retries: int | None = None
    retry_delay: Nanoseconds | None = None
    warmup: Nanoseconds | None = None
    inhibit: bool = False
    weight: int = 1
    persistence_timeout: Nanoseconds | None = None
    persistence_granularity: IPv4Address | int | None = None
    persistence_engine: str | None = None
    one_packet: bool = False
    scheduler_flag_1: bool = False
    scheduler_flag_2: bool = False
    scheduler_flag_3: bool = False
    alpha: bool = False
    omega: bool = False
    quorum: int = 1
    hysteresis: int = 0
    quorum_up: Command | None = None
    quorum_down: Command | None = None
    ha_suspend: bool = False
    smtp_alert: bool | None = None
    host: str | None = None
    snmp_name: str | None = None
    family: int | None = None
    sorry_server: ServerAddress | None = None
    sorry_inhibit: bool = False
    sorry_forwarding: Forwarding | None = None
    real_servers: tuple[RealServer, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GroupAddresses(Value):
    """One line of a `virtual_server_group`: the addresses from `first` to `last`."""

    first: Address
    last: Address
    port: int | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GroupNetwork(Value):
    """One line of a `virtual_server_group`: every address of a network, the first and last too."""

    network: IPv4Network | IPv6Network
    port: int | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GroupFwmark(Value):
    """One line of a `virtual_server_group`: packets with a firewall mark; `family` 4, 6 or None."""

    mark: int
    family: int | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


GroupEntry = GroupAddresses | GroupNetwork | GroupFwmark
"""One line of a `virtual_server_group`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class VirtualServerGroup(Value):
    """One `virtual_server_group`."""

    name: str
    entries: tuple[GroupEntry, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Ssl(Value):
    """`SSL`: files of the TLS client that `SSL_GET` uses, and the password of its key."""

    password: Secret | None = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)
