"""An rtnetlink socket, and its messages taken apart; no event loop of its own."""

import ctypes
import errno
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pyroute2.netlink import (
    NLM_F_ACK,
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
)
from pyroute2.netlink.rtnl import RTM_GETADDR
from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from fastvrrp.errors import KernelError

__all__ = [
    "HEADER_SIZE",
    "Answer",
    "Message",
    "Raw",
    "RouteSocket",
    "answer",
    "attributes",
    "decode",
    "dump",
    "dump_addresses",
    "encode",
    "numbered",
    "packed",
    "split",
]

Message = Any
"""A pyroute2 message: a mapping with `header` and `get_attr()`."""

HEADER_SIZE = 16
"""Of struct nlmsghdr, bytes."""

RECEIVE_ROOM = 4 << 20
"""Bytes: a storm of foreign addresses must not cost us an event."""

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_ERROR = struct.Struct("=i")
_TYPE_MASK = 0x3FFF  # without the bits for nested and network order
_READ_SIZE = 1 << 17
_DUMP_ATTEMPTS = 5

_SO_RCVBUFFORCE = 33
_SO_ATTACH_FILTER = 26
_SOL_NETLINK = 270
_ADD_MEMBERSHIP, _DROP_MEMBERSHIP = 1, 2
_CAP_ACK, _EXT_ACK, _GET_STRICT_CHK = 10, 11, 12
_ACK_TLVS = 0x200  # NLM_F_ACK_TLVS
_ERROR_TEXT = 1  # NLMSGERR_ATTR_MSG


class Raw(NamedTuple):
    """One message as it came: `data` is all of it, from its header on; `port` is the socket whose
    request has caused it, 0 for the kernel itself."""

    kind: int
    flags: int
    sequence: int
    port: int
    data: bytes


class Answer(NamedTuple):
    """What the kernel says to request `sequence`: `code` is an errno, 0 for success; `text` are its
    own words, where it has any."""

    sequence: int
    code: int
    text: str


def encode(message: Message, *, kind: int, flags: int, sequence: int) -> bytes:
    """Return `message` as bytes with its header filled in."""
    message["header"]["type"] = kind
    message["header"]["flags"] = flags
    message["header"]["sequence_number"] = sequence
    message["header"]["pid"] = 0
    message.encode()
    return bytes(message.data)


def packed(kind: int, body: bytes) -> bytes:
    """Return a request to dump: `body` is the fixed part of a message of `kind`."""
    return _HEADER.pack(HEADER_SIZE + len(body), kind, NLM_F_REQUEST | NLM_F_DUMP, 0, 0) + body


def numbered(request: bytes, sequence: int, *, flags: int | None = None) -> bytes:
    """Return `request`, one message, with another sequence number, and other flags if given, so
    that another one may follow."""
    length, kind, old, _, port = _HEADER.unpack_from(request)
    header = _HEADER.pack(length, kind, old if flags is None else flags, sequence, port)
    return header + request[HEADER_SIZE:] + bytes(-len(request) % 4)


def split(data: bytes) -> Iterator[Raw]:
    """Yield the messages of `data`; what is cut off or does not fit ends it."""
    at = 0
    while at + HEADER_SIZE <= len(data):
        length, kind, flags, sequence, port = _HEADER.unpack_from(data, at)
        if not HEADER_SIZE <= length <= len(data) - at:
            return
        yield Raw(kind, flags, sequence, port, data[at : at + length])
        at += length + 3 & ~3


def attributes(data: bytes, at: int) -> dict[int, bytes]:
    """Return the attributes that begin at offset `at` of `data`, by type; of two, the last. What
    does not fit ends it."""
    found = {}
    end = len(data)
    while at + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < 4 or at + length > end:
            break
        found[kind & _TYPE_MASK] = data[at + 4 : at + length]
        at += length + 3 & ~3
    return found


def decode(raw: Raw) -> list[Message]:
    """Return `raw` as pyroute2 has it; slow: for what is rare."""
    return list(MarshalRtnl().parse(raw.data))


def answer(raw: Raw) -> Answer | None:
    """Return what an NLMSG_ERROR message says; None: it is none."""
    if raw.kind != NLMSG_ERROR or len(raw.data) < HEADER_SIZE + _ERROR.size:
        return None
    (code,) = _ERROR.unpack_from(raw.data, HEADER_SIZE)
    text = b""
    if raw.flags & _ACK_TLVS:  # after the header of the request, which is all that NETLINK_CAP_ACK
        text = attributes(raw.data, 2 * HEADER_SIZE + _ERROR.size).get(_ERROR_TEXT, b"")  # leaves
    return Answer(raw.sequence, abs(code), text.rstrip(b"\0").decode("ascii", "replace"))


