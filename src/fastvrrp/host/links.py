"""The kernel's links and addresses, kept up to date: what decides whether a router can take
part."""

import errno
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from itertools import count

from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR, RTM_NEWLINK

from fastvrrp.host.netlink import Message, RouteSocket, dump_addresses, dump_links
from fastvrrp.reactor import Loop

__all__ = ["HostAddress", "Link", "LinkTable"]

log = logging.getLogger("fastvrrp.host")

IFF_UP = 0x1
IFF_RUNNING = 0x40
IFF_NOARP = 0x80

IFA_F_DADFAILED = 0x08
IFA_F_TENTATIVE = 0x40

_GROUPS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One interface. `generation` tells one that left and came back from what it was before: the
    kernel forgets sockets' memberships even if name and index are the same."""

    index: int
    generation: int
    name: str
    flags: int
    mac: bytes
    mtu: int

    @property
    def up(self) -> bool:
        """Administratively up, and with carrier."""
        return self.flags & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING

    @property
    def arp(self) -> bool:
        """True when neighbours are resolved on it, so that announcements have a meaning."""
        return not self.flags & IFF_NOARP and len(self.mac) == 6


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAddress:
    """One address of an interface. `protocol` is IFA_PROTO, None on kernels before 5.18."""

    ifindex: int
    interface: IPv4Interface | IPv6Interface
    flags: int
    protocol: int | None

    @property
    def usable(self) -> bool:
        """Not (or no longer) subject to duplicate address detection."""
        return not self.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)


class LinkTable:
    """Links by index and addresses by (ifindex, address), followed on `loop`.

    `on_change` is called after each batch of events, `on_lost` after it for each address that
    somebody else than `ours` (the netlink socket that sets virtual addresses) has removed.
    """

    def __init__(
        self,
        loop: Loop,
        on_change: Callable[[], None],
        on_lost: Callable[[int, IPv4Interface | IPv6Interface], None],
    ) -> None:
        self._loop = loop
        self._on_change = on_change
        self._on_lost = on_lost
        self._ours = 0
        self._lost: list[tuple[int, IPv4Interface | IPv6Interface]] = []
        self._generations = count(1)
        self._links: dict[int, Link] = {}
        self._addresses: dict[tuple[int, object], HostAddress] = {}
        self._route = RouteSocket(_GROUPS)  # before the first dump, so that nothing is missed
        self._read_all()
        loop.add_reader(self._route.fileno(), self._on_readable)

    def close(self) -> None:
        """Stop following; may be repeated."""
        if self._route.fileno() >= 0:
            self._loop.remove_reader(self._route.fileno())
            self._route.close()

    def ignore(self, port_id: int) -> None:
        """Do not be woken for addresses that the netlink socket `port_id` adds: to wake another CPU
        costs the hot thread 30 us between an address and its gratuitous ARP. Removals are news even
        so: with an address of ours others may go. What it removes itself is not lost."""
        self._ours = port_id
        self._route.hide(RTM_NEWADDR, port_id)

    def link(self, name: str) -> Link | None:
        """Return the interface `name`."""
        return next((link for link in self._links.values() if link.name == name), None)

    def addresses(self, index: int) -> list[HostAddress]:
        """Return the addresses of interface `index`, in the kernel's order."""
        return [a for (ifindex, _), a in self._addresses.items() if ifindex == index]

    def _read_all(self) -> None:
        self._links.clear()
        self._addresses.clear()
        for message in (*dump_links(), *dump_addresses()):
            self._take(message)

    def _on_readable(self) -> None:
        lost = self._lost
        lost.clear()
        try:
            for message in self._route.read():
                self._take(message)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self._route.discard()  # older than what is read now
            log.warning(
                "kernel events were lost (the netlink queue overran); reading everything anew"
            )
            self._read_all()
        self._on_change()
        for index, interface in lost:
            self._on_lost(index, interface)

    def _take(self, message: Message) -> None:
        """Apply one message."""
        kind = message["header"]["type"]
        if kind in (RTM_NEWLINK, RTM_DELLINK):
            self._take_link(message, gone=kind == RTM_DELLINK)
        elif kind in (RTM_NEWADDR, RTM_DELADDR):
            self._take_address(message, gone=kind == RTM_DELADDR)

    def _take_link(self, message: Message, *, gone: bool) -> None:
        index = int(message["index"])
        if message["family"] == socket.AF_BRIDGE:
            return  # a bridge port's own view of the same link
        if gone:
            self._links.pop(index, None)
            for key in [k for k in self._addresses if k[0] == index]:
                del self._addresses[key]
            return
        known = self._links.get(index)
        mac = message.get_attr("IFLA_ADDRESS") or ""
        self._links[index] = Link(
            index=index,
            generation=known.generation if known else next(self._generations),
            name=message.get_attr("IFLA_IFNAME"),
            flags=message["flags"],
            mac=bytes.fromhex(mac.replace(":", "")),
            mtu=message.get_attr("IFLA_MTU") or 0,
        )

    def _take_address(self, message: Message, *, gone: bool) -> None:
        index = int(message["index"])
        text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        if text is None:
            return
        interface = ip_interface(f"{text}/{message['prefixlen']}")
        key = (index, interface)
        if gone:
            self._addresses.pop(key, None)
            if message["header"]["pid"] != self._ours:
                self._lost.append((index, interface))
        else:
            flags = message.get_attr("IFA_FLAGS")
            self._addresses[key] = HostAddress(
                ifindex=index,
                interface=interface,
                flags=message["flags"] if flags is None else flags,
                protocol=message.get_attr("IFA_PROTO"),
            )
