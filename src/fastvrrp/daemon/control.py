"""What the parent and the VRRP process say to each other: packets, some of them with a descriptor.

Neither side ever waits for the other: what cannot be sent now is said again later, or not at all.
"""

from __future__ import annotations

import array
import os
import socket

__all__ = [
    "ALIVE",
    "CONFIG",
    "FAILED",
    "FAREWELLS",
    "NO_SENDER",
    "READY",
    "REFUSED",
    "SENDER",
    "SETTLED",
    "TAKEN",
    "UNDOS",
    "UNREAD",
    "memory_file",
    "pair",
    "read_memory_file",
    "receive",
    "send",
]

# From the parent.
CONFIG = b"config"
"""With a memory file: what the configuration reader found."""
UNREAD = b"unread "
"""Followed by the reason why there is no such file. Both are answered: READY, TAKEN or REFUSED."""

# From the VRRP process.
READY = b"ready"
"""It runs, with the configuration that it was given."""
TAKEN = b"taken"
"""It runs with the new one."""
REFUSED = b"refused"
"""It runs on with the one that it had."""
ALIVE = b"alive"
FAILED = b"failed "
"""Followed by the reason, for the terminal that started the daemon; the exit status follows."""
SETTLED = b"settled"
"""Nothing of it is left on the host, and it has resigned."""
UNDOS = b"undos"
"""With a memory file: how to undo what it has done (see `estate`)."""
FAREWELLS = b"farewells"
"""With a memory file: what it would resign with (see `estate`)."""
SENDER = b"sender "
"""Followed by a number, with the socket that farewells call by it."""
NO_SENDER = b"no sender "
"""Followed by the number of one that no farewell uses any more."""

_LONGEST = 8192


def pair() -> tuple[socket.socket, socket.socket]:
    """Return both ends."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(control: socket.socket, message: bytes, fd: int | None = None) -> bool:
    """Send `message`, and `fd` with it; False if the other side is gone or busy."""
    rights = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
    try:
        control.sendmsg([message], rights, socket.MSG_DONTWAIT)
    except OSError:
        return False
    return True


def receive(control: socket.socket) -> tuple[bytes, int | None] | None:
    """Return the next message and its descriptor, which is the caller's now; None if there is none,
    b"" if the other side is gone."""
    try:
        message, rights, _, _ = control.recvmsg(
            _LONGEST, socket.CMSG_SPACE(4), socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        )
    except BlockingIOError:
        return None
    except OSError:
        return b"", None
    fds = array.array("i")
    for level, kind, data in rights:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return message, fds[0] if fds else None


def memory_file(name: str, data: bytes = b"") -> int:
    """Return the descriptor of a file that is nowhere but in memory; raises OSError."""
    fd = os.memfd_create(name)
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(data)
    except BaseException:
        os.close(fd)
        raise
    return fd


def read_memory_file(fd: int) -> bytes:
    """Return what is in it, whoever has read it before."""
    return os.pread(fd, os.fstat(fd).st_size, 0)
