"""Compile what one virtual router's transitions need into bytes; runs cold, at start and when a
link changes."""

import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from fastvrrp.config.diagnostics import Span
from fastvrrp.config.model import (
    Address,
    AuthType,
    GlobalConfig,
    HmacMode,
    InstanceConfig,
    Version,
    VirtualAddress,
)
from fastvrrp.host.addresses import address_holding
from fastvrrp.host.holding import Holding, HoldingError
from fastvrrp.host.iproute import Names
from fastvrrp.host.leftovers import is_foreign
from fastvrrp.host.links import Key, Link, LinkTable
from fastvrrp.host.pacing import Pacing
from fastvrrp.host.requests import Requests
from fastvrrp.host.routes import route_holding
from fastvrrp.host.rules import rule_holding
from fastvrrp.host.vmac import VirtualLinks
from fastvrrp.host.vmac_plan import advert_mac, interface_of
from fastvrrp.loop.ports import PortKey
from fastvrrp.loop.prepared import Prepared
from fastvrrp.wire.advert import layout
from fastvrrp.wire.frames import from_mac
from fastvrrp.wire.values import Layout

__all__ = [
    "Place",
    "fit",
    "foreign",
    "has_source",
    "identity",
    "lay_out_adverts",
    "port_key",
    "prepare",
    "source_of",
    "survey",
]

log = logging.getLogger("fastvrrp.host")

