"""The kernel's links and addresses, kept up to date: what decides whether a router can take
part."""

import errno
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

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
    """One interface."""

    index: int
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

    `on_change` is called with the index of an interface after each event that concerned it, and
    once with 0 after the kernel's queue overran and everything was read anew.
    """

    def __init__(self, loop: Loop, on_change: Callable[[int], None]) -> None:
        self._loop = loop
        self._on_change = on_change
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

    def ignore_additions_by(self, port_id: int) -> None:
        """Do not be woken for addresses that the netlink socket `port_id` adds: to wake another CPU
        costs the hot thread 30 us between an address and its gratuitous ARP. Removals are news even
        so: with an address of ours others may go."""
        self._route.hide(RTM_NEWADDR, port_id)

    def link(self, name: str) -> Link | None:
        """Return the interface `name`."""
        return next((link for link in self._links.values() if link.name == name), None)

    def name(self, index: int) -> str | None:
        """Return the name of interface `index`."""
        link = self._links.get(index)
        return link.name if link else None

    def addresses(self, index: int) -> list[HostAddress]:
        """Return the addresses of interface `index`, in the kernel's order."""
        return [a for (ifindex, _), a in self._addresses.items() if ifindex == index]

    @property
    def marks_addresses(self) -> bool:
        """True when the kernel keeps IFA_PROTO (5.18 and later), so that our addresses can be
        told apart."""
        return any(a.protocol is not None for a in self._addresses.values())

    def _read_all(self) -> None:
        self._links.clear()
        self._addresses.clear()
        for message in (*dump_links(), *dump_addresses()):
            self._take(message)

    def _on_readable(self) -> None:
        touched: dict[int, None] = {}
        try:
            for message in self._route.read():
                index = self._take(message)
                if index is not None:
                    touched[index] = None
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self._route.discard()  # older than what is read now
            log.warning(
                "kernel events were lost (the netlink queue overran); reading everything anew"
            )
            self._read_all()
            touched[0] = None
        for index in touched:
            self._on_change(index)

    def _take(self, message: Message) -> int | None:
        """Apply one message; returns the index of the interface that it concerns."""
        kind = message["header"]["type"]
        if kind in (RTM_NEWLINK, RTM_DELLINK):
            return self._take_link(message, gone=kind == RTM_DELLINK)
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            return self._take_address(message, gone=kind == RTM_DELADDR)
        return None

    def _take_link(self, message: Message, *, gone: bool) -> int | None:
        index = int(message["index"])
        if message["family"] == socket.AF_BRIDGE:
            return None  # a bridge port's own view of the same link
        if gone:
            self._links.pop(index, None)
            for key in [k for k in self._addresses if k[0] == index]:
                del self._addresses[key]
            return index
        mac = message.get_attr("IFLA_ADDRESS") or ""
        self._links[index] = Link(
            index=index,
            name=message.get_attr("IFLA_IFNAME"),
            flags=message["flags"],
            mac=bytes.fromhex(mac.replace(":", "")),
            mtu=message.get_attr("IFLA_MTU") or 0,
        )
        return index

    def _take_address(self, message: Message, *, gone: bool) -> int | None:
        index = int(message["index"])
        text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        if text is None:
            return None
        interface = ip_interface(f"{text}/{message['prefixlen']}")
        key = (index, interface)
        if gone:
            self._addresses.pop(key, None)
        else:
            flags = message.get_attr("IFA_FLAGS")
            self._addresses[key] = HostAddress(
                ifindex=index,
                interface=interface,
                flags=message["flags"] if flags is None else flags,
                protocol=message.get_attr("IFA_PROTO"),
            )
        return index
