"""Port: the receiving and the sending socket of one interface, family, protocol and kind.

Sockets are opened cold and handed to the loop as descriptors. Multicast ports join the group on
their interface and hear what else is sent to it (a unicast advert for a multicast router is worth
a counter); unicast ports are bound to their source address.
"""

import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from fastvrrp.errors import KernelError

__all__ = ["GROUP_V4", "GROUP_V6", "Port", "PortKey"]

GROUP_V4 = IPv4Address("224.0.0.18")
GROUP_V6 = IPv6Address("ff02::12")

PROTOCOL_VRRP = 112
PROTOCOL_AH = 51

_INTERNET_CONTROL = 0xC0  # type of service and traffic class, as RFC 791 calls it
_PRIORITY_CONTROL = 7  # TC_PRIO_CONTROL: ahead of bulk traffic in our own queue

# <linux/in.h>, <linux/in6.h>, <asm-generic/socket.h>; the socket module does not have them.
_IP_MULTICAST_ALL = 49
_IPV6_MULTICAST_ALL = 29
_SO_TIMESTAMPNS = 35


@dataclass(frozen=True, slots=True, kw_only=True)
class PortKey:
    """What makes two routers share a port. `source` is set for unicast only, and then bound.

    `generation` differs when the interface left and came back: the membership is gone then.
    """

    interface: str
    ifindex: int
    generation: int
    family: int
    ah: bool
    source: IPv4Address | IPv6Address | None

    @property
    def protocol(self) -> int:
        """IP protocol: 112, or 51 with an authentication header."""
        return PROTOCOL_AH if self.ah else PROTOCOL_VRRP


class Port:
    """The sockets of `key`; raises KernelError when they cannot be opened (CAP_NET_RAW is
    needed)."""

    def __init__(self, key: PortKey) -> None:
        self.key = key
        self._sockets: list[socket.socket] = []
        try:
            if key.family == 4:
                self.receiver = self._open(socket.AF_INET, key.protocol)
                self._set_up_receiver_v4()
                self.sender = self._open(socket.AF_INET, socket.IPPROTO_RAW)
                self._set_up_sender_v4()
            else:
                self.receiver = self.sender = self._open(socket.AF_INET6, key.protocol)
                self._set_up_v6()
        except OSError as error:
            self.close()
            raise KernelError("open VRRP socket on", key.interface, error.errno or 0) from error

    def close(self) -> None:
        """Close the sockets; may be repeated."""
        for each in self._sockets:
            each.close()
        self._sockets.clear()

    def _open(self, family: int, protocol: int) -> socket.socket:
        opened = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        self._sockets.append(opened)
        opened.setsockopt(
            socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.key.interface.encode() + b"\0"
        )
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, _PRIORITY_CONTROL)
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        return opened

    def _set_up_receiver_v4(self) -> None:
        receiver = self.receiver
        receiver.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        if self.key.source is not None:
            receiver.setsockopt(socket.SOL_IP, getattr(socket, "IP_FREEBIND", 15), 1)
            receiver.bind((str(self.key.source), 0))
            return
        group = struct.pack("@4s4si", GROUP_V4.packed, bytes(4), self.key.ifindex)
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)

    def _set_up_sender_v4(self) -> None:
        sender = self.sender
        interface = struct.pack("@4s4si", bytes(4), bytes(4), self.key.ifindex)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)

    def _set_up_v6(self) -> None:
        both = self.receiver
        options = (
            (socket.IPV6_RECVPKTINFO, 1),
            (socket.IPV6_RECVHOPLIMIT, 1),
            (socket.IPV6_MULTICAST_HOPS, 255),
            (socket.IPV6_UNICAST_HOPS, 255),
            (socket.IPV6_TCLASS, _INTERNET_CONTROL),
            (socket.IPV6_MULTICAST_LOOP, 0),
            (socket.IPV6_MULTICAST_IF, self.key.ifindex),
            (_IPV6_MULTICAST_ALL, 0),
        )
        for option, value in options:
            both.setsockopt(socket.IPPROTO_IPV6, option, value)
        if self.key.source is not None:
            both.setsockopt(socket.SOL_IP, getattr(socket, "IP_FREEBIND", 15), 1)
            both.bind((str(self.key.source), 0, 0, self.key.ifindex))
            return
        group = struct.pack("@16si", GROUP_V6.packed, self.key.ifindex)
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
