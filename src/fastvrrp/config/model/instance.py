"""One virtual router as it is configured."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from fastvrrp.clock import Nanoseconds, seconds
from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model.base import (
    Address,
    Auth,
    AuthHmac,
    Command,
    Interface,
    TrackUse,
    Version,
)
from fastvrrp.config.model.network import Route, Rule, VirtualAddress
from fastvrrp.config.model.tracking import StateNotify
from fastvrrp.config.model.value import Value

if TYPE_CHECKING:
    from fastvrrp.config.model.globals import GlobalConfig

__all__ = [
    "ExtraGarp",
    "GarpConfig",
    "InstanceConfig",
    "Ipvlan",
    "IpvlanMode",
    "NotifyConfig",
    "OldChecksum",
    "Peer",
    "Vmac",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Peer(Value):
    """One `unicast_peer`; adverts from it must arrive with a TTL or hop limit in this range."""

    address: Address
    min_ttl: int = 0
    max_ttl: int = 255
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GarpConfig(Value):
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ExtraGarp(Value):
    """`garp_extra_if`: gratuitous ARP every `interval` (0: none) on interfaces that send no advert.

    These are the virtual MAC interfaces, or with `everywhere` all interfaces with an address.
    """

    interval: Nanoseconds = Nanoseconds(0)
    everywhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class NotifyConfig(StateNotify):
    """Programs run at state changes of one instance.

    `lower_priority` runs at each advert of lower priority that an active router receives.
    `tells_deleted`: an instance that a reload removes is reported as DELETED, not as FAULT, and
    `deleted` runs.
    """

    tells_deleted: bool = False
    deleted: Command | None = None
    lower_priority: Command | None = None


class OldChecksum(Enum):
    """If VRRPv3 unicast adverts carry the checksum of old keepalived; AUTO: as peers do."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Vmac(Value):
    """`use_vmac`: a macvlan interface with the virtual router MAC address.

    `interface` None: a name made of the VRID. `mac` None: 00:00:5e:00:01:VRID, for IPv6
    00:00:5e:00:02:VRID; of 5 bytes: the VRID is appended.
    """

    interface: str | None = None
    mac: bytes | None = None
    netlink_notify: bool = False
    group: str | None = None


class IpvlanMode(Enum):
    """How ipvlan interfaces of one parent reach each other."""

    BRIDGE = "bridge"
    PRIVATE = "private"
    VEPA = "vepa"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Ipvlan(Value):
    """`use_ipvlan`: an ipvlan interface; `address` is what it sends from (IPv4: needed)."""

    interface: str | None = None
    address: Interface | None = None
    mode: IpvlanMode | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class InstanceConfig(Value):
    """One `vrrp_instance`.

    `addresses` are advertised, in this order, all of one family; `excluded` are held but not
    advertised. `interface` "": none, for unicast only. `source` None: the interface's first address
    that is no virtual one (IPv6: its link-local address). `allowed_peers`: the only routers that a
    multicast instance hears, (): all. A non-empty `peers` makes the instance
    unicast. `initial_active` is `state MASTER`: it only decides whether priority 255 takes over at
    once. `timer_expired_backup` is the highest priority of the other routers, None: off. What
    `global_defs` decides is None: `mcast_group`, `extra_garp`, `notify_priority_changes`,
    `smtp_alert`.
    """

    name: str
    interface: str = ""
    vrid: int
    version: Version = Version.V2
    strict: bool = False
    priority: int = 100
    advert_interval: Nanoseconds = seconds(1)
    initial_active: bool = False
    preempt: bool = True
    preempt_delay: Nanoseconds = Nanoseconds(0)
    down_timer_adverts: int = 3
    timer_expired_backup: int | None = None
    owner_ignore_adverts: bool = False
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    accept: bool = True
    native_ipv6: bool = False
    addresses: tuple[VirtualAddress, ...] = ()
    excluded: tuple[VirtualAddress, ...] = ()
    without_addresses: bool = False
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    promote_secondaries: bool = False
    source: Address | None = None
    track_source: bool = False
    mcast_group: Address | None = None
    allowed_peers: tuple[Address, ...] = ()
    peers: tuple[Peer, ...] = ()
    unicast_ttl: int = 255
    check_unicast_src: bool = False
    unicast_any_src: bool = False
    unicast_fault_no_peer: bool = False
    old_checksum: OldChecksum = OldChecksum.AUTO
    v3_checksum_as_v2: bool = False
    skip_check_adv_addr: bool = False
    vrf: str | None = None
    vmac: Vmac | None = None
    vmac_addresses: bool = False
    vmac_xmit_base: bool = False
    ipvlan: Ipvlan | None = None
    auth: Auth | None = None
    hmac: AuthHmac | None = None
    garp: GarpConfig = GarpConfig()
    extra_garp: ExtraGarp | None = None
    track_primary: bool = True
    scripts: tuple[TrackUse, ...] = ()
    interfaces: tuple[TrackUse, ...] = ()
    files: tuple[TrackUse, ...] = ()
    processes: tuple[TrackUse, ...] = ()
    probes: tuple[TrackUse, ...] = ()
    bfd: tuple[TrackUse, ...] = ()
    notify: NotifyConfig = NotifyConfig()
    notify_priority_changes: bool | None = None
    smtp_alert: bool | None = None
    linkbeat_polling: bool = False
    rx_buffer: int | None = None
    lvs_sync_interface: str | None = None
    debug: int = 0
    span: Span | None = field(default=None, compare=False, repr=False)

    def multicast_group(self, common: GlobalConfig) -> Address:
        """Return the group that adverts go to; `common` decides what the instance does not."""
        if self.mcast_group is not None:
            return self.mcast_group
        return common.vrrp_mcast_group6 if self.family == 6 else common.vrrp_mcast_group4

    @property
    def family(self) -> int:
        """4 or 6: that of the advertised addresses, else of the source, else 4."""
        for candidate in self.addresses:
            return candidate.address.version
        return self.source.version if self.source is not None else 4
