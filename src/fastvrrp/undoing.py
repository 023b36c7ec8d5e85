"""Undoes, one by one, what a process that is dead has done to this host.

Imports little: the daemon's parent needs it.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

__all__ = ["GONE", "Undoer"]

GONE = "it is not there any more"
"""The answer for what is undone already, or was never done."""

_NETLINK_NETFILTER = 12
_NLMSG_ERROR = 2
_MISSING = (
    errno.EADDRNOTAVAIL,
    errno.ENODEV,
    errno.ENOENT,
    errno.ESRCH,
    errno.EAFNOSUPPORT,  # IPv6 is switched off
)


class Undoer:
    """Its methods return "" for what is undone now, else why not: `GONE` or a reason in words.

    `sysctls` is where kernel parameters are.
    """

    def __init__(self, sysctls: str = "/proc/sys") -> None:
        self._sysctls = sysctls
        self._sockets: dict[int, socket.socket] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in self._sockets.values():
            each.close()

    def route(self, request: bytes, links: Iterable[tuple[str, int]]) -> str:
        """Send the rtnetlink `request`, if each of `links`, (name, ifindex), is what it was."""
        if any(not _is_link(name, index) for name, index in links):
            return GONE
        return self._ask(socket.NETLINK_ROUTE, request)

    def nft(self, batch: bytes) -> str:
        """Send the nfnetlink `batch`."""
        return self._ask(_NETLINK_NETFILTER, batch)

    def sysctl(self, name: str, was: str, ours: str) -> str:
        """Write `was` to the kernel parameter `name`, if it still has the value `ours`."""
        path = f"{self._sysctls}/{name}"
        try:
            with open(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC), "r+b", 0) as file:
                if file.read(4096).strip() != ours.encode():
                    return GONE
                file.seek(0)
                file.write(was.encode() + b"\n")
        except OSError as error:
            return _why(error)
        return ""

    def _ask(self, protocol: int, request: bytes) -> str:
        """Send `request`, which the kernel carries out before that returns, and read what it says
        of it: nothing, or errors."""
        found: list[str] = []
        try:
            asked = self._socket(protocol)
            asked.send(request)
            while True:
                found += _errors(asked.recv(1 << 16))
        except BlockingIOError:  # it has no more to say
            return next((why for why in found if why != GONE), "".join(found[:1]))
        except OSError as error:
            return _why(error)

    def _socket(self, protocol: int) -> socket.socket:
        if protocol not in self._sockets:
            kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            self._sockets[protocol] = socket.socket(socket.AF_NETLINK, kind, protocol)
        return self._sockets[protocol]


def _is_link(name: str, index: int) -> bool:
    try:
        return socket.if_nametoindex(name) == index
    except (OSError, ValueError):
        return False


def _errors(answer: bytes) -> list[str]:
    """Return the errors in an answer of the kernel, in words."""
    found = []
    while len(answer) >= 20:
        length, kind, code = struct.unpack("=IH10xi", answer[:20])
        if kind == _NLMSG_ERROR and code:
            found.append(_why(OSError(-code, os.strerror(-code))))
        answer = answer[max(length + 3 & ~3, 16) :]
    return found


def _why(error: OSError) -> str:
    return GONE if error.errno in _MISSING else error.strerror or str(error)
