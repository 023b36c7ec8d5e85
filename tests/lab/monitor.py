"""The addresses of one host, kept current by its kernel's announcements (rtnetlink)."""

import contextlib
import socket
import struct
import time
from ipaddress import ip_address

from lab.agent import Agent
from lab.events import AddressAdded, AddressRemoved, Event

NETLINK_ROUTE = 0
RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR = 0x10, 0x100
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
IFA_ADDRESS, IFA_LOCAL = 1, 2
HEADER = struct.Struct("IHHII")  # nlmsghdr
ADDRESS_MESSAGE = struct.Struct("BBBBI")  # ifaddrmsg
ATTRIBUTE = struct.Struct("HH")  # rtattr
READ_SIZE = 1 << 16
SO_RCVBUFFORCE = 33
RECEIVE_ROOM = 16 << 20  # for tests with very many addresses

Key = tuple[str, int, int]  # address, prefix, interface index


class AddressMonitor:
    """A netlink socket of a host; a source of events for the lab."""

    finished = False

    def __init__(self, agent: Agent, host: str) -> None:
        self._host = host
        self._held: dict[Key, int] = {}  # -> since when, ns
        self._socket = agent.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        self._socket.setblocking(False)
        with contextlib.suppress(PermissionError):  # in a user namespace
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_ROOM)
        self._socket.bind((0, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
        size = HEADER.size + ADDRESS_MESSAGE.size
        dump = HEADER.pack(size, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, 0)
        self._socket.send(dump + ADDRESS_MESSAGE.pack(socket.AF_UNSPEC, 0, 0, 0, 0))

    def fileno(self) -> int:
        """Readable when the kernel has announced something."""
        return self._socket.fileno()

    def drain(self) -> list[Event]:
        """Take in what the kernel has announced; an address that is only refreshed is no event."""
        events: list[Event] = []
        while True:
            try:
                data = self._socket.recv(READ_SIZE)
            except BlockingIOError:
                return events
            now = time.monotonic_ns()
            while len(data) >= HEADER.size:
                size, kind, *_ = HEADER.unpack_from(data)
                if kind in (RTM_NEWADDR, RTM_DELADDR):
                    events += self._apply(kind, _key(data[HEADER.size : size]), now)
                data = data[(size + 3) & ~3 :]

    @property
    def addresses(self) -> list[str]:
        """The addresses that the host holds now, without prefix."""
        return [address for address, _, _ in self._held]

    def since(self, address: str) -> int | None:
        """Since when the host holds an address (ns), or None."""
        return next((at for (held, _, _), at in self._held.items() if held == address), None)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def _apply(self, kind: int, key: Key, now: int) -> list[Event]:
        address, prefix, index = key
        event: type[AddressAdded | AddressRemoved]
        if kind == RTM_NEWADDR and key not in self._held:
            self._held[key] = now
            event = AddressAdded
        elif kind == RTM_DELADDR and self._held.pop(key, None) is not None:
            event = AddressRemoved
        else:
            return []
        return [event(at=now, host=self._host, address=address, prefix=prefix, index=index)]


def _key(message: bytes) -> Key:
    """Address, prefix and interface of an ifaddrmsg; IFA_LOCAL is the host's own end."""
    _, prefix, _, _, index = ADDRESS_MESSAGE.unpack_from(message)
    attributes = message[ADDRESS_MESSAGE.size :]
    found: dict[int, bytes] = {}
    while len(attributes) >= ATTRIBUTE.size:
        size, kind = ATTRIBUTE.unpack_from(attributes)
        found[kind] = attributes[ATTRIBUTE.size : size]
        attributes = attributes[(size + 3) & ~3 :]
    return str(ip_address(found.get(IFA_LOCAL) or found[IFA_ADDRESS])), prefix, index
