"""Virtual addresses in the kernel: requests as bytes, the kernel's answers, and what an earlier
run left.

Requests of addresses are packed here, not by pyroute2, which takes ten times as long: there may be
thousands, each start and reload makes them, and their form is simple.
"""

import errno
import logging
import os
import re
import socket
import struct
from collections.abc import Iterable
from ipaddress import IPv6Address
from itertools import count
from pathlib import Path

from pyroute2.netlink import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_NEWADDR
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

from fastvrrp.clock import NS_PER_SECOND
from fastvrrp.config.model import Config, InstanceConfig, VirtualAddress
from fastvrrp.host.holding import Holding, Kind
from fastvrrp.host.links import Link, LinkTable
from fastvrrp.host.netlink import Answer, RouteSocket, answer, encode
from fastvrrp.loop.prepared import Frame
from fastvrrp.reactor import Loop
from fastvrrp.wire.frames import gratuitous_arp, unsolicited_na

__all__ = ["OUR_PROTOCOL", "VirtualAddresses", "address_holding"]

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


def address_holding(vip: VirtualAddress, link: Link, *, announce: bool = True) -> Holding:
    """Return `vip` on `link`; without `announce`, or where nobody resolves addresses, it has no
    frame.

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
        frame=_announcement(vip, link) if announce and link.arp else None,
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


def _announcement(vip: VirtualAddress, link: Link) -> Frame:
    ip = vip.address.ip
    if isinstance(ip, IPv6Address):
        data = unsolicited_na(link.mac, ip, router=_forwards_v6(link.name))
    else:
        data = gratuitous_arp(link.mac, ip)
    return Frame(ifindex=link.index, data=data)


def _forwards_v6(interface: str) -> bool:
    try:
        return Path("/proc/sys/net/ipv6/conf", interface, "forwarding").read_text() != "0\n"
    except OSError:
        return False


class VirtualAddresses:
    """Builds requests and reads the kernel's answers to them on `loop`.

    `fileno()` is the socket that the hot thread sends on; only failures are answered.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._route = RouteSocket()
        self._sequence = count(1)
        self._asked: dict[int, tuple[int, InstanceConfig, VirtualAddress]] = {}
        self.failures = 0
        loop.add_reader(self._route.fileno(), self._on_readable)

    def fileno(self) -> int:
        """Return the descriptor to send requests on."""
        return self._route.fileno()

    @property
    def port_id(self) -> int:
        """The sender of our requests, as the kernel's announcements name it."""
        return self._route.port_id

    def close(self) -> None:
        """Read the last answers and close; may be repeated."""
        if self._route.fileno() >= 0:
            self._on_readable()
            self._loop.remove_reader(self._route.fileno())
            self._route.close()

    def requests(
        self, kind: int, instance: InstanceConfig, targets: Iterable[tuple[VirtualAddress, int]]
    ) -> tuple[bytes, ...]:
        """Return RTM_NEWADDR or RTM_DELADDR requests for (address, ifindex) pairs, one send
        each."""
        encoded = [self._request(kind, instance, vip, ifindex) for vip, ifindex in targets]
        return tuple(
            b"".join(encoded[i : i + _REQUESTS_IN_ONE_SEND])
            for i in range(0, len(encoded), _REQUESTS_IN_ONE_SEND)
        )

    def forget(self, instance: InstanceConfig) -> None:
        """Drop the requests of `instance` that will not be sent any more."""
        self._asked = {s: asked for s, asked in self._asked.items() if asked[1] is not instance}

    def remove_leftovers(self, config: Config, table: LinkTable) -> int:
        """Remove virtual addresses that an earlier run left behind; returns how many.

        An address of ours is known by its mark. Kernels before 5.18 have none; there, as in
        keepalived, every address that the configuration names as a virtual one counts.
        """
        removed = 0
        for instance in config.instances:
            for vip in (*instance.addresses, *instance.excluded):
                removed += self._remove_leftover(instance, vip, table)
        return removed

    def _remove_leftover(
        self, instance: InstanceConfig, vip: VirtualAddress, table: LinkTable
    ) -> int:
        link = table.link(vip.interface or instance.interface)
        if link is None:
            return 0
        for present in table.addresses(link.index):
            if present.interface != vip.address:
                continue
            if _kernel_marks_addresses() and present.protocol != OUR_PROTOCOL:
                log.warning(
                    "(%s) %s is already on %s and was not set by us; it is left alone, remove it "
                    "by hand: ip address del %s dev %s",
                    instance.name,
                    vip.address,
                    link.name,
                    vip.address,
                    link.name,
                )
                return 0
            log.info(
                "(%s) removing %s from %s, left by an earlier run",
                instance.name,
                vip.address,
                link.name,
            )
            for request in self.requests(RTM_DELADDR, instance, [(vip, link.index)]):
                self._route.send(request)
            return 1
        return 0

    def _request(
        self, kind: int, instance: InstanceConfig, vip: VirtualAddress, ifindex: int
    ) -> bytes:
        sequence = next(self._sequence)
        self._asked[sequence] = (kind, instance, vip)
        message = ifaddrmsg()
        message["family"] = socket.AF_INET if vip.address.version == 4 else socket.AF_INET6
        message["prefixlen"] = vip.address.network.prefixlen
        message["index"] = ifindex
        message["scope"] = vip.scope
        message["attrs"] = [("IFA_LOCAL", str(vip.address.ip))]
        flags = NLM_F_REQUEST
        if kind == RTM_NEWADDR:
            message["attrs"] += _details(vip)
            flags |= NLM_F_CREATE | NLM_F_REPLACE
        return encode(message, kind=kind, flags=flags, sequence=sequence)

    def _on_readable(self) -> None:
        try:
            for raw in self._route.read():
                said = answer(raw)
                if said is not None:
                    self._on_error(said)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self.failures += 1
            log.error("answers of the kernel to address requests were lost")

    def _on_error(self, said: Answer) -> None:
        asked = self._asked.get(said.sequence)
        if asked is None:
            return
        kind, instance, vip = asked
        code = said.code
        if code in _HARMLESS[kind]:
            return
        self.failures += 1
        log.error(
            "(%s) cannot %s %s %s %s: %s%s",
            instance.name,
            "add" if kind == RTM_NEWADDR else "remove",
            vip.address,
            "to" if kind == RTM_NEWADDR else "from",
            vip.interface or instance.interface,
            os.strerror(code),
            f" ({vip.span})" if vip.span is not None else "",
        )


def _kernel_marks_addresses() -> bool:
    """Tell whether this kernel keeps IFA_PROTO: Linux 5.18 and later."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int(re.sub(r"\D.*", "", minor))) >= (5, 18)


def _details(vip: VirtualAddress) -> list[tuple[str, object]]:
    """Return the attributes of a new address beyond the address itself."""
    details: list[tuple[str, object]] = [("IFA_PROTO", OUR_PROTOCOL)]
    if vip.label is not None:
        details.append(("IFA_LABEL", vip.label))
    if vip.broadcast is not None:
        details.append(("IFA_BROADCAST", str(vip.broadcast)))
    if isinstance(vip.address.ip, IPv6Address):
        details.append(("IFA_FLAGS", IFA_F_NODAD))
        if vip.address.network.prefixlen == vip.address.max_prefixlen:
            # A host must not choose a virtual address as the source of its own connections.
            lifetimes = {"ifa_preferred": 0, "ifa_valid": _FOREVER, "cstamp": 0, "tstamp": 0}
            details.append(("IFA_CACHEINFO", lifetimes))
    return details
