"""Compile what one virtual router's transitions need into bytes; runs cold, at start and when a
link changes."""

import logging
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from ipaddress import IPv6Address
from pathlib import Path

from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_NEWADDR

from fastvrrp.config.model import (
    Address,
    AuthType,
    GlobalConfig,
    HmacMode,
    InstanceConfig,
    Version,
    VirtualAddress,
)
from fastvrrp.host.addresses import VirtualAddresses
from fastvrrp.host.links import Link, LinkTable
from fastvrrp.loop.ports import PortKey
from fastvrrp.loop.prepared import MESSAGES_IN_ONE_SEND, Batch, Frame, Prepared
from fastvrrp.wire.advert import layout
from fastvrrp.wire.frames import gratuitous_arp, unsolicited_na
from fastvrrp.wire.values import Layout

__all__ = ["fit", "has_source", "lay_out_adverts", "place", "port_key", "prepare", "source_of"]

log = logging.getLogger("fastvrrp.host")

MAX_TTL = 255


def source_of(
    instance: InstanceConfig, link: Link, table: LinkTable, virtual: frozenset[Address]
) -> Address | None:
    """Return the address that `instance` sends from: the configured one, else the interface's
    first address that is no virtual one (IPv6: its link-local address, RFC 9568 §5.1.2.1), None
    while it has none."""
    if instance.source is not None:
        return instance.source
    for present in table.addresses(link.index):
        ip = present.ip
        if ip.version != instance.family or ip in virtual or not present.usable:
            continue
        if ip.version == 4 or ip.is_link_local:
            return ip
    return None


def has_source(instance: InstanceConfig, link: Link, table: LinkTable) -> bool:
    """Tell if the configured source address of `instance` is on its interface, and usable."""
    present = table.addresses(link.index)
    return any(one.usable and one.ip == instance.source for one in present)


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
    """Return one advert for each destination: the multicast group, or every peer but ourselves."""
    group = instance.multicast_group(common)
    peers = [peer.address for peer in instance.peers if peer.address != source]
    destinations = peers if instance.peers else [group]
    return tuple(
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


def prepare(
    instance: InstanceConfig,
    common: GlobalConfig,
    *,
    link: Link,
    source: Address,
    sender: socket.socket,
    placed: Iterable[tuple[VirtualAddress, Link]],
    addresses: VirtualAddresses | None,
) -> Prepared:
    """Return the bytes for `instance` on `link`; `addresses` None: the caller looks after
    addresses itself."""
    adverts = lay_out_adverts(instance, common, source)
    if addresses is None:
        return Prepared(fd=sender.fileno(), ifindex=link.index, datagrams=adverts)
    addresses.forget(instance)
    placed = tuple(placed)
    targets = [(vip, where.index) for vip, where in placed]
    return Prepared(
        fd=sender.fileno(),
        ifindex=link.index,
        datagrams=adverts,
        install=tuple(_batches(instance, placed, addresses)),
        withdraw=addresses.requests(RTM_DELADDR, instance, targets[::-1]),
    )


def _batches(
    instance: InstanceConfig,
    placed: Sequence[tuple[VirtualAddress, Link]],
    addresses: VirtualAddresses,
) -> Iterator[Batch]:
    """Yield what sets the addresses, in batches that grow: the first one is announced soon."""
    begin, size = 0, 8
    while begin < len(placed):
        part = placed[begin : begin + size]
        targets = [(vip, where.index) for vip, where in part]
        yield Batch(
            requests=b"".join(addresses.requests(RTM_NEWADDR, instance, targets)),
            frames=tuple(_announcement(vip, where) for vip, where in part if where.arp),
        )
        begin += size
        size = min(2 * size, MESSAGES_IN_ONE_SEND)


def place(
    instance: InstanceConfig, link: Link, table: LinkTable
) -> tuple[tuple[VirtualAddress, Link], ...]:
    """Pair every virtual address with its interface; one whose interface is absent is left out."""
    placed = []
    for vip in (*instance.addresses, *instance.excluded):
        where = link if vip.interface is None else table.link(vip.interface)
        if where is not None:
            placed.append((vip, where))
    return tuple(placed)


def _announcement(vip: VirtualAddress, link: Link) -> Frame:
    ip = vip.address.ip
    if isinstance(ip, IPv6Address):
        return Frame(
            ifindex=link.index, data=unsolicited_na(link.mac, ip, router=_forwards_v6(link.name))
        )
    return Frame(ifindex=link.index, data=gratuitous_arp(link.mac, ip))


def _forwards_v6(interface: str) -> bool:
    try:
        return Path("/proc/sys/net/ipv6/conf", interface, "forwarding").read_text() != "0\n"
    except OSError:
        return False