class RouteSocket:
    """A non-blocking NETLINK_ROUTE socket, subscribed to `groups` (a bit mask of RTMGRP_*), with
    `room` bytes for what has not been read."""

    def __init__(self, groups: int = 0, *, room: int = RECEIVE_ROOM) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        self._buffer = bytearray(_READ_SIZE)
        self._view = memoryview(self._buffer)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, room)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        for option in (_CAP_ACK, _EXT_ACK):
            self._set(option, 1)
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

    def subscribe(self, groups: Iterable[int], *, on: bool) -> None:
        """Join the multicast groups RTNLGRP_*, or leave them."""
        for group in groups:
            self._set(_ADD_MEMBERSHIP if on else _DROP_MEMBERSHIP, group)

    def filter(self, program: Iterable[tuple[int, int, int, int]]) -> None:
        """Let the kernel drop what `program` (classic BPF) returns 0 for: it wakes nobody."""
        code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
        memory = ctypes.create_string_buffer(code, len(code))
        header = struct.pack("@HP", len(code) // 8, ctypes.addressof(memory))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)

    def send(self, request: bytes) -> None:
        """Hand `request` to the kernel, which carries it out before this returns."""
        self._socket.send(request)

    def ask(self, requests: Iterable[bytes]) -> list[Answer]:
        """Carry out `requests`, one message each, one after the other, and return the answers to
        them; for a socket that is used for nothing else."""
        found = []
        for sequence, request in enumerate(requests, 1):
            flags = _HEADER.unpack_from(request)[2] | NLM_F_ACK
            self.send(numbered(request, sequence, flags=flags))
            given = (answer(raw) for raw in self.read())
            known = [one for one in given if one is not None and one.sequence == sequence]
            found.append(known[0] if known else Answer(sequence, errno.EIO, "no answer"))
        return found

    def read(self, limit: int = sys.maxsize) -> Iterator[Raw]:
        """Yield what has arrived, until nothing is left or at least `limit` messages were read;
        raises OSError(ENOBUFS) after an overrun.

        Only the kernel is believed: messages of other processes are dropped.
        """
        left = limit
        while left > 0:
            try:
                size, (sender, _) = self._socket.recvfrom_into(self._buffer)
            except BlockingIOError:
                return
            if sender != 0:
                left -= 1
                continue
            for raw in split(bytes(self._view[:size])):
                left -= 1
                yield raw

    def discard(self) -> None:
        """Throw away what has arrived."""
        while True:
            try:
                self._socket.recv_into(self._buffer)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise

    def dump(self, request: bytes) -> list[Raw]:
        """Return all that `request` (see `packed`) finds; for a socket that is used for nothing
        else. Raises KernelError, and with EAGAIN when things changed under every attempt."""
        self._socket.setblocking(True)
        for sequence in range(1, _DUMP_ATTEMPTS + 1):
            self.send(numbered(request, sequence))
            found = self._dumped(sequence)
            if found is not None:
                return found
        raise KernelError("list", "what the network has", errno.EAGAIN)

    def _dumped(self, sequence: int) -> list[Raw] | None:
        """Return the parts of one dump; None when something may be missing."""
        found: list[Raw] = []
        is_whole = True
        while True:
            for raw in self.read(1):
                if raw.sequence != sequence:
                    continue
                is_whole &= not raw.flags & NLM_F_DUMP_INTR
                if raw.kind == NLMSG_DONE:
                    return found if is_whole else None
                said = answer(raw)
                if said is not None:
                    raise KernelError("list", "what the network has", said.code)
                found.append(raw)

    def check_strictly(self) -> None:
        """Let the kernel apply what a request to dump says; before Linux 4.20 it does not."""
        try:
            self._set(_GET_STRICT_CHK, 1)
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:
                raise

    def _set(self, option: int, value: int) -> None:
        self._socket.setsockopt(_SOL_NETLINK, option, value)


def dump(request: bytes) -> list[Raw]:
    """Return all that `request`, one message of a kind RTM_GET*, finds in this network namespace;
    raises KernelError."""
    route = RouteSocket()
    try:
        route.check_strictly()
        return route.dump(request)
    finally:
        route.close()


def dump_addresses() -> list[Message]:
    """Return every address of this network namespace."""
    return [message for raw in dump(packed(RTM_GETADDR, bytes(8))) for message in decode(raw)]
