"""Compile what one virtual router's transitions need into bytes; runs cold, at start and when a
link changes."""

import socket
from collections.abc import Iterable
from ipaddress import IPv6Address
from pathlib import Path

from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_NEWADDR

from fastvrrp.config.model import Address, AuthType, InstanceConfig, VirtualAddress
from fastvrrp.host.addresses import VirtualAddresses
from fastvrrp.host.links import Link, LinkTable
from fastvrrp.loop.ports import GROUP_V4, GROUP_V6, PortKey
from fastvrrp.loop.prepared import Frame, Prepared
from fastvrrp.wire.advert import layout
from fastvrrp.wire.frames import gratuitous_arp, unsolicited_na
from fastvrrp.wire.values import Layout

__all__ = ["lay_out_adverts", "place", "port_key", "prepare", "source_of"]


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


def port_key(instance: InstanceConfig, link: Link, source: Address) -> PortKey:
    """Return the port that `instance` listens on."""
    return PortKey(
        interface=link.name,
        ifindex=link.index,
        generation=link.generation,
        family=instance.family,
        ah=instance.auth is not None and instance.auth.type is AuthType.AH,
        source=source if instance.peers else None,
    )


def lay_out_adverts(instance: InstanceConfig, source: Address) -> tuple[Layout, ...]:
    """Return one advert for each destination: the multicast group, or every peer but ourselves."""
    group = GROUP_V4 if instance.family == 4 else GROUP_V6
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
        )
        for destination in destinations
    )


def prepare(
    instance: InstanceConfig,
    *,
    link: Link,
    source: Address,
    sender: socket.socket,
    placed: Iterable[tuple[VirtualAddress, Link]],
    addresses: VirtualAddresses | None,
) -> Prepared:
    """Return the bytes for `instance` on `link`; `addresses` None: the caller looks after
    addresses itself."""
    adverts = lay_out_adverts(instance, source)
    if addresses is None:
        return Prepared(fd=sender.fileno(), ifindex=link.index, datagrams=adverts)
    addresses.forget(instance)
    targets = [(vip, where.index) for vip, where in placed]
    return Prepared(
        fd=sender.fileno(),
        ifindex=link.index,
        datagrams=adverts,
        install=addresses.requests(RTM_NEWADDR, instance, targets),
        withdraw=addresses.requests(RTM_DELADDR, instance, targets[::-1]),
        frames=tuple(_announcement(vip, where) for vip, where in placed if where.arp),
    )


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
