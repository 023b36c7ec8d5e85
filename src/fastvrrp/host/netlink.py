"""An rtnetlink socket whose messages pyroute2 encodes and parses; no event loop of its own."""

import ctypes
import errno
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any

from pyroute2.netlink import (
    NLM_F_DUMP,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
)
from pyroute2.netlink.rtnl import RTM_GETADDR, RTM_GETLINK
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from fastvrrp.errors import KernelError

__all__ = ["Message", "RouteSocket", "encode"]

Message = Any
"""A pyroute2 message: a mapping with `header` and `get_attr()`."""

_SO_RCVBUFFORCE = 33
_SO_ATTACH_FILTER = 26
_LOAD_WORD, _LOAD_HALF, _JUMP_EQUAL, _RETURN = 0x20, 0x28, 0x15, 0x06  # classic BPF
_TYPE_AT, _PORT_AT = 4, 12  # in struct nlmsghdr
_RECEIVE_ROOM = 4 << 20  # bytes: a storm of foreign addresses must not cost us an event
_READ_SIZE = 1 << 17


def encode(message: Message, *, kind: int, flags: int, sequence: int) -> bytes:
    """Return `message` as bytes with its header filled in."""
    message["header"]["type"] = kind
    message["header"]["flags"] = flags
    message["header"]["sequence_number"] = sequence
    message["header"]["pid"] = 0
    message.encode()
    return bytes(message.data)


class RouteSocket:
    """A non-blocking NETLINK_ROUTE socket, subscribed to `groups` (a bit mask of RTMGRP_*)."""

    def __init__(self, groups: int = 0) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        self._marshal = MarshalRtnl()
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_ROOM)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_ROOM)
        self._socket.bind((0, groups))

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close; may be repeated."""
        self._socket.close()

    @property
    def port_id(self) -> int:
        """What the kernel calls this socket in the messages that its requests cause."""
        return int(self._socket.getsockname()[0])

    def hide(self, kind: int, port_id: int) -> None:
        """Let the kernel drop messages of type `kind` that the socket `port_id` has caused: they
        wake nobody."""
        program = (
            (_LOAD_HALF, 0, 0, _TYPE_AT),
            (_JUMP_EQUAL, 0, 3, _as_loaded(kind, 2)),
            (_LOAD_WORD, 0, 0, _PORT_AT),
            (_JUMP_EQUAL, 0, 1, _as_loaded(port_id, 4)),
            (_RETURN, 0, 0, 0),
            (_RETURN, 0, 0, 0xFFFFFFFF),
        )
        code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
        memory = ctypes.create_string_buffer(code, len(code))
        header = struct.pack("@HP", len(program), ctypes.addressof(memory))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)

    def send(self, request: bytes) -> None:
        """Hand `request` to the kernel, which carries it out before this returns."""
        self._socket.send(request)

    def read(self) -> Iterator[Message]:
        """Yield what has arrived, until nothing is left; raises OSError(ENOBUFS) after an overrun.

        Only the kernel is believed: messages of other processes are dropped.
        """
        while True:
            try:
                data, (sender, _) = self._socket.recvfrom(_READ_SIZE)
            except BlockingIOError:
                return
            if sender == 0:
                yield from self._marshal.parse(data)

    def discard(self) -> None:
        """Throw away what has arrived."""
        while True:
            try:
                self._socket.recv(_READ_SIZE)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise


def _as_loaded(value: int, size: int) -> int:
    """Return what classic BPF, which reads network order, sees of a field in host order."""
    return int.from_bytes(value.to_bytes(size, sys.byteorder), "big")


def dump_links() -> list[Message]:
    """Return every link of this network namespace."""
    return _dump(ifinfmsg(), RTM_GETLINK)


def dump_addresses() -> list[Message]:
    """Return every address of this network namespace."""
    return _dump(ifaddrmsg(), RTM_GETADDR)


def _dump(request: Message, kind: int) -> list[Message]:
    route = RouteSocket()
    route._socket.setblocking(True)
    try:
        route.send(encode(request, kind=kind, flags=NLM_F_REQUEST | NLM_F_DUMP, sequence=1))
        found: list[Message] = []
        while True:
            data = route._socket.recv(_READ_SIZE)
            for message in route._marshal.parse(data):
                if message["header"]["type"] == NLMSG_DONE:
                    return found
                if message["header"]["type"] == NLMSG_ERROR:
                    raise KernelError("list", "interfaces", abs(message["error"]))
                found.append(message)
    finally:
        route.close()
