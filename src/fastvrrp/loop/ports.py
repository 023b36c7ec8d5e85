"""Port: the receiving and the sending socket of one interface, family, protocol and kind.

Sockets are opened cold and handed to the loop as descriptors. Multicast ports join the group on
their interface and hear what else is sent to it (a unicast advert for a multicast router is worth
a counter); unicast ports are bound to their source address.
"""

import socket
import struct
from array import array
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from fastvrrp.errors import KernelError

__all__ = ["Port", "PortKey", "open_packet_socket"]

PROTOCOL_VRRP = 112
PROTOCOL_AH = 51

_INTERNET_CONTROL = 0xC0  # type of service and traffic class, as RFC 791 calls it
_PRIORITY_CONTROL = 7  # TC_PRIO_CONTROL: ahead of bulk traffic in our own queue

# <linux/in.h>, <linux/in6.h>, <asm-generic/socket.h>; the socket module does not have them.
_IP_MULTICAST_ALL = 49
_IPV6_MULTICAST_ALL = 29
_IPV6_FREEBIND = 78
_SO_TIMESTAMPNS = 35
_SO_ATTACH_FILTER = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class PortKey:
    """What makes two routers share a port. `source` is set for unicast only, and then bound; else
    `group` is joined. `unicast_hops`: the hop limit of unicast IPv6 (in IPv4 the datagrams have
    their TTL).

    `generation` differs when the interface left and came back: the membership is gone then.
    """

    interface: str
    ifindex: int
    generation: int
    family: int
    ah: bool
    source: IPv4Address | IPv6Address | None
    group: IPv4Address | IPv6Address
    unicast_hops: int = 255

    @property
    def protocol(self) -> int:
        """IP protocol: 112, or 51 with an authentication header."""
        return PROTOCOL_AH if self.ah else PROTOCOL_VRRP

    @property
    def other_protocol(self) -> int:
        """The protocol of routers whose authentication is of the other kind."""
        return PROTOCOL_VRRP if self.ah else PROTOCOL_AH


class Port:
    """The sockets of `key`; raises KernelError when they cannot be opened (CAP_NET_RAW is
    needed)."""

    def __init__(self, key: PortKey) -> None:
        self.key = key
        self._sockets: list[socket.socket] = []
        self.other: socket.socket | None = None
        """Hears the group's routers of the other protocol: what they send is rejected, and told."""
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
        self._join_v4(receiver)
        self.other = self._open(socket.AF_INET, self.key.other_protocol)
        self.other.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        _take_only(self.other, self.key.group)
        self._join_v4(self.other)

    def _join_v4(self, receiver: socket.socket) -> None:
        group = struct.pack("@4s4si", self.key.group.packed, bytes(4), self.key.ifindex)
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
            (socket.IPV6_UNICAST_HOPS, self.key.unicast_hops),
            (socket.IPV6_TCLASS, _INTERNET_CONTROL),
            (socket.IPV6_MULTICAST_LOOP, 0),
            (socket.IPV6_MULTICAST_IF, self.key.ifindex),
            (_IPV6_MULTICAST_ALL, 0),
        )
        for option, value in options:
            both.setsockopt(socket.IPPROTO_IPV6, option, value)
        if self.key.source is not None:
            both.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
            both.bind((str(self.key.source), 0, 0, self.key.ifindex))
            return
        group = struct.pack("@16si", self.key.group.packed, self.key.ifindex)
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)


def open_packet_socket(purpose: str) -> socket.socket:
    """Return a socket that sends whole frames on any interface, and hears nothing; raises
    KernelError, with `purpose` in it."""
    try:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, _PRIORITY_CONTROL)
    except OSError as error:
        raise KernelError("open packet socket for", purpose, error.errno or 0) from error
    return opened


def _take_only(receiver: socket.socket, group: IPv4Address | IPv6Address) -> None:
    """Let the kernel drop what is not for the IPv4 `group`: a host may have other uses for AH."""
    # <linux/filter.h>: load the destination; equal? take the packet, else none of it
    program = array("B")
    for code, jump_true, jump_false, value in (
        (0x20, 0, 0, 16),
        (0x15, 0, 1, int(group)),
        (0x06, 0, 0, 0xFFFF),
        (0x06, 0, 0, 0),
    ):
        program.frombytes(struct.pack("=HBBI", code, jump_true, jump_false, value))
    address, size = program.buffer_info()
    attached = struct.pack("@HP", size // 8, address)
    receiver.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attached)