MAX_TTL = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one virtual router is: the interface that it hears and speaks on, what it sends from,
    and what it sets there while it is active. `missing` says what it cannot set, and why;
    `foreign` are the keys of addresses that somebody else has set, and that are not removed;
    `paces` are those of the frames.
    Whatever else changes about `link`, its flags or its MTU, it is the same place as long as
    `identity` is.
    """

    identity: tuple[object, ...]
    link: Link = field(compare=False)
    source: Address
    holdings: tuple[Holding, ...] = ()
    missing: tuple[str, ...] = ()
    paces: tuple[int, ...] = ()
    foreign: frozenset[Key] = frozenset()

    @property
    def removable(self) -> tuple[Holding, ...]:
        """What is removed when the router is active no longer."""
        return tuple(one for one in self.holdings if one.key not in self.foreign)


def source_of(
    instance: InstanceConfig, link: Link, table: LinkTable, virtual: frozenset[Address]
) -> Address | None:
    """Return the address that `instance` sends from: the configured one, else the interface's
    first address that is no virtual one (IPv6: its link-local address, RFC 9568 §5.1.2.1), None
    while it has none."""
    if instance.source is not None:
        return instance.source
    for present in table.addresses(link.index):
        ip = present.interface.ip
        if ip.version != instance.family or ip in virtual or not present.usable:
            continue
        if ip.version == 4 or ip.is_link_local:
            return ip
    return None


def has_source(instance: InstanceConfig, link: Link, table: LinkTable) -> bool:
    """Tell if the configured source address of `instance` is on its interface, and usable."""
    present = table.addresses(link.index)
    return any(one.usable and one.interface.ip == instance.source for one in present)


def fit(instance: InstanceConfig, mtu: int) -> InstanceConfig:
    """Return `instance` with no more advertised addresses than an advert of `mtu` bytes has room
    for; the others are held all the same, like excluded ones."""
    ipv6 = instance.family == 6
    overhead = 40 if ipv6 else 20
    overhead += 8 + (8 if instance.version is Version.V2 and not ipv6 else 0)
    overhead += 24 if _has_ah(instance) else 0
    overhead += 28 if instance.hmac is not None else 0
    room = max(0, mtu - overhead) // (16 if ipv6 else 4)
    if len(instance.addresses) <= room:
        return instance
    shown, rest = instance.addresses[:room], instance.addresses[room:]
    log.error(
        "(%s) an advert of %d bytes (MTU of %s) has room for %d addresses: the other %d are held,"
        " and not advertised. Give all routers of VRID %d the same MTU, or fewer addresses",
        instance.name,
        mtu,
        instance.interface,
        room,
        len(rest),
        instance.vrid,
    )
    return replace(instance, addresses=shown, excluded=rest + instance.excluded)


def port_key(
    instance: InstanceConfig, common: GlobalConfig, link: Link, source: Address
) -> PortKey:
    """Return the port that `instance` listens on."""
    unicast_v6 = instance.peers and instance.family == 6
    return PortKey(
        interface=link.name,
        ifindex=link.index,
        generation=link.generation,
        family=instance.family,
        ah=_has_ah(instance),
        source=source if instance.peers else None,
        group=instance.multicast_group(common),
        unicast_hops=instance.unicast_ttl if unicast_v6 else MAX_TTL,
    )


def _has_ah(instance: InstanceConfig) -> bool:
    return instance.auth is not None and instance.auth.type is AuthType.AH


def lay_out_adverts(
    instance: InstanceConfig, common: GlobalConfig, source: Address
) -> tuple[Layout, ...]:
    """Return one advert for each destination: the multicast group, or every peer but ourselves.
    Those from a virtual MAC address are whole frames."""
    mac = advert_mac(instance)
    group = instance.multicast_group(common)
    peers = [peer.address for peer in instance.peers if peer.address != source]
    destinations = peers if instance.peers else [group]
    adverts = (
        layout(
            family=instance.family,
            version=int(instance.version),
            vrid=instance.vrid,
            priority=instance.priority,
            interval_ns=instance.advert_interval,
            addresses=[vip.address.ip.packed for vip in instance.addresses],
            src=source.packed,
            dst=destination.packed,
            auth_type=instance.auth.type.value if instance.auth else 0,
            password=instance.auth.password.reveal() if instance.auth else b"",
            unicast=bool(instance.peers),
            ttl=instance.unicast_ttl if instance.peers else MAX_TTL,
            checksum_style=int(instance.v3_checksum_as_v2),
            hmac=instance.hmac is not None and instance.hmac.mode is not HmacMode.RECEIVE_ONLY,
        )
        for destination in destinations
    )
    return tuple(adverts if mac is None else (from_mac(mac, one) for one in adverts))


def survey(
    instance: InstanceConfig,
    *,
    link: Link,
    source: Address,
    table: LinkTable,
    made: VirtualLinks,
    names: Names,
    pacing: Pacing,
) -> Place:
    """Return the place of `instance` on `link`, with its own interfaces (see `made`), addresses,
    routes and rules in the order in which they are set. What cannot be set as the host is now is
    left out, and told."""
    vips = (*instance.addresses, *instance.excluded)
    makers: tuple[tuple[Span | None, Callable[[], Holding]], ...] = (
        *(
            (
                vip.span,
                partial(
                    _address,
                    vip,
                    made.link_for(instance, vip),
                    pacing.number(interface_of(instance, vip) or link.name),
                ),
            )
            for vip in vips
        ),
        *((r.span, partial(route_holding, r, table, names)) for r in instance.routes),
        *((r.span, partial(rule_holding, r, names)) for r in instance.rules),
    )
    holdings, missing = [*made.wake(instance)], []
    for span, make in makers:
        try:
            holdings.append(make())
        except HoldingError as error:
            missing.append(f"{error} ({span})" if span is not None else str(error))
    return Place(
        identity=identity(link),
        link=link,
        source=source,
        holdings=tuple(holdings),
        missing=tuple(missing),
        paces=tuple(one.frame.pace for one in holdings if one.frame is not None),
    )


def foreign(holdings: Iterable[Holding], table: LinkTable) -> frozenset[Key]:
    """Return the keys of addresses that are there already, and were not set by us."""
    return frozenset(one.key for one in holdings if is_foreign(one, table))


def identity(link: Link | None) -> tuple[object, ...]:
    """Return all about `link` that the bytes of a transition depend on."""
    if link is None:
        return ()
    return (link.index, link.generation, link.name, link.mac, link.arp)


def _address(vip: VirtualAddress, where: Link | None, pace: int) -> Holding:
    if where is None:
        named = f"interface {vip.interface}" if vip.interface is not None else "its interface"
        raise HoldingError(f"address {vip.address}: {named} does not exist")
    return address_holding(vip, where, pace=pace)


def prepare(
    instance: InstanceConfig,
    common: GlobalConfig,
    *,
    place: Place,
    sender: socket.socket,
    requests: Requests | None,
) -> Prepared:
    """Return the bytes for `instance` at `place`; `requests` None: the caller looks after addresses
    itself."""
    adverts = lay_out_adverts(instance, common, place.source)
    if requests is None:
        return Prepared(fd=sender.fileno(), ifindex=place.link.index, datagrams=adverts)
    requests.forget(instance.name)
    return Prepared(
        fd=sender.fileno(),
        ifindex=place.link.index,
        datagrams=adverts,
        install=requests.batches(instance.name, place.holdings),
        withdraw=requests.removals(instance.name, place.removable),
    )
