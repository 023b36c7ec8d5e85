"""Processes as they start, change and end: the kernel's process events connector.

The kernel has it only for the first network, PID and user namespace, and wants CAP_NET_ADMIN.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from array import array
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EventKind", "ProcessEvent", "ProcessEvents"]

_NETLINK_CONNECTOR = 11
_CN_IDX_PROC = _CN_VAL_PROC = 1
_NLMSG_DONE = 3
_LISTEN = 1
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_CONNECTOR = struct.Struct("=IIIIHH")  # struct cn_msg: idx, val, seq, ack, len, flags
_ACK_AT, _WHAT_AT, _DATA_AT = 28, 36, 52
_SO_ATTACH_FILTER, _SO_RCVBUFFORCE = 26, 33
_ROOM = 1 << 20  # bytes: several thousand events
_READ_SIZE = 1024
_BATCH = 256  # events read at one turn of the loop
_WORD, _TO_X, _EQUAL, _EQUAL_X, _RETURN = 0x20, 0x07, 0x15, 0x1D, 0x06  # classic BPF


class EventKind(IntEnum):
    """What happened to a process; the numbers are the kernel's."""

    ACKNOWLEDGED = 0
    FORK = 0x1
    EXEC = 0x2
    COMM = 0x200
    EXIT = 0x80000000


class ProcessEvent(NamedTuple):
    """One event. `parent`: of a FORK; `name`: of a COMM, without the NULs."""

    kind: EventKind
    pid: int
    parent: int = 0
    name: bytes = b""


class ProcessEvents:
    """A non-blocking socket that the kernel sends process events to; threads are left out.

    Raises OSError where there are none.
    """

    def __init__(self) -> None:
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, _NETLINK_CONNECTOR)
        try:
            self._room()
            self._socket.bind((0, _CN_IDX_PROC))
            self._hide_threads()
            self._listen()
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close; may be repeated."""
        self._socket.close()

    def read(self) -> Iterator[ProcessEvent]:
        """Yield some of the events that have arrived; raises OSError(ENOBUFS) if some were lost."""
        for _ in range(_BATCH):
            data = self._receive()
            if data is None:
                return
            event = _event(data)
            if event is not None:
                yield event

    def _receive(self) -> bytes | None:
        """Return a message of the kernel, b"" for another's; None if there is none."""
        try:
            data, (sender, _) = self._socket.recvfrom(_READ_SIZE)
        except BlockingIOError:
            return None
        return data if sender == 0 and len(data) >= _DATA_AT + 16 else b""

    def _room(self) -> None:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)

    def _hide_threads(self) -> None:
        """Let the kernel drop what is about threads, or of no use: it wakes nobody."""
        program = (
            (_WORD, 0, 0, _WHAT_AT),
            (_EQUAL, 13, 0, _as_loaded(EventKind.ACKNOWLEDGED)),
            (_EQUAL, 12, 0, _as_loaded(EventKind.EXEC)),
            (_EQUAL, 6, 0, _as_loaded(EventKind.FORK)),
            (_EQUAL, 1, 0, _as_loaded(EventKind.COMM)),
            (_EQUAL, 0, 8, _as_loaded(EventKind.EXIT)),
            (_WORD, 0, 0, _DATA_AT),  # pid
            (_TO_X, 0, 0, 0),
            (_WORD, 0, 0, _DATA_AT + 4),  # tgid
            (_EQUAL_X, 5, 4, 0),
            (_WORD, 0, 0, _DATA_AT + 8),  # child pid
            (_TO_X, 0, 0, 0),
            (_WORD, 0, 0, _DATA_AT + 12),  # child tgid
            (_EQUAL_X, 1, 0, 0),
            (_RETURN, 0, 0, 0),
            (_RETURN, 0, 0, 0xFFFFFFFF),
        )
        code = array("B", b"".join(struct.pack("=HBBI", *one) for one in program))
        where, _ = code.buffer_info()
        header = struct.pack("@HP", len(program), where)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)

    def _listen(self) -> None:
        """Ask for events. The kernel answers before `send` returns, or not at all: where it has no
        events for this namespace, it says nothing."""
        port = self._socket.getsockname()[0]
        wish = _CONNECTOR.pack(_CN_IDX_PROC, _CN_VAL_PROC, 0, port, 4, 0)
        wish += struct.pack("=I", _LISTEN)
        header = _HEADER.pack(_HEADER.size + len(wish), _NLMSG_DONE, 0, 0, port)
        self._socket.send(header + wish)
        while (data := self._receive()) is not None:
            if data and _is_answer(data, port):
                error = struct.unpack_from("=I", data, _DATA_AT)[0]
                if error:
                    raise OSError(error, os.strerror(error))
                return
        raise OSError(errno.EOPNOTSUPP, "the kernel has no process events for this namespace")


def _is_answer(data: bytes, port: int) -> bool:
    """Tell if this is the answer to what the socket `port` asked; others get answers as well."""
    what = struct.unpack_from("=I", data, _WHAT_AT)[0]
    ack = struct.unpack_from("=I", data, _ACK_AT)[0]
    return bool(what == EventKind.ACKNOWLEDGED and ack == (port + 1) & 0xFFFFFFFF)


def _event(data: bytes) -> ProcessEvent | None:
    if not data:
        return None
    what = struct.unpack_from("=I", data, _WHAT_AT)[0]
    _, second, _, fourth = struct.unpack_from("=IIII", data, _DATA_AT)
    if what == EventKind.FORK:
        return ProcessEvent(EventKind.FORK, fourth, parent=second)
    if what == EventKind.COMM:
        name = data[_DATA_AT + 8 : _DATA_AT + 24].partition(b"\0")[0]
        return ProcessEvent(EventKind.COMM, second, name=name)
    if what in (EventKind.EXEC, EventKind.EXIT):
        return ProcessEvent(EventKind(what), second)
    return None


def _as_loaded(value: int) -> int:
    """Return what classic BPF, which reads network order, sees of a word in host order."""
    return int.from_bytes(value.to_bytes(4, sys.byteorder), "big")
