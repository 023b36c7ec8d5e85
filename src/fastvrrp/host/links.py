"""The kernel's links and addresses, kept up to date, and the news of what others remove: what
decides whether a router can take part, and whether it still holds what it has set."""

import errno
import logging
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
    ip_interface,
)
from itertools import count
from typing import TYPE_CHECKING

from pyroute2.netlink.rtnl import (
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_DELROUTE,
    RTM_DELRULE,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
)

from fastvrrp.clock import NS_PER_SECOND, monotonic_ns
from fastvrrp.errors import KernelError
from fastvrrp.host.holding import Holding, Kind
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
from fastvrrp.reactor import Handle, Loop

if TYPE_CHECKING:
    from fastvrrp.host.policies import Policies

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
_REST = 10_000_000  # ns
_AGAIN = 100_000_000  # ns

_LINK = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change
_ADDRESS = struct.Struct("=BBBBI")  # struct ifaddrmsg: family, prefix, flags, scope, index
_U32 = struct.Struct("=I")
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_MASTER = 1, 3, 4, 5, 10
_IFLA_LINKINFO, _IFLA_LINK_NETNSID, _IFLA_NEW_NETNSID = 18, 37, 45
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_IFLA_VRF_TABLE = 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS, _IFA_PROTO = 1, 2, 8, 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One interface. `generation` tells one that left and came back from what it was before: the
    kernel forgets sockets' memberships even if name and index are the same. `kind` is that of a
    virtual one, for example "macvlan"; `base` the index of the one below it, None also when that is
    in another network namespace; `master` that of the bridge, bond or VRF that it is part of.
    `vrf_table` is the routing table of a VRF."""

    index: int
    generation: int
    name: str
    flags: int
    mac: bytes
    mtu: int
    kind: str | None = None
    base: int | None = None
    master: int | None = None
    vrf_table: int | None = None

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

    `on_change` is called after each batch of events that changed something, at most every 10 ms for
    nothing but additions of addresses: there may come thousands, one by one. After it
    `on_lost(key, port_id)` for each address, watched route and rule that was removed and not set
    again meanwhile: by one of `ours`, with which others may have gone that somebody still holds, by
    another socket, or by the kernel itself (0). `on_overrun` is called when events were lost, after
    everything has been read anew: `holds()` then tells what is missing. `room` is the size of the
    kernel's queue for us, bytes. Thread: cold.
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
        self._changed = False
        self._can_wait = True
        self._overran = False
        self._told = 0
        self._later: Handle | None = None
        self._lost: dict[Key, int] = {}
        self._generations = count(1)
        self._links: dict[int, Link] = {}
        self._names: dict[str, int] = {}
        self._addresses: dict[int, dict[tuple[bytes, int], HostAddress]] = {}
        self._removals: dict[int, int] = {}
        self._policies: Policies | None = None
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
        if self._later is not None:
            self._later.cancel()
        if self._route.fileno() >= 0:
            self._loop.remove_reader(self._route.fileno())
            self._route.close()

    def ignore(self, port_id: int) -> None:
        """Count the netlink socket `port_id` among `ours`, and do not be woken for addresses that
        it adds: to wake another CPU costs the hot thread 30 us between an address and its
        gratuitous ARP. Removals are news even so."""
        self.ours.add(port_id)
        self._hidden.add(port_id)
        self._filter()

    def watch_routes(self, protocols: Iterable[int]) -> None:
        """Follow the removal of rules and of routes that carry one of `protocols` (0..255); the
        kernel drops news of others for us, however many there are. None at all: follow neither.
        Raises KernelError."""
        from fastvrrp.host.policies import GROUPS, Policies  # noqa: PLC0415 - slow to load

        wanted = frozenset(protocols)
        before = frozenset[int]() if self._policies is None else self._policies.protocols
        if wanted == before:
            return
        if bool(wanted) != bool(before):
            self._route.subscribe(GROUPS, on=bool(wanted))
        self._policies = Policies(wanted) if wanted else None
        self._filter()

    def catch_up(self) -> None:
        """Take in at once what the kernel has told; the callbacks follow later."""
        self._read(sys.maxsize)
        self._loop.call_later(0, self._tell)

    def renew(self, index: int) -> None:
        """Let interface `index` count as another one, as if it had left and come back: sockets on
        it are opened anew. The caller sees to that."""
        known = self._links.get(index)
        if known is not None:
            self._links[index] = replace(known, generation=next(self._generations))

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
        is_policy = self._policies is not None and key in self._policies.keys
        return is_policy or self.address(key) is not None

    def footing(self, holding: Holding) -> Footing | None:
        """Return what `holding` stands on: when that is another one than before, the kernel may
        have dropped a route without a word, as it does when an interface goes down or loses its
        last address. None: one of its interfaces is not there, or another one."""
        below = [(self.link(name), index) for name, index in holding.links]
        if any(link is None or link.index != index for link, index in below):
            return None
        found = [link for link, _ in below if link is not None]
        if holding.kind is Kind.ROUTE and not found:  # the kernel chooses the interface
            found = self.links()
        return tuple((link, self._removals.get(link.index, 0)) for link in found)

    # ---- following ----

    def _read_all(self) -> None:
        """Read everything anew; raises KernelError, and what was known stays."""
        links, addresses = (
            dump(packed(kind, bytes(size)))
            for kind, size in ((RTM_GETLINK, _LINK.size), (RTM_GETADDR, _ADDRESS.size))
        )
        if self._policies is not None:
            self._policies.read()
        self._links.clear()
        self._names.clear()
        self._addresses.clear()
        for raw in (*links, *addresses):
            self._take(raw)
        self._note_change()

    def _read_again(self) -> None:
        try:
            self._read_all()
        except KernelError as error:
            log.error("%s; trying again", error)
            self._loop.call_later(_AGAIN / NS_PER_SECOND, self._read_late)

    def _read_late(self) -> None:
        if self._route.fileno() >= 0:
            self._overran = True
            self._read_again()
            self._tell()

    def _filter(self) -> None:
        self._route.filter(
            news_filter(self._hidden, self._policies.protocols if self._policies else ())
        )

    def _on_readable(self) -> None:
        self._read(_AT_ONCE)
        self._tell()

    def _read(self, limit: int) -> None:
        try:
            for raw in self._route.read(limit):
                self._take(raw)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self._overran = True
            self._route.discard()  # older than what is read now
            log.warning(
                "kernel events were lost (the netlink queue overran); reading everything anew"
            )
            self._read_again()

    def _tell(self) -> None:
        if self._route.fileno() < 0:
            return
        lost, self._lost = self._lost, {}
        overran, self._overran = self._overran, False
        if self._changed and self._can_wait and monotonic_ns() - self._told < _REST:
            if self._later is None:
                self._later = self._loop.call_later(_REST / NS_PER_SECOND, self._tell_change)
        elif self._changed:
            self._tell_change()
        if overran:
            self._on_overrun()
            return
        for key, port in lost.items():
            if not self.holds(key):
                self._on_lost(key, port)

    def _tell_change(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._changed, self._can_wait = False, True
        self._told = monotonic_ns()
        self._on_change()

    def _take(self, raw: Raw) -> None:
        """Apply one message."""
        kind = raw.kind
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            self._take_address(raw)
        elif kind in (RTM_NEWLINK, RTM_DELLINK):
            self._take_link(raw)
        elif kind in (RTM_DELROUTE, RTM_DELRULE) and self._policies is not None:
            self._lost.update(dict.fromkeys(self._policies.removed(raw), raw.port))

    def _note_change(self) -> None:
        self._changed, self._can_wait = True, False

    def _take_link(self, raw: Raw) -> None:
        data = raw.data
        if len(data) < HEADER_SIZE + _LINK.size:
            return
        family, _, index, flags, _ = _LINK.unpack_from(data, HEADER_SIZE)
        if family == socket.AF_BRIDGE:
            return  # a bridge port's own view of the same link
        known = self._links.get(index)
        found = attributes(data, HEADER_SIZE + _LINK.size)
        if raw.kind == RTM_DELLINK:
            if known is not None and _IFLA_NEW_NETNSID in found:
                log.info("Interface %s was moved to another network namespace", known.name)
            self._forget_link(index)
            return
        generation = next(self._generations) if known is None else known.generation
        link = _link(index, generation, flags, found)
        if known is not None and known.name != link.name:
            log.info("Interface %s was renamed to %s", known.name, link.name)
        self._put(link)

    def _put(self, link: Link) -> None:
        known = self._links.get(link.index)
        if link == known:
            return
        if known is not None and known.flags & IFF_UP and not link.flags & IFF_UP:
            self._count_loss(link.index)  # it may be up again before anybody looks
        self._forget_name(known)
        self._links[link.index] = link
        self._names[link.name] = link.index
        self._note_change()

    def _count_loss(self, index: int) -> None:
        """Routes over an interface may be gone, see `footing`."""
        self._removals[index] = self._removals.get(index, 0) + 1

    def _forget_name(self, link: Link | None) -> None:
        if link is not None and self._names.get(link.name) == link.index:
            del self._names[link.name]

    def _forget_link(self, index: int) -> None:
        known = self._links.pop(index, None)
        self._forget_name(known)
        if known is not None:
            self._note_change()
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
        if known.get((ip, prefixlen)) != address:
            self._changed = True
        known[ip, prefixlen] = address

    def _remove(self, address: HostAddress, port: int) -> None:
        index = address.ifindex
        known = self._addresses.get(index, {})
        gone = known.pop((address.packed, address.prefixlen), None)
        if index in self._links:
            self._count_loss(index)
        if gone is not None or self._policies is not None:
            self._note_change()
        self._lost[address.key] = port


def _text(name: bytes) -> str:
    """Return a name of the kernel, which may be any bytes; what is no UTF-8 cannot be configured,
    and is shown."""
    return name.rstrip(b"\0").decode(errors="backslashreplace")


def _number(value: bytes | None) -> int | None:
    if value is None or len(value) != _U32.size:
        return None
    return int(_U32.unpack(value)[0])


def _link(index: int, generation: int, flags: int, found: dict[int, bytes]) -> Link:
    info = attributes(found.get(_IFLA_LINKINFO, b""), 0)
    kind = _text(info.get(_IFLA_INFO_KIND, b"")) or None
    vrf = attributes(info.get(_IFLA_INFO_DATA, b""), 0) if kind == "vrf" else {}
    return Link(
        index=index,
        generation=generation,
        name=_text(found.get(_IFLA_IFNAME, b"")),
        flags=flags,
        mac=found.get(_IFLA_ADDRESS, b""),
        mtu=_number(found.get(_IFLA_MTU)) or 0,
        kind=kind,
        base=None if _IFLA_LINK_NETNSID in found else _number(found.get(_IFLA_LINK)),
        master=_number(found.get(_IFLA_MASTER)),
        vrf_table=_number(vrf.get(_IFLA_VRF_TABLE)),
    )
