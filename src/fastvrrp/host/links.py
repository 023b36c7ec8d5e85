"""The kernel's links and addresses, kept up to date, and the news of what others remove: what
decides whether a router can take part, and whether it still holds what it has set."""

import errno
import logging
import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
    ip_interface,
)
from itertools import count

from pyroute2.netlink.rtnl import (
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
)

from fastvrrp.host.netlink import (
    HEADER_SIZE,
    RECEIVE_ROOM,
    Raw,
    RouteSocket,
    attributes,
    dump,
    packed,
)
from fastvrrp.host.news import news_filter
from fastvrrp.reactor import Loop

__all__ = ["HostAddress", "Key", "Link", "LinkTable"]

log = logging.getLogger("fastvrrp.host")

Key = tuple[object, ...]
"""What the kernel tells an address, a route or a rule by, see `Holding.key`."""

IFF_UP = 0x1
IFF_RUNNING = 0x40
IFF_NOARP = 0x80

IFA_F_DADFAILED = 0x08
IFA_F_TENTATIVE = 0x40

_GROUPS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_AT_ONCE = 256
"""Messages that are taken before others on the loop have their turn: 2 ms."""

_LINK = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change
_ADDRESS = struct.Struct("=BBBBI")  # struct ifaddrmsg: family, prefix, flags, scope, index
_U32 = struct.Struct("=I")
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_MASTER = 1, 3, 4, 5, 10
_IFLA_LINKINFO, _IFLA_LINK_NETNSID = 18, 37
_IFLA_INFO_KIND = 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS, _IFA_PROTO = 1, 2, 8, 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One interface. `generation` tells one that left and came back from what it was before: the
    kernel forgets sockets' memberships even if name and index are the same. `kind` is that of a
    virtual one, for example "macvlan"; `base` the index of the one below it, None also when that is
    in another network namespace; `master` that of the bridge, bond or VRF that it is part of."""

    index: int
    generation: int
    name: str
    flags: int
    mac: bytes
    mtu: int
    kind: str | None = None
    base: int | None = None
    master: int | None = None

    @property
    def up(self) -> bool:
        """Administratively up, and with carrier."""
        return self.flags & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING

    @property
    def arp(self) -> bool:
        """True when neighbours are resolved on it, so that announcements have a meaning."""
        return not self.flags & IFF_NOARP and len(self.mac) == 6


@dataclass(frozen=True, slots=True)
class HostAddress:
    """One address of an interface: `packed` has 4 or 16 bytes. `protocol` is IFA_PROTO, None on
    kernels before 5.18. Small, because a host may have very many that are nothing to us."""

    ifindex: int
    packed: bytes
    prefixlen: int
    flags: int
    protocol: int | None

    @property
    def ip(self) -> IPv4Address | IPv6Address:
        """The address without its prefix."""
        return ip_address(self.packed)

    @property
    def interface(self) -> IPv4Interface | IPv6Interface:
        """The address with its prefix."""
        return ip_interface((self.packed, self.prefixlen))

    @property
    def key(self) -> Key:
        """What the kernel tells it by."""
        return ("address", self.ifindex, self.interface)

    @property
    def usable(self) -> bool:
        """Not (or no longer) subject to duplicate address detection."""
        return not self.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)


Footing = tuple[tuple[Link, int], ...]
"""What routes stand on, see `LinkTable.footing`."""


class LinkTable:
    """Links, and addresses by interface, followed on `loop`.

    `on_change` is called after each batch of events that changed something; after it
    `on_lost(key, port_id)` for each address, watched route and rule that was removed, and not set
    again meanwhile, by a socket that is none of `ours`; 0 is the kernel itself. `on_overrun` is
    called when events were lost, after everything has been read anew: `holds()` then tells what is
    missing. `room` is the size of the kernel's queue for us, bytes. Thread: cold.
    """

    def __init__(
        self,
        loop: Loop,
        on_change: Callable[[], object],
        on_lost: Callable[[Key, int], object],
        on_overrun: Callable[[], object] = lambda: None,
        *,
        room: int = RECEIVE_ROOM,
    ) -> None:
        self._loop = loop
        self._on_change = on_change
        self._on_lost = on_lost
        self._on_overrun = on_overrun
        self.ours: set[int] = set()
        """Port ids of the sockets that set and remove in our name."""
        self._hidden: set[int] = set()
        self._protocols: frozenset[int] = frozenset()
        self._changed = False
        self._overran = False
        self._lost: dict[Key, int] = {}
        self._generations = count(1)
        self._links: dict[int, Link] = {}
        self._names: dict[str, int] = {}
        self._addresses: dict[int, dict[tuple[bytes, int], HostAddress]] = {}
        self._removals: dict[int, int] = {}
        self._policies: set[Key] = set()
        # before the first dump, so that nothing is missed
        self._route = RouteSocket(_GROUPS, room=room)
        try:
            self._read_all()
            loop.add_reader(self._route.fileno(), self._on_readable)
        except BaseException:
            self._route.close()
            raise

    def close(self) -> None:
        """Stop following; may be repeated."""
        if self._route.fileno() >= 0:
            self._loop.remove_reader(self._route.fileno())
            self._route.close()

    def ignore(self, port_id: int) -> None:
        """Count the netlink socket `port_id` among `ours`, and do not be woken for addresses that
        it adds: to wake another CPU costs the hot thread 30 us between an address and its
        gratuitous ARP. Removals are news even so: with an address of ours others may go."""
        self.ours.add(port_id)
        self._hidden.add(port_id)
        self._filter()

    # ---- what there is ----

    def link(self, name: str) -> Link | None:
        """Return the interface `name`."""
        index = self._names.get(name)
        return None if index is None else self._links[index]

    def by_index(self, index: int) -> Link | None:
        """Return the interface with number `index`."""
        return self._links.get(index)

    def links(self) -> list[Link]:
        """Return all interfaces."""
        return list(self._links.values())

    def addresses(self, index: int) -> list[HostAddress]:
        """Return the addresses of interface `index`, in the kernel's order."""
        return list(self._addresses.get(index, {}).values())

    def address(self, key: Key) -> HostAddress | None:
        """Return the address that the kernel tells by `key`, without those that sockets of
        `ignore` have added since everything was read."""
        kind, index, interface = key if len(key) == 3 else (None, None, None)
        if (
            kind != "address"
            or not isinstance(index, int)
            or not isinstance(interface, IPv4Interface | IPv6Interface)
        ):
            return None
        known = self._addresses.get(index, {})
        return known.get((interface.packed, interface.network.prefixlen))

    def holds(self, key: Key) -> bool:
        """Tell if the kernel has the address, or the watched route or rule `key`, as far as it was
        read (at the beginning and after an overrun) and removals since: additions of the sockets of
        `ignore`, and of routes and rules, are no news."""
        return key in self._policies or self.address(key) is not None

    def footing(self, links: Iterable[tuple[str, int]]) -> Footing | None:
        """Return what a route over `links` (name, ifindex) stands on: when it is another one than
        before, the kernel may have dropped the route without a word, as it does when an interface
        goes down or loses its last address. None: one of `links` is not there, or another one."""
        found = []
        for name, index in links:
            link = self.link(name)
            if link is None or link.index != index:
                return None
            found.append((link, self._removals.get(index, 0)))
        return tuple(found)

    # ---- following ----

    def _read_all(self) -> None:
        self._links.clear()
        self._names.clear()
        self._addresses.clear()
        for raw in (*dump(packed(RTM_GETLINK, bytes(16))), *dump(packed(RTM_GETADDR, bytes(8)))):
            self._take(raw)
        self._changed = True

    def _filter(self) -> None:
        self._route.filter(news_filter(self._hidden, self._protocols))

    def catch_up(self) -> None:
        """Take in what the kernel has told so far, without calling anybody: they are called from
        the loop."""
        self._read()
        self._loop.call_later(0, self._tell)

    def _on_readable(self) -> None:
        self._read()
        self._tell()

    def _read(self) -> None:
        try:
            for raw in self._route.read(_AT_ONCE):
                self._take(raw)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self._overran = True
            self._route.discard()  # older than what is read now
            log.warning(
                "kernel events were lost (the netlink queue overran); reading everything anew"
            )
            self._read_all()

    def _tell(self) -> None:
        lost, self._lost = self._lost, {}
        changed, self._changed = self._changed, False
        overran, self._overran = self._overran, False
        if changed:
            self._on_change()
        if overran:
            self._on_overrun()
            return
        for key, port in lost.items():
            if self.address(key) is None:
                self._on_lost(key, port)

    def _take(self, raw: Raw) -> None:
        """Apply one message."""
        kind = raw.kind
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            self._take_address(raw)
        elif kind in (RTM_NEWLINK, RTM_DELLINK):
            self._take_link(raw)

    def _take_link(self, raw: Raw) -> None:
        data = raw.data
        if len(data) < HEADER_SIZE + _LINK.size:
            return
        family, _, index, flags, _ = _LINK.unpack_from(data, HEADER_SIZE)
        if family == socket.AF_BRIDGE:
            return  # a bridge port's own view of the same link
        known = self._links.get(index)
        if known is not None and self._names.get(known.name) == index:
            del self._names[known.name]
        if raw.kind == RTM_DELLINK:
            self._forget_link(index)
            return
        found = attributes(data, HEADER_SIZE + _LINK.size)
        link = Link(
            index=index,
            generation=known.generation if known else next(self._generations),
            name=_text(found.get(_IFLA_IFNAME, b"")),
            flags=flags,
            mac=found.get(_IFLA_ADDRESS, b""),
            mtu=_number(found.get(_IFLA_MTU)) or 0,
            kind=_kind(found.get(_IFLA_LINKINFO, b"")),
            base=None if _IFLA_LINK_NETNSID in found else _number(found.get(_IFLA_LINK)),
            master=_number(found.get(_IFLA_MASTER)),
        )
        self._changed |= link != known
        self._links[index] = link
        self._names[link.name] = index

    def _forget_link(self, index: int) -> None:
        self._changed |= self._links.pop(index, None) is not None
        self._addresses.pop(index, None)
        self._removals.pop(index, None)

    def _take_address(self, raw: Raw) -> None:
        data = raw.data
        if len(data) < HEADER_SIZE + _ADDRESS.size:
            return
        _, prefixlen, flags, _, index = _ADDRESS.unpack_from(data, HEADER_SIZE)
        found = attributes(data, HEADER_SIZE + _ADDRESS.size)
        ip = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
        if ip is None or len(ip) not in (4, 16) or prefixlen > 8 * len(ip):
            return
        wide = _number(found.get(_IFA_FLAGS))
        protocol = found.get(_IFA_PROTO)
        address = HostAddress(
            index,
            ip,
            prefixlen,
            flags if wide is None else wide,
            protocol[0] if protocol else None,
        )
        if raw.kind == RTM_DELADDR:
            self._remove(address, raw.port)
            return
        known = self._addresses.setdefault(index, {})
        self._changed |= known.get((ip, prefixlen)) != address
        known[ip, prefixlen] = address

    def _remove(self, address: HostAddress, port: int) -> None:
        index = address.ifindex
        known = self._addresses.get(index, {})
        gone = known.pop((address.packed, address.prefixlen), None)
        if index in self._links:
            self._removals[index] = self._removals.get(index, 0) + 1
        self._changed |= gone is not None or bool(self._protocols)
        if port not in self.ours:
            self._lost[address.key] = port


def _text(name: bytes) -> str:
    """Return a name of the kernel, which may be any bytes; what is no UTF-8 cannot be configured,
    and is shown."""
    return name.rstrip(b"\0").decode(errors="backslashreplace")


def _number(value: bytes | None) -> int | None:
    if value is None or len(value) != _U32.size:
        return None
    return int(_U32.unpack(value)[0])


def _kind(info: bytes) -> str | None:
    kind = attributes(info, 0).get(_IFLA_INFO_KIND)
    return _text(kind) if kind else None
