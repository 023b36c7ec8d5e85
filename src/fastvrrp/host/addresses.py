"""Virtual addresses in the kernel: requests as bytes, the kernel's answers, and what an earlier
run left.

Requests of addresses are packed here, not by pyroute2, which takes ten times as long: there may be
thousands, each start and reload makes them, and their form is simple.
"""

import errno
import logging
import os
import socket
import struct
from ipaddress import IPv6Address
from pathlib import Path

from pyroute2.netlink import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_NEWADDR

from fastvrrp.clock import NS_PER_SECOND
from fastvrrp.config.model import VirtualAddress
from fastvrrp.host.holding import Holding, Kind
from fastvrrp.host.links import Link
from fastvrrp.loop.prepared import Frame
from fastvrrp.wire.frames import gratuitous_arp, unsolicited_na

__all__ = ["OUR_PROTOCOL", "address_holding"]

log = logging.getLogger("fastvrrp.vrrp")

OUR_PROTOCOL = 18
"""IFA_PROTO of our addresses: the number that `ip` shows as proto keepalived."""

IFA_F_NODAD = 0x02
IFA_F_HOMEADDRESS = 0x10
IFA_F_MANAGETEMPADDR = 0x100
IFA_F_NOPREFIXROUTE = 0x200
IFA_F_MCAUTOJOIN = 0x400

_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_BROADCAST = 1, 2, 3, 4
_IFA_CACHEINFO, _IFA_FLAGS, _IFA_PROTO = 6, 8, 11
_HEADERS = struct.Struct("=IHHIIBBBBI")  # nlmsghdr, ifaddrmsg
_U32 = struct.Struct("=I")

_FOREVER = 0xFFFFFFFF
_REQUESTS_IN_ONE_SEND = 64

_HARMLESS = {
    RTM_NEWADDR: {errno.EEXIST},
    # Secondaries vanish with their primary, and everything with its interface.
    RTM_DELADDR: {errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENOENT},
}


def address_holding(
    vip: VirtualAddress, link: Link, *, announce: bool = True, pace: int = -1
) -> Holding:
    """Return `vip` on `link`; without `announce`, or where nobody resolves addresses, it has no
    frame. `pace` is the group of `host.pacing` that its frame is in.

    An address that is there already is refused (EEXIST) and stays as it is, the mark of whoever set
    it included. The removal names address, peer and prefix: the same address with another prefix,
    which Linux allows beside it, stays.
    """
    own, length = vip.address.ip, vip.address.network.prefixlen
    far = own if vip.peer is None else vip.peer
    names = _attribute(_IFA_LOCAL, own.packed) + _attribute(_IFA_ADDRESS, far.packed)
    head = (socket.AF_INET if own.version == 4 else socket.AF_INET6, length, vip.scope, link.index)
    flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL
    where = f"{vip.address}" if vip.peer is None else f"{own} peer {vip.peer}/{length}"
    return Holding(
        kind=Kind.ADDRESS,
        key=("address", link.index, vip.address),
        install=_message(RTM_NEWADDR, flags, head, names + _options(vip)),
        remove=_message(RTM_DELADDR, NLM_F_REQUEST, head, names),
        text=f"{where} dev {link.name}",
        links=((link.name, link.index),),
        track=vip.track,
        frame=_announcement(vip, link, pace) if announce and link.arp else None,
        span=vip.span,
    )


def _message(kind: int, flags: int, head: tuple[int, int, int, int], attributes: bytes) -> bytes:
    family, length, scope, ifindex = head
    size = _HEADERS.size + len(attributes)
    return _HEADERS.pack(size, kind, flags, 0, 0, family, length, 0, scope, ifindex) + attributes


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _options(vip: VirtualAddress) -> bytes:
    """Return the attributes of a new address beyond the addresses themselves."""
    parts = [_attribute(_IFA_PROTO, bytes((OUR_PROTOCOL,)))]
    if vip.label is not None:
        parts.append(_attribute(_IFA_LABEL, os.fsencode(vip.label) + b"\0"))
    if vip.broadcast is not None:
        parts.append(_attribute(_IFA_BROADCAST, vip.broadcast.packed))
    if flags := _flags(vip):
        parts.append(_attribute(_IFA_FLAGS, _U32.pack(flags)))
    preferred = _preferred_s(vip)
    if preferred != _FOREVER:
        lifetimes = struct.pack("=IIII", preferred, _FOREVER, 0, 0)
        parts.append(_attribute(_IFA_CACHEINFO, lifetimes))
    return b"".join(parts)


def _flags(vip: VirtualAddress) -> int:
    wanted = {
        IFA_F_NODAD: vip.address.version == 6 and not vip.dad,
        IFA_F_HOMEADDRESS: vip.home,
        IFA_F_MANAGETEMPADDR: vip.mngtmpaddr,
        IFA_F_NOPREFIXROUTE: not vip.prefix_route,
        IFA_F_MCAUTOJOIN: vip.autojoin,
    }
    return sum(flag for flag, is_wanted in wanted.items() if is_wanted)


def _preferred_s(vip: VirtualAddress) -> int:
    """Return for how many seconds the host may choose the address for its own connections."""
    if vip.address.version == 4:
        return _FOREVER
    if vip.preferred is not None:
        return min(vip.preferred // NS_PER_SECOND, _FOREVER)
    is_host = vip.address.network.prefixlen == vip.address.max_prefixlen
    return 0 if is_host else _FOREVER


def _announcement(vip: VirtualAddress, link: Link, pace: int) -> Frame:
    ip = vip.address.ip
    if isinstance(ip, IPv6Address):
        data = unsolicited_na(link.mac, ip, router=_forwards_v6(link.name))
    else:
        data = gratuitous_arp(link.mac, ip)
    return Frame(ifindex=link.index, data=data, pace=pace)


def _forwards_v6(interface: str) -> bool:
    try:
        return Path("/proc/sys/net/ipv6/conf", interface, "forwarding").read_text() != "0\n"
    except OSError:
        return False
